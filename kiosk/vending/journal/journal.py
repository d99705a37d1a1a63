"""The journal as the running kiosk has it open: appending facts and reading them back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from kiosk.common.sqlite import transaction
from kiosk.common.utc import utc_now, utc_text
from kiosk.vending.journal.database import (
    connect,
    damage_error,
    file_identity,
    journal_errors,
    lock_journal,
    migrate,
    missing_error,
)
from kiosk.vending.journal.facts import Fact, data_of, kind_of, name_of
from kiosk.vending.journal.records import Entry, Head, row_hash, select_entries, verify_rows


class Journal:
    """A journal that only this process may append to. A missing file is created; an old one is brought up to date.

    Raises `JournalInUseError`, `JournalDamagedError`, or `JournalError` for other problems with the file.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._clock = clock
        self._lock = lock_journal(path)
        try:
            with journal_errors(path):
                self._database = connect(str(path))
                try:
                    self._file = file_identity(path)
                    migrate(self._database, path, self._clock().isoformat())
                    self._head = verify_rows(self._database, path)
                    self.id: str = self._database.execute("SELECT id FROM journal").fetchone()[0]
                except BaseException:
                    self._database.close()
                    raise
        except BaseException:
            self._lock.close()
            raise

    def append(self, fact: Fact) -> Entry:
        """Writes a fact to the disk. Raises `JournalError`; the row may then be in the file or not."""
        seq, utc = self._head.seq + 1, utc_text(self._clock())
        kind, data = kind_of(fact), json.dumps(data_of(fact), ensure_ascii=False, separators=(",", ":"))
        digest = row_hash(self._head.hash, seq, utc, kind, data)
        if file_identity(self._path) != self._file:
            raise missing_error(self._path)  # rows written into a deleted file would be lost when this process ends
        with journal_errors(self._path), transaction(self._database):
            self._database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (seq, utc, kind, data, digest))
        self._head = Head(seq, digest)
        return Entry(seq, utc, fact)

    def reopen(self) -> None:
        """Opens the file again after an error, and checks that it has every row that was appended.

        It may have one row more, that of the `append` that failed. Raises the same errors as the constructor, and then
        leaves the journal as it was.
        """
        file = file_identity(self._path)
        if file is None:
            raise missing_error(self._path)
        with journal_errors(self._path):
            database = connect(f"{self._path.absolute().as_uri()}?mode=rw")
            try:
                head = verify_rows(database, self._path)
                row = database.execute("SELECT hash FROM events WHERE seq = ?", (self._head.seq,)).fetchone()
                if database.execute("SELECT id FROM journal").fetchone()[0] != self.id:
                    raise damage_error(self._path, "it is another journal")
                if self._head.seq and row != (self._head.hash,):
                    raise damage_error(self._path, f"row {self._head.seq} is not the one that was written")
            except BaseException:
                database.close()
                raise
            old, self._database, self._head, self._file = self._database, database, head, file
        with suppress(sqlite3.Error):
            old.close()

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yields the rows after row number `after`, in order. Raises `JournalError`."""
        return select_entries(self._database, self._path, "WHERE seq > ? ORDER BY seq", after)

    def of_kind(self, kind: type[Fact]) -> Iterator[Entry]:
        """Yields the rows of one kind, in order, without parsing others. Raises `JournalError`."""
        return select_entries(self._database, self._path, "WHERE kind = ? ORDER BY seq", name_of(kind))

    def latest(self, kind: type[Fact]) -> Entry | None:
        """Returns the last row of one kind. Raises `JournalError`."""
        last = "WHERE kind = ? ORDER BY seq DESC LIMIT 1"
        return next(select_entries(self._database, self._path, last, name_of(kind)), None)

    @property
    def head(self) -> Head:
        """Number and hash of the last row."""
        return self._head

    def is_readable(self) -> bool:
        """Tells whether the file is still there and can be read."""
        if file_identity(self._path) != self._file:
            return False
        try:
            return bool(self._database.execute("SELECT seq FROM head").fetchone() == (self._head.seq,))
        except sqlite3.Error:
            return False

    def close(self) -> None:
        """Closes the file and releases its lock."""
        self._database.close()
        self._lock.close()
