"""What the kiosk tells the vision process: its settings at the start, and which mode to work in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kiosk.config import CameraConfig, VisionConfig
from kiosk.vision.process.messages import VisionMode

_LONGEST_ORDER = 256


@dataclass(frozen=True)
class VisionSettings:
    """What the vision process is to do."""

    source: str
    loop: bool = True
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Width, height and rate to request from a camera."""
    engine: Path | None = None
    smallest_face: float = VisionConfig().smallest_face
    """Height of the smallest face that is found at once, as a share of the frame's height."""
    cpu_only: bool = False
    liveness: bool = True
    """Whether `VisionMode.AGE_CHECK` and `SERVICE` judge liveness. A clip of drawn people can show none."""
    patient: bool = False
    """Whether a camera or an engine that is not there at the start is looked for, as one that goes away later is."""


@dataclass(frozen=True)
class ModeCommand:
    """What the vision process may do with whom it sees. Every change has the next number.

    An observation bears the number of the order that it was made under, so that one still on its way when the mode
    changed is told from those that the new mode allows.
    """

    number: int
    mode: VisionMode

    @property
    def shows(self) -> bool:
        """Whether a picture and estimates may leave the process."""
        return self.mode is not VisionMode.PRESENCE

    def forgets(self, before: ModeCommand) -> bool:
        """Whether whoever was seen under `before` is to be forgotten, because consent ended or one order was lost."""
        return self.number != before.number + 1 or not (self.shows and before.shows)
