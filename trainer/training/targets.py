"""Computes training targets from labels: probabilities of the network's age groups and of the genders.

A label states that an age is in a span of years. The age is spread evenly over the span and blurred by the uncertainty
of the label, which gives a probability for each age group. This works for groups, exact years, and data sets with other
groups than the network's: 25-32 gives five eighths to 20-29 and three to 30-39. Years in no group (Adience has gaps) do
not count. A label without a year in any group has no age target.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import erf, sqrt

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup
from trainer.data.labels import FaceLabel, Years, gender_indices

_LEAST = 1e-6
"""A target with less probability in all groups counts as unknown."""


def age_targets(labels: Sequence[FaceLabel], groups: Sequence[AgeGroup], noise_std: float = 0.0) -> NDArray[np.float32]:
    """Returns (n, groups) float32 target probabilities; a row of zeros where the age is unknown.

    `noise_std` is the standard deviation of a label's error, as a share of the age.
    """
    frozen = tuple(groups)
    return np.array([_age_target(label.age, frozen, noise_std) for label in labels], dtype=np.float32)


def gender_targets(labels: Sequence[FaceLabel], smoothing: float = 0.0) -> NDArray[np.float32]:
    """Returns (n, 2) float32 target probabilities; a row of zeros where the gender is unknown."""
    indices = gender_indices(labels)
    targets = np.eye(2, dtype=np.float32)[indices] * np.float32(1 - smoothing) + np.float32(smoothing / 2)
    targets[indices < 0] = 0
    return targets


@cache
def _age_target(age: Years | None, groups: tuple[AgeGroup, ...], noise_std: float) -> tuple[float, ...]:
    if age is None:
        return (0.0,) * len(groups)
    # The last group is open and contains every older age.
    edges = [(group.low, group.high + 1.0) for group in groups[:-1]] + [(groups[-1].low, np.inf)]
    high = min(age.high, groups[-1].high) if age.low <= groups[-1].high else age.high
    years = range(age.low, high + 1)
    shares = [sum(_share(year, low, end, noise_std) for year in years) / len(years) for low, end in edges]
    total = sum(shares)
    return tuple(share / total for share in shares) if total > _LEAST else (0.0,) * len(groups)


def _share(year: int, low: float, end: float, noise_std: float) -> float:
    """Returns the probability that a person labelled `year` is between `low` and `end` years old."""
    if noise_std == 0:
        return float(low <= year < end)
    middle = year + 0.5
    deviation = noise_std * middle

    def below(limit: float) -> float:
        return (1 + erf((limit - middle) / deviation / sqrt(2))) / 2

    return below(end) - (below(low) if low > 0 else 0.0)
