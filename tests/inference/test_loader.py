"""Which engine runs: the best that fits this machine, and the one on the CPU wherever that fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from kiosk.estimate import MeasuredAccuracy
from kiosk.inference import EngineError, Manifest, candidates, check, load, load_exactly, locations
from kiosk.inference import gpu as cuda_device
from kiosk.inference.base import DriverError, OtherVersionError
from kiosk.inference.gpu import CudaDevice
from kiosk.inference.manifest import Verification, sha256_of, write
from tests.fakes import fake_gpu
from tests.fakes.fake_gpu import FakeCudaError, FakeGpu, compiled_manifest
from tests.fakes.networks import expected, manifest_of, write_engine

CROPS = np.random.default_rng(3).random((3, 1, 75, 75), np.float32)
GOOD = MeasuredAccuracy(measured_on="nobody", faces=1000, gender=0.9, age=0.6, age_within_one=0.95)
CHECKED = Verification(
    device="Orin (made up)", capability="8.7", chips=64, largest_difference=0.01, mean_difference=0.001
)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    return fake_gpu.install_fake_gpu(monkeypatch)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def find() -> CudaDevice:
        raise DriverError("this machine has no NVIDIA driver")

    monkeypatch.setattr(cuda_device, "find", find)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_content: bytes) -> Path:
    """The kiosk's own folder of engines, with the network in it and nothing else."""
    folder = tmp_path / "engines"
    folder.mkdir()
    monkeypatch.setattr(locations, "own_folder", lambda: folder)
    monkeypatch.setattr(locations, "state_folder", lambda: tmp_path / "state")
    path = write_engine(folder / locations.NETWORK, good_content)
    write(manifest_of(good_content).model_copy(update={"accuracy": GOOD}), path)
    return folder


def network_of(own: Path) -> Manifest:
    return check(own / locations.NETWORK)


def build(own: Path, name: str = "facialnet-fp16.engine", folder: Path | None = None, **changes: object) -> Path:
    """An engine compiled of the kiosk's own network."""
    content = (own / locations.NETWORK).read_bytes()
    facts = {"network_sha256": sha256_of(content), "precision": "fp16", "accuracy": GOOD, "verified": CHECKED}
    path = (folder or own) / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    write(compiled_manifest(content, **{**facts, **changes}), path)
    return path


def quantise(own: Path, accuracy: MeasuredAccuracy | None = GOOD, network: str | None = None) -> Path:
    """The same network as if in eight bits: another file with the same answers."""
    model = onnx.load_from_string((own / locations.NETWORK).read_bytes())
    model.doc_string = "eight bits"
    path = write_engine(own / locations.CPU_INT8, model.SerializeToString())
    facts = {"network_sha256": network or network_of(own).sha256, "precision": "int8", "accuracy": accuracy}
    write(manifest_of(path.read_bytes()).model_copy(update=facts), path)
    return path


def chosen(own: Path) -> Path:
    """The first candidate that fits; `load()` takes the same."""
    first = next(candidate for candidate in candidates() if not candidate.reason_rejected)
    engine = load()
    assert engine.manifest == check(first.path)
    engine.close()
    return first.path.relative_to(own.parent)


# Choice


@pytest.mark.usefixtures("no_gpu")
def test_a_cpu_runs_the_network_itself(own: Path) -> None:
    assert chosen(own) == Path("engines", locations.NETWORK)
    engine = load()
    assert (engine.name, engine.fault) == ("ONNX Runtime on the CPU", None)
    np.testing.assert_allclose(engine.infer(CROPS).age, expected(CROPS, 8), atol=1e-5)


@pytest.mark.usefixtures("no_gpu")
def test_eight_bits_are_preferred_where_they_keep_the_accuracy(own: Path) -> None:
    quantise(own)
    assert chosen(own).name == locations.CPU_INT8


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, True),
        ({"gender": 0.895, "age": 0.595, "age_within_one": 0.945}, True),
        ({"gender": 0.91}, True),
        ({"gender": 0.8949}, False),
        ({"age": 0.59}, False),
        ({"age_within_one": 0.9}, False),
        ({"faces": 999}, False),
        ({"measured_on": "somebody"}, False),
    ],
)
def test_half_a_point_may_be_lost_on_the_same_faces(own: Path, changes: dict[str, object], kept: bool) -> None:
    quantise(own, GOOD.model_copy(update=changes))
    assert (chosen(own).name == locations.CPU_INT8) == kept
    assert load().fault is None


@pytest.mark.usefixtures("no_gpu")
def test_eight_bits_that_were_never_measured_are_not_chosen(own: Path) -> None:
    quantise(own, accuracy=None)
    assert chosen(own).name == locations.NETWORK


@pytest.mark.usefixtures("no_gpu")
def test_eight_bits_of_another_network_are_not_chosen(own: Path) -> None:
    quantise(own, network="f" * 64)
    assert chosen(own).name == locations.NETWORK


