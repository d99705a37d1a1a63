"""Sticks that are plugged in, and the journal written to one of them."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kiosk.errors import KioskError
from kiosk.vending.accounts import csv_lines, json_lines
from kiosk.vending.journal import read_verified

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


def export(journal: Path, folder: Path, now: datetime, progress: Progress | None = None) -> list[str]:
    """Writes the journal's sales as CSV and JSON. The names of the files.

    Written when it returns: a stick is soon pulled out. Verified first, and a file is never written over. Both files or
    none: what was begun is taken away where it cannot be ended. Raises `JournalError`, `OSError`, `StoppedError`.
    """
    with _uncollected():
        return _export(journal, folder, now, progress or Progress())


def _export(journal: Path, folder: Path, now: datetime, progress: Progress) -> list[str]:
    entries, head = read_verified(journal)
    progress.check()
    kinds = (("csv", csv_lines(entries)), ("json", json_lines(entries, head)))
    written = []
    with ExitStack() as undo:
        for index, (kind, lines) in enumerate(kinds):
            path = folder / f"kiosk-journal-{now:%Y-%m-%d-%H%M%S}.{kind}"
            with path.open("x", encoding="utf-8", newline="") as file:
                undo.callback(path.unlink, missing_ok=True)
                # a sale and a row of the journal are a line each, of which there are no more than rows
                file.writelines(_watched(lines, progress, index / len(kinds), len(entries) * len(kinds)))
                file.flush()
                os.fsync(file.fileno())
            written.append(path.name)
        undo.pop_all()
    return written


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
