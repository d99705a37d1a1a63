"""Reads UTKFace (Zhang, Song and Qi, 2017; for non-commercial research only), whose file names are the labels.

An image anywhere under ROOT is named `[age]_[gender]_[race]_[date&time].jpg`, the cropped ones with
`.chip.jpg` after it. Gender is 0 for male and 1 for female; race is 0 White, 1 Black, 2 Asian,
3 Indian, 4 Others. Of the 23,708 in the archive a few lack the race, and a few the dot before `jpg`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from trainer.data.labels import DEFAULT_GROUPS, FaceLabel, Years, split_of
from trainer.data.readers.tables import printable
from trainer.data.readers.types import DataSet, DataSetError

OTHER_NAME = "name is not age_gender_race_time.jpg"
NOT_UTF8 = "name is not UTF-8"

_NAME = re.compile(
    r"(?P<age>\d{1,3})_(?P<gender>[01])_(?:(?P<race>[0-4])_)?\d{8,} ?\.?jpg(?:\.chip\.jpg)?", re.ASCII | re.IGNORECASE
)
_GENDERS = ("male", "female")
_RACES = ("White", "Black", "Asian", "Indian", "Others")


def read(root: Path) -> DataSet:
    """Returns all images under `root`, in the order of their paths. Raises `DataSetError`."""
    files = _pictures_under(root)
    labels = {file: _label(file) for file in files if printable(file) == file}
    known = tuple(label for label in labels.values() if label is not None)
    if not known:
        raise DataSetError(
            f"none of the {len(files)} JPEG files under {root} is named age_gender_race_time.jpg, in UTF-8: "
            "ROOT is the folder that UTKFace was unpacked into"
        )
    left_out = {
        OTHER_NAME: tuple(file for file, label in labels.items() if label is None),
        NOT_UTF8: tuple(printable(file) for file in files if file not in labels),
    }
    source = "UTKFace, Zhang, Song and Qi (2017), for non-commercial research only"
    return DataSet(
        "UTKFace", source, DEFAULT_GROUPS, known, {reason: names for reason, names in left_out.items() if names}
    )


def _pictures_under(root: Path) -> list[str]:
    def refuse(error: OSError) -> None:
        raise DataSetError(f"{error.filename} cannot be read ({error.strerror}): ROOT is UTKFace's folder") from error

    found = (
        (Path(folder) / name).relative_to(root).as_posix()
        for folder, _, names in os.walk(root, onerror=refuse)
        for name in names
    )
    return sorted(file for file in found if file.lower().endswith("jpg"))


def _label(file: str) -> FaceLabel | None:
    match = _NAME.fullmatch(PurePosixPath(file).name)
    if match is None:
        return None
    year = int(match["age"])
    try:
        age = Years(year, year)
    except ValueError:
        return None
    race = _RACES[int(match["race"])] if match["race"] else ""
    return FaceLabel(file, gender=_GENDERS[int(match["gender"])], age=age, race=race, split=split_of(file))
