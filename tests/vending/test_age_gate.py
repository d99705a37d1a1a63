"""A product with a minimum age is sold only to a customer who passed or showed an ID in the same sale."""

from __future__ import annotations

import pytest

from kiosk.vending.devices.protocols import Approved, IdConfirmed, IdRefused, WrongPin
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal.facts import AgeCleared, PaymentRequested, SaleOpened
from kiosk.vending.journal.ledger import fold
from kiosk.vending.sale.events import (
    Back,
    Cancel,
    Choose,
    Continue,
    SetCamera,
    ShowId,
    Stay,
    Touch,
)
from kiosk.vending.sale.state import Dispense, Phase, ReversePayment, State
from kiosk.vending.sale.state_machine import step
from tests.fakes.sale_rig import BEER, WATER, WINE, Rig

pytestmark = pytest.mark.proves("any-order")


@pytest.fixture
def rig() -> Rig:
    return Rig()


@pytest.mark.parametrize("camera", [True, False])
def test_what_needs_no_age_needs_no_check(rig: Rig, camera: bool) -> None:
    rig.buy(WATER, camera=camera)
    assert rig.phase is Phase.PAYING


@pytest.mark.proves("theft-faces")
def test_who_passes_the_age_check_pays(rig: Rig) -> None:
    rig.buy(BEER)
    assert rig.phase is Phase.AGE_CHECK
    sale = rig.shop.snapshot.sale
    rig.shop.report_age_check(sale, passed=True)
    assert rig.phase is Phase.PAYING
    rig.tick(2)
    assert rig.dispenser.fallen[BEER] == 1
    assert [fact for fact in rig.journal.facts if isinstance(fact, AgeCleared)] == [AgeCleared(sale, "passed")]


def test_who_does_not_pass_is_asked_for_an_id(rig: Rig) -> None:
    rig.terminal.default = Pay.WAIT
    rig.buy(BEER)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=False)
    assert rig.phase is Phase.ASK_ID
    assert rig.shop.snapshot.id_methods == ("reader",)
    rig.reader.present(16)
    rig.tick()
    assert rig.phase is Phase.PAYING
    assert rig.reader.wanted is None


def test_who_is_too_young_for_an_id_can_buy_everything_else(rig: Rig) -> None:
    rig.buy(WINE)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=False)
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
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
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


@pytest.mark.parametrize("ways_out", [(ShowId(), Back()), (SetCamera(on=False), Back(), SetCamera(on=True)), (Back(),)])
@pytest.mark.parametrize("product", [BEER, WINE])
def test_a_check_that_was_left_is_not_repeated_until_a_lucky_one(
    rig: Rig, ways_out: tuple[Touch, ...], product: str
) -> None:
    rig.buy(BEER)
    for touch in (*ways_out, Choose(product), Continue()):
        assert rig.phase is not Phase.ATTRACT
        rig.shop.touch(touch)
    assert rig.phase is Phase.ASK_ID
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
    assert rig.phase is Phase.ASK_ID
    rig.reader.present(18)
    rig.tick(1)
    assert rig.phase is Phase.PAYING


def test_another_product_out_of_the_check_is_no_way_around_it(rig: Rig) -> None:
    rig.buy(BEER)
    rig.shop.touch(Choose(WINE))
    rig.shop.touch(Continue())
    assert rig.phase is Phase.ASK_ID


def test_touching_the_check_does_not_end_it(rig: Rig) -> None:
    rig.buy(BEER)
    for touch in (Stay(), Continue(), SetCamera(on=True)):
        rig.shop.touch(touch)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
    assert rig.phase is Phase.PAYING


def test_the_next_visit_has_a_check_of_its_own(rig: Rig) -> None:
    rig.buy(BEER)
    rig.shop.touch(Cancel())
    rig.shop.report_visit_end()
    rig.buy(BEER)
    assert rig.phase is Phase.AGE_CHECK


@pytest.mark.parametrize("fault", [True, False])
def test_to_cancel_and_begin_again_is_no_new_visit(rig: Rig, fault: bool) -> None:
    rig.buy(BEER)
    rig.shop.touch(Cancel())
    if fault:
        for stopped in (True, False):
            rig.shop.stop_selling(stopped)
    rig.after(600)
    rig.buy(BEER)
    assert rig.phase is Phase.ASK_ID


def test_a_full_disk_in_the_middle_is_no_new_visit(rig: Rig) -> None:
    rig.buy(BEER)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=False)
    rig.journal.room = 0
    rig.shop.touch(Cancel())
    assert rig.phase is Phase.OUT_OF_ORDER
    rig.journal.room = None
    rig.after(60)
    rig.buy(BEER)
    assert rig.phase is Phase.ASK_ID


