"""Partial results of `trainer prepare` on the disk, from which the next run continues.

    .parts/plan.json        the fingerprint of the input
    .parts/part-00012.npz   the results of some images

Each part is written atomically. Parts with another fingerprint are deleted.
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

# Errors of file systems that cannot lock folders, such as NFS. There, no lock is used.
_NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class Outcome(IntEnum):
    """The result of one image."""

    FACE = 0
    NO_FACE = 1
    UNREADABLE = 2


@dataclass(frozen=True, eq=False)
class Part:
    """The results of n images, in their order."""

    outcomes: NDArray[np.uint8]
    """(n,) `Outcome`."""

    digests: NDArray[np.uint8]
    """(n, 32) uint8: the SHA-256 of each file."""

    crops: NDArray[np.uint8]
    """(faces, 99, 99) uint8: the crops of the images with a face."""


class ResumeCache:
    """The parts with one fingerprint, in the folder `.parts` of `out`. All methods may raise `OSError`."""

    def __init__(self, out: Path, fingerprint: str) -> None:
        self._folder = out / FOLDER
        if _read_fingerprint(self._folder / _PLAN) != fingerprint:
            shutil.rmtree(self._folder, ignore_errors=True)
            with replace_file(self._folder / _PLAN) as path:
                path.write_text(json.dumps({"plan": fingerprint}) + "\n", encoding="utf-8")

    def __contains__(self, number: int) -> bool:
        return self._path(number).exists()

    def write(self, number: int, part: Part) -> None:
        """Stores a part."""
        with replace_file(self._path(number)) as path:
            np.savez(path, outcomes=part.outcomes, digests=part.digests, chips=part.crops)

    def read(self, number: int) -> Part | None:
        """Returns a part; None if its file is damaged, which is then deleted."""
        try:
            with self._path(number).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return Part(arrays["outcomes"], arrays["digests"], arrays["chips"])
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
            self._path(number).unlink()
            return None

    def _path(self, number: int) -> Path:
        return self._folder / f"part-{number:05}.npz"


@contextmanager
def lock_folder(out: Path) -> Iterator[None]:
    """Creates the folder `out` and locks it against other processes within the block.

    Raises `BlockingIOError` if another process holds it, `OSError` if it cannot be created.
    """
    out.mkdir(parents=True, exist_ok=True)
    # The folder itself is locked: no lock file remains, and the end of the process releases it.
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


def has_parts(out: Path) -> bool:
    """Returns whether `out` contains parts, with any fingerprint."""
    return (out / FOLDER).exists()


def remove(out: Path) -> None:
    """Deletes the parts in `out`, and `out` itself if it is then empty."""
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    with suppress(OSError):
        out.rmdir()


def _read_fingerprint(path: Path) -> str | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return str(facts["plan"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
