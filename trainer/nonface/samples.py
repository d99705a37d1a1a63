"""Crops of what is no face: where the detector nearly finds one in pictures of anything else, and where it does not.

Pictures are drawings, animals, objects, textures; no photograph of a person may be among them. Those that show
nothing but a pattern are made up here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
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
"""Score from which the detector nearly finds a face: with it, one picture in four has something to learn from."""

LARGEST, SMALLEST = 480, 24  # pixels along the longer and the shorter side
_MOST_PIXELS = 700_000  # of a picture that is searched
_BORDER = 20  # pixels
_HEIGHT, _WIDTH = 240, 320  # of what is made up
_GROUNDS = (230, 90)  # gray levels behind a transparent picture
_ANYWHERE = 2  # crops of a picture cut where there is nothing


@dataclass(frozen=True)
class NotFace:
    """A crop of something else."""

    crop: Gray
    score: float
    """The detector's; below -1 where it found nothing."""


def picture_files(folders: Iterable[Path]) -> list[Path]:
    """Every file in the folders, however deep, in a fixed order."""
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]


def kept_aside(file: Path) -> bool:
    """Whether a picture, one in three, is for measuring: by its name alone, wherever it lies."""
    return zlib.crc32(file.name.encode()) % 3 == 0


def on_grounds(file: Path) -> list[Gray]:
    """The picture in gray at a kiosk's size, on light and on dark where it is transparent; none if unreadable."""
    try:
        read = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    except cv2.error:  # a picture of absurd size
        return []
    if read is None or read.dtype != np.uint8 or min(read.shape[:2]) < SMALLEST:
        return []
    scale = min(LARGEST / max(read.shape[:2]), 1.0)
    picture = cv2.resize(read, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if picture.ndim == 2:
        return [np.asarray(picture, np.uint8)]
    gray = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_BGR2GRAY)
    if picture.shape[2] == 3:
        return [np.asarray(gray, np.uint8)]
    opaque = picture[..., 3] / 255
    return [np.asarray(gray * opaque + ground * (1 - opaque), np.uint8) for ground in _GROUNDS]


def made_up(count: int, seed: int = 0) -> list[Gray]:
    """(240, 320) pictures: blank, gradients, noise of every coarseness, stripes, checkers and heaps of shapes."""
    random = np.random.default_rng(seed)
    kinds = (_blank, _gradient, _noise, _waves, _checkers, _shapes)
    return [kinds[index % len(kinds)](random) for index in range(count)]


def not_faces(pictures: Iterable[Gray], seed: int = 0) -> Iterator[list[NotFace]]:
    """Each picture's crops that are good enough to be asked about, found and forced."""
    finder, detector, random = FaceFinder(), frontal_detector(), np.random.default_rng(seed)
    for picture in pictures:
        gray = np.pad(picture, _BORDER, mode="edge")
        faces = [*_nearly_found(gray, finder, detector), *_anywhere(picture, finder, random)]
        crops = [(face, align(source, face)) for source, face in faces if is_plausible(face)]
        yield [NotFace(crop, face.score) for face, crop in crops if quality(crop, face) >= GOOD]


def _nearly_found(gray: Gray, finder: FaceFinder, detector: Any) -> Iterator[tuple[Gray, Face]]:
    _, top, width, _ = _face_at(0j, 1).box  # of a face whose eyes are one pixel apart
    for scale in (1.0, 2.0):
        copy = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        if copy.size > _MOST_PIXELS:
            continue
        boxes, scores, _ = detector.run(copy, 0, NEARLY)
        for box, score in zip(boxes, scores, strict=True):
            size = box.width() / scale / width
            x, y = (box.left() + box.right()) / 2 / scale, (box.top() + box.bottom()) / 2 / scale
            started = _face_at(complex(x, y - (top + width / 2) * size), size)
            found = finder.follow(gray, finder.follow(gray, started))
            yield gray, Face(found.landmarks, float(score))


def _anywhere(gray: Gray, finder: FaceFinder, random: np.random.Generator) -> Iterator[tuple[Gray, Face]]:
    height, width = gray.shape
    for _ in range(_ANYWHERE):
        size = random.uniform(0.15, 0.4) * min(height, width)
        eyes = complex(random.uniform(0.3, 0.7) * width, random.uniform(0.3, 0.6) * height)
        started = _face_at(eyes, size * np.exp(1j * random.uniform(-0.25, 0.25)))
        yield gray, Face(finder.follow(gray, started).landmarks, -9.0)


def _face_at(eyes: complex, across: complex) -> Face:
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


def flattened(groups: Iterable[Sequence[NotFace]]) -> list[NotFace]:
    """All of them."""
    return [each for group in groups for each in group]
