"""Cuts crops without a face from pictures: at places where the detector nearly finds a face, and at random places.

The pictures show drawings, animals, objects and textures. No photograph of a person may be among them. Pictures that
show only a pattern are generated here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kiosk.vision.faces.alignment import AVERAGE_FACE, align
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.dlib_models import frontal_detector
from kiosk.vision.faces.geometry import Face, is_plausible
from kiosk.vision.faces.image import Gray
from kiosk.vision.faces.quality import GOOD, quality

NEARLY = -0.6
"""Lowest detector score of a place that resembles a face. With it, one picture in four has such a place."""

MAX_SIDE, MIN_SIDE = 480, 24  # pixels of a picture's longer and shorter side
_MAX_PIXELS = 700_000  # of a picture that is searched
_BORDER = 20  # pixels
_HEIGHT, _WIDTH = 240, 320  # pixels of a generated picture
_BACKGROUNDS = (230, 90)  # gray levels behind a transparent picture
_RANDOM_CROPS = 2  # crops of each picture at random places


@dataclass(frozen=True)
class NonFace:
    """A crop without a face."""

    crop: Gray
    """`(75, 75) uint8`."""
    score: float
    """The detector's score: above 0 where it found a face, below -1 where it found nothing."""


def list_pictures(folders: Iterable[Path]) -> list[Path]:
    """Returns every file in the folders and their subfolders, sorted by path."""
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


def is_held_out(file: Path) -> bool:
    """Whether a picture is held out for measuring: one in three, chosen by the file's name alone."""
    return zlib.crc32(file.name.encode()) % 3 == 0


def read_on_backgrounds(file: Path) -> list[Gray]:
    """Reads a picture in gray, with at most 480 pixels on its longer side; returns no picture if it cannot be read.

    A picture with transparency is returned twice, on a light and on a dark background.
    """
    try:
        read = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # a picture with too many pixels
        return []
    if read is None or read.dtype != np.uint8 or min(read.shape[:2]) < MIN_SIDE:
        return []
    scale = min(MAX_SIDE / max(read.shape[:2]), 1.0)
    picture = cv2.resize(read, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if picture.ndim == 2:
        return [np.asarray(picture, np.uint8)]
    gray = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2GRAY)
    if picture.shape[2] == 3:
        return [np.asarray(gray, np.uint8)]
    opaque = picture[..., 3] / 255
    return [np.asarray(gray * opaque + ground * (1 - opaque), np.uint8) for ground in _BACKGROUNDS]


def synthetic_pictures(count: int, seed: int = 0) -> list[Gray]:
    """Returns `(240, 320) uint8` pictures: blank ones, gradients, noise, waves, checkers and shapes."""
    random = np.random.default_rng(seed)
    kinds = (_blank, _gradient, _noise, _waves, _checkers, _shapes)
    return [kinds[index % len(kinds)](random) for index in range(count)]


def find_non_faces(pictures: Iterable[Gray], seed: int = 0) -> Iterator[list[NonFace]]:
    """Yields for each picture its crops without a face that have good quality.

    A picture must contain no face. The crops are from places that resemble a face, and from random places.
    """
    finder, detector, random = FaceFinder(), frontal_detector(), np.random.default_rng(seed)
    for picture in pictures:
        gray = np.pad(picture, _BORDER, mode="edge")
        faces = [*_nearly_found_faces(gray, finder, detector), *_faces_anywhere(picture, finder, random)]
        crops = [(face, align(source, face)) for source, face in faces if is_plausible(face)]
        yield [NonFace(crop, face.score) for face, crop in crops if quality(crop, face) >= GOOD]


def _nearly_found_faces(gray: Gray, finder: FaceFinder, detector: Any) -> Iterator[tuple[Gray, Face]]:
    _, top, width, _ = _average_face_at(0j, 1).box  # of a face with eyes one pixel apart
    for scale in (1.0, 2.0):
        copy = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        if copy.size > _MAX_PIXELS:
            continue
        boxes, scores, _ = detector.run(copy, 0, NEARLY)
        for box, score in zip(boxes, scores, strict=True):
            size = box.width() / scale / width
            x, y = (box.left() + box.right()) / 2 / scale, (box.top() + box.bottom()) / 2 / scale
            start = _average_face_at(complex(x, y - (top + width / 2) * size), size)
            found = finder.follow(gray, finder.follow(gray, start))
            yield gray, Face(found.landmarks, float(score))


def _faces_anywhere(gray: Gray, finder: FaceFinder, random: np.random.Generator) -> Iterator[tuple[Gray, Face]]:
    height, width = gray.shape
    for _ in range(_RANDOM_CROPS):
        size = random.uniform(0.15, 0.4) * min(height, width)
        eyes = complex(random.uniform(0.3, 0.7) * width, random.uniform(0.3, 0.6) * height)
        start = _average_face_at(eyes, size * np.exp(1j * random.uniform(-0.25, 0.25)))
        yield gray, Face(finder.follow(gray, start).landmarks, -9.0)


def _average_face_at(eyes: complex, across: complex) -> Face:
    points = eyes + AVERAGE_FACE * across
    return Face(np.column_stack([points.real, points.imag]))


def _blank(random: np.random.Generator) -> Gray:
    return np.full((_HEIGHT, _WIDTH), random.integers(0, 256), np.uint8)


def _gradient(random: np.random.Generator) -> Gray:
    rows, columns = np.mgrid[-1 : 1 : _HEIGHT * 1j, -1 : 1 : _WIDTH * 1j]
    a, b, c = random.uniform(-60, 60, 3)
    return _levels(128 + a * rows + b * columns + c * (rows**2 + columns**2))


def _noise(random: np.random.Generator) -> Gray:
    total = np.full((_HEIGHT, _WIDTH), 128.0)
    for cell in (1, 2, 4, 8, 16, 32, 64):
        coarse = random.normal(0, random.uniform(0, 30), (_HEIGHT // cell + 2, _WIDTH // cell + 2))
        total += cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    return _levels(total)


def _waves(random: np.random.Generator) -> Gray:
    rows, columns = np.mgrid[0:_HEIGHT, 0:_WIDTH]
    total = np.full((_HEIGHT, _WIDTH), 128.0)
    for _ in range(random.integers(1, 5)):
        x, y, phase = random.uniform(-0.3, 0.3), random.uniform(-0.3, 0.3), random.uniform(0, 6.3)
        total += random.uniform(10, 60) * np.sin(x * columns + y * rows + phase)
    return _levels(total)


def _checkers(random: np.random.Generator) -> Gray:
    side = random.integers(4, 60)
    board = (np.arange(_HEIGHT)[:, None] // side + np.arange(_WIDTH)[None] // side) % 2
    return _levels(random.uniform(0, 120) + board * random.uniform(40, 130))


def _shapes(random: np.random.Generator) -> Gray:
    picture = _blank(random)
    for _ in range(random.integers(3, 40)):
        middle = int(random.integers(0, _WIDTH)), int(random.integers(0, _HEIGHT))
        axes = int(random.integers(3, 60)), int(random.integers(3, 60))
        level, turn = int(random.integers(0, 256)), int(random.integers(0, 180))
        cv2.ellipse(picture, middle, axes, turn, 0, 360, level, cv2.FILLED if random.random() < 0.6 else 2, cv2.LINE_AA)
    return picture


def _levels(values: np.ndarray) -> Gray:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
