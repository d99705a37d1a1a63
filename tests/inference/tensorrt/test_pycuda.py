"""The TensorRT engine on the real PyCUDA, over an emulated driver: threads, faults and forgotten engines.

Each test is a process of its own, because its libcuda.so.1 is the emulated one and because what goes
wrong in PyCUDA can end a process. `.ci/pycuda-without-gpu` makes the PyCUDA that they need.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kiosk.inference import Crops, Engine, EngineError, load, load_exactly
from kiosk.inference.base import OutOfGpuMemoryError
from kiosk.inference.manifest import write
from tests.fakes.networks import expected, linear_network, write_engine

ROOT = Path(__file__).parents[3]
FOLDER = os.environ.get("PYCUDA_WITHOUT_GPU")

pytestmark = pytest.mark.skipif(
    not (FOLDER and shutil.which("gcc") and shutil.which("nm")),
    reason="no PyCUDA for machines without a GPU (see .ci/pycuda-without-gpu), or no gcc",
)


@pytest.fixture(scope="session")
def emulation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the emulated libcuda.so.1 and a module `tensorrt`."""
    assert FOLDER
    folder = tmp_path_factory.mktemp("emulation")
    source = ROOT / "tests" / "fakes" / "emulated_driver.c"
    library, stubs = folder / "libcuda.so.1", folder / "stubs.c"
    options = ["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-Wl,-soname,libcuda.so.1"]
    subprocess.run([*options, "-o", library, source, "-lpthread"], check=True)
    driver = next(Path(FOLDER, "pycuda").glob("_driver.*.so"))
    # PyCUDA is not loaded where one function is missing, though most are never called.
    missing = symbols(driver, "--undefined-only") - symbols(library, "--defined-only")
    stubs.write_text("\n".join(f"int {name}(void) {{ return 801; }}" for name in sorted(missing)) + "\n")
    subprocess.run([*options, "-o", library, source, stubs, "-lpthread"], check=True)
    (folder / "tensorrt.py").write_text(
        "import sys\n\nfrom tests.fakes import emulated_gpu\n\nsys.modules[__name__] = emulated_gpu.tensorrt()\n"
    )
    return folder


def symbols(library: Path, which: str) -> set[str]:
    lines = subprocess.run(["nm", "-D", which, library], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name for line in lines if (name := line.split()[-1]).startswith("cu")}


