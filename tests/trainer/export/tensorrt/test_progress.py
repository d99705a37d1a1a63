"""Tests of a build's progress bars and of stopping it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from trainer.export.tensorrt.progress import Progress, create_monitor, run_interruptibly


@pytest.fixture
def trt() -> Any:
    module = ModuleType("tensorrt")
    module.IProgressMonitor = type("IProgressMonitor", (), {})  # type: ignore[attr-defined]
    return module


class FailingProgress(Progress):
    """A progress whose bars raise errors."""

    def start(self, *_: object) -> None:
        raise BrokenPipeError

    step = finish = start


def test_steps_are_counted_from_one(trt: Any) -> None:
    calls: list[tuple[object, ...]] = []

    class RecordingProgress(Progress):
        def start(self, phase: str, steps: int) -> None:
            calls.append(("start", phase, steps))

        def step(self, phase: str, done: int) -> None:
            calls.append(("step", phase, done))

        def finish(self, phase: str) -> None:
            calls.append(("finish", phase))

    reports = create_monitor(trt, RecordingProgress(shown=True))
    reports.phase_start("timing", None, 2)
    assert reports.step_complete("timing", 0) is True
    assert reports.step_complete("timing", 1) is True
    reports.phase_finish("timing")
    assert calls == [("start", "timing", 2), ("step", "timing", 1), ("step", "timing", 2), ("finish", "timing")]


def test_a_cancelled_build_stops_at_its_next_step(trt: Any) -> None:
    progress = Progress(shown=False)
    reports = create_monitor(trt, progress)
    assert reports.step_complete("timing", 0) is True
    progress.cancel()
    assert reports.step_complete("timing", 1) is False


def test_the_monitor_raises_no_exception(trt: Any) -> None:
    reports = create_monitor(trt, FailingProgress(shown=True))
    reports.phase_start("timing", "building", 2)
    assert reports.step_complete("timing", 0) is True
    reports.phase_finish("timing")


def test_inner_phases_have_bars(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("trainer.export.tensorrt.progress._BAR_DELAY", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(shown=True)
    progress.start("building", 3)
    progress.start("timing", 4)
    progress.step("timing", 2)
    progress.step("a phase that never began", 1)
    progress.finish("timing")
    progress.finish("building")
    shown = capsys.readouterr().err
    assert "building:   0%" in shown
    assert "timing:" in shown


@pytest.mark.parametrize(("shown", "terminal"), [(True, False), (False, True)])
def test_no_bar_is_shown_without_a_terminal_or_with_shown_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shown: bool, terminal: bool
) -> None:
    monkeypatch.setattr("trainer.export.tensorrt.progress._BAR_DELAY", 0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    progress = Progress(shown=shown)
    progress.start("building", 3)
    progress.step("building", 1)
    progress.finish("building")
    assert capsys.readouterr().err == ""


def test_the_works_result_or_error_is_passed_on() -> None:
    assert run_interruptibly(lambda: 7, pytest.fail) == 7
    with pytest.raises(ZeroDivisionError):
        run_interruptibly(lambda: 1 // 0, pytest.fail)


def test_ctrl_c_stops_the_work_and_waits_for_its_end() -> None:
    cancelled = threading.Event()
    ended: list[bool] = []

    def work() -> None:
        time.sleep(0.2)  # until this is being waited for
        os.kill(os.getpid(), signal.SIGINT)
        ended.append(cancelled.wait(30))

    with pytest.raises(KeyboardInterrupt):
        run_interruptibly(work, cancelled.set)
    assert ended == [True]


class Tracked:
    """An object that sets an event when it is freed."""

    def __init__(self, freed: threading.Event) -> None:
        self._freed = freed

    def __del__(self) -> None:
        self._freed.set()


def test_objects_in_an_errors_traceback_are_freed_with_the_error() -> None:
    freed = threading.Event()

    def work() -> None:
        held = Tracked(freed)
        raise ValueError(str(held))

    gc.disable()  # it would free the other objects at an unknown time
    try:
        with pytest.raises(ValueError, match="Tracked"):
            run_interruptibly(work, pytest.fail)
        assert freed.is_set()
    finally:
        gc.enable()
