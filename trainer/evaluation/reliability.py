"""Whether a network that says 80 % is right four times in five.

Guo et al., "On Calibration of Modern Neural Networks", 2017: faces are sorted into bins by the
probability of the likeliest answer, and in each bin that probability is held against how often the
answer was right. Their differences, weighted by the faces, are the expected calibration error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.confidence import rounded
from trainer.evaluation.predict import softmax

BINS = 15
"""As in the paper."""

_SMALLEST = float(np.finfo(np.float32).tiny)  # an engine's float32 may round a probability down to none


@dataclass(frozen=True)
class Bin:
    """The faces whose confidence is over `low` and at most `high`."""

    low: float
    high: float
    faces: int
    confidence: float | None
    """The mean probability of the likeliest answer; None of no faces."""
    accuracy: float | None
    """How often that answer was right."""

    def to_dict(self) -> dict[str, Any]:
        """The bin, ready for JSON."""
        return {
            "low": rounded(self.low),
            "high": rounded(self.high),
            "faces": self.faces,
            "confidence": rounded(self.confidence),
            "accuracy": rounded(self.accuracy),
        }


@dataclass(frozen=True)
class Reliability:
    """One head's bins and what they come to."""

    error: float | None
    """Expected calibration error, 0…1; None of no faces."""
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """The error and the bins, ready for JSON."""
        return {"error": rounded(self.error), "bins": [each.to_dict() for each in self.bins]}


@dataclass(frozen=True)
class Calibration:
    """One head without its temperature and with it."""

    temperature: float
    before: Reliability
    after: Reliability

    @classmethod
    def of(cls, probabilities: NDArray[np.floating], true: NDArray[np.int64], temperature: float) -> Calibration:
        """(n, classes) calibrated probabilities and (n,) labels; a label of -1 does not count."""
        known = true >= 0
        probabilities, true = probabilities[known], true[known]
        return cls(
            temperature,
            before=reliability(uncalibrated(probabilities, temperature), true),
            after=reliability(probabilities, true),
        )

    def to_dict(self) -> dict[str, Any]:
        """The temperature and both sides of it, ready for JSON."""
        return {
            "temperature": rounded(self.temperature),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
        }


def uncalibrated(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """(n, classes) probabilities → what they were before their logits were divided by the temperature.

    The logarithm of a softmax is its logits but for a constant, which the next softmax takes out again.
    """
    return softmax(temperature * np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST)))


def reliability(probabilities: NDArray[np.floating], true: NDArray[np.int64]) -> Reliability:
    """(n, classes) probabilities against (n,) labels, in `BINS` bins of equal width."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == true
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    bins = tuple(_bin(place, confidence[places == place], right[places == place]) for place in range(BINS))
    if not len(true):
        return Reliability(None, bins)
    gaps = (
        each.faces * abs(each.confidence - each.accuracy)
        for each in bins
        if each.confidence is not None and each.accuracy is not None
    )
    return Reliability(sum(gaps) / len(true), bins)


def _bin(place: int, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Bin:
    faces = len(confidence)
    return Bin(
        low=place / BINS,
        high=(place + 1) / BINS,
        faces=faces,
        confidence=float(confidence.mean()) if faces else None,
        accuracy=float(right.mean()) if faces else None,
    )
