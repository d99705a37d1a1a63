"""A product that does not drop is refunded, an unknown vend is in doubt, and the stock counts what is there."""

from __future__ import annotations

import pytest

from kiosk.vending.devices.protocols import Dropped
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal.facts import SaleClosed
from kiosk.vending.sale.events import (
    Cancel,
    Choose,
    Settle,
    Stay,
)
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import STOCK, WATER, Rig, assert_paid_for_nothing, settle_everything


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize(("behaviour", "reason"), [(Vend.JAM, "jam"), (Vend.NOTHING, "nothing")])
def test_what_does_not_drop_is_refunded_and_its_slot_blocked(rig: Rig, behaviour: Vend, reason: str) -> None:
    rig.dispenser.plan([behaviour])
    rig.terminal.unheard = 1
    rig.buy()
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.REFUNDING, reason)
    rig.after(2)
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.DONE, "refunded")
    assert rig.shop.snapshot.receipt is not None
    assert rig.shop.snapshot.receipt.outcome == "refunded"
    settle_everything(rig)
    assert_paid_for_nothing(rig)
    assert rig.ledger.slot(WATER).count == STOCK
    assert [(each.kind, each.item) for each in rig.shop.snapshot.attention] == [("blocked", WATER)]
    rig.choose(WATER)
    assert rig.phase is Phase.BROWSING
    rig.fill(WATER, STOCK)
    rig.shop.touch(Choose(WATER))
    assert rig.phase is Phase.SELECTED


def test_a_refund_that_takes_long_is_promised(rig: Rig) -> None:
    rig.dispenser.plan([Vend.JAM])
    rig.terminal.unheard = 3
    rig.buy()
    rig.tick()
    rig.after(21)
    assert (rig.phase, rig.reason) == (Phase.DONE, "refund_pending")
    settle_everything(rig)
    assert_paid_for_nothing(rig)


@pytest.mark.parametrize("behaviour", [Vend.SILENCE, Vend.DROP_UNSEEN, Vend.VANISH])
def test_a_dispenser_that_falls_silent_leaves_a_doubt(rig: Rig, behaviour: Vend) -> None:
    rig.dispenser.plan([behaviour])
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DISPENSING
    rig.shop.touch(Cancel())
    rig.shop.touch(Stay())
    assert rig.phase is Phase.DISPENSING
    rig.after(46)
    assert (rig.phase, rig.reason) == (Phase.REFUNDING, "silent")
    settle_everything(rig)
    assert rig.held == 0
    assert rig.ledger.uncertain(WATER) == 1
    assert rig.ledger.slot(WATER).count == STOCK - 1
    assert rig.shop.snapshot.attention[0].kind == "in_doubt"
    assert rig.journal.facts[-1] == SaleClosed(f"{rig.journal.id}-1", "in_doubt")


@pytest.mark.parametrize(("dropped", "count"), [(True, STOCK - 1), (False, STOCK)])
def test_a_doubt_stands_until_a_person_settles_it(rig: Rig, dropped: bool, count: int) -> None:
    rig.dispenser.plan([Vend.SILENCE])
    rig.buy()
    rig.tick()
    rig.after(46)
    settle_everything(rig)
    rig.start()
    (attention,) = rig.shop.snapshot.attention
    rig.shop.operate(Settle(attention.item, dropped))
    assert rig.shop.snapshot.attention == ()
    assert rig.ledger.slot(WATER).count == count
    assert rig.ledger.uncertain(WATER) == 0
    rows = len(rig.journal.rows)
    rig.shop.operate(Settle(attention.item, dropped))
    assert len(rig.journal.rows) == rows


def test_a_slot_that_was_counted_is_certain_whatever_the_doubt(rig: Rig) -> None:
    rig.dispenser.plan([Vend.SILENCE])
    rig.buy()
    rig.tick()
    rig.after(46)
    settle_everything(rig)
    rig.fill(WATER, 5)
    assert rig.ledger.uncertain(WATER) == 0
    rig.shop.operate(Settle(rig.shop.snapshot.attention[0].item, dropped=False))
    assert rig.ledger.slot(WATER).count == 5


