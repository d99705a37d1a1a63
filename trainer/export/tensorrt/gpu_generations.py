"""The GPU generations that TensorRT for RTX builds for: by default all but Turing, on a machine with or without a GPU.

NVIDIA's "CPU-Only AOT and TensorRT-RTX Engines" says what an engine runs on if none is named:
compute capability 8.0, 8.6, 8.9, 12.0 and later; 12.1 came with version 1.5 (its support matrix).
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from trainer.export.tensorrt.errors import BuildError

GENERATIONS: dict[str, tuple[int, ...]] = {
    "turing": (75,),
    "ampere": (80, 86),
    "ada": (89,),
    "blackwell": (120, 121),
}
"""RTX 20, 30, 40 and 50: each one's compute capabilities, times ten."""

_BY_DEFAULT = ("ampere", "ada", "blackwell")


def capabilities(generations: Sequence[str]) -> tuple[str, ...]:
    """What an engine for these generations runs on, 7.5 for turing; none named are the default ones.

    Raises `BuildError` for a generation that there is no building for.
    """
    return tuple(f"{number // 10}.{number % 10}" for number in _numbers(generations or _BY_DEFAULT))


def choose(config: Any, trt: ModuleType, generations: Sequence[str]) -> None:
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
