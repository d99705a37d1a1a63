"""Reads a folder of your own: images, and `labels.csv` with their labels.

The columns are `file` (relative to ROOT, with forward slashes), `age` (`34`, `25-32`, `60+` or empty)
and `gender` (`female`, `male`, `f`, `m` or empty), and optionally `subject` (the person) and `race`.
With subjects, no person is in two splits; without, only no image is.
"""

from __future__ import annotations

from pathlib import Path

from trainer.data.labels import DEFAULT_GROUPS, OLDEST, FaceLabel, Years, split_of
from trainer.data.readers.tables import inside, printable, rows
from trainer.data.readers.types import DataSet, DataSetError

LABEL_FILE = "labels.csv"
NOTHING_KNOWN = "neither gender nor age given"

_GENDERS = {"": "", "f": "female", "female": "female", "m": "male", "male": "male"}


def read(root: Path) -> DataSet:
    """Returns all labelled images, in the file's order. Raises `DataSetError` with the line number."""
    path = root / LABEL_FILE
    hint = f"ROOT is a folder that holds {LABEL_FILE}, in UTF-8, with the columns file, age and gender"
    found = [_label(row, where) for where, row in rows(path, {"file", "age", "gender"}, hint)]
    labels = tuple(label for label in found if label.gender or label.age)
    if not labels:
        raise DataSetError(f"{path} gives no picture an age or a gender: fill them in")
    nothing_known = tuple(label.file for label in found if not (label.gender or label.age))
    name = printable(root.resolve().name)
    return DataSet(
        name,
        f"the folder {name}: its owner decides how its images may be used",
        DEFAULT_GROUPS,
        labels,
        {NOTHING_KNOWN: nothing_known} if nothing_known else {},
    )


def _label(row: dict[str, str], where: str) -> FaceLabel:
    try:
        file, subject = inside(row["file"]), row.get("subject", "")
        return FaceLabel(
            file,
            gender=_gender(row["gender"]),
            age=_age(row["age"]),
            race=row.get("race", ""),
            subject=subject,
            split=split_of(subject or file),
        )
    except ValueError as error:
        raise DataSetError(f"{where}: {error}: correct or remove the line") from error


def _gender(text: str) -> str:
    try:
        return _GENDERS[text.lower()]
    except KeyError:
        raise ValueError(f"{text!r} is not a gender such as female or m") from None


def _age(text: str) -> Years | None:
    if not text:
        return None
    # An open group extends to the highest age of a label.
    return Years.parse(f"{text[:-1]}-{OLDEST}" if text.endswith("+") else text)
