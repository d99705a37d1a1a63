"""What is known of one person: probabilities fused over time, whether they are enough, and what is shown of them.

All times are the source's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup, Estimate, Status

FORGETTING = 4.0
"""Seconds in which evidence loses all but 1/e of its weight, so that a change of person shows."""

INDEPENDENT = 0.2
"""Seconds from one crop to the next from which it counts in full. What comes sooner shows much the same: at 15
frames a second a face's estimates are correlated to 0.6 from one frame to the next, to 0.2 over a second."""

ENOUGH = 2.0
"""Weight of evidence from which an estimate is known: a good crop, and a fifth of a second of more. With less, the
first age that is shown of somebody who walks up is still what a small face far away said."""

TOO_LITTLE = 0.5
"""Weight of evidence below which a known estimate is known no longer."""

PATIENCE = 1.5
"""Seconds in which enough evidence must come before a track is called unknown."""

LEAD = 0.2
"""By how much a label must be likelier than the shown one to take its place…"""

LEADS_FOR = 1.0
"""…and for how many seconds without a break."""

HARDLY, HARDLY_LESS, HARDLY_FOR = 0.2, 1.5, 0.5
"""A label less likely than this goes to one so many times likelier, after so many seconds: of many that are a little
likely none ever has a clear lead, and what is hardly true any more must not stay."""

_SMALLEST_PROBABILITY = 1e-4  # no single crop rules anything out


@dataclass
class SteadyLabel:
    """Which of several labels is shown: the likeliest, until another leads it clearly and for some time.

    Near the border of two age groups the likeliest one would otherwise change with every movement of the head.
    """

    index: int | None = None
    _led_since: float | None = None

    def update(self, probabilities: Sequence[float], time: float) -> None:
        """Takes in the probabilities at `time`."""
        likeliest = max(range(len(probabilities)), key=probabilities.__getitem__)
        if self.index is None:
            self.index = likeliest
        best, shown = probabilities[likeliest], probabilities[self.index]
        hardly = shown < HARDLY and best >= shown * HARDLY_LESS
        if best - shown < LEAD and not hardly:
            self._led_since = None
        elif self._led_since is None:
            self._led_since = time
        elif time - self._led_since >= (HARDLY_FOR if hardly else LEADS_FOR):
            self.index, self._led_since = likeliest, None


@dataclass
class TemporalFusion:
    """The fused probabilities of one track: a weighted mean of logarithms that forgets slowly.

    The mean of logarithms is what independent opinions of equal worth come to, and unlike their
    product it does not grow surer merely because a face was looked at for longer. Once known, it shows labels that
    hardly change, beside the probabilities as they are.
    """

    groups: tuple[AgeGroup, ...]
    gender_labels: tuple[str, ...]
    waiting_since: float = 0.0
    """When evidence began to be wanted: at first sight, or when what there was had faded."""
    status: Status = "estimating"
    weight: float = 0.0
    time: float = 0.0
    face: float | None = None
    """Log odds for a real face, fused in the same way (see `nonface_filter`). None if it was not judged."""
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
        """Adds one crop's (2,) and (groups,) probabilities at `time`, with a weight above 0 and up to 1.

        `face` is its log odds for a real face, where they were asked for.
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
        """What the evidence still weighs at `time`."""
        return self.weight * math.exp((self.time - time) / FORGETTING)

    def estimate(self) -> Estimate | None:
        """What all of it says, or None before the first crop."""
        if self._gender is None or self._age is None:
            return None
        estimate = Estimate(self.gender_labels, _probabilities(self._gender), self.groups, _probabilities(self._age))
        gender, group = self._shown_gender.index, self._shown_group.index
        if gender is None or group is None:
            return estimate
        return estimate.showing(self.gender_labels[gender], self.groups[group])

    def update_status(self, time: float, trusted: bool) -> None:
        """Moves between estimating, known and unknown by what the evidence weighs at `time`.

        `trusted` is whether it may be told at all, and whose it is. What is likelier no face is never known.
        """
        weight = self.weight_at(time)
        trusted = trusted and (self.face is None or self.face > 0)
        if weight >= ENOUGH and trusted:
            self.status = "known"
        elif self.status == "known" and (weight < TOO_LITTLE or not trusted):
            self.status, self.waiting_since = "estimating", time
        elif self.status == "estimating" and time - self.waiting_since > PATIENCE:
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
