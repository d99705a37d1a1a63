"""What the terminal's and the dispenser's answers do to a sale, also when they come late, twice or unasked."""

from __future__ import annotations

from dataclasses import replace

from kiosk.vending.devices.dispenser import Dropped, NotDropped
from kiosk.vending.devices.protocols import Approved, Declined, Reversed, Settled
from kiosk.vending.journal.facts import (
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


def on_payment(turn: Transition, answer: Approved | Declined | Reversed | Settled) -> None:
    """The terminal said something about a transaction."""
    known = turn.state.ledger.transactions.get(answer.transaction)
    state = known.state if known else None
    sale = known.sale if known else ""
    match answer:
        case Approved():
            _on_approved(turn, answer)
        case Declined() if state == "requested":
            turn.record(PaymentDeclined(sale, answer.transaction, answer.reason))
            _decline(turn, answer.transaction, answer.reason)
        case Reversed() if state in ("reversing", "requested"):
            turn.record(PaymentReversed(sale, answer.transaction))
            _decline(turn, answer.transaction, "terminal")
            if turn.state.sale == sale and not turn.state.ledger.transactions_of(sale):
                _all_is_back(turn)
        case Settled() if state == "settling":
            turn.record(PaymentSettled(sale, answer.transaction))


def _all_is_back(turn: Transition) -> None:
    """Nothing of the customer's money is open any more, and they are still there to be told."""
    if turn.state.phase is Phase.REFUNDING:
        turn.go(Phase.DONE, "refunded")
    elif turn.state.phase is Phase.DONE and turn.state.reason == "refund_pending":
        turn.state = replace(turn.state, reason="refunded")


def _on_approved(turn: Transition, answer: Approved) -> None:
    known = turn.state.ledger.transactions.get(answer.transaction)
    if answer.transaction in turn.state.ledger.settled or (known and known.charged):
        return  # said twice
    sale = known.sale if known else _sale_of(turn, answer.transaction)
    charged = PaymentApproved(sale, answer.transaction, answer.amount, answer.reference)
    turn.record(charged)
    if known and known.state == "reversing":
        return  # its reversal is under way and is repeated until acknowledged
    waited_for = turn.state.phase is Phase.PAYING and turn.state.transaction == answer.transaction
    if known is None or not waited_for:
        turn.record(ReversalRequested(sale, answer.transaction, "test" if known else "unasked"))
    elif answer.amount != known.amount:
        turn.record(ReversalRequested(sale, answer.transaction, "amount"))
        turn.go(Phase.DECLINED, "terminal")
    else:
        _dispense(turn, answer.transaction)


def _sale_of(turn: Transition, transaction: str) -> str:
    """The sale that a transaction was made for, which its id begins with; none if it is another journal's."""
    return transaction.rpartition("-")[0] if transaction.startswith(f"{turn.rules.journal}-") else ""


def _dispense(turn: Transition, transaction: str) -> None:
    sale = turn.state.open_sale
    assert sale is not None
    if turn.rules.available(turn.state.ledger, sale.slot) and sale.age_is_clear:
        turn.record(VendRequested(sale.id, sale.slot))
        turn.act(Dispense(sale.id, sale.slot))
        turn.go(Phase.DISPENSING)
    else:
        turn.record(ReversalRequested(sale.id, transaction, "dispenser"))
        turn.go(Phase.REFUNDING, "dispenser")


def _decline(turn: Transition, transaction: str, reason: str) -> None:
    if turn.state.phase is Phase.PAYING and turn.state.transaction == transaction:
        turn.go(Phase.DECLINED, reason)


def on_vend(turn: Transition, answer: Dropped | NotDropped) -> None:
    """The dispenser said something about a vend."""
    ledger = turn.state.ledger
    sale, doubt = ledger.sales.get(answer.vend), ledger.doubts.get(answer.vend)
    in_front = turn.state.phase is Phase.DISPENSING and turn.state.sale == answer.vend
    if sale and sale.goods == "requested":
        match answer:
            case Dropped():
                turn.record(VendSucceeded(sale.id, sale.slot))
                if in_front:
                    turn.go(Phase.DONE, "sold")
            case NotDropped():
                turn.record(VendFailed(sale.id, sale.slot, answer.reason))
                if in_front:
                    turn.go(Phase.REFUNDING, answer.reason)
    elif doubt and doubt.reported is None:
        turn.record(VendReportedLate(doubt.sale, doubt.slot, isinstance(answer, Dropped)))
