"""The sale, screen by screen: what a customer does, and what must come of it."""

from __future__ import annotations

from itertools import pairwise

import pytest

from kiosk.vending.dispenser import Dropped, NotDropped
from kiosk.vending.events import (
    Back,
    Cancel,
    Choose,
    Continue,
    LeaveService,
    PaymentTest,
    SetCamera,
    SetPrice,
    SetStock,
    Settle,
    ShowId,
    Stay,
    VendTest,
)
from kiosk.vending.facts import PaymentRequested, SaleClosed, SaleOpened
from kiosk.vending.id_check import IdConfirmed, IdRefused, WrongPin
from kiosk.vending.ledger import fold
from kiosk.vending.payment import Approved, Declined, Reversed, Settled
from kiosk.vending.sale import step
from kiosk.vending.shop import OperationError
from kiosk.vending.simulated_dispenser import Behaviour as Vend
from kiosk.vending.simulated_terminal import Behaviour as Pay
from kiosk.vending.state import Dispense, Phase, ReversePayment, State
from tests.vending.rig import BEER, PRICES, STOCK, WATER, WINE, Rig


@pytest.fixture
def rig() -> Rig:
    return Rig()


def assert_paid_for_nothing(rig: Rig) -> None:
    assert rig.held == 0
    assert rig.dropped == 0
    assert not rig.ledger.transactions


def settle_everything(rig: Rig) -> None:
    """Lets the devices answer, also when they are asked again and again, and the customer leave."""
    rig.tick(5)
    for _ in range(5):
        rig.after(60)
    while rig.phase not in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
        rig.after(60)


def test_a_product_is_paid_for_dropped_and_settled(rig: Rig) -> None:
    rig.choose(WATER)
    assert rig.phase is Phase.SELECTED
    assert rig.shop.snapshot.amount == PRICES[WATER]
    rig.shop.touch(Continue())
    assert rig.phase is Phase.PAYING
    rig.tick()
    assert rig.phase is Phase.DONE
    receipt = rig.shop.snapshot.receipt
    assert receipt is not None
    assert (receipt.slot, receipt.product, receipt.amount, receipt.currency) == (WATER, "Water", 180, "EUR")
    assert receipt.outcome == "sold"
    assert receipt.reference.startswith("SIM")
    assert receipt.utc
    rig.tick()
    assert rig.held == PRICES[WATER]
    assert rig.dropped == 1
    assert rig.ledger.slot(WATER).count == STOCK - 1
    assert rig.kinds_of_last_sale() == [
        "sale_opened",
        "payment_requested",
        "payment_approved",
        "vend_requested",
        "vend_succeeded",
        "payment_settled",
        "sale_closed",
    ]
    rig.after(60)
    assert rig.phase is Phase.ATTRACT
    assert rig.shop.snapshot.camera is None
    assert rig.shop.snapshot.sale is None
    assert rig.shop.snapshot.receipt is None


def test_the_receipt_can_be_left_at_once(rig: Rig) -> None:
    rig.buy()
    rig.tick()
    rig.shop.touch(Cancel())
    assert rig.phase is Phase.ATTRACT
    rig.tick(2)
    assert rig.held == PRICES[WATER]
    assert rig.kinds_of_last_sale()[-1] == "sale_closed"


# The age check


@pytest.mark.parametrize("camera", [True, False])
def test_what_needs_no_age_needs_no_check(rig: Rig, camera: bool) -> None:
    rig.buy(WATER, camera=camera)
    assert rig.phase is Phase.PAYING


def test_who_passes_the_age_check_pays(rig: Rig) -> None:
    rig.buy(BEER)
    assert rig.phase is Phase.AGE_CHECK
    rig.shop.age_checked(rig.shop.snapshot.sale, passed=True)
    assert rig.phase is Phase.PAYING
    rig.tick(2)
    assert rig.dispenser.fallen[BEER] == 1
    assert "age_cleared" in rig.kinds_of_last_sale()


def test_who_does_not_pass_is_asked_for_an_id(rig: Rig) -> None:
    rig.terminal.otherwise = Pay.WAIT
    rig.buy(BEER)
    rig.shop.age_checked(rig.shop.snapshot.sale, passed=False)
    assert rig.phase is Phase.ASK_ID
    assert rig.shop.snapshot.id_methods == ("reader",)
    rig.reader.present(16)
    rig.tick()
    assert rig.phase is Phase.PAYING
    assert rig.reader.wanted is None


