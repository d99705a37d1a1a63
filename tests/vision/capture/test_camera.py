from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import ClassVar

import cv2
import numpy as np
import pytest

from kiosk.vision.capture import camera
from kiosk.vision.capture.camera import ANY_CAMERA, Webcam
from kiosk.vision.capture.frame import SourceError
from kiosk.vision.capture.source import open_source


def test_missing_camera_is_an_error() -> None:
    with pytest.raises(SourceError, match="camera 97"):
        open_source("97")


class FakeCapture:
    """A cv2.VideoCapture with a script: True is a new frame, False a failed grab, else the data or error itself."""

    opened: list[FakeCapture]
    scripts: list[list[object]]
    levels: ClassVar[Iterator[int]] = itertools.count(1)

    def __init__(self, device: object, *_: object) -> None:
        self.device = device
        self.script = self.scripts.pop(0) if self.scripts else []
        self.is_open = bool(self.script)
        self.released = False
        self.current: object = False
        self.was_grabbed = False
        self.retrieved = 0
        self.opened.append(self)

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_open

    def set(self, *_: object) -> bool:
        return True

    def grab(self) -> bool:
        if not self.was_grabbed:  # the one frame that opening a camera takes
            self.was_grabbed = True
            return True
        self.current = self.script.pop(0) if self.script else False
        return self.current is not False

    def retrieve(self) -> tuple[bool, object]:
        self.retrieved += 1
        if isinstance(self.current, Exception):
            raise self.current
        return True, np.full((2, 2, 3), next(self.levels) % 256, np.uint8) if self.current is True else self.current

    def release(self) -> None:
        self.released = True


@pytest.fixture
def fake_capture(monkeypatch: pytest.MonkeyPatch) -> type[FakeCapture]:
    FakeCapture.opened, FakeCapture.scripts = [], []
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return FakeCapture


def test_disconnected_camera_is_reopened(fake_capture: type[FakeCapture]) -> None:
    fake_capture.scripts = [[True, True], [], [True, True]]
    frames = Webcam("0").frames()
    seen = list(itertools.islice(frames, 6))
    assert [frame.index if frame else None for frame in seen] == [0, 1, None, None, 2, 3]
    times = [frame.time for frame in seen if frame]
    assert times == sorted(times)
    assert fake_capture.opened[0].released


def test_dropped_frame_does_not_count_as_disconnected(fake_capture: type[FakeCapture]) -> None:
    fake_capture.scripts = [[True, False, True, False, False, True]]
    seen = list(itertools.islice(Webcam("0").frames(), 3))
    assert [frame.index for frame in seen if frame] == [0, 1, 2]
    assert len(fake_capture.opened) == 1


def test_camera_missing_at_start_is_retried_with_wait_for_device(
    fake_capture: type[FakeCapture],
) -> None:
    fake_capture.scripts = [[], [], [True]]
    source = open_source("0", wait_for_device=True)
    seen = list(itertools.islice(source.frames(), 3))
    assert [frame.index if frame else None for frame in seen] == [None, None, 0]


