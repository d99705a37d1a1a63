"""Power cuts: a real process is killed before and after every row of the journal and after every command.

Terminal and dispenser keep what they did in files of their own, as the world does, so that *charged* and *fell* are
checked against it and not against the journal.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Journal, read, verify
from kiosk.vending.journal.facts import SaleClosed, SaleOpened, VendRequested, VendUnknown
from kiosk.vending.journal.ledger import Ledger, fold
from kiosk.vending.journal.recovery import rebuild_ledger
from tests.fakes.sale_rig import BEER, PRICES, STOCK, WATER

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Scenario:
    """One sale. `sold`: whether it would be sold without a power cut."""

    does: str
    pay: str = "APPROVE"
    vend: str = "DROP"

    def __str__(self) -> str:
        return f"{self.does}-{self.pay}-{self.vend}"

    @property
    def slot(self) -> str:
        return BEER if self.does.startswith(BEER) else WATER


SCENARIOS = [
    Scenario(WATER),
    Scenario(BEER),
    Scenario(WATER, vend="JAM"),
    Scenario(WATER, vend="NOTHING"),
    Scenario(WATER, vend="SILENCE"),
    Scenario(WATER, vend="DROP_UNSEEN"),
    Scenario(WATER, pay="APPROVE_TWICE", vend="DROP_TWICE"),
    Scenario(WATER, pay="DECLINE"),
    Scenario(WATER, pay="APPROVE_SILENTLY"),
    Scenario(WATER, pay="APPROVE_TOO_MUCH"),
    Scenario(f"{WATER} cancelled", pay="WAIT"),
    Scenario(f"{WATER} cancelled", pay="APPROVE_SILENTLY"),
    Scenario(f"{WATER} cancelled", pay="APPROVE_LATE"),
    Scenario("test vend"),
]


class Kiosk:
    """Runs the child process as often as needed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crash_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])},
        )

    def run(self, folder: Path, scenario: Scenario, deadly: int | None) -> tuple[list[str], int]:
        """Returns the instants that passed, and the exit code: -9 if the process was killed."""
        assert self._process.stdin
        assert self._process.stdout
        order = {"folder": str(folder), "scenario": scenario.does, "pay": scenario.pay, "vend": scenario.vend}
        self._process.stdin.write(json.dumps({**order, "deadly": deadly}) + "\n")
        self._process.stdin.flush()
        instants = []
        for line in self._process.stdout:
            if line.startswith("end "):
                return instants, int(line.split()[1])
            instants.append(line.strip())
        raise AssertionError("the child's parent ended")

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def kiosk() -> Iterator[Kiosk]:
    kiosk = Kiosk()
    yield kiosk
    kiosk.close()


@dataclass(frozen=True)
class World:
    """What really happened, after all runs."""

    facts: list[Any]
    ledger: Ledger
    held: int
    dropped: int

    @classmethod
    def of(cls, folder: Path) -> World:
        verify(folder / "journal.db")
        facts = [entry.fact for entry in read(folder / "journal.db")]
        terminal = SimulatedTerminal(folder / "terminal.jsonl")
        dispenser = SimulatedDispenser(folder / "dispenser.jsonl")
        held = sum(account.held for account in terminal.accounts.values())
        with closing(Journal(folder / "journal.db")) as journal:
            assert rebuild_ledger(journal) == fold(facts)
        return cls(facts, fold(facts), held, sum(dispenser.dropped.values()))

    def of_kind(self, kind: type) -> list[Any]:
        return [fact for fact in self.facts if isinstance(fact, kind)]


def assert_resolved_once(world: World, scenario: Scenario, *, cut_in_mid_vend: bool) -> None:
    slot = scenario.slot
    assert not world.ledger.sales
    assert not world.ledger.transactions
    opened, closed = world.of_kind(SaleOpened), world.of_kind(SaleClosed)
    assert [sale.sale for sale in opened] == [sale.sale for sale in closed]
    assert len(opened) <= 1
    assert world.dropped <= 1
    assert len(world.of_kind(VendRequested)) <= 1
    outcome = closed[0].outcome if closed else None
    if outcome == "sold":
        assert (world.held, world.dropped) == (PRICES[slot], 1)
    else:
        assert world.held == 0
    in_doubt = bool(world.of_kind(VendUnknown))
    assert (outcome == "in_doubt") == in_doubt
    if in_doubt:
        assert cut_in_mid_vend or scenario.vend in ("SILENCE", "DROP_UNSEEN")
        assert world.ledger.uncertain(slot) == 1
        assert world.ledger.slot(slot).count == STOCK - 1
    else:
        assert world.ledger.slot(slot).count == STOCK - world.dropped