def test_who_is_too_young_for_an_id_can_buy_everything_else(rig: Rig) -> None:
    rig.buy(WINE)
    rig.shop.age_checked(rig.shop.snapshot.sale, passed=False)
    rig.reader.present(17)
    rig.tick()
    assert rig.phase is Phase.ID_REFUSED
    rig.shop.touch(Continue())
    assert rig.phase is Phase.ID_REFUSED
    rig.shop.touch(Choose(WATER))
    rig.shop.touch(Continue())
    assert rig.phase is Phase.PAYING


def test_without_a_verifier_the_answer_is_a_courteous_no() -> None:
    rig = Rig(verifiers=[])
    rig.buy(BEER, camera=False)
    assert rig.phase is Phase.ID_REFUSED


def test_without_camera_an_id_is_asked_for_at_once(rig: Rig) -> None:
    rig.buy(BEER, camera=False)
    assert rig.phase is Phase.ASK_ID


def test_the_automatic_pass_is_off_until_turned_on() -> None:
    rig = Rig(automatic_age_check=False)
    rig.buy(BEER)
    assert rig.phase is Phase.ASK_ID
    rig.shop.age_checked(rig.shop.snapshot.sale, passed=True)
    assert rig.phase is Phase.ASK_ID


def test_an_age_check_that_never_ends_asks_for_an_id(rig: Rig) -> None:
    rig.buy(BEER)
    rig.after(31)
    assert rig.phase is Phase.ASK_ID


@pytest.mark.parametrize("touch", [ShowId(), SetCamera(on=False)])
def test_the_age_check_can_be_declined_while_it_runs(rig: Rig, touch: ShowId | SetCamera) -> None:
    rig.buy(BEER)
    rig.shop.touch(touch)
    assert rig.phase is Phase.ASK_ID


def test_a_pass_counts_for_its_own_sale_alone(rig: Rig) -> None:
    rig.buy(BEER)
    first = rig.shop.snapshot.sale
    rig.shop.touch(Choose(WINE))
    rig.shop.touch(Continue())
    rig.shop.age_checked(first, passed=True)
    assert rig.phase is Phase.AGE_CHECK
    rig.shop.age_checked(first, passed=False)
    assert rig.phase is Phase.AGE_CHECK


def test_an_id_counts_for_its_own_sale_alone(rig: Rig) -> None:
    rig.buy(BEER, camera=False)
    first = rig.shop.snapshot.sale
    rig.shop.touch(Choose(WINE))
    rig.shop.touch(Continue())
    rig.reader.say(IdConfirmed(first, "reader"))
    rig.reader.say(IdRefused(first, "reader"))
    rig.tick()
    assert rig.phase is Phase.ASK_ID


def test_an_age_that_is_clear_is_forgotten_with_its_sale(rig: Rig) -> None:
    rig.terminal.plan([Pay.DECLINE])
    rig.buy(BEER)
    rig.shop.age_checked(rig.shop.snapshot.sale, passed=True)
    rig.tick()
    rig.shop.touch(Back())
    rig.shop.touch(Choose(BEER))
    rig.shop.touch(Continue())
    assert rig.phase is Phase.AGE_CHECK


def test_a_wrong_pin_gives_more_time_and_a_word(rig: Rig) -> None:
    rig.buy(BEER, camera=False)
    rig.after(100)
    rig.reader.say(WrongPin(rig.shop.snapshot.sale))
    rig.tick(1)
    assert rig.phase is Phase.ASK_ID
    assert rig.reason == "wrong_pin"
    assert rig.shop.snapshot.seconds_left == 120


def test_an_approval_alone_hands_out_nothing_that_has_a_minimum_age(rig: Rig) -> None:
    """No way leads to this state; if one ever did, the last door is locked too."""
    sale, payment = f"{rig.journal.id}-1", f"{rig.journal.id}-1-1"
    ledger = fold([SaleOpened(sale, WINE, "Wine", 990, "EUR", 18), PaymentRequested(sale, payment, 990)], rig.ledger)
    paying = State(ledger, Phase.PAYING, sale=sale, transaction=payment)
    state, effects = step(rig.shop._rules, paying, Approved(payment, 990), rig.now)
    assert state.phase is Phase.REFUNDING
    assert ReversePayment(payment) in effects
    assert not [effect for effect in effects if isinstance(effect, Dispense)]


def test_the_journal_says_only_how_an_age_was_cleared(rig: Rig) -> None:
    rig.buy(WINE)
    rig.shop.age_checked(rig.shop.snapshot.sale, passed=True)
    rig.tick(3)
    rows = [row for row in rig.journal.rows if "age" in row and "sale_opened" not in row]
    assert rows == [f'["age_cleared", {{"sale": "{rig.journal.id}-1", "result": "passed", "by": ""}}]']


