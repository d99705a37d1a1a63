"""A journal read by whoever does not write it; the kiosk may be doing so meanwhile."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

from kiosk.common.utc import utc_text
from kiosk.vending.journal.errors import JournalDamagedError, damaged, explained
from kiosk.vending.journal.facts import SaleOpened
from kiosk.vending.journal.file import opened_to_read
from kiosk.vending.journal.records import ROWS, Entry, Head, entries_of, entry_of, verified


def read(path: Path) -> list[Entry]:
    """Every row of a journal that may be in use. Raises `JournalError`."""
    with explained(path), closing(opened_to_read(path)) as database:
        return list(entries_of(database, path))


def read_between(path: Path, since: datetime, until: datetime) -> list[Entry]:
    """The rows whose time is `since` or later and before `until`, of a journal that may be in use.

    SQLite selects them, and nothing else is read into Python. Raises `JournalError`.
    """
    with explained(path), closing(opened_to_read(path)) as database:
        return list(
            entries_of(database, path, "WHERE utc >= ? AND utc < ? ORDER BY seq", utc_text(since), utc_text(until))
        )


def read_after(path: Path, seq: int, limit: int) -> tuple[str, list[Entry]]:
    """The id of a journal that may be in use, and its first `limit` rows after row `seq`. Raises `JournalError`."""
    with explained(path), closing(opened_to_read(path)) as database:
        id_: str = database.execute("SELECT id FROM journal").fetchone()[0]
        return id_, list(entries_of(database, path, "WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit))


def opening_of(path: Path, sale: str, before: int) -> SaleOpened | None:
    """How a sale began, in a row before row `before`, of a journal that may be in use. Raises `JournalError`."""
    with explained(path), closing(opened_to_read(path)) as database:
        newest_first = "SELECT seq, data FROM events WHERE kind = 'sale_opened' AND seq < ? ORDER BY seq DESC"
        rows = database.execute(newest_first, (before,))
        for seq, text in rows:  # it is among the first few
            try:
                data = json.loads(text)
                if data["sale"] == sale:
                    return SaleOpened(**data)
            except (ValueError, TypeError, KeyError) as error:
                raise damaged(path, f"row {seq}: {error}") from error
    return None


def read_verified(path: Path) -> tuple[list[Entry], Head]:
    """Every row that was verified, and the head that they end with; what is written meanwhile is left out.

    Raises `JournalDamagedError`.
    """
    head = verify(path)
    return [entry for entry in read(path) if entry.seq <= head.seq], head


def survey(path: Path) -> tuple[list[Entry], JournalDamagedError | None]:
    """Every row that can be read, of a damaged journal too, and what is wrong with it. Raises `JournalError`."""
    entries: list[Entry] = []
    damage: JournalDamagedError | None = None
    try:
        with explained(path), closing(opened_to_read(path, of_any_version=True)) as database:
            database.text_factory = _readable
            with closing(database.execute(f"{ROWS} ORDER BY seq")) as rows:
                for row in rows:
                    try:
                        entries.append(entry_of(path, *row))
                    except JournalDamagedError as unreadable:
                        damage = damage or unreadable
            verified(database, path)
    except JournalDamagedError as error:
        damage = error
    return entries, damage


def verify(path: Path, noted: Head | None = None) -> Head:
    """Checks every row, and that the journal goes through a head that was noted elsewhere. Returns its head.

    Raises `JournalDamagedError`, which names the first row that is wrong.
    """
    with explained(path), closing(opened_to_read(path)) as database:
        head = verified(database, path)
        if noted and noted.seq:
            row = database.execute("SELECT hash FROM events WHERE seq = ?", (noted.seq,)).fetchone()
            if row is None or not row[0].startswith(noted.hash):
                raise damaged(path, f"row {noted.seq} is not the one that was noted")
        return head


def _readable(text: bytes) -> str:
    return text.decode(errors="replace")
