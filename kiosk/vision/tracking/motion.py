"""Whether anything moves in front of the camera, from a picture the size of a thumbnail.

A lamp's flicker, a camera that sets its exposure anew and its noise are no movement: what changes the
whole picture, or a whole row of a rolling shutter, is taken out before cells are compared.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.image import Gray

CELLS: Final = (40, 30)
"""Cells of a thumbnail across and down; at 640×480 one averages the noise of 16×16 pixels away."""

_CHANGED = 7.0  # gray levels by which a cell differs that shows something else
_MOVED = 4  # such cells that are a movement: a head far away has about as many


class Motion:
    """Compares each picture with the one before it."""

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None

    def moved(self, gray: Gray) -> bool:
        """Whether something is elsewhere than in the picture before; False for the first."""
        now = thumbnail(gray)
        before, self._before = self._before, now
        return before is not None and int(changed(before, now).sum()) >= _MOVED

    def forget(self) -> None:
        """The next picture is a first one."""
        self._before = None


def thumbnail(gray: Gray) -> NDArray[np.float32]:
    """(30, 40) mean gray levels of the picture's cells."""
    return np.asarray(cv2.resize(gray, CELLS, interpolation=cv2.INTER_AREA), np.float32)


def changed(before: NDArray[np.float32], now: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(30, 40) which cells show something else than before, the light apart."""
    lit = before * (np.median(now) + 1) / (np.median(before) + 1)
    change = now - lit
    change -= np.median(change, axis=1, keepdims=True)
    return np.asarray(np.abs(change) > _CHANGED)
