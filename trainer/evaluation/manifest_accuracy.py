"""What a manifest says of an engine's accuracy, from the engine's answers."""

from __future__ import annotations

from kiosk.common.errors import KioskError
from kiosk.estimate import AveragedAccuracy, MeasuredAccuracy
from trainer.data.faces import Faces
from trainer.data.labels import Split
from trainer.evaluation.metrics import measure
from trainer.evaluation.predict import Predictions


class MeasuredError(KioskError):
    """Faces on which a network cannot be measured."""


def measured(predictions: Predictions, faces: Faces, split: Split) -> MeasuredAccuracy:
    """The accuracy of what was predicted of the faces of one split, in their order. Raises `MeasuredError`."""
    rows = faces.rows(split)
    evaluation = measure(predictions, [faces.labels[row] for row in rows], dataset=faces.name, split=split)
    over, averaged = evaluation.over_faces, evaluation.averaged
    if over.gender.value is None or over.age.value is None or over.age_within_one.value is None:
        raise MeasuredError(
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
