"""Tests of `trainer build-engine` and `verify-engine`: an engine is converted, compiled, verified and then written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from kiosk.estimate import MeasuredAccuracy
from kiosk.inference import Manifest, check, load, locations
from kiosk.inference import gpu as cuda_device
from kiosk.inference.base import DriverError
from kiosk.inference.gpu import CudaDevice
from kiosk.inference.manifest import manifest_path, sha256_of, write
from kiosk.inference.tensorrt import library as tensorrt_library
from kiosk.inference.tensorrt.library import TensorRTLibrary
from tests.fakes import bar_network, fake_gpu, made_up
from tests.fakes.fake_gpu import FakeGpu, compiled_manifest
from tests.fakes.networks import linear_network, manifest_of, write_engine
from trainer.cli import main
from trainer.export import build_engine, build_int8, verify_engine
from trainer.export.tensorrt.builder import BuildError, CompiledEngine

MEASURED = MeasuredAccuracy(measured_on="no faces", faces=1000, gender=0.9, age=0.6, age_within_one=0.95)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    return fake_gpu.install_fake_gpu(monkeypatch)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def find() -> CudaDevice:
        raise DriverError("this machine has no NVIDIA driver")

    monkeypatch.setattr(cuda_device, "find", find)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kiosk's own engine folder, as in a checkout, with a network in it."""
    folder = tmp_path / "engines"
    folder.mkdir()
    (tmp_path / "setup.cfg").touch()
    monkeypatch.setattr(locations, "own_folder", lambda: folder)
    monkeypatch.setattr(locations, "state_folder", lambda: tmp_path / "state")
    path = write_engine(folder / locations.NETWORK, linear_network().SerializeToString())
    write(manifest_of(path.read_bytes()).model_copy(update={"accuracy": MEASURED}), path)
    return folder


@pytest.fixture(autouse=True)
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    crops = np.random.default_rng(5).random((12, 1, 75, 75), np.float32)
    for module in (verify_engine, build_int8):
        monkeypatch.setattr(module, "sample_crops", lambda: crops)


Compile = Callable[..., CompiledEngine]


