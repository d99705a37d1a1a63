"""Tests of the export: the file computes the trained network, calibrated, and its manifest is correct."""

from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kiosk.estimate import DECADES
from kiosk.inference import EngineError, check, load
from kiosk.inference.manifest import CROP_SHAPE, GENDER_LABELS, manifest_path
from kiosk.vision.faces.alignment import CROP_SIZE
from tests.fakes import made_up
from tests.trainer.conftest import Exported
from trainer.data.faces import Faces
from trainer.data.labels import Split, gender_indices, group_indices
from trainer.data.prepared import PreparedDataError
from trainer.evaluation.evaluate import evaluate
from trainer.export import to_onnx as module
from trainer.export.to_onnx import TOLERANCE, DeployedNetwork, ExportError, export, fold_batch_norm
from trainer.facialnet import FacialNet, Logits, example_crops
from trainer.training.augment import centre_crops
from trainer.training.run_folder import RunError, load_network


@pytest.fixture
def network() -> FacialNet:
    """A network whose batch normalisation has statistics of some crops."""
    torch.manual_seed(0)
    network = FacialNet(batch_norm=True).eval()
    for layer in network.modules():
        if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            nn.init.normal_(layer.running_mean, std=0.2)
            nn.init.uniform_(layer.running_var, 0.5, 2.0)
            nn.init.uniform_(layer.weight, 0.5, 2.0)
            nn.init.normal_(layer.bias, std=0.2)
    return network


@pytest.fixture
def run(exported: Exported, tmp_path: Path) -> Path:
    """A copy of the run that a test can change."""
    return Path(shutil.copytree(exported.run, tmp_path / "run"))


@torch.no_grad()
def logits_of(network: FacialNet, crops: torch.Tensor) -> Logits:
    logits: Logits = network(crops)
    return logits


def use_prepared_folder(run: Path, folder: Path) -> None:
    """Makes a run's settings name another prepared folder."""
    settings = json.loads((run / "run.json").read_text())
    faces = Faces.load([folder]).fingerprint if folder.exists() else ""
    (run / "run.json").write_text(json.dumps(settings | {"prepared": [str(folder)], "faces": faces}))


def test_folding_batch_normalisation_does_not_change_the_function(network: FacialNet) -> None:
    crops = example_crops(4)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    plain = fold_batch_norm(network)
    torch.testing.assert_close(logits_of(plain, crops), logits_of(network, crops), atol=1e-4, rtol=1e-4)
    assert not plain.training
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in before)


def test_the_folded_network_is_the_papers(network: FacialNet) -> None:
    plain, paper = fold_batch_norm(network), FacialNet()
    for part in ("trunk", "gender", "age"):
        assert [str(layer) for layer in getattr(plain, part)] == [str(layer) for layer in getattr(paper, part)]
    assert sum(parameter.numel() for parameter in plain.parameters()) == 4_159_242


def test_the_papers_network_is_returned_unchanged() -> None:
    network = FacialNet().eval()
    crops = example_crops(2)
    torch.testing.assert_close(logits_of(fold_batch_norm(network), crops), logits_of(network, crops))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_file_agrees_with_torch(exported: Exported, count: int) -> None:
    deployed = DeployedNetwork(load_network(exported.run), exported.manifest.temperatures).eval()
    crops = example_crops(count)
    with torch.no_grad():
        expected = deployed(crops)
    for ours, theirs in zip(load(exported.onnx).infer(crops.numpy()), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=TOLERANCE)
        np.testing.assert_allclose(ours.sum(axis=1), 1, atol=1e-5)


def test_temperatures_are_inside_the_file(exported: Exported) -> None:
    temperatures = exported.manifest.temperatures
    crops = example_crops(4)
    logits = logits_of(load_network(exported.run), crops)
    answer = load(exported.onnx).infer(crops.numpy())
    for ours, raw, temperature in (
        (answer.gender, logits.gender, temperatures.gender),
        (answer.age, logits.age, temperatures.age),
    ):
        np.testing.assert_allclose(ours, (raw / temperature).softmax(dim=1).numpy(), atol=TOLERANCE)
        assert np.abs(ours - raw.softmax(dim=1).numpy()).max() > 10 * TOLERANCE, "these temperatures change nothing"


def test_temperatures_are_fitted_on_the_calibration_split(exported: Exported) -> None:
    data = exported.data
    rows = data.rows("calibration")
    expected = logits_of(load_network(exported.run), torch.from_numpy(centre_crops(data.crops[rows])))
    (gender, genders), (age, ages) = exported.calibrated_on
    torch.testing.assert_close(Logits(gender, age), expected)
    labels = [data.labels[row] for row in rows]
    assert genders.tolist() == gender_indices(labels).tolist()
    assert ages.tolist() == group_indices(labels, DECADES).tolist()
    assert (exported.manifest.temperatures.gender, exported.manifest.temperatures.age) == (1.5, 2.5)


def test_the_manifest_is_the_files_own(exported: Exported) -> None:
    assert check(exported.onnx) == exported.manifest
    assert sorted(path.name for path in exported.onnx.parent.iterdir()) == ["facialnet.onnx", "facialnet.onnx.json"]


