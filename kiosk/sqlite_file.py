"""What SQLite says of a file and does not mean."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_READONLY = 8
"""SQLITE_READONLY, and none of its extended codes, which are about the folder or the files beside."""


def must_be_writable(database: sqlite3.Connection) -> None:
    """Raises `sqlite3.OperationalError` now, and not at the first row, where a file cannot be written."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    database.execute("BEGIN IMMEDIATE")
    try:
        database.execute(f"PRAGMA user_version = {version}")  # the lock alone is given even on such a file
    finally:
        database.execute("ROLLBACK")


def is_spoilt(error: sqlite3.OperationalError, path: Path) -> bool:
    """Whether it is the header of the file that forbids to write it: a byte of it is damaged, the disk is well.

    https://www.sqlite.org/fileformat2.html#file_format_version_numbers
    """
    return (
        "readonly" in str(error)
        and getattr(error, "sqlite_errorcode", _READONLY) == _READONLY  # from Python 3.11 on
        and os.access(path.parent, os.W_OK, effective_ids=True)
        and all(os.access(each, os.W_OK, effective_ids=True) for each in path.parent.glob(f"{path.name}*"))
    )
