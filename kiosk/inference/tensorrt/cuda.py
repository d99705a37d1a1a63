"""The GPU's primary context through PyCUDA, made current in a thread only while it is used there."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

import pycuda.driver as cuda

from kiosk.inference.base import EngineError


class CudaContext:
    """A reference to the primary context, which other libraries can share."""

    def __init__(self, device: cuda.Device) -> None:
        self._context = device.retain_primary_context()
        self._held = True

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """Makes the context current in this thread. Raises PyCUDA's errors, and `EngineError` after `release`."""
        if not self._held:
            raise EngineError("the engine has released the GPU")
        self._context.push()
        try:
            yield
        except BaseException:
            with contextlib.suppress(cuda.Error):  # the first error is the one to report
                self._pop()
            raise
        self._pop()

    def release(self) -> None:
        """Releases the context, from any thread. Objects made in it cannot be used or freed afterwards."""
        if not self._held:
            return
        self._held = False
        try:
            self._context.push()  # PyCUDA releases a context in a thread only while it is current there
        except cuda.Error:
            self._context.detach()  # else objects left in the context would end the process when they are deleted
            return
        self._context.detach()
        _pop_from_thread()

    def _pop(self) -> None:
        try:
            cuda.Context.pop()
        except cuda.Error:
            # PyCUDA ends the process if the thread ends with a context on its stack.
            self._held = False
            self._context.detach()
            raise


def _pop_from_thread() -> None:
    """Pops the primary context, which the driver leaves in the thread although PyCUDA believes it gone."""
    ctypes.CDLL("libcuda.so.1").cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
