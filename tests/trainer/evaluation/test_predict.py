"""Tests of predictions by an engine and by a run, and of paths that are neither."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kiosk.common.errors import KioskError
from kiosk.estimate import ADIENCE, DECADES
from kiosk.inference import ManifestError
from kiosk.inference.manifest import Temperatures, manifest_path
from tests.fakes import networks
from tests.fakes.judged import face, saved
from trainer.evaluation.predict import PredictError, predict
from trainer.training.augment import centre_crops

CROPS = np.random.default_rng(1).integers(0, 256, (7, 99, 99), dtype=np.uint8)


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """An engine's file with its manifest."""
    return networks.write_engine(tmp_path / "linear.onnx", networks.linear_network().SerializeToString())


class _Tensor:
    """The part of torch's tensor that predictions use."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def numpy(self) -> np.ndarray:
        return self.values


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run with a replaced network: its logits are the mean and the first pixel of each crop's centre."""
    folder = tmp_path / "run-7"
    folder.mkdir()

    def logits_of(network: str, stored: np.ndarray) -> tuple[_Tensor, _Tensor]:
        assert network == f"network of {folder}"
        middles = centre_crops(stored)[:, 0]
        gender = np.stack([middles.mean(axis=(1, 2)), np.zeros(len(stored), np.float32)], axis=1)
        age = np.stack([middles[:, 0, 0] * group for group in range(8)], axis=1)
        return _Tensor(gender), _Tensor(age)

    monkeypatch.setattr("trainer.training.run_folder.load_settings", lambda _path: SimpleNamespace(groups=ADIENCE))
    monkeypatch.setattr("trainer.training.run_folder.load_network", lambda path: f"network of {path}")
    monkeypatch.setattr("trainer.training.infer.logits_of", logits_of)
    temperatures = Temperatures(gender=2.0, age=0.5)
    monkeypatch.setattr("trainer.evaluation.temperature.fit_run_temperatures", lambda _run, _network: temperatures)
    return folder


def test_predictions_equal_the_engines_answers(engine: Path) -> None:
    rows = np.array([5, 0, 3])
    predictions = predict(engine, CROPS, rows)
    crops = centre_crops(CROPS[rows])
    np.testing.assert_allclose(predictions.gender, networks.expected(crops, 2), atol=1e-5)
    np.testing.assert_allclose(predictions.age, networks.expected(crops, 8), atol=1e-5)
    assert predictions.kind == "engine"
    assert predictions.groups == DECADES
    assert predictions.temperatures == Temperatures(gender=1.2, age=1.5)


def test_an_engine_is_named_by_its_checksum_and_not_by_its_folder(engine: Path) -> None:
    source = predict(engine, CROPS, np.array([0])).source
    assert source == f"linear.onnx (SHA-256 {networks.sha256_of(engine.read_bytes())[:12]}…)"


@pytest.mark.parametrize("kind", ["engine", "run"])
def test_the_batch_size_does_not_change_predictions(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = request.getfixturevalue(kind)
    whole = predict(source, CROPS, np.arange(7))
    monkeypatch.setattr("trainer.evaluation.predict.BATCH", 3)
    parts = predict(source, CROPS, np.arange(7))
    np.testing.assert_allclose(parts.gender, whole.gender, atol=1e-6)
    np.testing.assert_allclose(parts.age, whole.age, atol=1e-6)


def test_a_runs_logits_are_divided_by_its_temperatures(run: Path) -> None:
    predictions = predict(run, CROPS, np.arange(7))
    middles = centre_crops(CROPS)[:, 0].astype(float)
    np.testing.assert_allclose(predictions.gender[:, 0], 1 / (1 + np.exp(-middles.mean(axis=(1, 2)) / 2.0)), atol=1e-6)
    raised = np.exp(middles[:, :1, 0] * np.arange(8) / 0.5)
    np.testing.assert_allclose(predictions.age, raised / raised.sum(axis=1, keepdims=True), atol=1e-6)
    assert (predictions.source, predictions.kind, predictions.groups) == ("run run-7", "run", ADIENCE)
    assert predictions.temperatures == Temperatures(gender=2.0, age=0.5)


def test_a_path_that_is_neither_a_run_nor_an_engine_is_an_error(tmp_path: Path) -> None:
    alone = tmp_path / "alone.onnx"
    alone.write_bytes(b"no manifest beside it")
    for path in (tmp_path / "nowhere", alone):
        with pytest.raises(PredictError, match="neither a run nor an engine") as caught:
            predict(path, CROPS, np.arange(1))
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_folder_without_a_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KioskError, match="is not a run"):
        predict(saved(tmp_path / "faces", [face()]), CROPS, np.arange(1))


def test_another_files_manifest_is_refused(engine: Path) -> None:
    engine.write_bytes(b"replaced")
    assert manifest_path(engine).exists()
    with pytest.raises(ManifestError, match="SHA-256 differs"):
        predict(engine, CROPS, np.arange(1))


def test_an_engine_is_measured_without_torch(engine: Path, tmp_path: Path) -> None:
    faces = saved(tmp_path / "faces", [face("female", "20-29", split="test")])
    script = (
        "import sys; from pathlib import Path; from trainer.evaluation.evaluate import evaluate, write_report\n"
        "evaluation = evaluate(Path(sys.argv[1]), Path(sys.argv[2])); write_report(evaluation, Path(sys.argv[3]))\n"
        "print(evaluation.faces, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(engine), str(faces), str(tmp_path / "report")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "False"]
