"""What is known of one person: probabilities fused over time, and whether they are enough.

All times are the source's own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup, Estimate, Status

FORGETTING = 3.0
"""Seconds in which evidence loses all but 1/e of its weight, so that a change of person shows."""

ENOUGH = 1.5
"""Weight of evidence from which an estimate is known: two good chips and a fair one."""

TOO_LITTLE = 0.5
"""Weight of evidence below which a known estimate is known no longer."""

PATIENCE = 1.5
"""Seconds in which enough evidence must come before a track is called unknown."""

_SMALLEST_PROBABILITY = 1e-4  # no single chip rules anything out


@dataclass
class Evidence:
    """The fused probabilities of one track: a weighted mean of logarithms that forgets slowly.

    The mean of logarithms is what independent opinions of equal worth come to, and unlike their
    product it does not grow surer merely because a face was looked at for longer.
    """

    groups: tuple[AgeGroup, ...]
    gender_labels: tuple[str, ...]
    waiting_since: float = 0.0
    """When evidence began to be wanted: at first sight, or when what there was had faded."""
    status: Status = "estimating"
    weight: float = 0.0
    time: float = 0.0
    _gender: NDArray[np.float64] | None = None
    _age: NDArray[np.float64] | None = None

    def add(self, gender: NDArray[np.floating], age: NDArray[np.floating], weight: float, time: float) -> None:
        """Adds one chip's (2,) and (groups,) probabilities at `time`, with a weight of 0 to 1."""
        before = self.weight_at(time)
        share = weight / (before + weight)
        self._gender = _blend(self._gender, _logarithms(gender), share)
        self._age = _blend(self._age, _logarithms(age), share)
        self.weight, self.time = before + weight, time

    def weight_at(self, time: float) -> float:
        """What the evidence still weighs at `time`."""
        return self.weight * math.exp((self.time - time) / FORGETTING)

    def estimate(self) -> Estimate | None:
        """What all of it says, or None before the first chip."""
        if self._gender is None or self._age is None:
            return None
        return Estimate(self.gender_labels, _probabilities(self._gender), self.groups, _probabilities(self._age))

    def update_status(self, time: float, trusted: bool) -> None:
        """Moves between estimating, known and unknown by what the evidence weighs at `time`.

        `trusted` is whether it may be told at all: that it is a face, and whose.
        """
        weight = self.weight_at(time)
        if weight >= ENOUGH and trusted:
            self.status = "known"
        elif self.status == "known" and (weight < TOO_LITTLE or not trusted):
            self.status, self.waiting_since = "estimating", time
        elif self.status == "estimating" and time - self.waiting_since > PATIENCE:
            self.status = "unknown"


def _logarithms(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST_PROBABILITY))


def _blend(mean: NDArray[np.float64] | None, new: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    return new if mean is None else mean + share * (new - mean)


def _probabilities(logarithms: NDArray[np.float64]) -> tuple[float, ...]:
    values = np.exp(logarithms - logarithms.max())
    return tuple(float(value) for value in values / values.sum())
