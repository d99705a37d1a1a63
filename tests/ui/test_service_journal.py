"""How the journal of today puts a fact on one line."""

from __future__ import annotations

from kiosk.ui.service_journal import row_of
from kiosk.vending.facts import StockSet
from kiosk.vending.journal import Entry


def test_a_zero_says_something() -> None:
    row = row_of(Entry(7, "2026-01-01T12:00:00.000Z", StockSet("A1", 0, "count")))
    assert "slot=A1 count=0" in row.value
