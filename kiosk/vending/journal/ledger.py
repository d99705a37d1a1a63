"""What the journal's facts add up to: open sales, unsettled payments, stock, and what a person has to settle.

A pure fold. The running sale and a fresh start use the same one, so what a restart knows is what the sale knew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kiosk.vending.journal.facts import (
    AgeCleared,
    AgeResult,
    Checkpoint,
    Fact,
    JournalReopened,
    JournalReplaced,
    MachineStarted,
    Outcome,
    PaymentApproved,
    PaymentDeclined,
    PaymentRequested,
    PaymentReversed,
    PaymentSettled,
    PinRefused,
    PriceSet,
    ReversalRequested,
    SaleClosed,
    SaleOpened,
    SettingChanged,
    SettledByOperator,
    StockSet,
    VendFailed,
    VendReportedLate,
    VendRequested,
    VendSucceeded,
    VendUnknown,
)

REMEMBERED = 256
"""How many settled transactions are kept in mind, to know an answer that comes twice from a charge nobody asked for."""


@dataclass(frozen=True)
class OpenSale:
    """A sale of which something is still open."""

    id: str
    slot: str
    product: str
    price: int
    currency: str
    minimum_age: int
    test: bool = False
    age: AgeResult | None = None
    goods: Literal["kept", "requested", "dropped", "failed", "unknown"] = "kept"
    attempts: int = 0
    """Payments requested so far."""
    charged: bool = False
    """Whether a payment was ever approved."""

    @property
    def age_is_clear(self) -> bool:
        """Whether the product may be handed to this customer."""
        return self.minimum_age == 0 or self.age is not None

    @property
    def outcome(self) -> Outcome:
        """How the sale ends, once nothing of it is open."""
        if self.goods == "unknown":
            return "in_doubt"
        if self.test:
            return "test"
        if self.goods == "dropped":
            return "sold"
        return "refunded" if self.charged else "cancelled"


@dataclass(frozen=True)
class Transaction:
    """A payment that the terminal has not made final yet."""

    id: str
    sale: str
    amount: int
    state: Literal["requested", "approved", "settling", "reversing"] = "requested"
    charged: bool = False
    """Whether its approval is in the journal; one that is reversed may have been approved or not."""


@dataclass(frozen=True)
class Slot:
    """What is known to be in a slot."""

    count: int = 0
    """Products that are certainly there; never below zero."""
    blocked: bool = False
    """Whether a vend failed since somebody last looked."""


@dataclass(frozen=True)
class UnknownVend:
    """A vend that nobody knows the end of, until a person settles it."""

    sale: str
    slot: str
    taken: bool = True
    """Whether the product was taken off the stock; an empty slot has none to take off."""
    counted: bool = False
    """Whether somebody counted the slot since, so that its stock is certain again."""
    reported: bool | None = None
    """What the dispenser said afterwards, if anything."""


@dataclass(frozen=True)
class Ledger:
    """The sum of all facts so far."""

    opened: int = 0
    """Sales ever opened, of which the next one's number is made."""
    sales: Mapping[str, OpenSale] = field(default_factory=dict)
    transactions: Mapping[str, Transaction] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    prices: Mapping[str, PriceSet] = field(default_factory=dict)
    doubts: Mapping[str, UnknownVend] = field(default_factory=dict)
    replaced: Mapping[str, JournalReplaced] = field(default_factory=dict)
    """Damaged journals before this one, by their folder, until a person has settled what they left open."""

    def slot(self, name: str) -> Slot:
        """What is known of a slot; one that nobody ever filled is empty."""
        return self.slots.get(name, Slot())

    def uncertain(self, slot: str) -> int:
        """How many products may or may not be in the slot, beside those that certainly are."""
        return sum(doubt.slot == slot and not doubt.counted for doubt in self.doubts.values())

    def price(self, slot: str, listed: int, currency: str) -> int:
        """What the slot's product costs, the catalogue listing it at `listed` minor units of `currency`."""
        changed = self.prices.get(slot)
        holds = changed and (changed.instead_of, changed.currency) == (listed, currency)
        return changed.price if changed and holds else listed

    def transactions_of(self, sale: str) -> list[Transaction]:
        """The sale's payments that are not final."""
        return [transaction for transaction in self.transactions.values() if transaction.sale == sale]

    def finished(self) -> list[OpenSale]:
        """Open sales of which nothing waits for the terminal or the dispenser."""
        return [sale for sale in self.sales.values() if sale.goods != "requested" and not self.transactions_of(sale.id)]


def fold(facts: Iterable[Fact], ledger: Ledger | None = None) -> Ledger:
    """The ledger after all `facts`, in their order."""
    ledger = ledger or Ledger()
    for fact in facts:
        ledger = apply(ledger, fact)
    return ledger


def apply(ledger: Ledger, fact: Fact) -> Ledger:
    """The ledger after one more fact."""
    match fact:
        case MachineStarted() | JournalReopened() | PinRefused() | SettingChanged() | Checkpoint():
            return ledger
        case JournalReplaced():
            return replace(ledger, replaced={**ledger.replaced, fact.folder: fact})
        case SaleOpened():
            sale = OpenSale(
                fact.sale, fact.slot, fact.product, fact.price, fact.currency, fact.minimum_age, test=fact.test
            )
            return replace(ledger, opened=ledger.opened + 1, sales={**ledger.sales, sale.id: sale})
        case AgeCleared():
            return _sale(ledger, fact.sale, age=fact.result)
        case SaleClosed():
            return replace(ledger, sales=_without(ledger.sales, fact.sale))
        case PriceSet():
            return replace(ledger, prices={**ledger.prices, fact.slot: fact})
        case StockSet():
            return _counted(ledger, fact)
        case SettledByOperator():
            return _settled_by_operator(ledger, fact)
        case (
            PaymentRequested()
            | PaymentApproved()
            | PaymentDeclined()
            | ReversalRequested()
            | PaymentReversed()
            | PaymentSettled()
        ):
            return _pay(ledger, fact)
        case VendRequested() | VendSucceeded() | VendFailed() | VendUnknown() | VendReportedLate():
            return _vend(ledger, fact)


