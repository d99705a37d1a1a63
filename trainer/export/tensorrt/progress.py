"""Shows the progress of a TensorRT build, and stops it on Ctrl-C."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")

_BAR_DELAY = 0.5
"""A phase that ends sooner gets no bar."""


class Progress:
    """One bar for each phase, with its inner phases below it. TensorRT calls it from its own threads."""

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bars: dict[str, tqdm[Any]] = {}
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the build must stop."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Makes the build stop at its next step."""
        self._cancelled.set()

    def start(self, phase: str, steps: int) -> None:
        """Shows a bar for a phase that begins and has a number of steps."""
        if not self._shown:
            return
        with self._lock:
            # `disable=None` shows no bar without a terminal.
            self._bars[phase] = tqdm(total=steps, desc=phase, leave=False, disable=None, delay=_BAR_DELAY)

    def step(self, phase: str, done: int) -> None:
        """Sets the number of steps that a phase has done."""
        with self._lock:
            if bar := self._bars.get(phase):
                bar.update(done - bar.n)

    def finish(self, phase: str) -> None:
        """Removes the bar of a phase that has ended."""
        with self._lock:
            if bar := self._bars.pop(phase, None):
                bar.close()


def create_monitor(trt: ModuleType, progress: Progress) -> Any:
    """Returns an object that passes TensorRT's reports on to `progress`.

    Its class is defined here, because its base class is in a module that is known only at run time. It raises no
    exception: TensorRT would print it and stop the build.
    """

    class Monitor(trt.IProgressMonitor):  # type: ignore[name-defined]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)  # the bindings do not allow super() here

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


def run_interruptibly(work: Callable[[], T], cancel: Callable[[], None]) -> T:
    """Runs `work` in another thread and returns its result, so that Ctrl-C is noticed while a library is working.

    On Ctrl-C it calls `cancel`, waits until `work` has ended, and raises `KeyboardInterrupt`.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="build") as thread:
        future = None
        try:
            future = thread.submit(work)
            return future.result()
        except KeyboardInterrupt:
            cancel()
            raise
        finally:
            del future  # breaks the cycle of the future, its error, the traceback and this frame
