"""Measures the age check: how many people pass it without an ID.

The kiosk lets a person pass whose probability of being at least the challenge age reaches a threshold. Two shares
describe a threshold: how many under-age people pass, and how many people clearly over that age need no ID. Here each
person is judged by one crop. The kiosk uses many crops and rejects bad ones, so it does better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup
from trainer.data.labels import FaceLabel
from trainer.evaluation.confidence import Share, rounded

CHALLENGE_AGE = 25
"""In years: the legal age and a margin of seven years, the kiosk's default."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Probabilities of being at least the challenge age."""

LEGAL_AGE = 18
UNDER_AGE_GROUPS_END = 20
"""Where only a group is known, it is under age if it ends before this year.

Many data sets put 18 and 19 together with younger people. To leave out the whole group would hide the most important
people."""

CLEARLY_ADULT = 30


@dataclass(frozen=True)
class PassedAt:
    """Shares of people who pass at one threshold."""

    threshold: float
    under_age: Share
    adults: Share
    """Of people of `CLEARLY_ADULT` years and over."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the threshold and both shares, ready for JSON."""
        return {
            "threshold": rounded(self.threshold),
            "under_age_passed": self.under_age.to_dict(),
            "adults_passed": self.adults.to_dict(),
        }


@dataclass(frozen=True)
class AgeCheck:
    """Shares of people who pass as *at least `challenge_age`*, at each threshold."""

    challenge_age: float
    passed: tuple[PassedAt, ...]

    @classmethod
    def of(
        cls,
        probabilities: NDArray[np.floating],
        groups: Sequence[AgeGroup],
        labels: Sequence[FaceLabel],
        challenge_age: float = CHALLENGE_AGE,
    ) -> AgeCheck:
        """Returns the shares from `(n, groups)` probabilities and the labels of the same n faces."""
        probability = probability_at_least(probabilities, groups, challenge_age)
        young, old = are_under_age(labels), are_clearly_adult(labels)
        return cls(
            challenge_age,
            tuple(
                PassedAt(threshold, Share.of(probability[young] >= threshold), Share.of(probability[old] >= threshold))
                for threshold in THRESHOLDS
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Returns the shares at each threshold, ready for JSON."""
        return {"challenge_age": self.challenge_age, "at": [each.to_dict() for each in self.passed]}


def probability_at_least(
    probabilities: NDArray[np.floating], groups: Sequence[AgeGroup], years: float = CHALLENGE_AGE
) -> NDArray[np.float64]:
    """Returns the `(n,)` probabilities of being at least `years` old, from `(n, groups)` probabilities.

    It is the same as `Estimate.probability_at_least`.
    """
    shares = np.array([group.share_at_least(years) for group in groups])
    return np.minimum(probabilities.astype(np.float64) @ shares, 1.0)


def are_under_age(labels: Sequence[FaceLabel]) -> NDArray[np.bool_]:
    """Returns `(n,)` booleans: whether a face's known age is under `LEGAL_AGE`, or its group ends before 20."""
    return np.array([_is_under_age(label) for label in labels], dtype=bool)


def are_clearly_adult(labels: Sequence[FaceLabel]) -> NDArray[np.bool_]:
    """Returns `(n,)` booleans: whether a face's known age is `CLEARLY_ADULT` or more."""
    return np.array([label.age is not None and label.age.low >= CLEARLY_ADULT for label in labels], dtype=bool)


def _is_under_age(label: FaceLabel) -> bool:
    if label.age is None:
        return False
    return label.age.high < (LEGAL_AGE if label.age.exact else UNDER_AGE_GROUPS_END)
