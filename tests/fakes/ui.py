"""A vision process that shows what a test tells it to, and the faces, estimates and previews for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kiosk.estimate import DECADES, AgeGroup, Estimate, FaceObservation, Observation, Status
from kiosk.vision.process.messages import Preview, VisionMode, VisionState

FRAME_SIZE = (640, 480)
"""Width and height of a frame, in pixels."""
THIRTIES = (0.0, 0.01, 0.02, 0.17, 0.61, 0.14, 0.04, 0.01)
"""Probabilities of the age groups of somebody in their thirties."""

MakeFace = Callable[..., FaceObservation]


def make_estimate(
    ages: Sequence[float] = THIRTIES, *, male: float = 0.94, groups: tuple[AgeGroup, ...] = DECADES
) -> Estimate:
    """Return an estimate with these probabilities of the age groups and of "male"."""
    return Estimate(("female", "male"), (1 - male, male), groups, tuple(ages))


def make_face(
    track: int = 1,
    box: tuple[int, int, int, int] = (250, 150, 120, 120),
    status: Status = "known",
    estimate: Estimate | None = None,
) -> FaceObservation:
    """Return a face of quality 0.9. `box` is left, top, width and height in pixels of the frame."""
    return FaceObservation(track, box, 0.9, status, estimate)


def make_preview(image: np.ndarray | None = None, frame: int = 0) -> Preview:
    """Return a preview of `image` (height, width, 3), or of a grey frame."""
    if image is None:
        image = np.full((FRAME_SIZE[1], FRAME_SIZE[0], 3), 128, np.uint8)
    return Preview(frame, image, FRAME_SIZE)


class FakeVision:
    """Stands in for the vision process: it returns each observation and preview that a test sets once."""

    def __init__(self, state: VisionState = VisionState.RUNNING) -> None:
        self.state = state
        self.fault: str | None = None
        self.engine_fault: str | None = None
        self.observations: list[Observation] = []
        self.next_preview: Preview | None = None
        self.frame = 0
        self.polls = 0
        self.mode: VisionMode | None = None

    def see(self, *faces: FaceObservation) -> None:
        """Add a frame with `faces`, 40 ms after the previous one."""
        self.observations.append(Observation(self.frame * 0.04, self.frame, 31.0, faces))
        self.frame += 1

    def set_mode(self, mode: VisionMode) -> None:
        self.mode = mode

    def poll(self) -> list[Observation]:
        self.polls += 1
        observations, self.observations = self.observations, []
        return observations

    def preview(self) -> Preview | None:
        preview, self.next_preview = self.next_preview, None
        return preview
