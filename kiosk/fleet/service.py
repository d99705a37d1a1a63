"""The fleet's service: a thread of its own, so that no broker and no disk is ever waited for by the screen.

fleet = Fleet(config, journal, outbox)     # paths; checks keys and passwords
fleet.start()
fleet.tell(status)                         # about once a second, from the screen's thread
order = fleet.next_order()                 # to be carried out when the machine is idle
fleet.finish(order, "applied")
fleet.stop()
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from kiosk.config import FleetConfig
from kiosk.fleet.messages import MachineStatus
from kiosk.fleet.mqtt import check_files
from kiosk.fleet.orders import Order, public_key
from kiosk.fleet.outbox import Outbox, OutboxError
from kiosk.fleet.worker import Worker

log = logging.getLogger(__name__)

AGAIN_S = 10.0
"""Until an outbox that cannot be used is tried again."""

INBOX = 1000
"""Messages of the screen that wait while the outbox cannot be written; what came of an order is never too many."""

STOP_WITHIN_S = 15.0


class Fleet:
    """Raises `KioskError` for settings that cannot work. Nothing here waits, but for `stop`."""

    def __init__(self, config: FleetConfig, journal: Path, outbox: Path) -> None:
        check_files(config)
        if config.orders_key:
            public_key(config.orders_key)
        self._config = config
        self._journal = journal
        self._outbox = outbox
        self._inbox: deque[Callable[[Worker], None]] = deque()
        self._orders: deque[Order] = deque()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    def start(self) -> None:
        """Begins to report."""
        self._thread.start()

    def stop(self) -> None:
        """Says goodbye to the broker. What is not told yet is told after the next start."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)

    def tell(self, status: MachineStatus) -> None:
        """How the machine is now."""
        self._put(lambda worker: worker.told(status))

    def seen(self, label: str) -> None:
        """Somebody of this age group has gone: counted, and nothing else."""
        self._put(lambda worker: worker.seen(label))

    def next_order(self) -> Order | None:
        """The oldest order that waits; the same again until it is finished."""
        return self._orders[0] if self._orders else None

    def finish(self, order: Order, outcome: str, reason: str = "") -> None:
        """What came of the oldest order: `applied`, `refused` or `rolled_back`."""
        self._inbox.append(lambda worker: worker.finished(order, outcome, reason))
        with suppress(ValueError):  # the thread may have begun anew meanwhile
            self._orders.remove(order)

    def _put(self, call: Callable[[Worker], None]) -> None:
        if len(self._inbox) < INBOX:
            self._inbox.append(call)

    def _run(self) -> None:
        said = ""
        while not self._stopped.is_set():
            try:
                self._work()
            except (sqlite3.Error, OSError, OutboxError) as error:
                if str(error) != said:
                    said = str(error)
                    advice = f"{self._outbox} cannot be used ({error}): look at its disk and folder"
                    log.error("fleet: %s", error if isinstance(error, OutboxError) else advice)
                self._stopped.wait(AGAIN_S)
            except Exception:
                log.exception("fleet: an error of the program; it goes on")
                self._stopped.wait(AGAIN_S)

    def _work(self) -> None:
        outbox = Outbox(self._outbox, self._config.outbox)
        try:
            worker = Worker(self._config, self._journal, outbox, self._inbox, self._orders)
            try:
                while not self._stopped.is_set():
                    self._stopped.wait(worker.step(time.monotonic()))
            finally:
                worker.end("stopped" if self._stopped.is_set() else "failed")
        finally:
            outbox.close()
