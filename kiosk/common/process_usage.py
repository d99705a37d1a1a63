"""The processor time and memory of a process, and its age, from Linux's /proc (proc(5))."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """What one process has used so far."""

    processor: float
    """Processor time of all threads, in seconds."""
    memory: int
    """Bytes of memory; what several processes share counts in equal parts for each (PSS)."""


def usage(pid: int, proc: Path = _PROC) -> Usage | None:
    """Returns what process `pid` has used so far, or None if it has ended or cannot be read."""
    try:
        fields = _stat_fields(proc / str(pid))
        rollup = (proc / str(pid) / "smaps_rollup").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    sizes = (line.split() for line in rollup.splitlines())
    shares = [int(size[1]) * 1024 for size in sizes if size and size[0] == "Pss:"]
    return Usage((int(fields[11]) + int(fields[12])) / _ticks_per_second(), sum(shares))


def seconds_since_launch(proc: Path = _PROC) -> float | None:
    """Returns the seconds since this process was launched, in steps of 0.01 s, or None where /proc is missing."""
    try:
        began = int(_stat_fields(proc / "self")[19]) / _ticks_per_second()
    except OSError:
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


def _stat_fields(folder: Path) -> list[str]:
    """Returns the fields of `stat` after the second one, the process's name, which may hold spaces and parentheses."""
    return (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


def _ticks_per_second() -> int:
    return os.sysconf("SC_CLK_TCK")
