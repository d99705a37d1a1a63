"""An ONNX file → a TensorRT engine, compiled by whichever TensorRT is here.

There is one way for TensorRT 10 and 11 and for TensorRT for RTX: a strongly typed network. TensorRT 11
has no other, and it says what is computed in which precision by the ONNX file alone: float16 weights,
or explicit pairs of quantise and dequantise. Building needs no PyCUDA, and TensorRT for RTX no GPU.
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
from trainer.export.tensorrt.errors import NO_NETWORK, BuildError, build_refusal, parse_refusal
from trainer.export.tensorrt.progress import Progress, interruptible, monitor

_INPUT = "chips"
_OUTPUTS = ("gender", "age")

# TensorRT looks for weights in other files beside the ONNX file, and without its path in the current
# folder: no manifest would cover them. This is a folder that cannot be.
_NOWHERE = f"{os.devnull}/network.onnx"

_MIB = 2**20
_LEVELS = (None, logging.INFO, logging.DEBUG)  # of TensorRT's messages, by verbosity

_Described = dict[str, tuple[Any, tuple[int, ...]]]
"""Data type and shape of tensors by name; -1 is a number that is known at run time only."""


@dataclass(frozen=True)
class Compiled:
    """An engine, not yet on the disk."""

    content: bytes
    build: TensorRTBuild
    """What its manifest says of how it was built."""


def compile_engine(
    onnx: bytes,
    library: TensorRTLibrary,
    *,
    max_batch: int,
    workspace: int | None = None,
    generations: Sequence[str] = (),
    progress: bool = True,
    verbosity: int = 0,
) -> Compiled:
    """Compiles an ONNX file for 1 to `max_batch` crops a run.

    `workspace` is the most memory, in MiB, that a layer may use for itself; by default all of the
    GPU's. `generations` are those of `trainer.export.tensorrt.builder`, for TensorRT for RTX alone. TensorRT's
    own messages are shown from `verbosity` 1 on, all of them from 2 on, and its progress while they
    are not. Raises `BuildError`, and `KeyboardInterrupt` once TensorRT has stopped.
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
    work = partial(_compiled, onnx, library, gpu, max_batch, workspace, generations, shown)
    with _messages(verbosity):
        try:
            content = interruptible(partial(_freed, work), shown.cancel)
        except MemoryError as error:
            raise build_refusal(library, ["the machine is out of memory"]) from error
    return Compiled(content, build)


def _gpu(library: TensorRTLibrary) -> CudaDevice | None:
    if library.flavour == "tensorrt_rtx":
        return cuda_device.find_or_none()
    try:
        return cuda_device.find()
    except DriverError as error:
        raise BuildError(
            f"TensorRT builds only on the GPU that is to run the engine, and {error}; "
            "TensorRT for RTX builds without one: `pip install tensorrt_rtx`"
        ) from error


def _capabilities(library: TensorRTLibrary, gpu: CudaDevice | None, generations: Sequence[str]) -> tuple[str, ...]:
    if library.flavour == "tensorrt_rtx":
        return capabilities_of(generations)
    if generations:
        raise BuildError("TensorRT builds for this machine's own GPU: only TensorRT for RTX takes other generations")
    assert gpu is not None
    return (gpu.capability,)


def _freed(work: Callable[[], bytes]) -> bytes:
    """Does `work`, after which none of TensorRT's objects is left, whether it went well or not.

    What an error holds on to lives as long as the error, and would be freed at a moment of Python's choosing.
    """
    with garbage_collection_paused():
        try:
            return work()
        except BaseException as error:
            traceback.clear_frames(error.__traceback__)
            raise


