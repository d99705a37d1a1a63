"""Faces and answers written down by hand, for the tests of what is measured of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import DECADES, AgeGroup
from kiosk.inference.manifest import Temperatures
from trainer.data import prepared
from trainer.data.labels import FaceLabel, Years
from trainer.evaluation.metrics import Evaluation, measure
from trainer.evaluation.predict import Predictions


def face(gender: str = "", age: str = "", race: str = "", **more: Any) -> FaceLabel:
    """A label, `age` being `34`, `20-29` or empty."""
    return FaceLabel("face.jpg", gender, Years.parse(age) if age else None, race, **more)


def surely(answers: Sequence[int], classes: int, sure: float = 1.0) -> NDArray[np.float64]:
    """(n, classes) probabilities: `sure` for each answer, the rest spread evenly."""
    rest = (1 - sure) / (classes - 1)
    return np.where(np.arange(classes) == np.array(answers, dtype=int)[:, None], sure, rest)


def predictions(
    gender: NDArray[np.float64], age: NDArray[np.float64], groups: tuple[AgeGroup, ...] = DECADES
) -> Predictions:
    """What a network said."""
    return Predictions("facialnet.onnx", "engine", gender, age, groups, Temperatures(gender=1.0, age=1.0))


def judged(labels: Sequence[FaceLabel], gender: Sequence[int], age: Sequence[int]) -> Evaluation:
    """Answers given without a doubt, by a network of `DECADES`."""
    return measure(predictions(surely(gender, 2), surely(age, 8)), labels, dataset="Made-up", split="test")


def saved(folder: Path, labels: Sequence[FaceLabel], groups: tuple[AgeGroup, ...] = DECADES) -> Path:
    """A prepared folder of these faces, their crops being noise."""
    shape = (len(labels), prepared.STORED_SIZE, prepared.STORED_SIZE)
    crops = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    prepared.save(folder, dataset="Made-up", groups=groups, crops=crops, labels=labels, summary={})
    return folder