@pytest.mark.usefixtures("no_gpu")
def test_a_damaged_file_int8_candidates_costs_nothing_but_speed(own: Path) -> None:
    quantise(own).write_bytes(b"damaged")
    assert chosen(own).name == locations.NETWORK


@pytest.mark.usefixtures("gpu")
def test_a_gpu_runs_what_was_built_for_it(own: Path) -> None:
    quantise(own)
    build(own)
    assert chosen(own).name == "facialnet-fp16.engine"
    assert load().fault is None


@pytest.mark.usefixtures("gpu")
def test_an_installed_kiosk_keeps_its_engines_in_the_state_folder(own: Path) -> None:
    build(own, folder=own.parent / "state")
    assert chosen(own) == Path("state/facialnet-fp16.engine")


@pytest.mark.usefixtures("gpu")
def test_half_precision_comes_before_eight_bits_and_these_before_float32(own: Path) -> None:
    names = {"fp32": "a.engine", "int8": "b.engine", "fp16": "c.engine"}
    for precision, name in names.items():
        build(own, name, precision=precision)
    order = [candidate.path.name for candidate in candidates() if candidate.compiled]
    assert order == [names["fp16"], names["int8"], names["fp32"]]


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "10.7.0.23"}, "built by TensorRT 10.7.0.23"),
        ({"flavour": "tensorrt_rtx"}, "TensorRT for RTX is not installed"),
        ({"capabilities": ("8.9",)}, "compute capability 8.9"),
        ({"verified": None}, "trainer verify-engine"),
        ({"verified": CHECKED.model_copy(update={"capability": "8.9"})}, "not checked on this GPU yet"),
        ({"accuracy": None}, "loses more than half a point"),
        ({"accuracy": GOOD.model_copy(update={"gender": 0.8})}, "loses more than half a point"),
    ],
)
def test_what_was_built_and_does_not_fit_is_passed_over_and_said(
    own: Path, changes: dict[str, object], said: str
) -> None:
    path = build(own, **changes)
    (candidate, *_) = candidates()
    assert candidate.path == path
    assert candidate.reason_rejected is not None
    assert said in candidate.reason_rejected
    engine = load()
    assert engine.name == "ONNX Runtime on the CPU"
    assert engine.fault is not None
    assert said in engine.fault
    assert "facialnet-fp16.engine does not run here: " in engine.fault


@pytest.mark.usefixtures("gpu")
def test_an_engine_of_another_network_is_never_chosen(own: Path) -> None:
    build(own, network_sha256="f" * 64)
    assert [candidate.path.name for candidate in candidates()] == [locations.NETWORK]
    assert load().fault is None


@pytest.mark.proves("engine-gone-start")
@pytest.mark.usefixtures("gpu")
def test_a_damaged_engine_is_passed_over_and_said(own: Path) -> None:
    build(own).write_bytes(b"damaged")
    engine = load()
    assert engine.fault is not None
    assert "its SHA-256 differs" in engine.fault


def test_one_that_does_not_load_is_passed_over_and_said(own: Path, gpu: FakeGpu) -> None:
    build(own)
    gpu.room = 0
    engine = load()
    assert engine.name == "ONNX Runtime on the CPU"
    assert "no memory left" in (engine.fault or "")
    assert gpu.retained == 0


def test_the_network_itself_must_be_whole(own: Path) -> None:
    (own / locations.NETWORK).write_bytes(b"damaged")
    with pytest.raises(Exception, match="its SHA-256 differs"):
        load()


# An engine that was named


@pytest.mark.usefixtures("no_gpu")
def test_a_named_engine_that_cannot_run_here_is_replaced_in_one_line(own: Path) -> None:
    engine = load(build(own))
    assert engine.fault == (
        "facialnet-fp16.engine does not run here, ONNX Runtime on the CPU does: this machine has no NVIDIA driver"
    )
    np.testing.assert_allclose(engine.infer(CROPS).gender, expected(CROPS, 2), atol=1e-5)
    engine.close()


@pytest.mark.usefixtures("gpu")
def test_a_named_engine_need_not_have_been_checked(own: Path) -> None:
    engine = load(build(own, verified=None, accuracy=None))
    assert "TensorRT" in engine.name
    assert engine.fault is None


@pytest.mark.usefixtures("no_gpu")
def test_whoever_measures_gets_the_engine_or_an_error(own: Path) -> None:
    with pytest.raises(DriverError):
        load_exactly(build(own))


@pytest.mark.usefixtures("gpu")
def test_an_engine_of_another_version_is_not_measured(own: Path) -> None:
    with pytest.raises(OtherVersionError):
        load_exactly(build(own, version="10.3.0.25"))


