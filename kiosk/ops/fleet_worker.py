"""The fleet's end of a machine, step by step: it fills the outbox, and empties it into the broker.

It belongs to one thread, that of `kiosk.ops.fleet`; what the screen's thread has for it comes as calls in its `inbox`.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from kiosk.errors import KioskError
from kiosk.ops import fleet_messages as messages
from kiosk.ops.audience import Audience
from kiosk.ops.fleet_delivery import Delivery, JournalStream, Letter, OutboxStream, Stream
from kiosk.ops.fleet_link import Link
from kiosk.ops.fleet_messages import MachineStatus
from kiosk.ops.fleet_settings import FleetSettings, utc_now, utc_text
from kiosk.ops.order_gate import OrderGate
from kiosk.ops.outbox import Outbox
from kiosk.ops.remote import Order
from kiosk.vending.journal import JournalError

log = logging.getLogger(__name__)

BACK_OFF_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Until the next try, each about half as long again at random: a thousand machines lose their broker at once."""

JOURNAL_AGAIN_S = 30.0
SILENT_S = 60.0
"""Without a word from the screen's thread, after which the machine does not count as healthy."""

INBOX = 1000
"""Calls that wait while the outbox cannot be written; the oldest is lost then."""


class Worker:
    """Raises `sqlite3.Error` and `OSError` where the outbox cannot be used, `OrderError` for a bad key."""

    def __init__(
        self,
        settings: FleetSettings,
        journal: Path,
        outbox: Outbox,
        inbox: deque[Callable[[Worker], None]] | None = None,
        orders: deque[Order] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._outbox = outbox
        self._inbox = deque(maxlen=INBOX) if inbox is None else inbox
        self._gate = OrderGate(settings, outbox, deque() if orders is None else orders, clock)
        self._clock = clock
        self._now = 0.0
        self._audience = Audience()
        self._status: MachineStatus | None = None
        self._told_at = self._health_at = 0.0
        self._link: Link | None = None
        self._of_journal: Delivery | None = None
        self._of_outbox: Delivery | None = None
        self._connect_at = self._journal_at = 0.0
        self._failures = 0
        self._said = ""
        self._knows_orders = False
        if outbox.renewed:
            self.put(messages.ERROR, {"kind": "outbox_renewed"})

    # Steps

    def step(self, now: float) -> float:
        """Does what is due at `now`, in seconds of a monotonic clock. Returns how long nothing will be, unless told."""
        self._now = now
        while self._inbox:
            self._inbox.popleft()(self)
        if not self._knows_orders:  # only now that those which were finished are gone
            self._knows_orders = True
            self._gate.remember()
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

    def end(self) -> None:
        """Says goodbye, if the broker is there."""
        if self._link is not None:
            with suppress(KioskError, OSError):
                packet = self._link.publish(*self._state("offline", "stopped"), retain=True)
                for _ in range(10):
                    self._link.turn()
                    if packet in dict(self._link.answers):
                        break
            with suppress(OSError):
                self._link.close()
            self._link = None

    # What the machine has to tell

    def told(self, status: MachineStatus) -> None:
        """How the machine is now."""
        for topic, data in messages.of_status(self._status, status):
            if topic == messages.HEALTH:
                self._health_at = 0.0
            else:
                self.put(topic, data)
        self._status, self._told_at = status, self._now

    def seen(self, label: str) -> None:
        """Somebody of this age group has gone."""
        self._audience.add(label)

    def finished(self, order: Order, outcome: str, reason: str) -> None:
        """What came of an order."""
        self._gate.finished(order, outcome, reason)

    def put(self, topic: str, data: dict[str, Any]) -> None:
        """A message into the outbox."""
        self._outbox.put(utc_text(self._clock()), topic, messages.WEIGHTS[topic], {"kind": topic, **data})

    def _report_health(self) -> None:
        if self._status is None or self._now < self._health_at:
            return
        self._health_at = self._now + self._settings.health_every
        silent = self._now - self._told_at > SILENT_S
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
        ended = self._audience.over(self._clock())
        if ended:
            hour, counts = ended
            self.put(messages.AUDIENCE, {"hour": utc_text(hour), "counts": counts})

    # The broker

    def _connect(self) -> None:
        will = self._state("offline", "lost")
        link = Link(self._settings.broker, self._settings.machine, will, self._gate.topics, self._gate.hear)
        self._link = link
        link.open()
        link.publish(*self._state("online"), retain=True)
        self._of_outbox = self._delivery(OutboxStream(self._outbox, self._settings.machine))
        self._of_journal, self._journal_at = None, self._now
        if self._said:
            log.info("the fleet's broker is there again")
            self._said = ""

    def _exchange(self) -> None:
        assert self._link is not None
        assert self._of_outbox is not None
        self._tell_journal()
        self._of_outbox.send(self._now)
        self._link.turn()
        answers, self._link.answers = self._link.answers, []
        for packet, code in answers:
            self._failures = 0
            for delivery in (self._of_outbox, self._of_journal):
                if delivery and (why := delivery.answered(packet, code, self._now)):
                    self._say(why)

    def _tell_journal(self) -> None:
        """A journal that cannot be read now holds up nothing else."""
        if self._now < self._journal_at:
            return
        try:
            if self._of_journal is None:
                stream = JournalStream(self._journal, self._outbox, self._settings.machine)
                self._of_journal = self._delivery(stream)
            self._of_journal.send(self._now)
        except JournalError as error:
            self._of_journal, self._journal_at = None, self._now + JOURNAL_AGAIN_S
            self._say(str(error))

    def _delivery(self, stream: Stream) -> Delivery:
        assert self._link is not None
        return Delivery(stream, self._publish, (self._link.room - 1) // 2)  # two of them, and the state

    def _publish(self, letter: Letter) -> int:
        assert self._link is not None
        return self._link.publish(
            self._settings.topic(letter.topic), letter.payload, retain=letter.topic in messages.RETAINED
        )

    def _disconnect(self, error: Exception) -> None:
        self._say(str(error))
        if self._link is not None:
            with suppress(KioskError, OSError):
                self._link.abandon()
            self._link = None
        wait = BACK_OFF_S[min(self._failures, len(BACK_OFF_S) - 1)]
        self._failures += 1
        self._connect_at = self._now + wait * random.uniform(1.0, 1.5)

    def _state(self, state: str, why: str = "") -> tuple[str, bytes]:
        data = {"v": messages.VERSION, "machine": self._settings.machine, "state": state, "why": why}
        if state != "offline" or why != "lost":  # the last will is written long before it is true
            data["utc"] = utc_text(self._clock())
        return self._settings.topic(messages.STATE), json.dumps(data, separators=(",", ":")).encode()

    def _say(self, what: str) -> None:
        """Each trouble once, and not at every try."""
        if what != self._said:
            log.warning("fleet: %s", what)
            self._said = what
