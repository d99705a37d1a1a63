"""Limits the time and memory that one damaged input may take."""

from __future__ import annotations

import re
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

LONGEST_S = 60.0
"""Wall-clock limit; an input takes milliseconds, but the machine may be busy."""

LONGEST_CPU_S = 120.0
"""Processor-time limit, after which the process is killed: a signal raises nothing inside a library call."""

MOST_GROWTH = 512 << 20


class HangError(Exception):
    """An input took longer than its limit."""


def begin(seconds: float = LONGEST_S) -> None:
    """Starts the time limits, until `end`. When the time is over, `HangError` is raised in the code that runs."""
    signal.signal(signal.SIGALRM, _hang)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_PROF, LONGEST_CPU_S)


def end() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.setitimer(signal.ITIMER_PROF, 0)


def _hang(_number: int, _frame: FrameType | None) -> None:
    raise HangError("this input takes too long")


def memory() -> int:
    """Returns the resident memory of this process in bytes, and resets the peak to it."""
    with suppress(OSError):  # not every system can reset the peak
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def most_memory() -> int:
    """Returns the peak of the resident memory in bytes, since the last call of `memory`."""
    return _status("VmHWM")


def _status(name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert match
    return int(match[1]) << 10
