"""Reads frames from files: a video, a GIF, or a folder of images."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kiosk.vision.capture.decode import decode_bgr, grab
from kiosk.vision.capture.frame import Frame, SourceError, is_early

PICTURE_SUFFIXES = frozenset(
    (".avif", ".bmp", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)

FOLDER_RATE = 25.0
"""Frames per second of a folder, and of a video file that does not state its rate."""


class Clip:
    """A video file or a GIF."""

    live = False
    problem = ""

    def __init__(self, path: Path, *, loop: bool, name: str | None = None) -> None:
        """Opens the file. Raises `SourceError` if it is not a readable video."""
        self.name = name or f"clip {path}"
        self._path = path
        self._loop = loop
        self._every = 0.0
        self._capture = self._open()
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self.rate = rate if np.isfinite(rate) and rate > 0 else FOLDER_RATE

    def frames(self) -> Iterator[Frame]:
        """Yields every frame in order. A looping clip starts again, with frame numbers that count on.

        Raises `SourceError` if the file has no readable frame, or if a looping clip cannot be opened again.
        """
        last = float("-inf")
        index = 0
        while True:
            grabbed = grab(self._capture)
            if grabbed and is_early(index / self.rate, last, self._every):
                index += 1
                continue
            image = decode_bgr(self._capture.retrieve) if grabbed else None
            if image is not None:
                last = index / self.rate
                yield Frame(image, index, last, time.monotonic())
                index += 1
            elif index == 0:
                raise SourceError(f"{self._path} holds no readable frame: check that it is a video")
            elif self._loop:
                self._capture.release()
                self._capture = self._open()
            else:
                return

    def set_frame_interval(self, seconds: float) -> None:
        """See `Source.set_frame_interval`."""
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
    """Image files, shown one after the other in the order of their names."""

    live = False
    problem = ""
    rate = FOLDER_RATE

    def __init__(self, paths: list[Path], *, loop: bool, name: str) -> None:
        """`paths` must not be empty."""
        self.name = name
        self._paths = paths
        self._loop = loop

    def frames(self) -> Iterator[Frame]:
        """Yields every readable image. Names an unreadable one on standard error and skips it.

        Raises `SourceError` if none can be read.
        """
        index = 0
        while True:
            before = index
            for path in self._paths:
                image = decode_bgr(partial(_read_picture, path))
                if image is None:
                    print(f"{path} cannot be read as a picture: skipped", file=sys.stderr)
                    continue
                yield Frame(image, index, index / self.rate, time.monotonic())
                index += 1
            if index == before:
                raise SourceError(f"{self.name}: none of its pictures can be read")
            if not self._loop:
                return

    def set_frame_interval(self, seconds: float) -> None:
        """Does nothing: every image is a frame of its own."""

    def close(self) -> None:
        """Does nothing: no file stays open."""


def list_pictures(folder: Path) -> list[Path]:
    """Returns the image files of a folder, sorted by name. Raises `SourceError` if grabbed are none."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and is_picture(path))
    if not paths:
        raise SourceError(f"folder {folder} holds no pictures")
    return paths


def is_picture(path: Path) -> bool:
    """Returns whether a file's suffix is that of a still image. A GIF counts as a clip."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def _read_picture(path: Path) -> tuple[bool, Any]:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return image is not None, image
