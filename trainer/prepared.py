"""Prepared data: a folder of aligned chips and their labels, ready to train on.

    chips.npy       (n, 99, 99) gray levels, mapped into memory: a 75×75 chip with 12 pixels around it
    faces.csv       one line a chip: file, gender, age (an age group's label), race, split
    prepared.json   the data set, its age groups, and what was dropped and why

`faces.csv` is written last, so a folder without it is not taken for a finished one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from kiosk.errors import KioskError
from kiosk.estimate import AgeGroup
from kiosk.files import replaced_safely
from kiosk.vision.faces import CHIP_SIZE

MARGIN = 12
"""Pixels kept around a chip, so that augmentation can shift and turn it without losing the edge."""

STORED_SIZE = CHIP_SIZE + 2 * MARGIN

Split = Literal["train", "calibration", "test"]

_CHIPS, _FACES, _SUMMARY = "chips.npy", "faces.csv", "prepared.json"


class PreparedDataError(KioskError):
    """A folder that does not hold prepared data."""


@dataclass(frozen=True)
class FaceLabel:
    """What is known of one chip."""

    file: str
    gender: str
    age: str
    race: str
    split: Split


@dataclass(frozen=True)
class PreparedData:
    """A prepared folder."""

    dataset: str
    groups: tuple[AgeGroup, ...]
    gender_labels: tuple[str, ...]
    chips: NDArray[np.uint8]
    labels: tuple[FaceLabel, ...]

    def rows(self, split: Split) -> NDArray[np.intp]:
        """Indices of the chips in one split."""
        return np.flatnonzero([label.split == split for label in self.labels])

    def genders(self) -> NDArray[np.int64]:
        """(n,) index into `gender_labels`."""
        return np.array([self.gender_labels.index(label.gender) for label in self.labels])

    def ages(self) -> NDArray[np.int64]:
        """(n,) index into `groups`."""
        index = {group.label: position for position, group in enumerate(self.groups)}
        return np.array([index[label.age] for label in self.labels])


def save(
    folder: Path,
    *,
    dataset: str,
    groups: Iterable[AgeGroup],
    gender_labels: Iterable[str],
    chips: NDArray[np.uint8],
    labels: Iterable[FaceLabel],
    summary: dict[str, Any],
) -> None:
    """Writes a prepared folder; an earlier one in the same place is replaced file by file."""
    (folder / _FACES).unlink(missing_ok=True)
    with replaced_safely(folder / _CHIPS) as path, path.open("wb") as file:
        np.save(file, chips)
    with replaced_safely(folder / _SUMMARY) as path:
        facts = {
            "dataset": dataset,
            "age_groups": [asdict(group) for group in groups],
            "gender_labels": list(gender_labels),
            **summary,
        }
        path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    with replaced_safely(folder / _FACES) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["file", "gender", "age", "race", "split"])
        writer.writeheader()
        writer.writerows(asdict(label) for label in labels)


def load(folder: Path) -> PreparedData:
    """Reads a prepared folder. Raises `PreparedDataError`."""
    try:
        facts = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
        chips = np.load(folder / _CHIPS, mmap_mode="r")
        with (folder / _FACES).open(newline="", encoding="utf-8") as file:
            labels = tuple(
                FaceLabel(row["file"], row["gender"], row["age"], row["race"], cast(Split, row["split"]))
                for row in csv.DictReader(file)
            )
        data = PreparedData(
            dataset=facts["dataset"],
            groups=tuple(AgeGroup(**group) for group in facts["age_groups"]),
            gender_labels=tuple(facts["gender_labels"]),
            chips=chips,
            labels=labels,
        )
    except FileNotFoundError as error:
        raise PreparedDataError(
            f"{folder} is not prepared data ({error.filename} is missing): make it with `trainer prepare`"
        ) from error
    except OSError as error:
        raise PreparedDataError(
            f"{error.filename} cannot be read ({error.strerror}): run `trainer prepare` again"
        ) from error
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise PreparedDataError(
            f"{folder} holds damaged prepared data ({error}): run `trainer prepare` again"
        ) from error
    _check(data, folder)
    return data


def _check(data: PreparedData, folder: Path) -> None:
    chips = data.chips
    if chips.shape != (len(data.labels), STORED_SIZE, STORED_SIZE) or chips.dtype != np.uint8:
        raise PreparedDataError(
            f"{folder} holds {chips.dtype} chips of shape {chips.shape} for {len(data.labels)} labels: "
            "run `trainer prepare` again"
        )
    groups = {group.label for group in data.groups}
    for line, label in enumerate(data.labels, start=2):
        if label.gender not in data.gender_labels or label.age not in groups or label.split not in get_args(Split):
            raise PreparedDataError(
                f"{folder / _FACES}, line {line}: unknown gender, age group or split: run `trainer prepare` again"
            )
