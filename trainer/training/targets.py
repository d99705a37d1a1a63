"""Labels → what a network is asked to answer: a distribution over its own age groups, and over genders.

A label says that an age lies in a span of years. Spread evenly over the span and blurred by the
doubt of whoever labelled it, the age falls into each group of the network with some probability.
That serves groups, exact years, and data sets whose groups are not the network's, all alike:
25-32 gives five eighths to 20-29 and three to 30-39. Years that belong to no group (Adience has
gaps) count for none; a label with no year in any group teaches no age.
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
"""A target of less probability than this is none."""


def age_targets(labels: Sequence[FaceLabel], groups: Sequence[AgeGroup], doubt: float = 0.0) -> NDArray[np.float32]:
    """(n, groups) probabilities; a row of zeros where nothing is known.

    `doubt` is the standard deviation of a label's error as a share of the age.
    """
    frozen = tuple(groups)
    return np.array([_age_target(label.age, frozen, doubt) for label in labels], dtype=np.float32)


def gender_targets(labels: Sequence[FaceLabel], smoothing: float = 0.0) -> NDArray[np.float32]:
    """(n, 2) probabilities; a row of zeros where the gender is unknown."""
    indices = gender_indices(labels)
    targets = np.eye(2, dtype=np.float32)[indices] * np.float32(1 - smoothing) + np.float32(smoothing / 2)
    targets[indices < 0] = 0
    return targets


@cache
def _age_target(age: Years | None, groups: tuple[AgeGroup, ...], doubt: float) -> tuple[float, ...]:
    if age is None:
        return (0.0,) * len(groups)
    # The last group is open: it holds every older age too.
    edges = [(group.low, group.high + 1.0) for group in groups[:-1]] + [(groups[-1].low, np.inf)]
    high = min(age.high, groups[-1].high) if age.low <= groups[-1].high else age.high
    years = range(age.low, high + 1)
    shares = [sum(_share(year, low, end, doubt) for year in years) / len(years) for low, end in edges]
    total = sum(shares)
    return tuple(share / total for share in shares) if total > _LEAST else (0.0,) * len(groups)


def _share(year: int, low: float, end: float, doubt: float) -> float:
    """Probability that whoever was labelled `year` is between `low` and `end` years old; nobody is below 0."""
    if doubt == 0:
        return float(low <= year < end)
    middle = year + 0.5
    deviation = doubt * middle

    def below(limit: float) -> float:
        return (1 + erf((limit - middle) / deviation / sqrt(2))) / 2

    return below(end) - (below(low) if low > 0 else 0.0)
