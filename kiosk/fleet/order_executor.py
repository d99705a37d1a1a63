"""Carries out orders, in the sale's thread: one at a time, and only while nobody is at the machine.

They use the functions of service mode, so that the journal records them in the same way. Every order may be carried out
twice: if a crash prevented the result, the order is carried out again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from kiosk.common.errors import KioskError
from kiosk.fleet import orders as remote
from kiosk.fleet.engine_trial import EngineTrial
from kiosk.fleet.orders import Order, OrderError, SetOutOfOrder, UseEngine
from kiosk.vending.journal import JournalError
from kiosk.vending.journal.operator_settings import OUT_OF_ORDER, OperatorSettings
from kiosk.vending.sale.events import SetPrice
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop


class Orders(Protocol):
    """The source of orders: `kiosk.fleet.service.Fleet`."""

    def next_order(self) -> Order | None:
        """Returns the oldest order, the same one until it is finished."""

    def finish(self, order: Order, outcome: str, reason: str = "") -> None:
        """Reports the outcome of an order."""


class OrderExecutor:
    """Carries out the orders of a fleet. `engines` is None if the machine accepts no orders for engines."""

    def __init__(
        self,
        orders: Orders,
        shop: Shop,
        settings: OperatorSettings,
        engines: EngineTrial | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._orders = orders
        self._shop = shop
        self._settings = settings
        self._engines = engines
        self._clock = clock
        self._current: Order | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody is at the machine and the journal can be written."""
        snapshot = self._shop.snapshot
        return snapshot.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER) and "journal" not in snapshot.faults

    def advance(self, now: float) -> None:
        """Continues the oldest order at `now`, in seconds of a monotonic clock."""
        order = self._orders.next_order()
        if order is None:
            return
        try:
            if order is not self._current:
                if not self.is_idle:
                    return
                if not self._is_under_way(order):
                    order.check_time(self._clock())
                self._current = order
            outcome = self._carry_out(order, now)
        except JournalError:
            return  # tried again when the journal can be written
        except (KioskError, OSError) as error:
            self._orders.finish(order, "refused", str(error))
        else:
            if outcome:
                self._orders.finish(order, outcome)

    def _is_under_way(self, order: Order) -> bool:
        """Returns whether an earlier run of the program began the order: a trial is always finished."""
        if self._engines is None or not isinstance(order.set, UseEngine):
            return False
        return self._engines.has_begun(order.set.sha256, _name(order))

    def _carry_out(self, order: Order, now: float) -> str | None:
        """Returns the outcome, or None if the order is not finished."""
        match order.set:
            case remote.SetPrice(slot=slot, price=price):
                return self._set_price(slot, price)
            case SetOutOfOrder(on=on):
                self._settings.set(OUT_OF_ORDER, int(on))
                self._shop.stop_selling(on)
                return "applied"
            case UseEngine(sha256=sha256):
                if self._engines is None:
                    raise OrderError("this machine accepts no engine by order: set fleet.engines to a folder")
                return self._engines.advance(sha256, now, order=_name(order), idle=self.is_idle)

    def _set_price(self, slot: str, price: int) -> str | None:
        if slot not in {offer.slot for offer in self._shop.snapshot.offers}:
            raise OrderError(f"there is no slot {slot}")
        if not self.is_idle:
            return None
        if self._price(slot) != price:
            self._shop.operate(SetPrice(slot, price))
        return "applied" if self._price(slot) == price else None  # None: the journal failed; tried again

    def _price(self, slot: str) -> int:
        return next(offer.price for offer in self._shop.snapshot.offers if offer.slot == slot)


def _name(order: Order) -> str:
    return f"{order.machine}/{order.counter}"
