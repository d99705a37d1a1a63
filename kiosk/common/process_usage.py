"""What a process has used so far, as Linux counts it (proc(5)); elsewhere nobody knows."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Usage:
    """Of one process."""

    processor: float
    """Seconds, of all its threads."""
    memory: int
    """Bytes in the machine's memory; what several processes share counts for each by its part (PSS)."""


def usage(pid: int, proc: Path = _PROC) -> Usage | None:
    """What process `pid` used; None where it is gone or cannot be asked."""
    try:
        fields = _fields(proc / str(pid))
        rollup = (proc / str(pid) / "smaps_rollup").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    sizes = (line.split() for line in rollup.splitlines())
    shares = [int(size[1]) * 1024 for size in sizes if size and size[0] == "Pss:"]
    return Usage((int(fields[11]) + int(fields[12])) / _ticks(), sum(shares))


def seconds_since_launch(proc: Path = _PROC) -> float | None:
    """Since this process was started, Python's own start included; it counts in hundredths."""
    try:
        began = int(_fields(proc / "self")[19]) / _ticks()
    except OSError:
        return None
    return time.clock_gettime(time.CLOCK_BOOTTIME) - began


def _fields(folder: Path) -> list[str]:
    """The fields of a process's `stat` from its third on: the second, its name, may hold spaces and parentheses."""
    return (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


def _ticks() -> int:
    return os.sysconf("SC_CLK_TCK")
