"""The snapshot: what a screen needs to know about the sale at one moment, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast

from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.devices.protocols import FaultName
from kiosk.vending.journal.facts import GONE
from kiosk.vending.journal.ledger import Ledger
from kiosk.vending.sale.state import BEFORE_DISPENSING, WITH_PRODUCT, Phase, Rules, State
from kiosk.vending.sale.transition import UNSETTLED_AFTER


@dataclass(frozen=True)
class Offer:
    """A product as the customer sees it now. Amounts are in minor units of `currency`."""

    slot: str
    price: int
    currency: str
    minimum_age: int
    available: bool
    """Whether a customer can buy it. If not, it is sold out, or its slot waits for service."""
    count: int
    """Products that are certainly there."""
    uncertain: int
    """Further products that may be there, because of unknown vends."""
    blocked: bool
    """Whether a vend failed since the last count."""
    capacity: int


@dataclass(frozen=True)
class Receipt:
    """What the customer bought, and how the sale ended."""

    sale: str
    utc: str
    slot: str
    product: str
    """The product's English name, as in the journal."""
    amount: int
    currency: str
    reference: str
    """The terminal's number for the payment."""
    outcome: Literal["sold", "refunded", "refund_pending"]


@dataclass(frozen=True)
class Attention:
    """Something that a person has to look after.

    `kind` is `replaced`: a damaged journal was moved to quarantine; `gone`: a journal is missing; `in_doubt`: the end
    of a vend is unknown; `unsettled`: the terminal does not acknowledge a payment; `blocked`: a slot's vend failed.
    """

    kind: Literal["replaced", "gone", "in_doubt", "unsettled", "blocked"]
    item: str
    """What `Settle` settles (a folder, a sale or a transaction), or the slot to count."""
    slot: str = ""
    amount: int = 0
    currency: str = ""
    """The amount's currency; "" for a payment without a sale, whose currency only the terminal knows."""
    reported: bool | None = None
    """Of an unknown vend: whether the product dropped, if the dispenser reported it later."""
    owed: tuple[str, ...] = ()
    """Of a damaged journal: the payments that it is known to have left open. There may have been others."""


@dataclass(frozen=True)
class Snapshot:
    """The sale at one moment. Amounts are in minor units of `currency`."""

    phase: Phase
    reason: str
    """Why the sale is in this phase, where that can differ. `declined`: card, cancelled, timeout, terminal, dispenser.
    `refunding`: jam, nothing, refused, silent, dispenser. `done`: sold, refunded, refund_pending. `ask_id`: wrong_pin
    or empty."""
    faults: frozenset[FaultName]
    """Why the machine is out of order, or will be after this sale."""
    simulated: bool
    """Whether the terminal or the dispenser is simulated. Every screen must say so."""
    camera: bool | None
    """The customer's choice; None before it, when nothing may be estimated."""
    sale: str | None
    """The current sale's id, which `AgeChecked` must name."""
    offers: tuple[Offer, ...]
    chosen: Offer | None
    amount: int
    currency: str
    id_methods: tuple[str, ...]
    """Ways to check an ID, in the phase `ask_id`."""
    pin_wait_s: float
    """Seconds until a PIN is accepted again."""
    can_go_back: bool
    can_cancel: bool
    can_continue: bool
    """Whether the customer can go on to the payment, or try it again."""
    seconds_left: float | None
    """Seconds until the phase ends by itself; None if it does not."""
    asks_whether_there: bool
    """Whether to ask the customer if they are still there. `Stay` answers it."""
    receipt: Receipt | None
    claim: str | None
    """The customer's sale while it may still have charged money that must go back: the number for a claim.

    None once the terminal has confirmed that nothing is charged, or the customer has the product. When the machine is
    out of order: the last such sale.
    """
    attention: tuple[Attention, ...]
    test: Literal["none", "running", "done", "failed"]
    """The last test in service mode."""


@dataclass(frozen=True)
class ReceiptDraft:
    """The receipt of the sale that was opened last, as far as it is known."""

    sale: str
    slot: str
    product: str
    amount: int
    currency: str
    utc: str = ""
    reference: str = ""

    def with_payment(self, utc: str, reference: str) -> ReceiptDraft:
        """Returns the draft with the payment's time and number."""
        return replace(self, utc=utc, reference=reference)


