"""Decides when the program may end without leaving a sale in doubt."""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.vending.sale.events import Cancel
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop

ACKNOWLEDGE_WITHIN = 5.0
"""Seconds in which the terminal may acknowledge what is open. The next start asks it again."""

_UNDER_WAY = (Phase.PAYING, Phase.DISPENSING, Phase.REFUNDING)


class ShutdownGuard:
    """Call it repeatedly until it returns True. The first call stops new sales and cancels a payment.

    A phase that waits for a device ends by its own time-out, which the shop keeps. The wait here is no longer than
    that.
    """

    def __init__(self, shop: Shop, clock: Callable[[], float] = time.monotonic) -> None:
        self._shop = shop
        self._clock = clock
        self._waits_for: tuple[Phase, bool] | None = None
        self._until = 0.0

    def __call__(self) -> bool:
        """Returns whether the program may end now."""
        if self._waits_for is None:
            self._shop.stop_selling(True)
            if self._shop.snapshot.phase is Phase.PAYING:
                self._shop.touch(Cancel())
        snapshot = self._shop.snapshot
        under_way = snapshot.phase in _UNDER_WAY or snapshot.test == "running"
        if not under_way and not self._has_open_transactions():
            return True
        if (snapshot.phase, under_way) != self._waits_for:
            self._waits_for = snapshot.phase, under_way
            own = snapshot.seconds_left or 0.0 if under_way else 0.0
            self._until = self._clock() + own + ACKNOWLEDGE_WITHIN
        return self._clock() >= self._until

    def _has_open_transactions(self) -> bool:
        transactions = self._shop.state.ledger.transactions.values()
        return any(transaction.state in ("settling", "reversing") for transaction in transactions)
