"""The slow search for faces too small for the small copy: in parts of the frame at its own size, or at twice it.

The parts overlap, so that each face that the scan is for lies in one of them whole. A part in which nothing
has changed since it was searched last would give the same answer again, and is passed over for a while.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces import SMALLEST_DETECTABLE, Area, Gray, detection_scale
from kiosk.vision.motion import CELLS, changed, thumbnail
from kiosk.vision.schedule import Schedule

AGAIN_AFTER: Final = 2.0
"""Seconds after which a part is searched though nothing in it changed: a shade may be too little to be seen."""

# A part has at most so many pixels, as the detector sees it (about 6 ms of an ordinary core), or of a larger frame the
# first of these shares with which all parts together, because they overlap, are no more than twice the frame.
_PART_PIXELS = 150_000
_PART_SHARES = (0.3, 0.5)
_OVERLAPPING = 2.0
_MOST_ROWS = 6
_OVERLAP = 4 / 3  # of the parts, in smallest faces found at once: the detector wants surroundings too
_WORTH_IT = 1.2  # least gain in scale for which a scan finds what the small copy does not


class Scan:
    """Which parts of the frame to search for small faces, frame by frame."""

    def __init__(self, smallest_face: float) -> None:
        """`smallest_face` is the share of the frame's height from which faces are found at once."""
        self._smallest_face = smallest_face
        self._searched: dict[Area, tuple[float, NDArray[np.float32]]] = {}

    def areas(self, gray: Gray, time: float, schedule: Schedule, *, detecting: bool) -> list[Area]:
        """The areas to search at `scale_of` the frame; `detecting` is whether all of it is searched besides."""
        height, width = gray.shape
        parts = parts_of(height, width, self._smallest_face)
        due = [parts[number] for number in schedule.parts_due(time, len(parts), detecting=detecting)]
        if not due:
            return []
        now = thumbnail(gray)
        areas = []
        for area in due:
            if self._is_news(area, now, time, height, width):
                self._searched[area] = time, now
                areas.append(area)
        return areas

    def scale_of(self, gray: Gray) -> float:
        """The scale at which the areas of a frame are searched."""
        return scan_scale(gray.shape[0], self._smallest_face) or 1.0

    def _is_news(self, area: Area, now: NDArray[np.float32], time: float, height: int, width: int) -> bool:
        if area not in self._searched:
            return True
        searched, before = self._searched[area]
        if time - searched >= AGAIN_AFTER:
            return True
        left, top, right, bottom = area
        across, down = CELLS[0] / width, CELLS[1] / height
        rows = slice(int(top * down), int(np.ceil(bottom * down)))
        columns = slice(int(left * across), int(np.ceil(right * across)))
        return bool(changed(before, now)[rows, columns].any())


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
