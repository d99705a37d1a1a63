"""This version reads and uses the state that earlier versions left on their machines, and loses nothing of it.

`keep.py` creates such a state; its docstrings say what happened on that machine.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import fields
from pathlib import Path

import pytest

from kiosk.app.factories import load_catalog
from kiosk.config import load
from kiosk.fleet import outbox as outbox_module
from kiosk.fleet.outbox import Outbox, OutboxError
from kiosk.security.pin import load_pins, matches
from kiosk.vending.devices.mdb.payment_store import PaymentStore
from kiosk.vending.journal import Entry, Head, Journal, JournalDamagedError, JournalError, read, survey, verify
from kiosk.vending.journal import database as schema
from kiosk.vending.journal.facts import Checkpoint, Fact, MachineStarted, ReversalRequested, SaleClosed, name_of
from kiosk.vending.journal.operator_settings import VOLUME, OperatorSettings
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import WATER, WINE, settle_everything
from tests.upgrade.keep import ATTENDANT_PIN, SERVICE_PIN, DiskRig

STATES = sorted(Path(__file__).parent.joinpath("states").iterdir())

FIELDS = {
    "age_cleared": "sale result by",
    "checkpoint": "layout ledger",
    "journal_reopened": "",
    "journal_replaced": "folder damage owed",
    "machine_started": "version",
    "payment_approved": "sale transaction amount reference",
    "payment_declined": "sale transaction reason",
    "payment_requested": "sale transaction amount",
    "payment_reversed": "sale transaction",
    "payment_settled": "sale transaction",
    "pin_refused": "role sale locked_s",
    "price_set": "slot price instead_of currency",
    "reversal_requested": "sale transaction reason",
    "sale_closed": "sale outcome",
    "sale_opened": "sale slot product price currency minimum_age test",
    "setting_changed": "name value",
    "settled_by_operator": "item dropped",
    "stock_set": "slot count reason",
    "vend_failed": "sale slot reason",
    "vend_reported_late": "sale slot dropped",
    "vend_requested": "sale slot",
    "vend_succeeded": "sale slot",
    "vend_unknown": "sale slot reason",
}
"""The fields of each kind of fact in schema `SCHEMA`."""

SCHEMA = 2


@pytest.fixture(params=STATES, ids=lambda folder: folder.name)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A machine's folder, as an earlier version left it."""
    folder = tmp_path / "state"
    shutil.copytree(request.param, folder)
    for private in ("pins.json", "mdb-payments.json"):
        if (folder / private).exists():
            (folder / private).chmod(0o600)
    for dump in folder.glob("*.sql"):
        with closing(sqlite3.connect(dump.with_suffix(".db"))) as database:
            database.executescript(dump.read_text(encoding="utf-8"))
    return folder


@pytest.fixture
def journal(state: Path) -> Path:
    return state / "journal.db"


@pytest.fixture
def head(state: Path) -> Head:
    """The head of the journal, as the earlier version printed it."""
    return Head.parse((state / "head").read_text(encoding="ascii").strip())


def test_every_key_of_its_settings_is_still_one(state: Path) -> None:
    config = load(state / "kiosk.toml")
    catalog, _ = load_catalog(config)
    assert [product.slot for product in catalog.product] == ["A1", "B1", "B2"]
    assert config.journal_path == state / "journal.db"


def test_its_pins_are_still_valid(state: Path) -> None:
    pins = load_pins(load(state / "kiosk.toml").pins_path)
    assert matches(SERVICE_PIN, pins.service)
    assert matches(ATTENDANT_PIN, pins.attendant)


def test_its_journal_is_read_without_being_changed(journal: Path, head: Head) -> None:
    before = journal.read_bytes()
    assert verify(journal, head) == head
    assert len(read(journal)) == head.seq
    assert survey(journal)[1] is None
    assert journal.read_bytes() == before


def test_its_journal_is_continued_after_the_same_rows(journal: Path, head: Head) -> None:
    old = read(journal)
    with closing(Journal(journal)) as opened:
        rig = DiskRig(opened)
        settle_everything(rig)
        rig.buy(WATER)
        settle_everything(rig)
    entries = read(journal)
    assert entries[: head.seq] == old
    assert isinstance(entries[head.seq].fact, MachineStarted)
    assert [fact.outcome for fact in facts(entries[head.seq :]) if isinstance(fact, SaleClosed)] == ["refunded", "sold"]
    assert verify(journal, head).seq == len(entries)


