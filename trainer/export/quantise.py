"""A float32 network in eight bits that is as good as before: calibrated, compared, repaired and measured.

Calibrated on faces of the training split. Where the calibration split says that a task lost more than half a
point, the layers that cost most are left in float32, one at a time, until none does. The test split is looked at
once, at the end, for the manifest: nothing is chosen by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime
from tqdm import tqdm

from kiosk.common.errors import KioskError
from kiosk.estimate import AgeGroup, MeasuredAccuracy
from kiosk.inference.manifest import Manifest, sha256_of
from kiosk.inference.onnx_runtime import OnnxEngine
from kiosk.inference.selection import LOSS_ALLOWED
from trainer.data.faces import Faces
from trainer.data.labels import Split
from trainer.evaluation.manifest_accuracy import measured
from trainer.evaluation.predict import Predictions, predict_with
from trainer.export.qdq import Form, layers_of, quantise_to_qdq
from trainer.export.sensitivity import Loss, keep_float_until_accurate
from trainer.training.augment import Batch, centred

CALIBRATION_FACES = 512
"""Twice as many, or as many of each age group and gender, came no nearer to float32."""

LEAST_FACES = 30
"""In each split. Fewer say nothing of half a point, and little of what activations there may be."""

_SPLITS: tuple[Split, ...] = ("train", "calibration", "test")


class QuantiseError(KioskError):
    """A network that cannot be brought into eight bits with these faces."""


@dataclass(frozen=True)
class Quantised:
    """A network in eight bits."""

    content: bytes
    """Of its ONNX file."""
    form: Form
    kept_float: tuple[str, ...]
    """The layers that were left in float32, the one that cost most first."""
    losses: tuple[float, ...]
    """The most that any task lost on the calibration split: with every layer in eight bits, and after each of
    `kept_float` was left in float32."""
    accuracy: MeasuredAccuracy
    """On the test split."""
    before: MeasuredAccuracy
    """The same of the float32 network."""
    calibrated_on: str
    """Data set and number of faces."""

    def manifest(self, network: Manifest) -> Manifest:
        """Its manifest, made of the float32 network's."""
        return Manifest(
            format="onnx",
            precision="int8",
            sha256=sha256_of(self.content),
            network_sha256=network.network,
            input_shape=network.input_shape,
            gender_labels=network.gender_labels,
            age_groups=network.age_groups,
            temperatures=network.temperatures,
            trained_on=network.trained_on,
            accuracy=self.accuracy,
            built_by={
                "tool": "trainer build-engine",
                "onnxruntime": onnxruntime.__version__,
                "calibration": self.calibrated_on,
                "kept in float": ", ".join(self.kept_float) or "no layer",
            },
        )


def quantised(network: bytes, manifest: Manifest, faces: Faces, form: Form, *, progress: bool = True) -> Quantised:
    """Brings the content of a float32 ONNX file into eight bits, with prepared faces.

    `manifest` is the float32 network's. Progress is shown where there is a terminal. Raises `QuantiseError`,
    `NetworkError`, `MeasuredError` and `EngineError`.
    """
    _check(faces, manifest)
    layers = layers_of(network)
    crops = _calibration_crops(faces)

    def attempt(kept_float: tuple[str, ...]) -> bytes:
        with tqdm(
            total=len(crops),
            desc=f"calibrating, {_counted(kept_float)} in float32",
            unit="face",
            leave=False,
            disable=None if progress else True,
        ) as bar:
            return quantise_to_qdq(network, crops, form, kept_float, bar.update)

    reference = _Judged.of(network, manifest, faces, "calibration")
    kept = keep_float_until_accurate(
        attempt,
        lambda content: reference.loss(_Judged.of(content, manifest, faces, "calibration")),
        layers,
        LOSS_ALLOWED,
    )
    if len(kept.layers) == len(layers):
        raise QuantiseError(
            f"no layer of the network can be in eight bits without losing more than {LOSS_ALLOWED:.1%} "
            f"of {faces.name}'s faces: use fp16 or fp32"
        )
    return Quantised(
        content=kept.content,
        form=form,
        kept_float=kept.layers,
        losses=kept.losses,
        accuracy=_Judged.of(kept.content, manifest, faces, "test").accuracy,
        before=_Judged.of(network, manifest, faces, "test").accuracy,
        calibrated_on=f"{faces.name}, {len(crops)} faces",
    )


@dataclass(frozen=True)
class _Judged:
    """What a network says of the faces of one split, and how often it is right."""

    predictions: Predictions
    accuracy: MeasuredAccuracy

    @classmethod
    def of(cls, content: bytes, manifest: Manifest, faces: Faces, split: Split) -> _Judged:
        engine = OnnxEngine(content, manifest)
        try:
            predictions = predict_with(engine, engine.name, faces.crops(faces.rows(split)))
        finally:
            engine.close()
        return cls(predictions, measured(predictions, faces, split))

    def loss(self, fewer_bits: _Judged) -> Loss:
        return Loss.between((self.predictions, fewer_bits.predictions), (self.accuracy, fewer_bits.accuracy))


def _check(faces: Faces, manifest: Manifest) -> None:
    ours = _labels(manifest.groups)
    for data in faces.sets:
        if (theirs := _labels(data.groups)) != ours:
            raise QuantiseError(
                f"{data.dataset} is in the age groups {theirs} and the network in {ours}: "
                "prepare faces of the network's groups"
            )
    for split in _SPLITS:
        if (count := len(faces.rows(split))) < LEAST_FACES:
            raise QuantiseError(
                f"{faces.name} has {count} faces in its {split} split, where {LEAST_FACES} are needed: "
                "prepare more faces"
            )


def _labels(groups: Sequence[AgeGroup]) -> str:
    return ", ".join(group.label for group in groups)


def _calibration_crops(faces: Faces) -> Batch:
    """The same of the training split every time, so that the same file comes out."""
    rows = np.random.default_rng(0).permutation(faces.rows("train"))[:CALIBRATION_FACES]
    return centred(faces.crops(np.sort(rows)))


def _counted(layers: tuple[str, ...]) -> str:
    return f"{len(layers)} layer{'' if len(layers) == 1 else 's'}"
