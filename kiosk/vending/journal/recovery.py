"""What a start does with the journal: it rebuilds the ledger, and resolves the sales that the last run left open.

After a crash, a power cut or a full disk, the last row of a sale decides what becomes of it:

| last row of the sale | result |
|---|---|
| opened, age cleared, declined | closed: nothing was charged |
| payment requested or approved | reversed: whatever the terminal took goes back |
| vend requested | in doubt: refunded, its stock is uncertain, and a person settles it |
| vend succeeded | settled: the sale stands |
| vend failed, reversal requested | reversed |

The running sale sends the reversals and settlements, and repeats them until the terminal acknowledges them. A crash
during recovery is harmless: the next start does the rest, and repeats nothing that is in the journal.

To rebuild the ledger quickly, the running sale now and then journals a checkpoint: the whole ledger as one fact. A
checkpoint saves only the adding up. A start still verifies every row, and the rows before a checkpoint stay.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from kiosk.vending.journal.facts import Checkpoint, Fact, ReversalRequested, SaleClosed, VendUnknown
from kiosk.vending.journal.journal import Journal
from kiosk.vending.journal.ledger import Ledger, apply, fold

CHECKPOINT_EVERY = 2000
"""Rows between two checkpoints: about a week of a busy machine. A start adds them up in hundredths of a second."""

CHECKPOINT_LAYOUT = 2
"""The layout of the ledger in a checkpoint. Raise it when the ledger's fields or their meaning change.

A start ignores checkpoints of another layout.
"""

_LEDGER = TypeAdapter(Ledger)


def recovery_facts(ledger: Ledger, reason: Literal["restart", "journal"] = "restart") -> tuple[Fact, ...]:
    """Returns the facts that resolve the ledger's open sales, to append before a new sale begins.

    `reason` goes into the facts: `restart` after a start, `journal` after the journal failed and was reopened.
    """
    facts: list[Fact] = []

    def record(fact: Fact) -> None:
        nonlocal ledger
        facts.append(fact)
        ledger = apply(ledger, fact)

    for sale in ledger.sales.values():
        if sale.goods == "requested":
            record(VendUnknown(sale.id, sale.slot, reason))
    for transaction in ledger.transactions.values():
        if transaction.state in ("requested", "approved"):
            record(ReversalRequested(transaction.sale, transaction.id, reason))
    for sale in ledger.finished():
        record(SaleClosed(sale.id, sale.outcome))
    return tuple(facts)


def rebuild_ledger(journal: Journal) -> Ledger:
    """Adds up the journal's facts, from the last usable checkpoint on. Raises `JournalError`."""
    last = journal.latest(Checkpoint)
    if last and isinstance(last.fact, Checkpoint) and (ledger := read_checkpoint(last.fact)):
        return fold((entry.fact for entry in journal.entries(after=last.seq)), ledger)
    return fold(entry.fact for entry in journal.entries())


def make_checkpoint(ledger: Ledger) -> Checkpoint:
    """Returns the fact that holds a ledger."""
    return Checkpoint(CHECKPOINT_LAYOUT, asdict(ledger))


def read_checkpoint(fact: Checkpoint) -> Ledger | None:
    """Returns the ledger that a checkpoint holds, or None if its layout differs or it is not a valid ledger."""
    if fact.layout != CHECKPOINT_LAYOUT:
        return None
    try:
        ledger = _LEDGER.validate_python(fact.ledger)
    except ValidationError:
        return None
    # Validation fills in missing fields and drops unknown ones; the comparison finds both.
    return ledger if json.dumps(asdict(ledger)) == json.dumps(fact.ledger) else None
