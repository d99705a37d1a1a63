"""TensorRT engines on a real GPU: built, compared with ONNX Runtime, shared between threads, run for long, and failing.

make test ARGS="-m gpu -s"      prints the latencies too
"""

from __future__ import annotations

import statistics
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from kiosk.inference import EngineError, Probabilities, check, default_path, load, load_exactly
from kiosk.inference.manifest import Precision, read_checked
from kiosk.inference.onnx_runtime import OnnxEngine
from kiosk.inference.tensorrt.library import library_for
from kiosk.vision.pipeline import Pipeline
from tests.fakes.vision import FakeFinder, face_at, frame_at
from trainer.export.build_engine import BuildOptions, build_engine
from trainer.export.parity import TOLERANCES, compare
from trainer.export.sample_crops import sample_crops

pytestmark = [pytest.mark.gpu, pytest.mark.tensorrt]

RUNS = 10_000


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine of each precision, built here; building has compared it with ONNX Runtime already."""
    precision: Precision = request.param
    out = tmp_path_factory.mktemp("engines") / f"{precision}.engine"
    path = build_engine(None, precision, out, None, BuildOptions(), print)
    assert check(path).verified is not None, "it was not checked on this GPU"
    return path


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "no graphs"])
def test_it_says_what_the_network_says(built: Path, graphs: bool) -> None:
    from kiosk.inference.tensorrt.engine import TensorRTEngine

    content, manifest = read_checked(built)
    engine = TensorRTEngine(content, manifest, built, graphs=graphs)
    network = OnnxEngine(*read_checked(default_path()))
    mean, largest = compare(engine, network, sample_crops())
    engine.close()
    print(f"\n{manifest.precision}: probabilities differ by {mean:.1e} on average, {largest:.1e} at worst")
    allowed = TOLERANCES[manifest.precision]
    assert mean <= allowed.mean
    assert largest <= allowed.largest


def test_threads_share_it_one_at_a_time(built: Path) -> None:
    crops = sample_crops()[:4]
    answers: list[Probabilities] = []
    engine = load_exactly(built)
    answers.append(engine.infer(crops))
    for work in (lambda: answers.append(engine.infer(crops)), engine.close):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    np.testing.assert_array_equal(answers[0].age, answers[1].age)
    again = load_exactly(built)  # what was let go of in another thread can be had again
    np.testing.assert_array_equal(again.infer(crops).age, answers[0].age)
    again.close()


def test_two_engines_live_side_by_side(built: Path) -> None:
    crops = sample_crops()[:2]
    first, second = load_exactly(built), load_exactly(built)
    expected = first.infer(crops).age
    np.testing.assert_array_equal(second.infer(crops).age, expected)
    first.close()
    np.testing.assert_array_equal(second.infer(crops).age, expected)
    second.close()


def test_a_fault_in_mid_run_loses_no_track(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kiosk.inference.tensorrt.session import Session

    engine = load(built)
    pipeline = Pipeline(engine, finder=FakeFinder([face_at(300, 200, 60)]))
    before = [pipeline.process(frame_at(index)) for index in range(10)]

    def fail(*_: object) -> Probabilities:
        raise EngineError("injected")

    monkeypatch.setattr(Session, "run", fail)
    after = [pipeline.process(frame_at(index)) for index in range(10, 20)]
    assert engine.name == "ONNX Runtime on the CPU"
    assert engine.fault is not None
    assert "injected" in engine.fault
    tracks = {face.track for observation in (*before, *after) for face in observation.faces}
    assert tracks == {1}
    engine.close()


def test_memory_does_not_grow(built: Path) -> None:
    import pycuda.driver as cuda

    engine = load_exactly(built)
    crops = sample_crops()

    def held() -> tuple[int, int]:
        context = cuda.Device(0).retain_primary_context()
        context.push()
        free, _ = cuda.mem_get_info()
        cuda.Context.pop()
        context.detach()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return free, pages * 4096

    for run in range(RUNS + 200):
        if run == 200:
            before = held()
        count = 1 + run % 8
        engine.infer(crops[:count])
    after = held()
    engine.close()
    assert before[0] - after[0] < 2**20, "memory of the GPU"
    assert after[1] - before[1] < 8 * 2**20, "memory of the process"


def test_latency(built: Path) -> None:
    from kiosk.inference.tensorrt.engine import TensorRTEngine

    content, manifest = read_checked(built)
    crops = sample_crops()
    print(f"\n{library_for()}, {manifest.precision}, ms a call: median of 200")
    for graphs in (True, False):
        engine = TensorRTEngine(content, manifest, built, graphs=graphs)
        medians = []
        for count in (1, 2, 4, 8):
            times = []
            for _ in range(220):
                started = time.perf_counter()
                answers = engine.infer(crops[:count])
                times.append(time.perf_counter() - started)
            assert len(answers.age) == count
            medians.append(f"{count}: {statistics.median(times[20:]) * 1000:.3f}")
        engine.close()
        print(f"  {'one launch' if graphs else 'kernel by kernel'}   {', '.join(medians)}")