@pytest.fixture(autouse=True)
def compiler(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replaces the compiler: an "engine" is the ONNX file, for the simulated GPU. Returns the calls' options."""
    calls: list[dict[str, Any]] = []

    def compile_engine(content: bytes, library: TensorRTLibrary, **options: Any) -> CompiledEngine:
        calls.append({"content": content, "library": library, **options})
        build = compiled_manifest(content, max_batch=options["max_batch"]).tensorrt
        assert build is not None
        return CompiledEngine(content, build)

    monkeypatch.setattr(build_engine, "compile_engine", compile_engine)
    return calls


def trainer(*arguments: str | Path, succeeds: bool = True) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert (result.exit_code == 0) == succeeds, result.output
    if not succeeds:
        assert len(result.stderr.strip().splitlines()) == 1, result.output
    return result


@pytest.mark.usefixtures("gpu")
def test_the_kiosks_own_network_is_compiled_checked_and_chosen(own: Path) -> None:
    result = trainer("build-engine")
    path = own / "facialnet-fp32.engine"
    assert str(path) in result.output
    assert "checked on Orin (made up): probabilities of 12 chips differ" in result.output
    manifest = check(path)
    network = check(own / locations.NETWORK)
    assert manifest.tensorrt is not None
    assert manifest.verified is not None
    assert (manifest.format, manifest.precision, manifest.tensorrt.max_batch) == ("tensorrt", "fp32", 8)
    assert (manifest.network, manifest.tensorrt.onnx_sha256) == (network.sha256, network.sha256)
    assert (manifest.verified.device, manifest.verified.capability) == ("Orin (made up)", "8.7")
    assert manifest.accuracy == MEASURED
    assert load().manifest == manifest


def test_an_engine_that_differs_too_much_is_not_written(
    own: Path, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer("build-engine")
    before = (own / "facialnet-fp32.engine").read_bytes()

    def compile_wrongly(content: bytes, _: TensorRTLibrary, **options: Any) -> CompiledEngine:
        model = onnx.load_from_string(content)
        weights = next(tensor for tensor in model.graph.initializer if tensor.name == "age.weight")
        weights.raw_data = (onnx.numpy_helper.to_array(weights) * np.float32(1.05)).tobytes()
        build = compiled_manifest(content, max_batch=options["max_batch"]).tensorrt
        assert build is not None
        return CompiledEngine(model.SerializeToString(), build)

    monkeypatch.setattr(build_engine, "compile_engine", compile_wrongly)
    assert "probabilities differ from its network's" in trainer("build-engine", succeeds=False).output
    assert (own / "facialnet-fp32.engine").read_bytes() == before
    assert check(own / "facialnet-fp32.engine").verified is not None
    assert {path.name for path in own.iterdir()} == {
        name for stem in (locations.NETWORK, "facialnet-fp32.engine") for name in (stem, f"{stem}.json")
    }
    assert gpu.retained == 0


@pytest.mark.usefixtures("gpu")
def test_a_failed_build_leaves_the_earlier_engine(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer("build-engine")
    before = (own / "facialnet-fp32.engine").read_bytes()

    def refuse(*_: object, **__: object) -> CompiledEngine:
        raise BuildError("TensorRT refuses the ONNX file at its node 7, operator Erf: it is not supported")

    monkeypatch.setattr(build_engine, "compile_engine", refuse)
    assert "operator Erf" in trainer("build-engine", succeeds=False).output
    assert (own / "facialnet-fp32.engine").read_bytes() == before


@pytest.mark.usefixtures("gpu", "no_gpu")
def test_without_a_gpu_the_engine_is_written_unverified(own: Path) -> None:
    result = trainer("build-engine", "--out", own / "mine.engine")
    assert f"run `trainer verify-engine {own / 'mine.engine'}`" in result.output
    assert "this machine has no NVIDIA driver" in result.output
    assert check(own / "mine.engine").verified is None


@pytest.mark.usefixtures("own")
def test_options_reach_the_compiler(gpu: FakeGpu, compiler: list[dict[str, Any]], tmp_path: Path) -> None:
    gpu.most = 4
    trainer(
        *("build-engine", "--max-batch", "4", "--workspace", "64", "--out", tmp_path / "x.engine", "-vv"),
        *("--gpus", "turing", "--gpus", "ada"),
    )
    (options,) = compiler
    assert (options["max_batch"], options["workspace"], options["verbosity"]) == (4, 64, 2)
    assert options["generations"] == ("turing", "ada")


@pytest.mark.usefixtures("gpu")
def test_with_faces_the_engines_own_accuracy_is_measured(own: Path, tmp_path: Path) -> None:
    faces = made_up.save(tmp_path / "faces", 160)
    result = trainer("build-engine", "--calibration", faces)
    assert "faces of Made-up's faces kept aside" in result.output
    # other faces than the network's own: the two cannot be compared, so the kiosk goes by the network's
    assert check(own / "facialnet-fp32.engine").accuracy == MEASURED
    write(check(own / locations.NETWORK).model_copy(update={"accuracy": None}), own / locations.NETWORK)
    trainer("build-engine", "--calibration", faces)
    accuracy = check(own / "facialnet-fp32.engine").accuracy
    assert accuracy is not None
    assert (accuracy.measured_on, accuracy.faces) == ("Made-up's faces kept aside", 32)


@pytest.mark.usefixtures("gpu")
def test_another_network_keeps_its_name(own: Path, tmp_path: Path) -> None:
    theirs = linear_network()
    theirs.doc_string = "trained elsewhere"
    path = write_engine(tmp_path / "mine.onnx", theirs.SerializeToString())
    trainer("build-engine", path)
    assert check(own / "mine-fp32.engine").network == check(path).sha256


@pytest.mark.usefixtures("gpu")
def test_eight_bits_come_from_the_shipped_file(own: Path, compiler: list[dict[str, Any]]) -> None:
    model = linear_network()
    model.graph.node.append(onnx.helper.make_node("QuantizeLinear", ["gender", "one"], ["ignored"]))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32(1), "one"))
    path = write_engine(own / locations.TENSORRT_INT8, model.SerializeToString())
    network = check(own / locations.NETWORK)
    facts = {"precision": "int8", "network_sha256": network.sha256, "accuracy": MEASURED}
    write(manifest_of(path.read_bytes()).model_copy(update=facts), path)
    trainer("build-engine", "--precision", "int8")
    assert compiler[0]["content"] == path.read_bytes()
    manifest = check(own / "facialnet-int8.engine")
    assert manifest.tensorrt is not None
    assert (manifest.precision, manifest.network) == ("int8", network.sha256)
    assert manifest.tensorrt.onnx_sha256 == sha256_of(path.read_bytes())
    assert "choose --precision int8" in trainer("build-engine", path, "--precision", "fp16", succeeds=False).output


@pytest.mark.usefixtures("gpu")
def test_the_cpus_eight_bit_file_cannot_be_compiled(own: Path) -> None:
    model = linear_network()
    for name, value in (("scale", np.float32(1)), ("zero", np.uint8(0))):
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    model.graph.node.append(onnx.helper.make_node("QuantizeLinear", ["gender", "scale", "zero"], ["ignored"]))
    path = write_engine(own / locations.CPU_INT8, model.SerializeToString())
    assert "in the form for a CPU: compile facialnet-t" in trainer("build-engine", path, succeeds=False).output


@pytest.mark.usefixtures("gpu", "own")
def test_a_compiled_engine_cannot_be_compiled(own: Path) -> None:
    trainer("build-engine")
    result = trainer("build-engine", own / "facialnet-fp32.engine", succeeds=False)
    assert "is a compiled engine: name the ONNX file" in result.output


def test_without_tensorrt_the_error_says_what_to_install(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensorrt_library, "libraries", tuple)
    assert "pip install tensorrt" in trainer("build-engine", succeeds=False).output
    assert not list(own.glob("*.engine"))


@pytest.mark.usefixtures("own")
def test_eight_bits_need_faces() -> None:
    for target in ("cpu", "onnx"):
        assert "--calibration" in trainer("build-engine", "--target", target, succeeds=False).output


def test_the_cpu_target_allows_eight_bits_only() -> None:
    result = CliRunner().invoke(main, ["build-engine", "--target", "cpu", "--precision", "fp16"])
    assert result.exit_code == 2
    assert "always writes int8" in result.output


# Nothing is lost


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("gpu")
def test_the_source_is_never_overwritten(own: Path, tmp_path: Path, compiler: list[dict[str, Any]]) -> None:
    faces = made_up.save(tmp_path / "faces", 160)
    network = own / locations.NETWORK
    (own / "link.engine").symlink_to(network.name)
    before = contents(own)
    for arguments in (
        ("--out", network),
        ("--out", own / "link.engine"),
        ("--out", network, "--target", "cpu", "--calibration", faces),
        ("--out", network.with_name(network.name + ".json")),
    ):
        assert "would overwrite the network" in trainer("build-engine", *arguments, succeeds=False).output
    assert contents(own) == before
    assert not compiler


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("place", ["pipe.engine", "file/x.engine", "manifest.engine"])
def test_an_unwritable_output_is_an_error_before_any_work(
    own: Path, tmp_path: Path, compiler: list[dict[str, Any]], place: str
) -> None:
    os.mkfifo(tmp_path / "pipe.engine")
    (tmp_path / "file").touch()
    (tmp_path / "manifest.engine.json").mkdir()
    assert "choose another --out" in trainer("build-engine", "--out", tmp_path / place, succeeds=False).output
    assert not compiler
    assert contents(own).keys() == {locations.NETWORK, f"{locations.NETWORK}.json"}


@pytest.mark.usefixtures("gpu")
def test_another_networks_eight_bit_file_does_not_replace_the_kiosks(own: Path, tmp_path: Path) -> None:
    faces = made_up.save(tmp_path / "faces", 640)
    path = write_engine(tmp_path / "mine.onnx", bar_network.network().SerializeToString())
    before = contents(own)
    trainer("build-engine", path, "--target", "cpu", "--calibration", faces)
    trainer("build-engine", path, "--precision", "int8", "--calibration", faces)
    after = contents(own)
    assert {name: after[name] for name in before} == before
    new = {name for name in after.keys() - before.keys() if not name.endswith(".json")}
    assert new == {"mine-cpu-int8.onnx", "mine-int8.onnx", "mine-int8.engine"}


@pytest.mark.usefixtures("own")
def test_a_network_with_nan_answers_is_not_compiled(
    gpu: FakeGpu, tmp_path: Path, compiler: list[dict[str, Any]]
) -> None:
    assert gpu
    model = linear_network()
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "age.weight")
    weights.raw_data = (onnx.numpy_helper.to_array(weights) * np.float32("nan")).tobytes()
    path = write_engine(tmp_path / "broken.onnx", model.SerializeToString())
    assert "probabilities are not finite numbers" in trainer("build-engine", path, succeeds=False).output
    assert not compiler


