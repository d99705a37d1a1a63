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


def make_frame(index: int = 0) -> Frame:
    return Frame(np.zeros((4, 4, 3), np.uint8), index, index / 10, 0.0)


def test_slow_reader_skips_stale_frames() -> None:
    """While a frame is processed, others arrive. The next one taken is the newest, and none is taken twice."""
    mailbox = Mailbox()
    taken = []
    for index in range(30):
        mailbox.put(make_frame(index))
        if index % 7 == 6 and (newest := mailbox.take(0)):
            taken.append(newest.index)
    assert taken == [6, 13, 20, 27]


def test_mailbox_keeps_only_the_newest_frame() -> None:
    mailbox = Mailbox()
    mailbox.put(make_frame(1))
    mailbox.put(make_frame(2))
    taken = mailbox.take(0)
    assert taken is not None
    assert taken.index == 2
    assert mailbox.take(0) is None


class FakeSource:
    """Yields the given frames, then raises the given error."""

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


def run_to_end(grabber: FrameGrabber) -> None:
    grabber.start()
    grabber._thread.join(5)


def test_grabber_leaves_the_newest_frame_and_reports_the_end() -> None:
    source = FakeSource([make_frame(0), make_frame(1)])
    grabber = FrameGrabber(source)
    run_to_end(grabber)
    assert grabber.has_ended
    taken = grabber.mailbox.take(0)
    assert taken is not None
    assert taken.index == 1
    grabber.stop()
    assert source.closed.is_set()


def test_grabber_reports_a_disconnected_camera() -> None:
    grabber = FrameGrabber(FakeSource([make_frame(0), None]))
    run_to_end(grabber)
    assert grabber.is_disconnected


def test_grabber_stores_the_error_of_the_source() -> None:
    grabber = FrameGrabber(FakeSource([], SourceError("broken")))
    run_to_end(grabber)
    assert str(grabber.error) == "broken"


def test_paced_frames_wait_until_each_frame_is_due(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    captured = [frame.captured for frame in paced_frames(Clip(clip, loop=False)) if frame]
    assert captured == pytest.approx([100 + index / 10 for index in range(10)])