def test_the_manifest_describes_the_network(exported: Exported) -> None:
    manifest = exported.manifest
    assert manifest.format == "onnx"
    assert manifest.input_shape == CROP_SHAPE == (None, 1, CROP_SIZE, CROP_SIZE)
    assert manifest.gender_labels == GENDER_LABELS
    assert manifest.groups == DECADES
    assert manifest.trained_on == "Made-up, 48 faces"
    assert manifest.built_by["tool"] == "trainer export"
    assert manifest.built_by["recipe"] == "1 epochs; batch normalisation folded"


def test_the_file_contains_no_source_paths(exported: Exported) -> None:
    """Torch's exporter writes a stack trace with source paths beside every node."""
    content = exported.onnx.read_bytes()
    for source in (module.__file__, torch.__file__):
        assert str(Path(source).parent).encode() not in content


def test_accuracy_is_what_evaluate_measures(exported: Exported) -> None:
    accuracy = exported.manifest.accuracy
    assert accuracy is not None
    assert (accuracy.measured_on, accuracy.faces) == ("Made-up's faces kept aside", 16)
    measured = evaluate(exported.onnx, exported.prepared)
    assert accuracy.averaged is not None
    for task in ("gender", "age", "age_within_one"):
        assert getattr(accuracy, task) == pytest.approx(measured.over_faces.of(task).value, abs=1e-4)
        assert getattr(accuracy.averaged, task) == pytest.approx(measured.averaged[task].value, abs=1e-4)


def test_faces_that_the_run_was_not_prepared_with_are_refused(run: Path, tmp_path: Path) -> None:
    """They may include faces that the network was trained on."""
    settings = json.loads((run / "run.json").read_text())
    others = made_up.save(tmp_path / "prepared", 64)
    (run / "run.json").write_text(json.dumps(settings | {"prepared": [str(others)]}))
    with pytest.raises(RunError, match="was trained on other faces or splits"):
        export(run, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_failed_export_leaves_the_earlier_files(
    exported: Exported, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    exporter_writes(monkeypatch, exported.onnx.read_bytes())
    monkeypatch.setattr(module, "fit_temperatures", lambda *_: exported.manifest.temperatures)
    monkeypatch.setattr(module.manifests, "text_of", fail)
    before = contents(earlier.parent)
    with pytest.raises(OSError, match="No space"):
        export(exported.run, earlier)
    assert contents(earlier.parent) == before


@pytest.fixture
def earlier(exported: Exported, tmp_path: Path) -> Path:
    """An earlier engine with its manifest at the output path."""
    folder = tmp_path / "engine"
    folder.mkdir()
    shutil.copy(manifest_path(exported.onnx), folder)
    return Path(shutil.copy(exported.onnx, folder))


def exporter_writes(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(module, "_write_onnx", lambda _, path: path.write_bytes(content))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_that_differs_from_torch_is_not_written(
    exported: Exported, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter writes the file of a run with other temperatures."""
    exporter_writes(monkeypatch, exported.onnx.read_bytes())
    monkeypatch.setattr("trainer.evaluation.temperature.fit_temperature", lambda *_: 3.0)
    before = contents(earlier.parent)
    with pytest.raises(ExportError, match=r"differ from torch's by \d\.\de-\d+, where 1e-04 is allowed"):
        export(exported.run, earlier)
    assert contents(earlier.parent) == before


def test_a_file_without_a_network_is_not_written(
    exported: Exported, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter_writes(monkeypatch, b"garbage")
    before = contents(earlier.parent)
    with pytest.raises(EngineError):
        export(exported.run, earlier)
    assert contents(earlier.parent) == before


def test_a_run_without_a_checkpoint_is_refused(run: Path, tmp_path: Path) -> None:
    (run / "checkpoint.pt").unlink()
    with pytest.raises(RunError, match=r"checkpoint\.pt is missing"):
        export(run, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_missing_data_is_an_error(run: Path, tmp_path: Path) -> None:
    use_prepared_folder(run, tmp_path / "gone")
    with pytest.raises(PreparedDataError, match="gone is not prepared data"):
        export(run, tmp_path / "out.onnx")


@pytest.mark.parametrize(
    ("splits", "reason"),
    [(("train", "test"), "has no faces for calibration"), (("train", "calibration"), "has no faces for testing")],
    ids=["calibration", "test"],
)
def test_data_without_held_out_faces_is_an_error(
    run: Path,
    exported: Exported,
    tmp_path: Path,
    splits: tuple[Split, ...],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is written, whether the error comes before or after the export."""
    use_prepared_folder(run, made_up.save(tmp_path / "prepared", 64, splits=splits))
    temperatures = iter([exported.manifest.temperatures.gender, exported.manifest.temperatures.age])
    monkeypatch.setattr("trainer.evaluation.temperature.fit_temperature", lambda *_: next(temperatures))
    exporter_writes(monkeypatch, exported.onnx.read_bytes())
    with pytest.raises(ExportError, match=reason):
        export(run, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()
