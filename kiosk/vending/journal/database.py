"""A journal's SQLite file: its tables, its lock, how it is opened, and the errors that say what is wrong with it."""

from __future__ import annotations

import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from kiosk.common import sqlite
from kiosk.common.errors import KioskError
from kiosk.vending.journal.facts import GONE

MIGRATIONS = (
    """
    CREATE TABLE journal (id TEXT NOT NULL, created TEXT NOT NULL);
    CREATE TABLE head (seq INTEGER NOT NULL, hash TEXT NOT NULL);
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        utc TEXT NOT NULL,
        kind TEXT NOT NULL,
        data TEXT NOT NULL,
        hash TEXT NOT NULL
    );
    CREATE TRIGGER events_in_order BEFORE INSERT ON events WHEN NEW.seq IS NOT (SELECT seq + 1 FROM head)
        BEGIN SELECT RAISE(ABORT, 'the journal is appended to in order'); END;
    CREATE TRIGGER events_counted AFTER INSERT ON events BEGIN UPDATE head SET seq = NEW.seq, hash = NEW.hash; END;
    CREATE TRIGGER events_stay BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    CREATE TRIGGER events_remain BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
    """,
    "-- No table is another one. From here on there may be rows of the kinds `pin_refused` and `checkpoint`.",
)
"""The scripts from one schema version to the next. A file's `user_version` is the number of scripts that it has had.

Released scripts never change by a single word: a journal whose tables differ from them counts as damaged.

A new kind of fact, or a new field of an old kind, needs a script too, even if it changes no table. An older kiosk then
says that it is too old for this journal, instead of calling the journal damaged.
"""

_FIRST, _LAST_PLAUSIBLE = 1, 99
"""A file that has tables and a version outside this range is damaged; no newer kiosk wrote it."""

READABLE = 1
"""The oldest version that can be read without a migration, such as in an accountant's copy."""

BUSY_S = 2.0
"""Seconds to wait for a file that another program has locked.

Only the kiosk writes, and readers (`kiosk journal`, an export, SQLite's shell) lock nobody out in write-ahead mode. A
backup or an SQLite shell may hold the write lock for a moment. The screen then stops for up to two seconds, which is
better than a refunded sale, and no device's answer is lost meanwhile. After that the sale stops, and recovers later.
"""

LONGEST_REASON = 300
"""Characters of a damage's description; the faulty row that it quotes may be longer."""


class JournalError(KioskError):
    """A journal cannot be used."""


class JournalDamagedError(JournalError):
    """A journal's rows are not those that were written. `what` describes the damage, without advice."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


class JournalInUseError(JournalError):
    """Another program is writing the journal."""


def damage_error(path: Path, what: str) -> JournalDamagedError:
    """Returns the error for a damaged journal; `what` describes the damage."""
    what = " ".join(what.split())[:LONGEST_REASON]
    return JournalDamagedError(
        f"journal {path} is damaged, {what}. At its next start the kiosk moves it to a folder beside it, for the "
        "accounts, and begins a new journal. Then count the stock, which is the catalogue's again, and reverse open "
        "payments at the terminal, because the new journal does not know them",
        what,
    )


def missing_error(path: Path) -> JournalDamagedError:
    """Returns the error for a journal whose file was deleted or replaced while it was open."""
    return JournalDamagedError(
        f"journal {path} was deleted or replaced while the kiosk ran. Put the old file back before the next start. "
        "Otherwise the kiosk begins a new journal, and you have to count the stock, which is the catalogue's again",
        GONE,
    )


@contextmanager
def journal_errors(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into `JournalError` and `JournalDamagedError` that name the journal."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "decode" in str(error):  # Python's own error for text that is not UTF-8; its message repeats the text
            raise damage_error(path, "a row is not valid text") from error
        if sqlite.has_damaged_header(error, path):
            raise damage_error(path, "its header forbids writing") from error
        raise JournalError(f"journal {path} cannot be used ({error}): check its disk and its folder") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise damage_error(path, str(error)) from error


# Opening


def lock_journal(journal: Path) -> IO[str]:
    """Opens and locks the file `<journal>.lock`. The system releases the lock when the process ends.

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


