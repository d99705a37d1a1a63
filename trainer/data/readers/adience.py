"""Reads Adience (Eidinger, Enbar and Hassner, 2014; for research only), as the benchmark distributes it.

`ROOT/fold_{0..4}_data.txt` are tab-separated, one line for each face. The images are
`ROOT/faces/<user_id>/coarse_tilt_aligned_face.<face_id>.<original_image>`. No person (by
the account `user_id`) is in two folds.

Besides the eight age groups the files contain single ages and other spans. A label that lies completely inside one
group is that group. Any other (an age or span in a gap between groups, `None`) leaves the age unknown. A gender other
than `f` or `m` is unknown. A face is left out only if neither is known.
"""

from __future__ import annotations

import re
from pathlib import Path

from kiosk.estimate import ADIENCE
from trainer.data.labels import FaceLabel, Years, group_indices, split_of
from trainer.data.readers.tables import inside, rows
from trainer.data.readers.types import DataSet, DataSetError

FOLDS = 5
NOTHING_KNOWN = "neither gender nor age known"

_GENDERS = {"f": "female", "m": "male"}
_COLUMNS = {"user_id", "original_image", "face_id", "age", "gender"}
_AGE = re.compile(r"\((?P<low>\d{1,3}), (?P<high>\d{1,3})\)|(?P<year>\d{1,3})", re.ASCII)


def read(root: Path) -> DataSet:
    """Returns all faces, fold by fold, in the files' order. Raises `DataSetError` with the line number."""
    labels: list[FaceLabel] = []
    nothing_known: list[str] = []
    for fold in range(FOLDS):
        path = root / f"fold_{fold}_data.txt"
        hint = f"ROOT is the folder that holds fold_0_data.txt to fold_{FOLDS - 1}_data.txt and the folder faces"
        for where, row in rows(path, _COLUMNS, hint, tabs=True):
            label = _label(row, str(fold), where)
            if label.gender or label.age:
                labels.append(label)
            else:
                nothing_known.append(label.file)
    if not labels:
        raise DataSetError(f"the folds in {root} list no faces: unpack Adience again")
    return DataSet(
        "Adience",
        "Adience, Eidinger, Enbar and Hassner (2014), for research only: networks trained on it are not shipped",
        ADIENCE,
        tuple(labels),
        {NOTHING_KNOWN: tuple(nothing_known)} if nothing_known else {},
    )


def _label(row: dict[str, str], fold: str, where: str) -> FaceLabel:
    user = row["user_id"]
    name = f"coarse_tilt_aligned_face.{row['face_id']}.{row['original_image']}"
    if row["gender"] not in {*_GENDERS, "u", ""}:
        raise DataSetError(f"{where}: unknown gender {row['gender']!r}: correct or remove the line")
    try:
        file = inside(f"faces/{user}/{name}")
    except ValueError as error:
        raise DataSetError(f"{where}: {error}: correct or remove the line") from error
    return FaceLabel(
        file,
        gender=_GENDERS.get(row["gender"], ""),
        age=_age(row["age"], where),
        subject=user,
        fold=fold,
        split=split_of(user),
    )


# Levi and Hassner's lists (create_train_val_txt_files.py, 2015) use only the eight exact labels. This also accepts
# labels
# with a single meaning, such as (27, 32), (38, 42), 29 and 2. Other projects map the rest in contradictory ways: 35 and
# 45
# become 38-43, 22 becomes 15-20, 58 becomes 60+. The label 13 (168 faces) is inside 8-13 of Levi and Hassner's paper
# but
# not inside 8-12 of the benchmark's files, which count here: it stays unknown, as in their lists.
def _age(text: str, where: str) -> Years | None:
    if text in {"None", ""}:
        return None
    match = _AGE.fullmatch(text)
    if match is None:
        raise DataSetError(f"{where}: unknown age {text!r}: correct or remove the line")
    try:
        years = Years(int(match["year"] or match["low"]), int(match["year"] or match["high"]))
    except ValueError as error:
        raise DataSetError(f"{where}: {error}: correct or remove the line") from error
    index = group_indices([FaceLabel("", age=years)], ADIENCE)[0]
    return None if index < 0 else Years(ADIENCE[index].low, ADIENCE[index].high)
