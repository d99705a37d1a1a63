"""CUDA graphs: they record a run of the network once and launch it as a whole, instead of kernel by kernel.

PyCUDA 2026.1 has no graphs, so this calls five functions of the driver as CUDA's cuda.h declares them. The caller's
context must be current. This module does not need PyCUDA.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

_THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: calls of other threads do not end the recording
_Handle = ctypes.c_void_p


class CudaGraphError(Exception):
    """The driver refused a call. The work can still be launched kernel by kernel."""


class CudaGraph:
    """Work recorded from a stream."""

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        """Records what `work` puts on the stream, without running it. `stream` is the address of a CUstream.

        Raises `CudaGraphError` and the errors of `work`; the stream stays usable in both cases.
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
        """Puts the recorded work on a stream, without waiting for it. Raises `CudaGraphError`."""
        self._do("cuGraphLaunch", self._executable, _Handle(stream))

    def free(self) -> None:
        """Frees the graph in the driver."""
        if self._executable:
            self._driver.cuGraphExecDestroy(self._executable)
        if self._graph:
            self._driver.cuGraphDestroy(self._graph)
        self._graph, self._executable = _Handle(), _Handle()

    def _do(self, function: str, *arguments: object) -> None:
        code = getattr(self._driver, function)(*arguments)
        if code:
            raise CudaGraphError(f"{function}: error {code}")
