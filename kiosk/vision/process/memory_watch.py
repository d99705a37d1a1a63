"""Limits the memory of the vision process, so that a leak in a library ends this process and not a sale."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

SETTLED_AFTER = 60.0
"""Seconds of work after which everything is loaded. The memory used then is what the process needs."""

SOFT_LIMIT = 384 << 20
"""Bytes of growth at which the process ends itself while no estimates are allowed."""

HARD_LIMIT = 2 * SOFT_LIMIT
"""Bytes of growth at which it ends itself in any case. A running age check then asks for an ID."""

_CHECK_INTERVAL = 5.0  # seconds


def prefer_oom_kill() -> None:
    """Asks the kernel to kill this process first when memory runs out. It holds nothing that must be kept."""
    with contextlib.suppress(OSError):  # not on Linux
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def resident_bytes() -> int:
    """Returns the resident memory of this process in bytes; 0 if the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class MemoryWatch:
    """Compares the process's memory with what it was after `SETTLED_AFTER`, which depends on the engine."""

    def __init__(self, measure: Callable[[], int] = resident_bytes) -> None:
        self._measure = measure
        self._started: float | None = None
        self._settled: int | None = None
        self._next_check = 0.0

    def excess_bytes(self, now: float, *, quiet: bool) -> int:
        """Returns the growth in bytes if it exceeds the limit, else 0. `quiet`: no estimates are allowed now."""
        if self._started is None:
            self._started = now
        if now - self._started < SETTLED_AFTER or now < self._next_check:
            return 0
        self._next_check = now + _CHECK_INTERVAL
        used = self._measure()
        if self._settled is None:
            self._settled = used
        growth = used - self._settled
        return growth if growth >= (SOFT_LIMIT if quiet else HARD_LIMIT) else 0
