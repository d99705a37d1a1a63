"""Whether the customer has walked away or a visit is over, as far as a camera can say; and the taps of service mode.

Nothing here looks at a clock: `now` is in seconds of the window's own.
"""

from __future__ import annotations

from collections import deque
from typing import Final

GONE_AFTER: Final = 12.0
"""Seconds without a face and without a touch, after which it is asked whether anybody is there."""
WARNING: Final = 10.0
"""Seconds that the question stands."""
VISIT_OVER: Final = 5.0
"""Seconds without a face and without a touch at the first screen, after which whoever comes is another visitor."""


class Presence:
    """Only whoever was seen can be missed: a person the camera never saw (a child, a wheelchair) is left in peace."""

    def __init__(self, gone_after: float = GONE_AFTER, warning: float = WARNING) -> None:
        self._gone_after = gone_after
        self._warning = warning
        self._was_seen = False
        self._last = 0.0

    def seen(self, now: float) -> None:
        """There is a face."""
        self._was_seen, self._last = True, now

    def touched(self, now: float) -> None:
        """There is a finger."""
        self._last = now

    def forget(self) -> None:
        """Another customer, or a camera that cannot say."""
        self._was_seen = False

    def seconds_left(self, now: float) -> float | None:
        """Until the customer counts as gone, while that is asked; 0 once they are. None while nothing is asked."""
        if not self._was_seen or now - self._last < self._gone_after:
            return None
        return max(self._last + self._gone_after + self._warning - now, 0.0)


class Emptiness:
    """Whether nobody has been there for a while. Only a camera that sees says so: picture after empty picture."""

    def __init__(self) -> None:
        self._since: float | None = None

    def is_over(self, now: float) -> bool:
        """There is an empty picture; whether there has been nothing else for `VISIT_OVER`."""
        if self._since is None:
            self._since = now
        return now - self._since >= VISIT_OVER

    def forget(self) -> None:
        """A face, a finger, or a camera that cannot say."""
        self._since = None


class SecretTaps:
    """Five taps in the same corner within three seconds: nothing that a customer does by chance."""

    COUNT = 5
    SECONDS = 3.0

    def __init__(self) -> None:
        self._taps: deque[float] = deque(maxlen=self.COUNT)

    def tap(self, now: float) -> bool:
        """One more; whether it was the last of them."""
        self._taps.append(now)
        if len(self._taps) == self.COUNT and now - self._taps[0] <= self.SECONDS:
            self._taps.clear()
            return True
        return False

    def clear(self) -> None:
        """A touch elsewhere."""
        self._taps.clear()
