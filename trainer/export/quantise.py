"""Quantises a network to eight bits so that it loses at most half a point of accuracy.

Activation ranges are calibrated on faces of the training split. If a task loses more than half a point on the
calibration split, the layers that cost most stay in float32, one at a time, until no task does. The test split is used
only once, at the end, for the manifest: nothing is chosen by it.
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
from trainer.evaluation.manifest_accuracy import manifest_accuracy
from trainer.evaluation.predict import Predictions, predict_with
from trainer.export.qdq import Form, layers_of, quantise_to_qdq
from trainer.export.sensitivity import Loss, keep_float32_until_accurate
from trainer.training.augment import Batch, centre_crops

CALIBRATION_FACES = 512
"""Twice as many, or equally many of each age group and gender, were not closer to float32."""

MIN_FACES = 30
"""Fewest faces in each split: fewer cannot show a loss of half a point, nor the range of activations."""

_SPLITS: tuple[Split, ...] = ("train", "calibration", "test")


class QuantiseError(KioskError):
    """A network cannot be quantised with these faces."""


@dataclass(frozen=True)
class QuantisedNetwork:
    """A network in eight bits."""

    content: bytes
    """Content of its ONNX file."""
    form: Form
    kept_float32: tuple[str, ...]
    """Layers that stay in float32, the one that cost most first."""
    losses: tuple[float, ...]
    """The largest loss of any task on the calibration split, as a share of the faces: with every layer in eight bits,
    and after each layer of `kept_float32`."""
    accuracy: MeasuredAccuracy
    """Accuracy on the test split."""
    before: MeasuredAccuracy
    """The same for the float32 network."""
    calibrated_on: str
    """Data set and number of calibration faces, for the reader."""

    def manifest(self, network: Manifest) -> Manifest:
        """Returns its manifest. `network` is the float32 network's."""
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
                "kept in float": ", ".join(self.kept_float32) or "no layer",
            },
        )


def quantise(
    network: bytes, manifest: Manifest, faces: Faces, form: Form, *, progress: bool = True
) -> QuantisedNetwork:
    """Quantises the content of a float32 ONNX file with prepared faces.

    `manifest` is the float32 network's. Progress is shown if there is a terminal. Raises `QuantiseError`,
    `NetworkError`, `AccuracyError` and `EngineError`.
    """
    _check(faces, manifest)
    layers = layers_of(network)
    crops = _calibration_crops(faces)

    def attempt(kept_float32: tuple[str, ...]) -> bytes:
        with tqdm(
            total=len(crops),
            desc=f"calibrating, {_layers_text(kept_float32)} in float32",
            unit="face",
            leave=False,
            disable=None if progress else True,
        ) as bar:
            return quantise_to_qdq(network, crops, form, kept_float32, bar.update)

    reference = _SplitResult.of(network, manifest, faces, "calibration")
    kept = keep_float32_until_accurate(
        attempt,
        lambda content: reference.loss(_SplitResult.of(content, manifest, faces, "calibration")),
        layers,
        LOSS_ALLOWED,
    )
    if len(kept.layers) == len(layers):
        raise QuantiseError(
            f"no layer of the network can be in eight bits without a loss of more than {LOSS_ALLOWED:.1%} "
            f"on {faces.name}: use --precision fp16 or fp32"
        )
    return QuantisedNetwork(
        content=kept.content,
        form=form,
        kept_float32=kept.layers,
        losses=kept.losses,
        accuracy=_SplitResult.of(kept.content, manifest, faces, "test").accuracy,
        before=_SplitResult.of(network, manifest, faces, "test").accuracy,
        calibrated_on=f"{faces.name}, {len(crops)} faces",
    )


@dataclass(frozen=True)
class _SplitResult:
    """A network's predictions and accuracy on the faces of one split."""

    predictions: Predictions
    accuracy: MeasuredAccuracy

    @classmethod
    def of(cls, content: bytes, manifest: Manifest, faces: Faces, split: Split) -> _SplitResult:
        engine = OnnxEngine(content, manifest)
        try:
            predictions = predict_with(engine, engine.name, faces.crops(faces.rows(split)))
        finally:
            engine.close()
        return cls(predictions, manifest_accuracy(predictions, faces, split))

    def loss(self, fewer_bits: _SplitResult) -> Loss:
        return Loss.between((self.predictions, fewer_bits.predictions), (self.accuracy, fewer_bits.accuracy))


def _check(faces: Faces, manifest: Manifest) -> None:
    ours = _labels(manifest.groups)
    for data in faces.sets:
        if (theirs := _labels(data.groups)) != ours:
            raise QuantiseError(
                f"{data.dataset} has the age groups {theirs} and the network has {ours}: "
                "prepare the faces with the network's groups"
            )
    for split in _SPLITS:
        if (count := len(faces.rows(split))) < MIN_FACES:
            raise QuantiseError(
                f"{faces.name} has {count} faces in its {split} split, where {MIN_FACES} are needed: prepare more faces"
            )


def _labels(groups: Sequence[AgeGroup]) -> str:
    return ", ".join(group.label for group in groups)


def _calibration_crops(faces: Faces) -> Batch:
    """Returns the same crops of the training split every time, so that the result is the same file."""
    rows = np.random.default_rng(0).permutation(faces.rows("train"))[:CALIBRATION_FACES]
    return centre_crops(faces.crops(np.sort(rows)))


def _layers_text(layers: tuple[str, ...]) -> str:
    return f"{len(layers)} layer{'' if len(layers) == 1 else 's'}"
