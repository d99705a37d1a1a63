"""Exports a run's network as an ONNX file with its manifest: calibrated, compared with torch, and measured.

The file contains everything from a crop's gray levels to its probabilities: normalisation, the network with batch
normalisation folded into the layers before it, temperatures and softmax. So no engine can apply one of them twice.
"""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from kiosk.common.atomic_files import replace_files
from kiosk.common.errors import KioskError
from kiosk.inference import manifest as manifests
from kiosk.inference.manifest import GENDER_LABELS, GroupEntry, Manifest, Temperatures
from kiosk.inference.onnx_runtime import OnnxEngine
from trainer.data.faces import Faces
from trainer.data.labels import Split
from trainer.evaluation.manifest_accuracy import manifest_accuracy
from trainer.evaluation.predict import predict_with
from trainer.evaluation.temperature import fit_temperatures
from trainer.facialnet import FacialNet, Logits, example_crops
from trainer.training.augment import centre_crops
from trainer.training.run_folder import Settings, load_faces, load_network, load_settings

TOLERANCE = 1e-4
"""Largest difference of a probability between torch and the exported file."""

_PURPOSES: dict[Split, str] = {"calibration": "calibration", "test": "testing"}


class ExportError(KioskError):
    """A network cannot be exported, or the exported file computes something else."""


class DeployedNetwork(nn.Module):
    """FacialNet from gray levels to probabilities."""

    def __init__(self, network: FacialNet, temperatures: Temperatures) -> None:
        super().__init__()
        self.network = fold_batch_norm(network)
        self.temperatures = temperatures

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        """Returns `(n, 2)` gender and `(n, groups)` age probabilities from `(n, 1, 75, 75)` gray levels in 0…1."""
        logits: Logits = self.network(crops)
        return (
            torch.softmax(logits.gender / self.temperatures.gender, dim=1),
            torch.softmax(logits.age / self.temperatures.age, dim=1),
        )


def export(run: Path, out: Path) -> Manifest:
    """Writes the network of the folder `run` to the file `out` and its manifest beside it; returns the manifest.

    Temperatures are fitted on the calibration split. Accuracy is measured on the test split with the exported file.
    Raises `ExportError`, `AccuracyError`, `RunError` and `PreparedDataError`.
    """
    settings = load_settings(run)
    network = load_network(run)
    faces = load_faces(run)
    for split, purpose in _PURPOSES.items():
        if not len(faces.rows(split)):
            raise ExportError(f"{faces.name} has no faces for {purpose}: it is too small, prepare more faces")
    deployed = DeployedNetwork(network, fit_temperatures(network, faces)).eval()
    with replace_files(out, manifests.manifest_path(out)) as (path, beside):
        _write_onnx(deployed, path)
        content = path.read_bytes()
        manifest = Manifest(
            format="onnx",
            sha256=manifests.sha256_of(content),
            input_shape=manifests.CROP_SHAPE,
            gender_labels=GENDER_LABELS,
            age_groups=tuple(GroupEntry(label=group.label, low=group.low, high=group.high) for group in faces.groups),
            temperatures=deployed.temperatures,
            trained_on=f"{faces.name}, {len(faces.rows('train'))} faces",
            built_by={
                "tool": "trainer export",
                "torch": torch.__version__.split("+")[0],
                "recipe": _describe(settings),
            },
        )
        engine = OnnxEngine(content, manifest)
        _check_parity(deployed, engine, faces)
        predictions = predict_with(engine, engine.name, faces.crops(faces.rows("test")))
        manifest = manifest.model_copy(update={"accuracy": manifest_accuracy(predictions, faces, "test")})
        beside.write_text(manifests.text_of(manifest), encoding="utf-8")
    return manifest


def fold_batch_norm(network: FacialNet) -> FacialNet:
    """Returns the same function without batch normalisation, which is folded into the layers before it.

    The result has the layers of the paper's network. A network without batch normalisation is returned as it is.
    """
    if not network.batch_norm:
        return network
    plain = FacialNet(batch_norm=False, normalise_input=network.normalise_input)
    for part in ("trunk", "gender", "age"):
        setattr(plain, part, _fold_layers(getattr(network, part)))
    return plain.eval()


def _fold_layers(layers: nn.Sequential) -> nn.Sequential:
    kept: list[nn.Module] = []
    for layer in copy.deepcopy(layers).eval():
        if isinstance(layer, nn.BatchNorm2d):
            convolution = kept.pop()
            assert isinstance(convolution, nn.Conv2d)
            kept.append(fuse_conv_bn_eval(convolution, layer))
        elif isinstance(layer, nn.BatchNorm1d):
            linear = kept.pop()
            assert isinstance(linear, nn.Linear)
            kept.append(fuse_linear_bn_eval(linear, layer))
        else:
            kept.append(layer)
    return nn.Sequential(*kept)


def _describe(settings: Settings) -> str:
    begun = ", begun with the network of another run" if settings.start_from else ""
    norm = "; batch normalisation folded" if settings.recipe.batch_norm else ""
    return f"{settings.recipe.epochs} epochs{begun}{norm}"


def _write_onnx(deployed: DeployedNetwork, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns about its own deprecations,
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # and about libraries that are not used here
        program = torch.onnx.export(
            deployed,
            (example_crops(2),),
            dynamo=True,
            input_names=["chips"],
            output_names=["gender", "age"],
            dynamic_shapes={"crops": {0: torch.export.Dim("n")}},
            opset_version=18,
            verbose=False,
        )
    assert program is not None
    # The exporter stores the source folder beside each node. It is private, and would make the checksum depend on it.
    for noted in (program.model, program.model.graph, *program.model.graph):
        noted.metadata_props.clear()
    program.save(str(path), external_data=False)


def _check_parity(deployed: DeployedNetwork, engine: OnnxEngine, faces: Faces) -> None:
    crops = np.concatenate([centre_crops(faces.crops(faces.rows("test")[:64])), example_crops(16).numpy()])
    with torch.no_grad():
        expected = deployed(torch.from_numpy(crops))
    for name, ours, theirs in zip(("gender", "age"), engine.infer(crops), expected, strict=True):
        difference = float(np.abs(ours - theirs.numpy()).max())
        if not difference <= TOLERANCE:  # written so that NaN is refused, too
            raise ExportError(
                f"the exported file's {name} probabilities differ from torch's by {difference:.1e}, "
                f"where {TOLERANCE:.0e} is allowed: try another version of torch or onnxscript"
            )
