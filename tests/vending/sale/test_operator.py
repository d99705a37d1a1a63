"""The operator's actions: stock, prices, device tests, stopping the sale."""

from __future__ import annotations

import pytest

from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal.facts import SaleOpened, StockSet, VendFailed, VendRequested, parse_fact
from kiosk.vending.journal.ledger import fold
from kiosk.vending.sale.events import (
    Cancel,
    LeaveService,
    PaymentTest,
    SetPrice,
    SetStock,
    Settle,
    VendTest,
)
from kiosk.vending.sale.operator import OperationError
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import STOCK, WATER, WINE, Rig, assert_paid_for_nothing, settle_everything


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_an_operator_who_stops_the_sale_lets_a_paid_one_end(rig: Rig) -> None:
    rig.terminal.default = Pay.WAIT
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
    assert rig.ledger.price(WATER, 180, "EUR") == 200
    assert rig.ledger.price(WATER, 190, "EUR") == 190
    assert rig.ledger.price(WATER, 180, "JPY") == 180


def test_a_price_of_a_row_without_a_currency_does_not_hold() -> None:
    fact = parse_fact("price_set", {"slot": WATER, "price": 200, "instead_of": 180})
    assert fold([fact]).price(WATER, 180, "EUR") == 180


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
    rig.terminal.plan([Pay.APPROVE_SILENTLY])
    rig.buy()
    rig.into_service()
    assert rig.phase is Phase.SERVICE
    rig.shop.operate(LeaveService())
    settle_everything(rig)
    assert rig.held == 0
    rig.dispenser.default = Vend.WAIT
    rig.buy()
    rig.tick()
    rig.into_service()
    assert rig.phase is Phase.DISPENSING


@pytest.mark.parametrize("dropped", [True, False])
def test_settling_what_became_of_the_goods_leaves_the_refund_under_way(rig: Rig, dropped: bool) -> None:
    rig.dispenser.plan([Vend.SILENCE])
    rig.buy()
    rig.tick()
    rig.terminal.vanish()
    rig.after(46)  # the drop sensor never answered: in doubt, and the terminal is away
    rig.shop.operate(Settle(rig.shop.snapshot.attention[0].item, dropped))
    assert rig.held == 180
    rig.start()
    rig.terminal.come_back()
    settle_everything(rig)
    assert_paid_for_nothing(rig)


def test_leaving_service_at_its_time_out_leaves_it(rig: Rig) -> None:
    rig.into_service()
    rig.shop.touch(Cancel())
    assert rig.phase is Phase.ATTRACT


def test_settling_an_empty_slot_invents_no_stock(rig: Rig) -> None:
    rig.fill(WINE, 0)
    rig.into_service()
    rig.dispenser.plan([Vend.SILENCE])
    rig.shop.operate(VendTest(WINE))
    rig.tick()
    rig.after(46)
    rig.shop.operate(Settle(rig.shop.snapshot.attention[0].item, dropped=False))
    assert rig.ledger.slot(WINE).count == 0


def test_a_refund_that_comes_while_the_customer_reads_is_told(rig: Rig) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.buy()
    rig.tick()
    rig.terminal.vanish()
    rig.dispenser.jam()
    rig.tick()
    rig.after(21)
    assert (rig.phase, rig.reason) == (Phase.DONE, "refund_pending")
    rig.terminal.come_back()
    rig.tick(140)  # until the reversal is sent again
    assert (rig.phase, rig.reason) == (Phase.DONE, "refunded")
    assert rig.held == 0


def test_money_that_is_owed_is_told_in_its_own_currency(rig: Rig) -> None:
    rig.terminal.plan([Pay.APPROVE_SILENTLY])
    rig.terminal.unheard = 99
    rig.buy()
    for _ in range(8):
        rig.after(61)
    (thing,) = rig.shop.snapshot.attention
    assert (thing.kind, thing.amount, thing.currency) == ("unsettled", 180, "EUR")


def test_a_slot_that_no_catalogue_has_any_more_is_no_trouble(rig: Rig) -> None:
    rig.journal.append(StockSet("Z9", 2, "refill"))
    rig.journal.append(SaleOpened("x-1", "Z9", "Gone", 1, "EUR", 0))
    rig.journal.append(VendRequested("x-1", "Z9"))
    rig.journal.append(VendFailed("x-1", "Z9", "jam"))
    rig.start()
    rig.tick()
    assert rig.ledger.slot("Z9").blocked
    assert rig.shop.snapshot.attention == ()
    assert {offer.slot for offer in rig.shop.snapshot.offers} == {"A1", "B1", "B2"}


def test_service_mode_begins_without_the_customer_before_it(rig: Rig) -> None:
    rig.terminal.unheard = 99
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DONE
    rig.into_service()
    snapshot = rig.shop.snapshot
    assert (snapshot.phase, snapshot.sale, snapshot.camera, snapshot.test) == (Phase.SERVICE, None, None, "none")