@pytest.fixture
def run(emulation: Path, tmp_path: Path) -> Callable[..., str]:
    """Runs one of this module's functions on a compiled engine, in a process of its own → its standard error."""
    content = linear_network().SerializeToString()
    write_engine(tmp_path / "network.onnx", content)
    engine = tmp_path / "some.engine"
    engine.write_bytes(content)
    environment = {
        **os.environ,
        "LD_LIBRARY_PATH": str(emulation),
        "PYTHONPATH": os.pathsep.join(map(str, (emulation, FOLDER, ROOT))),
    }

    def run(function: Callable[..., None], *arguments: object, **variables: str) -> str:
        call = f"{function.__name__}(*{(str(engine), *arguments)!r})"
        ended = subprocess.run(
            [sys.executable, "-c", f"from tests.inference.tensorrt import test_pycuda\ntest_pycuda.{call}"],
            env={**environment, **variables},
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    return run


# In the processes

kept: Engine | None = None
"""What a process holds on to until its end."""


def prepared(path: str) -> Path:
    """The engine's file, with the manifest of an engine for the emulated GPU."""
    from tests.fakes import emulated_gpu

    engine = Path(path)
    write(emulated_gpu.manifest_of_engine(engine.read_bytes()), engine)
    return engine


def check(engine: Engine, *counts: int) -> None:
    """Whether it answers as the network does."""
    for count in counts:
        crops: Crops = np.random.default_rng(count).random((count, 1, 75, 75), np.float32)
        answers = engine.infer(crops)
        np.testing.assert_allclose(answers.gender, expected(crops, 2), atol=1e-5)
        np.testing.assert_allclose(answers.age, expected(crops, 8), atol=1e-5)


def in_thread(work: Callable[[], Any]) -> Any:
    """What it returns, once it is done in a thread that is no more."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


def answers(path: str, graphs: bool) -> None:
    from tests.fakes import emulated_gpu

    prepared(path)
    from kiosk.inference.tensorrt.engine import TensorRTEngine

    content = Path(path).read_bytes()
    engine = TensorRTEngine(content, emulated_gpu.manifest_of_engine(content), Path(path), graphs=graphs)
    check(engine, *range(21), 1, 8, 2, 1, 5, 6, 5, 3)
    assert ("cuGraphLaunch" in emulated_gpu.calls()) == graphs
    engine.close()
    engine.close()
    assert (emulated_gpu.held(), emulated_gpu.misplaced) == (emulated_gpu.NOTHING, [])


def threads(path: str) -> None:
    from tests.fakes import emulated_gpu

    engine = in_thread(lambda: load_exactly(prepared(path)))
    in_thread(lambda: check(engine, 3, 9))
    check(engine, 2)
    in_thread(engine.close)
    assert (emulated_gpu.held(), emulated_gpu.misplaced) == (emulated_gpu.NOTHING, [])


def two(path: str) -> None:
    from tests.fakes import emulated_gpu

    engines = [load_exactly(prepared(path)) for _ in range(2)]
    work = [threading.Thread(target=check, args=(engine, *range(1, 9), *range(8, 0, -1))) for engine in engines]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    engines[0].close()
    check(engines[1], 3, 9)
    engines[1].close()
    assert (emulated_gpu.held(), emulated_gpu.misplaced) == (emulated_gpu.NOTHING, [])


def many(path: str) -> None:
    from tests.fakes import emulated_gpu

    engine = load_exactly(prepared(path))
    crops = np.zeros((emulated_gpu.MOST, 1, 75, 75), np.float32)

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for run in range(11_000):
        if run == 1000:
            before, memory = emulated_gpu.held(), resident()
        engine.infer(crops[: 1 + run % emulated_gpu.MOST])
    assert emulated_gpu.held() == before
    assert resident() - memory < 4 << 20
    engine.close()
    for _ in range(100):  # more often than the emulated stack of contexts is deep
        load_exactly(Path(path)).close()
    assert emulated_gpu.held() == emulated_gpu.NOTHING


def forgotten(path: str, how: str) -> None:
    from tests.fakes import emulated_gpu

    global kept
    kept = load_exactly(prepared(path)) if how != "in a thread" else in_thread(lambda: load_exactly(prepared(path)))
    check(kept, 3)
    if how == "dropped":
        kept = None
        gc.collect()
        assert (emulated_gpu.held(), emulated_gpu.misplaced) == (emulated_gpu.NOTHING, [])


def faults(path: str, loses: int) -> None:
    from tests.fakes import emulated_gpu

    prepared(path)
    used(path)  # imports everything, and is done well
    names = emulated_gpu.calls()
    assert emulated_gpu.held() == emulated_gpu.NOTHING
    for index, name in enumerate(names):
        print(f"{index}: {name} fails", file=sys.stderr)
        emulated_gpu.restart()
        emulated_gpu.fail(after=index, loses=loses)
        said = used(path)
        gc.collect()
        assert all("\n" not in line for line in said)
        if loses == emulated_gpu.ALL_IS_WELL:
            before = names[: index + 1]
            recording = before.count("cuStreamBeginCapture_v2") > before[:-1].count("cuStreamEndCapture")
            assert not said or not (recording or "Instantiate" in name)  # it does without the graph
            if "Ctx" not in name:  # what fails in letting go is not let go
                after = emulated_gpu.held()
                if "Alloc" not in name and "Create" not in name:
                    after = after._replace(left_behind=0)
                assert (after, emulated_gpu.misplaced) == (emulated_gpu.NOTHING, [])


def crowded(path: str) -> None:
    from tests.fakes import emulated_gpu

    prepared(path)
    weights, crops, genders = Path(path).stat().st_size, emulated_gpu.MOST * 75 * 75 * 4, emulated_gpu.MOST * 2 * 4
    for room in (0, weights, weights + crops, weights + crops + genders):
        emulated_gpu.restart()
        emulated_gpu.leave(room)
        with pytest.raises(OutOfGpuMemoryError, match="the GPU has no memory left"):
            load_exactly(Path(path))
        assert (emulated_gpu.held(), emulated_gpu.misplaced) == (emulated_gpu.NOTHING, [])


def used(path: str) -> list[str]:
    """Loads, runs and closes an engine → what it said went wrong. Its answers must be right."""
    said: list[str] = []
    try:
        engine = load_exactly(Path(path))
    except EngineError as error:
        return [str(error)]
    for count in (3, 6, 3):
        try:
            check(engine, count)
        except EngineError as error:
            said.append(str(error))
    try:
        engine.close()
    except EngineError as error:
        said.append(str(error))
    engine.close()
    return said


def falls_back(path: str, call: str, loses: int, thread: bool) -> None:
    from tests.fakes import emulated_gpu

    engine = load(prepared(path))
    check(engine, 3, 7)
    emulated_gpu.fail(call, loses=loses)

    def go_on() -> None:
        check(engine, 3, 9, 1)

    if thread:
        in_thread(go_on)
    else:
        go_on()
    assert engine.fault
    assert "\n" not in engine.fault
    assert engine.name == "ONNX Runtime on the CPU"
    check(engine, 2)
    engine.close()


def sees(path: str) -> None:
    from kiosk.vision.capture.source import DEMO
    from kiosk.vision.process.messages import VisionState
    from kiosk.vision.process.settings import VisionSettings
    from kiosk.vision.process.supervisor import VisionProcess

    vision = VisionProcess(VisionSettings(DEMO, engine=prepared(path)))
    vision.start()
    faces_since = 0
    deadline = time.monotonic() + 60
    while faces_since < 5 and time.monotonic() < deadline:
        faces = sum(len(observation.faces) for observation in vision.poll())
        faces_since += faces if vision.engine_fault else 0
        time.sleep(0.01)
    assert vision.engine_fault is not None
    assert "running ONNX Runtime on the CPU" in vision.engine_fault
    assert (vision.state, vision.fault) == (VisionState.RUNNING, None)
    vision.stop()


# The tests


@pytest.mark.parametrize("graphs", [True, False], ids=["graphs", "no graphs"])
def test_it_answers_as_the_network_does_and_leaves_nothing(run: Callable[..., str], graphs: bool) -> None:
    assert run(answers, graphs) == ""


def test_it_is_loaded_used_and_closed_in_different_threads(run: Callable[..., str]) -> None:
    assert run(threads) == ""


def test_two_engines_share_the_gpu(run: Callable[..., str]) -> None:
    assert run(two) == ""


def test_nothing_grows(run: Callable[..., str]) -> None:
    assert run(many) == ""


@pytest.mark.parametrize("how", ["at the end", "in a thread", "dropped"])
def test_an_engine_that_nobody_closes_frees_itself(run: Callable[..., str], how: str) -> None:
    assert run(forgotten, how) == ""


@pytest.mark.parametrize("loses", range(3), ids=["one call", "the GPU", "the driver"])
def test_whatever_call_of_the_driver_fails_is_said_in_one_line(run: Callable[..., str], loses: int) -> None:
    assert "Traceback" not in run(faults, loses)


def test_no_room_on_the_gpu_is_said_so_and_nothing_is_left(run: Callable[..., str]) -> None:
    assert run(crowded) == ""


@pytest.mark.parametrize("thread", [False, True], ids=["main thread", "thread"])
@pytest.mark.parametrize("call", ["cuStreamSynchronize", "cuGraphLaunch", "cuCtxPushCurrent_v2"])
@pytest.mark.parametrize("loses", range(3), ids=["one call", "the GPU", "the driver"])
def test_the_cpu_takes_over(run: Callable[..., str], loses: int, call: str, thread: bool) -> None:
    assert "context stack" not in run(falls_back, call, loses, thread)


@pytest.mark.parametrize("loses", [1, 2], ids=["the GPU", "the driver"])
def test_the_vision_process_goes_on_without_the_gpu(run: Callable[..., str], loses: int) -> None:
    run(sees, EMULATED_FAILURE=f"cuStreamSynchronize 30 {loses}")
