"""Where frames come from: a webcam, a video file or GIF, a folder of pictures, the demo clip.

Every source gives frames that carry the source's own time: frame number over frame rate for a
file, the clock for a webcam. What is computed from a clip therefore does not depend on how fast
this machine happens to be.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.errors import KioskError
from kiosk.vision.camera_names import stable_name
from kiosk.vision.frozen import Standstill

# A damaged file or an absent camera is reported by this module, in one line; OpenCV and FFmpeg
# would add several of their own on standard error. FFmpeg reads its level on first use.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

DEMO = "demo"
"""The name of the bundled clip as a source."""

ANY_CAMERA = "auto"
"""The name of the first camera that gives a picture; from then on it is that one alone that is looked for."""

PICTURE_SUFFIXES = frozenset(
    (".avif", ".bmp", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)

FOLDER_RATE = 25.0
"""Pictures a second of a folder; also of a video that does not say."""

_RECONNECT_SECONDS = (0.5, 1.0, 2.0, 5.0)
_LINUX: bool = sys.platform == "linux"  # named, so that mypy checks the other systems' lines too
_SHADE = 1e-6  # frame times are sums of fractions
_RETRY_READS = 5  # a USB camera drops a frame now and then without being gone


class SourceError(KioskError):
    """A source that cannot be opened, or ended because of damage."""


@dataclass(frozen=True)
class Frame:
    """One picture of a source."""

    image: NDArray[np.uint8]
    """(height, width, 3) BGR."""

    index: int
    """From 0, and counted on when a clip starts again."""

    time: float
    """Seconds of the source's own time."""

    captured: float
    """`time.monotonic()` when the picture was there."""


