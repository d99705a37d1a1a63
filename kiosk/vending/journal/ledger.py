"""The ledger, the sum of the journal's facts: open sales, unsettled payments, stock, and what a person has to settle.

`apply` is a pure function. The running sale and a start use the same one, so a restart knows what the sale knew.
Checkpoints in the journal hold ledgers by the names of the fields here (`kiosk.vending.journal.recovery`).
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

MOST_SETTLED = 256
"""The number of settled transactions that the ledger keeps, to tell a repeated answer from an unrequested charge."""


@dataclass(frozen=True)
class OpenSale:
    """A sale that is not complete yet."""

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
        """Whether this customer may have the product."""
        return self.minimum_age == 0 or self.age is not None

    @property
    def outcome(self) -> Outcome:
        """How the sale ends, once it is complete."""
        if self.goods == "unknown":
            return "in_doubt"
        if self.test:
            return "test"
        if self.goods == "dropped":
            return "sold"
        return "refunded" if self.charged else "cancelled"


@dataclass(frozen=True)
class Transaction:
    """A payment that is not final at the terminal yet."""

    id: str
    sale: str
    amount: int
    state: Literal["requested", "approved", "settling", "reversing"] = "requested"
    charged: bool = False
    """Whether its approval is in the journal. A payment may be reversed before its approval is known."""


@dataclass(frozen=True)
class Slot:
    """A slot's certain contents."""

    count: int = 0
    """Products that are certainly there; at least 0."""
    blocked: bool = False
    """Whether a vend failed since the last count."""


@dataclass(frozen=True)
class UnknownVend:
    """A vend whose end is unknown, until a person settles it."""

    sale: str
    slot: str
    taken: bool = True
    """Whether the stock was reduced by the product; the stock of an empty slot stays 0."""
    counted: bool = False
    """Whether the slot was counted since, so that its stock is certain again."""
    reported: bool | None = None
    """Whether the product dropped, if the dispenser reported it later."""


@dataclass(frozen=True)
class Ledger:
    """The sum of all facts up to now."""

    opened: int = 0
    """The number of sales ever opened, which gives the next sale its id."""
    sales: Mapping[str, OpenSale] = field(default_factory=dict)
    transactions: Mapping[str, Transaction] = field(default_factory=dict)
    settled: tuple[str, ...] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    prices: Mapping[str, PriceSet] = field(default_factory=dict)
    doubts: Mapping[str, UnknownVend] = field(default_factory=dict)
    """The unknown vends, by sale. Checkpoints have the field under this name."""
    replaced: Mapping[str, JournalReplaced] = field(default_factory=dict)
    """Damaged or missing journals before this one, by their folder, until a person has settled them."""

    def slot(self, name: str) -> Slot:
        """Returns a slot's contents; a slot that was never filled is empty."""
        return self.slots.get(name, Slot())

    def uncertain(self, slot: str) -> int:
        """Returns how many further products may be in the slot, because of unknown vends."""
        return sum(vend.slot == slot and not vend.counted for vend in self.doubts.values())

    def price(self, slot: str, listed: int, currency: str) -> int:
        """Returns the product's price in minor units: the operator's, or the catalogue's `listed` in `currency`."""
        changed = self.prices.get(slot)
        is_valid = changed and (changed.instead_of, changed.currency) == (listed, currency)
        return changed.price if changed and is_valid else listed

    def transactions_of(self, sale: str) -> list[Transaction]:
        """Returns the sale's payments that are not final."""
        return [transaction for transaction in self.transactions.values() if transaction.sale == sale]

    def finished(self) -> list[OpenSale]:
        """Returns the open sales that wait neither for the terminal nor for the dispenser."""
        return [sale for sale in self.sales.values() if sale.goods != "requested" and not self.transactions_of(sale.id)]


def fold(facts: Iterable[Fact], ledger: Ledger | None = None) -> Ledger:
    """Returns the ledger after all `facts`, in their order, starting from `ledger` or an empty one."""
    ledger = ledger or Ledger()
    for fact in facts:
        ledger = apply(ledger, fact)
    return ledger


def apply(ledger: Ledger, fact: Fact) -> Ledger:
    """Returns the ledger after one more fact."""
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
            return _change_sale(ledger, fact.sale, age=fact.result)
        case SaleClosed():
            return replace(ledger, sales=_without(ledger.sales, fact.sale))
        case PriceSet():
            return replace(ledger, prices={**ledger.prices, fact.slot: fact})
        case StockSet():
            return _count_slot(ledger, fact)
        case SettledByOperator():
            return _settle_by_operator(ledger, fact)
        case (
            PaymentRequested()
            | PaymentApproved()
            | PaymentDeclined()
            | ReversalRequested()
            | PaymentReversed()
            | PaymentSettled()
        ):
            return _apply_payment(ledger, fact)
        case VendRequested() | VendSucceeded() | VendFailed() | VendUnknown() | VendReportedLate():
            return _apply_vend(ledger, fact)


