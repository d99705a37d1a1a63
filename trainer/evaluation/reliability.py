"""Measures calibration: whether a network that says 80 % is right four times in five.

Faces are sorted into bins by the probability of the likeliest answer. In each bin, the mean probability is compared
with the share of right answers. The mean difference, weighted by the faces, is the expected calibration error (Guo et
al., "On Calibration of Modern Neural Networks", 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.confidence import rounded
from trainer.evaluation.predict import softmax

BINS = 15
"""Number of bins, as in the paper."""

_SMALLEST = float(np.finfo(np.float32).tiny)  # an engine's float32 may round a probability down to 0


@dataclass(frozen=True)
class Bin:
    """The faces whose confidence is above `low` and at most `high`."""

    low: float
    high: float
    faces: int
    confidence: float | None
    """Mean probability of the likeliest answer; None without faces."""
    accuracy: float | None
    """Share of right answers; None without faces."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the bin ready for JSON."""
        return {
            "low": rounded(self.low),
            "high": rounded(self.high),
            "faces": self.faces,
            "confidence": rounded(self.confidence),
            "accuracy": rounded(self.accuracy),
        }


@dataclass(frozen=True)
class Reliability:
    """The bins of one head, and its calibration error."""

    error: float | None
    """Expected calibration error, 0…1; None without faces."""
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Returns the error and the bins, ready for JSON."""
        return {"error": rounded(self.error), "bins": [each.to_dict() for each in self.bins]}


@dataclass(frozen=True)
class Calibration:
    """Reliability of one head, without its temperature and with it."""

    temperature: float
    before: Reliability
    after: Reliability

    @classmethod
    def of(cls, probabilities: NDArray[np.floating], true: NDArray[np.int64], temperature: float) -> Calibration:
        """Measures `(n, classes)` calibrated probabilities against `(n,)` labels; a label of -1 is unknown."""
        known = true >= 0
        probabilities, true = probabilities[known], true[known]
        return cls(
            temperature,
            before=reliability(without_temperature(probabilities, temperature), true),
            after=reliability(probabilities, true),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the temperature and both reliabilities, ready for JSON."""
        return {
            "temperature": rounded(self.temperature),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
        }


def without_temperature(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Returns the `(n, classes)` probabilities before their logits were divided by the temperature.

    The logarithm of a softmax equals the logits up to a constant, which the next softmax removes.
    """
    return softmax(temperature * np.log(np.maximum(probabilities.astype(np.float64), _SMALLEST)))


def reliability(probabilities: NDArray[np.floating], true: NDArray[np.int64]) -> Reliability:
    """Measures `(n, classes)` probabilities against `(n,)` known labels, in `BINS` bins of equal width."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == true
    indices = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    bins = tuple(_bin(index, confidence[indices == index], right[indices == index]) for index in range(BINS))
    if not len(true):
        return Reliability(None, bins)
    gaps = (
        each.faces * abs(each.confidence - each.accuracy)
        for each in bins
        if each.confidence is not None and each.accuracy is not None
    )
    return Reliability(sum(gaps) / len(true), bins)


def _bin(index: int, confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Bin:
    faces = len(confidence)
    return Bin(
        low=index / BINS,
        high=(index + 1) / BINS,
        faces=faces,
        confidence=float(confidence.mean()) if faces else None,
        accuracy=float(right.mean()) if faces else None,
    )
