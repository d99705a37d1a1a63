"""Sticks that are plugged in, and the journal written to one of them, with what is kept of damaged ones."""

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
    """Somebody wanted no more of it; nothing is left on the stick."""


@dataclass
class Progress:
    """Of an export, between the thread that writes and whoever watches it."""

    share: float | None = None
    """0 to 1 of what is to be written; None while the journal is still read and verified."""
    stopped: bool = False
    """Set by whoever wants it to end."""

    def check(self) -> None:
        """Raises `StoppedError`."""
        if self.stopped:
            raise StoppedError("stopped: nothing was written")


def sticks(mounts: str | None = None) -> list[Path]:
    """Where something that can be taken out is mounted to be written. `mounts` is as in /proc/mounts."""
    # a stick's name is whatever its owner wrote on it: of any bytes
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
    """What came of an export."""

    files: tuple[str, ...]
    """The accounts' names, and of each damaged journal the name that its files begin with."""
    left_out: tuple[str, ...] = ()
    """The damaged journals for which the stick has no room, or that it did not take."""


def export(journal: Path, folder: Path, now: datetime, progress: Progress | None = None) -> Exported:
    """Writes the journal's sales as CSV and JSON, and what is kept of damaged journals and not there yet.

    Written when it returns: a stick is soon pulled out. Verified first, and a file is never written over. Both files of
    the accounts or nothing: what was begun is taken away where it cannot be ended. Raises `JournalError`, `OSError`,
    `StoppedError`.
    """
    with _uncollected():
        return _export(journal, folder, now, progress or Progress())


def _export(journal: Path, folder: Path, now: datetime, progress: Progress) -> Exported:
    entries, head = read_verified(journal)
    progress.check()
    kinds = (("csv", csv_lines(entries)), ("json", json_lines(entries, head)))
    bundles, left_out = _bundles(journal, folder)
    parts = len(kinds) + bool(bundles)
    written: list[str] = []
    with ExitStack() as undo:
        for index, (kind, lines) in enumerate(kinds):
            path = folder / f"kiosk-journal-{now:%Y-%m-%d-%H%M%S}.{kind}"
            with path.open("x", encoding="utf-8", newline="") as file:
                undo.callback(path.unlink, missing_ok=True)
                # a sale and a row of the journal are a line each, of which there are no more than rows
                file.writelines(_watched(lines, progress, index / parts, len(entries) * parts))
                file.flush()
                os.fsync(file.fileno())
            written.append(path.name)
        left_out += [bundle.name for bundle in bundles if not _copied(bundle, folder, progress, bundles, undo)]
        undo.pop_all()
    return Exported((*written, *(each.name for each in bundles if each.name not in left_out)), tuple(left_out))


def _bundles(journal: Path, folder: Path) -> tuple[list[Bundle], list[str]]:
    """What is to be copied, and what cannot even be looked at: the disk may be what damaged it."""
    try:
        return list(new_bundles(journal, folder)), []
    except OSError as error:
        log.warning("what is kept of damaged journals cannot be read: %s: %s", error.filename, error.strerror)
        return [], [Path(error.filename or journal.parent).name]


def _copied(bundle: Bundle, folder: Path, progress: Progress, bundles: list[Bundle], undo: ExitStack) -> bool:
    """Whether the stick took it. The accounts are there in any case."""
    most = max(sum(each.size for each in bundles), 1) * 3  # a third of the way, as each of the accounts' files

    def told(size: int) -> None:
        progress.check()
        progress.share = min((progress.share or 0.0) + size / most, 1.0)

    try:
        if not bundle.fits(folder):
            return False
        bundle.copy(told)
    except OSError as error:
        log.warning("%s was not written to the stick: %s", bundle.name, error.strerror)
        return False
    undo.callback(bundle.remove)
    return True


@contextmanager
def _uncollected() -> Iterator[None]:
    """Python's search for unreachable cycles visits every row there is, and meanwhile no other thread runs.

    With 100,000 rows that is a quarter of a second at a time for the screen's. Rows are no cycles.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _watched(lines: Iterable[str], progress: Progress, begin: float, most: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        progress.check()
        progress.share = min(begin + number / max(most, 1), 1.0)
        yield line


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
