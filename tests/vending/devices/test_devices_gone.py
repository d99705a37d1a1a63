"""Terminal or dispenser disconnected at every moment of every kind of sale, for a while or over a restart."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.sale.events import Choose, Start
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import PRICES, WATER, WINE, Rig, settle_everything


def first_screen(rig: Rig) -> None:
    rig.tick()


def products(rig: Rig) -> None:
    rig.shop.touch(Start(True))


def one_product(rig: Rig) -> None:
    rig.choose(WATER)


def age_check(rig: Rig) -> None:
    rig.buy(WINE)


def an_id(rig: Rig) -> None:
    rig.buy(WINE, camera=False)


def paying(rig: Rig) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.buy()


def dispensing(rig: Rig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DISPENSING


def refunding(rig: Rig) -> None:
    rig.dispenser.plan([Vend.JAM])
    rig.terminal.unheard = 1000
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.REFUNDING
    rig.terminal.unheard = 0


def done(rig: Rig) -> None:
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DONE


STATES = (first_screen, products, one_product, age_check, an_id, paying, dispensing, refunding, done)


@pytest.mark.proves("terminal-gone", "dispenser-gone")
@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("gone", ["terminal", "dispenser"])
@pytest.mark.parametrize("state", STATES)
def test_gone_in_any_state_it_costs_nobody_anything(state: Callable[[Rig], None], gone: str, restarts: bool) -> None:
    rig = Rig()
    state(rig)
    getattr(rig, gone).vanish()
    rig.tick()
    assert gone in rig.shop.snapshot.faults
    # Nobody begins a payment now, whatever was touched before.
    charges = len(rig.terminal.accounts)
    settle_everything(rig)
    assert rig.phase is Phase.OUT_OF_ORDER
    rig.shop.touch(Start(True))
    rig.shop.touch(Choose(WATER))
    rig.tick()
    assert rig.phase is Phase.OUT_OF_ORDER
    assert len(rig.terminal.accounts) == charges
    getattr(rig, gone).come_back()
    if restarts:
        rig.start()
    settle_everything(rig)
    rig.tick()
    assert rig.phase is Phase.ATTRACT
    assert not rig.ledger.sales
    assert not rig.ledger.transactions
    if not rig.ledger.doubts:
        assert rig.held == PRICES[WATER] * rig.dropped
    else:
        assert rig.held == 0
    assert rig.ledger == rig.recorded
