"""The objects of a loaded TensorRT engine on the GPU. The GPU's context must be current in every call."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pycuda.driver as cuda
from numpy.typing import NDArray

from kiosk.inference.base import (
    Crops,
    EngineError,
    IncompatibleEngineError,
    OtherVersionError,
    OutOfGpuMemoryError,
    Probabilities,
)
from kiosk.inference.manifest import CROP_SHAPE, Manifest
from kiosk.inference.tensorrt.cuda_graph import CudaGraph, CudaGraphError
from kiosk.inference.tensorrt.library import REBUILD, TensorRTLibrary
from kiosk.inference.tensorrt.logger import create_logger, garbage_collection_paused, last_error
from kiosk.inference.tensorrt.runtime_cache import RuntimeCache

GRAPHED = 4
"""Runs of up to this many crops are CUDA graphs. Few people stand in front of a kiosk at a time."""

_ANY = 0  # the run for any number of crops


class Session:
    """A deserialised engine with its buffers and execution contexts, ready to run."""

    def __init__(
        self, content: bytes, manifest: Manifest, library: TensorRTLibrary, path: Path | None, *, graphs: bool
    ) -> None:
        """Raises `EngineError` and PyCUDA's errors, after freeing everything that was allocated."""
        assert manifest.tensorrt is not None
        self._trt = library.module
        self._logger = create_logger(library.module)
        self._max_batch = manifest.tensorrt.max_batch
        self._runs: dict[int, _Run] = {}
        self._tensors: _Tensors | None = None
        self._runtime_cache: RuntimeCache | None = None
        self._engine: Any = None
        try:
            with garbage_collection_paused():
                self._runtime = self._trt.Runtime(self._logger)
            self._engine = self._deserialise(content)
            self._check_interface(manifest)
            self._tensors = _Tensors(self._max_batch, manifest)
            if path and library.flavour == "tensorrt_rtx":
                self._runtime_cache = RuntimeCache.of(self._engine, self._trt, path)
            # TensorRT for RTX records graphs by itself, because it knows when its kernels are final.
            self._make_runs(self._tensors, GRAPHED if graphs and library.flavour == "tensorrt" else 0)
        except BaseException:
            self.free()
            raise

    def run(self, crops: Crops) -> Probabilities:
        """Returns the probabilities of at most `max_batch` crops, (n, 1, 75, 75), as views of the output buffers.

        The next run overwrites them. Raises `EngineError` and PyCUDA's errors.
        """
        assert self._tensors is not None
        count = len(crops)
        self._tensors.crops.host[:count] = crops
        run = self._runs.get(count) or self._runs[_ANY]
        run.start(count)
        self._tensors.stream.synchronize()
        return Probabilities(self._tensors.gender.host[:count], self._tensors.age.host[:count])

    def free(self) -> None:
        """Frees graphs and execution contexts, then the engine, and the buffers last."""
        lost = self._tensors is not None and not self._tensors.synchronize()
        while self._runs:
            self._runs.popitem()[1].free()
        self._runtime_cache = None
        self._engine = self._runtime = None
        # On a lost GPU, everything is freed together with the context.
        if self._tensors and not lost:
            tensors, self._tensors = self._tensors, None
            tensors.free()

    def _deserialise(self, content: bytes) -> Any:
        engine = self._runtime.deserialize_cuda_engine(content)
        if engine is None:
            raise self._error("TensorRT cannot read the engine", OtherVersionError)
        return engine

    def _check_interface(self, manifest: Manifest) -> None:
        """Raises `EngineError` if the engine's inputs or outputs are not those of its manifest."""
        trt = self._trt
        found = {
            name: (
                self._engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT,
                self._engine.get_tensor_dtype(name) == trt.DataType.FLOAT,
                tuple(self._engine.get_tensor_shape(name)),
            )
            for name in map(self._engine.get_tensor_name, range(self._engine.num_io_tensors))
        }
        expected = {
            "chips": (True, True, (-1, *CROP_SHAPE[1:])),
            "gender": (False, True, (-1, len(manifest.gender_labels))),
            "age": (False, True, (-1, len(manifest.age_groups))),
        }
        if found != expected:
            raise EngineError(f"the engine's inputs and outputs, {sorted(found)}, are not what its manifest says")
        _, _, (most, *_) = self._engine.get_tensor_profile_shape("chips", 0)
        if most != self._max_batch:
            raise EngineError(f"the engine takes {most} chips at once, its manifest says {self._max_batch}")

    def _make_runs(self, tensors: _Tensors, graphed: int) -> None:
        """Makes one run for any number of crops, and one for each small number that gets a graph."""
        for fixed in (_ANY, *range(1, min(graphed, self._max_batch) + 1)):
            run = self._runs[fixed] = _Run(tensors, self._execution_context(tensors))
            for count in range(1, self._max_batch + 1) if fixed == _ANY else [fixed]:
                run.start(count)  # the first run of a shape compiles and allocates, and must not be recorded
                tensors.stream.synchronize()
                if self._runtime_cache:
                    self._runtime_cache.save()  # at once, so that a start that is cut short has not compiled in vain
            if fixed != _ANY:
                run.record(fixed)

    def _execution_context(self, tensors: _Tensors) -> Any:
        arguments = [self._runtime_cache.config] if self._runtime_cache else []
        context = self._engine.create_execution_context(*arguments)
        if context is None:
            raise self._error("TensorRT cannot prepare the engine", IncompatibleEngineError)
        for name, buffer in tensors.by_name.items():
            context.set_tensor_address(name, int(buffer.device))
        return context

    def _error(self, what: str, otherwise: type[EngineError]) -> EngineError:
        """Returns the error for a call that returned None, with the reason from TensorRT's log."""
        why = last_error(self._logger.errors)
        if "memory" in " ".join(self._logger.errors).lower():
            return OutOfGpuMemoryError(f"{what}, the GPU has no memory left: close what else uses it ({why})")
        return otherwise(f"{what}: {REBUILD} ({why})")


