"""The interface of every engine: it turns face crops into calibrated probabilities."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.common.errors import KioskError
from kiosk.inference.manifest import Manifest

Crops = NDArray[np.float32]
"""(n, 1, 75, 75): gray levels divided by 255."""


class Probabilities(NamedTuple):
    """An engine's answers, one row per crop; each row sums to 1."""

    gender: NDArray[np.float32]
    """(n, 2), in the order of the manifest's gender labels."""

    age: NDArray[np.float32]
    """(n, age groups), the youngest group first."""

    def require_finite(self) -> Probabilities:
        """Returns itself. Raises `EngineError` if a probability is NaN or infinite."""
        if not (np.isfinite(self.gender).all() and np.isfinite(self.age).all()):
            raise EngineError("the engine's probabilities are not finite numbers")
        return self


class EngineError(KioskError):
    """An engine cannot be loaded or run."""


class IncompatibleEngineError(EngineError):
    """The engine is intact, but this machine cannot run it. Another engine may work."""


class MissingPackageError(IncompatibleEngineError):
    """A package that runs the engine is not installed."""


class OtherVersionError(IncompatibleEngineError):
    """The engine was built by another version, or for another kind, of TensorRT."""


class OtherGpuError(IncompatibleEngineError):
    """The engine was built for other GPUs than the one here."""


class DriverError(IncompatibleEngineError):
    """The NVIDIA driver is missing or too old, or it finds no GPU."""


class OutOfGpuMemoryError(IncompatibleEngineError):
    """The GPU has too little free memory for the engine."""


class Engine(Protocol):
    """A network that is ready to run. Use and close it from one thread only."""

    @property
    def name(self) -> str:
        """The library and device that run it, as text for people: `ONNX Runtime on the CPU`."""

    @property
    def manifest(self) -> Manifest:
        """The manifest of the file that runs."""

    @property
    def fault(self) -> str | None:
        """The reason why another engine than the requested one runs, in one line; None if the requested one runs.

        It can appear at any time: an engine that fails is replaced by one on the CPU.
        """

    def infer(self, crops: Crops) -> Probabilities:
        """Returns the probabilities of `n` crops; `n` may be 0. Raises `EngineError`."""

    def close(self) -> None:
        """Frees memory and device. The engine cannot be used afterwards."""