@pytest.mark.proves("camera-swapped")
def test_any_camera_selects_the_first_that_works_and_keeps_it(
    fake_capture: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices: list[list[str]] = [[], ["/dev/video0", "/dev/video2"]]
    monkeypatch.setattr(camera, "cameras", lambda: devices.pop(0))
    monkeypatch.setattr(camera, "stable_name", lambda device: f"{device}-by-its-number")
    fake_capture.scripts = [[], [True], [], [True]]
    source = open_source(ANY_CAMERA, wait_for_device=True)
    assert source.name == "the camera"
    seen = list(itertools.islice(source.frames(), 5))
    assert [frame.index if frame else None for frame in seen] == [None, 0, None, None, 1]
    assert source.name == "camera /dev/video2-by-its-number"
    assert [capture.device for capture in fake_capture.opened] == [
        "/dev/video0",
        "/dev/video2",
        "/dev/video2-by-its-number",
        "/dev/video2-by-its-number",
    ]


STILL = np.full((4, 4, 3), 7, np.uint8)


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sets a clock that advances by a second at each reading."""
    now = itertools.count(100.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    return []


@pytest.mark.proves("camera-frozen")
@pytest.mark.usefixtures("fast_clock")
def test_frozen_camera_is_reopened_and_its_image_yielded_once(fake_capture: type[FakeCapture]) -> None:
    fake_capture.scripts = [[True, STILL, STILL, STILL, STILL], [STILL, STILL], [STILL, True]]
    source = Webcam("0")
    seen = list(itertools.islice(source.frames(), 5))
    assert [frame.index if frame else None for frame in seen] == [0, 1, None, None, None]
    assert "the same picture again and again" in source.problem
    assert [capture.released for capture in fake_capture.opened] == [True, True, False]


@pytest.mark.usefixtures("fast_clock")
def test_camera_that_is_no_longer_frozen_yields_frames(fake_capture: type[FakeCapture]) -> None:
    fake_capture.scripts = [[True, STILL, STILL, STILL], [True, True]]
    seen = list(itertools.islice(Webcam("0").frames(), 5))
    assert [frame.index if frame else None for frame in seen] == [0, 1, None, 2, 3]


def test_repeated_image_is_yielded_once(fake_capture: type[FakeCapture]) -> None:
    fake_capture.scripts = [[STILL, STILL, True]]
    seen = list(itertools.islice(Webcam("0").frames(), 2))
    assert [int(frame.image[0, 0, 0]) == 7 for frame in seen if frame] == [True, False]
    assert len(fake_capture.opened) == 1


@pytest.mark.proves("camera-gray")
@pytest.mark.parametrize(
    ("sent", "shape"),
    [
        (np.full((48, 64), 90, np.uint8), (48, 64, 3)),
        (np.full((48, 64, 1), 90, np.uint8), (48, 64, 3)),
        (np.full((48, 64, 4), 90, np.uint8), (48, 64, 3)),
        (np.full((479, 641, 3), 90, np.uint8), (479, 641, 3)),
        (np.full((1, 1, 3), 90, np.uint8), (1, 1, 3)),
    ],
    ids=["gray", "one channel", "alpha", "odd-sized", "one pixel"],
)
def test_gray_and_odd_sized_images_are_accepted(
    fake_capture: type[FakeCapture], sent: np.ndarray, shape: tuple[int, ...]
) -> None:
    fake_capture.scripts = [[True, sent, True]]
    seen = [frame for frame in itertools.islice(Webcam("0").frames(), 3) if frame]
    assert seen[1].image.shape == shape
    assert int(seen[1].image[0, 0, 0]) == 90
    assert len(fake_capture.opened) == 1


@pytest.mark.proves("camera-corrupt")
@pytest.mark.parametrize(
    "sent",
    [
        cv2.error("cannot be decoded"),
        np.empty((0, 64, 3), np.uint8),
        np.full((48, 64, 2), 90, np.uint8),
        np.full((48, 64, 5), 90, np.uint8),
        np.full((48, 64), 900, np.uint16),
    ],
    ids=["corrupt", "empty", "two channels", "five channels", "sixteen bits"],
)
def test_data_that_is_not_an_image_counts_as_no_frame(fake_capture: type[FakeCapture], sent: object) -> None:
    fake_capture.scripts = [[True, sent, True], [True]]
    seen = list(itertools.islice(Webcam("0").frames(), 2))
    assert [frame.index for frame in seen if frame] == [0, 1]
    fake_capture.opened.clear()
    fake_capture.scripts = [[True, *[sent] * 5], [True]]
    seen = list(itertools.islice(Webcam("0").frames(), 3))
    assert [frame.index if frame else None for frame in seen] == [0, None, 1]
    assert fake_capture.opened[0].released


def test_frame_interval_reads_all_frames_and_decodes_only_those_due(
    fake_capture: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_capture.scripts = [[True] * 100]
    webcam = Webcam("0")
    clock = itertools.count(0, 1 / 30)  # a frame comes 30 times a second
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    frames = webcam.frames()
    assert [frame.index for frame in itertools.islice(frames, 3) if frame] == [0, 1, 2]
    webcam.set_frame_interval(0.19)
    assert [frame.index for frame in itertools.islice(frames, 3) if frame] == [8, 14, 20]
    assert fake_capture.opened[0].retrieved == 6
    assert len(fake_capture.opened[0].script) == 100 - 21
    webcam.set_frame_interval(0.0)
    assert [frame.index for frame in itertools.islice(frames, 2) if frame] == [21, 22]


def test_camera_that_disconnects_between_due_frames_is_reopened(fake_capture: type[FakeCapture]) -> None:
    fake_capture.scripts = [[True], [True]]
    webcam = Webcam("0")
    webcam.set_frame_interval(1e9)
    assert [frame.index if frame else None for frame in itertools.islice(webcam.frames(), 2)] == [0, None]
