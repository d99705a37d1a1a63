"""A frame, and the error of a source that cannot give one.

A frame carries its source's own time: frame number divided by frame rate for a file, the clock for a camera. So the
results of a clip do not depend on the speed of the machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kiosk.common.errors import KioskError

_ROUNDING = 1e-6  # frame times are sums of fractions


class SourceError(KioskError):
    """A source that cannot be opened or is damaged."""


@dataclass(frozen=True)
class Frame:
    """One image of a source."""

    image: NDArray[np.uint8]
    """(height, width, 3) BGR."""

    index: int
    """The frame's number, from 0. It counts on when a clip starts again."""

    time: float
    """The source's own time, in seconds."""

    captured: float
    """`time.monotonic()` when the frame was captured."""


def is_early(time: float, last: float, every: float) -> bool:
    """Returns whether a frame at `time` is less than `every` seconds after `last` and may be skipped."""
    return time + _ROUNDING < last + every
