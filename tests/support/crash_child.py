"""The sale in a process of its own, which kills itself at a given instant. test_crash.py starts it.

Each line on standard input describes one run, as JSON. For each the process forks, and the child sells until SIGKILL.
Forking makes hundreds of runs fast, and each kills a real process with a real journal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.id_reader import SimulatedIdReader
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Entry, Journal
from kiosk.vending.journal.facts import Fact
from kiosk.vending.sale.events import Cancel, Choose, Continue, EnterService, Start, VendTest
from kiosk.vending.shop import Shop
from tests.fakes.sale_rig import WATER, catalog


class Instants:
    """Counts the instants at which the power could be cut, and kills the process at one of them."""

    def __init__(self, deadly: int | None) -> None:
        self.left = deadly

    def pass_by(self, what: str) -> None:
        print(what, flush=True)
        if self.left is not None:
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left -= 1


class DeadlyJournal(Journal):
    instants: Instants

    def append(self, fact: Fact) -> Entry:
        self.instants.pass_by(f"before {type(fact).__name__}")
        entry = super().append(fact)
        self.instants.pass_by(f"after {type(fact).__name__}")
        return entry


def deadly(device: Any, instants: Instants, *commands: str) -> None:
    """Lets the power go right after a command too, before its answer is fetched."""
    for name in commands:
        command = getattr(device, name)

        def commanded(*arguments: Any, _command: Any = command, _name: str = name) -> None:
            _command(*arguments)
            instants.pass_by(f"commanded {_name}")

        setattr(device, name, commanded)


def sell(folder: Path, scenario: str, pay: str, vend: str, deadly_instant: int | None) -> None:
    instants = Instants(deadly_instant)
    terminal = SimulatedTerminal(folder / "terminal.jsonl")
    dispenser = SimulatedDispenser(folder / "dispenser.jsonl")
    reader = SimulatedIdReader()
    deadly(terminal, instants, "authorize", "settle", "reverse")
    deadly(dispenser, instants, "dispense")
    terminal.plan([Pay[pay]])
    dispenser.plan([Vend[vend]])
    with closing(DeadlyJournal(folder / "journal.db")) as journal:
        journal.instants = instants
        # A killed process leaves what it wrote with the system, on the disk or not yet: no need to wait for the disk.
        journal._database.execute("PRAGMA synchronous = OFF")
        shop = Shop(catalog(), journal, terminal, dispenser, [reader], checkpoint_every=4, version="test")
        now = 0.0

        def after(seconds: float) -> None:
            nonlocal now
            now += seconds
            shop.tick(now)

        if scenario == "only start":
            pass
        elif scenario == "test vend":
            shop.operate(EnterService())
            shop.operate(VendTest(WATER))
        else:
            shop.touch(Start(camera=False))
            shop.touch(Choose(scenario.split()[0]))
            shop.touch(Continue())
            reader.present(40)
            after(0.1)
            if scenario.endswith("cancelled"):
                shop.touch(Cancel())
        # Long enough for every time-out, and for what the terminal did not acknowledge at first.
        for _ in range(30):
            after(0.1)
        for _ in range(10):
            after(50)
        after(601)
        after(0.1)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sell(Path((run := json.loads(line))["folder"]), run["scenario"], run["pay"], run["vend"], run["deadly"])
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(f"end {os.waitstatus_to_exitcode(status)}", flush=True)
