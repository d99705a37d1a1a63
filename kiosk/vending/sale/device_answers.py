"""How a sale reacts to the answers of terminal and dispenser, also late, repeated and unrequested ones."""

from __future__ import annotations

from dataclasses import replace

from kiosk.vending.devices.protocols import Approved, Declined, Dropped, NotDropped, Reversed, Settled
from kiosk.vending.journal.facts import (
    UNREQUESTED,
    PaymentApproved,
    PaymentDeclined,
    PaymentReversed,
    PaymentSettled,
    ReversalRequested,
    VendFailed,
    VendReportedLate,
    VendRequested,
    VendSucceeded,
)
from kiosk.vending.sale.state import Dispense, Phase
from kiosk.vending.sale.transition import Transition


def on_payment(transition: Transition, answer: Approved | Declined | Reversed | Settled) -> None:
    """Handles an answer of the terminal about a transaction."""
    known = transition.state.ledger.transactions.get(answer.transaction)
    state = known.state if known else None
    sale = known.sale if known else ""
    match answer:
        case Approved():
            _on_approved(transition, answer)
        case Declined() if state == "requested":
            transition.record(PaymentDeclined(sale, answer.transaction, answer.reason))
            _decline(transition, answer.transaction, answer.reason)
        case Reversed() if state in ("reversing", "requested"):
            transition.record(PaymentReversed(sale, answer.transaction))
            _decline(transition, answer.transaction, "terminal")
            if transition.state.sale == sale and not transition.state.ledger.transactions_of(sale):
                _show_refund(transition)
        case Settled() if state == "settling":
            transition.record(PaymentSettled(sale, answer.transaction))


def _show_refund(transition: Transition) -> None:
    """Shows a customer who still waits that all their money is back."""
    if transition.state.phase is Phase.REFUNDING:
        transition.enter(Phase.DONE, "refunded")
    elif transition.state.phase is Phase.DONE and transition.state.reason == "refund_pending":
        transition.state = replace(transition.state, reason="refunded")


def _on_approved(transition: Transition, answer: Approved) -> None:
    ledger = transition.state.ledger
    known = ledger.transactions.get(answer.transaction)
    if answer.transaction in ledger.settled or (known and known.charged):
        return  # a repeated answer
    sale = known.sale if known else _sale_of(transition, answer.transaction)
    transition.record(PaymentApproved(sale, answer.transaction, answer.amount, answer.reference))
    if known and known.state == "reversing":
        return  # the sale already repeats the reversal until the terminal acknowledges it
    is_expected = transition.state.phase is Phase.PAYING and transition.state.transaction == answer.transaction
    if known is None or not is_expected:
        transition.record(ReversalRequested(sale, answer.transaction, "test" if known else UNREQUESTED))
    elif answer.amount != known.amount:
        transition.record(ReversalRequested(sale, answer.transaction, "amount"))
        transition.enter(Phase.DECLINED, "terminal")
    else:
        _dispense(transition, answer.transaction)


def _sale_of(transition: Transition, transaction: str) -> str:
    """Returns the sale's id, which a transaction's id begins with; "" for a transaction of another journal."""
    return transaction.rpartition("-")[0] if transaction.startswith(f"{transition.rules.journal}-") else ""


def _dispense(transition: Transition, transaction: str) -> None:
    sale = transition.state.open_sale
    assert sale is not None
    if transition.rules.available(transition.state.ledger, sale.slot) and sale.age_is_clear:
        transition.record(VendRequested(sale.id, sale.slot))
        transition.add(Dispense(sale.id, sale.slot))
        transition.enter(Phase.DISPENSING)
    else:
        transition.record(ReversalRequested(sale.id, transaction, "dispenser"))
        transition.enter(Phase.REFUNDING, "dispenser")


def _decline(transition: Transition, transaction: str, reason: str) -> None:
    if transition.state.phase is Phase.PAYING and transition.state.transaction == transaction:
        transition.enter(Phase.DECLINED, reason)


def on_vend(transition: Transition, answer: Dropped | NotDropped) -> None:
    """Handles an answer of the dispenser about a vend."""
    ledger = transition.state.ledger
    sale, unknown_vend = ledger.sales.get(answer.vend), ledger.doubts.get(answer.vend)
    is_current = transition.state.phase is Phase.DISPENSING and transition.state.sale == answer.vend
    if sale and sale.goods == "requested":
        match answer:
            case Dropped():
                transition.record(VendSucceeded(sale.id, sale.slot))
                if is_current:
                    transition.enter(Phase.DONE, "sold")
            case NotDropped():
                transition.record(VendFailed(sale.id, sale.slot, answer.reason))
                if is_current:
                    transition.enter(Phase.REFUNDING, answer.reason)
    elif unknown_vend and unknown_vend.reported is None:
        transition.record(VendReportedLate(unknown_vend.sale, unknown_vend.slot, isinstance(answer, Dropped)))