@pytest.mark.usefixtures("no_gpu")
def test_a_network_of_the_operators_own_falls_back_to_itself(own: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    theirs = onnx.load_from_string((own / locations.NETWORK).read_bytes())
    theirs.doc_string = "trained elsewhere"
    onnx_path = write_engine(folder / "mine.onnx", theirs.SerializeToString())
    (folder / "broken.onnx").write_bytes(b"no manifest")
    engine = load(build(own, folder=folder, network_sha256=check(onnx_path).sha256))
    assert engine.manifest == check(onnx_path)


@pytest.mark.usefixtures("no_gpu")
def test_a_network_that_is_not_here_falls_back_to_ours_if_it_knows_the_same_ages(own: Path, tmp_path: Path) -> None:
    engine = load(build(own, folder=tmp_path / "mine", network_sha256="f" * 64))
    assert engine.manifest == network_of(own)
    assert "ONNX Runtime on the CPU with another network, the kiosk's own, does" in (engine.fault or "")


@pytest.mark.usefixtures("no_gpu")
def test_other_ages_have_no_fall_back(own: Path, tmp_path: Path) -> None:
    groups = network_of(own).age_groups
    path = build(own, folder=tmp_path / "mine", network_sha256="f" * 64, age_groups=groups[:-1])
    with pytest.raises(EngineError, match="its network is not here for the CPU: put the ONNX file"):
        load(path)


@pytest.mark.parametrize("named", [True, False])
def test_whoever_waits_is_told_before_the_gpu_is_touched(own: Path, gpu: FakeGpu, named: bool) -> None:
    path = build(own)
    seen: list[list[str]] = []
    load(path if named else None, before_gpu=lambda: seen.append(list(gpu.log))).close()
    assert seen == [[]]
    seen.clear()
    load(path if named else None, cpu_only=True, before_gpu=lambda: seen.append([])).close()
    assert seen == []


def test_without_a_gpu_on_request(own: Path, gpu: FakeGpu) -> None:
    path = build(own)
    for engine in (load(cpu_only=True), load(path, cpu_only=True)):
        assert engine.name == "ONNX Runtime on the CPU"
        assert engine.fault is None
    assert gpu.log == []


@pytest.mark.usefixtures("no_gpu")
def test_a_state_folder_of_somebody_else_is_passed_over(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = Path.exists

    def exists(path: Path) -> bool:
        if path.parent.name == "state":
            raise PermissionError(13, "Permission denied")
        return refuse(path)

    monkeypatch.setattr(Path, "exists", exists)
    assert chosen(own).name == locations.NETWORK


def test_a_gpu_that_is_busy_at_the_start_costs_no_sale(own: Path, gpu: FakeGpu) -> None:
    gpu.failing = FakeCudaError("all CUDA-capable devices are busy or unavailable")
    engine = load(build(own))
    assert engine.name == "ONNX Runtime on the CPU"
    assert "busy or unavailable" in (engine.fault or "")
    assert gpu.retained == 0


def test_probabilities_that_are_not_finite_are_a_fault(
    own: Path, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load(build(own))
    nothing = np.full((3, 2), np.nan, np.float32), np.full((3, 8), np.nan, np.float32)
    monkeypatch.setattr(vars(engine)["_engine"]._session, "run", lambda _: nothing)
    assert np.isfinite(engine.infer(CROPS).age).all()
    assert "not finite numbers" in (engine.fault or "")
    assert gpu.retained == 0


# In mid-run


@pytest.mark.proves("gpu-lost")
@pytest.mark.parametrize("named", [True, False])
def test_a_gpu_that_is_lost_costs_no_frame(own: Path, gpu: FakeGpu, named: bool) -> None:
    path = build(own)
    engine = load(path if named else None)
    before = engine.infer(CROPS)
    gpu.failing = FakeCudaError("unspecified launch failure")
    after = engine.infer(CROPS)
    np.testing.assert_allclose(after.age, before.age, atol=1e-5)
    assert engine.name == "ONNX Runtime on the CPU"
    assert engine.manifest == network_of(own)
    assert engine.fault is not None
    assert engine.fault.startswith("TensorRT 10.3.0.26 (fp16) on Orin (made up): ")
    assert engine.fault.endswith("running ONNX Runtime on the CPU until the kiosk is started again")
    gpu.failing = None
    fault = engine.fault
    engine.infer(CROPS)
    assert (engine.name, engine.fault) == ("ONNX Runtime on the CPU", fault)
    engine.close()


def test_where_the_cpu_fails_too_the_error_is_raised(own: Path, gpu: FakeGpu) -> None:
    engine = load(build(own))
    gpu.failing = FakeCudaError("unspecified launch failure")
    (own / locations.NETWORK).write_bytes(b"damaged")
    with pytest.raises(Exception, match="its SHA-256 differs"):
        engine.infer(CROPS)


def test_a_closed_engine_does_not_come_back_on_the_cpu(own: Path, gpu: FakeGpu) -> None:
    engine = load(build(own))
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.infer(CROPS)
    assert gpu.retained == 0
