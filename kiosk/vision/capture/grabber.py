"""Reads frames in a thread, at the times when they are due, and keeps only the newest for a slower reader."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from kiosk.common.errors import KioskError
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import Source


def paced_frames(source: Source) -> Iterator[Frame | None]:
    """Yields a source's frames at the times when they are due. A camera sets its own pace. Raises `SourceError`."""
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
        # Latency counts from when the frame was due, not from when the file was read.
        yield Frame(frame.image, frame.index, frame.time, time.monotonic())


class Mailbox:
    """Holds at most one frame. A newer frame replaces an unread one, so that a reader never gets an old frame."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> None:
        """Stores a frame. Never waits."""
        with self._changed:
            self._frame = frame
            self._changed.notify()

    def take(self, timeout: float) -> Frame | None:
        """Removes and returns the frame, or None if none comes within `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None, timeout)
            frame, self._frame = self._frame, None
            return frame


class FrameGrabber:
    """Reads a source in its own thread into a mailbox, at the source's pace."""

    def __init__(self, source: Source) -> None:
        self.mailbox = Mailbox()
        self.is_disconnected = False
        """Whether the camera is disconnected and the thread tries to open it."""
        self.has_ended = False
        """Whether the source ended, normally or by an error."""
        self.error: KioskError | None = None
        self.last_activity = time.monotonic()
        """`time.monotonic()` of the last frame or the last attempt to open a camera."""
        self._source = source
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def set_frame_interval(self, seconds: float) -> None:
        """See `Source.set_frame_interval`."""
        self._source.set_frame_interval(seconds)

    def stop(self, timeout: float = 1.0) -> None:
        """Stops the thread and closes the source. If the driver hangs, both are left until the process ends."""
        self._stopping.set()
        self._thread.join(timeout)
        if not self._thread.is_alive():
            self._source.close()

    def _read(self) -> None:
        try:
            for frame in paced_frames(self._source):
                self.last_activity = time.monotonic()
                self.is_disconnected = frame is None
                if self._stopping.is_set():
                    return
                if frame is not None:
                    self.mailbox.put(frame)
        except KioskError as error:
            self.error = error
        finally:
            self.has_ended = True
