"""Reading a journal from another process, also while the kiosk writes it."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import datetime
from pathlib import Path

from kiosk.common.utc import utc_text
from kiosk.vending.journal.database import JournalDamagedError, damage_error, journal_errors, open_read_only
from kiosk.vending.journal.facts import SaleOpened
from kiosk.vending.journal.records import ROWS, Entry, Head, parse_entry, select_entries, verify_rows


def read(path: Path) -> list[Entry]:
    """Returns every row. Raises `JournalError`."""
    with journal_errors(path), closing(open_read_only(path)) as database:
        return list(select_entries(database, path))


def read_between(path: Path, since: datetime, until: datetime) -> list[Entry]:
    """Returns the rows with a time from `since` until before `until`. Raises `JournalError`.

    SQLite selects them, so that Python parses no other rows.
    """
    with journal_errors(path), closing(open_read_only(path)) as database:
        condition = "WHERE utc >= ? AND utc < ? ORDER BY seq"
        return list(select_entries(database, path, condition, utc_text(since), utc_text(until)))


def read_after(path: Path, seq: int, limit: int) -> tuple[str, list[Entry]]:
    """Returns the journal's id, and the first `limit` rows after row `seq`. Raises `JournalError`."""
    with journal_errors(path), closing(open_read_only(path)) as database:
        id_: str = database.execute("SELECT id FROM journal").fetchone()[0]
        return id_, list(select_entries(database, path, "WHERE seq > ? ORDER BY seq LIMIT ?", seq, limit))


def find_sale_opening(path: Path, sale: str, before: int) -> SaleOpened | None:
    """Returns the fact that opened a sale, from the rows before row `before`; None if it is not there.

    Raises `JournalError`.
    """
    with journal_errors(path), closing(open_read_only(path)) as database:
        newest_first = "SELECT seq, data FROM events WHERE kind = 'sale_opened' AND seq < ? ORDER BY seq DESC"
        rows = database.execute(newest_first, (before,))
        for seq, text in rows:  # the sale is usually among the newest few
            try:
                data = json.loads(text)
                if data["sale"] == sale:
                    return SaleOpened(**data)
            except (ValueError, TypeError, KeyError) as error:
                raise damage_error(path, f"row {seq}: {error}") from error
    return None


def read_verified(path: Path) -> tuple[list[Entry], Head]:
    """Verifies the journal, and returns its rows up to the verified head. Raises `JournalDamagedError`.

    Rows that the kiosk writes meanwhile are not included.
    """
    head = verify(path)
    return [entry for entry in read(path) if entry.seq <= head.seq], head


def survey(path: Path) -> tuple[list[Entry], JournalDamagedError | None]:
    """Returns every row that can be read, also of a damaged journal, and the damage. Raises `JournalError`."""
    entries: list[Entry] = []
    damage: JournalDamagedError | None = None
    try:
        with journal_errors(path), closing(open_read_only(path, any_version=True)) as database:
            database.text_factory = _decode
            with closing(database.execute(f"{ROWS} ORDER BY seq")) as rows:
                for row in rows:
                    try:
                        entries.append(parse_entry(path, *row))
                    except JournalDamagedError as unreadable:
                        damage = damage or unreadable
            verify_rows(database, path)
    except JournalDamagedError as error:
        damage = error
    return entries, damage


def verify(path: Path, noted: Head | None = None) -> Head:
    """Verifies every row, and that the journal contains a head that was noted elsewhere. Returns the journal's head.

    Raises `JournalDamagedError`, which names the first wrong row, and `JournalError`.
    """
    with journal_errors(path), closing(open_read_only(path)) as database:
        head = verify_rows(database, path)
        if noted and noted.seq:
            row = database.execute("SELECT hash FROM events WHERE seq = ?", (noted.seq,)).fetchone()
            if row is None or not row[0].startswith(noted.hash):
                raise damage_error(path, f"row {noted.seq} is not the one that was noted")
        return head


def _decode(text: bytes) -> str:
    return text.decode(errors="replace")
