from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from kiosk.vision.capture.files import Clip
from kiosk.vision.capture.frame import Frame, SourceError
from kiosk.vision.capture.grabber import FrameGrabber, Mailbox, paced_frames


def frame(index: int = 0) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), index, index / 10, 0.0)


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
    problem = ""

    def __init__(self, frames: list[Frame | None], error: SourceError | None = None) -> None:
        self._frames = frames
        self._error = error
        self.closed = threading.Event()

    def frames(self) -> Iterator[Frame | None]:
        yield from self._frames
        if self._error:
            raise self._error

    def set_frame_interval(self, seconds: float) -> None:
        self.wanted = seconds

    def close(self) -> None:
        self.closed.set()


def run_to_its_end(reader: FrameGrabber) -> None:
    reader.start()
    reader._thread.join(5)


def test_the_reader_leaves_the_newest_frame_and_says_that_it_ended() -> None:
    source = FakeSource([frame(0), frame(1)])
    reader = FrameGrabber(source)
    run_to_its_end(reader)
    assert reader.ended
    taken = reader.mailbox.take(0)
    assert taken is not None
    assert taken.index == 1
    reader.stop()
    assert source.closed.is_set()


def test_the_reader_says_that_the_camera_is_away() -> None:
    reader = FrameGrabber(FakeSource([frame(0), None]))
    run_to_its_end(reader)
    assert reader.away


def test_the_reader_hands_on_the_source_s_error() -> None:
    reader = FrameGrabber(FakeSource([], SourceError("broken")))
    run_to_its_end(reader)
    assert str(reader.error) == "broken"


def test_pacing_waits_for_each_frame_s_time(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    captured = [frame.captured for frame in paced_frames(Clip(clip, loop=False)) if frame]
    assert captured == pytest.approx([100 + index / 10 for index in range(10)])
