"""Fills the outbox and sends it to the broker, step by step.

Only the thread of `kiosk.fleet.service` uses it. The window's thread puts calls into its `inbox`.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import sqlite3
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.common.backoff import Backoff
from kiosk.common.errors import KioskError
from kiosk.common.utc import utc_now, utc_text
from kiosk.config import FleetConfig
from kiosk.fleet import messages
from kiosk.fleet.audience import VisitorCounter
from kiosk.fleet.delivery import Delivery, JournalStream, Message, OutboxStream, Stream
from kiosk.fleet.messages import MachineStatus, topic_of
from kiosk.fleet.mqtt import Link, LinkError
from kiosk.fleet.order_inbox import OrderInbox
from kiosk.fleet.orders import Order
from kiosk.fleet.outbox import Outbox
from kiosk.vending.journal import JournalError

log = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds until the next attempt, made up to half as long again at random: many machines lose a broker at once."""

STEADY_S = 60.0
"""Seconds of connection after which the next loss counts as the first."""

JOURNAL_AGAIN_S = 30.0
SILENT_S = 60.0
"""Seconds without a report from the window's thread after which the machine does not count as healthy."""

_AROUND = 16  # the most bytes of a packet besides topic and payload
_SAID = 20  # the number of logged problems that are remembered


