"""The file of a journal: opened to be written by one program alone, or to be read beside it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import IO

from kiosk.common.sqlite import open_for_writing
from kiosk.vending.journal.database import READABLE, version_of
from kiosk.vending.journal.errors import JournalDamagedError, JournalError, JournalInUseError, damaged

BUSY_S = 2.0
"""How long a file that another program has locked is waited for.

The kiosk alone writes, and whoever reads (`kiosk journal`, an export, SQLite's own shell) locks nobody out in
write-ahead mode. What remains is a program that takes the write lock for a moment: a backup, a shell in which somebody
tries something. A screen that stands still for two seconds is a smaller harm than a sale that is given up and refunded,
and no answer of a device is lost by waiting. Longer would look broken; then the sale stops, and finds its way back.
"""


def locked(journal: Path) -> IO[str]:
    """An open, locked file beside the journal; the system unlocks it when the process ends, however it ends.

    Raises `JournalInUseError`, `JournalError`.
    """
    path = journal.with_name(f"{journal.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a", encoding="utf-8")
    except OSError as error:
        raise JournalError(f"journal lock {path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise JournalInUseError(
            f"journal lock {path} is held: another kiosk is running, stop that one first"
        ) from error
    return lock


def connected(name: str) -> sqlite3.Connection:
    """To write. Transactions are begun and committed by hand. Raises `sqlite3.Error`."""
    return open_for_writing(name, busy_s=BUSY_S)


def identity_of(path: Path) -> tuple[int, int] | None:
    """What a file stays as long as nobody deletes or replaces it; None where there is none."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


def opened_to_read(path: Path, *, of_any_version: bool = False) -> sqlite3.Connection:
    """As it is at this moment; a damaged one too, if its version may be any. Raises `JournalError`, `sqlite3.Error`."""
    if not path.is_file():
        raise JournalError(f"there is no journal {path}: name the one that the kiosk writes")
    if path.stat().st_size <= 1:  # to SQLite a single byte is none; it would delete the rows beside it, even to read
        raise damaged(path, "it is empty")
    database = sqlite3.connect(f"{path.absolute().as_uri()}?{_mode_to_read(path)}", uri=True)
    try:
        database.execute("BEGIN")  # all that is read is of one moment, whatever the kiosk writes meanwhile
        try:
            version = version_of(database, path)
        except JournalDamagedError:
            if of_any_version:
                return database
            raise
        if version < READABLE:
            raise JournalError(f"journal {path} is of an older version: start the kiosk once to bring it up to date")
    except BaseException:
        database.close()
        raise
    return database


def _mode_to_read(path: Path) -> str:
    """In write-ahead mode SQLite makes a file beside the journal even to read it.

    Where that cannot be, as on a medium that is read-only, nobody writes the journal either, and it is read as it is.
    """
    if os.access(path.parent, os.W_OK, effective_ids=True):
        return "mode=ro"
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return "mode=ro&immutable=1"
    if path.with_name(f"{path.name}-shm").exists():  # somebody else writes it, and lets us look on
        return "mode=ro"
    raise JournalError(
        f"journal {path} cannot be read here with the rows in {log.name}: copy both to a folder that can be written, "
        "and name the copy"
    )
