"""Accepts orders: signed by the operator, for this machine, new and in time. Stores each until it is carried out."""

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
from kiosk.fleet.orders import EVERYBODY, Order, OrderError, load_public_key, open_envelope
from kiosk.fleet.outbox import Outbox

log = logging.getLogger(__name__)

MOST_ORDERS = 100


class OrderInbox:
    """Receives orders and puts accepted ones into `waiting`. Raises `OrderError` for an invalid key."""

    def __init__(
        self, config: FleetConfig, outbox: Outbox, waiting: deque[Order], clock: Callable[[], datetime]
    ) -> None:
        self._config = config
        self._outbox = outbox
        self._clock = clock
        self._key: Ed25519PublicKey | None = load_public_key(config.orders_key) if config.orders_key else None
        self.waiting = waiting

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics of orders; none without a key."""
        names = (self._config.machine, EVERYBODY) if self._key else ()
        return tuple(messages.topic_of(self._config, messages.ORDER, name) for name in names)

    def reload(self) -> None:
        """Loads the orders that an earlier run accepted and did not finish, and verifies their signatures again.

        Raises `sqlite3.Error`, as do the methods below.
        """
        self.waiting.clear()
        if self._key is None:
            return
        for addressee, counter, envelope in self._outbox.orders():
            try:
                self.waiting.append(open_envelope(envelope.encode(), self._key))
            except OrderError as error:  # another version or key, or a changed file
                reason = f"it can no longer be read: {error}"
                log.warning("fleet: order %d for %s that was accepted: %s", counter, addressee, reason)
                self._finish(_result(addressee, counter, "", "refused", reason))

    def receive(self, topic: str, payload: bytes) -> None:
        """Handles a received order. When this returns, the message is acknowledged."""
        assert self._key is not None
        try:
            order = open_envelope(payload, self._key)
        except OrderError as error:
            self._report(_result("", 0, "", "refused", str(error)))
            return
        last = self._outbox.counter(order.machine)
        if order.counter == last:
            return  # the broker sent it twice
        try:
            if topic != messages.topic_of(self._config, messages.ORDER, order.machine):
                raise OrderError(f"it is for {order.machine}")
            if order.counter < last:
                raise OrderError(f"its counter is not above {last}, the last one accepted")
            order.check_time(self._clock())
            if len(self.waiting) >= MOST_ORDERS:
                raise OrderError(f"{MOST_ORDERS} orders are waiting")
        except OrderError as error:
            self._report(_result(order.machine, order.counter, order.set.kind, "refused", str(error)))
            return
        self._outbox.accept(order.machine, order.counter, payload.decode())
        self.waiting.append(order)

    def finish(self, order: Order, outcome: str, reason: str) -> None:
        """Removes an order and queues the message with its outcome."""
        self._finish(_result(order.machine, order.counter, order.set.kind, outcome, reason))

    def _finish(self, data: dict[str, Any]) -> None:
        addressee, counter, weight = data["addressee"], data["counter"], messages.WEIGHTS[messages.RESULT]
        self._outbox.finish_order(addressee, counter, utc_text(self._clock()), messages.RESULT, weight, data)

    def _report(self, data: dict[str, Any]) -> None:
        """Queues the refusal of a message that anybody could have sent. Its low weight displaces nothing else."""
        self._outbox.put(utc_text(self._clock()), messages.RESULT, 0, data)


def _result(addressee: str, counter: int, kind: str, outcome: str, reason: str) -> dict[str, Any]:
    return {
        "kind": "order", "order": kind, "addressee": addressee, "counter": counter, "outcome": outcome, "reason": reason
    }  # fmt: skip