def test_the_sale_that_a_power_cut_left_open_is_resolved(journal: Path, head: Head) -> None:
    """The customer had paid, but the motor had not turned."""
    paid = read(journal)[-1].fact
    with closing(Journal(journal)) as opened:
        rig = DiskRig(opened)
        settle_everything(rig)
        written = facts(opened.entries(head.seq))
    assert [fact.transaction for fact in written if isinstance(fact, ReversalRequested)] == [paid.transaction]  # type: ignore[union-attr]


def test_its_prices_stock_and_doubts_still_hold(journal: Path) -> None:
    with closing(Journal(journal)) as opened:
        rig = DiskRig(opened)
        settle_everything(rig)
        ledger = rig.ledger
        assert ledger.price(WATER, 180, "EUR") == 200
        assert ledger.slot(WATER).count == 4
        assert ledger.uncertain(WINE) == 1
        assert [doubt for doubt in ledger.doubts if doubt.endswith("-7")]
        assert OperatorSettings(opened).get(VOLUME, 100) == 40
        assert rig.phase is Phase.ATTRACT


def test_an_older_kiosk_refuses_a_journal_of_this_one_as_newer(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Journal(journal)) as opened:
        opened.append(Checkpoint(0, {}))
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    for read_journal in (Journal, read, verify):
        with pytest.raises(JournalError, match="written by a newer kiosk") as refused:
            read_journal(journal)
        assert not isinstance(refused.value, JournalDamagedError)


def test_messages_that_the_fleet_has_not_received_are_kept(state: Path) -> None:
    if not (state / "fleet.db").exists():
        pytest.skip("the earlier version had no fleet")
    with closing(sqlite3.connect(state / "journal.db")) as database:
        (id_,) = database.execute("SELECT id FROM journal").fetchone()
    with closing(Outbox(state / "fleet.db", 100)) as outbox:
        assert not outbox.was_replaced
        assert outbox.cursor(id_) == 20
        assert [(each.seq, each.topic) for each in outbox.messages_after(0, 9)] == [(2, "error"), (3, "audience")]
        assert outbox.counter("m-17") == 7
        assert outbox.orders() == [("m-17", 7, '{"kind":"price"}')]
        outbox.put("2026-03-03T08:00:00.000Z", "health", 0, {})
        assert outbox.waiting == 3
    with closing(sqlite3.connect(state / "fleet.db")) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (len(outbox_module._MIGRATIONS),)


def test_an_older_kiosk_refuses_an_outbox_of_a_newer_one(tmp_path: Path) -> None:
    with closing(Outbox(tmp_path / "fleet.db", 100)) as outbox:
        outbox.move_cursor("5afe0001", 7)
        newer = len(outbox_module._MIGRATIONS) + 1
        outbox._database.execute(f"PRAGMA user_version = {newer}")
    with pytest.raises(OutboxError, match="was written by a newer kiosk: install that version"):
        Outbox(tmp_path / "fleet.db", 100)
    with closing(sqlite3.connect(tmp_path / "fleet.db")) as database:
        assert database.execute("SELECT seq FROM cursor").fetchall() == [(7,)]  # it is unchanged


def test_a_payment_at_the_reader_is_remembered(state: Path) -> None:
    if not (state / "mdb-payments.json").exists():
        pytest.skip("the earlier version had no driver for a card reader")
    memory = PaymentStore(state / "mdb-payments.json")
    assert memory.is_readable
    name, payment = memory.open_payment() or ("", None)
    assert payment
    assert (name, payment.amount, payment.currency) == ("5afe0001-8-1", 200, "EUR")


def test_the_facts_and_fields_are_those_of_the_schema() -> None:
    """A new kind or field needs a migration too, so that an older kiosk does not take the journal for damaged."""
    fields_now = {name_of(kind): " ".join(field.name for field in fields(kind)) for kind in Fact.__args__}  # type: ignore[attr-defined]
    assert len(schema.MIGRATIONS) == SCHEMA, "update FIELDS to the facts of the new schema"
    assert fields_now == FIELDS, "a new kind or field needs a new entry in `journal.database.MIGRATIONS`"


def facts(entries: Iterable[Entry]) -> list[Fact]:
    return [entry.fact for entry in entries]
