"""Compiles an ONNX file into an engine, with TensorRT 10 or 11, or with TensorRT for RTX.

All of them compile a strongly typed network, because TensorRT 11 has no other kind. There the ONNX file alone
determines the precision: by float16 weights, or by QuantizeLinear and DequantizeLinear. Building needs no PyCUDA, and
with TensorRT for RTX no GPU.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from kiosk.inference import gpu as cuda_device
from kiosk.inference.base import DriverError
from kiosk.inference.gpu import CudaDevice
from kiosk.inference.manifest import CROP_SHAPE, GENDER_LABELS, TensorRTBuild, sha256_of
from kiosk.inference.tensorrt import logger as tensorrt_logger
from kiosk.inference.tensorrt.library import TensorRTLibrary
from kiosk.inference.tensorrt.logger import create_logger, garbage_collection_paused
from trainer.export.tensorrt import timing_cache
from trainer.export.tensorrt.errors import NOT_ONNX, BuildError, build_error, parse_error
from trainer.export.tensorrt.progress import Progress, create_monitor, run_interruptibly

GENERATIONS: dict[str, tuple[int, ...]] = {
    "turing": (75,),
    "ampere": (80, 86),
    "ada": (89,),
    "blackwell": (120, 121),
}
"""Compute capabilities, times ten, of the generations RTX 20, 30, 40 and 50."""

_BY_DEFAULT = ("ampere", "ada", "blackwell")

_INPUT = "chips"
_OUTPUTS = ("gender", "age")

# TensorRT looks for external weights beside the ONNX file, or in the current folder if it has no path. No manifest
# covers them. This path cannot exist.
_NO_SUCH_PATH = f"{os.devnull}/network.onnx"

_MIB = 2**20
_LEVELS = (None, logging.INFO, logging.DEBUG)  # of TensorRT's messages, by verbosity

_Described = dict[str, tuple[Any, tuple[int, ...]]]
"""Data type and shape of tensors by name; -1 stands for a number that is known only at run time."""


@dataclass(frozen=True)
class CompiledEngine:
    """A compiled engine, before it is written."""

    content: bytes
    build: TensorRTBuild
    """The manifest's entry about the build."""


def compile_engine(
    onnx: bytes,
    library: TensorRTLibrary,
    *,
    max_batch: int,
    workspace: int | None = None,
    generations: Sequence[str] = (),
    progress: bool = True,
    verbosity: int = 0,
) -> CompiledEngine:
    """Compiles the content of an ONNX file for 1 to `max_batch` crops in a call.

    `workspace` is the most memory of a layer, in MiB; None means all of the GPU's. `generations` are names from
    `GENERATIONS`, only for TensorRT for RTX. `verbosity` 0 shows a progress bar, 1 TensorRT's messages, 2 all of them.
    Raises `BuildError`, and `KeyboardInterrupt` after TensorRT has stopped.
    """
    gpu = _gpu(library)
    build = TensorRTBuild(
        flavour=library.flavour,
        version=library.version,
        cuda=gpu.cuda if gpu else None,
        gpu=gpu.name if gpu else None,
        capabilities=_capabilities(library, gpu, generations),
        max_batch=max_batch,
        onnx_sha256=sha256_of(onnx),
    )
    shown = Progress(shown=progress and not verbosity)
    work = partial(_build_plan, onnx, library, gpu, max_batch, workspace, generations, shown)
    with _show_messages(verbosity):
        try:
            content = run_interruptibly(partial(_run_and_free, work), shown.cancel)
        except MemoryError as error:
            raise build_error(library, ["the machine is out of memory"]) from error
    return CompiledEngine(content, build)


def compute_capabilities(generations: Sequence[str]) -> tuple[str, ...]:
    """Returns the compute capabilities of GPU generations, such as `7.5` for turing; without names, the default ones.

    Raises `BuildError` for a generation that is not in `GENERATIONS`.
    """
    return tuple(f"{number // 10}.{number % 10}" for number in _numbers(generations or _BY_DEFAULT))


def choose_generations(config: Any, trt: ModuleType, generations: Sequence[str]) -> None:
    """Configures a build for the named GPU generations only. Raises `BuildError`."""
    if not hasattr(trt, "ComputeCapability"):
        raise BuildError(f"the Python module {trt.__name__} cannot choose GPU generations: `pip install tensorrt_rtx`")
    numbers = _numbers(generations)
    config.num_compute_capabilities = len(numbers)  # must come first, otherwise every index is out of range
    for index, number in enumerate(numbers):
        if not config.set_compute_capability(trt.ComputeCapability(number), index):
            raise BuildError(
                f"this version of TensorRT for RTX does not build for compute capability {number // 10}.{number % 10}"
            )


def _gpu(library: TensorRTLibrary) -> CudaDevice | None:
    if library.flavour == "tensorrt_rtx":
        return cuda_device.find_or_none()
    try:
        return cuda_device.find()
    except DriverError as error:
        raise BuildError(
            f"TensorRT builds only on the GPU that runs the engine, and {error}; "
            "TensorRT for RTX builds without a GPU: `pip install tensorrt_rtx`"
        ) from error


