"""The emulated driver as a test sees it, and the module `tensorrt` that works on it.

For a process that has `emulated_driver.c` as its libcuda.so.1. There PyCUDA and the kiosk's engine are
the real ones; an engine is an ONNX file, which ONNX Runtime runs on the memory of the emulated GPU.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

from kiosk.inference import Manifest
from tests.fakes.fake_gpu import compiled_manifest

MOST = 8
VERSION = "10.3.0"

ALL_IS_WELL, GPU_LOST, ALL_LOST = range(3)
LAUNCH_FAILED = 719

_library = ctypes.CDLL("libcuda.so.1")
_library.emulated_call.restype = ctypes.c_char_p
_Function = ctypes.CFUNCTYPE(ctypes.c_int)

misplaced: list[str] = []
"""What TensorRT was made to do without a context."""


class Held(NamedTuple):
    """How much of what the driver holds."""

    device: int
    pinned: int
    streams: int
    graphs: int
    executables: int
    retained: int
    """How often the primary context was retained."""
    depth: int
    """Of this thread's stack of contexts."""
    left_behind: int
    """What was not freed before its context was."""


NOTHING = Held(0, 0, 0, 0, 0, 0, 0, 0)


def held() -> Held:
    others = (_library.emulated_retained(), _library.emulated_depth(), _library.emulated_left_behind())
    return Held._make([*map(_library.emulated_held, range(5)), *others])


def calls() -> list[str]:
    """The names of the driver's functions that were called, in order; it remembers the last 65536."""
    return [_library.emulated_call(index).decode() for index in range(_library.emulated_calls())]


def fail(name: str = "", after: int = 0, loses: int = ALL_IS_WELL) -> None:
    """Has one call of a driver's function, or of any, fail: the first or after so many others."""
    _library.emulated_fail(name.encode(), after, LAUNCH_FAILED, loses)


def leave(room: int) -> None:
    """So many bytes are free on the GPU, and no more."""
    _library.emulated_room(ctypes.c_size_t(room))


def restart() -> None:
    """As after a new start of the driver."""
    misplaced.clear()
    _library.emulated_restart()


def manifest_of_engine(content: bytes) -> Manifest:
    return compiled_manifest(content, version=VERSION)


def tensorrt() -> ModuleType:
    """The module. It takes its version from the driver's library, where the real one has TensorRT's."""
    bindings = ModuleType("tensorrt.bindings")
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    bindings.__file__ = next(line.split()[-1] for line in mapped if "libcuda.so.1" in line)
    sys.modules[bindings.__name__] = bindings
    if settings := os.environ.get("EMULATED_FAILURE"):  # for a process that no test runs in
        name, after, loses = settings.split()
        fail(name, int(after), int(loses))
    module = ModuleType("tensorrt")
    vars(module).update(
        ILogger=_ILogger,
        Logger=type("Logger", (_ILogger,), {"__module__": bindings.__name__}),
        Runtime=_Runtime,
        TensorIOMode=SimpleNamespace(INPUT="input", OUTPUT="output"),
        DataType=SimpleNamespace(FLOAT="float"),
    )
    return module


def _need_context(what: str) -> None:
    if not (_library.emulated_depth() and _library.emulated_retained()):
        misplaced.append(what)


class _ILogger:
    INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)


class _Runtime:
    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def deserialize_cuda_engine(self, content: bytes) -> _Engine | None:
        weights = ctypes.c_void_p()
        if _library.cuMemAlloc_v2(ctypes.byref(weights), ctypes.c_size_t(len(content))):
            self._logger.log(_ILogger.ERROR, "Requested amount of GPU memory could not be allocated.")
            return None
        return _Engine(content, weights)


class _Engine:
    def __init__(self, content: bytes, weights: ctypes.c_void_p) -> None:
        self._weights = weights
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self._nodes = {node.name: node for node in (*self.session.get_inputs(), *self.session.get_outputs())}
        self.num_io_tensors = len(self._nodes)

    def get_tensor_name(self, index: int) -> str:
        return list(self._nodes)[index]

    def get_tensor_mode(self, name: str) -> str:
        return "input" if name == "chips" else "output"

    def get_tensor_dtype(self, name: str) -> str:
        return "float" if self._nodes[name].type == "tensor(float)" else "other"

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(side if isinstance(side, int) else -1 for side in self._nodes[name].shape)

    def get_tensor_profile_shape(self, name: str, index: int) -> list[tuple[int, ...]]:
        assert (name, index) == ("chips", 0)
        return [(count, 1, 75, 75) for count in (1, 1, MOST)]

    def create_execution_context(self) -> _ExecutionContext:
        return _ExecutionContext(self)

    def __del__(self) -> None:
        _need_context("to free an engine")
        _library.cuMemFree_v2(self._weights)


class _ExecutionContext:
    """It keeps its engine, as the real one does."""

    def __init__(self, engine: _Engine) -> None:
        _need_context("to make an execution context")
        self._engine = engine
        self._addresses: dict[str, int] = {}
        self._count = 0
        self._functions: dict[int, Any] = {}

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert (name, shape[1:]) == ("chips", (1, 75, 75))
        self._count = shape[0]
        return 1 <= shape[0] <= MOST

    def execute_async_v3(self, handle: int) -> bool:
        function = self._functions.setdefault(self._count, _Function(self._work(self._count)))
        return _library.emulated_work(ctypes.c_void_p(handle), function) == 0

    def _work(self, count: int) -> Callable[[], int]:
        session, addresses = self._engine.session, self._addresses

        def work() -> int:
            answers = session.run(["gender", "age"], {"chips": _at(addresses["chips"], (count, 1, 75, 75))})
            for name, answer in zip(("gender", "age"), answers, strict=True):
                _at(addresses[name], answer.shape)[...] = answer
            return 0

        return work

    def __del__(self) -> None:
        _need_context("to free an execution context")


def _at(address: int, shape: tuple[int, ...]) -> Any:
    """The emulated GPU's memory as an array."""
    return np.ctypeslib.as_array(ctypes.cast(address, ctypes.POINTER(ctypes.c_float)), shape)
