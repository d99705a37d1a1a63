"""The ledger as a row of the journal, now and then, so that a start need not add up every fact that there ever was.

Only the adding up is saved. A start still verifies every row of the journal, checkpoints too; and whatever one says
follows from the rows before it, which stay.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import Checkpoint
from kiosk.vending.journal.ledger import Ledger, fold

EVERY = 2000
"""Rows from one checkpoint to the next: about a week of a busy machine, added up in a few hundredths of a second."""

_LEDGER = TypeAdapter(Ledger)

LAYOUT = 2
"""To be raised whenever the ledger's fields or what they mean change: older checkpoints are then passed over."""


def checkpoint(ledger: Ledger) -> Checkpoint:
    """The fact that holds a ledger."""
    return Checkpoint(LAYOUT, asdict(ledger))


def ledger_of(fact: Checkpoint) -> Ledger | None:
    """The ledger that a checkpoint holds, or None for one of another layout, or one that makes no sense."""
    if fact.layout != LAYOUT:
        return None
    try:
        ledger = _LEDGER.validate_python(fact.ledger)
    except ValidationError:
        return None
    # a missing or unknown part would be passed over
    return ledger if json.dumps(asdict(ledger)) == json.dumps(fact.ledger) else None


def recalled(journal: Journal) -> Ledger:
    """What all facts of the journal add up to. Raises `JournalError`."""
    last = journal.latest(Checkpoint)
    if last and isinstance(last.fact, Checkpoint) and (ledger := ledger_of(last.fact)):
        return fold((entry.fact for entry in journal.entries(after=last.seq)), ledger)
    return fold(entry.fact for entry in journal.entries())
