"""CUDA graphs: a run of the network recorded once and launched whole, which saves launching each kernel.

PyCUDA does not have them (2026.1), so the driver is called directly: five functions, as CUDA's cuda.h
declares them. The caller's context must be current.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: what other threads do does not spoil the recording
_Handle = ctypes.c_void_p


class CudaGraphError(Exception):
    """The driver refused. The work can still be launched kernel by kernel."""


class CudaGraph:
    """Work that was recorded from a stream."""

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        """Records what `work` puts on the stream (a CUstream's address), without doing it.

        Raises `CudaGraphError`, and whatever `work` raises; the stream is usable again in both cases.
        """
        self._driver = ctypes.CDLL("libcuda.so.1")
        self._graph, self._executable = _Handle(), _Handle()
        self._do("cuStreamBeginCapture_v2", _Handle(stream), _THREAD_LOCAL)
        try:
            work()
        finally:
            ended = self._driver.cuStreamEndCapture(_Handle(stream), ctypes.byref(self._graph))
        if ended or not self._graph:
            raise CudaGraphError(f"cuStreamEndCapture: error {ended}")
        try:
            self._do("cuGraphInstantiateWithFlags", ctypes.byref(self._executable), self._graph, ctypes.c_ulonglong(0))
        except CudaGraphError:
            self.free()
            raise

    def launch(self, stream: int) -> None:
        """Puts the recorded work on a stream. Raises `CudaGraphError`."""
        self._do("cuGraphLaunch", self._executable, _Handle(stream))

    def free(self) -> None:
        """Gives back what the driver holds for it."""
        if self._executable:
            self._driver.cuGraphExecDestroy(self._executable)
        if self._graph:
            self._driver.cuGraphDestroy(self._graph)
        self._graph, self._executable = _Handle(), _Handle()

    def _do(self, function: str, *arguments: object) -> None:
        code = getattr(self._driver, function)(*arguments)
        if code:
            raise CudaGraphError(f"{function}: error {code}")
