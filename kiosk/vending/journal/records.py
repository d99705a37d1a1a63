"""The rows of a journal: their contents, and the hash chain that links them."""

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

from kiosk.vending.journal.database import JournalError, damage_error, has_its_tables, journal_errors
from kiosk.vending.journal.facts import Fact, parse_fact

ROWS = "SELECT seq, utc, kind, data FROM events"
"""Selects the columns that `parse_entry` takes."""

_CORRUPT = 11
"""SQLITE_CORRUPT, https://www.sqlite.org/rescode.html"""


@dataclass(frozen=True)
class Entry:
    """One row of the journal."""

    seq: int
    utc: str
    """Time in ISO 8601, to the millisecond, ending in Z."""
    fact: Fact


@dataclass(frozen=True)
class Head:
    """Number and hash of the last row; the number is 0 before the first row."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> Head:
        """Parses `"123:9f2c…"`, where the first 8 digits of the hash are enough. Raises `JournalError`."""
        match = re.fullmatch(r"([0-9]{1,18}):([0-9a-f]{8,64})", text)
        if match is None:
            raise JournalError(f"{text!r} is not a journal's head: give it as `kiosk journal verify` printed it")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


def select_entries(
    database: sqlite3.Connection, path: Path, condition: str = "ORDER BY seq", *values: int | str
) -> Iterator[Entry]:
    """Yields the rows that an SQL `condition` with its `values` selects, without verifying them.

    Raises `JournalError`.
    """
    with journal_errors(path), closing(database.execute(f"{ROWS} {condition}", values)) as rows:
        for row in rows:
            yield parse_entry(path, *row)


def parse_entry(path: Path, seq: int, utc: str, kind: str, data: str) -> Entry:
    """Parses the columns of one row of the journal at `path`. Raises `JournalDamagedError`."""
    try:
        datetime.fromisoformat(utc.removesuffix("Z"))  # screens and exports rely on a valid time
        fields = json.loads(data)
        if "\\u" in data:  # JSON can hold half a surrogate pair, which Python reads and cannot write again
            json.dumps(fields, ensure_ascii=False).encode()
        return Entry(seq, utc, parse_fact(kind, fields))
    except (AttributeError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise damage_error(path, f"row {seq}: {error}") from error


def verify_rows(database: sqlite3.Connection, path: Path) -> Head:
    """Checks that every row follows from the one before it, and returns the head.

    Raises `JournalDamagedError`, and `sqlite3.Error` if the file cannot be read, which is not damage.
    """
    problem = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if problem != "ok":
        _raise_if_unreadable(problem)
        raise damage_error(path, problem)
    ids = database.execute("SELECT id FROM journal").fetchall()
    if len(ids) != 1:
        raise damage_error(path, "it has no id")
    head = Head(0, ids[0][0])
    # An open cursor keeps the database open after its close(), so an early end must close the cursor too.
    with closing(database.execute("SELECT * FROM events ORDER BY seq")) as rows:
        for seq, utc, kind, data, digest in rows:
            if seq != head.seq + 1:
                raise damage_error(path, f"row {head.seq + 1} is missing")
            if digest != row_hash(head.hash, seq, utc, kind, data):
                raise damage_error(path, f"row {seq} was changed")
            head = Head(seq, digest)
    if database.execute("SELECT seq, hash FROM head").fetchall() != [(head.seq, head.hash)]:
        raise damage_error(path, f"rows after {head.seq} are missing")
    if not has_its_tables(database, path):  # the rows are intact, but no row can be added safely
        raise damage_error(path, "its tables and triggers are not the kiosk's")
    return head


def _raise_if_unreadable(problem: str) -> None:
    """Raises `sqlite3.OperationalError` if disk or memory failed during the integrity check."""
    code = re.search(r"error code=([0-9]+)", problem)
    if code and int(code[1]) & 0xFF != _CORRUPT:  # the lowest byte of an extended code is the primary code
        raise sqlite3.OperationalError(" ".join(problem.split()))


def row_hash(previous: str, *values: Any) -> str:
    """Returns the SHA-256 of a row's `values` and the hash of the row before; before the first is the journal's id."""
    return hashlib.sha256("\n".join(map(str, (previous, *values))).encode()).hexdigest()
