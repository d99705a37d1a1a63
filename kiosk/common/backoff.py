"""Back-off: how long to wait before each retry of something that keeps failing."""

from __future__ import annotations

from collections.abc import Sequence


def delay_after(failures: int, delays: Sequence[float]) -> float:
    """Returns the wait in seconds after `failures` earlier failures; the last of `delays` repeats."""
    return delays[min(failures, len(delays) - 1)]


def doubling_delays(first: float, longest: float) -> tuple[float, ...]:
    """Returns waits in seconds that double from `first` (over 0) and end with `longest`."""
    delays = [min(first, longest)]
    while delays[-1] < longest:
        delays.append(min(delays[-1] * 2, longest))
    return tuple(delays)


class Backoff:
    """Counts the failures in a row and gives the wait after each."""

    def __init__(self, delays: Sequence[float]) -> None:
        """`delays` are the waits in seconds; the last one repeats."""
        self._delays = delays
        self._failures = 0

    def next_delay(self) -> float:
        """Counts a failure and returns the seconds to wait before the next try."""
        delay = delay_after(self._failures, self._delays)
        self._failures += 1
        return delay

    def reset(self) -> None:
        """Makes the next failure count as the first one again."""
        self._failures = 0
