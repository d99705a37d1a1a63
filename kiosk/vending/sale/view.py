"""From the sale's state to the snapshot that a screen shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, cast

from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.journal.facts import GONE
from kiosk.vending.journal.ledger import Ledger
from kiosk.vending.sale.snapshot import Attention, Offer, Receipt, Snapshot
from kiosk.vending.sale.state import BEFORE_DISPENSING, WITH_PRODUCT, Phase, Rules, State
from kiosk.vending.sale.transition import UNSETTLED_AFTER


@dataclass(frozen=True)
class Bill:
    """What the receipt will say of the last sale opened."""

    sale: str
    slot: str
    product: str
    amount: int
    currency: str
    utc: str = ""
    reference: str = ""

    def paid(self, utc: str, reference: str) -> Bill:
        """The bill once the money is there."""
        return replace(self, utc=utc, reference=reference)


def snapshot_of(
    rules: Rules, catalog: Catalog, state: State, bill: Bill | None, now: float, pin_wait_s: float, simulated: bool
) -> Snapshot:
    """What a screen has to know at `now`."""
    offers = tuple(_offers(rules, catalog, state.ledger))
    mine = bill if bill and bill.sale == state.sale else None
    deadline, phase = state.deadline, state.phase
    return Snapshot(
        phase=phase,
        reason=state.reason,
        faults=state.faults,
        simulated=simulated,
        camera=state.camera,
        sale=state.sale,
        offers=offers,
        chosen=next((offer for offer in offers if mine and offer.slot == mine.slot), None),
        amount=mine.amount if mine else 0,
        currency=catalog.currency,
        id_methods=rules.id_methods if phase is Phase.ASK_ID else (),
        pin_wait_s=pin_wait_s,
        can_go_back=phase in WITH_PRODUCT,
        can_cancel=phase in BEFORE_DISPENSING,
        can_continue=phase is Phase.SELECTED or state.may_retry,
        seconds_left=max(deadline.end - now, 0.0) if deadline else None,
        asks_whether_there=bool(deadline and deadline.warning is not None and now >= deadline.warning),
        receipt=_receipt(state, mine),
        claim=_claim(state),
        attention=tuple(_attention(rules, state)),
        test=_test(state),
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


def _receipt(state: State, bill: Bill | None) -> Receipt | None:
    if state.phase is not Phase.DONE or bill is None:
        return None
    outcome = cast(Literal["sold", "refunded", "refund_pending"], state.reason)
    return Receipt(bill.sale, bill.utc, bill.slot, bill.product, bill.amount, bill.currency, bill.reference, outcome)


def _claim(state: State) -> str | None:
    """The sale whose money is not final; who had it may still stand there when the machine goes out of order."""
    sales = state.ledger.sales
    unfinal = [
        transaction.sale
        for transaction in state.ledger.transactions.values()
        if transaction.state != "settling" and transaction.sale in sales and not sales[transaction.sale].test
    ]
    if state.sale is None and state.phase is Phase.OUT_OF_ORDER:
        return unfinal[-1] if unfinal else None
    return state.sale if state.sale in unfinal else None


def _attention(rules: Rules, state: State) -> Iterator[Attention]:
    ledger = state.ledger
    for before in ledger.replaced.values():
        kind: Literal["gone", "replaced"] = "gone" if before.damage == GONE else "replaced"
        yield Attention(kind, before.folder, owed=tuple(before.owed.split()))
    for doubt in ledger.doubts.values():
        yield Attention("in_doubt", doubt.sale, doubt.slot, reported=doubt.reported)
    for transaction, retry in state.retries.items():
        if retry.sent > UNSETTLED_AFTER:
            open_ = ledger.transactions[transaction]
            sale = ledger.sales.get(open_.sale)
            currency = sale.currency if sale else ""
            yield Attention("unsettled", transaction, amount=open_.amount, currency=currency)
    for name, slot in ledger.slots.items():
        if slot.blocked and name in rules.items:  # what no catalogue has any more cannot be counted
            yield Attention("blocked", name, name)


def _test(state: State) -> Literal["none", "running", "done", "failed"]:
    sale = state.open_sale
    if state.phase is not Phase.SERVICE or sale is None:
        return "none"
    if state.is_testing or state.ledger.transactions_of(sale.id):
        return "running"
    return "done" if sale.goods == "dropped" or (sale.goods == "kept" and sale.charged) else "failed"
