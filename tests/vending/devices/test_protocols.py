"""Payments that are declined, late, repeated, unrequested or lost: no customer pays without getting a product."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kiosk.vending.devices.protocols import Approved, Declined, Dropped, NotDropped, Reversed, Settled
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal.export import build_accounts
from kiosk.vending.journal.facts import PaymentApproved, SaleClosed
from kiosk.vending.sale.events import (
    Back,
    Cancel,
    Choose,
    Continue,
    PaymentTest,
    Settle,
)
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import BEER, PRICES, STOCK, WATER, Rig, assert_paid_for_nothing, settle_everything


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_declined_payment_can_be_tried_again(rig: Rig) -> None:
    rig.terminal.plan([Pay.DECLINE, Pay.APPROVE])
    rig.buy()
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.DECLINED, "card")
    rig.shop.touch(Continue())
    rig.tick(2)
    assert rig.phase is Phase.DONE
    assert rig.held == PRICES[WATER]
    assert rig.dropped == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [(Pay.CANCEL, "cancelled"), (Pay.TIME_OUT, "timeout"), (Pay.REVERSE_UNREQUESTED, "terminal")],
)
def test_a_payment_that_does_not_happen_says_why(rig: Rig, behaviour: Pay, reason: str) -> None:
    rig.terminal.plan([behaviour])
    rig.buy()
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.DECLINED, reason)
    settle_everything(rig)
    assert_paid_for_nothing(rig)


@pytest.mark.parametrize("behaviour", [Pay.SILENCE, Pay.APPROVE_SILENTLY, Pay.APPROVE_LATE])
@pytest.mark.parametrize("end", ["cancel", "back", "another", "time"])
def test_a_payment_left_without_an_answer_is_reversed(rig: Rig, behaviour: Pay, end: str) -> None:
    rig.terminal.plan([behaviour])
    rig.buy()
    rig.tick()
    if end == "time":
        rig.after(91)
        assert (rig.phase, rig.reason) == (Phase.DECLINED, "timeout")
    else:
        rig.shop.touch({"cancel": Cancel(), "back": Back(), "another": Choose(BEER)}[end])
    settle_everything(rig)
    assert_paid_for_nothing(rig)
    assert rig.phase is Phase.ATTRACT


def test_an_approval_that_crosses_a_cancel_is_reversed(rig: Rig) -> None:
    rig.terminal.plan([Pay.APPROVE])
    rig.buy()
    rig.shop.touch(Cancel())  # the approval is said and not fetched yet
    settle_everything(rig)
    assert_paid_for_nothing(rig)
    assert rig.journal.facts[-1] == SaleClosed(f"{rig.journal.id}-1", "refunded")


def test_no_retry_while_the_last_try_may_still_charge(rig: Rig) -> None:
    rig.terminal.plan([Pay.SILENCE])
    rig.terminal.unheard = 1
    rig.buy()
    rig.after(91)
    rig.tick()
    assert not rig.shop.snapshot.can_continue
    rig.shop.touch(Continue())
    assert rig.phase is Phase.DECLINED
    rig.after(2)
    rig.tick()
    assert rig.shop.snapshot.can_continue
    rig.shop.touch(Continue())
    assert rig.phase is Phase.PAYING


def test_a_late_approval_of_a_declined_try_is_reversed_beside_the_next_one(rig: Rig) -> None:
    rig.terminal.plan([Pay.DECLINE, Pay.WAIT])
    rig.buy()
    rig.tick()
    first = next(iter(rig.terminal.accounts))
    rig.shop.touch(Continue())
    rig.terminal._approve(first)
    rig.tick(2)
    assert rig.phase is Phase.PAYING
    rig.terminal.approve()
    rig.tick(3)
    assert rig.phase is Phase.DONE
    assert rig.held == PRICES[WATER]
    assert rig.dropped == 1


def test_every_charge_of_a_sale_is_journalled_once(rig: Rig) -> None:
    """Two attempts are approved after they were given up. The accounts must show both."""
    rig.terminal.plan([Pay.SILENCE, Pay.SILENCE])
    rig.buy()
    for number in (1, 2):
        transaction = f"{rig.journal.id}-1-{number}"
        rig.terminal.unheard = 99
        rig.after(91)
        for _ in range(2):
            rig.terminal.say(Approved(transaction, PRICES[WATER], f"T{number}"))
            rig.tick()
        rig.terminal.say(Reversed(transaction))
        rig.tick()
        rig.shop.touch(Continue())
    approved = [fact.reference for fact in rig.journal.facts if isinstance(fact, PaymentApproved)]
    assert approved == ["T1", "T2"]
    (account,) = build_accounts(rig.journal.entries())
    assert (account.charged, account.returned) == (2 * PRICES[WATER], 2 * PRICES[WATER])


def test_an_approval_nobody_asked_for_is_journalled_once_while_it_goes_back(rig: Rig) -> None:
    rig.terminal.unheard = 99
    for _ in range(3):
        rig.terminal.say(Approved("another-journal-7-1", 500))
        rig.tick()
    assert rig.journal.kinds.count("payment_approved") == 1


def test_a_wrong_amount_is_no_payment(rig: Rig) -> None:
    rig.terminal.plan([Pay.APPROVE_TOO_MUCH])
    rig.buy()
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.DECLINED, "terminal")
    settle_everything(rig)
    assert_paid_for_nothing(rig)


def test_an_approval_nobody_asked_for_is_reversed(rig: Rig) -> None:
    rig.terminal.authorize("another-journal-7-1", 500, "EUR")
    assert rig.held == 500
    rig.tick(2)
    assert_paid_for_nothing(rig)
    assert rig.phase is Phase.ATTRACT


def test_everything_said_twice_sells_once(rig: Rig) -> None:
    rig.terminal.repeats = rig.dispenser.repeats = True
    rig.buy()
    settle_everything(rig)
    assert rig.held == PRICES[WATER]
    assert rig.dropped == 1
    assert rig.ledger.slot(WATER).count == STOCK - 1
    assert rig.journal.kinds.count("sale_closed") == 1
    assert "payment_reversed" not in rig.journal.kinds


def test_an_approval_repeated_after_the_end_is_not_reversed(rig: Rig) -> None:
    rig.buy()
    settle_everything(rig)
    rows = len(rig.journal.rows)
    rig.terminal.say(Approved(f"{rig.journal.id}-1-1", PRICES[WATER]))
    rig.tick(2)
    assert rig.held == PRICES[WATER]
    assert len(rig.journal.rows) == rows


def test_answers_that_fit_nothing_change_nothing(rig: Rig) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.buy()
    rows, state = len(rig.journal.rows), rig.shop.state
    for message in (Declined("x"), Reversed("x"), Settled("x"), Settled(f"{rig.journal.id}-1-1")):
        rig.terminal.say(message)
    for vend in (Dropped("x"), NotDropped("x"), Dropped(f"{rig.journal.id}-1")):
        rig.dispenser.say(vend)
    rig.tick()
    assert len(rig.journal.rows) == rows
    assert rig.shop.state == state


@pytest.mark.proves("terminal-gone")
def test_a_terminal_that_goes_away_in_the_middle_costs_nobody_anything(rig: Rig) -> None:
    rig.terminal.plan([Pay.VANISH])
    rig.buy()
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.DECLINED, "terminal")
    assert not rig.shop.snapshot.can_continue
    settle_everything(rig)
    assert rig.phase is Phase.OUT_OF_ORDER
    assert rig.held == PRICES[WATER]
    rig.terminal.come_back()
    rig.after(60)
    rig.tick()
    assert rig.phase is Phase.ATTRACT
    assert_paid_for_nothing(rig)


@pytest.mark.proves("terminal-silent")
def test_a_reversal_is_repeated_ever_slower_until_it_is_acknowledged(rig: Rig) -> None:
    sent = []
    reverse = rig.terminal.reverse
    rig.terminal.reverse = lambda transaction: (sent.append(rig.now), reverse(transaction))[1]  # type: ignore[method-assign]
    rig.terminal.unheard = 9
    rig.terminal.plan([Pay.SILENCE])
    rig.buy()
    rig.shop.touch(Cancel())
    for _ in range(400):
        rig.after(1)
    assert len(sent) == 10
    waits = [round(later - earlier) for earlier, later in pairwise(sent)]
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert not rig.ledger.transactions


@pytest.mark.proves("terminal-silent")
def test_a_terminal_that_acknowledges_nothing_gets_no_new_customer(rig: Rig) -> None:
    rig.terminal.unheard = 99
    rig.buy()
    settle_everything(rig)
    assert rig.phase is Phase.OUT_OF_ORDER
    assert rig.shop.snapshot.faults == {"unsettled"}
    (attention,) = rig.shop.snapshot.attention
    assert (attention.kind, attention.amount) == ("unsettled", PRICES[WATER])
    rig.shop.operate(Settle(attention.item))
    assert rig.phase is Phase.ATTRACT
    assert rig.journal.facts[-1] == SaleClosed(f"{rig.journal.id}-1", "sold")
    rig.terminal.say(Approved(attention.item, PRICES[WATER]))
    rig.tick()
    assert not rig.ledger.transactions


def test_a_sale_whose_money_is_not_final_is_claimed_until_the_terminal_says_so(rig: Rig) -> None:
    rig.terminal.default = Pay.WAIT
    rig.buy()
    sale = rig.shop.snapshot.sale
    assert rig.shop.snapshot.claim == sale
    rig.terminal.unheard = 2
    rig.after(91)
    assert (rig.phase, rig.reason) == (Phase.DECLINED, "timeout")
    assert rig.shop.snapshot.claim == sale
    rig.after(3)
    assert rig.shop.snapshot.claim == sale
    rig.after(5)
    rig.tick()
    assert rig.phase is Phase.DECLINED
    assert rig.shop.snapshot.claim is None


def test_nothing_is_claimed_of_a_payment_that_was_declined(rig: Rig) -> None:
    rig.terminal.default = Pay.DECLINE
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DECLINED
    assert rig.shop.snapshot.claim is None


def test_goods_that_fell_leave_nothing_to_claim(rig: Rig) -> None:
    rig.terminal.unheard = 99
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DONE
    assert rig.shop.snapshot.claim is None


def test_a_machine_out_of_order_still_says_whose_money_is_not_final(rig: Rig) -> None:
    rig.terminal.plan([Pay.VANISH])
    rig.buy()
    sale = rig.shop.snapshot.sale
    rig.after(0.1)
    assert (rig.phase, rig.shop.snapshot.claim) == (Phase.DECLINED, sale)
    rig.after(31)
    rig.after(1)
    assert (rig.phase, rig.shop.snapshot.claim) == (Phase.OUT_OF_ORDER, sale)
    rig.terminal.come_back()
    rig.after(60)
    rig.tick()
    assert rig.shop.snapshot.claim is None


def sent_by(rig: Rig, command: str) -> list[float]:
    """Notes when a command goes to the terminal from now on."""
    times: list[float] = []
    whole = getattr(rig.terminal, command)
    setattr(rig.terminal, command, lambda transaction: (times.append(rig.now), whole(transaction)))
    return times


def test_four_repetitions_without_an_answer_are_enough(rig: Rig) -> None:
    rig.terminal.unheard = 99
    sent = sent_by(rig, "settle")
    rig.buy()
    for _ in range(60):
        rig.after(1)
        assert ("unsettled" in rig.shop.snapshot.faults) == (len(sent) > 4)
    assert len(sent) == 1 + 4


def test_a_terminal_that_is_away_for_a_day_is_still_asked(rig: Rig) -> None:
    rig.terminal.unheard = 99
    rig.buy()
    rig.tick()
    rig.terminal.vanish()
    sent = sent_by(rig, "settle")
    for _ in range(1440):
        rig.after(61)
    assert len(sent) == 1440


def test_money_is_back_only_when_all_of_it_is(rig: Rig) -> None:
    """A declined attempt charges late. It is reversed, like the attempt whose product did not drop."""
    rig.terminal.plan([Pay.DECLINE, Pay.WAIT])
    rig.dispenser.plan([Vend.JAM])
    rig.buy()
    rig.tick()
    first, second = (f"{rig.journal.id}-1-{number}" for number in (1, 2))
    rig.shop.touch(Continue())
    rig.terminal.unheard = 99
    rig.terminal._approve(first)
    rig.terminal.approve()
    rig.tick()
    assert rig.phase is Phase.REFUNDING
    for transaction, phase in ((second, Phase.REFUNDING), (first, Phase.DONE)):
        rig.terminal.say(Reversed(transaction))
        rig.tick()
        assert rig.phase is phase
    assert rig.reason == "refunded"


def test_a_test_that_is_being_reversed_is_reversed_once(rig: Rig) -> None:
    rig.into_service()
    rig.terminal.unheard = 99
    rig.shop.operate(PaymentTest(100, "EUR"))
    rig.tick()
    rig.after(601)
    assert rig.journal.kinds.count("reversal_requested") == 1
