"""The operator's actions in service mode: tests of the devices, stock, prices, and settling by hand."""

from __future__ import annotations

from dataclasses import replace

from kiosk.common.errors import KioskError
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.catalog.currency import PRICES
from kiosk.vending.journal.facts import (
    PaymentRequested,
    PinRefused,
    PriceSet,
    SaleOpened,
    SettledByOperator,
    StockSet,
    VendRequested,
)
from kiosk.vending.sale.events import (
    EnterService,
    LeaveService,
    Operation,
    PaymentTest,
    ServicePinRefused,
    SetPrice,
    SetStock,
    Settle,
    VendTest,
)
from kiosk.vending.sale.state import BEFORE_DISPENSING, Authorize, Deadline, Dispense, Phase
from kiosk.vending.sale.transition import Transition

_MAY_ENTER_SERVICE = BEFORE_DISPENSING | {Phase.ATTRACT, Phase.OUT_OF_ORDER, Phase.DONE}


class OperationError(KioskError):
    """An operation of service mode has an impossible value."""


def check_operation(operation: Operation, catalog: Catalog) -> None:
    """Raises `OperationError` for an unknown slot, and for a stock or a price out of range."""
    if isinstance(operation, SetStock):
        capacity = {product.slot: product.capacity for product in catalog.product}
        if operation.slot not in capacity:
            raise OperationError(f"there is no slot {operation.slot}: name one of the catalogue")
        if not 0 <= operation.count <= capacity[operation.slot]:
            raise OperationError(f"slot {operation.slot} holds 0 to {capacity[operation.slot]} products")
    if isinstance(operation, SetPrice) and operation.price not in PRICES:
        raise OperationError(f"a price is a whole number of minor units from {PRICES[0]} to {PRICES[-1]}")


def on_operation(transition: Transition, operation: Operation) -> None:
    """Handles an operation if the phase allows it. `check_operation` has checked its values."""
    state, rules = transition.state, transition.rules
    is_idle_service = state.phase is Phase.SERVICE and not state.is_testing
    match operation:
        case EnterService() if state.phase in _MAY_ENTER_SERVICE:
            transition.leave_sale(Phase.SERVICE, "service")
            transition.state = replace(transition.state, sale=None, camera=None)
        case LeaveService() if is_idle_service:
            transition.enter(Phase.ATTRACT)
        case VendTest() if is_idle_service and operation.slot in rules.items:
            sale = _open_test(transition, operation.slot, 0, rules.items[operation.slot].currency)
            _set_deadline(transition, rules.timeouts.dispensing)
            transition.record(VendRequested(sale, operation.slot))
            transition.add(Dispense(sale, operation.slot))
        case PaymentTest() if is_idle_service:
            sale = _open_test(transition, "", operation.amount, operation.currency)
            _set_deadline(transition, rules.timeouts.paying)
            transition.record(PaymentRequested(sale, f"{sale}-1", operation.amount))
            transition.add(Authorize(f"{sale}-1", operation.amount, operation.currency))
            transition.state = replace(transition.state, transaction=f"{sale}-1")
        case SetStock():
            transition.record(StockSet(operation.slot, operation.count, operation.reason))
        case SetPrice() if operation.slot in rules.items:
            item = rules.items[operation.slot]
            transition.record(PriceSet(operation.slot, operation.price, item.price, item.currency))
        case Settle() if _can_settle(transition, operation.item):
            transition.record(SettledByOperator(operation.item, operation.dropped))
        case ServicePinRefused():
            transition.record(PinRefused("service", locked_s=operation.locked_s))


def _open_test(transition: Transition, slot: str, price: int, currency: str) -> str:
    sale = transition.new_sale_id()
    product = transition.rules.items[slot].product if slot else ""
    transition.record(SaleOpened(sale, slot, product, price, currency, 0, test=True))
    transition.state = replace(transition.state, sale=sale)
    return sale


def _set_deadline(transition: Transition, seconds: float) -> None:
    transition.state = replace(transition.state, deadline=Deadline(transition.now + seconds))


def _can_settle(transition: Transition, item: str) -> bool:
    """Tells whether a person may settle `item`: an unknown vend, a replaced journal, or an unacknowledged payment."""
    ledger = transition.state.ledger
    owed = [each for each in ledger.transactions.values() if each.state in ("settling", "reversing")]
    return item in ledger.doubts or item in ledger.replaced or any(item in (each.id, each.sale) for each in owed)