def ended_in_mid_vend(instants: list[str]) -> bool:
    """Tells whether the motor's command is the last fact that is known to be in the journal."""
    rows = [each.split()[1] for each in instants if each.startswith("after") and each != "after Checkpoint"]
    return bool(rows) and rows[-1] == "VendRequested"


@pytest.mark.proves("power-cut", "pull-plug")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_sale_is_resolved_once_wherever_the_power_goes(kiosk: Kiosk, scenario: Scenario, tmp_path: Path) -> None:
    whole, code = kiosk.run(folder := make_folder(tmp_path / "whole"), scenario, None)
    assert code == 0
    assert_resolved_once(World.of(folder), scenario, cut_in_mid_vend=False)
    in_doubt = 0
    for deadly, instant in enumerate(whole):
        folder = make_folder(tmp_path / str(deadly))
        instants, code = kiosk.run(folder, scenario, deadly)
        assert code == -signal.SIGKILL
        assert instants[-1] == instant
        _, code = kiosk.run(folder, Scenario("only start"), None)
        assert code == 0
        world = World.of(folder)
        assert_resolved_once(world, scenario, cut_in_mid_vend=ended_in_mid_vend(instants))
        in_doubt += bool(world.ledger.doubts) and not instant.endswith("Checkpoint")
    if scenario.vend in ("DROP", "JAM") and scenario.pay == "APPROVE":
        # After the row, after the motor's command, and before the row that has the sensor's answer.
        assert in_doubt == 3


@pytest.mark.proves("power-cut")
@pytest.mark.parametrize(
    "scenario",
    [Scenario(WATER), Scenario(WATER, vend="JAM"), Scenario(f"{WATER} cancelled", pay="APPROVE_SILENTLY")],
    ids=str,
)
def test_a_sale_is_resolved_once_if_the_power_goes_again_and_again(
    kiosk: Kiosk, scenario: Scenario, tmp_path: Path
) -> None:
    """Each start is killed at another instant of its recovery."""
    whole, _ = kiosk.run(make_folder(tmp_path / "whole"), scenario, None)
    for deadly in range(len(whole)):
        folder = make_folder(tmp_path / str(deadly))
        instants, _ = kiosk.run(folder, scenario, deadly)
        for again in range(60):
            _, code = kiosk.run(folder, Scenario("only start"), again)
            if code == 0:
                break
        else:
            pytest.fail("the recovery never ends")
        assert_resolved_once(World.of(folder), scenario, cut_in_mid_vend=ended_in_mid_vend(instants))


def test_what_was_in_doubt_stays_so_over_many_starts(kiosk: Kiosk, tmp_path: Path) -> None:
    whole, _ = kiosk.run(make_folder(tmp_path / "whole"), Scenario(WATER), None)
    folder = make_folder(tmp_path / "cut")
    kiosk.run(folder, Scenario(WATER), whole.index("commanded dispense"))
    for _ in range(3):
        kiosk.run(folder, Scenario("only start"), None)
    world = World.of(folder)
    assert list(world.ledger.doubts) == [world.of_kind(SaleOpened)[0].sale]
    assert Counter(type(fact).__name__ for fact in world.facts)["SaleClosed"] == 1
    assert (world.held, world.dropped) == (0, 1)


def test_a_killed_kiosk_leaves_no_lock(kiosk: Kiosk, tmp_path: Path) -> None:
    kiosk.run(folder := make_folder(tmp_path / "killed"), Scenario(WATER), 5)
    with closing(Journal(folder / "journal.db")) as journal:
        assert list(journal.entries())


def make_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder
