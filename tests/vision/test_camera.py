from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

from kiosk.vision import camera
from kiosk.vision.camera import (
    ANY_CAMERA,
    DEMO,
    FOLDER_RATE,
    CameraMode,
    Clip,
    Frame,
    Mailbox,
    Reader,
    SourceError,
    Webcam,
    open_source,
)


def frame(index: int = 0) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), index, index / 10, 0.0)


def test_a_clip_gives_every_frame_once_in_order_with_its_own_time(clip: Path) -> None:
    frames = [frame for frame in open_source(str(clip)).frames() if frame]
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time for frame in frames] == pytest.approx([index / 10 for index in range(10)])
    levels = [float(frame.image.mean()) for frame in frames]
    assert levels == sorted(levels)
    assert all(frame.image.shape == (48, 64, 3) for frame in frames)


def test_a_looping_clip_counts_on(clip: Path) -> None:
    frames = list(itertools.islice(open_source(str(clip), loop=True).frames(), 25))
    assert [frame.index for frame in frames if frame] == list(range(25))
    assert frames[20] is not None
    assert frames[0] is not None
    assert float(frames[20].image.mean()) == pytest.approx(float(frames[0].image.mean()), abs=1)
    assert frames[24] is not None
    assert frames[24].time == pytest.approx(2.4)


def test_a_folder_gives_its_pictures_by_name_in_colour(folder: Path) -> None:
    frames = [frame for frame in open_source(str(folder)).frames() if frame]
    assert [frame.image.shape for frame in frames] == [(40, 50, 3), (20, 30, 3), (10, 10, 3)]
    assert [frame.time for frame in frames] == pytest.approx([index / FOLDER_RATE for index in range(3)])


def test_an_unreadable_picture_in_a_folder_is_named_and_passed_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "aa.png").write_bytes(b"not a picture at all")
    frames = list(open_source(str(folder)).frames())
    assert len(frames) == 3
    assert "aa.png" in capsys.readouterr().err


def test_a_gif_is_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "two.gif"
    animation = cv2.Animation()
    animation.frames = [np.full((20, 20, 4), level, np.uint8) for level in (60, 200)]
    animation.durations = np.array([100, 100])
    assert cv2.imwriteanimation(str(path), animation)
    frames = [frame for frame in open_source(str(path)).frames() if frame]
    assert len(frames) == 2
    assert all(frame.image.shape == (20, 20, 3) for frame in frames)


def test_the_demo_clip_comes_with_the_kiosk() -> None:
    source = open_source(DEMO)
    first = next(iter(source.frames()))
    source.close()
    assert first is not None
    assert first.image.ndim == 3


@pytest.mark.parametrize(
    ("name", "content"), [("garbage.mp4", b"this is no video" * 100), ("empty.mp4", b""), ("garbage.gif", b"GIF89a")]
)
def test_an_unreadable_video_is_one_clear_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=name):
        list(open_source(str(path)).frames())


def test_a_video_cut_short_gives_what_it_has_or_says_so(clip: Path) -> None:
    clip.write_bytes(clip.read_bytes()[:500])
    with pytest.raises(SourceError, match=r"clip\.mp4"):
        list(open_source(str(clip)).frames())


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no pictures"):
        open_source(str(tmp_path))


def test_a_folder_of_nothing_readable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"no")
    with pytest.raises(SourceError, match="none of its pictures"):
        list(open_source(str(tmp_path)).frames())


def test_what_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        open_source(str(tmp_path / "nothing.mp4"))


def test_a_camera_that_is_not_there_is_refused() -> None:
    with pytest.raises(SourceError, match="camera 97"):
        open_source("97")


class FakeCapture:
    """A cv2.VideoCapture that follows a script: True is a new frame, False a failed grab, all else is what comes."""

    opened: list[FakeCapture]
    scripts: list[list[object]]
    pictures: ClassVar[Iterator[int]] = itertools.count(1)

    def __init__(self, device: object, *_: object) -> None:
        self.device = device
        self.script = self.scripts.pop(0) if self.scripts else []
        self.there = bool(self.script)
        self.released = False
        self.comes: object = False
        self.warm = False
        self.unpacked = 0
        self.opened.append(self)

    def isOpened(self) -> bool:  # noqa: N802
        return self.there

    def set(self, *_: object) -> bool:
        return True

    def grab(self) -> bool:
        if not self.warm:  # the one frame that opening a camera takes
            self.warm = True
            return True
        self.comes = self.script.pop(0) if self.script else False
        return self.comes is not False

    def retrieve(self) -> tuple[bool, object]:
        self.unpacked += 1
        if isinstance(self.comes, Exception):
            raise self.comes
        return True, np.full((2, 2, 3), next(self.pictures) % 256, np.uint8) if self.comes is True else self.comes

    def release(self) -> None:
        self.released = True


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> type[FakeCapture]:
    FakeCapture.opened, FakeCapture.scripts = [], []
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return FakeCapture


def test_a_webcam_that_goes_away_is_looked_for_and_found_again(scripted: type[FakeCapture]) -> None:
    scripted.scripts = [[True, True], [], [True, True]]
    frames = Webcam("0", CameraMode()).frames()
    seen = list(itertools.islice(frames, 6))
    assert [frame.index if frame else None for frame in seen] == [0, 1, None, None, 2, 3]
    times = [frame.time for frame in seen if frame]
    assert times == sorted(times)
    assert scripted.opened[0].released


def test_a_dropped_frame_is_not_an_absent_camera(scripted: type[FakeCapture]) -> None:
    scripted.scripts = [[True, False, True, False, False, True]]
    seen = list(itertools.islice(Webcam("0").frames(), 3))
    assert [frame.index for frame in seen if frame] == [0, 1, 2]
    assert len(scripted.opened) == 1


def test_a_camera_that_is_not_there_at_the_start_is_looked_for_by_whoever_is_patient(
    scripted: type[FakeCapture],
) -> None:
    scripted.scripts = [[], [], [True]]
    source = open_source("0", patient=True)
    seen = list(itertools.islice(source.frames(), 3))
    assert [frame.index if frame else None for frame in seen] == [None, None, 0]


def test_any_camera_is_the_first_that_gives_a_picture_and_then_only_that_one(
    scripted: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    devices: list[list[str]] = [[], ["/dev/video0", "/dev/video2"]]
    monkeypatch.setattr(camera, "cameras", lambda: devices.pop(0))
    monkeypatch.setattr(camera, "stable_name", lambda device: f"{device}-by-its-number")
    scripted.scripts = [[], [True], [], [True]]
    source = open_source(ANY_CAMERA, patient=True)
    assert source.name == "the camera"
    seen = list(itertools.islice(source.frames(), 5))
    assert [frame.index if frame else None for frame in seen] == [None, 0, None, None, 1]
    assert source.name == "camera /dev/video2-by-its-number"
    assert [capture.device for capture in scripted.opened] == [
        "/dev/video0",
        "/dev/video2",
        "/dev/video2-by-its-number",
        "/dev/video2-by-its-number",
    ]


STILL = np.full((4, 4, 3), 7, np.uint8)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that goes on by a second whenever it is looked at."""
    now = itertools.count(100.0)
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    return []


@pytest.mark.usefixtures("hasty")
def test_a_camera_that_stands_still_is_opened_again_and_its_picture_given_once(scripted: type[FakeCapture]) -> None:
    scripted.scripts = [[True, STILL, STILL, STILL, STILL], [STILL, STILL], [STILL, True]]
    source = Webcam("0")
    seen = list(itertools.islice(source.frames(), 5))
    assert [frame.index if frame else None for frame in seen] == [0, 1, None, None, None]
    assert "the same picture again and again" in source.trouble
    assert [capture.released for capture in scripted.opened] == [True, True, False]


@pytest.mark.usefixtures("hasty")
def test_a_camera_that_moves_again_is_back(scripted: type[FakeCapture]) -> None:
    scripted.scripts = [[True, STILL, STILL, STILL], [True, True]]
    seen = list(itertools.islice(Webcam("0").frames(), 5))
    assert [frame.index if frame else None for frame in seen] == [0, 1, None, 2, 3]


def test_a_picture_that_comes_twice_is_one(scripted: type[FakeCapture]) -> None:
    scripted.scripts = [[STILL, STILL, True]]
    seen = list(itertools.islice(Webcam("0").frames(), 2))
    assert [int(frame.image[0, 0, 0]) == 7 for frame in seen if frame] == [True, False]
    assert len(scripted.opened) == 1


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
def test_gray_and_odd_sized_pictures_are_taken(
    scripted: type[FakeCapture], sent: np.ndarray, shape: tuple[int, ...]
) -> None:
    scripted.scripts = [[True, sent, True]]
    seen = [frame for frame in itertools.islice(Webcam("0").frames(), 3) if frame]
    assert seen[1].image.shape == shape
    assert int(seen[1].image[0, 0, 0]) == 90
    assert len(scripted.opened) == 1


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
def test_what_is_no_picture_counts_as_nothing_sent(scripted: type[FakeCapture], sent: object) -> None:
    scripted.scripts = [[True, sent, True], [True]]
    seen = list(itertools.islice(Webcam("0").frames(), 2))
    assert [frame.index for frame in seen if frame] == [0, 1]
    scripted.opened.clear()
    scripted.scripts = [[True, *[sent] * 5], [True]]
    seen = list(itertools.islice(Webcam("0").frames(), 3))
    assert [frame.index if frame else None for frame in seen] == [0, None, 1]
    assert scripted.opened[0].released


def test_a_picture_larger_than_any_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def too_large(*_: object) -> None:
        raise cv2.error("pixels <= CV_IO_MAX_IMAGE_PIXELS")

    read = cv2.imread
    monkeypatch.setattr(cv2, "imread", lambda path, flags: too_large() if path.endswith("b.png") else read(path, flags))
    assert len(list(open_source(str(folder)).frames())) == 2
    assert "b.png cannot be read" in capsys.readouterr().err


def test_no_picture_may_take_gigabytes() -> None:
    assert int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"]) <= 2**27


def test_a_camera_at_rest_stays_warm_and_unpacks_only_the_wanted_frames(
    scripted: type[FakeCapture], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.scripts = [[True] * 100]
    webcam = Webcam("0")
    clock = itertools.count(0, 1 / 30)  # a frame comes 30 times a second
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    frames = webcam.frames()
    assert [frame.index for frame in itertools.islice(frames, 3) if frame] == [0, 1, 2]
    webcam.want_every(0.19)
    assert [frame.index for frame in itertools.islice(frames, 3) if frame] == [8, 14, 20]
    assert scripted.opened[0].unpacked == 6
    assert len(scripted.opened[0].script) == 100 - 21
    webcam.want_every(0.0)
    assert [frame.index for frame in itertools.islice(frames, 2) if frame] == [21, 22]


def test_a_camera_that_goes_away_at_rest_is_looked_for(scripted: type[FakeCapture]) -> None:
    scripted.scripts = [[True], [True]]
    webcam = Webcam("0")
    webcam.want_every(1e9)
    assert [frame.index if frame else None for frame in itertools.islice(webcam.frames(), 2)] == [0, None]


def test_a_clip_at_rest_passes_over_the_frames_between(clip: Path) -> None:
    source = open_source(str(clip))
    frames = source.frames()
    first = next(iter(frames))
    source.want_every(0.29)
    rest = list(frames)
    assert [frame.index for frame in [first, *rest] if frame] == [0, 3, 6, 9]
    assert [frame.time for frame in rest if frame] == pytest.approx([0.3, 0.6, 0.9])


def test_whoever_is_slower_than_the_source_passes_over_stale_frames() -> None:
    """Frames come while one is being processed: the next one taken is the newest, and none is taken twice."""
    mailbox = Mailbox()
    taken = []
    for index in range(30):
        mailbox.put(frame(index))
        if index % 7 == 6 and (newest := mailbox.take(0)):
            taken.append(newest.index)
    assert taken == [6, 13, 20, 27]


def test_the_mailbox_keeps_only_the_newest_frame() -> None:
    mailbox = Mailbox()
    mailbox.put(frame(1))
    mailbox.put(frame(2))
    taken = mailbox.take(0)
    assert taken is not None
    assert taken.index == 2
    assert mailbox.take(0) is None


class FakeSource:
    """Gives frames when told to."""

    name = "fake"
    live = True
    trouble = ""

    def __init__(self, frames: list[Frame | None], error: SourceError | None = None) -> None:
        self._frames = frames
        self._error = error
        self.closed = threading.Event()

    def frames(self) -> Iterator[Frame | None]:
        yield from self._frames
        if self._error:
            raise self._error

    def want_every(self, seconds: float) -> None:
        self.wanted = seconds

    def close(self) -> None:
        self.closed.set()


def run_to_its_end(reader: Reader) -> None:
    reader.start()
    reader._thread.join(5)


def test_the_reader_leaves_the_newest_frame_and_says_that_it_ended() -> None:
    source = FakeSource([frame(0), frame(1)])
    reader = Reader(source)
    run_to_its_end(reader)
    assert reader.ended
    taken = reader.mailbox.take(0)
    assert taken is not None
    assert taken.index == 1
    reader.stop()
    assert source.closed.is_set()


def test_the_reader_says_that_the_camera_is_away() -> None:
    reader = Reader(FakeSource([frame(0), None]))
    run_to_its_end(reader)
    assert reader.away


def test_the_reader_hands_on_the_source_s_error() -> None:
    reader = Reader(FakeSource([], SourceError("broken")))
    run_to_its_end(reader)
    assert str(reader.error) == "broken"


def test_pacing_waits_for_each_frame_s_time(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    captured = [frame.captured for frame in camera.paced(Clip(clip, loop=False)) if frame]
    assert captured == pytest.approx([100 + index / 10 for index in range(10)])
