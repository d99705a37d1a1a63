"""A machine of a fleet for tests: a real journal and outbox, and a clock that is told."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kiosk.config import FleetConfig
from kiosk.fleet.messages import MachineStatus, SlotStatus
from kiosk.fleet.outbox import Outbox
from kiosk.fleet.worker import Worker
from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import PaymentRequested, SaleClosed, SaleOpened, VendRequested, VendSucceeded

BEGIN = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


def status(*, faults: tuple[str, ...] = (), count: int = 5, **more: Any) -> MachineStatus:
    slots = more.pop("slots", (SlotStatus("A1", count, 8, 0, False, 180),))
    said: dict[str, Any] = {
        "attention": 0, "vision": "running", "vision_fault": "", "engine": "facialnet", "engine_fault": "",
        "version": "1", "currency": "EUR",
    }  # fmt: skip
    return MachineStatus(faults=faults, slots=slots, **{**said, **more})


def fleet_config(port: int = 1, **settings: Any) -> FleetConfig:
    """The settings of machine m-1 for a broker on this computer, without TLS unless `settings` says so."""
    return FleetConfig(**{"broker": "127.0.0.1", "port": port, "machine": "m-1", "tls": False, **settings})


class Machine:
    """Its worker is stepped by hand; `crash` forgets it without a word."""

    def __init__(self, folder: Path, port: int, *, limit: int = 10_000, **settings: Any) -> None:
        self.config = fleet_config(port, outbox=limit, **settings)
        self.folder = folder
        self.now = 1000.0
        self.utc = BEGIN
        self.journal = Journal(folder / "journal.db")
        self.sold = 0
        self.start()

    def start(self) -> None:
        self.outbox = Outbox(self.folder / "fleet.db", self.config.outbox)
        self.worker = Worker(self.config, self.folder / "journal.db", self.outbox, clock=lambda: self.utc)

    def crash(self) -> None:
        """As if the process had died: the connection is cut without a word."""
        if self.worker._link:
            self.worker._link.abandon()
        self.outbox.close()

    def tell(self, status: MachineStatus) -> None:
        """What the screen's thread would say."""
        self.worker._inbox.append(lambda worker: worker.update_status(status))

    def step(self) -> None:
        """A moment passes."""
        self.now += 0.5
        self.worker.step(self.now)

    def after(self, seconds: float) -> None:
        """Time passes in one step."""
        self.now += seconds
        self.utc += timedelta(seconds=seconds)
        self.worker.step(self.now)

    def sell(self) -> str:
        """A sale, as the shop journals it."""
        self.sold += 1
        sale = f"{self.journal.id}-{self.sold}"
        for fact in (
            SaleOpened(sale, "A1", "Water", 180, "EUR", 0),
            PaymentRequested(sale, f"{sale}-1", 180),
            VendRequested(sale, "A1"),
            VendSucceeded(sale, "A1"),
            SaleClosed(sale, "sold"),
        ):
            self.journal.append(fact)
        return sale

    def close(self) -> None:
        self.worker.end()
        self.outbox.close()
        self.journal.close()
