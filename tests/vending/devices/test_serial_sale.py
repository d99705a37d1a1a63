"""The whole sale with an MDB reader and a dispenser board: sold, declined, jammed, unplugged at each step."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from kiosk.vending.sale.events import Cancel, Continue
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import WATER
from tests.fakes.serial_rig import SerialRig

PRICE = Decimal("1.80")


@pytest.fixture
def rig(tmp_path: Path) -> SerialRig:
    return SerialRig(tmp_path)


def test_a_machine_is_out_of_order_until_both_devices_answer(rig: SerialRig) -> None:
    rig.shop.tick(rig.now)
    assert rig.shop.snapshot.faults == {"terminal", "dispenser"}
    rig.until_phase(Phase.ATTRACT)
    assert rig.interface.state == "IDLE"


def test_a_sale_from_the_touch_to_the_settled_charge(rig: SerialRig) -> None:
    rig.buy()
    rig.until(lambda: rig.interface.state == "VEND")
    assert rig.phase is Phase.PAYING
    rig.interface.approve()
    rig.until_phase(Phase.DISPENSING)
    assert rig.charged == 0
    rig.until(lambda: rig.board.turning is not None)
    rig.board.drop()
    rig.until(lambda: not rig.ledger.transactions)
    assert rig.phase is Phase.DONE
    assert rig.charged == PRICE
    assert rig.journal.kinds[-6:] == [
        "payment_requested",
        "payment_approved",
        "vend_requested",
        "vend_succeeded",
        "payment_settled",
        "sale_closed",
    ]


def test_a_declined_card_may_try_again(rig: SerialRig) -> None:
    rig.buy()
    rig.until(lambda: rig.interface.state == "VEND")
    rig.interface.deny()
    rig.until_phase(Phase.DECLINED)
    assert rig.shop.snapshot.reason == "card"
    rig.interface.default, rig.board.default = "approve", "drop"
    rig.shop.touch(Continue())
    rig.until_phase(Phase.DONE)
    rig.settle_down()
    assert (rig.charged, rig.dropped) == (PRICE, 1)


def test_a_cancelled_payment_is_cancelled_at_the_reader(rig: SerialRig) -> None:
    rig.buy()
    rig.until(lambda: rig.interface.state == "VEND")
    rig.shop.touch(Cancel())
    rig.until(lambda: not rig.ledger.transactions)
    assert rig.interface.vends[0].end == "cancelled"
    assert "payment_reversed" in rig.journal.kinds


@pytest.mark.parametrize("end", ["jam", "miss"])
def test_what_did_not_fall_is_paid_back(rig: SerialRig, end: str) -> None:
    rig.interface.default = "approve"
    rig.buy()
    rig.until(lambda: rig.board.turning is not None)
    getattr(rig.board, end)()
    rig.until_phase(Phase.DONE)
    assert rig.shop.snapshot.reason == "refunded"
    assert rig.interface.vends[0].end == "failure"
    assert rig.charged == 0


STEPS = ["paying", "vend", "approved", "turning", "dropped"]


def walk(rig: SerialRig, step: str) -> None:
    """Runs a sale up to a step."""
    rig.buy()
    if step == "paying":
        return
    rig.until(lambda: rig.interface.state == "VEND")
    if step == "vend":
        return
    rig.interface.approve()
    if step == "approved":
        return
    rig.until(lambda: rig.board.turning is not None)
    if step == "dropped":
        rig.board.drop()


def finish(rig: SerialRig) -> None:
    """Lets everything that still waits succeed."""
    rig.run(5)
    rig.interface.approve()
    rig.run(5)
    rig.board.drop()
    rig.settle_down()


def assert_all_is_well(rig: SerialRig) -> None:
    """No customer pays without a product, and whatever is uncertain is on the operator's list."""
    assert max(rig.board.turned.values(), default=0) <= 1
    certain = not rig.ledger.doubts and not rig.ledger.transactions
    if certain:
        assert rig.charged == PRICE * rig.dropped
    assert rig.charged <= PRICE * rig.dropped or rig.ledger.doubts
    assert rig.phase is Phase.ATTRACT or rig.shop.snapshot.attention


@pytest.mark.proves("line-unplugged")
@pytest.mark.parametrize("which", ["payment_line", "dispenser_line"])
@pytest.mark.parametrize("step", STEPS)
def test_a_line_unplugged_at_any_step_costs_nobody_anything(rig: SerialRig, step: str, which: str) -> None:
    walk(rig, step)
    getattr(rig, which).unplug()
    rig.run(3)
    assert {"payment_line": "terminal", "dispenser_line": "dispenser"}[which] in rig.shop.snapshot.faults
    getattr(rig, which).plug()
    finish(rig)
    assert_all_is_well(rig)
    assert not rig.ledger.transactions
    assert rig.phase is Phase.ATTRACT


@pytest.mark.proves("line-unplugged")
@pytest.mark.parametrize("which", ["interface", "board"])
@pytest.mark.parametrize("step", STEPS)
def test_a_device_that_loses_its_power_at_any_step_costs_the_customer_nothing(
    rig: SerialRig, step: str, which: str
) -> None:
    walk(rig, step)
    getattr(rig, which).lose_power()
    finish(rig)
    assert_all_is_well(rig)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("reader_too", [False, True])
def test_a_restart_of_the_kiosk_at_any_step_costs_nobody_anything(rig: SerialRig, step: str, reader_too: bool) -> None:
    walk(rig, step)
    if reader_too:
        rig.interface.lose_power()
    rig.start()
    finish(rig)
    assert_all_is_well(rig)
    assert not rig.interface.open


def test_a_board_that_receives_a_vend_too_late_turns_nothing(rig: SerialRig) -> None:
    rig.interface.default = "approve"
    rig.buy()
    rig.until_phase(Phase.DISPENSING)
    rig.until(lambda: any("VEND" in line for line in rig.dispenser_line.sent))
    rig.dispenser_line.held = True
    rig.run(10)
    rig.dispenser_line.held = False
    rig.run(3)
    assert not rig.board.turned
    rig.settle_down()
    assert rig.charged == 0
    assert not rig.ledger.doubts
    assert rig.ledger.slot(WATER).count == 3
