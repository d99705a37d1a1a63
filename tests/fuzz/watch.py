"""What one spoilt input may take: so much time that only a hang takes it, and so much memory that only a bomb does."""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

LONGEST_S = 60.0
"""Of a clock, for what takes milliseconds: a machine on which much else runs must not fail a test."""

LONGEST_CPU_S = 120.0
"""For a library that never comes back to Python, in which no signal raises anything: the process is ended."""

MOST_GROWTH = 512 << 20


class HangError(Exception):
    """An input that takes for ever."""


def begin(seconds: float = LONGEST_S) -> None:
    """From now on until `end`; raises `HangError` in whatever runs when the time is over."""
    signal.signal(signal.SIGALRM, _hang)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_CPU_S)


def end() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)


def _hang(_number: int, _frame: FrameType | None) -> None:
    raise HangError("this input takes for ever")


def memory() -> int:
    """Bytes of this process that are in memory now; `most_memory` begins anew with them."""
    with suppress(OSError):  # not everywhere: then what was needed before counts too
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def most_memory() -> int:
    """The most since `memory`."""
    return _status("VmHWM")


def _status(name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert match
    return int(match[1]) << 10
