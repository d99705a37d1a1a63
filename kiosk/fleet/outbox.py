"""The outbox: what the fleet is still to be told, in one SQLite file of a bounded size.

Sales need no copy here: the journal has them for ever, so of it the outbox keeps a cursor, the last row that the broker
has taken. Everything else (health, stock, faults, hourly counts, what came of an order) is a row until the broker has
taken it. Where there are more rows than allowed, the oldest of the least weight goes, and is counted.

Here are also the orders that were accepted and not carried out yet, because an order leaves and what came of it comes
in one transaction; and each addressee's last counter, so that no order is carried out twice.

A file that SQLite finds damaged is moved aside and begun anew: the journal is then told from its beginning, under the
same numbers, by which a collector knows what it has already.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiosk.common.errors import KioskError
from kiosk.common.sqlite import has_damaged_header, migrate, open_for_writing, transaction, user_version

_MIGRATIONS = (
    """
CREATE TABLE IF NOT EXISTS outbox (id TEXT NOT NULL, dropped INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS cursor (journal TEXT PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, utc TEXT NOT NULL, topic TEXT NOT NULL, weight INTEGER NOT NULL,
    data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS lightest ON messages (weight, seq);
CREATE TABLE IF NOT EXISTS counters (addressee TEXT PRIMARY KEY, counter INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
    addressee TEXT NOT NULL, counter INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (addressee, counter)
);
""",
)
"""From one schema to the next; how many of them a file has had is its `user_version`.

Kiosk 0.2.0 left the tables of the first one without a number.
"""

_LAST_PLAUSIBLE = 99
"""A higher number, and one under 0, is not a newer kiosk's, but damage."""

_DAMAGE = (
    "messages WHERE typeof(utc) <> 'text' OR typeof(topic) <> 'text' OR typeof(data) <> 'text' OR NOT json_valid(data)",
    "cursor WHERE typeof(seq) <> 'integer'",
    "counters WHERE typeof(counter) <> 'integer'",
    "orders WHERE typeof(data) <> 'text'",
    "outbox WHERE typeof(id) <> 'text' OR typeof(dropped) <> 'integer'",
)
"""Rows of which one is enough."""

_MALFORMED = ("unsupported file format", "malformed", "no such", "no column", "syntax error", "values were supplied")
"""How SQLite says that a file is not what was written, where it takes that for its user's mistake."""

_BUSY_S = 5.0


@dataclass(frozen=True)
class Message:
    """A row that waits for the broker."""

    seq: int
    utc: str
    topic: str
    data: Mapping[str, Any]


class OutboxError(KioskError):
    """An outbox of a newer kiosk."""


class Outbox:
    """To be used by the thread that opened it. `limit`: the most messages kept.

    Raises `sqlite3.Error`, `OSError`, and `OutboxError` at first.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._limit = limit
        self.renewed = False
        """Whether a damaged file was moved aside."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = _opened(path)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter of what SQLite says of it
            if isinstance(error, sqlite3.OperationalError) and not _is_damage(error, path):
                raise  # its disk or folder: no reason to begin anew
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            path.replace(path.with_name(f"{path.name}.damaged"))
            self._database = _opened(path)
            self.renewed = True
        self.id: str = self._database.execute("SELECT id FROM outbox").fetchone()[0]

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    # The journal's cursor

    def cursor(self, journal: str) -> int:
        """The last row of this journal that the broker has taken; 0 for none."""
        row = self._database.execute("SELECT seq FROM cursor WHERE journal = ?", (journal,)).fetchone()
        return row[0] if row else 0

    def move_cursor(self, journal: str, seq: int) -> None:
        """The broker has taken this journal up to row `seq`."""
        with transaction(self._database) as database:
            database.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (journal, seq))

    # Messages

    def put(self, utc: str, topic: str, weight: int, data: Mapping[str, Any]) -> None:
        """Keeps a message until it is delivered."""
        with transaction(self._database) as database:
            self._put(database, utc, topic, weight, data)

    def after(self, seq: int, limit: int) -> list[Message]:
        """The first messages after number `seq`, in order."""
        rows = self._database.execute(
            "SELECT seq, utc, topic, data FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
        )
        return [Message(number, utc, topic, json.loads(data)) for number, utc, topic, data in rows]

    def delivered(self, seq: int) -> None:
        """The broker has taken all messages up to number `seq`."""
        with transaction(self._database) as database:
            database.execute("DELETE FROM messages WHERE seq <= ?", (seq,))

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        count: int = self._database.execute("SELECT COUNT(*) FROM messages").fetchone()[0]
        return count

    @property
    def dropped(self) -> int:
        """How many messages were ever given up for want of room."""
        count: int = self._database.execute("SELECT dropped FROM outbox").fetchone()[0]
        return count

    # Orders

    def counter(self, addressee: str) -> int:
        """The last counter accepted for this addressee; 0 before the first."""
        row = self._database.execute("SELECT counter FROM counters WHERE addressee = ?", (addressee,)).fetchone()
        return row[0] if row else 0

    def accept(self, addressee: str, counter: int, data: str) -> None:
        """Keeps an order's envelope until it is carried out; none with its counter or a lower one counts any more."""
        with transaction(self._database) as database:
            database.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (addressee, counter))
            database.execute("INSERT INTO orders VALUES (?, ?, ?)", (addressee, counter, data))

    def orders(self) -> list[tuple[str, int, str]]:
        """Addressee, counter and envelope of the orders that wait to be carried out, as they were accepted."""
        return self._database.execute("SELECT addressee, counter, data FROM orders ORDER BY rowid").fetchall()

    def finish(self, addressee: str, counter: int, utc: str, topic: str, weight: int, data: Mapping[str, Any]) -> None:
        """An order leaves, and what came of it is to be told."""
        with transaction(self._database) as database:
            database.execute("DELETE FROM orders WHERE addressee = ? AND counter = ?", (addressee, counter))
            self._put(database, utc, topic, weight, data)

    def _put(self, database: sqlite3.Connection, utc: str, topic: str, weight: int, data: Mapping[str, Any]) -> None:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        database.execute(
            "INSERT INTO messages (utc, topic, weight, data) VALUES (?, ?, ?, ?)", (utc, topic, weight, text)
        )
        excess = max(self.waiting - self._limit, 0)
        if excess:
            database.execute(
                "DELETE FROM messages WHERE seq IN (SELECT seq FROM messages ORDER BY weight, seq LIMIT ?)", (excess,)
            )
            database.execute("UPDATE outbox SET dropped = dropped + ?", (excess,))


