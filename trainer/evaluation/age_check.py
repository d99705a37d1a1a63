"""The age check's own figure: who would pass it without an ID.

The kiosk lets pass whoever is likely enough to be at least as old as the challenge age. Two shares
tell what a threshold is worth: of the people who must not pass, how many do, and of the people who
are well over that age, how many are spared from showing an ID. One crop a person: the kiosk itself
asks many crops and refuses bad ones, so it does better.
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
"""The legal age and a margin of seven years, the kiosk's default."""

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)

LEGAL_AGE = 18
UNDER_AGE_GROUPS_END = 20
"""Where only a group is known it counts as under-age if it ends before this year: many data sets put
18 and 19 together with younger people, and to leave them all out would hide who matters most."""

CLEARLY_ADULT = 30


@dataclass(frozen=True)
class PassedAt:
    """Who passes at one threshold."""

    threshold: float
    under_age: Share
    adults: Share
    """Of people of 30 and over."""

    def to_dict(self) -> dict[str, Any]:
        """The threshold and both shares, ready for JSON."""
        return {
            "threshold": rounded(self.threshold),
            "under_age_passed": self.under_age.to_dict(),
            "adults_passed": self.adults.to_dict(),
        }


@dataclass(frozen=True)
class AgeCheck:
    """Who passes *at least `challenge_age`* at each threshold."""

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
        """(n, groups) probabilities and their faces' labels."""
        sure = at_least(probabilities, groups, challenge_age)
        young, old = under_age(labels), clearly_adult(labels)
        return cls(
            challenge_age,
            tuple(
                PassedAt(threshold, Share.of(sure[young] >= threshold), Share.of(sure[old] >= threshold))
                for threshold in THRESHOLDS
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """The check, ready for JSON."""
        return {"challenge_age": self.challenge_age, "at": [each.to_dict() for each in self.passed]}


def at_least(
    probabilities: NDArray[np.floating], groups: Sequence[AgeGroup], years: float = CHALLENGE_AGE
) -> NDArray[np.float64]:
    """(n, groups) probabilities → (n,) P(at least `years`), as `Estimate.probability_at_least` has it."""
    shares = np.array([group.share_at_least(years) for group in groups])
    return np.minimum(probabilities.astype(np.float64) @ shares, 1.0)


def under_age(labels: Sequence[FaceLabel]) -> NDArray[np.bool_]:
    """(n,) who is known to be under age, or in a group that ends before `UNDER_AGE_GROUPS_END`."""
    return np.array([_under_age(label) for label in labels], dtype=bool)


def clearly_adult(labels: Sequence[FaceLabel]) -> NDArray[np.bool_]:
    """(n,) who is known to be `CLEARLY_ADULT` or older."""
    return np.array([label.age is not None and label.age.low >= CLEARLY_ADULT for label in labels], dtype=bool)


def _under_age(label: FaceLabel) -> bool:
    if label.age is None:
        return False
    return label.age.high < (LEGAL_AGE if label.age.exact else UNDER_AGE_GROUPS_END)
