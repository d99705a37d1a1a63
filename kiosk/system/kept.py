"""What is kept of journals that were damaged or gone, copied to a stick beside the accounts.

A stick may be anybody's: no file on it is read, written over or followed. What is there already, under its name and of
its size, is not written again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from kiosk.vending.journal.quarantine import quarantined_journals

_BLOCK = 1 << 20
_SPARE = 1 << 20
"""Bytes that stay free on the stick: its file system takes some for itself."""


@dataclass(frozen=True)
class Bundle:
    """The files of one such journal, and where each goes."""

    name: str
    """That all its files on the stick begin with."""
    files: tuple[tuple[Path, Path], ...]
    size: int
    """Bytes."""

    def fits(self, stick: Path) -> bool:
        """Whether there is room for it."""
        return self.size + _SPARE <= shutil.disk_usage(stick).free

    def copy(self, told: Callable[[int], None]) -> None:
        """Writes all files, which are new, or none; `told` of how many bytes each time. Raises `OSError`."""
        with ExitStack() as undo:
            for source, target in self.files:
                with source.open("rb") as read, target.open("xb") as written:
                    undo.callback(target.unlink, missing_ok=True)
                    while block := read.read(_BLOCK):
                        written.write(block)
                        told(len(block))
                    written.flush()
                    os.fsync(written.fileno())
            undo.pop_all()

    def remove(self) -> None:
        """Takes back what `copy` wrote."""
        for _, target in self.files:
            target.unlink(missing_ok=True)


def new_bundles(journal: Path, stick: Path) -> Iterator[Bundle]:
    """What is kept beside a journal and not on the stick yet, the oldest first. Raises `OSError`."""
    for folder in quarantined_journals(journal):
        files = sorted(file for file in folder.iterdir() if _holds_something(file))
        for number in count(1):
            name = f"kiosk-{folder.name}" if number == 1 else f"kiosk-{folder.name}-{number}"
            # journal.db-wal becomes NAME.db-wal, beside NAME.db: so `kiosk journal list --journal` finds it
            pairs = tuple((file, stick / f"{name}{file.name.removeprefix(journal.stem)}") for file in files)
            if all(_is_copy(*pair) for pair in pairs):
                break
            if not any(os.path.lexists(target) for _, target in pairs):
                yield Bundle(name, pairs, sum(file.stat().st_size for file in files))
                break


def _holds_something(file: Path) -> bool:
    """What SQLite puts beside a database to read it holds nothing that was written."""
    beside = file.name.endswith("-shm") or (file.name.endswith("-wal") and file.stat().st_size == 0)
    return file.is_file() and not beside


def _is_copy(source: Path, target: Path) -> bool:
    try:
        return target.lstat().st_size == source.stat().st_size
    except FileNotFoundError:
        return False
