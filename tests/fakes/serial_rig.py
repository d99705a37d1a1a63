"""A whole machine with the serial drivers, emulated devices, and a clock that the test sets."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from kiosk.vending.devices.board.dispenser import SerialDispenser
from kiosk.vending.devices.mdb.payment_store import PaymentStore
from kiosk.vending.devices.mdb.terminal import MdbTerminal
from kiosk.vending.journal.ledger import Ledger
from kiosk.vending.sale.events import Choose, Continue, Start
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop
from tests.fakes.board import Board
from tests.fakes.mdb_interface import MdbInterface
from tests.fakes.sale_rig import WATER, MemoryJournal, catalog
from tests.fakes.wire import Wire

STEP = 0.2


class SerialRig:
    """The sale, the drivers, their lines and the emulated devices."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.memory = folder / "mdb.json"
        self.journal = MemoryJournal()
        self.interface = MdbInterface()
        self.board = Board()
        self.payment_line = Wire(self.interface)
        self.dispenser_line = Wire(self.board)
        self.start()

    def start(self) -> None:
        """Starts the program, perhaps again."""
        self.payment_line.reopen()
        self.dispenser_line.reopen()
        self.shop = Shop(
            catalog(),
            self.journal,  # type: ignore[arg-type]
            MdbTerminal(self.payment_line, PaymentStore(self.memory)),
            SerialDispenser(self.dispenser_line),
            now=self.now,
        )

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            self.board.uptime += round(STEP * 1000)
            self.shop.tick(self.now)

    def until(self, happened: Callable[[], bool], seconds: float = 120) -> None:
        """Runs until `happened` returns true. Fails after `seconds` of the rig's clock."""
        for _ in range(round(seconds / STEP)):
            if happened():
                return
            self.run(STEP)
        raise AssertionError(f"it did not happen: {self.phase}, {self.shop.snapshot.faults}, {self.interface.state}")

    def until_phase(self, *phases: Phase) -> None:
        self.until(lambda: self.phase in phases)

    def buy(self, slot: str = WATER) -> None:
        self.run(STEP)  # the drivers first have to notice that the devices are disconnected
        self.until_phase(Phase.ATTRACT)
        self.shop.touch(Start(camera=False))
        self.shop.touch(Choose(slot))
        self.shop.touch(Continue())

    def settle_down(self) -> None:
        """Plugs everything in, lets it answer, and lets the customer leave."""
        self.payment_line.plug()
        self.dispenser_line.plug()
        self.payment_line.held = self.dispenser_line.held = False
        self.payment_line.fates.clear()
        self.dispenser_line.fates.clear()
        self.run(200)

    @property
    def phase(self) -> Phase:
        return self.shop.snapshot.phase

    @property
    def ledger(self) -> Ledger:
        return self.shop.state.ledger

    @property
    def charged(self) -> Decimal:
        return self.interface.charged

    @property
    def dropped(self) -> int:
        return sum(self.board.dropped.values())
