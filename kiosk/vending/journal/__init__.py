"""The journal: one SQLite file to which every fact is appended before anything is done about it.

A row has a sequence number without gaps, the time (UTC, by the system's clock, which may jump; the number is the
order), the fact's kind and its fields as JSON, and a hash of all this and the row before it. The hashes find a row
that was changed, removed or put in, by accident or by hand. They are not signed: whoever may write the file and knows
this package can compute them all anew. A head noted elsewhere (`kiosk journal verify` prints it) finds that too.

It is kept in write-ahead mode with `synchronous=FULL`: when `append` returns, the row survives a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous).

Nothing here waits for long for another program that holds the file (`file.BUSY_S`): `append` runs in the screen's
thread.
"""

from __future__ import annotations

from kiosk.vending.journal.errors import JournalDamagedError, JournalError, JournalInUseError
from kiosk.vending.journal.file import locked
from kiosk.vending.journal.journal import Journal
from kiosk.vending.journal.reader import (
    opening_of,
    read,
    read_after,
    read_between,
    read_verified,
    survey,
    verify,
)
from kiosk.vending.journal.records import Entry, Head

__all__ = [
    "Entry",
    "Head",
    "Journal",
    "JournalDamagedError",
    "JournalError",
    "JournalInUseError",
    "locked",
    "opening_of",
    "read",
    "read_after",
    "read_between",
    "read_verified",
    "survey",
    "verify",
]
