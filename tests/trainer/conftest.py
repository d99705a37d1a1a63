"""One thread, made-up faces, and one network that was trained and exported for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from kiosk.inference import Manifest
from tests.fakes import made_up
from trainer.data import prepared
from trainer.data.prepared import PreparedData
from trainer.export.to_onnx import export
from trainer.training.recipe import DEFAULT
from trainer.training.train import train


@dataclass(frozen=True)
class Exported:
    """A run of one epoch on made-up faces, and what became of it."""

    run: Path
    prepared: Path
    onnx: Path
    manifest: Manifest
    data: PreparedData
    calibrated_on: list[tuple[Tensor, Tensor]]
    """Logits and labels of gender, then of age."""


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small tensors are slower on many threads, and one adds them up in the same order every time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def made_up_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of 160 made-up faces: 96 to train on, 32 each to test and to calibrate."""
    return made_up.save(tmp_path_factory.mktemp("made-up"), 160)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """FacialNet itself after one step, as sure of itself as if it had known faces for years.

    No temperature helps a network that knows nothing, so it gets some that can be told from each other.
    """
    calibrated_on: list[tuple[Tensor, Tensor]] = []

    def fit(logits: Tensor, labels: Tensor) -> float:
        calibrated_on.append((logits, labels))
        return 1.5 if logits.shape[1] == 2 else 2.5

    folder = tmp_path_factory.mktemp("exported")
    data = made_up.save(folder / "prepared", 80)
    run, onnx = folder / "run", folder / "engine" / "facialnet.onnx"
    train([data], run, replace(DEFAULT, epochs=1, batch_size=48))
    _make_sure(run / "checkpoint.pt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trainer.evaluation.temperature.fit_temperature", fit)
        manifest = export(run, onnx)
    return Exported(run, data, onnx, manifest, prepared.load(data), calibrated_on)


def _make_sure(checkpoint: Path) -> None:
    """Scales the logits up, so that there is something to calibrate."""
    state = torch.load(checkpoint, weights_only=True)
    for name, value in state["average"].items():
        if name.startswith(("gender.8.", "age.8.")):
            value *= 2
    torch.save(state, checkpoint)
