"""A full or read-only disk, or a locked journal, at every point of a sale, with the real journal."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Journal, JournalError, database, read, verify
from kiosk.vending.journal import journal as writing
from kiosk.vending.journal.facts import Fact, MachineStarted, ReversalRequested
from kiosk.vending.sale.events import Cancel, Continue
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop
from tests.fakes.sale_rig import PRICES, WATER, Rig, catalog, settle_everything

Fault = Callable[[Path], object]


@contextmanager
def takes_nothing_more(path: Path) -> Iterator[None]:
    """Limits the size of files to the journal's present size, so that a write fails as on a full disk."""
    largest = max(each.stat().st_size for each in path.parent.iterdir())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    rows = path.with_name(f"{path.name}-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (rows.stat().st_size if rows.exists() else largest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def is_read_only(_: Path) -> Iterator[None]:
    """Makes SQLite fail as on a disk that was mounted again read-only after a fault."""
    with pytest.MonkeyPatch.context() as patch:
        connect = writing.connect

        def read_only(name: str) -> sqlite3.Connection:
            database = connect(name)
            database.execute("PRAGMA query_only = 1")
            return database

        patch.setattr(writing, "connect", read_only)
        for journal in OPEN:
            journal._database.execute("PRAGMA query_only = 1")
        yield


@contextmanager
def is_locked(path: Path) -> Iterator[None]:
    """Another program holds the write lock."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


FAULTS = [takes_nothing_more, is_read_only, is_locked]
OPEN: list[Journal] = []


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(database, "BUSY_S", 0.0)
    OPEN.clear()
    yield tmp_path / "journal.db"
    for journal in OPEN:
        journal.close()


@pytest.fixture
def rig(path: Path) -> Rig:
    rig = Rig()
    OPEN.append(Journal(path))
    rig.journal = OPEN[0]  # type: ignore[assignment]
    rig.start()
    return rig


@pytest.mark.proves("disk-full", "disk-read-only")
@pytest.mark.parametrize("fault", FAULTS)
def test_no_money_moves_while_nothing_can_be_written(rig: Rig, path: Path, fault: Fault) -> None:
    rig.choose(WATER)
    with fault(path):  # type: ignore[attr-defined]
        rig.shop.touch(Continue())
        assert (rig.phase, rig.shop.snapshot.faults) == (Phase.OUT_OF_ORDER, {"journal"})
        rig.buy()
        for _ in range(20):
            rig.after(3)
        assert rig.phase is Phase.OUT_OF_ORDER
        assert not rig.terminal.accounts
    rig.after(60)
    rig.after(1)
    assert rig.phase is Phase.ATTRACT
    rig.buy()
    settle_everything(rig)
    assert (rig.held, rig.dropped) == (PRICES[WATER], 1)
    assert verify(path).seq == OPEN[0].head.seq


@pytest.mark.proves("disk-full", "journal-locked")
@pytest.mark.parametrize("moment", range(6))
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_middle_of_a_sale_costs_nobody_anything(rig: Rig, path: Path, fault: Fault, moment: int) -> None:
    rig.dispenser.plan([Vend.DROP])
    with ExitStack() as broken:
        rig.buy()
        for tick in range(8):
            if tick == moment:
                broken.enter_context(fault(path))  # type: ignore[arg-type]
            rig.tick(1)
    rig.after(60)
    settle_everything(rig)
    assert rig.phase is Phase.ATTRACT
    assert rig.held == (PRICES[WATER] if rig.dropped and not rig.ledger.doubts else 0)
    assert not rig.ledger.sales
    assert verify(path).seq == OPEN[0].head.seq


def facts_of(path: Path) -> list[Fact]:
    return [entry.fact for entry in read(path)]


@pytest.mark.proves("disk-full")
def test_nothing_is_heard_of_a_device_while_nothing_can_be_written(rig: Rig, path: Path) -> None:
    """A polled driver acts by itself: it could begin a queued payment."""
    polls: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        for device in (rig.terminal, rig.dispenser):
            patch.setattr(device, "poll", lambda now: polls.append(now) or [])
        with takes_nothing_more(path):
            rig.choose(WATER)
            assert rig.shop.snapshot.faults == {"journal"}
            rig.tick(9)
            assert not polls
        rig.after(60)
        rig.tick()
        assert polls


@pytest.mark.proves("disk-full")
def test_a_payment_that_nobody_answers_is_reversed_once_the_journal_is_back(rig: Rig, path: Path) -> None:
    rig.terminal.plan([Pay.WAIT])
    rig.buy()
    rig.tick()
    with takes_nothing_more(path):
        rig.shop.touch(Cancel())
        assert rig.phase is Phase.OUT_OF_ORDER
    rig.after(60)
    settle_everything(rig)
    assert rig.phase is Phase.ATTRACT
    assert not rig.ledger.transactions
    assert not rig.ledger.sales
    assert any(fact.reason == "journal" for fact in facts_of(path) if isinstance(fact, ReversalRequested))


@pytest.mark.proves("disk-full")
def test_what_was_said_when_the_journal_failed_is_journalled_once_it_is_back(rig: Rig, path: Path) -> None:
    rig.dispenser.plan([Vend.WAIT])
    rig.buy()
    rig.tick()
    assert rig.phase is Phase.DISPENSING
    rig.dispenser.drop()
    with takes_nothing_more(path):
        rig.tick()
        assert rig.phase is Phase.OUT_OF_ORDER
    rig.after(60)
    settle_everything(rig)
    (doubt,) = rig.ledger.doubts.values()
    assert doubt.reported is True
    assert rig.held == 0


@pytest.mark.proves("disk-full")
def test_it_is_opened_again_at_growing_intervals(rig: Rig, path: Path) -> None:
    tries: list[float] = []
    with pytest.MonkeyPatch.context() as patch, takes_nothing_more(path):
        rig.choose(WATER)
        began = rig.now

        def fails() -> None:
            tries.append(round(rig.now - began))
            raise JournalError("the disk is full")

        patch.setattr(rig.journal, "reopen", fails)
        for _ in range(130):
            rig.after(1)
    assert tries == [2, 6, 14, 30, 60, 90, 120]


@pytest.mark.proves("disk-full-start")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_is_refused_in_one_line_before_any_device_is_told_anything(
    path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(path)
    journal.append(MachineStarted("1"))
    journal.close()
    terminal, dispenser = SimulatedTerminal(), SimulatedDispenser()

    def start() -> None:
        OPEN.append(Journal(path))
        Shop(catalog(), OPEN[0], terminal, dispenser)

    for device in (terminal, dispenser):
        monkeypatch.setattr(
            device, "poll", lambda _: pytest.fail("a device was polled, whose driver may act by itself")
        )
    with fault(path), pytest.raises(JournalError, match="check its disk and its folder") as caught:  # type: ignore[attr-defined]
        start()
    assert "\n" not in str(caught.value)
    assert not terminal.accounts
    assert not dispenser.dropped


def test_a_state_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path / "file" / "state" / "journal.db")
