"""The interface of the vision process to the rest of the kiosk: state, modes, observations, preview."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict

from kiosk.common.strict_model import StrictModel
from kiosk.estimate import MeasuredAccuracy, Observation


class VisionState(enum.Enum):
    """The state of the vision process."""

    STARTING = "starting"
    RUNNING = "running"
    NO_CAMERA = "no camera"
    """The process runs, but the camera is disconnected; it keeps trying."""
    RESTARTING = "restarting"
    """The process died or hung; a new one is being started."""
    ENDED = "ended"
    """The source ended."""
    FAILED = "failed"
    """It cannot work with these settings; `fault` says why. Only a missing engine is tried again."""


class VisionMode(enum.Enum):
    """What vision may do with the people it sees."""

    PRESENCE = "notice"
    """Report only where faces are, without estimates."""
    ESTIMATE = "estimate"
    AGE_CHECK = "age check"
    """Estimate, and judge liveness."""
    SERVICE = "service"
    """The same, and report landmarks. For the operator, behind the service PIN."""


class EngineInfo(StrictModel):
    """The engine that runs the network, as the service pages and the fleet report it."""

    model_config = ConfigDict(extra="ignore")

    name: str
    precision: str
    accuracy: MeasuredAccuracy | None
    """The measured accuracy, or None."""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Preview:
    """An image to show, and the number of its frame."""

    frame: int
    """The source's number of the frame, as in the frame's `Observation`."""

    image: NDArray[np.uint8]
    """(height, width, 3) BGR or (height, width, 4) BGR with an unused byte, uint8. Large frames are reduced.

    The image may lie in shared memory that is overwritten later: see `intact`.
    """

    frame_size: tuple[int, int]
    """Width and height of the frame in pixels. An observation's boxes refer to these."""

    intact: Callable[[], bool] = _always
    """Returns whether `image` was not overwritten. Call it after using the pixels and before showing them."""

    def copy_if_intact(self) -> Preview | None:
        """Returns a preview with its own copy of the pixels, or None if they were already overwritten."""
        copy = replace(self, image=self.image.copy(), intact=_always)
        return copy if self.intact() else None


class Vision(Protocol):
    """What a window uses of the vision process. No call blocks; use it from one thread."""

    @property
    def state(self) -> VisionState:
        """The state at the last `poll`."""

    @property
    def fault(self) -> str | None:
        """One line that says what is wrong, in the states NO_CAMERA, RESTARTING and FAILED."""

    @property
    def engine_fault(self) -> str | None:
        """One line that says why another engine than the configured one is used; estimates go on."""

    def set_mode(self, mode: VisionMode) -> None:
        """Sets what vision may do from now on, also for a process that replaces a dead one."""

    def poll(self) -> list[Observation]:
        """Returns the observations since the last call, oldest first. Also restarts the process if needed."""

    def preview(self) -> Preview | None:
        """Returns the newest image, or None if there is none since the last call. Show it soon: see `intact`."""
