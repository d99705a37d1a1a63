"""The outbox: messages to the fleet that are not delivered yet, in one SQLite file of bounded size.

Sales need no copy here, because the journal keeps them. For the journal, the outbox keeps a cursor: the last delivered
row. Everything else (health, stock, faults, hourly counts, results of orders) is a row until it is delivered. If there
are more rows than allowed, the oldest of the lowest weight is dropped and counted.

The outbox also keeps accepted orders until they are carried out, because an order is removed and its result added in
one transaction. And it keeps each addressee's last counter, so that no order is carried out twice.

A damaged file is moved aside and replaced by a new one. The journal is then sent from its beginning, under the same
numbers, by which a collector recognises what it already has.
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
"""The steps from one schema to the next. A file's `user_version` is the number of steps that it has had.

Kiosk 0.2.0 wrote the tables of the first step without a version.
"""

_LAST_PLAUSIBLE = 99
"""A higher version, or one below 0, means damage and not a newer kiosk."""

_DAMAGE = (
    "messages WHERE typeof(utc) <> 'text' OR typeof(topic) <> 'text' OR typeof(data) <> 'text' OR NOT json_valid(data)",
    "cursor WHERE typeof(seq) <> 'integer'",
    "counters WHERE typeof(counter) <> 'integer'",
    "orders WHERE typeof(data) <> 'text'",
    "outbox WHERE typeof(id) <> 'text' OR typeof(dropped) <> 'integer'",
)
"""Rows that exist only in a damaged file."""

_MALFORMED = ("unsupported file format", "malformed", "no such", "no column", "syntax error", "values were supplied")
"""SQLite's messages for a damaged file where it assumes a mistake of the caller."""

_BUSY_S = 5.0


@dataclass(frozen=True)
class Message:
    """A message that is not delivered yet."""

    seq: int
    utc: str
    topic: str
    data: Mapping[str, Any]


class OutboxError(KioskError):
    """The outbox was written by a newer kiosk."""


class Outbox:
    """The outbox's file. Use it in the thread that opened it; `limit` is the most messages kept.

    Every method raises `sqlite3.Error`. Opening also raises `OSError` and `OutboxError`.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self._limit = limit
        self.was_replaced = False
        """Whether a damaged file was moved aside."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = _open(path)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter from SQLite's message
            if isinstance(error, sqlite3.OperationalError) and not _is_damage(error, path):
                raise  # a fault of disk or folder: keep the file
            for end in ("-wal", "-shm"):
                path.with_name(path.name + end).unlink(missing_ok=True)
            path.replace(path.with_name(f"{path.name}.damaged"))
            self._database = _open(path)
            self.was_replaced = True
        self.id: str = self._database.execute("SELECT id FROM outbox").fetchone()[0]

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    # The journal's cursor

    def cursor(self, journal: str) -> int:
        """Returns the last delivered row of this journal, or 0."""
        row = self._database.execute("SELECT seq FROM cursor WHERE journal = ?", (journal,)).fetchone()
        return row[0] if row else 0

    def move_cursor(self, journal: str, seq: int) -> None:
        """Records that this journal is delivered up to row `seq`."""
        with transaction(self._database) as database:
            database.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?)", (journal, seq))

    # Messages

    def put(self, utc: str, topic: str, weight: int, data: Mapping[str, Any]) -> None:
        """Adds a message, at the time `utc`."""
        with transaction(self._database) as database:
            self._put(database, utc, topic, weight, data)

    def messages_after(self, seq: int, limit: int) -> list[Message]:
        """Returns at most `limit` messages after number `seq`, in order."""
        rows = self._database.execute(
            "SELECT seq, utc, topic, data FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
        )
        return [Message(number, utc, topic, json.loads(data)) for number, utc, topic, data in rows]

    def remove_delivered(self, seq: int) -> None:
        """Deletes the delivered messages, up to number `seq`."""
        with transaction(self._database) as database:
            database.execute("DELETE FROM messages WHERE seq <= ?", (seq,))

    @property
    def waiting(self) -> int:
        """The number of messages that are not delivered yet."""
        count: int = self._database.execute("SELECT COUNT(*) FROM messages").fetchone()[0]
        return count

    @property
    def dropped(self) -> int:
        """The number of messages ever dropped because the outbox was full."""
        count: int = self._database.execute("SELECT dropped FROM outbox").fetchone()[0]
        return count

    # Orders

    def counter(self, addressee: str) -> int:
        """Returns the last accepted counter of this addressee, or 0."""
        row = self._database.execute("SELECT counter FROM counters WHERE addressee = ?", (addressee,)).fetchone()
        return row[0] if row else 0

    def accept(self, addressee: str, counter: int, data: str) -> None:
        """Stores an accepted order's envelope and its counter; orders with this or a lower counter are then refused."""
        with transaction(self._database) as database:
            database.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", (addressee, counter))
            database.execute("INSERT INTO orders VALUES (?, ?, ?)", (addressee, counter, data))

    def orders(self) -> list[tuple[str, int, str]]:
        """Returns addressee, counter and envelope of the stored orders, in the sequence in which they were accepted."""
        return self._database.execute("SELECT addressee, counter, data FROM orders ORDER BY rowid").fetchall()

    def finish_order(
        self, addressee: str, counter: int, utc: str, topic: str, weight: int, data: Mapping[str, Any]
    ) -> None:
        """Deletes an order and adds the message with its result, in one transaction."""
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


def _open(path: Path) -> sqlite3.Connection:
    database = open_for_writing(path, busy_s=_BUSY_S, permissions=0o600)
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        database.execute("PRAGMA wal_autocheckpoint = 100")  # pages, so that the WAL file stays small
        _migrate(database, path)
        # a file that SQLite accepts may still hold other values than were written
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
