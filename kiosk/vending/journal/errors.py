"""What may be wrong with a journal, each in one line that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiosk.common.errors import KioskError
from kiosk.common.sqlite import has_damaged_header
from kiosk.vending.journal.facts import GONE

LONGEST_REASON = 300
"""In letters: what is wrong with a row may be as long as the row."""


class JournalError(KioskError):
    """A journal that cannot be used."""


class JournalDamagedError(JournalError):
    """A journal whose rows are not what was written. `what` is what is wrong with them, without the advice."""

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


class JournalInUseError(JournalError):
    """A journal that another program is writing."""


def damaged(path: Path, what: str) -> JournalDamagedError:
    """Of a journal with whose rows something is wrong."""
    what = " ".join(what.split())[:LONGEST_REASON]
    return JournalDamagedError(
        f"journal {path} is damaged, {what}: at its next start the kiosk keeps it in a folder beside, for whoever does "
        "the accounts, and begins a new one, in which the stock is the catalogue's until you count it, and which knows "
        "nothing of payments that still have to go back: reverse those at the terminal",
        what,
    )


def gone(path: Path) -> JournalDamagedError:
    """Of a journal whose file is not the one any more that was opened."""
    return JournalDamagedError(
        f"journal {path} is gone or was replaced while the kiosk ran: put back the one that was there, before the next "
        "start begins a new one, in which the stock is the catalogue's until you count it",
        GONE,
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Says what SQLite says as a `JournalError`."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "decode" in str(error):  # Python's own, of text that is no UTF-8: its line would repeat the text
            raise damaged(path, "a row is no text") from error
        if has_damaged_header(error, path):
            raise damaged(path, "its header forbids to write it") from error
        raise JournalError(f"journal {path} cannot be used ({error}): look at its disk and folder") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter of a text that is none any more
        raise damaged(path, str(error)) from error
