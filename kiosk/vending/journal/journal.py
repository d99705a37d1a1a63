"""The journal as the kiosk has it open: facts are appended to it, and read back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from kiosk.common.sqlite import transaction
from kiosk.common.utc import utc_now, utc_text
from kiosk.vending.journal.database import migrate
from kiosk.vending.journal.errors import damaged, explained, gone
from kiosk.vending.journal.facts import Fact, data_of, kind_of, name_of
from kiosk.vending.journal.file import connected, identity_of, locked
from kiosk.vending.journal.records import Entry, Head, entries_of, hash_of, verified


class Journal:
    """The journal, open for appending by this process alone.

    Raises `JournalInUseError`, `JournalDamagedError`, or `JournalError` for whatever else is wrong with the file.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._clock = clock
        self._lock = locked(path)
        try:
            with explained(path):
                self._database = connected(str(path))
                try:
                    self._file = identity_of(path)
                    migrate(self._database, path, self._clock().isoformat())
                    self._head = verified(self._database, path)
                    self.id: str = self._database.execute("SELECT id FROM journal").fetchone()[0]
                except BaseException:
                    self._database.close()
                    raise
        except BaseException:
            self._lock.close()
            raise

    def append(self, fact: Fact) -> Entry:
        """Writes a fact to the disk. Raises `JournalError`; then the row may be there or not."""
        seq, utc = self._head.seq + 1, utc_text(self._clock())
        kind, data = kind_of(fact), json.dumps(data_of(fact), ensure_ascii=False, separators=(",", ":"))
        digest = hash_of(self._head.hash, seq, utc, kind, data)
        if identity_of(self._path) != self._file:
            raise gone(self._path)  # what is written into a file that was deleted is lost with this process
        with explained(self._path), transaction(self._database):
            self._database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (seq, utc, kind, data, digest))
        self._head = Head(seq, digest)
        return Entry(seq, utc, fact)

    def reopen(self) -> None:
        """Opens the file anew after an error, and checks that every row that was appended is there.

        There may be one more: the row of the `append` that failed. Raises as the beginning does; then nothing changed.
        """
        file = identity_of(self._path)
        if file is None:
            raise gone(self._path)
        with explained(self._path):
            database = connected(f"{self._path.absolute().as_uri()}?mode=rw")
            try:
                head = verified(database, self._path)
                row = database.execute("SELECT hash FROM events WHERE seq = ?", (self._head.seq,)).fetchone()
                if database.execute("SELECT id FROM journal").fetchone()[0] != self.id:
                    raise damaged(self._path, "it is another one")
                if self._head.seq and row != (self._head.hash,):
                    raise damaged(self._path, f"row {self._head.seq} is not the one that was written")
            except BaseException:
                database.close()
                raise
            old, self._database, self._head, self._file = self._database, database, head, file
        with suppress(sqlite3.Error):
            old.close()

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every row whose number is over `after`, in order."""
        return entries_of(self._database, self._path, "WHERE seq > ? ORDER BY seq", after)

    def of_kind(self, kind: type[Fact]) -> Iterator[Entry]:
        """Every row of a kind, in order. The others are not even parsed."""
        return entries_of(self._database, self._path, "WHERE kind = ? ORDER BY seq", name_of(kind))

    def latest(self, kind: type[Fact]) -> Entry | None:
        """The last row of a kind."""
        last = "WHERE kind = ? ORDER BY seq DESC LIMIT 1"
        return next(entries_of(self._database, self._path, last, name_of(kind)), None)

    @property
    def head(self) -> Head:
        """The last row."""
        return self._head

    def answers(self) -> bool:
        """Whether its file is there and can be read."""
        if identity_of(self._path) != self._file:
            return False
        try:
            return bool(self._database.execute("SELECT seq FROM head").fetchone() == (self._head.seq,))
        except sqlite3.Error:
            return False

    def close(self) -> None:
        """Lets others write."""
        self._database.close()
        self._lock.close()
