"""Which orders a machine takes: the operator's, for it, new, in time; each is kept until it was carried out."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kiosk.common.utc import utc_text
from kiosk.config import FleetConfig
from kiosk.fleet import messages
from kiosk.fleet.orders import EVERYBODY, Order, OrderError, opened, public_key
from kiosk.fleet.outbox import Outbox

log = logging.getLogger(__name__)

MOST_ORDERS = 100


class OrderInbox:
    """`waiting` is for whoever carries the orders out. Raises `OrderError` for a bad key."""

    def __init__(
        self, config: FleetConfig, outbox: Outbox, waiting: deque[Order], clock: Callable[[], datetime]
    ) -> None:
        self._config = config
        self._outbox = outbox
        self._clock = clock
        self._key: Ed25519PublicKey | None = public_key(config.orders_key) if config.orders_key else None
        self.waiting = waiting

    @property
    def topics(self) -> tuple[str, ...]:
        """Where orders come from; nowhere without a key."""
        names = (self._config.machine, EVERYBODY) if self._key else ()
        return tuple(messages.topic_of(self._config, messages.ORDER, name) for name in names)

    def remember(self) -> None:
        """What an earlier run accepted and did not finish, once more only by its signature: a file may be changed.

        Raises `sqlite3.Error`, as all that follows.
        """
        self.waiting.clear()
        if self._key is None:
            return
        for addressee, counter, envelope in self._outbox.orders():
            try:
                self.waiting.append(opened(envelope.encode(), self._key))
            except OrderError as error:  # of another version or key, or not what was accepted
                reason = f"it cannot be read any more: {error}"
                log.warning("fleet: order %d for %s that was accepted: %s", counter, addressee, reason)
                self._finish(_result(addressee, counter, "", "refused", reason))

    def hear(self, topic: str, payload: bytes) -> None:
        """An order came. Once this returns, the broker forgets it."""
        assert self._key is not None
        try:
            order = opened(payload, self._key)
        except OrderError as error:
            self._tell(_result("", 0, "", "refused", str(error)))
            return
        last = self._outbox.counter(order.machine)
        if order.counter == last:
            return  # the broker says it twice
        try:
            if topic != messages.topic_of(self._config, messages.ORDER, order.machine):
                raise OrderError(f"it is for {order.machine}")
            if order.counter < last:
                raise OrderError(f"its counter is no more than {last}")
            order.check_time(self._clock())
            if len(self.waiting) >= MOST_ORDERS:
                raise OrderError(f"{MOST_ORDERS} orders are waiting")
        except OrderError as error:
            self._tell(_result(order.machine, order.counter, order.set.kind, "refused", str(error)))
            return
        self._outbox.accept(order.machine, order.counter, payload.decode())
        self.waiting.append(order)

    def finished(self, order: Order, outcome: str, reason: str) -> None:
        """What came of an order."""
        self._finish(_result(order.machine, order.counter, order.set.kind, outcome, reason))

    def _finish(self, data: dict[str, Any]) -> None:
        addressee, counter, weight = data["addressee"], data["counter"], messages.WEIGHTS[messages.RESULT]
        self._outbox.finish(addressee, counter, utc_text(self._clock()), messages.RESULT, weight, data)

    def _tell(self, data: dict[str, Any]) -> None:
        """Anybody who may publish could send such orders, or old ones again: they are told, and push out nothing."""
        self._outbox.put(utc_text(self._clock()), messages.RESULT, 0, data)


def _result(addressee: str, counter: int, kind: str, outcome: str, reason: str) -> dict[str, Any]:
    return {
        "kind": "order", "order": kind, "addressee": addressee, "counter": counter, "outcome": outcome, "reason": reason
    }  # fmt: skip
