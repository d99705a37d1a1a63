"""Half-done work kept on the disk: what `trainer prepare` has cut so far, for the next run to go on from.

    .parts/plan.json        what the parts belong to
    .parts/part-00012.npz   what became of some pictures

Each part is written safely. ResumeCache of another plan, other labels or another program, are thrown away.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.common.atomic_files import replace_file

FOLDER = ".parts"
_PLAN = "plan.json"

# What file systems answer that lock no folders, or nothing: NFS, for one. There it has to go without.
_NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class Outcome(IntEnum):
    """What became of a picture."""

    FACE = 0
    NO_FACE = 1
    UNREADABLE = 2


@dataclass(frozen=True, eq=False)
class Part:
    """What became of n pictures, in their order."""

    outcomes: NDArray[np.uint8]
    """(n,) `Outcome`."""

    digests: NDArray[np.uint8]
    """(n, 32) SHA-256 of each file."""

    crops: NDArray[np.uint8]
    """(faces, 99, 99) gray levels, of those with a face only."""


class ResumeCache:
    """The parts of one plan, in the folder `.parts` of `out`. Raises `OSError` where that fails."""

    def __init__(self, out: Path, plan: str) -> None:
        self._folder = out / FOLDER
        if _plan_in(self._folder / _PLAN) != plan:
            shutil.rmtree(self._folder, ignore_errors=True)
            with replace_file(self._folder / _PLAN) as path:
                path.write_text(json.dumps({"plan": plan}) + "\n", encoding="utf-8")

    def __contains__(self, number: int) -> bool:
        return self._path(number).exists()

    def write(self, number: int, part: Part) -> None:
        """Keeps a part."""
        with replace_file(self._path(number)) as path:
            np.savez(path, outcomes=part.outcomes, digests=part.digests, chips=part.crops)

    def read(self, number: int) -> Part | None:
        """A part, or None if its file is damaged, which is then gone."""
        try:
            with self._path(number).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return Part(arrays["outcomes"], arrays["digests"], arrays["chips"])
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
            self._path(number).unlink()
            return None

    def _path(self, number: int) -> Path:
        return self._folder / f"part-{number:05}.npz"


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Makes the folder `out`, which inside the block no other process holds.

    Raises `BlockingIOError` where one does, and `OSError` where `out` cannot be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    # The folder itself is locked: there is no file to be left over, and the end of a process frees it.
    descriptor = os.open(out, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)


def left_in(out: Path) -> bool:
    """Whether `out` has parts, of whatever plan."""
    return (out / FOLDER).exists()


def remove(out: Path) -> None:
    """Removes the parts in `out`, and `out` itself if nothing else is in it."""
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    with suppress(OSError):
        out.rmdir()


def _plan_in(path: Path) -> str | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return str(facts["plan"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
