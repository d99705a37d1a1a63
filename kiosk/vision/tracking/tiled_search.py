"""The slow search for faces too small for the small copy: in parts of the frame at its own size, or at twice it.

The parts overlap, so that each face that the scan is for lies in one of them whole. Where nothing has changed since it
was searched last the answer would be the same again, and the head of somebody who is known hides everybody behind it:
only around what changed elsewhere is a part searched, and all of it once in a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.detector import SMALLEST_DETECTABLE, detection_scale
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Area, Gray
from kiosk.vision.tracking.motion import CELLS, changed, thumbnail
from kiosk.vision.tracking.schedule import Schedule

AGAIN_AFTER: Final = 2.0
"""Seconds after which a part is searched though nothing in it changed: a shade may be too little to be seen."""

# A part has at most so many pixels, as the detector sees it (about 6 ms of an ordinary core), or of a larger frame the
# first of these shares with which all parts together, because they overlap, are no more than twice the frame.
_PART_PIXELS = 150_000
_PART_SHARES = (0.3, 0.5)
_OVERLAPPING = 2.0
_MOST_ROWS = 6
_OVERLAP = 4 / 3  # of the parts, in smallest faces found at once: the detector wants surroundings too
_AROUND = 0.75  # how far around a change is searched, in smallest faces found at once: it may be half of a face
_WORTH_IT = 1.2  # least gain in scale for which a scan finds what the small copy does not

# A head reaches so far beyond the box of its face, in the box's sides: to the left and right, above, below.
_HEAD = (0.2, 0.45, 0.2)


@dataclass
class _Searched:
    """When and in what a part was searched."""

    as_a_whole: float
    """When all of it was."""
    looked: NDArray[np.float32]
    """The thumbnail of the frame that it was searched in last."""


class TiledSearch:
    """Which parts of the frame to search for small faces, frame by frame."""

    def __init__(self, smallest_face: float) -> None:
        """`smallest_face` is the share of the frame's height from which faces are found at once."""
        self._smallest_face = smallest_face
        self._searched: dict[Area, _Searched] = {}

    def areas(
        self, gray: Gray, time: float, schedule: Schedule, known: Iterable[Face] = (), *, detecting: bool
    ) -> list[Area]:
        """The areas to search at `scale_of` the frame; `detecting` is whether all of it is searched besides.

        `known` are the faces that need not be found.
        """
        height, width = gray.shape
        parts = parts_of(height, width, self._smallest_face)
        due = [parts[number] for number in schedule.parts_due(time, len(parts), detecting=detecting)]
        if not due:
            return []
        now = thumbnail(gray)
        hidden = _heads(known, height, width)
        return [area for part in due if (area := self._news(part, now, hidden, time, height, width))]

    def scale_of(self, gray: Gray) -> float:
        """The scale at which the areas of a frame are searched."""
        return scan_scale(gray.shape[0], self._smallest_face) or 1.0

    def _news(
        self, part: Area, now: NDArray[np.float32], hidden: NDArray[np.bool_], time: float, height: int, width: int
    ) -> Area | None:
        """What of the part has to be searched, if anything."""
        searched = self._searched.get(part)
        if searched is None or time - searched.as_a_whole >= AGAIN_AFTER:
            self._searched[part] = _Searched(time, now)
            return part
        left, top, right, bottom = part
        across, down = width / CELLS[0], height / CELLS[1]
        inside = np.zeros_like(hidden)
        inside[int(top / down) : int(np.ceil(bottom / down)), int(left / across) : int(np.ceil(right / across))] = True
        rows, columns = np.nonzero(changed(searched.looked, now) & inside & ~hidden)
        if not len(rows):
            return None
        searched.looked = now
        around = _AROUND * SMALLEST_DETECTABLE / detection_scale(height, self._smallest_face)
        return (
            max(left, round(columns.min() * across - around)),
            max(top, round(rows.min() * down - around)),
            min(right, round((columns.max() + 1) * across + around)),
            min(bottom, round((rows.max() + 1) * down + around)),
        )


def _heads(faces: Iterable[Face], height: int, width: int) -> NDArray[np.bool_]:
    """(30, 40) the cells of the thumbnail that the faces' heads hide."""
    hidden = np.zeros(CELLS[::-1], np.bool_)
    across, down = width / CELLS[0], height / CELLS[1]
    beside, above, below = _HEAD
    for face in faces:
        left, top, size, _ = face.box
        rows = slice(max(round((top - above * size) / down), 0), max(round((top + (1 + below) * size) / down), 0))
        columns = slice(
            max(round((left - beside * size) / across), 0), max(round((left + (1 + beside) * size) / across), 0)
        )
        hidden[rows, columns] = True
    return hidden


def scan_scale(height: int, smallest_face: float) -> float | None:
    """The scale at which a frame is scanned for small faces: its own size, or twice it; None for no scan.

    Takes what `detection_scale` does, the scale for the faces that are found at once.
    """
    at_once = detection_scale(height, smallest_face)
    for scale in (1.0, 2.0):
        if scale >= _WORTH_IT * at_once:
            return scale
    return None


@lru_cache(maxsize=4)
def parts_of(height: int, width: int, smallest_face: float) -> list[Area]:
    """The parts in which a frame is scanned; each face too small for the small copy lies in one of them whole."""
    scale = scan_scale(height, smallest_face)
    if scale is None:
        return []
    overlap = round(_OVERLAP * SMALLEST_DETECTABLE / detection_scale(height, smallest_face))
    pixels = height * width
    for share in _PART_SHARES:
        most = max(_PART_PIXELS / scale**2, share * pixels)
        parts = _fewest_parts(height, width, overlap, most)
        if parts and sum(_size(part) for part in parts) <= _OVERLAPPING * pixels:
            return parts
    return [(0, 0, width, height)]  # faces so large that parts would be as large as the frame


def _fewest_parts(height: int, width: int, overlap: int, most: float) -> list[Area]:
    """As few parts of at most `most` pixels as will do; none where that many do not."""
    counts = range(1, _MOST_ROWS + 1)
    grids = sorted(product(counts, counts), key=lambda grid: (grid[0] * grid[1], abs(grid[0] - grid[1])))
    for rows, columns in grids:
        down, across = _stretches(height, rows, overlap), _stretches(width, columns, overlap)
        parts = [(left, top, right, bottom) for top, bottom in down for left, right in across]
        if max(_size(part) for part in parts) <= most:
            return parts
    return []


def _size(area: Area) -> int:
    left, top, right, bottom = area
    return (right - left) * (bottom - top)


def _stretches(length: int, count: int, overlap: int) -> list[tuple[int, int]]:
    """`count` equal stretches, from and to, that cover `length` and share `overlap`."""
    size = min(-(-(length + (count - 1) * overlap) // count), length)
    step = (length - size) / (count - 1) if count > 1 else 0
    return [(round(index * step), round(index * step) + size) for index in range(count)]
