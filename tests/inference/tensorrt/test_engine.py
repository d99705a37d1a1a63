"""The TensorRT engine on a made-up GPU: what it answers, what it holds, in what order it lets go, what it says."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from kiosk.inference import Crops, EngineError
from kiosk.inference import gpu as cuda_device
from kiosk.inference.base import (
    DriverError,
    IncompatibleEngineError,
    MissingPackageError,
    OtherGpuError,
    OtherVersionError,
    OutOfGpuMemoryError,
)
from kiosk.inference.gpu import CudaDevice
from kiosk.inference.tensorrt import library
from tests.fakes import fake_gpu, networks
from tests.fakes.fake_gpu import FakeCudaError, FakeGpu, compiled_manifest
from tests.fakes.networks import expected, linear_network


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    return fake_gpu.install_fake_gpu(monkeypatch)


def engine_of(content: bytes, *, graphs: bool = True, **changes: Any) -> Any:
    from kiosk.inference.tensorrt.engine import TensorRTEngine

    return TensorRTEngine(content, compiled_manifest(content, **changes), graphs=graphs)


def crops_of(count: int, seed: int = 0) -> Crops:
    return np.random.default_rng(seed).random((count, 1, 75, 75), np.float32)


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "no graphs"])
@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 8, 9, 21])
def test_it_answers_as_the_network_does(gpu: FakeGpu, good_content: bytes, count: int, graphs: bool) -> None:
    engine = engine_of(good_content, graphs=graphs)
    crops = crops_of(count)
    answers = engine.infer(crops)
    np.testing.assert_allclose(answers.gender, expected(crops, 2), atol=1e-5)
    np.testing.assert_allclose(answers.age, expected(crops, 8), atol=1e-5)
    assert (answers.gender.dtype, answers.age.dtype) == (np.float32, np.float32)
    assert gpu.current == 0


@pytest.mark.usefixtures("gpu")
def test_numbers_of_faces_may_come_in_any_order(good_content: bytes) -> None:
    engine = engine_of(good_content)
    for seed, count in enumerate([1, 8, 2, 1, 5, 6, 5, 3, 4, 1]):
        crops = crops_of(count, seed)
        np.testing.assert_allclose(engine.infer(crops).age, expected(crops, 8), atol=1e-5)


@pytest.mark.usefixtures("gpu")
def test_an_answer_stays_when_the_next_one_comes(good_content: bytes) -> None:
    engine = engine_of(good_content)
    first = engine.infer(crops_of(2, seed=1))
    before = first.gender.copy()
    engine.infer(crops_of(2, seed=2))
    assert (first.gender == before).all()


def test_nothing_is_made_while_it_runs(gpu: FakeGpu, good_content: bytes) -> None:
    engine = engine_of(good_content)
    engine.infer(crops_of(3))
    gpu.log.clear()
    for count in range(1, 9):
        engine.infer(crops_of(count))
    assert set(gpu.log) <= {"launch"}


def test_a_few_faces_are_one_launch(gpu: FakeGpu, good_content: bytes) -> None:
    engine = engine_of(good_content)
    assert gpu.log.count("graph") == 4
    for count, launches in ((1, 1), (4, 1), (5, 0), (8, 0), (12, 1)):
        gpu.log.clear()
        engine.infer(crops_of(count))
        assert gpu.log.count("launch") == launches, count


def test_where_no_graph_can_be_recorded_it_runs_all_the_same(gpu: FakeGpu, good_content: bytes) -> None:
    gpu.records_graphs = False
    crops = crops_of(2)
    np.testing.assert_allclose(engine_of(good_content).infer(crops).age, expected(crops, 8), atol=1e-5)


def test_an_engine_for_few_faces_records_no_more_graphs(monkeypatch: pytest.MonkeyPatch, good_content: bytes) -> None:
    gpu = fake_gpu.install_fake_gpu(monkeypatch, most=2)
    engine = engine_of(good_content, max_batch=2)
    assert gpu.log.count("graph") == 2
    crops = crops_of(5)
    np.testing.assert_allclose(engine.infer(crops).age, expected(crops, 8), atol=1e-5)


def test_it_lets_go_of_everything_in_order(gpu: FakeGpu, good_content: bytes) -> None:
    engine = engine_of(good_content)
    gpu.log.clear()
    engine.close()
    steps = [step for index, step in enumerate(gpu.log) if step not in gpu.log[:index]]
    assert steps == ["free graph", "free context", "free engine", "free", "free stream", "detach"]
    assert (gpu.retained, gpu.current, gpu.memory) == (0, 0, {})
    engine.close()
    assert gpu.retained == 0
    with pytest.raises(EngineError, match="closed"):
        engine.infer(crops_of(1))


def test_it_may_be_used_from_another_thread(gpu: FakeGpu, good_content: bytes) -> None:
    engine = engine_of(good_content)
    crops = crops_of(2)
    said: list[Any] = []
    for work in (lambda: said.append(engine.infer(crops)), engine.close):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    np.testing.assert_allclose(said[0].age, expected(crops, 8), atol=1e-5)
    assert gpu.retained == 0


def test_a_lost_gpu_is_an_engine_error(gpu: FakeGpu, good_content: bytes) -> None:
    engine = engine_of(good_content)
    gpu.failing = FakeCudaError("cuStreamSynchronize failed: unspecified launch failure")
    with pytest.raises(EngineError, match=r"unspecified launch failure|error 719"):
        engine.infer(crops_of(1))
    with pytest.raises(EngineError, match=r"failed on the GPU|does not run"):
        engine.infer(crops_of(6))
    assert gpu.current == 0
    with pytest.raises(EngineError, match="cannot be freed"):
        engine.close()
    assert gpu.retained == 0


@pytest.mark.parametrize("room", [0, 8 * 75 * 75 * 4, 8 * 75 * 75 * 4 + 64])
def test_no_room_on_the_gpu_is_said_so_and_nothing_is_left(gpu: FakeGpu, good_content: bytes, room: int) -> None:
    gpu.room = room
    with pytest.raises(OutOfGpuMemoryError, match="no memory left: close what else uses it"):
        engine_of(good_content)
    assert (gpu.retained, gpu.current, gpu.memory) == (0, 0, {})


def test_no_room_that_only_the_log_tells_of(gpu: FakeGpu, good_content: bytes) -> None:
    gpu.says = "Requested amount of GPU memory (1 bytes) could not be allocated."
    with pytest.raises(OutOfGpuMemoryError, match="no memory left"):
        engine_of(good_content)


def test_an_engine_that_tensorrt_does_not_read_is_to_be_built_again(gpu: FakeGpu, good_content: bytes) -> None:
    gpu.reads_engines = False
    with pytest.raises(OtherVersionError, match="trainer build-engine"):
        engine_of(good_content)
    assert (gpu.retained, gpu.current) == (0, 0)


@pytest.mark.parametrize(
    "network",
    [
        pytest.param(linear_network(inputs={"faces": ("n", 1, 75, 75)}), id="other name"),
        pytest.param(linear_network(outputs={"gender": ("n", 2), "age": ("n", 7)}), id="seven groups"),
        pytest.param(linear_network(outputs={"gender": ("n", 2)}), id="no age"),
        pytest.param(linear_network(input_type=networks.TensorProto.FLOAT16), id="half precision chips"),
    ],
)
def test_an_engine_that_is_not_what_its_manifest_says_is_refused(gpu: FakeGpu, network: Any) -> None:
    with pytest.raises(EngineError, match="not what its manifest says") as refused:
        engine_of(network.SerializeToString())
    assert not isinstance(refused.value, IncompatibleEngineError)
    assert (gpu.retained, gpu.memory) == (0, {})


@pytest.mark.usefixtures("gpu")
def test_an_engine_that_takes_fewer_faces_than_its_manifest_says_is_refused(good_content: bytes) -> None:
    with pytest.raises(EngineError, match="takes 8 chips at once, its manifest says 16"):
        engine_of(good_content, max_batch=16)


def test_an_engine_of_another_version_is_not_touched(gpu: FakeGpu, good_content: bytes) -> None:
    with pytest.raises(OtherVersionError, match=r"by TensorRT 10\.7\.0\.23 and here is TensorRT 10\.3\.0\.26: build"):
        engine_of(good_content, version="10.7.0.23")
    assert gpu.log == []


def test_an_engine_of_the_other_kind_of_tensorrt_is_not_touched(gpu: FakeGpu, good_content: bytes) -> None:
    with pytest.raises(MissingPackageError, match=r"TensorRT for RTX is not installed here \(there is TensorRT 10"):
        engine_of(good_content, flavour="tensorrt_rtx")
    assert gpu.log == []


def test_an_engine_for_another_gpu_is_not_touched(gpu: FakeGpu, good_content: bytes) -> None:
    with pytest.raises(OtherGpuError, match=r"for compute capability 8\.6, 8\.9 and Orin \(made up\) has 8\.7: build"):
        engine_of(good_content, capabilities=("8.6", "8.9"))
    assert gpu.log == []


def test_without_a_driver_nothing_is_touched(
    gpu: FakeGpu, good_content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find() -> CudaDevice:
        raise DriverError("this machine has no NVIDIA driver")

    monkeypatch.setattr(cuda_device, "find", find)
    with pytest.raises(DriverError, match="no NVIDIA driver"):
        engine_of(good_content)
    assert gpu.log == []


@pytest.mark.usefixtures("gpu")
def test_without_tensorrt_the_error_says_what_to_install(good_content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "libraries", tuple)
    with pytest.raises(MissingPackageError, match="pip install tensorrt`"):
        engine_of(good_content)
