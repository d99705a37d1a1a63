"""Reads and writes prepared data: a folder of aligned crops and their labels.

    chips.npy       (n, 99, 99) uint8, memory-mapped: 75×75 crops with a margin of 12 pixels
    faces.csv       one line for each crop: file, gender, age, race, subject, fold, split; empty where unknown
    prepared.json   the data set, its age groups, and what was dropped and why

`faces.csv` is written last, so that a folder without it counts as unfinished.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.estimate import AgeGroup
from kiosk.vision.faces.alignment import CROP_SIZE
from trainer.data.labels import AGE_GROUPS, FaceLabel, Split, Years

MARGIN = 12
"""The margin of a stored crop in pixels, which augmentation needs to shift and rotate it."""

STORED_SIZE = CROP_SIZE + 2 * MARGIN

SUMMARY = "prepared.json"
_CROPS, _FACES = "chips.npy", "faces.csv"
_COLUMNS = tuple(field.name for field in fields(FaceLabel))


class PreparedDataError(KioskError):
    """A folder does not contain usable prepared data."""


@dataclass(frozen=True)
class PreparedData:
    """The content of a prepared folder."""

    dataset: str
    groups: tuple[AgeGroup, ...]
    """The age groups of its labels, or those that fit best."""

    crops: NDArray[np.uint8]
    """(n, 99, 99) uint8."""

    labels: tuple[FaceLabel, ...]

    def rows(self, split: Split) -> NDArray[np.intp]:
        """Returns the (n,) indices of the crops in a split."""
        return np.flatnonzero([label.split == split for label in self.labels])


def save(
    folder: Path,
    *,
    dataset: str,
    groups: Iterable[AgeGroup],
    crops: NDArray[np.uint8],
    labels: Sequence[FaceLabel],
    summary: dict[str, Any],
) -> None:
    """Writes a prepared folder. Files of an earlier one are replaced one by one. Raises `OSError`."""
    (folder / _FACES).unlink(missing_ok=True)
    with replace_file(folder / _CROPS) as path, path.open("wb") as file:
        np.save(file, crops)
    with replace_file(folder / SUMMARY) as path:
        facts = {"dataset": dataset, "age_groups": [asdict(group) for group in groups], **summary}
        path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    with replace_file(folder / _FACES) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows({name: getattr(label, name) or "" for name in _COLUMNS} for label in labels)


def load(folder: Path) -> PreparedData:
    """Reads a prepared folder. Raises `PreparedDataError`."""
    try:
        facts = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        crops = np.lib.format.open_memmap(folder / _CROPS, mode="r")  # unlike np.load, accepts only an array
        labels = _read_labels(folder / _FACES)
        data = PreparedData(
            dataset=facts["dataset"],
            groups=tuple(AgeGroup(**group) for group in facts["age_groups"]),
            crops=crops,
            labels=labels,
        )
    except FileNotFoundError as error:
        raise PreparedDataError(
            f"{folder} is not prepared data ({error.filename} is missing): make it with `trainer prepare`"
        ) from error
    except NotADirectoryError as error:
        raise PreparedDataError(f"{folder} is not a folder: make prepared data with `trainer prepare`") from error
    except OSError as error:
        raise PreparedDataError(
            f"{error.filename} cannot be read ({error.strerror}): run `trainer prepare` again"
        ) from error
    except (ValueError, KeyError, TypeError, EOFError) as error:
        raise PreparedDataError(
            f"{folder} holds damaged prepared data ({error}): run `trainer prepare` again"
        ) from error
    if crops.shape != (len(labels), STORED_SIZE, STORED_SIZE) or crops.dtype != np.uint8:
        raise PreparedDataError(
            f"{folder} holds {crops.dtype} crops of shape {crops.shape} for {len(labels)} labels: "
            "run `trainer prepare` again"
        )
    if len(data.groups) != AGE_GROUPS:
        raise PreparedDataError(
            f"{folder} has {len(data.groups)} age groups, but the network has {AGE_GROUPS}: run `trainer prepare` again"
        )
    return data


def _read_labels(path: Path) -> tuple[FaceLabel, ...]:
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            return tuple(_label(row) for row in reader)
        except csv.Error as error:  # the reader counts a line after reading it
            raise PreparedDataError(
                f"{path}, after line {reader.line_num}: {error}: run `trainer prepare` again"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise PreparedDataError(f"{path}, line {reader.line_num}: {error}: run `trainer prepare` again") from error


def _label(row: dict[str, str]) -> FaceLabel:
    if row["split"] not in get_args(Split):
        raise ValueError(f"unknown split {row['split']!r}")
    return FaceLabel(
        file=row["file"],
        gender=row["gender"],
        age=Years.parse(row["age"]) if row["age"] else None,
        race=row["race"],
        subject=row["subject"],
        fold=row["fold"],
        split=cast(Split, row["split"]),
    )
