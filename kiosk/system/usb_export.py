"""Exports the journal to a USB stick, together with damaged journals from quarantine."""

from __future__ import annotations

import gc
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from kiosk.common.errors import KioskError
from kiosk.vending.journal import read_verified
from kiosk.vending.journal.export import csv_lines, json_lines
from kiosk.vending.journal.quarantine import quarantined_journals

log = logging.getLogger(__name__)

MOUNTED_UNDER = ("/media", "/run/media")


class StoppedError(KioskError):
    """The export was cancelled; nothing is left on the stick."""


@dataclass
class Progress:
    """The progress of an export, shared between the writing thread and the window."""

    share: float | None = None
    """The written share, 0 to 1; None while the journal is read and verified."""
    stopped: bool = False
    """Set to cancel the export."""

    def check(self) -> None:
        """Raises `StoppedError` if the export was cancelled."""
        if self.stopped:
            raise StoppedError("stopped: nothing was written")


def mounted_sticks(mounts: str | None = None) -> list[Path]:
    """Returns the mount points of writable removable media. `mounts` is text as in /proc/mounts."""
    # a stick's label may hold any bytes
    text = os.fsdecode(Path("/proc/mounts").read_bytes()) if mounts is None else mounts
    found = set()
    for line in text.split("\n"):
        match line.split(" "):
            case [_, place, _, options, *_]:
                path = Path(re.sub(r"\\([0-7]{3})", lambda escaped: chr(int(escaped[1], 8)), place))
            case _:
                continue
        under = any(str(path).startswith(f"{folder}/") for folder in MOUNTED_UNDER)
        if under and "rw" in options.split(","):
            found.add(path)
    return sorted(found)


@dataclass(frozen=True)
class Exported:
    """The result of an export."""

    files: tuple[str, ...]
    """The names of the written files; for a damaged journal, the prefix of its files' names."""
    left_out: tuple[str, ...] = ()
    """The damaged journals that could not be copied, for lack of space or by an error."""


def export(journal: Path, folder: Path, now: datetime, progress: Progress | None = None) -> Exported:
    """Writes the journal's sales as CSV and JSON to `folder`, and copies damaged journals that are not there yet.

    The journal is verified first. No file is overwritten, and everything is on the stick when this returns. If the
    export cannot be completed, its files are removed. Raises `JournalError`, `OSError`, `StoppedError`.
    """
    with _without_garbage_collection():
        return _export(journal, folder, now, progress or Progress())


def _export(journal: Path, folder: Path, now: datetime, progress: Progress) -> Exported:
    entries, head = read_verified(journal)
    progress.check()
    kinds = (("csv", csv_lines(entries)), ("json", json_lines(entries, head)))
    damaged, left_out = _damaged_journals(journal, folder)
    parts = len(kinds) + bool(damaged)
    written: list[str] = []
    with ExitStack() as undo:
        for index, (kind, lines) in enumerate(kinds):
            path = folder / f"kiosk-journal-{now:%Y-%m-%d-%H%M%S}.{kind}"
            with path.open("x", encoding="utf-8", newline="") as file:
                undo.callback(path.unlink, missing_ok=True)
                # one line for each sale or row of the journal
                file.writelines(_with_progress(lines, progress, index / parts, len(entries) * parts))
                file.flush()
                os.fsync(file.fileno())
            written.append(path.name)
        left_out += [each.name for each in damaged if not _copy(each, folder, progress, damaged, undo)]
        undo.pop_all()
    return Exported((*written, *(each.name for each in damaged if each.name not in left_out)), tuple(left_out))


def _damaged_journals(journal: Path, folder: Path) -> tuple[list[DamagedJournal], list[str]]:
    """Returns the damaged journals to copy, and the names of those that cannot be read."""
    try:
        return list(new_damaged_journals(journal, folder)), []
    except OSError as error:
        log.warning("damaged journals in quarantine cannot be read: %s: %s", error.filename, error.strerror)
        return [], [Path(error.filename or journal.parent).name]


def _copy(
    journal: DamagedJournal, folder: Path, progress: Progress, damaged: list[DamagedJournal], undo: ExitStack
) -> bool:
    """Copies a damaged journal; returns whether that succeeded. The sales are exported in any case."""
    most = max(sum(each.size for each in damaged), 1) * 3  # a third of the progress, like each file of sales

    def report(size: int) -> None:
        progress.check()
        progress.share = min((progress.share or 0.0) + size / most, 1.0)

    try:
        if not journal.fits(folder):
            return False
        journal.copy(report)
    except OSError as error:
        log.warning("%s was not written to the stick: %s", journal.name, error.strerror)
        return False
    undo.callback(journal.remove)
    return True


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Suspends Python's garbage collector, which would stop all threads while it visits every row.

    With 100,000 rows the window would stand still for a quarter of a second each time. Rows form no cycles.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _with_progress(lines: Iterable[str], progress: Progress, begin: float, most: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        progress.check()
        progress.share = min(begin + number / max(most, 1), 1.0)
        yield line


_BLOCK = 1 << 20
_SPARE = 1 << 20
"""Bytes that stay free on the stick for its file system."""


@dataclass(frozen=True)
class DamagedJournal:
    """The files of one damaged journal, and their names on the stick."""

    name: str
    """The prefix of its files' names on the stick."""
    files: tuple[tuple[Path, Path], ...]
    size: int
    """Bytes."""

    def fits(self, stick: Path) -> bool:
        """Returns whether the stick has room for it."""
        return self.size + _SPARE <= shutil.disk_usage(stick).free

    def copy(self, report: Callable[[int], None]) -> None:
        """Writes all files or none; calls `report` with the bytes of each block. Raises `OSError`."""
        with ExitStack() as undo:
            for source, target in self.files:
                with source.open("rb") as read, target.open("xb") as written:
                    undo.callback(target.unlink, missing_ok=True)
                    while block := read.read(_BLOCK):
                        written.write(block)
                        report(len(block))
                    written.flush()
                    os.fsync(written.fileno())
            undo.pop_all()

    def remove(self) -> None:
        """Deletes the files that `copy` wrote."""
        for _, target in self.files:
            target.unlink(missing_ok=True)


def new_damaged_journals(journal: Path, stick: Path) -> Iterator[DamagedJournal]:
    """Yields the damaged journals that are not on the stick yet, the oldest first. Raises `OSError`."""
    for folder in quarantined_journals(journal):
        files = sorted(file for file in folder.iterdir() if _holds_something(file))
        for number in count(1):
            name = f"kiosk-{folder.name}" if number == 1 else f"kiosk-{folder.name}-{number}"
            # journal.db-wal becomes NAME.db-wal, beside NAME.db: so `kiosk journal list --journal` finds it
            pairs = tuple((file, stick / f"{name}{file.name.removeprefix(journal.stem)}") for file in files)
            if all(_is_copy(*pair) for pair in pairs):
                break
            if not any(os.path.lexists(target) for _, target in pairs):
                yield DamagedJournal(name, pairs, sum(file.stat().st_size for file in files))
                break


def _holds_something(file: Path) -> bool:
    """Returns whether a file holds data. SQLite also creates files beside a database only to read it."""
    beside = file.name.endswith("-shm") or (file.name.endswith("-wal") and file.stat().st_size == 0)
    return file.is_file() and not beside


def _is_copy(source: Path, target: Path) -> bool:
    try:
        return target.lstat().st_size == source.stat().st_size
    except FileNotFoundError:
        return False
