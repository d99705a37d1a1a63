"""Labels of faces, as the data sets state them.

An age is a span of whole years: `34` if the year is known, `25-32` if the group is. Unknown values stay empty, and the
face is still used for the others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import ADIENCE, DECADES, AgeGroup
from kiosk.inference.manifest import GENDER_LABELS

Split = Literal["train", "calibration", "test"]

OLDEST = 120
"""The highest age of a label, in years."""

# FairFace has 3.2 people of 60-69 for each of 70 and more. The middle of 60 to 79 is near their mean age; with a group
# up to 100, each of them would count as 80.
DEFAULT_GROUPS = (*DECADES[:-1], AgeGroup("60+", 60, 79))
"""The age groups of the default network: `decades`, whose last group has a realistic mean age."""

AGE_GROUPS = 8
"""The number of age groups, of the network and of every data set."""

GROUPS = {"adience": ADIENCE, "decades": DEFAULT_GROUPS}
"""The age groups by their names in commands."""

_SPAN = re.compile(r"(?P<low>\d{1,3})(?:-(?P<high>\d{1,3}))?", re.ASCII)


@dataclass(frozen=True, order=True)
class Years:
    """An age from `low` to `high` in whole years, both inclusive. Raises `ValueError` if out of range."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= OLDEST:
            raise ValueError(f"no age runs from {self.low} to {self.high}")

    @classmethod
    def parse(cls, text: str) -> Years:
        """Returns the span of a text such as `34` or `25-32`. Raises `ValueError`."""
        match = _SPAN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an age such as 34 or 25-32")
        return cls(int(match["low"]), int(match["high"] or match["low"]))

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    @property
    def exact(self) -> bool:
        """Whether the exact year is known."""
        return self.low == self.high


@dataclass(frozen=True)
class FaceLabel:
    """The label of one face."""

    file: str
    """The path relative to the data set's folder."""

    gender: str = ""
    """One of the engine's gender labels, or empty."""

    age: Years | None = None
    race: str = ""
    subject: str = ""
    """The person, if the data set names them. No person is in two splits."""

    fold: str = ""
    """The fold of the data set's own cross-validation."""

    split: Split = "train"

    def __post_init__(self) -> None:
        if self.gender and self.gender not in GENDER_LABELS:
            raise ValueError(f"{self.gender!r} is not one of {', '.join(GENDER_LABELS)}")


def split_of(key: str) -> Split:
    """Returns the split of a face by its key alone, so that a face never changes its split.

    The key is the subject if known, else the file. One twentieth is for testing. Half as much is for calibration. So
    neither the network nor its calibration has seen the test faces.
    """
    number = int(hashlib.sha256(key.encode()).hexdigest(), 16)
    if number % 20 == 0:
        return "test"
    return "calibration" if number % 40 == 1 else "train"


def gender_indices(labels: Sequence[FaceLabel]) -> NDArray[np.int64]:
    """Returns the (n,) indices of the engine's gender labels; -1 where the gender is unknown."""
    return np.array([GENDER_LABELS.index(label.gender) if label.gender else -1 for label in labels], dtype=np.int64)


def group_indices(labels: Sequence[FaceLabel], groups: Sequence[AgeGroup]) -> NDArray[np.int64]:
    """Returns the (n,) indices of the groups that contain the whole span; -1 where no single group does.

    The last group is open and contains every older age.
    """
    return np.array([_group_index(label.age, groups) for label in labels], dtype=np.int64)


def exact_ages(labels: Sequence[FaceLabel]) -> NDArray[np.float64]:
    """Returns the (n,) ages in years; NaN where the exact year is unknown."""
    return np.array([label.age.low if label.age and label.age.exact else np.nan for label in labels])


def _group_index(age: Years | None, groups: Sequence[AgeGroup]) -> int:
    if age is None:
        return -1
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        if group.low <= age.low and (last or age.high <= group.high):
            return index
    return -1
