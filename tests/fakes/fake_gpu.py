"""A GPU, PyCUDA and TensorRT that are made up, for what cannot be had on a machine without them.

Memory of the GPU is an array, a stream is a list of work that is done when somebody waits for it, and an
engine is an ONNX file that ONNX Runtime runs. Whatever needs the GPU's context fails where it is not
current. `tests/test_tensorrt_api.py` holds the names that are used here against the real ones.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from kiosk.inference import Manifest
from kiosk.inference import gpu as cuda_device
from kiosk.inference.gpu import CudaDevice
from kiosk.inference.manifest import Flavour, TensorRTBuild
from kiosk.inference.tensorrt import library as tensorrt_library
from kiosk.inference.tensorrt.cuda_graph import CudaGraphError
from kiosk.inference.tensorrt.library import TensorRTLibrary
from tests.fakes.networks import manifest_of

VERSION = "10.3.0.26"
DEVICE = CudaDevice("Orin (made up)", "8.7", "12.6")
_OWN = ("kiosk.inference.tensorrt.engine", "kiosk.inference.tensorrt.session", "kiosk.inference.tensorrt.cuda")


class FakeCudaError(Exception):
    """Stands for pycuda.driver.Error."""


class FakeGpu:
    """What happens on the GPU, and what is to go wrong there."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.current = 0
        self.retained = 0
        self.memory: dict[int, NDArray[np.uint8]] = {}
        self.streams: WeakValueDictionary[int, FakeStream] = WeakValueDictionary()
        self.failing: Exception | None = None
        self.room = 1 << 30
        self.reads_engines = True
        self.says: str | None = None
        self.records_graphs = True
        self.most = 8
        """The most crops that its engines were built for."""

    def need_context(self) -> None:
        if not self.current:
            raise FakeCudaError("invalid device context")
        if self.failing:
            raise self.failing


class FakeStream:
    def __init__(self, gpu: FakeGpu) -> None:
        gpu.need_context()
        self._gpu = gpu
        self.handle = 0x1000 + len(gpu.streams)
        self.work: list[Callable[[], None]] = []
        gpu.streams[self.handle] = self
        gpu.log.append("stream")

    def synchronize(self) -> None:
        self._gpu.need_context()
        work, self.work = self.work, []
        for step in work:
            step()

    def __del__(self) -> None:
        self._gpu.log.append("free stream")


class FakeAllocation:
    def __init__(self, gpu: FakeGpu, size: int) -> None:
        gpu.need_context()
        if size > gpu.room:
            raise FakeMemoryError("cuMemAlloc failed: out of memory")
        gpu.room -= size
        self._gpu, self._size = gpu, size
        self._address = 0x10000 * (len(gpu.memory) + 1)
        gpu.memory[self._address] = np.zeros(size, np.uint8)
        gpu.log.append("alloc")

    def __int__(self) -> int:
        return self._address

    def free(self) -> None:
        self._gpu.need_context()
        del self._gpu.memory[self._address]
        self._gpu.room += self._size
        self._gpu.log.append("free")


class FakeMemoryError(FakeCudaError):
    """Stands for pycuda.driver.MemoryError."""


class FakeGraph:
    """Stands for CudaGraph: work that is recorded, and not done until it is launched."""

    gpu: FakeGpu

    def __init__(self, stream: int, work: Callable[[], None]) -> None:
        self.gpu.need_context()
        if not self.gpu.records_graphs:
            raise CudaGraphError("cuStreamBeginCapture_v2: error 900")
        target = self.gpu.streams[stream]
        before, target.work = target.work, []
        work()
        self._recorded, target.work = target.work, before
        self.gpu.log.append("graph")

    def launch(self, stream: int) -> None:
        if self.gpu.failing:
            raise CudaGraphError("cuGraphLaunch: error 719")
        self.gpu.streams[stream].work += self._recorded
        self.gpu.log.append("launch")

    def free(self) -> None:
        self.gpu.need_context()
        self.gpu.log.append("free graph")


def fake_pycuda(gpu: FakeGpu) -> ModuleType:
    """`pycuda.driver`."""

    class Context:
        def push(self) -> None:
            assert gpu.retained, "the context was released"
            gpu.current += 1

        @staticmethod
        def pop() -> None:
            assert gpu.current, "no context to pop"
            gpu.current -= 1

        def detach(self) -> None:
            gpu.retained -= 1
            gpu.current = 0
            gpu.log.append("detach")

    class Device:
        def __init__(self, number: int) -> None:
            assert number == 0

        def name(self) -> str:
            return DEVICE.name

        def retain_primary_context(self) -> Context:
            gpu.retained += 1
            gpu.log.append("retain")
            return Context()

    def htod(device: FakeAllocation, host: NDArray[np.float32], stream: FakeStream) -> None:
        gpu.need_context()
        assert host.flags.c_contiguous

        def copy() -> None:
            gpu.memory[int(device)][: host.nbytes] = host.reshape(-1).view(np.uint8)

        stream.work.append(copy)

    def dtoh(host: NDArray[np.float32], device: FakeAllocation, stream: FakeStream) -> None:
        gpu.need_context()
        assert host.flags.c_contiguous

        def copy() -> None:
            host[...] = gpu.memory[int(device)][: host.nbytes].view(np.float32).reshape(host.shape)

        stream.work.append(copy)

    def pagelocked(shape: tuple[int, ...], kind: type[np.float32]) -> NDArray[np.float32]:
        gpu.need_context()
        return np.full(shape, np.nan, kind)

    module = ModuleType("pycuda.driver")
    vars(module).update(
        Error=FakeCudaError,
        MemoryError=FakeMemoryError,
        init=lambda: gpu.log.append("init"),
        Device=Device,
        Context=Context,
        Stream=lambda: FakeStream(gpu),
        mem_alloc=lambda size: FakeAllocation(gpu, size),
        pagelocked_empty=pagelocked,
        memcpy_htod_async=htod,
        memcpy_dtoh_async=dtoh,
    )
    return module