@pytest.mark.usefixtures("own")
def test_an_engine_that_the_gpu_refuses_is_not_written(gpu: FakeGpu, own: Path) -> None:
    trainer("build-engine")
    before = contents(own)
    gpu.reads_engines = False
    assert "TensorRT cannot read the engine" in trainer("build-engine", succeeds=False).output
    assert contents(own) == before


@pytest.mark.usefixtures("gpu", "own")
def test_weights_in_another_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    onnx.save_model(linear_network(), "out.onnx", save_as_external_data=True, location="ext.bin", size_threshold=0)
    path = write_engine(tmp_path / "out.onnx", (tmp_path / "out.onnx").read_bytes())
    for precision in ("fp32", "fp16"):
        output = trainer("build-engine", path, "--precision", precision, succeeds=False).output
        assert "has its weights in another file" in output


def test_an_unknown_generation_is_refused_before_any_work(
    own: Path, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    rtx = TensorRTLibrary(fake_gpu.fake_tensorrt(gpu), "tensorrt_rtx", "1.7.1.116")
    monkeypatch.setattr(tensorrt_library, "libraries", lambda: (rtx,))
    result = trainer("build-engine", "--gpus", "hopper", succeeds=False)
    assert "does not build for hopper" in result.output
    assert result.stdout == ""
    assert contents(own).keys() == {locations.NETWORK, f"{locations.NETWORK}.json"}


def test_compiler_options_are_refused_for_targets_that_compile_nothing() -> None:
    for option in (["--max-batch", "4"], ["--workspace", "9"], ["--gpus", "ada"], ["-v"]):
        result = CliRunner().invoke(main, ["build-engine", "--target", "cpu", *option])
        assert result.exit_code == 2
        assert "compiles nothing" in result.output


# verify-engine


@pytest.mark.usefixtures("gpu")
def test_an_engine_built_again_during_verification_keeps_its_manifest(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_unverified(own)

    def build_again_and_verify(*_: object) -> object:
        path.write_bytes(b"another")
        write(compiled_manifest(b"another"), path)
        return SimpleNamespace(manifest=None)

    monkeypatch.setattr(verify_engine, "verify_here", build_again_and_verify)
    assert "was built again during the verification" in trainer("verify-engine", path, succeeds=False).output
    assert check(path) == compiled_manifest(b"another")


def write_unverified(own: Path, **changes: Any) -> Path:
    trainer("build-engine")
    path = own / "facialnet-fp32.engine"
    write(check(path).model_copy(update={"verified": None, **changes}), path)
    return path


@pytest.mark.usefixtures("gpu")
def test_verify_engine_verifies_an_unverified_engine(own: Path, tmp_path: Path) -> None:
    path = write_unverified(own)
    assert "checked on Orin (made up)" in trainer("verify-engine", path).output
    assert check(path).verified is not None
    assert check(path).accuracy == MEASURED
    result = trainer("verify-engine", path, "--faces", made_up.save(tmp_path / "faces", 160))
    assert "on 32 faces of Made-up's faces kept aside" in result.output
    assert check(path).accuracy == MEASURED


@pytest.mark.usefixtures("gpu")
def test_an_engine_that_differs_too_much_is_not_marked_as_verified(own: Path) -> None:
    other = linear_network()
    weights = next(tensor for tensor in other.graph.initializer if tensor.name == "gender.weight")
    weights.raw_data = (onnx.numpy_helper.to_array(weights) * np.float32(2)).tobytes()
    content = other.SerializeToString()
    path = write_unverified(own)
    path.write_bytes(content)
    manifest = check_manifest(path)
    write(manifest.model_copy(update={"sha256": sha256_of(content)}), path)
    assert "probabilities differ from its network's" in trainer("verify-engine", path, succeeds=False).output
    assert check(path).verified is None


def check_manifest(path: Path) -> Manifest:
    return Manifest.model_validate_json(manifest_path(path).read_bytes())


@pytest.mark.usefixtures("gpu")
def test_an_engine_without_its_onnx_file_cannot_be_verified(own: Path) -> None:
    path = write_unverified(own)
    manifest = check(path)
    assert manifest.tensorrt is not None
    build = manifest.tensorrt.model_copy(update={"onnx_sha256": "f" * 64})
    write(manifest.model_copy(update={"tensorrt": build}), path)
    assert "copy it and its manifest beside the engine" in trainer("verify-engine", path, succeeds=False).output


@pytest.mark.usefixtures("gpu")
def test_an_onnx_file_cannot_be_verified(own: Path) -> None:
    assert "not a compiled engine" in trainer("verify-engine", own / locations.NETWORK, succeeds=False).output


@pytest.mark.usefixtures("gpu")
def test_a_machine_that_cannot_run_the_engine_gets_the_reason(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_unverified(own)
    monkeypatch.setattr(cuda_device, "find", lambda: CudaDevice("another", "8.9", "13.0"))
    assert "built for compute capability 8.7" in trainer("verify-engine", path, succeeds=False).output
