"""What every engine has in common: crops in, calibrated probabilities out."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from kiosk.common.errors import KioskError
from kiosk.inference.manifest import Manifest

Crops = NDArray[np.float32]
"""(n, 1, 75, 75): gray levels divided by 255."""


class Probabilities(NamedTuple):
    """Each row sums to 1."""

    gender: NDArray[np.float32]
    """(n, 2), in the order of the manifest's gender labels."""

    age: NDArray[np.float32]
    """(n, groups), the youngest first."""

    def require_finite(self) -> Probabilities:
        """Itself. Raises `EngineError` where a probability is no number: nothing may be made of that."""
        if not (np.isfinite(self.gender).all() and np.isfinite(self.age).all()):
            raise EngineError("the engine's answers are no numbers")
        return self


class EngineError(KioskError):
    """An engine that cannot be loaded or run."""


class IncompatibleEngineError(EngineError):
    """A whole engine that this machine cannot run. Another engine may do."""


class MissingPackageError(IncompatibleEngineError):
    """What runs the engine is not installed."""


class OtherVersionError(IncompatibleEngineError):
    """The engine was built by another version, or for another kind, of TensorRT."""


class OtherGpuError(IncompatibleEngineError):
    """The engine was built for other GPUs than the one here."""


class DriverError(IncompatibleEngineError):
    """No NVIDIA driver, one that is too old, or no GPU behind it."""


class OutOfGpuMemoryError(IncompatibleEngineError):
    """The GPU has no room for the engine."""


class Engine(Protocol):
    """A compiled network. Use it from one thread, and close it from that one."""

    @property
    def name(self) -> str:
        """What runs it and where, in a few words for people."""

    @property
    def manifest(self) -> Manifest:
        """What is known of the network."""

    @property
    def fault(self) -> str | None:
        """Why this runs something else than was asked for, in one line; None while all is well.

        It can come in mid-run: an engine that fails hands on to the one on the CPU.
        """

    def infer(self, crops: Crops) -> Probabilities:
        """Runs the network. `n` may be 0. Raises `EngineError`."""

    def close(self) -> None:
        """Frees what the engine holds; it cannot be used afterwards."""
