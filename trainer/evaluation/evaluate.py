"""`trainer evaluate`: a network on prepared faces, the same for a run and for any engine.

Everything is measured before anything is written, and every file takes its place at once: stopped
in the middle, it leaves what was there before, and is simply run again.
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

Choice = Literal["test", "calibration", "train", "all"]
"""Which faces: those of one split, or every one."""

REPORT = "report.md"


class EvaluationError(KioskError):
    """Faces on which nothing can be measured, or a report that cannot be written."""


def evaluate(source: Path, folder: Path, choice: Choice = "test", challenge_age: float = CHALLENGE_AGE) -> Evaluation:
    """Measures a run's folder or an engine's file on the faces of a prepared folder.

    Raises `EvaluationError`, and what reading the faces or the network raises.
    """
    data = prepared.load(folder)
    rows = np.arange(len(data.labels)) if choice == "all" else data.rows(choice)
    if not len(rows):
        raise EvaluationError(f"{folder} has no faces {_described(choice)}: choose others with --split")
    predictions = predict(source, data.crops, rows)
    labels = [data.labels[row] for row in rows]
    evaluation = measure(predictions, labels, dataset=data.dataset, split=choice, challenge_age=challenge_age)
    if not _anything(evaluation):
        raise EvaluationError(
            f"no face of {folder} {_described(choice)} has a gender or an age that can be measured: "
            "prepare it again with its labels"
        )
    return evaluation


def write_json(evaluation: Evaluation, path: Path) -> None:
    """Writes all figures to a file, as `Evaluation.to_dict` describes them. Raises `EvaluationError`."""
    with _writing(path), replace_file(path) as temporary:
        text = json.dumps(evaluation.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_report(evaluation: Evaluation, folder: Path) -> None:
    """Writes `report.md` and its pictures; pictures of an earlier report that this one lacks are removed.

    Raises `EvaluationError`.
    """
    from trainer.evaluation.figures import PICTURES, draw  # Matplotlib, which only pictures need

    drawn = [picture for picture in PICTURES if picture.applies(evaluation)]
    with _writing(folder):
        with ExitStack() as files:
            # All are written before the first takes its place; the page, entered first, is the last to.
            page = files.enter_context(replace_file(folder / REPORT))
            for picture in drawn:
                draw(picture, evaluation, files.enter_context(replace_file(folder / picture.file)))
            captions = [(picture.caption, picture.file) for picture in drawn]
            page.write_text(markdown(evaluation, captions), encoding="utf-8")
        for picture in set(PICTURES) - set(drawn):
            (folder / picture.file).unlink(missing_ok=True)


def _described(choice: Choice) -> str:
    return "at all" if choice == "all" else f"in its {choice} split"


def _anything(evaluation: Evaluation) -> bool:
    over_faces, at = evaluation.over_faces, evaluation.age_check.passed[0]
    counted = (over_faces.gender, over_faces.age, evaluation.age_error, at.under_age, at.adults)
    return any(each.faces for each in counted)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EvaluationError(
            f"{path} cannot be written ({error.strerror or error}): make room or name another place"
        ) from error