def _capabilities(library: TensorRTLibrary, gpu: CudaDevice | None, generations: Sequence[str]) -> tuple[str, ...]:
    if library.flavour == "tensorrt_rtx":
        return compute_capabilities(generations)
    if generations:
        raise BuildError("TensorRT builds only for this machine's GPU: leave out --gpus, or use --runtime tensorrt_rtx")
    assert gpu is not None
    return (gpu.capability,)


def _run_and_free(work: Callable[[], bytes]) -> bytes:
    """Runs `work`, and frees all of TensorRT's objects afterwards, also after an error.

    An error's traceback would keep them alive, and Python would free them at an unknown time.
    """
    with garbage_collection_paused():
        try:
            return work()
        except BaseException as error:
            traceback.clear_frames(error.__traceback__)
            raise


def _build_plan(
    onnx: bytes,
    library: TensorRTLibrary,
    gpu: CudaDevice | None,
    max_batch: int,
    workspace: int | None,
    generations: Sequence[str],
    progress: Progress,
) -> bytes:
    trt = library.module
    logger = create_logger(trt)
    try:
        builder = trt.Builder(logger)
    except (TypeError, RuntimeError) as error:  # the bindings raise these for a null pointer
        raise build_error(library, logger.errors) from error
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)  # it owns the weights, so it must live until the end
    if not parser.parse(onnx, _NO_SUCH_PATH):
        raise parse_error(library, parser, logger.errors)
    _check_interface(trt, network)

    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # fp32 means float32; fp16 is there for speed
    if workspace is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace * _MIB)
    profile = builder.create_optimization_profile()
    # Optimised for one crop: mostly one person stands before a kiosk and waits for the answer.
    profile.set_shape(_INPUT, (1, *CROP_SHAPE[1:]), (1, *CROP_SHAPE[1:]), (max_batch, *CROP_SHAPE[1:]))
    if config.add_optimization_profile(profile) < 0:
        raise build_error(library, logger.errors)
    if generations:
        choose_generations(config, trt, generations)
    config.progress_monitor = create_monitor(trt, progress)

    timings = timing_cache.cache_file(library, gpu) if gpu and library.flavour == "tensorrt" else None
    cache = timing_cache.load(config, timings) if timings else None
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise build_error(library, logger.errors)
    if timings and cache is not None:
        timing_cache.save(cache, timings)
    return bytes(plan)


def _check_interface(trt: ModuleType, network: Any) -> None:
    """Raises `BuildError` unless the network has the inputs and outputs of every engine."""
    inputs = _describe(map(network.get_input, range(network.num_inputs)))
    outputs = _describe(map(network.get_output, range(network.num_outputs)))
    if not inputs and not outputs:  # TensorRT's parser accepts random bytes as an empty network
        raise BuildError(NOT_ONNX)
    if inputs != {_INPUT: (trt.DataType.FLOAT, (-1, *CROP_SHAPE[1:]))}:
        raise BuildError(f"the network's inputs are {_tensors_text(inputs)}: it must be chips, float (-1, 1, 75, 75)")
    classes = {name: shape[-1] if len(shape) == 2 else 0 for name, (_, shape) in outputs.items()}
    if (
        outputs != {name: (trt.DataType.FLOAT, (-1, classes.get(name, 0))) for name in _OUTPUTS}
        or classes["gender"] != len(GENDER_LABELS)
        or classes["age"] < 2
    ):
        raise BuildError(
            f"the network's outputs are {_tensors_text(outputs)}: "
            "they must be gender, float (-1, 2), and age, float (-1, age groups)"
        )


def _describe(tensors: Iterable[Any]) -> _Described:
    return {tensor.name: (tensor.dtype, tuple(tensor.shape)) for tensor in tensors}


def _tensors_text(tensors: _Described) -> str:
    return " and ".join(f"{name}, {dtype.name.lower()} {shape}" for name, (dtype, shape) in tensors.items()) or "none"


@contextmanager
def _show_messages(verbosity: int) -> Iterator[None]:
    """Shows TensorRT's messages on standard error while the block runs."""
    level = _LEVELS[min(verbosity, len(_LEVELS) - 1)]
    if level is None:
        yield
        return
    log = logging.getLogger(tensorrt_logger.__name__)
    before, handler = log.level, logging.StreamHandler()
    log.addHandler(handler)
    log.setLevel(level)
    try:
        yield
    finally:
        log.setLevel(before)
        log.removeHandler(handler)


def _numbers(generations: Sequence[str]) -> list[int]:
    for name in generations:
        if name not in GENERATIONS:
            raise BuildError(
                f"TensorRT for RTX does not build for {name}, only for {', '.join(GENERATIONS)}: "
                "use TensorRT for other GPUs"
            )
    return [number for name, numbers in GENERATIONS.items() if name in generations for number in numbers]
