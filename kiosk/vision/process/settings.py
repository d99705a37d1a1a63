"""The settings of the vision process, and the command that sets its mode."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kiosk.config import CameraConfig, VisionConfig
from kiosk.vision.process.messages import VisionMode


@dataclass(frozen=True)
class VisionSettings:
    """The settings with which the vision process starts."""

    source: str
    loop: bool = True
    camera: CameraConfig = field(default_factory=CameraConfig)
    """Width, height and rate to request from a camera."""
    engine: Path | None = None
    smallest_face: float = VisionConfig().smallest_face
    """The height of the smallest face found at once, as a share of the frame's height."""
    cpu_only: bool = False
    liveness: bool = True
    """Whether `VisionMode.AGE_CHECK` and `SERVICE` judge liveness. Drawn people in a clip are never live."""
    wait_for_device: bool = False
    """Whether to wait for a camera or an engine that is missing at the start, instead of failing."""


@dataclass(frozen=True)
class ModeCommand:
    """Sets the mode of the vision process. Every change has the next number.

    An observation carries the number of its command. So observations made before a change of mode are recognised.
    """

    number: int
    mode: VisionMode

    @property
    def allows_estimates(self) -> bool:
        """Whether images and estimates may leave the process."""
        return self.mode is not VisionMode.PRESENCE

    def requires_reset(self, before: ModeCommand) -> bool:
        """Returns whether people seen under `before` must be forgotten: consent ended, or a command was lost."""
        return self.number != before.number + 1 or not (self.allows_estimates and before.allows_estimates)
