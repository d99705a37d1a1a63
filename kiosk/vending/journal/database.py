"""The tables of a journal, and how a file of an older version comes to have them."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from kiosk.common import sqlite
from kiosk.vending.journal.errors import JournalError, damaged

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
"""From one schema to the next; how many of them a file has had is its `user_version`.

Those that were released stay as they are, word by word: a journal whose tables are made otherwise counts as damaged.

A new kind of fact, and a new field of an old one, need one too, even one that changes no table: a kiosk that does not
know them must say that it is too old for this journal, and not that the journal is damaged.
"""

_FIRST, _LAST_PLAUSIBLE = 1, 99
"""A file with tables whose number is none of these was not written by a newer kiosk, but damaged."""

READABLE = 1
"""The first schema whose tables are read as they are: an accountant's copy is not brought up to date."""


def migrate(database: sqlite3.Connection, path: Path, created: str) -> None:
    """Brings a file up to date; one without tables becomes a new journal, `created` then. Raises `JournalError`."""
    version_of(database, path)

    def fill_new(database: sqlite3.Connection) -> None:
        id_ = secrets.token_hex(4)
        database.execute("INSERT INTO journal VALUES (?, ?)", (id_, created))
        database.execute("INSERT INTO head VALUES (0, ?)", (id_,))

    sqlite.migrate(database, MIGRATIONS, fill_new)


def version_of(database: sqlite3.Connection, path: Path) -> int:
    """How many migrations a file has had. Raises `JournalError` for more than are known here."""
    version = sqlite.user_version(database)
    if not (_FIRST if _tables_of(database) else 0) <= version <= _LAST_PLAUSIBLE:
        raise damaged(path, f"it is of version {version}")
    if version > len(MIGRATIONS):
        raise JournalError(f"journal {path} was written by a newer kiosk: install that version or a newer one")
    return version


def has_its_tables(database: sqlite3.Connection, path: Path) -> bool:
    """Whether every table and trigger of the file's version is in it, as it was made. There may be others.

    Raises `JournalError`.
    """
    with closing(sqlite3.connect(":memory:")) as empty:
        for script in MIGRATIONS[: version_of(database, path)]:
            empty.executescript(script)
        return _tables_of(empty) <= _tables_of(database)


def _tables_of(database: sqlite3.Connection) -> set[tuple[str, str]]:
    """Name and text of each. A file has the line breaks and spaces of the source of its day, which mean nothing."""
    found = database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(name, " ".join(sql.split())) for name, sql in found}