def _opened(path: Path) -> sqlite3.Connection:
    database = open_for_writing(path, busy_s=_BUSY_S, permissions=0o600)
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        database.execute("PRAGMA wal_autocheckpoint = 100")  # pages, so that the log beside the file stays small too
        _migrate(database, path)
        # what SQLite finds whole may still hold other bytes than were written
        if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok" or any(
            database.execute(f"SELECT 1 FROM {damage} LIMIT 1").fetchone() for damage in _DAMAGE
        ):
            raise sqlite3.DatabaseError("it is damaged")
        if database.execute("SELECT COUNT(*) FROM outbox").fetchone()[0] == 0:
            database.execute("INSERT INTO outbox VALUES (?, 0)", (secrets.token_hex(4),))
    except BaseException:
        database.close()
        raise
    return database


def _is_damage(error: sqlite3.OperationalError, path: Path) -> bool:
    return any(each in str(error) for each in _MALFORMED) or has_damaged_header(error, path)


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    version = user_version(database)
    if not 0 <= version <= _LAST_PLAUSIBLE:
        raise sqlite3.DatabaseError("it is damaged")
    if version > len(_MIGRATIONS):
        raise OutboxError(f"outbox {path} was written by a newer kiosk: install that version or a newer one")
    migrate(database, _MIGRATIONS)
