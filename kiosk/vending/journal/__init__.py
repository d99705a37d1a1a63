"""The journal: one SQLite file, to which the kiosk appends every fact before it acts on it.

A row has a sequence number without gaps, the time (UTC by the system's clock, which may jump; the number gives the
order), the fact's kind, its fields as JSON, and a hash of all this and the row before it. The hashes reveal a row that
was changed, removed or inserted. They are not signed: a person who may write the file can compute new ones with this
package. Comparing with a head noted elsewhere (`kiosk journal verify` prints it) reveals that too.

The file is in write-ahead mode with `synchronous=FULL`: when `append` returns, the row survives a power cut
(https://www.sqlite.org/pragma.html#pragma_synchronous).

`append` runs in the screen's thread, so it waits only briefly for a program that locks the file (`database.BUSY_S`).
"""

from __future__ import annotations

from kiosk.vending.journal.database import JournalDamagedError, JournalError, JournalInUseError, lock_journal
from kiosk.vending.journal.journal import Journal
from kiosk.vending.journal.reader import (
    find_sale_opening,
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
    "find_sale_opening",
    "lock_journal",
    "read",
    "read_after",
    "read_between",
    "read_verified",
    "survey",
    "verify",
]
