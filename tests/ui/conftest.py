"""Widgets without a screen, and a vision that says what a test wants it to say."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from kiosk.estimate import DECADES, AgeGroup, Estimate, FaceObservation, Observation, Status
from kiosk.ui.demo.window import DemoWindow
from kiosk.ui.translations.live import Strings
from kiosk.vision.process.messages import Preview, VisionMode, VisionState

FRAME = (640, 480)
THIRTIES = (0.0, 0.01, 0.02, 0.17, 0.61, 0.14, 0.04, 0.01)

MakeFace = Callable[..., FaceObservation]


def make_estimate(
    ages: Sequence[float] = THIRTIES, *, male: float = 0.94, groups: tuple[AgeGroup, ...] = DECADES
) -> Estimate:
    return Estimate(("female", "male"), (1 - male, male), groups, tuple(ages))


def make_face(
    track: int = 1,
    box: tuple[int, int, int, int] = (250, 150, 120, 120),
    status: Status = "known",
    estimate: Estimate | None = None,
) -> FaceObservation:
    return FaceObservation(track, box, 0.9, status, estimate)


def make_preview(image: np.ndarray | None = None, frame: int = 0) -> Preview:
    if image is None:
        image = np.full((FRAME[1], FRAME[0], 3), 128, np.uint8)
    return Preview(frame, image, FRAME)


class FakeVision:
    """Says what it was told to, once."""

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
        """Bring a frame with `faces`, 40 ms after the one before."""
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


@pytest.fixture
def vision() -> FakeVision:
    return FakeVision()


@pytest.fixture
def words(qtbot: QtBot) -> Strings:  # noqa: ARG001 - there has to be a QApplication
    return Strings()


@pytest.fixture
def make_window(qtbot: QtBot, vision: FakeVision) -> Callable[..., DemoWindow]:
    """Windows on `vision` whose time only a test moves."""

    def make(width: int = 1280, height: int = 800, **options: bool) -> DemoWindow:
        window = DemoWindow(vision, **options)
        window.timer.stop()
        qtbot.addWidget(window)
        window.resize(width, height)
        window.show()
        return window

    return make
