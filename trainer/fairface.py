"""FairFace (Kärkkäinen and Joo, 2021, CC BY 4.0): its labels, in the groups of the default network.

`ROOT/fairface_label_train.csv` has the columns file, age, gender, race, service_test; `file` is
relative to ROOT. Its nine age groups become the eight `decades`, the last two merged.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from kiosk.errors import KioskError
from kiosk.estimate import AgeGroup
from trainer.prepared import FaceLabel, Split

LABEL_FILE = "fairface_label_train.csv"

# FairFace has 3.2 people of 60-69 for one of 70 and more, whose mean age an even spread over 60 to 79
# comes near; spread up to the default of 100, every one of them would be taken for 80.
GROUPS = (*(AgeGroup.parse(label) for label in ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59")),
          AgeGroup("60+", 60, 79))  # fmt: skip

_MERGED = {"60-69": "60+", "more than 70": "60+"}
_COLUMNS = {"file", "age", "gender", "race"}


class FairFaceError(KioskError):
    """A label file that is not FairFace's."""


def read_labels(root: Path) -> list[FaceLabel]:
    """The labels of all faces, in the file's order. Raises `FairFaceError` with the line number."""
    path = root / LABEL_FILE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if missing := _COLUMNS - set(reader.fieldnames or ()):
                raise FairFaceError(f"{path} has no column {', '.join(sorted(missing))}: is it FairFace's label file?")
            labels = [_label(row, f"{path}, line {reader.line_num}") for row in reader]
    except OSError as error:
        raise FairFaceError(
            f"{path} cannot be read ({error.strerror}): ROOT is the folder that holds {LABEL_FILE}"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise FairFaceError(f"{path} is not a readable CSV file ({error})") from error
    if not labels:
        raise FairFaceError(f"{path} lists no faces")
    return labels


def split_of(file: str) -> Split:
    """Which split a face belongs to: by its name alone, so that it never moves between them.

    One twentieth is for testing, and never trained on. Half as much fits the temperatures, so that
    neither the network nor its calibration has seen what it is judged by.
    """
    number = int(hashlib.sha256(file.encode()).hexdigest(), 16)
    if number % 20 == 0:
        return "test"
    return "calibration" if number % 40 == 1 else "train"


def _label(row: dict[str, str], where: str) -> FaceLabel:
    age = _MERGED.get(row["age"], row["age"])
    gender = (row["gender"] or "").lower()
    if age not in {group.label for group in GROUPS}:
        raise FairFaceError(f"{where}: unknown age group {row['age']!r}")
    if gender not in {"female", "male"}:
        raise FairFaceError(f"{where}: unknown gender {row['gender']!r}")
    return FaceLabel(row["file"], gender, age, row["race"] or "", split_of(row["file"]))
