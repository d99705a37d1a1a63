"""How far TensorRT is with a build, and how it is stopped."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")

_SECONDS_UNSEEN = 0.5
"""A phase that is over sooner gets no bar."""


class Progress:
    """One bar a phase, the phases within it below. TensorRT calls from threads of its own."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bars: dict[str, tqdm[Any]] = {}
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the build is to stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Has the build stop at its next step."""
        self._cancelled.set()

    def start(self, phase: str, steps: int) -> None:
        """A phase of so many steps begins."""
        if not self._shown:
            return
        with self._lock:
            # Without a terminal there is none (`disable`).
            self._bars[phase] = tqdm(total=steps, desc=phase, leave=False, disable=None, delay=_SECONDS_UNSEEN)

    def step(self, phase: str, done: int) -> None:
        """So many steps of a phase are done."""
        with self._lock:
            if bar := self._bars.get(phase):
                bar.update(done - bar.n)

    def finish(self, phase: str) -> None:
        """A phase is over."""
        with self._lock:
            if bar := self._bars.pop(phase, None):
                bar.close()


def monitor(trt: ModuleType, progress: Progress) -> Any:
    """What TensorRT reports to. A function, because its base class is in a module that is known at run time only.

    No exception gets out of it: TensorRT would take one for a wish to stop, and print it.
    """

    class Monitor(trt.IProgressMonitor):  # type: ignore[name-defined]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)  # the bindings refuse super() here

        def phase_start(self, phase_name: str, _: str | None, num_steps: int) -> None:
            with contextlib.suppress(Exception):
                progress.start(phase_name, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            with contextlib.suppress(Exception):
                progress.step(phase_name, step + 1)
            return not progress.cancelled

        def phase_finish(self, phase_name: str) -> None:
            with contextlib.suppress(Exception):
                progress.finish(phase_name)

    return Monitor()


def interruptible(work: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Does `work` in a thread of its own, so that Ctrl-C arrives here: a library that is at work keeps it waiting.

    Then `cancel` is called, and `KeyboardInterrupt` raised when `work` has ended.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="build") as thread:
        working = None
        try:
            working = thread.submit(work)
            return working.result()
        except KeyboardInterrupt:
            cancel()
            raise
        finally:
            del working  # it holds the error, whose traceback holds this frame: a circle, and all that hangs on it