def connect(name: str) -> sqlite3.Connection:
    """Opens a journal for writing, with transactions begun and committed by hand. Raises `sqlite3.Error`.

    `name` is a path or a `file:` URI.
    """
    return sqlite.open_for_writing(name, busy_s=BUSY_S)


def open_read_only(path: Path, *, any_version: bool = False) -> sqlite3.Connection:
    """Opens a journal for reading, in a transaction that shows it as it is now, whatever the kiosk writes meanwhile.

    With `any_version`, a file whose version marks it as damaged is opened too. Raises `JournalError`, `sqlite3.Error`.
    """
    if not path.is_file():
        raise JournalError(f"there is no journal {path}: name the one that the kiosk writes")
    if path.stat().st_size <= 1:  # SQLite takes a single byte for an empty database and would delete the rows beside it
        raise damage_error(path, "it is empty")
    database = sqlite3.connect(f"{path.absolute().as_uri()}?{_mode_to_read(path)}", uri=True)
    try:
        database.execute("BEGIN")
        try:
            version = version_of(database, path)
        except JournalDamagedError:
            if any_version:
                return database
            raise
        if version < READABLE:
            raise JournalError(f"journal {path} is of an older version: start the kiosk once to bring it up to date")
    except BaseException:
        database.close()
        raise
    return database


def _mode_to_read(path: Path) -> str:
    """Returns the URI parameters to read a journal with.

    In write-ahead mode SQLite creates a file beside the journal even to read it. Where it cannot, as on a read-only
    medium, no kiosk can write the journal either, and SQLite may treat the file as immutable.
    """
    if os.access(path.parent, os.W_OK, effective_ids=True):
        return "mode=ro"
    log = path.with_name(f"{path.name}-wal")
    if not log.exists():
        return "mode=ro&immutable=1"
    if path.with_name(f"{path.name}-shm").exists():  # another user's kiosk has the journal open and shares that file
        return "mode=ro"
    raise JournalError(
        f"journal {path} cannot be read here, because some of its rows are in {log.name} and the folder is read-only: "
        "copy both files to a folder that can be written, and name the copy"
    )


def file_identity(path: Path) -> tuple[int, int] | None:
    """Returns device and inode of a file, which change if it is deleted or replaced; None if there is no file."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_dev, state.st_ino


# Tables


def migrate(database: sqlite3.Connection, path: Path, created: str) -> None:
    """Brings a file's tables up to date; a file without tables becomes a new journal. Raises `JournalError`.

    `created` is a new journal's time of creation, in ISO 8601.
    """
    version_of(database, path)

    def fill_new(database: sqlite3.Connection) -> None:
        id_ = secrets.token_hex(4)
        database.execute("INSERT INTO journal VALUES (?, ?)", (id_, created))
        database.execute("INSERT INTO head VALUES (0, ?)", (id_,))

    sqlite.migrate(database, MIGRATIONS, fill_new)


def version_of(database: sqlite3.Connection, path: Path) -> int:
    """Returns the number of migrations that a file has had. Raises `JournalError` if this kiosk does not know them."""
    version = sqlite.user_version(database)
    if not (_FIRST if _tables_of(database) else 0) <= version <= _LAST_PLAUSIBLE:
        raise damage_error(path, f"its version is {version}")
    if version > len(MIGRATIONS):
        raise JournalError(f"journal {path} was written by a newer kiosk: install that version or a newer one")
    return version


def has_its_tables(database: sqlite3.Connection, path: Path) -> bool:
    """Tells whether the file has every table and trigger of its version, unchanged. It may have others as well.

    Raises `JournalError`.
    """
    with closing(sqlite3.connect(":memory:")) as empty:
        for script in MIGRATIONS[: version_of(database, path)]:
            empty.executescript(script)
        return _tables_of(empty) <= _tables_of(database)


def _tables_of(database: sqlite3.Connection) -> set[tuple[str, str]]:
    """Returns name and SQL of each table and trigger, with white space normalised: older sources had other breaks."""
    found = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(name, " ".join(sql.split())) for name, sql in found}