def _pay(
    ledger: Ledger,
    fact: PaymentRequested | PaymentApproved | PaymentDeclined | ReversalRequested | PaymentReversed | PaymentSettled,
) -> Ledger:
    match fact:
        case PaymentRequested():
            attempts = ledger.sales[fact.sale].attempts + 1 if fact.sale in ledger.sales else 0
            ledger = _sale(ledger, fact.sale, attempts=attempts)
            return _transaction(ledger, Transaction(fact.transaction, fact.sale, fact.amount))
        case PaymentApproved():
            known = ledger.transactions.get(fact.transaction)
            state: Literal["approved", "reversing"] = "approved"
            if known and known.state == "reversing":
                state = "reversing"
            approved = Transaction(fact.transaction, fact.sale, fact.amount, state, charged=True)
            return _transaction(_sale(ledger, fact.sale, charged=True), approved)
        case ReversalRequested():
            known = ledger.transactions.get(fact.transaction) or Transaction(fact.transaction, fact.sale, 0)
            return _transaction(ledger, replace(known, state="reversing"))
        case PaymentDeclined() | PaymentReversed():
            return replace(ledger, transactions=_without(ledger.transactions, fact.transaction))
        case PaymentSettled():
            settled = (*ledger.settled, fact.transaction)[-REMEMBERED:]
            return replace(ledger, transactions=_without(ledger.transactions, fact.transaction), settled=settled)


def _vend(ledger: Ledger, fact: VendRequested | VendSucceeded | VendFailed | VendUnknown | VendReportedLate) -> Ledger:
    slot = ledger.slot(fact.slot)
    match fact:
        case VendRequested():
            return _sale(ledger, fact.sale, goods="requested")
        case VendSucceeded():
            ledger = _approved_becomes(_sale(ledger, fact.sale, goods="dropped"), fact.sale, "settling")
            return _slot(ledger, fact.slot, replace(slot, count=max(slot.count - 1, 0)))
        case VendFailed():
            ledger = _approved_becomes(_sale(ledger, fact.sale, goods="failed"), fact.sale, "reversing")
            return _slot(ledger, fact.slot, replace(slot, blocked=True))
        case VendUnknown():
            ledger = _approved_becomes(_sale(ledger, fact.sale, goods="unknown"), fact.sale, "reversing")
            ledger = replace(
                ledger, doubts={**ledger.doubts, fact.sale: UnknownVend(fact.sale, fact.slot, taken=slot.count > 0)}
            )
            return _slot(ledger, fact.slot, replace(slot, count=max(slot.count - 1, 0)))
        case VendReportedLate():
            known = ledger.doubts.get(fact.sale)
            if known is None:
                return ledger
            known = replace(known, reported=fact.dropped)
            if fact.dropped and known.counted:
                # It fell before the slot was counted, or after: nobody knows, so the count is one less for certain.
                known = replace(known, counted=False, taken=slot.count > 0)
                ledger = _slot(ledger, fact.slot, replace(slot, count=max(slot.count - 1, 0)))
            return replace(ledger, doubts={**ledger.doubts, fact.sale: known})


def _counted(ledger: Ledger, fact: StockSet) -> Ledger:
    doubts = {
        sale: replace(doubt, counted=True) if doubt.slot == fact.slot else doubt
        for sale, doubt in ledger.doubts.items()
    }
    return _slot(replace(ledger, doubts=doubts), fact.slot, Slot(fact.count))


def _settled_by_operator(ledger: Ledger, fact: SettledByOperator) -> Ledger:
    doubt = ledger.doubts.get(fact.item)
    if doubt and doubt.taken and not doubt.counted and fact.dropped is False:
        slot = ledger.slot(doubt.slot)
        ledger = _slot(ledger, doubt.slot, replace(slot, count=slot.count + 1))
    # Whether the goods dropped says nothing of the money: the terminal still owes its answer for that.
    of_money = fact.dropped is None
    by_hand = [each for each in ledger.transactions.values() if of_money and fact.item in (each.id, each.sale)]
    paid = tuple(each.id for each in by_hand if each.state == "settling")
    return replace(
        ledger,
        doubts=_without(ledger.doubts, fact.item),
        replaced=_without(ledger.replaced, fact.item),
        transactions={id_: each for id_, each in ledger.transactions.items() if each not in by_hand},
        settled=(*ledger.settled, *paid)[-REMEMBERED:],
    )


def _approved_becomes(ledger: Ledger, sale: str, state: Literal["settling", "reversing"]) -> Ledger:
    for transaction in ledger.transactions_of(sale):
        if transaction.state == "approved":
            ledger = _transaction(ledger, replace(transaction, state=state))
    return ledger


def _sale(ledger: Ledger, id_: str, **changes: Any) -> Ledger:
    sale = ledger.sales.get(id_)
    return replace(ledger, sales={**ledger.sales, id_: replace(sale, **changes)}) if sale else ledger


def _transaction(ledger: Ledger, transaction: Transaction) -> Ledger:
    return replace(ledger, transactions={**ledger.transactions, transaction.id: transaction})


def _slot(ledger: Ledger, name: str, slot: Slot) -> Ledger:
    return replace(ledger, slots={**ledger.slots, name: slot})


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
