"""Chooses the tiles of the frame that are searched for faces too small for the detection in a small copy.

Tiles are searched at the frame's own size or at twice that. They overlap, so that every small face lies completely in
one of them. A tile in which nothing changed would give the same answer again, and a known head hides what is behind it.
So a tile is searched only around changes elsewhere, and as a whole every `AGAIN_AFTER` seconds.
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
from kiosk.vision.tracking.motion import CELLS, changed_cells, thumbnail
from kiosk.vision.tracking.schedule import Schedule

AGAIN_AFTER: Final = 2.0
"""Seconds after which a tile is searched although no change was seen in it."""

# A tile has at most this many pixels at the detector's scale (about 6 ms on an ordinary core). In a larger frame it has
# the first of these shares with which all tiles, which overlap, together have at most twice the frame's pixels.
_TILE_PIXELS = 150_000
_TILE_SHARES = (0.3, 0.5)
_OVERLAPPING = 2.0
_MOST_ROWS = 6
_OVERLAP = 4 / 3  # of tiles, in units of the smallest face found at once: the detector needs surroundings too
_AROUND = 0.75  # margin around a change, in units of the smallest face found at once: the change may be half a face
_WORTH_IT = 1.2  # the least gain in scale with which tiles find what the small copy does not

# How far a head extends beyond the box of its face, in sides of the box: to the left and right, above, below.
_HEAD = (0.2, 0.45, 0.2)


@dataclass
class _Searched:
    """When a tile was searched."""

    searched_whole_at: float
    """When it was searched as a whole."""
    thumbnail: NDArray[np.float32]
    """The thumbnail of the frame in which it was last searched."""


class TiledSearch:
    """Chooses, frame by frame, the areas to search for small faces."""

    def __init__(self, smallest_face: float) -> None:
        """`smallest_face` is the share of the frame's height from which faces are found at once."""
        self._smallest_face = smallest_face
        self._searched: dict[Area, _Searched] = {}

    def areas_to_search(
        self, gray: Gray, time: float, schedule: Schedule, known: Iterable[Face] = (), *, detecting: bool
    ) -> list[Area]:
        """Returns the areas to search in this frame, at `scale_of` it.

        `detecting`: whether the whole frame is also searched. `known`: faces that need not be found.
        """
        height, width = gray.shape
        tiles = tiles_of(height, width, self._smallest_face)
        due = [tiles[number] for number in schedule.tiles_due(time, len(tiles), detecting=detecting)]
        if not due:
            return []
        now = thumbnail(gray)
        hidden = _head_cells(known, height, width)
        return [area for tile in due if (area := self._changed_area(tile, now, hidden, time, height, width))]

    def scale_of(self, gray: Gray) -> float:
        """Returns the scale at which the areas of a frame are searched."""
        return tile_scale(gray.shape[0], self._smallest_face) or 1.0

    def _changed_area(
        self, tile: Area, now: NDArray[np.float32], hidden: NDArray[np.bool_], time: float, height: int, width: int
    ) -> Area | None:
        """Returns the part of a tile that must be searched, or None."""
        searched = self._searched.get(tile)
        if searched is None or time - searched.searched_whole_at >= AGAIN_AFTER:
            self._searched[tile] = _Searched(time, now)
            return tile
        left, top, right, bottom = tile
        across, down = width / CELLS[0], height / CELLS[1]
        inside = np.zeros_like(hidden)
        inside[int(top / down) : int(np.ceil(bottom / down)), int(left / across) : int(np.ceil(right / across))] = True
        rows, columns = np.nonzero(changed_cells(searched.thumbnail, now) & inside & ~hidden)
        if not len(rows):
            return None
        searched.thumbnail = now
        around = _AROUND * SMALLEST_DETECTABLE / detection_scale(height, self._smallest_face)
        return (
            max(left, round(columns.min() * across - around)),
            max(top, round(rows.min() * down - around)),
            min(right, round((columns.max() + 1) * across + around)),
            min(bottom, round((rows.max() + 1) * down + around)),
        )


def _head_cells(faces: Iterable[Face], height: int, width: int) -> NDArray[np.bool_]:
    """Returns which of the thumbnail's (30, 40) cells the heads of known faces cover."""
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


def tile_scale(height: int, smallest_face: float) -> float | None:
    """Returns the scale at which tiles are searched for small faces, 1 or 2; None if tiles would find no smaller faces.

    `height` is the frame's in pixels; `smallest_face` is as for `detection_scale`.
    """
    at_once = detection_scale(height, smallest_face)
    for scale in (1.0, 2.0):
        if scale >= _WORTH_IT * at_once:
            return scale
    return None


@lru_cache(maxsize=4)
def tiles_of(height: int, width: int, smallest_face: float) -> list[Area]:
    """Returns the tiles of a frame. Every face too small for the small copy lies completely in one of them."""
    scale = tile_scale(height, smallest_face)
    if scale is None:
        return []
    overlap = round(_OVERLAP * SMALLEST_DETECTABLE / detection_scale(height, smallest_face))
    pixels = height * width
    for share in _TILE_SHARES:
        most = max(_TILE_PIXELS / scale**2, share * pixels)
        tiles = _fewest_tiles(height, width, overlap, most)
        if tiles and sum(_size(tile) for tile in tiles) <= _OVERLAPPING * pixels:
            return tiles
    return [(0, 0, width, height)]  # faces so large that tiles would be as large as the frame


def _fewest_tiles(height: int, width: int, overlap: int, most: float) -> list[Area]:
    """Returns the fewest tiles of at most `most` pixels each; none if `_MOST_ROWS` rows and columns are too few."""
    counts = range(1, _MOST_ROWS + 1)
    grids = sorted(product(counts, counts), key=lambda grid: (grid[0] * grid[1], abs(grid[0] - grid[1])))
    for rows, columns in grids:
        down, across = _intervals(height, rows, overlap), _intervals(width, columns, overlap)
        tiles = [(left, top, right, bottom) for top, bottom in down for left, right in across]
        if max(_size(tile) for tile in tiles) <= most:
            return tiles
    return []


def _size(area: Area) -> int:
    left, top, right, bottom = area
    return (right - left) * (bottom - top)


def _intervals(length: int, count: int, overlap: int) -> list[tuple[int, int]]:
    """Returns `count` equal intervals that cover `length`, each overlapping the next by `overlap`."""
    size = min(-(-(length + (count - 1) * overlap) // count), length)
    step = (length - size) / (count - 1) if count > 1 else 0
    return [(round(index * step), round(index * step) + size) for index in range(count)]