class Worker:
    """One machine's connection to its fleet.

    Raises `sqlite3.Error` and `OSError` if the outbox cannot be used, `OrderError` for an invalid key.
    """

    def __init__(
        self,
        config: FleetConfig,
        journal: Path,
        outbox: Outbox,
        inbox: deque[Callable[[Worker], None]] | None = None,
        orders: deque[Order] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._config = config
        self._journal = journal
        self._outbox = outbox
        self._inbox = deque() if inbox is None else inbox
        self._order_inbox = OrderInbox(config, outbox, deque() if orders is None else orders, clock)
        self._clock = clock
        self._now = 0.0
        self._visitors = VisitorCounter()
        self._status: MachineStatus | None = None
        self._status_at = self._health_at = 0.0
        self._link: Link | None = None
        self._of_journal: Delivery | None = None
        self._of_outbox: Delivery | None = None
        self._connect_at = self._journal_at = 0.0
        self._steady_at: float | None = None
        self._backoff = Backoff(BACK_OFF_S)
        self._logged: deque[str] = deque(maxlen=_SAID)
        self._knows_orders = False
        if outbox.was_replaced:
            self.put(messages.ERROR, {"kind": "outbox_renewed"})

    # Steps

    def step(self, now: float) -> float:
        """Does what is due at `now`, in seconds of a monotonic clock. Returns the seconds until the next step."""
        self._now = now
        while self._inbox:
            call = self._inbox.popleft()
            try:
                call(self)
            except (sqlite3.Error, OSError):
                self._inbox.appendleft(call)  # first again once the outbox can be written
                raise
        if not self._knows_orders:  # only now, when finished orders are removed
            self._knows_orders = True
            self._order_inbox.reload()
        self._count_hour()
        self._report_health()
        if self._link is None and now < self._connect_at:
            return min(self._connect_at - now, 1.0)
        try:
            if self._link is None:
                self._connect()
            self._exchange()
        except (KioskError, OSError) as error:
            self._disconnect(error)
        return 0.0

    def end(self, why: str = "stopped") -> None:
        """Publishes the state `offline` with the reason and disconnects, if connected."""
        if self._link is not None:
            with suppress(KioskError, OSError, sqlite3.Error):  # also from an order that arrives now
                packet = self._link.publish(*self._state("offline", why), retain=True)
                for _ in range(10):
                    self._link.poll()
                    if packet in dict(self._link.acknowledgements):
                        break
            with suppress(OSError):
                self._link.close()
            self._link = None

    # Reports of the machine

    def update_status(self, status: MachineStatus) -> None:
        """Queues messages for what has changed in the machine's status."""
        for topic, data in messages.of_status(self._status, status):
            if topic == messages.HEALTH:
                self._health_at = 0.0
            else:
                self.put(topic, data)
        self._status, self._status_at = status, self._now

    def count_visitor(self, label: str) -> None:
        """Counts a visitor of this age group."""
        self._visitors.add(label)

    def finish_order(self, order: Order, outcome: str, reason: str) -> None:
        """Queues the outcome of an order."""
        self._order_inbox.finish(order, outcome, reason)

    def put(self, topic: str, data: dict[str, Any]) -> None:
        """Adds a message to the outbox."""
        self._outbox.put(utc_text(self._clock()), topic, messages.WEIGHTS[topic], {"kind": topic, **data})

    def _report_health(self) -> None:
        if self._status is None or self._now < self._health_at:
            return
        self._health_at = self._now + self._config.health_every
        silent = self._now - self._status_at > SILENT_S
        self.put(
            messages.HEALTH,
            {
                **self._status.health,
                "healthy": not self._status.problems and not silent,
                "screen_silent": silent,
                "disk_free": shutil.disk_usage(self._journal.parent).free,
                "waiting": self._outbox.waiting,
                "dropped": self._outbox.dropped,
            },
        )

    def _count_hour(self) -> None:
        ended = self._visitors.finish_hour(self._clock())
        if ended:
            hour, counts = ended
            self.put(messages.AUDIENCE, {"hour": utc_text(hour), "counts": counts})

    # The broker

    def _connect(self) -> None:
        will = self._state("offline", "lost")
        link = Link(self._config, will, self._order_inbox.topics, self._order_inbox.receive)
        self._link = link
        link.open()
        link.publish(*self._state("online"), retain=True)
        self._of_outbox = self._delivery(OutboxStream(self._outbox, self._config.machine))
        self._of_journal, self._journal_at = None, self._now
        self._steady_at = self._now + STEADY_S

    def _exchange(self) -> None:
        assert self._link is not None
        assert self._of_outbox is not None
        self._send_journal()
        self._of_outbox.send(self._now)
        self._link.poll()
        answers, self._link.acknowledgements = self._link.acknowledgements, []
        for delivery in (self._of_outbox, self._of_journal):
            for packet, code in answers:
                if delivery and (why := delivery.acknowledge(packet, code, self._now)):
                    self._log_once(why)
            if delivery and delivery.is_overdue(self._now):
                raise LinkError(f"{self._config.broker} acknowledges no message")
        if self._steady_at is not None and self._now >= self._steady_at:
            self._steady_at = None
            self._backoff.reset()
            if self._logged:
                log.info("fleet: connected to the broker for a minute")
                self._logged.clear()

    def _send_journal(self) -> None:
        """Sends the journal. If it cannot be read now, everything else is still sent."""
        if self._now < self._journal_at:
            return
        try:
            if self._of_journal is None:
                stream = JournalStream(self._journal, self._outbox, self._config.machine)
                self._of_journal = self._delivery(stream)
            self._of_journal.send(self._now)
        except JournalError as error:
            self._of_journal, self._journal_at = None, self._now + JOURNAL_AGAIN_S
            self._log_once(str(error))

    def _delivery(self, stream: Stream) -> Delivery:
        link = self._link
        assert link is not None
        return Delivery(stream, self._publish, lambda: link.free)

    def _publish(self, message: Message) -> int | None:
        assert self._link is not None
        topic = topic_of(self._config, message.topic)
        size = len(topic) + len(message.payload) + _AROUND
        if size > self._link.largest:
            self._log_once(f"the broker takes no packet of {size} bytes, as {message.topic} needs: raise its limit")
            return None
        return self._link.publish(topic, message.payload, retain=message.topic in messages.RETAINED)

    def _disconnect(self, error: Exception) -> None:
        self._log_once(str(error))
        if self._link is not None:
            with suppress(KioskError, OSError):
                self._link.abandon()
            self._link = None
        self._connect_at = self._now + self._backoff.next_delay() * random.uniform(1.0, 1.5)

    def _state(self, state: str, why: str = "") -> tuple[str, bytes]:
        data = {"v": messages.VERSION, "machine": self._config.machine, "state": state, "why": why}
        if state != "offline" or why != "lost":  # the last will is sent long before it becomes true
            data["utc"] = utc_text(self._clock())
        return topic_of(self._config, messages.STATE), json.dumps(data, separators=(",", ":")).encode()

    def _log_once(self, problem: str) -> None:
        """Logs each problem once, and not at every attempt."""
        if problem not in self._logged:
            log.warning("fleet: %s", problem)
            self._logged.append(problem)
