"""How the journal page shows facts and errors."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from kiosk.system.usb_export import StoppedError
from kiosk.ui.service.pages.journal import row_for_entry
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.translator import Language
from kiosk.vending.journal import Entry, JournalDamagedError, JournalError
from kiosk.vending.journal.facts import StockSet


def test_a_zero_is_shown() -> None:
    row = row_for_entry(Entry(7, "2026-01-01T12:00:00.000Z", StockSet("A1", 0, "count")))
    assert "slot=A1 count=0" in row.value


def test_journal_errors_are_translated(qtbot: QtBot) -> None:  # noqa: ARG001
    german = Language("de")
    QCoreApplication.installTranslator(german)
    try:
        strings = ServiceStrings()
        damaged = strings.journal_error(JournalDamagedError("journal x is damaged, row 3 is gone: …", "row 3 is gone"))
        stopped = strings.journal_error(StoppedError("cancelled: nothing was written"))
        newer = strings.journal_error(JournalError("journal x was written by a newer kiosk: install that version"))
    finally:
        QCoreApplication.removeTranslator(german)
    assert damaged.startswith("Das Journal ist beschädigt (row 3 is gone). ")
    assert stopped == "abgebrochen: nichts wurde geschrieben"
    assert newer.startswith("journal x was written by a newer kiosk")
