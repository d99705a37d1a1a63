"""One sale with the real threads and drivers on two pseudo-terminals, one of which is unplugged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from kiosk.vending.devices.board.dispenser import SerialDispenser
from kiosk.vending.devices.mdb.payment_store import PaymentStore
from kiosk.vending.devices.mdb.terminal import MdbTerminal
from kiosk.vending.devices.serial_line import SerialLine
from kiosk.vending.sale.events import Choose, Continue, Start
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop
from tests.fakes.board import Board
from tests.fakes.mdb_interface import MdbInterface
from tests.fakes.pty_port import PtyPort
from tests.fakes.sale_rig import WATER, MemoryJournal, catalog

STEP = 0.02


class Machine:
    """The rig's clock advances no faster than the ports are read."""

    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.interface, self.board = MdbInterface(), Board()
        self.ports = [PtyPort(self.interface, folder / "mdb"), PtyPort(self.board, folder / "board")]
        for port in self.ports:
            port.plug()
        self.lines = [SerialLine(str(port.path), first_wait=0.01, longest_wait=0.02) for port in self.ports]
        self.journal = MemoryJournal()
        terminal = MdbTerminal(self.lines[0], PaymentStore(folder / "mdb.json"))
        dispenser = SerialDispenser(self.lines[1])
        self.drivers = [terminal, dispenser]
        self.shop = Shop(catalog(), self.journal, terminal, dispenser)  # type: ignore[arg-type]

    def until(self, happened: Callable[[], bool]) -> None:
        for _ in range(3000):
            if happened():
                return
            self.now += STEP
            self.board.uptime += round(STEP * 1000)
            self.shop.tick(self.now)
            for port, line in zip(self.ports, self.lines, strict=True):
                port.pump(STEP)
                line.wait(STEP / 4)
        raise AssertionError(f"it did not happen; {self.shop.snapshot.phase}, {self.shop.snapshot.faults}")

    def close(self) -> None:
        for driver in self.drivers:
            driver.close()
        for port in self.ports:
            if port.path.exists():
                port.unplug()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    yield machine
    machine.close()


def test_a_sale_and_an_unplugged_reader(machine: Machine) -> None:
    shop = machine.shop
    machine.until(lambda: machine.now > 0 and shop.snapshot.phase is Phase.ATTRACT)
    for touch in (Start(camera=False), Choose(WATER), Continue()):
        shop.touch(touch)
    machine.until(lambda: machine.interface.state == "VEND")
    machine.interface.approve()
    machine.until(lambda: machine.board.turning is not None)
    machine.ports[0].unplug()
    machine.until(lambda: "terminal" in shop.snapshot.faults)
    machine.board.drop()
    machine.until(lambda: shop.snapshot.phase is Phase.DONE)
    assert machine.interface.charged == 0
    machine.ports[0].plug()
    machine.until(lambda: not shop.state.ledger.transactions)
    assert machine.interface.charged == Decimal("1.80")
    assert machine.journal.kinds[-2:] == ["payment_settled", "sale_closed"]
