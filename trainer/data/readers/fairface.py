"""Reads FairFace (Kärkkäinen and Joo, 2021, CC BY 4.0).

`ROOT/fairface_label_train.csv` has the columns file, age, gender, race, service_test; `file` is
relative to ROOT. Its nine age groups map to the eight of the default network: the last two belong
to `60+`, and each keeps its own years.
"""

from __future__ import annotations

from pathlib import Path

from trainer.data.labels import DEFAULT_GROUPS, OLDEST, FaceLabel, Years, split_of
from trainer.data.readers.tables import inside, rows
from trainer.data.readers.types import DataSet, DataSetError

LABEL_FILE = "fairface_label_train.csv"

_AGES = {
    **{text: Years.parse(text) for text in ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69")},
    "more than 70": Years(70, OLDEST),
}


def read(root: Path) -> DataSet:
    """Returns all faces, in the file's order. Raises `DataSetError` with the line number."""
    path = root / LABEL_FILE
    table = rows(path, {"file", "age", "gender", "race"}, f"ROOT is the folder that holds {LABEL_FILE}")
    labels = tuple(_label(row, where) for where, row in table)
    if not labels:
        raise DataSetError(f"{path} lists no faces: unpack FairFace again")
    return DataSet("FairFace", "FairFace, Kärkkäinen and Joo (2021), CC BY 4.0", DEFAULT_GROUPS, labels)


def _label(row: dict[str, str], where: str) -> FaceLabel:
    age, gender = _AGES.get(row["age"]), row["gender"].lower()
    if age is None:
        raise DataSetError(f"{where}: unknown age group {row['age']!r}: correct or remove the line")
    if gender not in {"female", "male"}:
        raise DataSetError(f"{where}: unknown gender {row['gender']!r}: correct or remove the line")
    try:
        file = inside(row["file"])
    except ValueError as error:
        raise DataSetError(f"{where}: {error}: correct or remove the line") from error
    return FaceLabel(file, gender=gender, age=age, race=row["race"], split=split_of(file))
