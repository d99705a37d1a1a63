"""SQLite files: open one for writing, bring its tables up to date, and tell damage from other errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_WRITE_VERSION_OFFSET = 18  # in bytes from the start of the file
_LAST_WRITE_VERSION = 2


def open_for_writing(name: str | Path, *, busy_s: float, permissions: int | None = None) -> sqlite3.Connection:
    """Opens a file, or a `file:` URI, in write-ahead mode; every commit is on the disk before it returns.

    Transactions are begun and committed by hand. A lock of another program is waited for at most `busy_s` seconds.
    `permissions` are set on the file before SQLite makes others beside it, which take them over. Raises
    `sqlite3.Error`, and `OSError` where the permissions cannot be set.
    """
    database = sqlite3.connect(name, isolation_level=None, timeout=busy_s, uri=str(name).startswith("file:"))
    try:
        if permissions is not None:
            Path(name).chmod(permissions)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        check_writable(database)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commits what is done in the context, or undoes all of it if that raises."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield database
        database.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")
        raise


def user_version(database: sqlite3.Connection) -> int:
    """Returns the number of migrations that the file has had."""
    version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(
    database: sqlite3.Connection,
    migrations: Sequence[str],
    fill_new: Callable[[sqlite3.Connection], None] | None = None,
) -> None:
    """Runs the scripts that the file has not had yet, each in a transaction, and counts them in its `user_version`.

    `fill_new` writes the first rows of a new file, in the transaction of the first script. Raises `sqlite3.Error`.
    """
    version = user_version(database)
    for number, script in enumerate(migrations[version:], version + 1):
        with transaction(database):
            for statement in _statements(script):
                database.execute(statement)
            if number == 1 and fill_new:
                fill_new(database)
            database.execute(f"PRAGMA user_version = {number}")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines():
        statement += f"{line}\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def check_writable(database: sqlite3.Connection) -> None:
    """Raises `sqlite3.OperationalError` if the file cannot be written, which SQLite says only at the first row."""
    version = user_version(database)
    database.execute("BEGIN IMMEDIATE")
    try:
        database.execute(f"PRAGMA user_version = {version}")  # the lock alone is given even on such a file
    finally:
        database.execute("ROLLBACK")


def has_damaged_header(error: sqlite3.OperationalError, path: Path) -> bool:
    """Returns whether the file's header forbids to write it, and not its disk, its folder or its permissions.

    The header is damaged then: no SQLite has a write version over 2
    (https://www.sqlite.org/fileformat2.html#file_format_version_numbers).
    """
    return "readonly" in str(error) and _write_version(path) > _LAST_WRITE_VERSION


def _write_version(path: Path) -> int:
    try:
        with path.open("rb") as file:
            header = file.read(_WRITE_VERSION_OFFSET + 1)
    except OSError:
        return 0
    return header[_WRITE_VERSION_OFFSET] if len(header) > _WRITE_VERSION_OFFSET else 0
