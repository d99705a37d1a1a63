"""The slow search for faces too small for the small copy: in parts of the frame at its own size, or at twice it.

The parts overlap, so that each face that the scan is for lies in one of them whole. A part in which nothing
has changed since it was searched last would give the same answer again, and is passed over for a while.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces import SMALLEST_DETECTABLE, Area, Gray, detection_scale
from kiosk.vision.motion import CELLS, changed, thumbnail
from kiosk.vision.schedule import Schedule

AGAIN_AFTER: Final = 2.0
"""Seconds after which a part is searched though nothing in it changed: a shade may be too little to be seen."""

# Most pixels of a part, as the detector sees it; the first are about 6 ms of an ordinary core. Of a larger frame a
# part may be larger, because small parts overlap more than they are worth, but not without end.
_PART_PIXELS, _PART_PIXELS_AT_MOST = 150_000, 450_000
_PART_SHARE = 0.47
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
    most = min(max(_PART_PIXELS, _PART_SHARE * height * width * scale**2), _PART_PIXELS_AT_MOST)
    overlap = round(_OVERLAP * SMALLEST_DETECTABLE / detection_scale(height, smallest_face))
    grids = (
        (_stretches(height, rows, overlap), _stretches(width, columns, overlap))
        for rows, columns in sorted(
            ((rows, columns) for rows in range(1, _MOST_ROWS + 1) for columns in range(1, _MOST_ROWS + 1)),
            key=lambda grid: (grid[0] * grid[1], abs(grid[0] - grid[1])),
        )
    )
    smallest: tuple[int, list[Area]] | None = None
    for down, across in grids:
        areas = [(left, top, right, bottom) for top, bottom in down for left, right in across]
        largest = max((right - left) * (bottom - top) for left, top, right, bottom in areas)
        if largest * scale**2 <= most:
            return areas
        if smallest is None or largest < smallest[0]:
            smallest = largest, areas
    assert smallest is not None
    return smallest[1]


def _stretches(length: int, count: int, overlap: int) -> list[tuple[int, int]]:
    """`count` equal stretches, from and to, that cover `length` and share `overlap`."""
    size = min(-(-(length + (count - 1) * overlap) // count), length)
    step = (length - size) / (count - 1) if count > 1 else 0
    return [(round(index * step), round(index * step) + size) for index in range(count)]