class FakeContext:
    """An execution context."""

    def __init__(self, gpu: FakeGpu, engine: FakeEngine) -> None:
        gpu.need_context()
        self._gpu, self._engine = gpu, engine
        self._addresses: dict[str, int] = {}
        self._shape: tuple[int, ...] | None = None
        gpu.log.append("context")

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        assert name == "chips"
        if not 1 <= shape[0] <= self._engine.most:
            return False
        self._shape = shape
        return True

    def execute_async_v3(self, handle: int) -> bool:
        shape = self._shape
        assert shape is not None, "no shape was set"
        if self._gpu.failing:
            return False

        def work() -> None:
            pixels = int(np.prod(shape))
            crops = self._gpu.memory[self._addresses["chips"]].view(np.float32)[:pixels].reshape(shape)
            answers = self._engine.session.run(["gender", "age"], {"chips": crops})
            for name, answer in zip(("gender", "age"), answers, strict=True):
                self._gpu.memory[self._addresses[name]].view(np.float32)[: answer.size] = answer.reshape(-1)

        self._gpu.streams[handle].work.append(work)
        return True

    def __del__(self) -> None:
        self._gpu.log.append("free context")


class FakeEngine:
    """A deserialised engine: an ONNX file."""

    def __init__(self, gpu: FakeGpu, content: bytes, most: int) -> None:
        self.gpu, self.most = gpu, most
        self.session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        self._nodes = [*self.session.get_inputs(), *self.session.get_outputs()]
        self.num_io_tensors = len(self._nodes)

    def get_tensor_name(self, index: int) -> str:
        return str(self._nodes[index].name)

    def get_tensor_mode(self, name: str) -> str:
        return "input" if name in {node.name for node in self.session.get_inputs()} else "output"

    def get_tensor_dtype(self, name: str) -> str:
        return next("float" if node.type == "tensor(float)" else node.type for node in self._nodes if node.name == name)

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        shape = next(node.shape for node in self._nodes if node.name == name)
        return tuple(side if isinstance(side, int) else -1 for side in shape)

    def get_tensor_profile_shape(self, name: str, index: int) -> list[tuple[int, ...]]:
        assert (name, index) == ("chips", 0)
        return [(count, 1, 75, 75) for count in (1, 1, self.most)]

    def create_execution_context(self) -> FakeContext | None:
        if self.gpu.says:
            return None
        return FakeContext(self.gpu, self)

    def __del__(self) -> None:
        self.gpu.log.append("free engine")


def fake_tensorrt(gpu: FakeGpu) -> ModuleType:
    """`tensorrt`."""

    class ILogger:
        INTERNAL_ERROR, ERROR, WARNING, INFO, VERBOSE = range(5)

    class Runtime:
        def __init__(self, logger: Any) -> None:
            self._logger = logger

        def deserialize_cuda_engine(self, content: bytes) -> FakeEngine | None:
            gpu.need_context()
            gpu.log.append("deserialise")
            if not gpu.reads_engines or gpu.says:
                if gpu.says:
                    self._logger.log(ILogger.ERROR, gpu.says)
                return None
            return FakeEngine(gpu, content, gpu.most)

    module = ModuleType("tensorrt")
    vars(module).update(
        ILogger=ILogger,
        Runtime=Runtime,
        TensorIOMode=SimpleNamespace(INPUT="input", OUTPUT="output"),
        DataType=SimpleNamespace(FLOAT="float"),
    )
    return module


def install_fake_gpu(monkeypatch: pytest.MonkeyPatch, *, most: int = 8, flavour: Flavour = "tensorrt") -> FakeGpu:
    """Makes the kiosk find a simulated GPU, TensorRT and PyCUDA until the test ends, and returns the GPU."""
    gpu = FakeGpu()
    gpu.most = most
    driver = fake_pycuda(gpu)
    pycuda = ModuleType("pycuda")
    vars(pycuda).update(driver=driver, __spec__=SimpleNamespace(name="pycuda"))
    for name, module in (("pycuda", pycuda), ("pycuda.driver", driver)):
        monkeypatch.setitem(sys.modules, name, module)
    for name in _OWN:  # they hold on to the PyCUDA that they were imported with
        monkeypatch.delitem(sys.modules, name, raising=False)
    library = TensorRTLibrary(fake_tensorrt(gpu), flavour, VERSION)
    monkeypatch.setattr(tensorrt_library, "libraries", lambda: (library,))
    monkeypatch.setattr(cuda_device, "find", lambda: DEVICE)

    FakeGraph.gpu = gpu
    monkeypatch.setattr(importlib.import_module(_OWN[1]), "CudaGraph", FakeGraph)
    monkeypatch.setattr(importlib.import_module(_OWN[2]), "_pop_from_thread", lambda: None)
    return gpu


def compiled_manifest(content: bytes, **changes: Any) -> Manifest:
    """The manifest of an engine that was compiled on the made-up GPU."""
    build = TensorRTBuild(
        flavour="tensorrt",
        version=VERSION,
        cuda=DEVICE.cuda,
        gpu=DEVICE.name,
        capabilities=(DEVICE.capability,),
        max_batch=8,
        onnx_sha256="0" * 64,
    )
    facts = {name: value for name, value in changes.items() if name in TensorRTBuild.model_fields}
    others = {name: value for name, value in changes.items() if name not in facts}
    return manifest_of(content).model_copy(
        update={"format": "tensorrt", "tensorrt": build.model_copy(update=facts), **others}
    )
