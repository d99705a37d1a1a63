"""Cameras: lists them, names them, and reads frames from one that may disconnect and come back."""

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
from kiosk.vision.capture.decode import decode_bgr, grab
from kiosk.vision.capture.frame import Frame, SourceError, is_early

ANY_CAMERA = "auto"
"""Stands for the first camera that gives frames. After that, the kiosk looks only for this same camera."""

_RECONNECT_SECONDS = (0.5, 1.0, 2.0, 5.0)
_LINUX: bool = sys.platform == "linux"  # named, so that mypy checks the other systems' lines too
_RETRY_READS = 5  # a USB camera drops a frame now and then without being gone


class Webcam:
    """A camera. When it disconnects, `frames` keeps trying to open it again.

    A camera that repeats an image for `FROZEN_AFTER` seconds counts as disconnected, and a repeated image is never
    passed on. Data that is not an image (another bit depth, unknown colours, undecodable) counts as no frame.
    """

    live = True

    def __init__(self, device: str, config: CameraConfig | None = None, *, wait_for_device: bool = False) -> None:
        """`device` is an index ("0"), a path ("/dev/video0") or `ANY_CAMERA`.

        Raises `SourceError` if the camera gives no frame, unless `wait_for_device`: then `frames` keeps trying.
        """
        self.name = "the camera" if device == ANY_CAMERA else f"camera {device}"
        self._device = device
        self._config = config or CameraConfig()
        self.problem = f"{self.name} gives no picture"
        self._every = 0.0
        capture = self._open()
        if capture is None and not wait_for_device:
            raise SourceError(
                f"{self.name} is not there, is in use, or gives no picture: "
                "`kiosk doctor` lists the cameras, --source demo shows the bundled clip"
            )
        self._capture: cv2.VideoCapture | None = capture

    def frames(self) -> Iterator[Frame | None]:
        """Yields frames without end; None each time an attempt to open the camera fails."""
        started = time.monotonic()
        frozen_detector = FrozenFrameDetector()
        last = float("-inf")
        index = failures = 0
        while True:
            grabbed = bool(self._capture and grab(self._capture))
            now = time.monotonic()
            if grabbed and is_early(now - started, last, self._every):
                index, failures = index + 1, 0
                continue  # unpacking it is most of the work
            image = decode_bgr(self._capture.retrieve) if self._capture and grabbed else None
            if image is not None and frozen_detector.is_new(image, now):
                last = now - started
                yield Frame(image, index, last, now)
                index, failures = index + 1, 0
                continue
            frozen = image is not None and frozen_detector.is_frozen(now)
            if image is not None and not frozen:
                continue
            failures += 1
            if failures < _RETRY_READS and self._capture and not frozen:
                continue
            self.problem = f"{self.name} gives {'the same picture again and again' if frozen else 'no picture'}"
            yield None
            self.close()
            time.sleep(delay_after(failures // _RETRY_READS, _RECONNECT_SECONDS))
            self._capture = self._open()

    def set_frame_interval(self, seconds: float) -> None:
        """See `Source.set_frame_interval`. Frames in between are read but not decoded, so that the next one is new."""
        self._every = seconds

    def close(self) -> None:
        """Releases the camera."""
        if self._capture:
            self._capture.release()
            self._capture = None

    def _open(self) -> cv2.VideoCapture | None:
        if self._device != ANY_CAMERA:
            return self._open_device(self._device)
        for device in cameras():
            if capture := self._open_device(device):
                self._device = stable_name(device)
                self.name = f"camera {self._device}"
                return capture
        return None

    def _open_device(self, device: str) -> cv2.VideoCapture | None:
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
    """Returns whether a source's name means a camera and not a file."""
    return spec == ANY_CAMERA or spec.isdecimal() or spec.startswith("/dev/")


def cameras() -> list[str]:
    """Returns the paths of devices that may be cameras, `/dev/video0` first. Only opening one tells if it works."""
    if _LINUX:
        return sorted((str(path) for path in Path("/dev").glob("video[0-9]*")), key=lambda name: (len(name), name))
    return ["0"]


def gives_frames(device: str) -> bool:
    """Returns whether a camera can be opened and gives a frame."""
    try:
        Webcam(device).close()
    except SourceError:
        return False
    return True


def find_working_camera() -> str | None:
    """Returns the first camera that gives a frame, or None."""
    return next(filter(gives_frames, cameras()), None)


LINKS = Path("/dev/v4l")


def stable_name(device: str, links: Path | None = None) -> str:
    """Returns a path for a camera such as /dev/video0 that stays the same when cameras are numbered differently.

    It is the link by maker and serial number; the link by USB port if two cameras share that; else `device` itself.
    """
    links = links or LINKS
    by_id, by_path = _links(links / "by-id"), _links(links / "by-path")
    kinds = (by_id, by_path) if len(by_id) >= len(by_path) else (by_path, by_id)
    return next((names[device] for names in kinds if device in names), device)


def _links(folder: Path) -> dict[str, str]:
    """Returns the first link in `folder` to each device."""
    found: dict[str, str] = {}
    if folder.is_dir():
        for link in sorted(folder.iterdir()):
            found.setdefault(os.path.realpath(link), str(link))  # of a link to itself, too
    return found


FROZEN_AFTER = 2.0
"""Seconds of the same image after which a camera counts as disconnected. It must be shorter than `STALLED_AFTER`."""

_SAMPLE = 16  # every so many rows are compared first: most pictures differ there


class FrozenFrameDetector:
    """Detects a camera that repeats one image. Sensor noise makes real images differ."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._since = 0.0

    def is_new(self, image: NDArray[np.uint8], now: float) -> bool:
        """Returns whether this image differs from the last one. `now` is in seconds of a monotonic clock."""
        last = self._last
        if last is not None and np.array_equal(image[::_SAMPLE], last[::_SAMPLE]) and np.array_equal(image, last):
            return False
        self._last, self._since = image, now
        return True

    def is_frozen(self, now: float) -> bool:
        """Returns whether the image has not changed for `FROZEN_AFTER` seconds at `now`."""
        return now - self._since >= FROZEN_AFTER
