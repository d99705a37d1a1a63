"""Whether a camera stands still: no sensor gives exactly the same picture twice, for its noise.

A driver or a cable that fails may repeat the last picture for hours. Whoever was in it would stand before the machine
for ever, so a picture that comes again is never given on, and a camera that goes on like this counts as gone.
A covered lens, all of whose pixels are zero, does the same; there is nothing to be seen in it either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FROZEN_AFTER = 2.0
"""Seconds of the same picture after which a camera counts as gone: less than a driver may take for one frame."""

_SAMPLE = 16  # every so many rows are compared first: most pictures differ there


class FrozenFrameDetector:
    """Compares every picture of a camera with the one before it."""

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._since = 0.0

    def moves(self, image: NDArray[np.uint8], now: float) -> bool:
        """Whether this picture is another than the last; `now` in seconds of a monotonic clock."""
        last = self._last
        if last is not None and np.array_equal(image[::_SAMPLE], last[::_SAMPLE]) and np.array_equal(image, last):
            return False
        self._last, self._since = image, now
        return True

    def is_frozen(self, now: float) -> bool:
        """Whether the picture has been the same for too long. A camera opened again is frozen until it moves."""
        return now - self._since >= FROZEN_AFTER
