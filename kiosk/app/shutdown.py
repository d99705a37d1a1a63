"""When the program may end without throwing a sale into doubt."""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.vending.sale.events import Cancel
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop

BRIEFLY = 5.0
"""Seconds for the terminal to acknowledge what it owes an answer to; the next start asks it again."""

_UNDER_WAY = (Phase.PAYING, Phase.DISPENSING, Phase.REFUNDING)


class SaleEnd:
    """Asked again and again; from the first time on nothing new is sold, and a payment is cancelled.

    A phase that waits for a device ends by its own time-out, which is the shop's to keep; whoever asks here waits that
    long and no longer.
    """

    def __init__(self, shop: Shop, clock: Callable[[], float] = time.monotonic) -> None:
        self._shop = shop
        self._clock = clock
        self._waits_for: tuple[Phase, bool] | None = None
        self._until = 0.0

    def __call__(self) -> bool:
        """Whether nothing is under way any more."""
        if self._waits_for is None:
            self._shop.stop_selling(True)
            if self._shop.snapshot.phase is Phase.PAYING:
                self._shop.touch(Cancel())
        snapshot = self._shop.snapshot
        under_way = snapshot.phase in _UNDER_WAY or snapshot.test == "running"
        if not under_way and not self._owed():
            return True
        if (snapshot.phase, under_way) != self._waits_for:
            self._waits_for = snapshot.phase, under_way
            own = snapshot.seconds_left or 0.0 if under_way else 0.0
            self._until = self._clock() + own + BRIEFLY
        return self._clock() >= self._until

    def _owed(self) -> bool:
        transactions = self._shop.state.ledger.transactions.values()
        return any(transaction.state in ("settling", "reversing") for transaction in transactions)
