"""What the operator does to the sale from service mode."""

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

_OPENABLE = BEFORE_DISPENSING | {Phase.ATTRACT, Phase.OUT_OF_ORDER, Phase.DONE}


class OperationError(KioskError):
    """A setting from service mode that cannot be."""


def check_operation(operation: Operation, catalog: Catalog) -> None:
    """Raises `OperationError` for stock or a price that cannot be."""
    if isinstance(operation, SetStock):
        capacity = {product.slot: product.capacity for product in catalog.product}
        if operation.slot not in capacity:
            raise OperationError(f"there is no slot {operation.slot}")
        if not 0 <= operation.count <= capacity[operation.slot]:
            raise OperationError(f"slot {operation.slot} holds 0 to {capacity[operation.slot]} products")
    if isinstance(operation, SetPrice) and operation.price not in PRICES:
        raise OperationError(f"a price is a whole number of minor units from {PRICES[0]} to {PRICES[-1]}")


def on_operation(turn: Transition, operation: Operation) -> None:
    """The operator's wish, where it is possible; stock and prices were checked before, see `check_operation`."""
    in_service = turn.state.phase is Phase.SERVICE
    match operation:
        case EnterService() if turn.state.phase in _OPENABLE:
            turn.leave(Phase.SERVICE, "service")
            turn.state = replace(turn.state, sale=None, camera=None)
        case LeaveService() if in_service and not turn.state.is_testing:
            turn.go(Phase.ATTRACT)
        case VendTest() if in_service and not turn.state.is_testing and operation.slot in turn.rules.items:
            sale = _open_test(turn, operation.slot, 0, turn.rules.items[operation.slot].currency)
            _wait(turn, turn.rules.timeouts.dispensing)
            turn.record(VendRequested(sale, operation.slot))
            turn.act(Dispense(sale, operation.slot))
        case PaymentTest() if in_service and not turn.state.is_testing:
            sale = _open_test(turn, "", operation.amount, operation.currency)
            _wait(turn, turn.rules.timeouts.paying)
            turn.record(PaymentRequested(sale, f"{sale}-1", operation.amount))
            turn.act(Authorize(f"{sale}-1", operation.amount, operation.currency))
            turn.state = replace(turn.state, transaction=f"{sale}-1")
        case SetStock():
            turn.record(StockSet(operation.slot, operation.count, operation.reason))
        case SetPrice() if operation.slot in turn.rules.items:
            item = turn.rules.items[operation.slot]
            turn.record(PriceSet(operation.slot, operation.price, item.price, item.currency))
        case Settle() if _is_open(turn, operation.item):
            turn.record(SettledByOperator(operation.item, operation.dropped))
        case ServicePinRefused():
            turn.record(PinRefused("service", locked_s=operation.locked_s))


def _open_test(turn: Transition, slot: str, price: int, currency: str) -> str:
    sale = turn.new_sale()
    product = turn.rules.items[slot].product if slot else ""
    turn.record(SaleOpened(sale, slot, product, price, currency, 0, test=True))
    turn.state = replace(turn.state, sale=sale)
    return sale


def _wait(turn: Transition, seconds: float) -> None:
    turn.state = replace(turn.state, deadline=Deadline(turn.now + seconds))


def _is_open(turn: Transition, item: str) -> bool:
    """Whether a person may settle this: a vend in doubt, a damaged journal, or money that the terminal has to end."""
    ledger = turn.state.ledger
    owed = [each for each in ledger.transactions.values() if each.state in ("settling", "reversing")]
    return item in ledger.doubts or item in ledger.replaced or any(item in (each.id, each.sale) for each in owed)
