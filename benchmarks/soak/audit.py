"""Compares the journal with what the devices really did: every sale ended exactly once, and no money or goods lost.

The rules are those of the sale's own tests, checked from outside after the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.soak.world import UNANSWERED, Truth
from kiosk.vending.journal.facts import (
    AgeCleared,
    Fact,
    JournalReopened,
    MachineStarted,
    SaleClosed,
    SaleOpened,
    SettledByOperator,
    StockSet,
    VendFailed,
    VendRequested,
    VendUnknown,
)
from kiosk.vending.journal.ledger import Ledger, fold


def problems(facts: Sequence[Fact], truth: Truth) -> list[str]:
    """Returns one line for each contradiction; none if all is well. The machine must be at rest."""
    book = _Book(facts, truth)
    return [*book.ending_problems(), *book.money_and_goods_problems(), *book.doubt_problems(), *book.stock_problems()]


def summary(facts: Sequence[Fact], truth: Truth) -> Mapping[str, Any]:
    """Returns how the sales ended and what the devices did, ready for JSON."""
    return {
        "sales": sum(isinstance(fact, SaleOpened) for fact in facts),
        "outcomes": dict(Counter(fact.outcome for fact in facts if isinstance(fact, SaleClosed))),
        "in_doubt_because": dict(Counter(fact.reason for fact in facts if isinstance(fact, VendUnknown))),
        "starts": sum(isinstance(fact, MachineStarted) for fact in facts),
        "journal_reopened": sum(isinstance(fact, JournalReopened) for fact in facts),
        "payments": dict(sorted(truth.payments.items())),
        "vends": dict(sorted(Counter(each for did in truth.vends.values() for each in did).items())),
    }


class _Book:
    def __init__(self, facts: Sequence[Fact], truth: Truth) -> None:
        self._facts = facts
        self._truth = truth
        self._opened = {fact.sale: fact for fact in facts if isinstance(fact, SaleOpened)}
        self._failed = {fact.sale for fact in facts if isinstance(fact, VendFailed)}
        self._unknown = {fact.sale: fact for fact in facts if isinstance(fact, VendUnknown)}
        self._cleared = {fact.sale for fact in facts if isinstance(fact, AgeCleared)}
        self._ledger: Ledger = fold(facts)

    def ending_problems(self) -> Iterator[str]:
        closed = Counter(fact.sale for fact in self._facts if isinstance(fact, SaleClosed))
        for sale in self._opened:
            if closed[sale] != 1:
                yield f"sale {sale} was closed {closed[sale]} times"
        for sale in closed.keys() - self._opened.keys():
            yield f"sale {sale} was closed and never opened"
        for transaction in self._ledger.transactions.values():
            yield f"transaction {transaction.id} is still {transaction.state}"

    def money_and_goods_problems(self) -> Iterator[str]:
        outcomes = {fact.sale: fact.outcome for fact in self._facts if isinstance(fact, SaleClosed)}
        for sale, opened in self._opened.items():
            outcome, dropped, held = outcomes.get(sale), self._truth.dropped[sale], self._truth.held_for(sale)
            if dropped > 1:
                yield f"sale {sale}: {dropped} products were dropped"
            if outcome == "sold" and (dropped, held) != (1, opened.price):
                yield f"sale {sale} was sold for {opened.price}: {dropped} dropped, {held} is held"
            if outcome == "sold" and opened.minimum_age and sale not in self._cleared:
                yield f"sale {sale} was sold without a proof of age"
            if outcome != "sold" and held:
                yield f"sale {sale} ended {outcome}, and {held} is held"
            if outcome in ("refunded", "cancelled") and dropped and sale not in self._failed:
                yield f"sale {sale} ended {outcome}, and its product was dropped"
            if dropped and not opened.test and self._truth.held_at_drop[sale] < opened.price:
                yield f"sale {sale}: its product was dropped unpaid"
            if (outcome == "in_doubt") != (sale in self._unknown):
                yield f"sale {sale} ended {outcome}, and its vend was {'' if sale in self._unknown else 'not '}unknown"
        for vend in self._truth.dropped.keys() - self._opened.keys():
            yield f"vend {vend} is of no sale, and its product was dropped"
        sales = {transaction.rpartition("-")[0] for transaction, held in self._truth.held.items() if held}
        for sale in sales - self._opened.keys():
            yield f"sale {sale} is not in the journal, and its money is held"

    def doubt_problems(self) -> Iterator[str]:
        """Only a vend whose end cannot be known may be in doubt, and the operator must be asked to settle it."""
        settled = {fact.item for fact in self._facts if isinstance(fact, SettledByOperator)}
        for sale, fact in self._unknown.items():
            if fact.reason == "silent" and not set(self._truth.vends.get(sale, ())) & set(UNANSWERED):
                yield f"sale {sale} is in doubt as silent, and the dispenser did {self._truth.vends.get(sale)}"
            if sale not in settled and sale not in self._ledger.doubts:
                yield f"sale {sale} is in doubt, and the operator was not asked"
        requested: dict[str, int] = {}
        last: dict[str, int] = {}
        for row, each in enumerate(self._facts):
            match each:
                case MachineStarted():
                    last["restart"] = row
                case JournalReopened():
                    last["journal"] = row
                case VendRequested():
                    requested[each.sale] = row
                case VendUnknown(reason=("restart" | "journal") as reason):
                    if last.get(reason, -1) < requested.get(each.sale, row):
                        yield f"sale {each.sale} is in doubt because of a {reason} that did not happen"

    def stock_problems(self) -> Iterator[str]:
        """The stock of each slot must be within the journal's bounds, except in slots that must be counted."""
        stock: Counter[str] = Counter()
        for fact in self._facts:
            if isinstance(fact, StockSet):
                stock[fact.slot] = fact.count
            elif isinstance(fact, VendRequested):
                stock[fact.slot] -= min(self._truth.dropped[fact.sale], max(stock[fact.slot], 0))
        for name, slot in self._ledger.slots.items():
            most = slot.count + self._ledger.uncertain(name)
            if not slot.blocked and not slot.count <= stock[name] <= most:
                yield f"slot {name} holds {stock[name]}, and the journal says {slot.count} to {most}"
