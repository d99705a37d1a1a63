"""The GPU's primary context through PyCUDA: current in a thread only while somebody works with it there."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

import pycuda.driver as cuda

from kiosk.inference.base import EngineError


class CudaContext:
    """A hold on it. Other libraries may hold it as well."""

    def __init__(self, device: cuda.Device) -> None:
        self._context = device.retain_primary_context()
        self._held = True

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """The context is this thread's. Raises PyCUDA's errors, and `EngineError` once it was let go."""
        if not self._held:
            raise EngineError("the GPU was let go")
        self._context.push()
        try:
            yield
        except BaseException:
            with contextlib.suppress(cuda.Error):  # what went wrong first is what matters
                self._pop()
            raise
        self._pop()

    def release(self) -> None:
        """Ends the hold, from any thread. What was made in the context and is still there is dead."""
        if not self._held:
            return
        self._held = False
        try:
            self._context.push()  # PyCUDA lets go of a context from any thread only where it is current
        except cuda.Error:
            self._context.detach()  # or what is left in the context would end the process when it is deleted
            return
        self._context.detach()
        _pop_from_thread()

    def _pop(self) -> None:
        try:
            cuda.Context.pop()
        except cuda.Error:
            # PyCUDA ends the process with the thread for a context that is still on its stack then.
            self._held = False
            self._context.detach()
            raise


def _pop_from_thread() -> None:
    """PyCUDA takes a context that it lets go of to be gone from the thread; the driver leaves a primary one there."""
    ctypes.CDLL("libcuda.so.1").cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