class _Tensors:
    """The stream, and the network's inputs and outputs on host and GPU."""

    def __init__(self, most: int, manifest: Manifest) -> None:
        self.stream = cuda.Stream()
        self.by_name: dict[str, _Buffer] = {}
        try:
            self.crops = self._buffer("chips", most, CROP_SHAPE[1:])
            self.gender = self._buffer("gender", most, (len(manifest.gender_labels),))
            self.age = self._buffer("age", most, (len(manifest.age_groups),))
        except BaseException:
            self.free()
            raise

    def send(self, count: int) -> None:
        """Queues the copy of `count` crops to the GPU on the stream."""
        cuda.memcpy_htod_async(self.crops.device, self.crops.host[:count], self.stream)

    def fetch(self, count: int) -> None:
        """Queues the copy of their probabilities to the host on the stream."""
        for buffer in (self.gender, self.age):
            cuda.memcpy_dtoh_async(buffer.host[:count], buffer.device, self.stream)

    def synchronize(self) -> bool:
        """Waits until the stream is idle; returns False if the GPU is lost."""
        try:
            self.stream.synchronize()
        except cuda.Error:
            return False
        return True

    def free(self) -> None:
        """Frees the buffers, then the stream."""
        while self.by_name:
            self.by_name.popitem()[1].free()
        del self.stream

    def _buffer(self, name: str, most: int, shape: tuple[int | None, ...]) -> _Buffer:
        buffer = self.by_name[name] = _Buffer((most, *shape))
        return buffer


class _Buffer:
    """An array on the GPU and its page-locked copy on the host."""

    def __init__(self, shape: tuple[int | None, ...]) -> None:
        self.host: NDArray[np.float32] = cuda.pagelocked_empty(shape, np.float32)
        try:
            self.device = cuda.mem_alloc(self.host.nbytes)
        except BaseException:
            del self.host  # the error refers to this object until the GPU is released
            raise

    def free(self) -> None:
        """Frees both arrays."""
        self.device.free()
        del self.host


class _Run:
    """An execution context, and the graph of its work if one could be recorded."""

    def __init__(self, tensors: _Tensors, context: Any) -> None:
        self._tensors = tensors
        self._context = context
        self._count = 0
        self._graph: CudaGraph | None = None

    def start(self, count: int) -> None:
        """Queues the work for `count` crops on the stream. Raises `EngineError`."""
        if self._graph:
            try:
                self._graph.launch(self._tensors.stream.handle)
            except CudaGraphError as error:
                raise IncompatibleEngineError(f"the GPU does not run the engine: {error}") from error
            return
        if count != self._count:
            if not self._context.set_input_shape("chips", (count, *CROP_SHAPE[1:])):
                raise IncompatibleEngineError(f"the engine does not take {count} chips at once")
            self._count = count
        self._enqueue(count)

    def record(self, count: int) -> None:
        """Records the work as a graph and launches it once. If that works, later runs use the graph."""
        # Without a graph the kernels are launched one by one; a lost GPU is reported at the next run.
        with contextlib.suppress(CudaGraphError, EngineError, cuda.Error):
            self._graph = CudaGraph(self._tensors.stream.handle, lambda: self._enqueue(count))
            self._graph.launch(self._tensors.stream.handle)
            self._tensors.stream.synchronize()
            return
        self._drop_graph()

    def free(self) -> None:
        """Frees the graph, then the execution context that it launches."""
        self._drop_graph()
        self._context = None

    def _drop_graph(self) -> None:
        if self._graph:
            self._graph.free()
        self._graph = None

    def _enqueue(self, count: int) -> None:
        # No local variable for the context: an error's traceback would keep it alive until the GPU is released.
        self._tensors.send(count)
        if not self._context.execute_async_v3(self._tensors.stream.handle):
            raise IncompatibleEngineError("the GPU does not run the engine")
        self._tensors.fetch(count)
