"""Memory, files, threads and processor time of a process, from proc(5)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kiosk.common.process_usage import usage

_PROC = Path("/proc")


class Sample(NamedTuple):
    """The resources of one process at one moment."""

    memory_mb: float
    """Resident memory (RSS) in MiB. Other processes do not change it."""
    proportional_mb: float
    """Proportional memory (PSS) in MiB: shared pages are divided among the processes that share them."""
    files: int
    threads: int
    processor_s: float


def sample(pid: int) -> Sample | None:
    """Returns a sample of the process, or None if it has ended."""
    used = usage(pid)
    try:
        status = dict(line.split(":", 1) for line in (_PROC / str(pid) / "status").read_text().splitlines())
        files = len(list((_PROC / str(pid) / "fd").iterdir()))
        resident, threads = int(status["VmRSS"].split()[0]), int(status["Threads"])
    except (OSError, KeyError):  # a zombie has no memory
        return None
    if used is None:
        return None
    return Sample(resident / 1024, used.memory / 2**20, files, threads, used.processor)


def files_written_by(pid: int) -> Iterator[str]:
    """Yields the regular files that a process has open for writing."""
    folder = _PROC / str(pid)
    try:
        descriptors = list((folder / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        try:
            target = str(descriptor.readlink())
            flags = int((folder / "fdinfo" / descriptor.name).read_text().split("flags:")[1].split()[0], 8)
            is_file = stat.S_ISREG(descriptor.stat().st_mode)
        except (OSError, IndexError):  # closed since
            continue
        if is_file and flags & os.O_ACCMODE != os.O_RDONLY:
            yield target