# The payment


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
    [(Pay.CANCEL, "cancelled"), (Pay.TIME_OUT, "timeout"), (Pay.REVERSE_UNASKED, "terminal")],
)
def test_a_payment_that_does_not_happen_says_why(rig: Rig, behaviour: Pay, reason: str) -> None:
    rig.terminal.plan([behaviour])
    rig.buy()
    rig.tick()
    assert (rig.phase, rig.reason) == (Phase.DECLINED, reason)
    settle_everything(rig)
    assert_paid_for_nothing(rig)


@pytest.mark.parametrize("behaviour", [Pay.SILENCE, Pay.APPROVE_UNHEARD, Pay.APPROVE_LATE])
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


# The goods


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


def test_a_drop_after_a_jam_is_refunded_once(rig: Rig) -> None:
    rig.dispenser.plan([Vend.DROP_AFTER_JAM])
    rig.buy()
    settle_everything(rig)
    assert rig.held == 0
    assert rig.ledger.slot(WATER).blocked


def test_no_motor_turns_on_a_dispenser_that_is_away(rig: Rig) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.buy()
    rig.dispenser.vanish()
    rig.tick()
    rig.terminal.approve()
    rig.tick(1)
    assert (rig.phase, rig.reason) == (Phase.REFUNDING, "dispenser")
    settle_everything(rig)
    assert_paid_for_nothing(rig)
    assert rig.phase is Phase.OUT_OF_ORDER


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


# Time, and the way back


@pytest.mark.parametrize(
    ("slot", "camera", "phase", "seconds"),
    [
        (None, True, Phase.BROWSING, 60),
        (WATER, True, Phase.SELECTED, 45),
        (BEER, False, Phase.ASK_ID, 120),
        (WATER, True, Phase.PAYING, 90),
    ],
)
def test_a_time_out_warns_before_it_acts(rig: Rig, slot: str | None, camera: bool, phase: Phase, seconds: int) -> None:
    rig.terminal.otherwise = Pay.WAIT
    rig.choose(slot or "none", camera=camera)
    if phase in (Phase.ASK_ID, Phase.PAYING):
        rig.shop.touch(Continue())
    assert rig.phase is phase
    rig.after(seconds - 15.5)
    assert not rig.shop.snapshot.asks_whether_there
    rig.after(1)
    assert rig.shop.snapshot.asks_whether_there
    rig.shop.touch(Stay())
    assert rig.shop.snapshot.seconds_left == seconds
    assert not rig.shop.snapshot.asks_whether_there
    rig.after(seconds - 0.5)
    assert rig.phase is phase
    rig.after(1)
    assert rig.phase is (Phase.DECLINED if phase is Phase.PAYING else Phase.ATTRACT)


def test_walking_away_ends_the_sale_of_whoever_is_watched(rig: Rig) -> None:
    rig.buy(BEER)
    rig.shop.walked_away()
    assert rig.phase is Phase.ATTRACT
    assert rig.kinds_of_last_sale() == ["sale_opened", "sale_closed"]


def test_nobody_walks_away_unwatched_nor_from_a_payment(rig: Rig) -> None:
    rig.choose(WATER, camera=False)
    rig.shop.walked_away()
    assert rig.phase is Phase.SELECTED
    rig.shop.touch(SetCamera(on=True))
    rig.terminal.otherwise = Pay.WAIT
    rig.shop.touch(Continue())
    rig.shop.walked_away()
    assert rig.phase is Phase.PAYING


def test_touching_a_product_twice_opens_one_sale(rig: Rig) -> None:
    rig.choose(WATER)
    rig.shop.touch(Choose(WATER))
    assert rig.journal.kinds.count("sale_opened") == 1


def test_a_full_disk_stops_the_sale_before_the_money_moves(rig: Rig) -> None:
    rig.choose(WATER)
    rig.journal.room = 0
    rig.shop.touch(Continue())
    assert rig.phase is Phase.OUT_OF_ORDER
    assert "journal" in rig.shop.snapshot.faults
    assert not rig.terminal.accounts
    rig.journal.room = None
    rows = len(rig.journal.rows)
    rig.terminal.say(Approved("unasked", 1))
    rig.tick()
    rig.shop.touch(Cancel())
    assert rig.phase is Phase.OUT_OF_ORDER
    assert len(rig.journal.rows) == rows  # what it has may be more than this run knows: only a new start may go on