def _compiled(
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
    except (TypeError, RuntimeError) as error:  # what the bindings make of a null pointer
        raise build_refusal(library, logger.errors) from error
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)  # the weights are its own, so it stays until all is built
    if not parser.parse(onnx, _NOWHERE):
        raise parse_refusal(library, parser, logger.errors)
    _check_interface(trt, network)

    config = builder.create_builder_config()
    config.clear_flag(trt.BuilderFlag.TF32)  # float32 is to mean float32; who wants speed asks for float16
    if workspace is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace * _MIB)
    profile = builder.create_optimization_profile()
    # Fastest for one crop: mostly one person stands before a kiosk, and waits for the answer.
    profile.set_shape(_INPUT, (1, *CROP_SHAPE[1:]), (1, *CROP_SHAPE[1:]), (max_batch, *CROP_SHAPE[1:]))
    if config.add_optimization_profile(profile) < 0:
        raise build_refusal(library, logger.errors)
    if generations:
        choose_generations(config, trt, generations)
    config.progress_monitor = monitor(trt, progress)

    timings = timing_cache.cache_file(library, gpu) if gpu and library.flavour == "tensorrt" else None
    cache = timing_cache.load(config, timings) if timings else None
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise build_refusal(library, logger.errors)
    if timings and cache is not None:
        timing_cache.save(cache, timings)
    return bytes(plan)


def _check_interface(trt: ModuleType, network: Any) -> None:
    """The network's own inputs and outputs against what every engine must have."""
    inputs = _described(map(network.get_input, range(network.num_inputs)))
    outputs = _described(map(network.get_output, range(network.num_outputs)))
    if not inputs and not outputs:  # TensorRT's parser calls random bytes a good, empty network
        raise BuildError(NO_NETWORK)
    if inputs != {_INPUT: (trt.DataType.FLOAT, (-1, *CROP_SHAPE[1:]))}:
        raise BuildError(f"the network's inputs are {_words(inputs)}: it must be chips, float (-1, 1, 75, 75)")
    classes = {name: shape[-1] if len(shape) == 2 else 0 for name, (_, shape) in outputs.items()}
    if (
        outputs != {name: (trt.DataType.FLOAT, (-1, classes.get(name, 0))) for name in _OUTPUTS}
        or classes["gender"] != len(GENDER_LABELS)
        or classes["age"] < 2
    ):
        raise BuildError(
            f"the network's outputs are {_words(outputs)}: "
            "they must be gender, float (-1, 2), and age, float (-1, age groups)"
        )


def _described(tensors: Iterable[Any]) -> _Described:
    return {tensor.name: (tensor.dtype, tuple(tensor.shape)) for tensor in tensors}


def _words(tensors: _Described) -> str:
    return " and ".join(f"{name}, {dtype.name.lower()} {shape}" for name, (dtype, shape) in tensors.items()) or "none"


@contextmanager
def _messages(verbosity: int) -> Iterator[None]:
    """Shows TensorRT's messages meanwhile."""
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


GENERATIONS: dict[str, tuple[int, ...]] = {
    "turing": (75,),
    "ampere": (80, 86),
    "ada": (89,),
    "blackwell": (120, 121),
}
"""RTX 20, 30, 40 and 50: each one's compute capabilities, times ten."""

_BY_DEFAULT = ("ampere", "ada", "blackwell")


def capabilities_of(generations: Sequence[str]) -> tuple[str, ...]:
    """What an engine for these generations runs on, 7.5 for turing; none named are the default ones.

    Raises `BuildError` for a generation that there is no building for.
    """
    return tuple(f"{number // 10}.{number % 10}" for number in _numbers(generations or _BY_DEFAULT))


def choose_generations(config: Any, trt: ModuleType, generations: Sequence[str]) -> None:
    """Has an engine built for the named generations alone. Raises `BuildError`."""
    if not hasattr(trt, "ComputeCapability"):
        raise BuildError(f"the Python module {trt.__name__} cannot choose GPU generations: `pip install tensorrt_rtx`")
    numbers = _numbers(generations)
    config.num_compute_capabilities = len(numbers)  # first, or every index is out of range
    for index, number in enumerate(numbers):
        if not config.set_compute_capability(trt.ComputeCapability(number), index):
            raise BuildError(
                f"this version of TensorRT for RTX does not build for compute capability {number // 10}.{number % 10}"
            )


def _numbers(generations: Sequence[str]) -> list[int]:
    for name in generations:
        if name not in GENERATIONS:
            raise BuildError(
                f"TensorRT for RTX does not build for {name}, only for {', '.join(GENERATIONS)}; "
                "any other GPU needs TensorRT itself"
            )
    return [number for name, numbers in GENERATIONS.items() if name in generations for number in numbers]
