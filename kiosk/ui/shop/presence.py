"""Decides whether the customer has left or a visit is over, and recognises the taps that open service mode.

Every `now` is in seconds of the window's own clock.
"""

from __future__ import annotations

from collections import deque
from typing import Final

GONE_AFTER: Final = 12.0
"""Seconds without a face and without a touch after which the window asks whether the customer is still there."""
WARNING: Final = 10.0
"""Seconds for which the question is shown."""
VISIT_OVER: Final = 5.0
"""Seconds without a face and without a touch on the first screen after which the next person is a new visitor."""


class Presence:
    """Decides whether the customer has left.

    Only a customer whose face was seen can be missed. The camera may never see a child or a wheelchair user, who are
    therefore never asked. `gone_after` and `warning` are in seconds.
    """

    def __init__(self, gone_after: float = GONE_AFTER, warning: float = WARNING) -> None:
        self._gone_after = gone_after
        self._warning = warning
        self._was_seen = False
        self._last = 0.0

    def record_face(self, now: float) -> None:
        """Note that a face was seen at `now`."""
        self._was_seen, self._last = True, now

    def record_touch(self, now: float) -> None:
        """Note that the screen was touched at `now`."""
        self._last = now

    def forget(self) -> None:
        """Forget that a face was seen: the customer changed, or the camera cannot tell."""
        self._was_seen = False

    def seconds_left(self, now: float) -> float | None:
        """Return the seconds until the customer counts as gone (0 once they do), or None while they are present."""
        if not self._was_seen or now - self._last < self._gone_after:
            return None
        return max(self._last + self._gone_after + self._warning - now, 0.0)


class VacancyTimer:
    """Measures how long the camera has seen nobody. Only frames without a face count, a missing camera does not."""

    def __init__(self) -> None:
        self._since: float | None = None

    def add_empty_frame(self, now: float) -> bool:
        """Note a frame without a face, and return whether there were only such frames for `VISIT_OVER` seconds."""
        if self._since is None:
            self._since = now
        return now - self._since >= VISIT_OVER

    def reset(self) -> None:
        """Start again from zero, after a face, a touch or a camera failure."""
        self._since = None


class SecretTaps:
    """Recognises five taps in the same corner within three seconds, which no customer makes by chance."""

    COUNT = 5
    SECONDS = 3.0

    def __init__(self) -> None:
        self._taps: deque[float] = deque(maxlen=self.COUNT)

    def tap(self, now: float) -> bool:
        """Add a tap in the corner at `now`, and return whether it completed the gesture."""
        self._taps.append(now)
        if len(self._taps) == self.COUNT and now - self._taps[0] <= self.SECONDS:
            self._taps.clear()
            return True
        return False

    def clear(self) -> None:
        """Drop the taps so far, after a touch outside the corner."""
        self._taps.clear()
