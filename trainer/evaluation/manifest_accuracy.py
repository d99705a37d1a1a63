"""Computes the accuracy that an engine's manifest states."""

from __future__ import annotations

from kiosk.common.errors import KioskError
from kiosk.estimate import AveragedAccuracy, MeasuredAccuracy
from trainer.data.faces import Faces
from trainer.data.labels import Split
from trainer.evaluation.metrics import measure
from trainer.evaluation.predict import Predictions


class AccuracyError(KioskError):
    """The accuracy of a network cannot be measured on these faces."""


def manifest_accuracy(predictions: Predictions, faces: Faces, split: Split) -> MeasuredAccuracy:
    """Returns the accuracy of predictions on all faces of one split, for a manifest.

    The predictions must be in the order of `faces.rows(split)`. Raises `AccuracyError` if no gender or no age is known.
    """
    rows = faces.rows(split)
    evaluation = measure(predictions, [faces.labels[row] for row in rows], dataset=faces.name, split=split)
    over, averaged = evaluation.over_faces, evaluation.averaged
    if over.gender.value is None or over.age.value is None or over.age_within_one.value is None:
        raise AccuracyError(
            f"no face in the {split} split of {faces.name} has a known gender, or none a known age: "
            "prepare the faces with their labels"
        )
    return MeasuredAccuracy(
        measured_on=f"{faces.name}'s faces kept aside",
        faces=len(rows),
        gender=round(over.gender.value, 4),
        age=round(over.age.value, 4),
        age_within_one=round(over.age_within_one.value, 4),
        averaged=AveragedAccuracy(
            gender=round(averaged["gender"].value or 0, 4),
            age=round(averaged["age"].value or 0, 4),
            age_within_one=round(averaged["age_within_one"].value or 0, 4),
        ),
    )
