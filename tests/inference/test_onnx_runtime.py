"""ONNX Runtime: what it answers, and what it refuses to load or to run."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from kiosk.estimate import DECADES
from kiosk.inference import Crops, EngineError, default_path, load
from kiosk.inference.manifest import Manifest
from kiosk.inference.onnx_runtime import OnnxEngine
from tests.fakes.networks import IN, OUT, expected, linear_network, manifest_of, write_engine


def crops_of(count: int) -> Crops:
    return np.random.default_rng(count).random((count, 1, 75, 75), dtype=np.float32)


def refusal(path: Path, content: bytes) -> str:
    """Why `content` is refused, though its manifest is valid and its own."""
    with pytest.raises(EngineError) as caught:
        load(write_engine(path, content))
    return str(caught.value)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_crop_gets_its_probabilities(engine_path: Path, count: int) -> None:
    crops = crops_of(count)
    gender, age = load(engine_path).infer(crops)
    assert (gender.shape, age.shape) == ((count, 2), (count, 8))
    assert gender.dtype == age.dtype == np.float32
    np.testing.assert_allclose(gender, expected(crops, 2), atol=1e-5)
    np.testing.assert_allclose(age, expected(crops, 8), atol=1e-5)


def test_probabilities_sum_to_one(engine_path: Path) -> None:
    for probabilities in load(engine_path).infer(crops_of(5)):
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_crop_does_not_depend_on_its_neighbours(engine_path: Path) -> None:
    engine, crops = load(engine_path), crops_of(5)
    together = engine.infer(crops)
    for index in range(5):
        for alone, among in zip(engine.infer(crops[index : index + 1]), together, strict=True):
            np.testing.assert_allclose(alone[0], among[index], atol=1e-6)


def test_an_engine_tells_what_it_is(engine_path: Path, good_content: bytes) -> None:
    engine = load(engine_path)
    assert engine.name == "ONNX Runtime on the CPU"
    assert engine.manifest == manifest_of(good_content)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        pytest.param(linear_network({"faces": IN["chips"]}), "inputs are", id="input of another name"),
        pytest.param(linear_network(IN | {"mask": ("n", 1)}), "inputs are", id="a second input"),
        pytest.param(linear_network({"chips": ("n", 1, 64, 64)}), "inputs are", id="smaller chips"),
        pytest.param(linear_network({"chips": ("n", 75, 75)}), "inputs are", id="no channel"),
        pytest.param(linear_network({"chips": (1, 1, 75, 75)}), "fixed number", id="one chip at a time"),
        pytest.param(linear_network(input_type=TensorProto.DOUBLE), "inputs are", id="doubles"),
        pytest.param(linear_network(input_type=TensorProto.UINT8), "inputs are", id="bytes"),
        pytest.param(linear_network(outputs={"gender": ("n", 2)}), "outputs are", id="no age"),
        pytest.param(linear_network(outputs=OUT | {"age": ("n", 9)}), "outputs are", id="nine age groups"),
        pytest.param(linear_network(outputs=OUT | {"gender": ("n", 3)}), "outputs are", id="three genders"),
        pytest.param(linear_network(outputs=OUT | {"race": ("n", 7)}), "outputs are", id="an output too many"),
        pytest.param(linear_network(outputs=OUT | {"age": ()}), "outputs are", id="one number for all ages"),
    ],
)
def test_a_network_that_does_not_fit_its_manifest_is_refused(
    tmp_path: Path, network: onnx.ModelProto, said: str
) -> None:
    assert said in refusal(tmp_path / "other.onnx", network.SerializeToString())


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x04]q\x00.", bytes(1000)])
def test_garbage_is_refused_even_if_its_manifest_vouches_for_it(tmp_path: Path, content: bytes) -> None:
    assert "ONNX Runtime refuses the engine" in refusal(tmp_path / "garbage.onnx", content)


def test_weights_in_a_file_that_no_manifest_covers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = linear_network()
    onnx.convert_model_to_external_data(network, location="weights.bin", size_threshold=0)
    monkeypatch.chdir(tmp_path)  # where the runtime could look for them
    onnx.save(network, "split.onnx")
    assert (tmp_path / "weights.bin").exists()
    content = (tmp_path / "split.onnx").read_bytes()
    assert "ONNX Runtime refuses the engine" in refusal(tmp_path / "split.onnx", content)


@pytest.mark.parametrize(
    "crops",
    [
        pytest.param(np.zeros((1, 1, 75, 75), np.float64), id="doubles"),
        pytest.param(np.zeros((1, 75, 75), np.float32), id="no channel"),
        pytest.param(np.zeros((1, 1, 99, 99), np.float32), id="larger chips"),
    ],
)
def test_crops_of_another_kind_are_an_engine_error(engine_path: Path, crops: Crops) -> None:
    with pytest.raises(EngineError, match="ONNX Runtime failed"):
        load(engine_path).infer(crops)


@pytest.mark.parametrize("count", [0, 1])
def test_a_closed_engine_says_so(engine_path: Path, count: int) -> None:
    engine = load(engine_path)
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(crops_of(count))


def test_an_engine_needs_no_file_once_it_is_loaded(engine_path: Path) -> None:
    engine = load(engine_path)
    engine_path.unlink()
    assert engine.infer(crops_of(1)).age.shape == (1, 8)


def test_the_manifest_decides_how_many_groups_there_are(good_content: bytes) -> None:
    manifest = manifest_of(good_content)
    seven = Manifest.model_validate(manifest.model_dump() | {"age_groups": manifest.model_dump()["age_groups"][:7]})
    with pytest.raises(EngineError, match=r"outputs are .* its manifest says"):
        OnnxEngine(good_content, seven)


def test_the_kiosks_own_engine_runs_and_speaks_in_decades() -> None:
    engine = load()
    assert [group.label for group in engine.manifest.groups] == [group.label for group in DECADES]
    assert engine.manifest.accuracy is not None
    assert engine.manifest.network == hashlib.sha256(default_path().read_bytes()).hexdigest()
    for probabilities in engine.infer(crops_of(2)):
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-4)


def test_onnx_runtime_reports_to_nobody(tmp_path: Path) -> None:
    """Its telemetry notes its session in the temporary folder as soon as it is imported."""
    told = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    check = "from kiosk.inference import load; load(None, cpu_only=True).close()"
    subprocess.run([sys.executable, "-c", check], check=True, env={**told, "TMPDIR": str(tmp_path)})
    assert list(tmp_path.iterdir()) == []