def test_what_the_dispenser_says_too_late_is_told_to_the_operator(rig: Rig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.buy()
    rig.tick()
    rig.after(46)
    rig.dispenser.drop()
    rig.dispenser.say(Dropped(f"{rig.journal.id}-1"))
    settle_everything(rig)
    assert rig.held == 0
    assert rig.shop.snapshot.attention[0].reported is True
    assert rig.journal.kinds.count("vend_reported_late") == 1


@pytest.mark.parametrize("counted", [0, 5])
def test_a_drop_that_is_reported_after_the_count_makes_the_count_uncertain_again(rig: Rig, counted: int) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.buy()
    rig.tick()
    rig.after(46)
    settle_everything(rig)
    rig.fill(WATER, counted)
    rig.dispenser.drop()
    settle_everything(rig)
    assert rig.ledger.slot(WATER).count == max(counted - 1, 0)
    assert rig.ledger.uncertain(WATER) == 1
    rig.shop.operate(Settle(rig.shop.snapshot.attention[0].item, dropped=False))
    assert rig.ledger.slot(WATER).count == counted
    assert rig.ledger.uncertain(WATER) == 0


def test_a_drop_after_a_jam_is_refunded_once(rig: Rig) -> None:
    rig.dispenser.plan([Vend.DROP_AFTER_JAM])
    rig.buy()
    settle_everything(rig)
    assert rig.held == 0
    assert rig.ledger.slot(WATER).blocked


@pytest.mark.proves("dispenser-gone")
def test_nobody_is_charged_for_a_dispenser_that_is_away(rig: Rig) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.buy()
    rig.dispenser.vanish()
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.DECLINED, "dispenser")
    assert not rig.shop.snapshot.can_continue
    rig.terminal.approve()  # nothing waits any more
    settle_everything(rig)
    assert_paid_for_nothing(rig)
    assert "payment_approved" not in rig.journal.kinds
    assert rig.phase is Phase.OUT_OF_ORDER


def test_an_approval_that_a_vanishing_dispenser_crosses_is_heard_first(rig: Rig) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.buy()
    rig.terminal.approve()
    rig.dispenser.vanish()
    rig.tick(1)
    assert rig.phase is Phase.DISPENSING
    settle_everything(rig)
    assert rig.held == 0
    assert rig.dropped == 0


def test_no_motor_turns_for_an_approval_that_comes_after_the_dispenser_went(rig: Rig) -> None:
    rig.terminal.plan([Pay.APPROVE_LATE])
    rig.buy()
    rig.dispenser.vanish()
    settle_everything(rig)
    assert_paid_for_nothing(rig)
    assert "vend_requested" not in rig.journal.kinds


def test_a_slot_that_was_emptied_meanwhile_is_refunded(rig: Rig) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.terminal.unheard = 1
    rig.buy()
    rig.fill(WATER, 0)
    rig.terminal.approve()
    rig.tick(1)
    assert (rig.phase, rig.reason) == (Phase.REFUNDING, "dispenser")


def test_what_is_sold_out_cannot_be_chosen(rig: Rig) -> None:
    rig.fill(WATER, 1)
    rig.buy()
    settle_everything(rig)
    rig.choose(WATER)
    assert rig.phase is Phase.BROWSING
    assert not next(offer for offer in rig.shop.snapshot.offers if offer.slot == WATER).available


def test_what_was_emptied_meanwhile_is_not_vended(rig: Rig) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.buy()
    rig.fill(WATER, 0)
    rig.terminal.approve()
    settle_everything(rig)
    assert_paid_for_nothing(rig)
    assert "vend_requested" not in rig.journal.kinds
