"""Processor time and memory of other processes, from Linux's /proc."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Memory(NamedTuple):
    """Memory of one process in bytes."""

    resident: int
    """Resident pages, including those shared with other processes (RSS)."""

    proportional: int
    """Resident pages, with each shared page divided among its processes, so that sums are right (PSS)."""


def cpu_seconds(pid: int) -> float:
    """Returns the processor time of all threads of a process in seconds. Raises `OSError` if it has ended."""
    return time.clock_gettime(_clock(pid))


def cpu_nanoseconds(pid: int) -> int:
    """Returns the processor time of a process in nanoseconds. Raises `OSError` if it has ended."""
    return time.clock_gettime_ns(_clock(pid))


def memory(pid: int) -> Memory:
    """Returns the memory of a process. Raises `OSError` if it has ended."""
    fields = {}
    for line in (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        key, value = line.split(":")
        fields[key] = 1024 * int(value.split()[0])
    return Memory(fields["Rss"], fields["Pss"])


def children(pid: int) -> list[int]:
    """Returns the child processes of a process. Raises `OSError` if it has ended."""
    found: list[int] = []
    for task in (_PROC / str(pid) / "task").glob("*/children"):
        found += map(int, task.read_text(encoding="ascii").split())
    return found


def command(pid: int) -> str:
    """Returns the command line of a process. Raises `OSError` if it has ended."""
    return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _clock(pid: int) -> int:
    """Returns the id of a process's processor-time clock, computed as clock_getcpuclockid(3) does."""
    return ~pid << 3 | 2
