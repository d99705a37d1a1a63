"""What the vision process may take of the machine's memory, so that a leak in a library ends it and not the sale."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

SETTLED_AFTER = 60.0
"""Seconds of work after which all is loaded, and what is taken then is what the process needs."""

LEAK = 384 << 20
"""Bytes more than that at which the process ends itself while nobody has agreed to be looked at."""

FLOOD = 2 * LEAK
"""Bytes more than that at which it ends itself whatever is going on: the age check then asks for an ID."""

_LOOK_EVERY = 5.0  # seconds


def is_killed_first() -> None:
    """Of all the machine's processes, if its memory runs out: it is started anew, and holds nothing that matters."""
    with contextlib.suppress(OSError):  # not on Linux
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def resident() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class MemoryWatch:
    """Compares what the process holds with what it held once it had settled: how much that is the engine decides."""

    def __init__(self, measure: Callable[[], int] = resident) -> None:
        self._measure = measure
        self._began: float | None = None
        self._settled: int | None = None
        self._look_at = 0.0

    def too_much(self, now: float, *, quiet: bool) -> int:
        """By how many bytes the process has outgrown itself, or 0; `quiet` if it may end without being missed."""
        if self._began is None:
            self._began = now
        if now - self._began < SETTLED_AFTER or now < self._look_at:
            return 0
        self._look_at = now + _LOOK_EVERY
        held = self._measure()
        if self._settled is None:
            self._settled = held
        grown = held - self._settled
        return grown if grown >= (LEAK if quiet else FLOOD) else 0