@pytest.mark.parametrize("room", range(8))
def test_a_disk_that_fills_up_anywhere_costs_nobody_anything(rig: Rig, room: int) -> None:
    rig.journal.room = room
    rig.buy()
    rig.tick(3)
    rig.journal.room = None
    rig.start()
    rig.tick(3)
    settle_everything(rig)
    assert rig.held == (PRICES[WATER] if rig.dropped and not rig.ledger.doubts else 0)


# The operator


def test_an_operator_who_stops_the_sale_lets_a_paid_one_end(rig: Rig) -> None:
    rig.terminal.otherwise = Pay.WAIT
    rig.buy()
    rig.shop.stop_selling(True)
    assert rig.phase is Phase.PAYING
    rig.terminal.approve()
    settle_everything(rig)
    assert rig.dropped == 1
    assert rig.phase is Phase.OUT_OF_ORDER
    rig.shop.stop_selling(False)
    assert rig.phase is Phase.ATTRACT


def test_an_operator_who_stops_the_sale_ends_an_unpaid_one(rig: Rig) -> None:
    rig.choose(WATER)
    rig.shop.stop_selling(True)
    assert rig.phase is Phase.OUT_OF_ORDER
    assert rig.kinds_of_last_sale() == ["sale_opened", "sale_closed"]


def test_a_price_is_journalled_and_survives_until_the_catalogue_says_another(rig: Rig) -> None:
    rig.shop.operate(SetPrice(WATER, 200))
    rig.start()
    rig.choose(WATER)
    assert rig.shop.snapshot.amount == 200
    assert rig.ledger.price(WATER, 180) == 200
    assert rig.ledger.price(WATER, 190) == 190


@pytest.mark.parametrize("operation", [SetPrice(WATER, 0), SetStock(WATER, 6, "refill"), SetStock(WATER, -1, "refill")])
def test_what_cannot_be_set_is_explained(rig: Rig, operation: SetPrice | SetStock) -> None:
    rows = len(rig.journal.rows)
    with pytest.raises(OperationError):
        rig.shop.operate(operation)
    with pytest.raises(OperationError, match="no slot"):
        rig.shop.operate(SetStock("Z9", 1, "refill"))
    assert len(rig.journal.rows) == rows


@pytest.mark.parametrize(
    ("behaviour", "test", "count"),
    [(Vend.DROP, "done", STOCK - 1), (Vend.JAM, "failed", STOCK), (Vend.SILENCE, "failed", STOCK - 1)],
)
def test_a_test_vend_costs_nothing_and_counts(rig: Rig, behaviour: Vend, test: str, count: int) -> None:
    rig.into_service()
    rig.dispenser.plan([behaviour])
    rig.shop.operate(VendTest(WINE))
    assert rig.shop.snapshot.test == "running"
    rig.shop.operate(LeaveService())
    rig.shop.operate(VendTest(WINE))
    assert rig.phase is Phase.SERVICE
    rig.tick()
    rig.after(46)
    assert rig.shop.snapshot.test == test
    rig.shop.operate(LeaveService())
    assert rig.phase is Phase.ATTRACT
    assert rig.ledger.slot(WINE).count == count
    assert not rig.terminal.accounts
    assert not rig.ledger.sales


@pytest.mark.parametrize(
    ("behaviour", "test"), [(Pay.APPROVE, "done"), (Pay.DECLINE, "failed"), (Pay.SILENCE, "failed")]
)
def test_a_test_payment_comes_back(rig: Rig, behaviour: Pay, test: str) -> None:
    rig.into_service()
    rig.terminal.plan([behaviour])
    rig.shop.operate(PaymentTest(1, "EUR"))
    rig.tick(2)
    rig.after(91)
    rig.tick()
    assert rig.shop.snapshot.test == test
    rig.shop.operate(LeaveService())
    assert rig.phase is Phase.ATTRACT
    assert_paid_for_nothing(rig)
    assert not rig.ledger.sales


def test_service_opens_on_an_unpaid_sale_and_not_on_a_paid_one(rig: Rig) -> None:
    rig.terminal.plan([Pay.APPROVE_UNHEARD])
    rig.buy()
    rig.into_service()
    assert rig.phase is Phase.SERVICE
    rig.shop.operate(LeaveService())
    settle_everything(rig)
    assert rig.held == 0
    rig.dispenser.otherwise = Vend.WAIT
    rig.buy()
    rig.tick()
    rig.into_service()
    assert rig.phase is Phase.DISPENSING
