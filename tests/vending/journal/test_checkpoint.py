"""A ledger rebuilt from a checkpoint equals the sum of all facts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Journal, JournalDamagedError
from kiosk.vending.journal.export import text_lines
from kiosk.vending.journal.facts import Checkpoint, JournalReplaced, PriceSet, SettingChanged
from kiosk.vending.journal.ledger import Ledger, OpenSale, Slot, Transaction, UnknownVend, fold
from kiosk.vending.journal.operator_settings import VOLUME, OperatorSettings
from kiosk.vending.journal.recovery import CHECKPOINT_LAYOUT, make_checkpoint, read_checkpoint, rebuild_ledger
from kiosk.vending.sale.state import Phase
from kiosk.vending.shop import Shop
from tests.fakes.sale_rig import BEER, STOCK, WATER, Rig, catalog, settle_everything

FULL = Ledger(
    opened=7,
    sales={"j-7": OpenSale("j-7", WATER, "Water", 180, "EUR", 18, age="passed", goods="requested", attempts=2)},
    transactions={"j-7-2": Transaction("j-7-2", "j-7", 180, "reversing", charged=True)},
    settled=("j-1-1", "j-2-1"),
    slots={WATER: Slot(3, blocked=True)},
    prices={WATER: PriceSet(WATER, 200, 180, "EUR")},
    doubts={"j-3": UnknownVend("j-3", WATER, taken=False, counted=True, reported=False)},
    replaced={"journal-damaged-1": JournalReplaced("journal-damaged-1", "row 3 was changed", "i-1-1")},
)


def read_back(ledger: Ledger) -> Checkpoint:
    """Returns a checkpoint as the journal reads it back."""
    rig = Rig()
    rig.journal.append(make_checkpoint(ledger))
    fact = rig.journal.facts[-1]
    assert isinstance(fact, Checkpoint)
    return fact


@pytest.mark.parametrize("ledger", [Ledger(), FULL])
def test_a_ledger_goes_into_a_checkpoint_and_back(ledger: Ledger) -> None:
    assert read_checkpoint(read_back(ledger)) == ledger


@pytest.mark.parametrize(
    "ledger",
    [
        {},
        {**asdict(FULL), "sales": {"j-1": {}}},
        {**asdict(FULL), "opened": "many"},
        {**asdict(FULL), "slots": {WATER: {"count": 3}}},
        {**asdict(FULL), "owed": {}},
        {**asdict(FULL), "settled": None},
    ],
)
def test_a_checkpoint_that_makes_no_sense_is_passed_over(ledger: dict[str, Any]) -> None:
    rig = Rig()
    rig.journal.append(Checkpoint(CHECKPOINT_LAYOUT, ledger))
    fact = rig.journal.facts[-1]
    assert isinstance(fact, Checkpoint)
    assert read_checkpoint(fact) is None


def test_the_layout_is_raised_with_the_ledger() -> None:
    """If this fails, raise CHECKPOINT_LAYOUT, so that older checkpoints are ignored, and write the new fields here."""
    known = {kind.__name__: " ".join(each.name for each in fields(kind)) for kind in _KINDS}
    assert (CHECKPOINT_LAYOUT, known) == (
        2,
        {
            "Ledger": "opened sales transactions settled slots prices doubts replaced",
            "OpenSale": "id slot product price currency minimum_age test age goods attempts charged",
            "Transaction": "id sale amount state charged",
            "Slot": "count blocked",
            "PriceSet": "slot price instead_of currency",
            "UnknownVend": "sale slot taken counted reported",
            "JournalReplaced": "folder damage owed",
        },
    )


_KINDS: tuple[Any, ...] = (Ledger, OpenSale, Transaction, Slot, PriceSet, UnknownVend, JournalReplaced)


def test_a_checkpoint_comes_every_so_many_rows_and_counts_itself() -> None:
    rig = Rig(checkpoint_every=10)
    for _ in range(6):
        rig.buy()
        settle_everything(rig)
        rig.fill(WATER, STOCK)
    found = [number for number, kind in enumerate(rig.journal.kinds, 1) if kind == "checkpoint"]
    assert len(found) > 2
    apart = [later - earlier for earlier, later in zip([0, *found], found, strict=False)]
    assert all(10 < each < 18 for each in apart)  # the rows of a tick more at most
    rig.start()
    rig.tick()
    assert rig.journal.kinds.count("checkpoint") == len(found)  # a start alone is no reason for one


def test_a_start_reads_no_row_before_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(checkpoint_every=10)
    rig.terminal.default, rig.dispenser.default = Pay.APPROVE, Vend.SILENCE
    rig.buy()
    rig.after(46)
    settle_everything(rig)
    rig.choose(BEER, camera=False)
    last = rig.journal.latest(Checkpoint)
    assert last is not None
    asked: list[int] = []
    entries = rig.journal.entries
    monkeypatch.setattr(rig.journal, "entries", lambda after=0: (asked.append(after), entries(after))[1])
    monkeypatch.setattr(rig.journal, "latest", lambda _: last)
    rig.start()
    assert asked == [last.seq]
    assert rig.ledger == fold(rig.journal.facts)


def test_a_checkpoint_of_another_layout_is_passed_over() -> None:
    rig = Rig(checkpoint_every=10)
    rig.buy()
    settle_everything(rig)
    rig.journal.append(replace(make_checkpoint(Ledger(opened=99)), layout=CHECKPOINT_LAYOUT + 1))
    assert rebuild_ledger(rig.journal) == fold(rig.journal.facts)  # type: ignore[arg-type]
    assert rig.ledger.opened == 1


def test_a_full_disk_at_a_checkpoint_stops_the_sale_until_there_is_room() -> None:
    rig = Rig(checkpoint_every=10_000)
    rig.shop._checkpoint_every = 1
    rig.journal.room = 0
    rig.tick(1)
    assert rig.phase is Phase.OUT_OF_ORDER
    assert rig.shop.snapshot.faults == {"journal"}
    rig.journal.room = None
    rig.after(3)
    assert rig.phase is Phase.ATTRACT
    assert rig.journal.kinds[-2:] == ["journal_reopened", "checkpoint"]


def test_settings_outlast_checkpoints(tmp_path: Path) -> None:
    """The settings are journalled independently of the sale."""
    with closing(Journal(tmp_path / "journal.db")) as journal:
        settings = OperatorSettings(journal)
        shop = Shop(catalog(), journal, SimulatedTerminal(), SimulatedDispenser(), checkpoint_every=1)
        for volume in (40, 50):
            settings.set(VOLUME, volume)
            shop.tick(0.0)
            assert OperatorSettings(journal).get(VOLUME, 0) == volume
        assert len(list(journal.of_kind(Checkpoint))) == 2


@pytest.mark.parametrize("row", [1, 2, 3])
def test_a_row_before_a_checkpoint_is_verified_all_the_same(tmp_path: Path, row: int) -> None:
    path = tmp_path / "journal.db"
    with closing(Journal(path)) as journal:
        for fact in (SettingChanged(VOLUME, "40"), make_checkpoint(FULL), SettingChanged(VOLUME, "50")):
            journal.append(fact)
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER events_stay")
        database.execute("UPDATE events SET data = replace(replace(data, '0', '1'), '7', '8') WHERE seq = ?", (row,))
        database.commit()
    with pytest.raises(JournalDamagedError, match=f"row {row} was changed"):
        Journal(path)


def test_a_listed_checkpoint_is_one_short_line() -> None:
    rig = Rig()
    rig.journal.append(make_checkpoint(FULL))
    assert list(text_lines(rig.journal.entries()))[-1].split()[2:] == ["checkpoint"]


def test_nothing_is_noted_before_a_failed_journal_was_read_again() -> None:
    rig = Rig(checkpoint_every=1)
    rig.tick(1)
    rig.journal.room = 0
    rig.choose(WATER)
    rig.journal.room, rows = None, len(rig.journal.rows)
    rig.shop._checkpoint_every = 0
    rig.after(0.1)
    assert len(rig.journal.rows) == rows
