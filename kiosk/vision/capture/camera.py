"""The cameras of a machine: which there are, and the frames of one that may go away and come back."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.common.backoff import delay_after
from kiosk.config import CameraConfig
from kiosk.vision.capture.decode import decoded, grabbed
from kiosk.vision.capture.frame import Frame, SourceError, is_early

ANY_CAMERA = "auto"
"""The name of the first camera that gives a picture; from then on it is that one alone that is looked for."""

_RECONNECT_SECONDS = (0.5, 1.0, 2.0, 5.0)
_LINUX: bool = sys.platform == "linux"  # named, so that mypy checks the other systems' lines too
_RETRY_READS = 5  # a USB camera drops a frame now and then without being gone


class Webcam:
    """A camera of the machine. When it goes away it is looked for until it is back.

    One that gives the same picture for `FROZEN_AFTER` seconds counts as gone, and a picture that comes again is never
    given on. What a camera sends that is no picture (of another depth, of no known colours, one that cannot be
    decoded) counts as nothing sent.
    """

    live = True

    def __init__(self, device: str, config: CameraConfig | None = None, *, patient: bool = False) -> None:
        """`device` is an index ("0"), a path ("/dev/video0") or `ANY_CAMERA`.

        Raises `SourceError`, unless `patient`: then a camera that is not there yet is looked for, too.
        """
        self.name = "the camera" if device == ANY_CAMERA else f"camera {device}"
        self._device = device
        self._config = config or CameraConfig()
        self.trouble = f"{self.name} gives no picture"
        self._every = 0.0
        capture = self._open()
        if capture is None and not patient:
            raise SourceError(
                f"{self.name} is not there, is in use, or gives no picture: "
                "`kiosk doctor` lists the cameras, --source demo shows the bundled clip"
            )
        self._capture: cv2.VideoCapture | None = capture

    def frames(self) -> Iterator[Frame | None]:
        """Frames as the camera gives them, without end."""
        started = time.monotonic()
        standstill = FrozenFrameDetector()
        last = float("-inf")
        index = failures = 0
        while True:
            there = bool(self._capture and grabbed(self._capture))
            now = time.monotonic()
            if there and is_early(now - started, last, self._every):
                index, failures = index + 1, 0
                continue  # unpacking it is most of the work
            image = decoded(self._capture.retrieve) if self._capture and there else None
            if image is not None and standstill.moves(image, now):
                last = now - started
                yield Frame(image, index, last, now)
                index, failures = index + 1, 0
                continue
            frozen = image is not None and standstill.is_frozen(now)
            if image is not None and not frozen:
                continue
            failures += 1
            if failures < _RETRY_READS and self._capture and not frozen:
                continue
            self.trouble = f"{self.name} gives {'the same picture again and again' if frozen else 'no picture'}"
            yield None
            self.close()
            time.sleep(delay_after(failures // _RETRY_READS, _RECONNECT_SECONDS))
            self._capture = self._open()

    def want_every(self, seconds: float) -> None:
        """Frames between are taken from the camera, so that it stays warm and the next is new, but not unpacked."""
        self._every = seconds

    def close(self) -> None:
        """Gives the camera back."""
        if self._capture:
            self._capture.release()
            self._capture = None

    def _open(self) -> cv2.VideoCapture | None:
        if self._device != ANY_CAMERA:
            return self._opened(self._device)
        for device in cameras():
            if capture := self._opened(device):
                self._device = stable_name(device)
                self.name = f"camera {self._device}"
                return capture
        return None

    def _opened(self, device: str) -> cv2.VideoCapture | None:
        target = int(device) if device.isdecimal() else device
        backend = cv2.CAP_V4L2 if _LINUX else cv2.CAP_ANY
        capture = cv2.VideoCapture(target, backend)
        if not capture.isOpened():
            return None
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._config.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._config.height)
        capture.set(cv2.CAP_PROP_FPS, self._config.rate)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not the oldest of a queue
        if not capture.grab():
            capture.release()
            return None
        return capture


def is_camera(spec: str) -> bool:
    """Whether a source is a camera rather than a file."""
    return spec == ANY_CAMERA or spec.isdecimal() or spec.startswith("/dev/")


def cameras() -> list[str]:
    """Devices that may be cameras; whether one works only opening it can tell."""
    if _LINUX:
        return sorted((str(path) for path in Path("/dev").glob("video[0-9]*")), key=lambda name: (len(name), name))
    return ["0"]


def gives_picture(device: str) -> bool:
    """Whether a camera is there, is free and works."""
    try:
        Webcam(device).close()
    except SourceError:
        return False
    return True


def working_camera() -> str | None:
    """The first camera that gives a picture."""
    return next(filter(gives_picture, cameras()), None)


LINKS = Path("/dev/v4l")


def stable_name(device: str, links: Path | None = None) -> str:
    """The name to put into the settings for a camera such as /dev/video0; its own where it has no other.

    By its socket where two cameras have the same name by maker and number, which then leads to one of them.
    """
    links = links or LINKS
    by_id, by_path = _links(links / "by-id"), _links(links / "by-path")
    kinds = (by_id, by_path) if len(by_id) >= len(by_path) else (by_path, by_id)
    return next((names[device] for names in kinds if device in names), device)


def _links(folder: Path) -> dict[str, str]:
    """Device → the first link to it."""
    found: dict[str, str] = {}
    if folder.is_dir():
        for link in sorted(folder.iterdir()):
            found.setdefault(os.path.realpath(link), str(link))  # of a link to itself, too
    return found


FROZEN_AFTER = 2.0
"""Seconds of the same picture after which a camera counts as gone: less than a driver may take for one frame."""

_SAMPLE = 16  # every so many rows are compared first: most pictures differ there


class FrozenFrameDetector:
    """Compares every picture of a camera with the one before it."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._since = 0.0

    def moves(self, image: NDArray[np.uint8], now: float) -> bool:
        """Whether this picture is another than the last; `now` in seconds of a monotonic clock."""
        last = self._last
        if last is not None and np.array_equal(image[::_SAMPLE], last[::_SAMPLE]) and np.array_equal(image, last):
            return False
        self._last, self._since = image, now
        return True

    def is_frozen(self, now: float) -> bool:
        """Whether the picture has been the same for too long. A camera opened again is frozen until it moves."""
        return now - self._since >= FROZEN_AFTER
