"""Frames to measure with: the person of a clip tiled to several faces, a still person, and an empty room.

Frames are made in memory. Files are written only for programs that read files, and show synthetic people or nobody.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.common.errors import KioskError
from kiosk.vision.capture.frame import Frame
from kiosk.vision.capture.source import open_source
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.geometry import Face, is_plausible
from kiosk.vision.faces.image import to_gray

Picture = NDArray[np.uint8]
"""(height, width, 3) BGR."""

GRIDS = {1: (1, 1), 2: (2, 1), 4: (2, 2)}
"""Columns and rows of tiles for each number of faces."""

_FACE_SHARE = 0.45  # of the shorter side of a tile
_LOOK_EVERY = 5  # frames between two searches for a passage with one face
_LAG = 7  # frames by which neighbouring tiles are shifted, so that they do not move together


class SceneError(KioskError):
    """A clip does not show what a scene needs, or a scene cannot be written."""


@dataclass(frozen=True)
class Passage:
    """Consecutive frames of a clip that show one person."""

    pictures: Sequence[Picture]
    middle: tuple[float, float]
    """The median position of the face's centre in pixels, x and y."""
    size: float
    """The median width of the face in pixels."""


def passage(source: str, finder: FaceFinder, frames: int) -> Passage:
    """Returns the first `frames` consecutive frames with exactly one face, or the longest such passage.

    Raises `SourceError`, and `SceneError` if no person is alone in view.
    """
    best: list[Picture] = []
    best_faces: list[Face] = []
    run: list[Picture] = []
    faces: list[Face] = []
    with closing(open_source(source)) as opened:
        for frame in opened.frames():
            if frame is None:
                continue
            if frame.index % _LOOK_EVERY == 0:
                found = [face for face in finder.detect(to_gray(frame.image)) if is_plausible(face)]
                if len(found) == 1:
                    faces.append(found[0])
                else:
                    run, faces = [], []
            if faces:
                run.append(frame.image)
            if len(run) > len(best):
                best, best_faces = list(run), list(faces)
            if len(best) >= frames:
                break
    if len(best) < _LOOK_EVERY:
        raise SceneError(f"nobody is alone in view for long enough in {Path(source).name}")
    boxes = np.array([face.box for face in best_faces])
    left, top, width, height = np.median(boxes, axis=0)
    return Passage(best, (float(left + width / 2), float(top + height / 2)), float(width))


def tile_faces(shown: Passage, width: int, height: int, faces: int) -> list[Picture]:
    """Returns the passage as frames of `width` × `height` pixels, with the person in `faces` tiles."""
    columns, rows = GRIDS[faces]
    tile_width, tile_height = width // columns, height // rows
    scale = _FACE_SHARE * min(tile_width, tile_height) / shown.size
    x, y = shown.middle
    move = np.array([[scale, 0, tile_width / 2 - scale * x], [0, scale, tile_height / 2 - scale * y]])
    cut = [
        np.asarray(
            cv2.warpAffine(picture, move, (tile_width, tile_height), borderMode=cv2.BORDER_REPLICATE),
            dtype=np.uint8,
        )
        for picture in shown.pictures
    ]
    pictures = []
    for index in range(len(cut)):
        tiles = [cut[_ping_pong(index + _LAG * place, len(cut))] for place in range(faces)]
        lines = [np.hstack(tiles[row * columns : (row + 1) * columns]) for row in range(rows)]
        pictures.append(np.ascontiguousarray(np.vstack(lines)))
    return pictures


def endless(pictures: Sequence[Picture], rate: float) -> Iterator[Frame]:
    """Yields frames at `rate` per second without end: the pictures forwards and backwards, without jumps."""
    for index in itertools.count():
        picture = pictures[_ping_pong(index, len(pictures))]
        yield Frame(picture, index, index / rate, time.monotonic())


class Camera:
    """A source that gives the pictures forwards and backwards for `frames` frames. `FrameGrabber` sets the pace."""

    live = False
    name = "a made-up camera"
    problem = ""

    def __init__(self, pictures: Sequence[Picture], rate: float, frames: int) -> None:
        self._pictures, self._rate, self._frames = pictures, rate, frames

    def frames(self) -> Iterator[Frame]:
        """Returns an iterator over the frames."""
        return itertools.islice(endless(self._pictures, self._rate), self._frames)

    def set_frame_interval(self, seconds: float) -> None:
        """Does nothing, because every frame is counted."""

    def close(self) -> None:
        """Does nothing, because no device is open."""


def sway_still(picture: Picture, frames: int, rate: float) -> Iterator[Picture]:
    """Yields one picture as a camera sees a still person: 1 % of sway, changing light and sensor noise.

    The frames are the same every time.
    """
    random = np.random.default_rng(0)
    height, width = picture.shape[:2]
    middle = width / 2, height / 2
    for index in range(frames):
        seconds = index / rate
        move = cv2.getRotationMatrix2D(middle, math.sin(0.9 * seconds), 1 + 0.01 * math.sin(0.7 * seconds))
        move[0, 2] += 0.01 * width * math.sin(1.3 * seconds)
        move[1, 2] += 0.005 * height * math.sin(2.1 * seconds)
        seen = cv2.warpAffine(picture, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        light = 1 + 0.03 * math.sin(5 * seconds)
        yield noisy(np.asarray(cv2.convertScaleAbs(seen, alpha=light), dtype=np.uint8), random, 4.0)


def noisy(picture: Picture, random: np.random.Generator, deviation: float) -> Picture:
    """Returns the picture with Gaussian sensor noise of `deviation` gray levels."""
    noise = random.standard_normal(picture.shape, np.float32) * np.float32(deviation)
    return np.asarray(np.clip(picture + noise, 0, 255), dtype=np.uint8)


def empty_room(width: int, height: int, frames: int) -> Iterator[Picture]:
    """Yields frames of an empty room with a wall, a floor and a door frame, with sensor noise."""
    random = np.random.default_rng(1)
    shade = np.linspace(150, 95, height, dtype=np.float32)[:, None] + np.linspace(-15, 15, width, dtype=np.float32)
    room = np.repeat(shade[:, :, None], 3, axis=2).astype(np.uint8)
    cv2.rectangle(room, (0, int(0.8 * height)), (width, height), (70, 80, 95), -1)
    cv2.rectangle(
        room, (int(0.62 * width), int(0.15 * height)), (int(0.85 * width), int(0.8 * height)), (90, 100, 120), -1
    )
    cv2.rectangle(
        room, (int(0.1 * width), int(0.2 * height)), (int(0.35 * width), int(0.45 * height)), (190, 185, 175), 3
    )
    for _ in range(frames):
        yield noisy(room, random, 4.0)


def write_video(path: Path, pictures: Iterator[Picture] | Sequence[Picture], rate: float) -> None:
    """Writes a Motion JPEG file, which takes about as long to decode as the frames of a USB camera.

    Raises `SceneError`.
    """
    writer: cv2.VideoWriter | None = None
    for picture in pictures:
        if writer is None:
            height, width = picture.shape[:2]
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (width, height))
            if not writer.isOpened():
                raise SceneError(f"cannot write {path}: is there room?")
        writer.write(picture)
    if writer is not None:
        writer.release()


def _ping_pong(index: int, count: int) -> int:
    """Returns the position of `index` in a sequence that goes from 0 to `count` - 1 and back again."""
    if count == 1:
        return 0
    place = index % (2 * count - 2)
    return min(place, 2 * count - 2 - place)
