"""A frame, and the error of whatever should give one.

Frames carry the source's own time: frame number over frame rate for a file, the clock for a webcam. What is
computed from a clip therefore does not depend on how fast this machine happens to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.common.errors import KioskError

_SHADE = 1e-6  # frame times are sums of fractions


class SourceError(KioskError):
    """A source that cannot be opened, or ended because of damage."""


@dataclass(frozen=True)
class Frame:
    """One picture of a source."""

    image: NDArray[np.uint8]
    """(height, width, 3) BGR."""

    index: int
    """From 0, and counted on when a clip starts again."""

    time: float
    """Seconds of the source's own time."""

    captured: float
    """`time.monotonic()` when the picture was there."""


def is_early(time: float, last: float, every: float) -> bool:
    """Whether a frame of `time` comes sooner than `every` seconds after `last`, so that nobody wants it."""
    return time + _SHADE < last + every
