"""What the vision process shows to the rest: its state, its observations, the newest picture."""

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
    """How the vision process is doing."""

    STARTING = "starting"
    RUNNING = "running"
    NO_CAMERA = "no camera"
    """The process runs, but the camera is away; it keeps trying."""
    RESTARTING = "restarting"
    """The process died or hung; a new one is on its way."""
    ENDED = "ended"
    """The source came to its end."""
    FAILED = "failed"
    """It cannot work as it was set up; `fault` says why. It stays down, unless it was an engine that it lacked."""


class VisionMode(enum.Enum):
    """What vision may do with whom it sees."""

    PRESENCE = "notice"
    """Say whether somebody is there; nobody is estimated."""
    ESTIMATE = "estimate"
    AGE_CHECK = "age check"
    """Estimate, and judge whether the face is a living one."""
    SERVICE = "service"
    """The same, and say where the landmarks are: for the operator, behind the service PIN."""


class EngineInfo(StrictModel):
    """The engine that runs the network, as the service pages and the fleet report it."""

    model_config = ConfigDict(extra="ignore")

    name: str
    precision: str
    accuracy: MeasuredAccuracy | None
    """None if nobody measured it."""


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Preview:
    """A picture to show, with the frame that it was made from."""

    frame: int
    """The source's number of the frame, as in the frame's `Observation`."""

    image: NDArray[np.uint8]
    """(height, width, 3) BGR, or (height, width, 4) with a byte that means nothing; a large frame is reduced.

    It may lie in memory that is written anew meanwhile.
    """

    frame_size: tuple[int, int]
    """Width and height of the frame, in which an observation's boxes are given."""

    intact: Callable[[], bool] = _always
    """Whether `image` is still the picture: to be asked after its pixels were used, and before they are shown."""

    def kept(self) -> Preview | None:
        """One with pixels of its own, to be shown later; None where they are lost already."""
        copy = replace(self, image=self.image.copy(), intact=_always)
        return copy if self.intact() else None


class Vision(Protocol):
    """What a window needs of the vision process. Nothing here blocks; call it from one thread."""

    @property
    def state(self) -> VisionState:
        """As of the last `poll`."""

    @property
    def fault(self) -> str | None:
        """One line about what is wrong, in the states NO_CAMERA, RESTARTING and FAILED."""

    @property
    def engine_fault(self) -> str | None:
        """One line about why the engine is not the one that was asked for; estimates go on."""

    def set_mode(self, mode: VisionMode) -> None:
        """What vision may do from now on; it holds for a process that replaces a dead one, too."""

    def poll(self) -> list[Observation]:
        """Observations since the last call, oldest first. Also looks after the process."""

    def preview(self) -> Preview | None:
        """The newest picture, or None where there is none newer than the one last given. Show it soon: see `intact`."""
