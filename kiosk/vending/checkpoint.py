"""The ledger as a row of the journal, now and then, so that a start need not add up every fact that there ever was.

Only the adding up is saved. A start still verifies every row of the journal, checkpoints too; and whatever one says
follows from the rows before it, which stay.
"""

from __future__ import annotations

from dataclasses import asdict

from kiosk.vending.facts import Checkpoint, JournalReplaced, PriceSet
from kiosk.vending.journal import Journal
from kiosk.vending.ledger import Doubt, Ledger, OpenSale, Slot, Transaction, fold

EVERY = 2000
"""Rows from one checkpoint to the next: about a week of a busy machine, added up in a few hundredths of a second."""

LAYOUT = 2
"""To be raised whenever the ledger's fields or what they mean change: older checkpoints are then passed over."""


def checkpoint(ledger: Ledger) -> Checkpoint:
    """The fact that holds a ledger."""
    return Checkpoint(LAYOUT, asdict(ledger))


def ledger_of(fact: Checkpoint) -> Ledger | None:
    """The ledger that a checkpoint holds, or None for one of another layout."""
    if fact.layout != LAYOUT:
        return None
    held = fact.ledger
    return Ledger(
        opened=held["opened"],
        sales={id_: OpenSale(**each) for id_, each in held["sales"].items()},
        transactions={id_: Transaction(**each) for id_, each in held["transactions"].items()},
        settled=tuple(held["settled"]),
        slots={name: Slot(**each) for name, each in held["slots"].items()},
        prices={name: PriceSet(**each) for name, each in held["prices"].items()},
        doubts={sale: Doubt(**each) for sale, each in held["doubts"].items()},
        replaced={name: JournalReplaced(**each) for name, each in held["replaced"].items()},
    )


def recalled(journal: Journal) -> Ledger:
    """What all facts of the journal add up to. Raises `JournalError`."""
    last = journal.latest(Checkpoint)
    if last and isinstance(last.fact, Checkpoint) and (ledger := ledger_of(last.fact)):
        return fold((entry.fact for entry in journal.entries(after=last.seq)), ledger)
    return fold(entry.fact for entry in journal.entries())
