"""Frames at the times they are due, and of those only the newest for whoever is slower."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from kiosk.common.errors import KioskError
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import Source


def paced(source: Source) -> Iterator[Frame | None]:
    """A source's frames at the times they are due; a webcam keeps its own time."""
    if source.live:
        yield from source.frames()
        return
    started = time.monotonic()
    for frame in source.frames():
        if frame is None:
            yield None
            continue
        delay = started + frame.time - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        # The picture counts as taken when it was due to be shown, not when the file was read.
        yield Frame(frame.image, frame.index, frame.time, time.monotonic())


class Mailbox:
    """One frame at most. A newer one replaces an unread one, so nobody works on a stale picture."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> None:
        """Leaves a frame; never waits."""
        with self._changed:
            self._frame = frame
            self._changed.notify()

    def take(self, timeout: float) -> Frame | None:
        """Takes the frame, waiting at most `timeout` seconds for one."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None, timeout)
            frame, self._frame = self._frame, None
            return frame


class FrameGrabber:
    """Reads a source in a thread of its own into a mailbox, at the source's pace."""

    def __init__(self, source: Source) -> None:
        self.mailbox = Mailbox()
        self.away = False
        """The camera is gone and being looked for."""
        self.ended = False
        """The source came to its end, by itself or by an error."""
        self.error: KioskError | None = None
        self.last_sign = time.monotonic()
        """`time.monotonic()` of the last frame or the last look for a camera that is away."""
        self._source = source
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def want_every(self, seconds: float) -> None:
        """From now on only a frame this long after the last one is wanted; 0 for every frame."""
        self._source.want_every(seconds)

    def stop(self, timeout: float = 1.0) -> None:
        """Ends reading and closes the source, unless a driver hangs: then it is left to the process's end."""
        self._stopping.set()
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self._source.close()

    def _read(self) -> None:
        try:
            for frame in paced(self._source):
                self.last_sign = time.monotonic()
                self.away = frame is None
                if self._stopping.is_set():
                    return
                if frame is not None:
                    self.mailbox.put(frame)
        except KioskError as error:
            self.error = error
        finally:
            self.ended = True
