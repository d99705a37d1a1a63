"""What a data set says of one face, each label kept for what it says and no more.

An age is a span of whole years: `34` where the year is known, `25-32` where a group is. Whatever is
not known stays empty, and the face still teaches, or tests, the rest.
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
"""No label is older."""

# FairFace has 3.2 people of 60-69 for one of 70 and more, whose mean age an even spread over 60 to 79
# comes near; spread up to the default of 100, every one of them would be taken for 80.
DEFAULT_GROUPS = (*DECADES[:-1], AgeGroup("60+", 60, 79))
"""The groups of the default network: `decades`, the last one's mean age being that of its people."""

AGE_GROUPS = 8
"""The network has as many, and so has every data set."""

GROUPS = {"adience": ADIENCE, "decades": DEFAULT_GROUPS}
"""By the names that commands take."""

_SPAN = re.compile(r"(?P<low>\d{1,3})(?:-(?P<high>\d{1,3}))?", re.ASCII)


@dataclass(frozen=True, order=True)
class Years:
    """An age from `low` to `high` in whole years, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= OLDEST:
            raise ValueError(f"no age runs from {self.low} to {self.high}")

    @classmethod
    def parse(cls, text: str) -> Years:
        """`"34"` or `"25-32"` → the span. Raises `ValueError`."""
        match = _SPAN.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not an age such as 34 or 25-32")
        return cls(int(match["low"]), int(match["high"] or match["low"]))

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    @property
    def exact(self) -> bool:
        """Whether the very year is known."""
        return self.low == self.high


@dataclass(frozen=True)
class FaceLabel:
    """What is known of one face."""

    file: str
    """Relative to the data set's folder."""

    gender: str = ""
    """One of the engine's gender labels, or empty."""

    age: Years | None = None
    race: str = ""
    subject: str = ""
    """Whoever it is, where the data set says so: nobody may stand on both sides of a split."""

    fold: str = ""
    """Of the data set's own cross-validation."""

    split: Split = "train"

    def __post_init__(self) -> None:
        if self.gender and self.gender not in GENDER_LABELS:
            raise ValueError(f"{self.gender!r} is not one of {', '.join(GENDER_LABELS)}")


def split_of(key: str) -> Split:
    """Which split a face belongs to: by a name alone, so that it never moves between them.

    The name is the file's, or the subject's where that is known. One twentieth is for testing, and
    never trained on. Half as much fits the temperatures, so that neither the network nor its
    calibration has seen what it is judged by.
    """
    number = int(hashlib.sha256(key.encode()).hexdigest(), 16)
    if number % 20 == 0:
        return "test"
    return "calibration" if number % 40 == 1 else "train"


def gender_indices(labels: Sequence[FaceLabel]) -> NDArray[np.int64]:
    """(n,) index into the engine's gender labels, or -1 where the gender is unknown."""
    return np.array([GENDER_LABELS.index(label.gender) if label.gender else -1 for label in labels], dtype=np.int64)


def group_indices(labels: Sequence[FaceLabel], groups: Sequence[AgeGroup]) -> NDArray[np.int64]:
    """(n,) index of the one group that holds the whole span, or -1 where no single group does.

    The last group is open: it holds every older age too.
    """
    return np.array([_group_index(label.age, groups) for label in labels], dtype=np.int64)


def exact_ages(labels: Sequence[FaceLabel]) -> NDArray[np.float64]:
    """(n,) age in years where the very year is known, else not-a-number."""
    return np.array([label.age.low if label.age and label.age.exact else np.nan for label in labels])


def _group_index(age: Years | None, groups: Sequence[AgeGroup]) -> int:
    if age is None:
        return -1
    for index, group in enumerate(groups):
        last = index == len(groups) - 1
        if group.low <= age.low and (last or age.high <= group.high):
            return index
    return -1
