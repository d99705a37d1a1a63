"""`trainer evaluate`: measures a run's network or an engine on prepared faces.

Everything is measured before a file is written, and each file is replaced at once. After an interruption the earlier
files are still there, and the command can be run again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Literal

import numpy as np

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from trainer.data import prepared
from trainer.evaluation.age_check import CHALLENGE_AGE
from trainer.evaluation.metrics import Evaluation, measure
from trainer.evaluation.predict import predict
from trainer.evaluation.text import markdown

SplitChoice = Literal["test", "calibration", "train", "all"]
"""The faces to measure: those of one split, or all."""

REPORT = "report.md"
"""Name of the page in a report's folder."""


class EvaluationError(KioskError):
    """Nothing can be measured on these faces, or a report cannot be written."""


def evaluate(
    source: Path, folder: Path, choice: SplitChoice = "test", challenge_age: float = CHALLENGE_AGE
) -> Evaluation:
    """Measures a network on the faces of a prepared folder, and returns all figures.

    `source` is a run's folder or an engine's file. Raises `EvaluationError`, and what `prepared.load` and `predict`
    raise.
    """
    data = prepared.load(folder)
    rows = np.arange(len(data.labels)) if choice == "all" else data.rows(choice)
    if not len(rows):
        raise EvaluationError(f"{folder} has no faces {_split_text(choice)}: choose another split with --split")
    predictions = predict(source, data.crops, rows)
    labels = [data.labels[row] for row in rows]
    evaluation = measure(predictions, labels, dataset=data.dataset, split=choice, challenge_age=challenge_age)
    if not _has_figures(evaluation):
        raise EvaluationError(
            f"no face of {folder} {_split_text(choice)} has a gender or an age that can be measured: "
            "prepare the folder again with its labels"
        )
    return evaluation


def write_json(evaluation: Evaluation, path: Path) -> None:
    """Writes all figures to a file, as `Evaluation.to_dict` describes them. Raises `EvaluationError`."""
    with _report_write_errors(path), replace_file(path) as temporary:
        text = json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Writes `report.md` and its pictures to a folder, and removes an earlier report's pictures that it does not need.

    Raises `EvaluationError`.
    """
    from trainer.evaluation.figures import PICTURES, draw  # they import Matplotlib

    pictures = [picture for picture in PICTURES if picture.has_data(evaluation)]
    with _report_write_errors(folder):
        with ExitStack() as files:
            # All files are written before the first one replaces an earlier one. The page, entered first, is replaced
            # last.
            page = files.enter_context(replace_file(folder / REPORT))
            for picture in pictures:
                draw(picture, evaluation, files.enter_context(replace_file(folder / picture.file)))
            captions = [(picture.caption, picture.file) for picture in pictures]
            page.write_text(markdown(evaluation, captions), encoding="utf-8")
        for picture in set(PICTURES) - set(pictures):
            (folder / picture.file).unlink(missing_ok=True)


def _split_text(choice: SplitChoice) -> str:
    return "at all" if choice == "all" else f"in its {choice} split"


def _has_figures(evaluation: Evaluation) -> bool:
    over_faces, at = evaluation.over_faces, evaluation.age_check.passed[0]
    counted = (over_faces.gender, over_faces.age, evaluation.age_error, at.under_age, at.adults)
    return any(each.faces for each in counted)


@contextmanager
def _report_write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvaluationError(
            f"{path} cannot be written ({error.strerror or error}): free disk space or name another path"
        ) from error
