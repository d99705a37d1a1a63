"""Fuses one person's estimates over time and decides when they are enough and which labels are shown.

All times are the source's own, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup, Estimate, Status

DECAY_TIME = 4.0
"""Seconds in which the weight of past estimates falls to 1/e, so that a change of person shows."""

INDEPENDENT = 0.2
"""Seconds between two crops from which the second counts in full. Closer crops are much the same: the estimates of a
face are correlated to 0.6 between frames at 15 frames a second, and to 0.2 over a second."""

KNOWN_WEIGHT = 2.0
"""The weight from which an estimate is known: one good crop and more during a fifth of a second. With less, the first
age that is shown of a person who walks up would come from a small face far away."""

LOST_WEIGHT = 0.5
"""The weight below which a known estimate is no longer known."""

UNKNOWN_AFTER = 1.5
"""Seconds without enough good crops after which a track is unknown."""

LEAD = 0.2
"""The lead in probability that a label needs to replace the shown one…"""

LEAD_SECONDS = 1.0
"""…and how many seconds it must keep that lead."""

UNLIKELY, UNLIKELY_RATIO, UNLIKELY_SECONDS = 0.2, 1.5, 0.5
"""A shown label below `UNLIKELY` is replaced by one `UNLIKELY_RATIO` times as likely after `UNLIKELY_SECONDS`.
Among many labels of low probability none gets a clear lead, and an unlikely label must not stay."""

_SMALLEST_PROBABILITY = 1e-4  # no single crop rules anything out


@dataclass
class SteadyLabel:
    """Chooses the label that is shown: the likeliest, until another has a clear lead for some time.

    Otherwise the label would change with every movement of the head near the border of two age groups.
    """

    index: int | None = None
    _led_since: float | None = None

    def update(self, probabilities: Sequence[float], time: float) -> None:
        """Updates `index` by the probabilities at `time`."""
        likeliest = max(range(len(probabilities)), key=probabilities.__getitem__)
        if self.index is None:
            self.index = likeliest
        best, shown = probabilities[likeliest], probabilities[self.index]
        unlikely = shown < UNLIKELY and best >= shown * UNLIKELY_RATIO
        if best - shown < LEAD and not unlikely:
            self._led_since = None
        elif self._led_since is None:
            self._led_since = time
        elif time - self._led_since >= (UNLIKELY_SECONDS if unlikely else LEAD_SECONDS):
            self.index, self._led_since = likeliest, None


@dataclass
class TemporalFusion:
    """The fused probabilities of one track: a weighted mean of log probabilities, in which old ones fade.

    Unlike a product of probabilities, the mean of logarithms does not become more certain only because a face was seen
    for longer. Once the estimate is known, the shown labels are kept steady; the probabilities are not changed.
    """

    groups: tuple[AgeGroup, ...]
    gender_labels: tuple[str, ...]
    waiting_since: float = 0.0
    """The time from which the track waits for good crops: its start, or when its weight had faded."""
    status: Status = "estimating"
    weight: float = 0.0
    time: float = 0.0
    face: float | None = None
    """The log odds of a real face, fused in the same way (see `nonface_filter`); None if it was not judged."""
    _gender: NDArray[np.float64] | None = None
    _age: NDArray[np.float64] | None = None
    _shown_gender: SteadyLabel = field(default_factory=SteadyLabel)
    _shown_group: SteadyLabel = field(default_factory=SteadyLabel)

    def add(
        self,
        gender: NDArray[np.floating],
        age: NDArray[np.floating],
        weight: float,
        time: float,
        face: float | None = None,
    ) -> None:
        """Adds one crop's probabilities, (2,) and (groups,), at `time`, with a weight above 0 and up to 1.

        `face` is the log odds that the crop shows a real face, if known.
        """
        before = self.weight_at(time)
        if before > 0:
            weight *= min((time - self.time) / INDEPENDENT, 1.0)
        share = weight / (before + weight)
        self._gender = _blend(self._gender, _logarithms(gender), share)
        self._age = _blend(self._age, _logarithms(age), share)
        if face is not None:
            self.face = face if self.face is None else self.face + share * (face - self.face)
        self.weight, self.time = before + weight, time

    def weight_at(self, time: float) -> float:
        """Returns the weight that remains at `time`."""
        return self.weight * math.exp((self.time - time) / DECAY_TIME)

    def estimate(self) -> Estimate | None:
        """Returns the fused estimate, or None before the first crop."""
        if self._gender is None or self._age is None:
            return None
        estimate = Estimate(self.gender_labels, _probabilities(self._gender), self.groups, _probabilities(self._age))
        gender, group = self._shown_gender.index, self._shown_group.index
        if gender is None or group is None:
            return estimate
        return estimate.showing(self.gender_labels[gender], self.groups[group])

    def update_status(self, time: float, trusted: bool) -> None:
        """Updates the status by the weight that remains at `time`.

        Without `trusted`, or while a real face is not likely, the status is never `known`.
        """
        weight = self.weight_at(time)
        trusted = trusted and (self.face is None or self.face > 0)
        if weight >= KNOWN_WEIGHT and trusted:
            self.status = "known"
        elif self.status == "known" and (weight < LOST_WEIGHT or not trusted):
            self.status, self.waiting_since = "estimating", time
        elif self.status == "estimating" and time - self.waiting_since > UNKNOWN_AFTER:
            self.status = "unknown"
        self._update_labels(time)

    def _update_labels(self, time: float) -> None:
        if self.status != "known":
            self._shown_gender, self._shown_group = SteadyLabel(), SteadyLabel()
        elif self._gender is not None and self._age is not None:
            self._shown_gender.update(_probabilities(self._gender), time)
            self._shown_group.update(_probabilities(self._age), time)


def _logarithms(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), _SMALLEST_PROBABILITY))


def _blend(mean: NDArray[np.float64] | None, new: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    return new if mean is None else mean + share * (new - mean)


def _probabilities(logarithms: NDArray[np.float64]) -> tuple[float, ...]:
    values = np.exp(logarithms - logarithms.max())
    return tuple(float(value) for value in values / values.sum())
