"""Movement and pace: easing towards a target, a steady number, frames a second.

Nothing here looks at a clock. Whoever ticks says how much time has passed.
"""

from __future__ import annotations

import math
from collections import deque

from kiosk.estimate import Observation

LIVE_MS = 17
"""Between two ticks while something live moves: sixty times a second, which is what displays show.

It is not less than half of what a camera takes for a picture, so that one tick falls between two of them.
"""
STILL_MS = 50
"""While nothing does."""
LIVE_FOR = 0.5
"""Seconds after the last picture or movement for which another is expected at any moment."""

STEADY_WITHIN = 0.7
"""Years. A whole number follows only a change larger than this, or it would flicker at every half."""


def ease(value: float, target: float, seconds: float, time_constant: float, near: float) -> float:
    """`value` moved towards `target`; exactly there once it is within `near`."""
    moved = target + (value - target) * math.exp(-seconds / time_constant)
    return target if abs(moved - target) <= near else moved


def steady(shown: int | None, value: float) -> int:
    """Choose the whole number to show for `value`, `shown` being there now."""
    return shown if shown is not None and abs(value - shown) <= STEADY_WITHIN else round(value)


class Pace:
    """Frame rate and latency over the last second of the observations' own times."""

    WINDOW = 1.0

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def add(self, observation: Observation) -> None:
        if self._seen and observation.time <= self._seen[-1][0]:
            self._seen.clear()  # the vision process started anew, and its clock with it
        self._seen.append((observation.time, observation.latency_ms))
        while len(self._seen) > 2 and observation.time - self._seen[0][0] > self.WINDOW:
            self._seen.popleft()

    def clear(self) -> None:
        self._seen.clear()

    @property
    def fps(self) -> float | None:
        """None before there is an interval to measure."""
        if len(self._seen) < 2:
            return None
        return (len(self._seen) - 1) / (self._seen[-1][0] - self._seen[0][0])

    @property
    def latency_ms(self) -> float | None:
        """The mean; None before the first observation."""
        return sum(latency for _, latency in self._seen) / len(self._seen) if self._seen else None
