"""Detects movement in front of the camera, in thumbnails of the frames.

The flicker of a lamp, a change of exposure and sensor noise do not count as movement: changes of the whole frame, or of
a whole row of a rolling shutter, are removed before cells are compared.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.image import Gray

CELLS: Final = (40, 30)
"""Columns and rows of a thumbnail. At 640×480 one cell averages 16×16 pixels, which removes their noise."""

_CHANGED = 7.0  # a cell that differs by more gray levels counts as changed
_MOVED = 4  # changed cells that count as movement; a distant head covers about as many


class MotionDetector:
    """Compares each frame with the one before it."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def has_moved(self, gray: Gray) -> bool:
        """Returns whether something moved since the last frame, (height, width) uint8; False for the first."""
        now = thumbnail(gray)
        before, self._before = self._before, now
        return before is not None and int(changed_cells(before, now).sum()) >= _MOVED

    def forget(self) -> None:
        """Forgets the last frame, so that the next one counts as the first."""
        self._before = None


def thumbnail(gray: Gray) -> NDArray[np.float32]:
    """Returns the mean gray levels, 0 to 255, of a frame's cells: (30, 40) float32 of (height, width) uint8."""
    return np.asarray(cv2.resize(gray, CELLS, interpolation=cv2.INTER_AREA), np.float32)


def changed_cells(before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Returns which of the (30, 40) cells changed, apart from a change of light, as a boolean array."""
    lit = before * (np.median(now) + 1) / (np.median(before) + 1)
    change = now - lit
    change -= np.median(change, axis=1, keepdims=True)
    return np.asarray(np.abs(change) > _CHANGED)
