"""What a fleet hears of the journal itself."""

from __future__ import annotations

from kiosk.fleet.messages import ERROR, of_entry
from kiosk.vending.journal import Entry
from kiosk.vending.journal.facts import JournalReplaced


def test_a_damaged_journal_is_an_error() -> None:
    fact = JournalReplaced("journal-damaged-1", "row 3 was changed", "j-1-1")
    told = of_entry(Entry(1, "2026-01-01T12:00:00.000Z", fact), lambda _: None)
    assert told == (
        ERROR,
        {"kind": "journal_replaced", "folder": "journal-damaged-1", "damage": "row 3 was changed", "owed": "j-1-1"},
    )
