"""Arithmetic for animations: easing towards a target, a steady number, frame rate.

Nothing here reads a clock. The caller passes the elapsed time.
"""

from __future__ import annotations

import math
from collections import deque

from kiosk.estimate import Observation

LIVE_MS = 17
"""Milliseconds between two ticks while something moves: sixty a second, as displays show.

This is at least half of a camera's frame interval, so that a tick falls between two frames.
"""
STILL_MS = 50
"""Milliseconds between two ticks while nothing moves."""
LIVE_FOR = 0.5
"""Seconds after the last image or movement during which the fast ticks go on."""

STEADY_WITHIN = 0.7
"""Years. The shown whole number follows only a larger change, or it would flicker at every half."""


def ease(value: float, target: float, seconds: float, time_constant: float, near: float) -> float:
    """Returns `value` moved exponentially towards `target`; exactly `target` once it is within `near`.

    `seconds` is the elapsed time, `time_constant` the seconds in which the distance falls to 1/e.
    """
    moved = target + (value - target) * math.exp(-seconds / time_constant)
    return target if abs(moved - target) <= near else moved


def steady(shown: int | None, value: float) -> int:
    """Returns the whole number to show for `value`, while `shown` is on the screen."""
    return shown if shown is not None and abs(value - shown) <= STEADY_WITHIN else round(value)


class Pace:
    """Measures frame rate and latency over the last second, by the observations' own times."""

    WINDOW = 1.0

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def add(self, observation: Observation) -> None:
        """Adds an observation."""
        if self._seen and observation.time <= self._seen[-1][0]:
            self._seen.clear()  # the vision process was restarted, and its clock with it
        self._seen.append((observation.time, observation.latency_ms))
        while len(self._seen) > 2 and observation.time - self._seen[0][0] > self.WINDOW:
            self._seen.popleft()

    def clear(self) -> None:
        """Forgets all observations."""
        self._seen.clear()

    @property
    def fps(self) -> float | None:
        """Frames per second; None before two observations."""
        if len(self._seen) < 2:
            return None
        return (len(self._seen) - 1) / (self._seen[-1][0] - self._seen[0][0])

    @property
    def latency_ms(self) -> float | None:
        """The mean latency in milliseconds; None before the first observation."""
        return sum(latency for _, latency in self._seen) / len(self._seen) if self._seen else None
