"""The machine's sign of life to the service manager: given only while window, journal and vision are all alive.

The window is alive because it is who calls. The journal is asked for its newest row: a disk that hangs keeps the caller
from coming back, and then nobody says anything. One that is broken and says so is the sale's to repair. Vision was
heard of, or is down for a reason that no fresh start changes; a customer at the machine is not interrupted for it.

A process that has outgrown itself lives, but not for ever: where a service manager would start it afresh it is asked to
end, in order and while nobody is at the machine, before the memory runs out in the middle of a sale.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kiosk.system.sd_notify import ServiceManager

log = logging.getLogger(__name__)

JOURNAL_SILENT = 60.0
"""Seconds after which a journal that neither answers nor says that it is broken is dead."""
VISION_SILENT = 300.0
"""Seconds in which a vision process that is being replaced has to come up: the back-off between two tries is 5."""


@dataclass(frozen=True)
class HealthChecks:
    """What the pulse asks of a machine: whether each part is alive, and a line of `status` for the operator."""

    journal: Callable[[], bool]
    vision: Callable[[], bool]
    busy: Callable[[], bool]
    status: Callable[[], str]
    outgrown: Callable[[], int] = lambda: 0
    """Bytes of memory that the process has taken beyond what it may, while nobody is at the machine; else 0."""


def _end() -> None:
    """As the service manager itself would ask: the window's loop ends a sale before it ends."""
    signal.raise_signal(signal.SIGTERM)


class Pulse:
    """Beats for as long as it is called. `now` is in seconds of a monotonic clock."""

    def __init__(
        self, vitals: HealthChecks, manager: ServiceManager, now: float, end: Callable[[], None] = _end
    ) -> None:
        self._end = end
        self._ending = False
        self._vitals = vitals
        self._manager = manager
        self._heart = Heartbeat({"journal": JOURNAL_SILENT, "vision": VISION_SILENT}, now)
        self._silent: tuple[str, ...] = ()

    @property
    def every_s(self) -> float:
        """Seconds between two calls: three fit into the time that the manager waits, as sd_watchdog_enabled(3) asks."""
        return min(self._manager.watchdog_s / 3, 5.0) if self._manager.watchdog_s else 5.0

    def beat(self, now: float) -> None:
        """Looks at every part, and gives the sign if all are alive."""
        if self._vitals.journal():
            self._heart.beat("journal", now)
        if self._vitals.vision() or self._vitals.busy():
            self._heart.beat("vision", now)
        silent = self._heart.silent(now)
        if silent and silent != self._silent:
            log.error("no sign of life of %s: the machine is to be started afresh", " and ".join(silent))
        self._silent = silent
        self._manager.status(f"no sign of life of {' and '.join(silent)}" if silent else self._vitals.status())
        if not silent:
            self._manager.alive()
        self._watch_memory()

    def _watch_memory(self) -> None:
        if self._ending or not self._manager.listens:
            return
        if grown := self._vitals.outgrown():
            self._ending = True
            log.error("the kiosk took %.0f MB more than when it began: it is started afresh", grown / 1e6)
            self._end()


class Heartbeat:
    """The parts of a machine, and how long each may be silent, in seconds."""

    def __init__(self, patience: Mapping[str, float], now: float) -> None:
        self._patience = dict(patience)
        self._last = dict.fromkeys(patience, now)

    def beat(self, part: str, now: float) -> None:
        """`part` gave a sign at `now`, in seconds of a monotonic clock. Raises `KeyError` for a part unknown."""
        self._last[part] = max(self._last[part], now)

    def silent(self, now: float) -> tuple[str, ...]:
        """The parts that were not heard of for too long."""
        return tuple(part for part, last in self._last.items() if now - last > self._patience[part])
