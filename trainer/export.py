"""A run → an ONNX file with its manifest: calibrated, checked against torch, measured.

The file holds everything between a chip's gray levels and its probabilities (normalisation, the
network with batch normalisation folded into the convolutions, temperatures, softmax), so that no
engine can apply any of it twice.
"""

from __future__ import annotations

import copy
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kiosk.engine import manifest as manifests
from kiosk.engine.manifest import GroupEntry, Manifest, MeasuredAccuracy, Temperatures
from kiosk.engine.onnx import OnnxEngine
from kiosk.errors import KioskError
from kiosk.files import replaced_safely
from trainer import prepared
from trainer.accuracy import Accuracy, accuracy_of, logits_of
from trainer.augment import centred
from trainer.calibrate import fit_temperature
from trainer.facialnet import FacialNet, Logits, example_chips, normalised
from trainer.prepared import PreparedData, Split
from trainer.train import load_network, load_settings

TOLERANCE = 1e-4
"""Largest difference of a probability between torch and the exported file."""

_BATCH = 256

_PURPOSES: dict[Split, str] = {"calibration": "calibration", "test": "testing"}


class ExportError(KioskError):
    """A network that does not come out of the export as it went in."""


class Deployed(nn.Module):
    """FacialNet from gray levels to probabilities."""

    def __init__(self, network: FacialNet, temperatures: Temperatures) -> None:
        super().__init__()
        self.network = folded(network)
        self.temperatures = temperatures

    def forward(self, chips: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 1, 75, 75) gray levels in 0…1 → (n, 2) and (n, groups) probabilities."""
        logits: Logits = self.network(normalised(chips))
        return (
            torch.softmax(logits.gender / self.temperatures.gender, dim=1),
            torch.softmax(logits.age / self.temperatures.age, dim=1),
        )


def export(run: Path, out: Path) -> Manifest:
    """Writes the network of `run` to `out` and its manifest beside it; returns the manifest.

    Temperatures are fitted on the calibration split, and accuracy is measured on the test split
    with the exported file itself. Raises `ExportError`, `RunError` and `PreparedDataError`.
    """
    settings = load_settings(run)
    network = load_network(run)
    data = prepared.load(Path(settings["prepared"]))
    for split, purpose in _PURPOSES.items():
        if not len(data.rows(split)):
            raise ExportError(f"{settings['prepared']} has no faces kept for {purpose}")
    deployed = Deployed(network, _temperatures(network, data)).eval()
    with replaced_safely(out) as path:
        _write_onnx(deployed, path)
        content = path.read_bytes()
        manifest = Manifest(
            format="onnx",
            sha256=manifests.sha256_of(content),
            input_shape=manifests.CHIP_SHAPE,
            gender_labels=data.gender_labels,
            age_groups=tuple(GroupEntry(label=group.label, low=group.low, high=group.high) for group in data.groups),
            temperatures=deployed.temperatures,
            trained_on=f"{data.dataset}, {len(data.rows('train'))} faces",
            built_by={
                "tool": "trainer export",
                "torch": torch.__version__.split("+")[0],
                "recipe": _described(settings),
            },
        )
        engine = OnnxEngine(content, manifest)
        _check_parity(deployed, engine, data)
        manifest = manifest.model_copy(update={"accuracy": _measured(engine, data)})
    manifests.write(manifest, out)
    return manifest


def folded(network: FacialNet) -> FacialNet:
    """The same function as the paper's plain network: batch normalisation folded into convolutions."""
    if not network.batch_norm:
        return network
    plain = FacialNet(batch_norm=False)
    layers = list(copy.deepcopy(network).eval().trunk)
    kept: list[nn.Module] = []
    for layer in layers:
        if isinstance(layer, nn.BatchNorm2d):
            convolution = kept.pop()
            assert isinstance(convolution, nn.Conv2d)
            kept.append(fuse_conv_bn_eval(convolution, layer))
        else:
            kept.append(layer)
    plain.trunk = nn.Sequential(*kept)
    plain.gender, plain.age = copy.deepcopy(network.gender), copy.deepcopy(network.age)
    return plain.eval()


def _described(settings: dict[str, Any]) -> str:
    begun = ", begun with the network of another run" if settings["start_from"] else ""
    return f"{settings['recipe']['epochs']} epochs{begun}; batch normalisation folded"


def _temperatures(network: FacialNet, data: PreparedData) -> Temperatures:
    rows = data.rows("calibration")
    logits = logits_of(network, data.chips[rows])
    return Temperatures(
        gender=round(fit_temperature(logits.gender, torch.from_numpy(data.genders()[rows])), 4),
        age=round(fit_temperature(logits.age, torch.from_numpy(data.ages()[rows])), 4),
    )


def _write_onnx(deployed: Deployed, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of what torch itself has deprecated,
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # and of libraries that nothing here uses
        program = torch.onnx.export(
            deployed,
            (example_chips(2),),
            dynamo=True,
            input_names=["chips"],
            output_names=["gender", "age"],
            dynamic_shapes={"chips": {0: torch.export.Dim("n")}},
            opset_version=18,
            verbose=False,
        )
    assert program is not None
    # The exporter notes beside each node where in whose folders it was traced. That is nobody's business,
    # and would make the checksum depend on the place of the checkout.
    for noted in (program.model, program.model.graph, *program.model.graph):
        noted.metadata_props.clear()
    program.save(str(path), external_data=False)


def _check_parity(deployed: Deployed, engine: OnnxEngine, data: PreparedData) -> None:
    chips = np.concatenate([centred(data.chips[data.rows("test")[:64]]), example_chips(16).numpy()])
    with torch.no_grad():
        expected = deployed(torch.from_numpy(chips))
    for name, ours, theirs in zip(("gender", "age"), engine.infer(chips), expected, strict=True):
        difference = float(np.abs(ours - theirs.numpy()).max())
        if difference > TOLERANCE:
            raise ExportError(
                f"the exported file's {name} differs from torch by {difference:.1e}, over {TOLERANCE:.0e}"
            )


def _measured(engine: OnnxEngine, data: PreparedData) -> MeasuredAccuracy:
    rows = data.rows("test")
    parts = [engine.infer(centred(data.chips[rows[start : start + _BATCH]])) for start in range(0, len(rows), _BATCH)]
    gender, age = (np.concatenate(head) for head in zip(*parts, strict=True))
    accuracy: Accuracy = accuracy_of(gender, age, data.genders()[rows], data.ages()[rows])
    return MeasuredAccuracy(
        measured_on=f"{data.dataset}'s faces kept aside",
        faces=accuracy.faces,
        gender=accuracy.gender,
        age=accuracy.age,
        age_within_one=accuracy.age_within_one,
    )