def build_snapshot(
    rules: Rules,
    catalog: Catalog,
    state: State,
    draft: ReceiptDraft | None,
    now: float,
    pin_wait_s: float,
    simulated: bool,
) -> Snapshot:
    """Returns the snapshot of a state at `now`, in seconds of the sale's monotonic clock."""
    offers = tuple(_offers(rules, catalog, state.ledger))
    current = draft if draft and draft.sale == state.sale else None
    deadline, phase = state.deadline, state.phase
    return Snapshot(
        phase=phase,
        reason=state.reason,
        faults=state.faults,
        simulated=simulated,
        camera=state.camera,
        sale=state.sale,
        offers=offers,
        chosen=next((offer for offer in offers if current and offer.slot == current.slot), None),
        amount=current.amount if current else 0,
        currency=catalog.currency,
        id_methods=rules.id_methods if phase is Phase.ASK_ID else (),
        pin_wait_s=pin_wait_s,
        can_go_back=phase in WITH_PRODUCT,
        can_cancel=phase in BEFORE_DISPENSING,
        can_continue=phase is Phase.SELECTED or state.may_retry,
        seconds_left=max(deadline.end - now, 0.0) if deadline else None,
        asks_whether_there=bool(deadline and deadline.warning is not None and now >= deadline.warning),
        receipt=_receipt(state, current),
        claim=_claim(state),
        attention=tuple(_attention(rules, state)),
        test=_test_result(state),
    )


def _offers(rules: Rules, catalog: Catalog, ledger: Ledger) -> Iterator[Offer]:
    for product in catalog.product:
        slot = ledger.slot(product.slot)
        yield Offer(
            slot=product.slot,
            price=ledger.price(product.slot, product.price, catalog.currency),
            currency=catalog.currency,
            minimum_age=product.minimum_age,
            available=rules.available(ledger, product.slot),
            count=slot.count,
            uncertain=ledger.uncertain(product.slot),
            blocked=slot.blocked,
            capacity=product.capacity,
        )


def _receipt(state: State, draft: ReceiptDraft | None) -> Receipt | None:
    if state.phase is not Phase.DONE or draft is None:
        return None
    return Receipt(
        draft.sale,
        draft.utc,
        draft.slot,
        draft.product,
        draft.amount,
        draft.currency,
        draft.reference,
        cast(Literal["sold", "refunded", "refund_pending"], state.reason),
    )


def _claim(state: State) -> str | None:
    """Returns the sale whose money is not final; its customer may still be there when the machine is out of order."""
    sales = state.ledger.sales
    not_final = [
        transaction.sale
        for transaction in state.ledger.transactions.values()
        if transaction.state != "settling" and transaction.sale in sales and not sales[transaction.sale].test
    ]
    if state.sale is None and state.phase is Phase.OUT_OF_ORDER:
        return not_final[-1] if not_final else None
    return state.sale if state.sale in not_final else None


def _attention(rules: Rules, state: State) -> Iterator[Attention]:
    ledger = state.ledger
    for replaced in ledger.replaced.values():
        kind: Literal["gone", "replaced"] = "gone" if replaced.damage == GONE else "replaced"
        yield Attention(kind, replaced.folder, owed=tuple(replaced.owed.split()))
    for vend in ledger.doubts.values():
        yield Attention("in_doubt", vend.sale, vend.slot, reported=vend.reported)
    for transaction, retry in state.retries.items():
        if retry.sent > UNSETTLED_AFTER:
            payment = ledger.transactions[transaction]
            sale = ledger.sales.get(payment.sale)
            currency = sale.currency if sale else ""
            yield Attention("unsettled", transaction, amount=payment.amount, currency=currency)
    for name, slot in ledger.slots.items():
        if slot.blocked and name in rules.items:  # a slot that left the catalogue cannot be counted
            yield Attention("blocked", name, name)


def _test_result(state: State) -> Literal["none", "running", "done", "failed"]:
    sale = state.open_sale
    if state.phase is not Phase.SERVICE or sale is None:
        return "none"
    if state.is_testing or state.ledger.transactions_of(sale.id):
        return "running"
    return "done" if sale.goods == "dropped" or (sale.goods == "kept" and sale.charged) else "failed"
