"""Resets the service manager's watchdog while window, journal and vision are all alive.

The window is alive because it makes the calls. The journal is asked for its newest row: if the disk hangs, the call
does not return and the watchdog expires. A journal that reports an error counts as alive; the sale handles it. Vision
is alive if it runs, or is down for a reason that a restart does not change. A customer is never interrupted for it.

A process whose memory has grown too much is asked to end, while nobody is at the machine, so that the service manager
restarts it before the memory runs out during a sale.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kiosk.system.sd_notify import ServiceManager

log = logging.getLogger(__name__)

JOURNAL_TIMEOUT = 60.0
"""Seconds after which a journal that neither answers nor reports an error counts as dead."""
VISION_TIMEOUT = 300.0
"""Seconds in which a restarting vision process must run again. The longest delay between two attempts is 5 s."""


@dataclass(frozen=True)
class HealthChecks:
    """Functions that check whether each part is alive, and return a line of `status` for the operator."""

    journal: Callable[[], bool]
    vision: Callable[[], bool]
    busy: Callable[[], bool]
    status: Callable[[], str]
    outgrown: Callable[[], int] = lambda: 0
    """Returns the bytes of memory above the limit while nobody is at the machine, else 0."""


def _request_end() -> None:
    """Ends the process as the service manager would: the window's loop first ends a sale."""
    signal.raise_signal(signal.SIGTERM)


class Watchdog:
    """Resets the watchdog each time `check` finds all parts alive. `now` is in seconds of a monotonic clock."""

    def __init__(
        self, checks: HealthChecks, manager: ServiceManager, now: float, end: Callable[[], None] = _request_end
    ) -> None:
        self._end = end
        self._ending = False
        self._health_checks = checks
        self._manager = manager
        self._activity = ActivityMonitor({"journal": JOURNAL_TIMEOUT, "vision": VISION_TIMEOUT}, now)
        self._silent: tuple[str, ...] = ()

    @property
    def interval_s(self) -> float:
        """Seconds between two calls of `check`: a third of the watchdog's time (sd_watchdog_enabled(3))."""
        return min(self._manager.watchdog_s / 3, 5.0) if self._manager.watchdog_s else 5.0

    def check(self, now: float) -> None:
        """Checks every part, and resets the watchdog if all are alive."""
        if self._health_checks.journal():
            self._activity.record("journal", now)
        if self._health_checks.vision() or self._health_checks.busy():
            self._activity.record("vision", now)
        silent = self._activity.silent(now)
        if silent and silent != self._silent:
            log.error("no sign of life of %s: the service manager will restart the machine", " and ".join(silent))
        self._silent = silent
        self._manager.status(f"no sign of life of {' and '.join(silent)}" if silent else self._health_checks.status())
        if not silent:
            self._manager.alive()
        self._watch_memory()

    def _watch_memory(self) -> None:
        if self._ending or not self._manager.listens:
            return
        if grown := self._health_checks.outgrown():
            self._ending = True
            log.error(
                "the kiosk uses %.0f MB more than after its start: it ends, to be restarted",
                grown / 1e6,
            )
            self._end()


class ActivityMonitor:
    """Stores when each part last was active, and how many seconds it may be silent."""

    def __init__(self, timeouts: Mapping[str, float], now: float) -> None:
        self._timeouts = dict(timeouts)
        self._last = dict.fromkeys(timeouts, now)

    def record(self, part: str, now: float) -> None:
        """Records activity of `part` at `now`, in seconds of a monotonic clock.

        Raises `KeyError` for an unknown part.
        """
        self._last[part] = max(self._last[part], now)

    def silent(self, now: float) -> tuple[str, ...]:
        """Returns the parts that have been silent for too long at `now`."""
        return tuple(part for part, last in self._last.items() if now - last > self._timeouts[part])
