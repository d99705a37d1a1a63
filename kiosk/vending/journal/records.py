"""The rows of a journal: what one holds, and how they hold together."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.vending.journal.database import has_its_tables
from kiosk.vending.journal.errors import JournalError, damaged, explained
from kiosk.vending.journal.facts import Fact, fact_from

ROWS = "SELECT seq, utc, kind, data FROM events"
"""What `entry_of` makes an entry of."""

_CORRUPT = 11
"""SQLITE_CORRUPT, https://www.sqlite.org/rescode.html"""


@dataclass(frozen=True)
class Entry:
    """One row."""

    seq: int
    utc: str
    """ISO 8601, to the millisecond, ending in Z."""
    fact: Fact


@dataclass(frozen=True)
class Head:
    """The last row's number and hash; number 0 before the first."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Head:
        """`"123:9f2c…"`, of whose hash the beginning is enough. Raises `JournalError`."""
        match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{8,64})", text)
        if match is None:
            raise JournalError(f"{text!r} is no head of a journal: give it as `kiosk journal verify` printed it")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def entries_of(
    database: sqlite3.Connection, path: Path, which: str = "ORDER BY seq", *values: int | str
) -> Iterator[Entry]:
    """Those that SQLite selects; not verified. Raises `JournalError`."""
    with explained(path), closing(database.execute(f"{ROWS} {which}", values)) as rows:
        for row in rows:
            yield entry_of(path, *row)


def entry_of(path: Path, seq: int, utc: str, kind: str, data: str) -> Entry:
    """A row. Raises `JournalDamagedError`."""
    try:
        datetime.fromisoformat(utc.removesuffix("Z"))  # whoever shows it counts on that
        said = json.loads(data)
        if "\\u" in data:  # half a surrogate can be read, and never be written again
            json.dumps(said, ensure_ascii=False).encode()
        return Entry(seq, utc, fact_from(kind, said))
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise damaged(path, f"row {seq}: {error}") from error


def verified(database: sqlite3.Connection, path: Path) -> Head:
    """The head, once every row was found to follow from the one before it.

    Raises `JournalDamagedError`, and `sqlite3.Error` where the file cannot be read, which is no damage.
    """
    problem = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if problem != "ok":
        _check_read(problem)
        raise damaged(path, problem)
    ids = database.execute("SELECT id FROM journal").fetchall()
    if len(ids) != 1:
        raise damaged(path, "it has no id")
    head = Head(0, ids[0][0])
    # Closed also where it ends early: a database with an open cursor stays open, whoever closes it.
    with closing(database.execute("SELECT * FROM events ORDER BY seq")) as rows:
        for seq, utc, kind, data, digest in rows:
            if seq != head.seq + 1:
                raise damaged(path, f"row {head.seq + 1} is missing")
            if digest != hash_of(head.hash, seq, utc, kind, data):
                raise damaged(path, f"row {seq} was changed")
            head = Head(seq, digest)
    if database.execute("SELECT seq, hash FROM head").fetchall() != [(head.seq, head.hash)]:
        raise damaged(path, f"rows after {head.seq} are missing")
    if not has_its_tables(database, path):
        raise damaged(path, "its tables and triggers are not the kiosk's")  # its rows are whole: no new one can be
    return head


def _check_read(problem: str) -> None:
    """Raises `sqlite3.OperationalError` where disk or memory did not give a page, as any other query would."""
    code = re.search(r"error code=([0-9]+)", problem)
    if code and int(code[1]) & 0xFF != _CORRUPT:  # extended codes have the primary one in their lowest byte
        raise sqlite3.OperationalError(" ".join(problem.split()))


def hash_of(previous: str, *values: Any) -> str:
    """A row's, by the hash of the row before it; the first one follows the journal's id."""
    return hashlib.sha256("\n".join(map(str, (previous, *values))).encode()).hexdigest()
