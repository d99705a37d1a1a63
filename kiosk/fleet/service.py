"""The fleet's service runs in its own thread, so that the window never waits for a broker or a disk.

fleet = Fleet(config, journal, outbox)     # paths; checks keys and passwords
fleet.start()
fleet.report(status)                         # about once a second, from the screen's thread
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
from kiosk.fleet.orders import Order, load_public_key
from kiosk.fleet.outbox import Outbox, OutboxError
from kiosk.fleet.worker import Worker

log = logging.getLogger(__name__)

AGAIN_S = 10.0
"""Seconds until an outbox that cannot be used is tried again."""

INBOX = 1000
"""The most calls that wait while the outbox cannot be written. Results of orders are always kept."""

STOP_WITHIN_S = 15.0


class Fleet:
    """The machine's connection to its fleet. Raises `KioskError` for invalid settings. Only `stop` waits."""

    def __init__(self, config: FleetConfig, journal: Path, outbox: Path) -> None:
        check_files(config)
        if config.orders_key:
            load_public_key(config.orders_key)
        self._config = config
        self._journal = journal
        self._outbox = outbox
        self._inbox: deque[Callable[[Worker], None]] = deque()
        self._orders: deque[Order] = deque()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Disconnects from the broker. Messages that are not delivered are sent after the next start."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)

    def report(self, status: MachineStatus) -> None:
        """Reports the machine's current status."""
        self._put(lambda worker: worker.update_status(status))

    def count_visitor(self, label: str) -> None:
        """Counts a visitor of this age group."""
        self._put(lambda worker: worker.count_visitor(label))

    def next_order(self) -> Order | None:
        """Returns the oldest waiting order, the same one until it is finished; None for none."""
        return self._orders[0] if self._orders else None

    def finish(self, order: Order, outcome: str, reason: str = "") -> None:
        """Reports the outcome of the oldest order: `applied`, `refused` or `rolled_back`."""
        self._inbox.append(lambda worker: worker.finish_order(order, outcome, reason))
        with suppress(ValueError):  # the thread may have reloaded its orders meanwhile
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
                    advice = f"{self._outbox} cannot be used ({error}): check its disk and folder"
                    log.error("fleet: %s", error if isinstance(error, OutboxError) else advice)
                self._stopped.wait(AGAIN_S)
            except Exception:
                log.exception("fleet: unexpected error; the fleet's thread continues")
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