class Source(Protocol):
    """Somewhere frames come from."""

    @property
    def name(self) -> str:
        """What it is, for people."""

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace and are lost if nobody takes them."""

    @property
    def trouble(self) -> str:
        """One line about why no frame comes, while a camera is away."""

    def frames(self) -> Iterator[Frame | None]:
        """Frames until the end; None while a camera is away and being looked for."""

    def want_every(self, seconds: float) -> None:
        """From now on only a frame this long after the last one is wanted; 0 for every frame.

        The source may spare itself the others, as long as it goes on at its pace. Called from another thread.
        """

    def close(self) -> None:
        """Gives the device or file back."""


@dataclass(frozen=True)
class CameraMode:
    """What to ask of a webcam; it may answer with something near."""

    width: int = 640
    height: int = 480
    rate: float = 30.0


class Webcam:
    """A camera of the machine. When it goes away it is looked for until it is back.

    One that gives the same picture for `FROZEN_AFTER` seconds counts as gone, and a picture that comes again is never
    given on. What a camera sends that is no picture (of another depth, of no known colours, one that cannot be
    decoded) counts as nothing sent.
    """

    live = True

    def __init__(self, device: str, mode: CameraMode | None = None, *, patient: bool = False) -> None:
        """`device` is an index ("0"), a path ("/dev/video0") or `ANY_CAMERA`.

        Raises `SourceError`, unless `patient`: then a camera that is not there yet is looked for, too.
        """
        self.name = "the camera" if device == ANY_CAMERA else f"camera {device}"
        self._device = device
        self._mode = mode or CameraMode()
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
        standstill = Standstill()
        last = float("-inf")
        index = failures = 0
        while True:
            grabbed = bool(self._capture and _grabbed(self._capture))
            now = time.monotonic()
            if grabbed and now - started + _SHADE < last + self._every:
                index, failures = index + 1, 0
                continue  # unpacking it is most of the work
            image = _decoded(self._capture.retrieve) if self._capture and grabbed else None
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
            time.sleep(_RECONNECT_SECONDS[min(failures // _RETRY_READS, len(_RECONNECT_SECONDS) - 1)])
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
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._mode.width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._mode.height)
        capture.set(cv2.CAP_PROP_FPS, self._mode.rate)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest frame, not the oldest of a queue
        if not capture.grab():
            capture.release()
            return None
        return capture


class Clip:
    """A video file or a GIF."""

    live = False
    trouble = ""

    def __init__(self, path: Path, *, loop: bool, name: str | None = None) -> None:
        """Raises `SourceError`."""
        self.name = name or f"clip {path}"
        self._path = path
        self._loop = loop
        self._every = 0.0
        self._capture = self._open()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if np.isfinite(rate) and rate > 0 else FOLDER_RATE

    def frames(self) -> Iterator[Frame]:
        """Every frame in order; a clip that loops begins again, counting on."""
        last = float("-inf")
        index = 0
        while True:
            grabbed = _grabbed(self._capture)
            if grabbed and index / self.rate + _SHADE < last + self._every:
                index += 1
                continue
            image = _decoded(self._capture.retrieve) if grabbed else None
            if image is not None:
                last = index / self.rate
                yield Frame(image, index, last, time.monotonic())
                index += 1
            elif index == 0:
                raise SourceError(f"{self._path} holds no readable frame: is it a video?")
            elif self._loop:
                self._capture.release()
                self._capture = self._open()
            else:
                return

    def want_every(self, seconds: float) -> None:
        """Frames between are passed over."""
        self._every = seconds

    def close(self) -> None:
        """Closes the file."""
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            raise SourceError(f"{self._path} is not a readable video, GIF or picture")
        return capture


class Pictures:
    """Picture files, one after the other, in the order of their names."""

    live = False
    trouble = ""
    rate = FOLDER_RATE

    def __init__(self, paths: list[Path], *, loop: bool, name: str) -> None:
        """`paths` must not be empty."""
        self.name = name
        self._paths = paths
        self._loop = loop

    def frames(self) -> Iterator[Frame]:
        """Every readable picture; an unreadable one is named on standard error and passed over."""
        index = 0
        while True:
            before = index
            for path in self._paths:
                image = _decoded(partial(_read_picture, path))
                if image is None:
                    print(f"{path} cannot be read as a picture: passed over", file=sys.stderr)
                    continue
                yield Frame(image, index, index / self.rate, time.monotonic())
                index += 1
            if index == before:
                raise SourceError(f"{self.name}: none of its pictures can be read")
            if not self._loop:
                return

    def want_every(self, seconds: float) -> None:
        """Every picture is shown: they are few, and each may be another."""

    def close(self) -> None:
        """Nothing is held open."""


def open_source(spec: str, *, loop: bool = False, mode: CameraMode | None = None, patient: bool = False) -> Source:
    """Opens a webcam ("0", "/dev/video0", `ANY_CAMERA`), a file, a folder of pictures, or the demo clip ("demo").

    Raises `SourceError`, though not for a camera that is away where it is `patient`.
    """
    if spec == DEMO:
        return Clip(Path(str(resources.files("kiosk.assets") / "demo.mp4")), loop=loop, name="the demo clip")
    if is_camera(spec):
        return Webcam(spec, mode, patient=patient)
    path = Path(spec)
    if path.is_dir():
        return Pictures(pictures_in(path), loop=loop, name=f"folder {path}")
    if not path.exists():
        raise SourceError(f"{path} does not exist: a source is a camera (0, /dev/video0), a file, a folder or {DEMO!r}")
    if not path.is_file():
        raise SourceError(f"{path} is neither a file nor a folder of pictures")
    if is_picture(path):
        return Pictures([path], loop=loop, name=f"picture {path}")
    return Clip(path, loop=loop)


def is_camera(spec: str) -> bool:
    """Whether a source is a camera rather than a file."""
    return spec == ANY_CAMERA or spec.isdecimal() or spec.startswith("/dev/")


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder, by name. Raises `SourceError` where there is none."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and is_picture(path))
    if not paths:
        raise SourceError(f"folder {folder} holds no pictures")
    return paths


def is_picture(path: Path) -> bool:
    """Whether a file's name says that it is a still picture. A GIF is a clip."""
    return path.suffix.lower() in PICTURE_SUFFIXES


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


class Reader:
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


def _read_picture(path: Path) -> tuple[bool, Any]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return image is not None, image


def _grabbed(capture: cv2.VideoCapture) -> bool:
    try:
        return capture.grab()
    except cv2.error:
        return False


def _decoded(read: Callable[[], tuple[bool, Any]]) -> NDArray[np.uint8] | None:
    """(height, width, 3) BGR of what a decoder gives; None where that is nothing, or no picture."""
    try:
        good, image = read()
        return _colour(image) if good and image is not None and image.size and image.dtype == np.uint8 else None
    except cv2.error:
        return None


def _colour(image: NDArray[Any]) -> NDArray[np.uint8]:
    """(height, width, 3) BGR of a gray or a colour picture. Raises `cv2.error` for one of two or five channels."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels != 3:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR)
    return np.asarray(image, dtype=np.uint8)