def _apply_payment(
    ledger: Ledger,
    fact: PaymentRequested | PaymentApproved | PaymentDeclined | ReversalRequested | PaymentReversed | PaymentSettled,
) -> Ledger:
    match fact:
        case PaymentRequested():
            attempts = ledger.sales[fact.sale].attempts + 1 if fact.sale in ledger.sales else 0
            ledger = _change_sale(ledger, fact.sale, attempts=attempts)
            return _put_transaction(ledger, Transaction(fact.transaction, fact.sale, fact.amount))
        case PaymentApproved():
            known = ledger.transactions.get(fact.transaction)
            state: Literal["approved", "reversing"] = "approved"
            if known and known.state == "reversing":
                state = "reversing"
            approved = Transaction(fact.transaction, fact.sale, fact.amount, state, charged=True)
            return _put_transaction(_change_sale(ledger, fact.sale, charged=True), approved)
        case ReversalRequested():
            known = ledger.transactions.get(fact.transaction) or Transaction(fact.transaction, fact.sale, 0)
            return _put_transaction(ledger, replace(known, state="reversing"))
        case PaymentDeclined() | PaymentReversed():
            return replace(ledger, transactions=_without(ledger.transactions, fact.transaction))
        case PaymentSettled():
            settled = (*ledger.settled, fact.transaction)[-MOST_SETTLED:]
            return replace(ledger, transactions=_without(ledger.transactions, fact.transaction), settled=settled)


def _apply_vend(
    ledger: Ledger, fact: VendRequested | VendSucceeded | VendFailed | VendUnknown | VendReportedLate
) -> Ledger:
    slot = ledger.slot(fact.slot)
    match fact:
        case VendRequested():
            return _change_sale(ledger, fact.sale, goods="requested")
        case VendSucceeded():
            ledger = _change_approved(_change_sale(ledger, fact.sale, goods="dropped"), fact.sale, "settling")
            return _put_slot(ledger, fact.slot, replace(slot, count=max(slot.count - 1, 0)))
        case VendFailed():
            ledger = _change_approved(_change_sale(ledger, fact.sale, goods="failed"), fact.sale, "reversing")
            return _put_slot(ledger, fact.slot, replace(slot, blocked=True))
        case VendUnknown():
            ledger = _change_approved(_change_sale(ledger, fact.sale, goods="unknown"), fact.sale, "reversing")
            ledger = replace(
                ledger, doubts={**ledger.doubts, fact.sale: UnknownVend(fact.sale, fact.slot, taken=slot.count > 0)}
            )
            return _put_slot(ledger, fact.slot, replace(slot, count=max(slot.count - 1, 0)))
        case VendReportedLate():
            known = ledger.doubts.get(fact.sale)
            if known is None:
                return ledger
            known = replace(known, reported=fact.dropped)
            if fact.dropped and known.counted:
                # Whether the product dropped before or after the count is unknown, so one product fewer is certain.
                known = replace(known, counted=False, taken=slot.count > 0)
                ledger = _put_slot(ledger, fact.slot, replace(slot, count=max(slot.count - 1, 0)))
            return replace(ledger, doubts={**ledger.doubts, fact.sale: known})


def _count_slot(ledger: Ledger, fact: StockSet) -> Ledger:
    vends = {
        sale: replace(vend, counted=True) if vend.slot == fact.slot else vend for sale, vend in ledger.doubts.items()
    }
    return _put_slot(replace(ledger, doubts=vends), fact.slot, Slot(fact.count))


def _settle_by_operator(ledger: Ledger, fact: SettledByOperator) -> Ledger:
    vend = ledger.doubts.get(fact.item)
    if vend and vend.taken and not vend.counted and fact.dropped is False:
        slot = ledger.slot(vend.slot)
        ledger = _put_slot(ledger, vend.slot, replace(slot, count=slot.count + 1))
    # An answer about the product settles no money: the terminal still has to acknowledge that.
    is_about_money = fact.dropped is None
    by_hand = [each for each in ledger.transactions.values() if is_about_money and fact.item in (each.id, each.sale)]
    paid = tuple(each.id for each in by_hand if each.state == "settling")
    return replace(
        ledger,
        doubts=_without(ledger.doubts, fact.item),
        replaced=_without(ledger.replaced, fact.item),
        transactions={id_: each for id_, each in ledger.transactions.items() if each not in by_hand},
        settled=(*ledger.settled, *paid)[-MOST_SETTLED:],
    )


def _change_approved(ledger: Ledger, sale: str, state: Literal["settling", "reversing"]) -> Ledger:
    for transaction in ledger.transactions_of(sale):
        if transaction.state == "approved":
            ledger = _put_transaction(ledger, replace(transaction, state=state))
    return ledger


def _change_sale(ledger: Ledger, id_: str, **changes: Any) -> Ledger:
    sale = ledger.sales.get(id_)
    return replace(ledger, sales={**ledger.sales, id_: replace(sale, **changes)}) if sale else ledger


def _put_transaction(ledger: Ledger, transaction: Transaction) -> Ledger:
    return replace(ledger, transactions={**ledger.transactions, transaction.id: transaction})


def _put_slot(ledger: Ledger, name: str, slot: Slot) -> Ledger:
    return replace(ledger, slots={**ledger.slots, name: slot})


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