def test_no_visit_ends_before_the_first_screen(rig: Rig) -> None:
    rig.buy(BEER)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=False)
    rig.shop.report_visit_end()
    rig.shop.touch(Back())
    rig.shop.touch(Choose(WINE))
    rig.shop.report_visit_end()
    rig.shop.touch(Continue())
    assert rig.phase is Phase.ASK_ID


def test_a_pass_counts_for_its_own_sale_alone(rig: Rig) -> None:
    rig.terminal.plan([Pay.DECLINE])
    rig.buy(BEER)
    first = rig.shop.snapshot.sale
    rig.shop.report_age_check(first, passed=True)
    rig.tick()
    for touch in (Back(), Choose(WINE), Continue()):
        rig.shop.touch(touch)
    rig.shop.report_age_check(first, passed=True)
    assert rig.phase is Phase.AGE_CHECK
    rig.shop.report_age_check(first, passed=False)
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
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
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
    """No event leads to this state. If one did, the product would still not be handed out."""
    sale, payment = f"{rig.journal.id}-1", f"{rig.journal.id}-1-1"
    ledger = fold([SaleOpened(sale, WINE, "Wine", 990, "EUR", 18), PaymentRequested(sale, payment, 990)], rig.ledger)
    paying = State(ledger, Phase.PAYING, sale=sale, transaction=payment)
    state, effects = step(rig.shop._rules, paying, Approved(payment, 990), rig.now)
    assert state.phase is Phase.REFUNDING
    assert ReversePayment(payment) in effects
    assert not [effect for effect in effects if isinstance(effect, Dispense)]


def test_the_journal_says_only_how_an_age_was_cleared(rig: Rig) -> None:
    rig.buy(WINE)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
    rig.tick(3)
    rows = [row for row in rig.journal.rows if "age" in row and "sale_opened" not in row]
    assert rows == [f'["age_cleared", {{"sale": "{rig.journal.id}-1", "result": "passed", "by": ""}}]']


@pytest.mark.parametrize("how", ["asked", "time"])
def test_a_check_that_asked_for_an_id_is_not_repeated_in_the_same_visit(rig: Rig, how: str) -> None:
    rig.buy(BEER)
    if how == "asked":
        rig.shop.report_age_check(rig.shop.snapshot.sale, passed=False)
    else:
        rig.after(31)
    for slot in (BEER, WINE):
        rig.shop.touch(Back())
        rig.shop.touch(Choose(slot))
        rig.shop.touch(Continue())
        assert rig.phase is Phase.ASK_ID
        rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
        assert rig.phase is Phase.ASK_ID


def test_the_next_customer_is_looked_at_again(rig: Rig) -> None:
    rig.buy(BEER)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=False)
    rig.shop.touch(Cancel())
    assert rig.phase is Phase.ATTRACT
    rig.shop.report_visit_end()
    rig.buy(BEER)
    assert rig.phase is Phase.AGE_CHECK


def test_a_pass_counts_for_one_payment(rig: Rig) -> None:
    rig.terminal.plan([Pay.DECLINE, Pay.WAIT])
    rig.buy(BEER)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
    rig.tick()
    assert rig.phase is Phase.DECLINED
    rig.shop.touch(Continue())
    assert rig.phase is Phase.AGE_CHECK
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
    assert rig.phase is Phase.PAYING


def test_a_pass_does_not_help_without_the_camera_later(rig: Rig) -> None:
    rig.terminal.plan([Pay.DECLINE])
    rig.buy(BEER)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
    rig.tick()
    rig.shop.touch(SetCamera(on=False))
    rig.shop.touch(Continue())
    assert rig.phase is Phase.ASK_ID
    rig.reader.present(40)
    rig.tick()
    assert rig.dropped == 1


def test_an_id_counts_for_every_try_of_its_sale(rig: Rig) -> None:
    rig.terminal.plan([Pay.DECLINE, Pay.WAIT])
    rig.buy(BEER, camera=False)
    rig.reader.present(40)
    rig.tick()
    assert rig.phase is Phase.DECLINED
    rig.shop.touch(Continue())
    assert rig.phase is Phase.PAYING


def test_who_passed_and_walks_away_from_the_payment_leaves_nothing_to_the_next(rig: Rig) -> None:
    rig.terminal.default = Pay.WAIT
    rig.buy(BEER)
    rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)
    rig.tick()
    rig.shop.report_customer_left()
    assert (rig.phase, rig.reason) == (Phase.DECLINED, "timeout")
    rig.tick()
    rig.shop.touch(Continue())
    assert rig.phase is Phase.AGE_CHECK
    assert rig.held == 0
    assert rig.terminal.accounts[f"{rig.journal.id}-1-1"].void


def test_who_showed_an_id_may_look_away_while_paying(rig: Rig) -> None:
    rig.terminal.default = Pay.WAIT
    rig.buy(BEER)
    rig.shop.touch(ShowId())
    rig.reader.present(40)
    rig.tick()
    rig.shop.report_customer_left()
    assert rig.phase is Phase.PAYING
