"""Recording and launching a CUDA graph, on a driver that is made up: the real one needs a GPU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from kiosk.inference.tensorrt import cuda_graph
from kiosk.inference.tensorrt.cuda_graph import CudaGraph, CudaGraphError

STREAM = 0xABCD


class FakeDriver:
    """Counts what it is asked, checks what it is given, and fails where it is told to."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failing: dict[str, int] = {}
        self.capturing = False

    def __getattr__(self, function: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            self.asked.append(function)
            if function in self.failing:
                if function == "cuStreamEndCapture":
                    self.capturing = False
                return self.failing[function]
            return int(getattr(self, f"do_{function}")(*arguments) or 0)

        return call

    def do_cuStreamBeginCapture_v2(self, stream: ctypes.c_void_p, mode: int) -> None:  # noqa: N802
        assert (stream.value, mode) == (STREAM, 1)
        self.capturing = True

    def do_cuStreamEndCapture(self, stream: ctypes.c_void_p, graph: Any) -> None:  # noqa: N802
        assert stream.value == STREAM
        self.capturing = False
        graph._obj.value = 0x111

    def do_cuGraphInstantiateWithFlags(  # noqa: N802
        self, executable: Any, graph: ctypes.c_void_p, flags: ctypes.c_ulonglong
    ) -> None:
        assert (graph.value, flags.value) == (0x111, 0)
        executable._obj.value = 0x222

    def do_cuGraphLaunch(self, executable: ctypes.c_void_p, stream: ctypes.c_void_p) -> None:  # noqa: N802
        assert (executable.value, stream.value) == (0x222, STREAM)

    def do_cuGraphExecDestroy(self, executable: ctypes.c_void_p) -> None:  # noqa: N802
        assert executable.value == 0x222

    def do_cuGraphDestroy(self, graph: ctypes.c_void_p) -> None:  # noqa: N802
        assert graph.value == 0x111


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    driver = FakeDriver()
    monkeypatch.setattr(cuda_graph.ctypes, "CDLL", lambda _: driver)
    return driver


def test_work_is_recorded_once_and_launched_often(driver: FakeDriver) -> None:
    recorded_while: list[bool] = []
    graph = CudaGraph(STREAM, lambda: recorded_while.append(driver.capturing))
    assert recorded_while == [True]
    for _ in range(3):
        graph.launch(STREAM)
    graph.free()
    graph.free()
    assert recorded_while == [True]
    assert driver.asked.count("cuGraphLaunch") == 3
    assert driver.asked[-2:] == ["cuGraphExecDestroy", "cuGraphDestroy"]
    assert driver.asked.count("cuGraphDestroy") == 1


@pytest.mark.parametrize(
    ("function", "destroyed"),
    [
        ("cuStreamBeginCapture_v2", []),
        ("cuStreamEndCapture", []),
        ("cuGraphInstantiateWithFlags", ["cuGraphDestroy"]),
    ],
)
def test_a_driver_that_cannot_leaves_nothing_behind(driver: FakeDriver, function: str, destroyed: list[str]) -> None:
    driver.failing[function] = 900
    with pytest.raises(CudaGraphError, match=f"{function}: error 900"):
        CudaGraph(STREAM, lambda: None)
    assert not driver.capturing
    assert [asked for asked in driver.asked if asked.endswith("Destroy")] == destroyed


def test_work_that_fails_ends_the_recording(driver: FakeDriver) -> None:
    def fail() -> None:
        raise ValueError("the work's own")

    with pytest.raises(ValueError, match="the work's own"):
        CudaGraph(STREAM, fail)
    assert not driver.capturing


def test_a_launch_that_fails_says_so(driver: FakeDriver) -> None:
    graph = CudaGraph(STREAM, lambda: None)
    driver.failing["cuGraphLaunch"] = 719
    with pytest.raises(CudaGraphError, match="cuGraphLaunch: error 719"):
        graph.launch(STREAM)
