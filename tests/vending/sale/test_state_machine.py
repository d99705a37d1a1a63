"""The sale from the first screen and back: a customer's touches, and timeouts."""

from __future__ import annotations

import pytest

from kiosk.vending.devices.protocols import Approved
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal.facts import SaleClosed
from kiosk.vending.sale.events import (
    Cancel,
    Choose,
    Continue,
    SetCamera,
    Stay,
)
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import BEER, PRICES, STOCK, WATER, Rig, settle_everything


@pytest.fixture
def rig() -> Rig:
    return Rig()


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


@pytest.mark.proves("block-screen")
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
    rig.terminal.default = Pay.WAIT
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


def test_walking_away_ends_the_sale_of_a_watched_customer(rig: Rig) -> None:
    rig.buy(BEER)
    rig.shop.report_customer_left()
    assert rig.phase is Phase.ATTRACT
    assert rig.kinds_of_last_sale() == ["sale_opened", "sale_closed"]


def test_nobody_walks_away_unwatched_nor_from_a_payment(rig: Rig) -> None:
    rig.choose(WATER, camera=False)
    rig.shop.report_customer_left()
    assert rig.phase is Phase.SELECTED
    rig.shop.touch(SetCamera(on=True))
    rig.terminal.default = Pay.WAIT
    rig.shop.touch(Continue())
    rig.shop.report_customer_left()
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
    rig.terminal.say(Approved("unrequested", 1))
    rig.tick()
    rig.shop.touch(Cancel())
    assert rig.phase is Phase.OUT_OF_ORDER
    assert len(rig.journal.rows) == rows  # what it has may be more than this run knows: it is read again first
    rig.after(2)
    assert rig.phase is Phase.ATTRACT
    assert rig.journal.kinds[rows:] == ["journal_reopened", "sale_closed", "payment_approved", "reversal_requested"]
    assert rig.ledger == rig.recorded


@pytest.mark.proves("disk-full")
@pytest.mark.parametrize("restarts", [True, False])
@pytest.mark.parametrize("room", range(8))
def test_a_disk_that_fills_up_anywhere_costs_nobody_anything(rig: Rig, room: int, restarts: bool) -> None:
    rig.journal.room = room
    rig.buy()
    rig.tick(3)
    rig.journal.room = None
    if restarts:
        rig.start()
    rig.tick(3)
    settle_everything(rig)
    assert rig.held == (PRICES[WATER] if rig.dropped and not rig.ledger.doubts else 0)
    assert rig.phase is Phase.ATTRACT
    assert not rig.ledger.sales
    assert rig.ledger == rig.recorded


def test_money_that_a_failing_journal_left_behind_is_claimed_and_comes_back(rig: Rig) -> None:
    rig.terminal.plan([Pay.APPROVE])
    rig.buy()
    sale = rig.shop.snapshot.sale
    rig.journal.room = 0
    rig.tick()
    assert (rig.phase, rig.shop.snapshot.claim, rig.held) == (Phase.OUT_OF_ORDER, sale, PRICES[WATER])
    for _ in range(100):
        rig.after(1)
    assert (rig.phase, rig.shop.snapshot.claim) == (Phase.OUT_OF_ORDER, sale)
    assert 4 <= rig.journal.reopened <= 8  # at growing intervals
    rig.journal.room = None
    rig.after(30)
    rig.tick()
    assert (rig.phase, rig.shop.snapshot.claim, rig.held, rig.dropped) == (Phase.ATTRACT, None, 0, 0)
    assert SaleClosed(sale, "refunded") in rig.journal.facts


def test_a_motor_whose_answer_could_not_be_journalled_is_in_doubt_and_its_answer_kept(rig: Rig) -> None:
    rig.dispenser.default = Vend.WAIT
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DISPENSING
    rig.dispenser.drop()
    rig.journal.room = 0
    rig.tick()
    rig.journal.room = None
    rig.after(3)
    rig.tick()
    (thing,) = rig.shop.snapshot.attention
    assert (thing.kind, thing.reported, rig.held) == ("in_doubt", True, 0)


def test_what_devices_say_while_the_journal_fails_is_heard_afterwards(rig: Rig) -> None:
    rig.choose(WATER)
    rig.journal.room = 0
    rig.shop.touch(Continue())
    rig.terminal.vanish()
    rig.tick()
    rig.shop.stop_selling(True)
    rig.journal.room = None
    rig.after(2)
    assert rig.shop.snapshot.faults == {"terminal", "operator"}
    rig.terminal.come_back()
    rig.shop.stop_selling(False)
    rig.tick()
    assert rig.phase is Phase.ATTRACT


@pytest.mark.parametrize("late", [0.0, 1000.0])
def test_an_approval_is_heard_before_the_time_is_up(rig: Rig, late: float) -> None:
    """The message and the deadline come in the same tick, as after a stall. The message counts."""
    rig.terminal.plan([Pay.WAIT])
    rig.buy()
    rig.terminal.approve()
    rig.after(90 + late)
    assert rig.phase is Phase.DISPENSING
    settle_everything(rig)
    assert rig.held == PRICES[WATER]


def test_a_drop_is_heard_before_the_time_is_up(rig: Rig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.buy()
    rig.tick()
    rig.dispenser.drop()
    rig.after(46)
    assert (rig.phase, rig.reason) == (Phase.DONE, "sold")
    assert rig.ledger.uncertain(WATER) == 0


def test_an_acknowledged_reversal_is_not_sent_again(rig: Rig) -> None:
    rig.terminal.plan([Pay.SILENCE])
    rig.buy()
    rig.shop.touch(Cancel())  # the reversal is sent and acknowledged at once, to be heard by the next tick
    sent: list[str] = []
    rig.terminal.reverse = sent.append  # type: ignore[method-assign]
    rig.after(2)
    assert sent == []


def test_a_clock_that_goes_back_gives_no_time(rig: Rig) -> None:
    rig.choose(WATER)
    rig.after(10)
    left = rig.shop.snapshot.seconds_left
    rig.shop.tick(rig.now - 500)
    assert rig.shop.snapshot.seconds_left == left


def test_a_journal_that_fails_again_is_opened_again_as_soon_as_at_first(rig: Rig) -> None:
    for _ in range(2):
        rig.journal.room = 0
        rig.choose(WATER)
        assert rig.shop.snapshot.faults == {"journal"}
        for _ in range(6):
            rig.after(31)
        rig.journal.room = None
        rig.after(31)
        assert rig.phase is Phase.ATTRACT
    rig.journal.room = 0
    rig.choose(WATER)
    rig.journal.room = None
    rig.after(2)
    assert rig.phase is Phase.ATTRACT
