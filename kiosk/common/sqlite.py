"""What SQLite says of a file and does not mean."""

from __future__ import annotations

import sqlite3
from pathlib import Path

_WRITE_VERSION = 18
"""Which byte of a file it is."""
_LAST_WRITE_VERSION = 2


def must_be_writable(database: sqlite3.Connection) -> None:
    """Raises `sqlite3.OperationalError` now, and not at the first row, where a file cannot be written."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    database.execute("BEGIN IMMEDIATE")
    try:
        database.execute(f"PRAGMA user_version = {version}")  # the lock alone is given even on such a file
    finally:
        database.execute("ROLLBACK")


def is_spoilt(error: sqlite3.OperationalError, path: Path) -> bool:
    """Whether it is the header of the file that forbids to write it, and not its disk, its folder or its rights.

    A byte of it is damaged then: a write version over 2 is of no SQLite that there is
    (https://www.sqlite.org/fileformat2.html#file_format_version_numbers).
    """
    return "readonly" in str(error) and _write_version(path) > _LAST_WRITE_VERSION


def _write_version(path: Path) -> int:
    try:
        with path.open("rb") as file:
            header = file.read(_WRITE_VERSION + 1)
    except OSError:
        return 0
    return header[_WRITE_VERSION] if len(header) > _WRITE_VERSION else 0
