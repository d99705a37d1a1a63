"""The operator, who settles open questions and refills slots in service mode."""

from __future__ import annotations

from random import Random

from kiosk.app.demo import DemoMachine
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.sale.events import EnterService, LeaveService, PaymentTest, SetStock, Settle, VendTest
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop

COMES = 0.004
"""The probability, at each step, that a needed operator comes; that is within seconds."""
LOW = 3
"""The number of products at or below which a slot is refilled."""


class Operator:
    """Works in service mode, and settles a vend in doubt by what really dropped."""

    def __init__(self, shop: Shop, machine: DemoMachine, catalog: Catalog, random: Random) -> None:
        self._shop = shop
        self._machine = machine
        self._capacity = {product.slot: product.capacity for product in catalog.product}
        self._random = random
        self._tested = False

    def works(self, phase: Phase, *, finishing: bool) -> bool:
        """Takes one step, and returns whether the operator uses the machine now. If `finishing`, begins nothing new."""
        if phase is Phase.SERVICE:
            self._serve(finishing=finishing)
            return True
        idle = phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER) and not self._motor_may_run
        if idle and not finishing and self._is_needed() and self._random.random() < COMES:
            self._tested = False
            self._shop.operate(EnterService())
            return self._shop.snapshot.phase is Phase.SERVICE
        return False

    @property
    def _motor_may_run(self) -> bool:
        """Whether a motor may still run, so that the operator must not reach in."""
        requested = any(sale.goods == "requested" for sale in self._shop.state.ledger.sales.values())
        return requested or bool(self._machine.dispenser._due)

    def _is_needed(self) -> bool:
        return bool(self._waiting()) or any(offer.count <= LOW for offer in self._shop.snapshot.offers)

    def _waiting(self) -> list[str]:
        """Returns the items to settle by hand. Terminal and kiosk settle unconfirmed money between them."""
        return [item.item for item in self._shop.snapshot.attention if item.kind in ("in_doubt", "blocked")]

    def _serve(self, *, finishing: bool) -> None:
        shop = self._shop
        if self._motor_may_run or shop.snapshot.test == "running":
            return
        for item in shop.snapshot.attention:
            if item.kind == "in_doubt":
                shop.operate(Settle(item.item, bool(self._machine.dispenser.dropped[item.item])))
        for offer in shop.snapshot.offers:
            if offer.count <= LOW or offer.blocked or offer.uncertain:
                shop.operate(SetStock(offer.slot, self._capacity[offer.slot], "refill"))
        if not self._tested and not finishing:
            self._tested = True
            if self._random.random() < 0.3:
                shop.operate(VendTest(self._random.choice(sorted(self._capacity))))
            elif self._random.random() < 0.3:
                shop.operate(PaymentTest(1, shop.snapshot.currency))
        else:
            shop.operate(LeaveService())
