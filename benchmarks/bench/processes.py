"""What other processes use of this machine: processor time and memory, as Linux counts them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Memory(NamedTuple):
    """Of one process, in bytes."""

    resident: int
    """Pages in memory, those that it shares with others included."""

    proportional: int
    """The same with every shared page divided among those who share it, so that sums over processes are right."""


def cpu_seconds(pid: int) -> float:
    """Processor time that all threads of a process have used. Raises `OSError` where it is gone."""
    return time.clock_gettime(_clock(pid))


def cpu_nanoseconds(pid: int) -> int:
    """The same in nanoseconds."""
    return time.clock_gettime_ns(_clock(pid))


def memory(pid: int) -> Memory:
    """Raises `OSError` where the process is gone."""
    fields = {}
    for line in (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        key, value = line.split(":")
        fields[key] = 1024 * int(value.split()[0])
    return Memory(fields["Rss"], fields["Pss"])


def children(pid: int) -> list[int]:
    """The processes that a process started itself."""
    found: list[int] = []
    for task in (_PROC / str(pid) / "task").glob("*/children"):
        found += map(int, task.read_text(encoding="ascii").split())
    return found


def command(pid: int) -> str:
    """What a process was started as."""
    return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _clock(pid: int) -> int:
    """The number of a process's own clock, as clock_getcpuclockid(3) makes it."""
    return ~pid << 3 | 2
