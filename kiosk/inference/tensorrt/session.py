"""What a TensorRT engine holds on the GPU while it is loaded. The GPU's context is current in every call here."""

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
"""Up to so many crops a run is one CUDA graph. Few people stand before a kiosk at a time."""

_ANY = 0  # the run for any number of crops


class Session:
    """A deserialised engine with its buffers, ready to run."""

    def __init__(
        self, content: bytes, manifest: Manifest, library: TensorRTLibrary, path: Path | None, *, graphs: bool
    ) -> None:
        """Raises `EngineError` and PyCUDA's errors; what was made until then is freed."""
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
        """(n, 1, 75, 75) crops, no more than the engine takes at once → views into the output buffers."""
        assert self._tensors is not None
        count = len(crops)
        self._tensors.crops.host[:count] = crops
        run = self._runs.get(count) or self._runs[_ANY]
        run.start(count)
        self._tensors.stream.synchronize()
        return Probabilities(self._tensors.gender.host[:count], self._tensors.age.host[:count])

    def free(self) -> None:
        """Gives back everything: graphs and execution contexts before the engine, and the buffers last."""
        lost = self._tensors is not None and not self._tensors.settled()
        while self._runs:
            self._runs.popitem()[1].free()
        self._runtime_cache = None
        self._engine = self._runtime = None
        # On a GPU that is lost there is nothing to free one by one: it all goes with the context, without a word.
        if self._tensors and not lost:
            tensors, self._tensors = self._tensors, None
            tensors.free()

    def _deserialise(self, content: bytes) -> Any:
        engine = self._runtime.deserialize_cuda_engine(content)
        if engine is None:
            raise self._refusal("TensorRT cannot read the engine", OtherVersionError)
        return engine

    def _check_interface(self, manifest: Manifest) -> None:
        """The engine's own inputs and outputs against its manifest."""
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
        """One run for any number of crops, and one of its own for each small number that gets a graph."""
        for fixed in (_ANY, *range(1, min(graphed, self._max_batch) + 1)):
            run = self._runs[fixed] = _Run(tensors, self._execution_context(tensors))
            for count in range(1, self._max_batch + 1) if fixed == _ANY else [fixed]:
                run.start(count)  # the first run of a shape compiles and allocates, and must not be recorded
                tensors.stream.synchronize()
                if self._runtime_cache:
                    self._runtime_cache.save()  # at once: whoever loses patience with loading finds it next time
            if fixed != _ANY:
                run.record(fixed)

    def _execution_context(self, tensors: _Tensors) -> Any:
        arguments = [self._runtime_cache.config] if self._runtime_cache else []
        context = self._engine.create_execution_context(*arguments)
        if context is None:
            raise self._refusal("TensorRT cannot prepare the engine", IncompatibleEngineError)
        for name, buffer in tensors.by_name.items():
            context.set_tensor_address(name, int(buffer.device))
        return context

    def _refusal(self, what: str, otherwise: type[EngineError]) -> EngineError:
        """TensorRT gives nothing back, and only its log says why."""
        why = last_error(self._logger.errors)
        if "memory" in " ".join(self._logger.errors).lower():
            return OutOfGpuMemoryError(f"{what}, the GPU has no memory left: close what else uses it ({why})")
        return otherwise(f"{what}: {REBUILD} ({why})")


class _Tensors:
    """The stream, and the network's inputs and outputs on both of its ends."""

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
        """Puts the way of `count` crops to the GPU on the stream."""
        cuda.memcpy_htod_async(self.crops.device, self.crops.host[:count], self.stream)

    def fetch(self, count: int) -> None:
        """Puts the way of their probabilities back on the stream."""
        for buffer in (self.gender, self.age):
            cuda.memcpy_dtoh_async(buffer.host[:count], buffer.device, self.stream)

    def settled(self) -> bool:
        """Waits until nothing runs on the stream any more; False where the GPU is lost."""
        try:
            self.stream.synchronize()
        except cuda.Error:
            return False
        return True

    def free(self) -> None:
        """The buffers, then the stream."""
        while self.by_name:
            self.by_name.popitem()[1].free()
        del self.stream

    def _buffer(self, name: str, most: int, shape: tuple[int | None, ...]) -> _Buffer:
        buffer = self.by_name[name] = _Buffer((most, *shape))
        return buffer


class _Buffer:
    """The same array on the host, pinned, and on the GPU."""

    def __init__(self, shape: tuple[int | None, ...]) -> None:
        self.host: NDArray[np.float32] = cuda.pagelocked_empty(shape, np.float32)
        try:
            self.device = cuda.mem_alloc(self.host.nbytes)
        except BaseException:
            del self.host  # the error holds on to this object until the GPU was let go
            raise

    def free(self) -> None:
        """Both."""
        self.device.free()
        del self.host


class _Run:
    """An execution context, and the graph of its work where one could be recorded."""

    def __init__(self, tensors: _Tensors, context: Any) -> None:
        self._tensors = tensors
        self._context = context
        self._count = 0
        self._graph: CudaGraph | None = None

    def start(self, count: int) -> None:
        """Puts the work of `count` crops on the stream. Raises `EngineError`."""
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
        """From now on the work is launched as one graph, where that was seen to work."""
        # Launched kernel by kernel, it does the same; a GPU that does not even do that says so at the next run.
        with contextlib.suppress(CudaGraphError, EngineError, cuda.Error):
            self._graph = CudaGraph(self._tensors.stream.handle, lambda: self._enqueue(count))
            self._graph.launch(self._tensors.stream.handle)
            self._tensors.stream.synchronize()
            return
        self._drop_graph()

    def free(self) -> None:
        """The graph, then the execution context that it launches."""
        self._drop_graph()
        self._context = None

    def _drop_graph(self) -> None:
        if self._graph:
            self._graph.free()
        self._graph = None

    def _enqueue(self, count: int) -> None:
        # The context is no variable here: an error would hold on to it until the GPU was let go.
        self._tensors.send(count)
        if not self._context.execute_async_v3(self._tensors.stream.handle):
            raise IncompatibleEngineError("the GPU does not run the engine")
        self._tensors.fetch(count)
