"""Writes the state that this version leaves on a machine, as text files for the tests of later versions.

    python -m tests.upgrade.keep tests/upgrade/states/VERSION

Run it once for each release (CONTRIBUTING.md) and never again: what a released version has written cannot change.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

from kiosk.config import Config
from kiosk.config.describe import example
from kiosk.fleet.outbox import Outbox
from kiosk.security.pin import set_pin
from kiosk.vending.devices.mdb.payment_store import PaymentRecord, PaymentStore
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal import Entry, Journal
from kiosk.vending.journal.facts import Fact, VendRequested
from kiosk.vending.journal.operator_settings import VOLUME, OperatorSettings
from kiosk.vending.sale.events import (
    Cancel,
    Continue,
    LeaveService,
    PaymentTest,
    ServicePinRefused,
    SetPrice,
    SetStock,
    VendTest,
)
from tests.fakes.sale_rig import BEER, WATER, WINE, Rig, settle_everything

CATALOG = """\
currency = "EUR"

[[product]]
slot = "A1"
price = 180
name = { en = "Water", de = "Wasser", zh = "水" }
capacity = 5
stock = 3

[[product]]
slot = "B1"
price = 350
minimum_age = 16
name = { en = "Beer" }
capacity = 5
stock = 3

[[product]]
slot = "B2"
price = 990
minimum_age = 18
name = { en = "Wine" }
capacity = 5
stock = 3
"""
"""The catalogue of `tests.fakes.sale_rig`, as a file."""

SERVICE_PIN, ATTENDANT_PIN = "4711", "8150"


class PowerCutError(BaseException):
    """The power fails: the program ends here."""


class FragileJournal(Journal):
    """A journal whose machine can lose power before the next vend request."""

    power = True

    def append(self, fact: Fact) -> Entry:
        if not self.power and isinstance(fact, VendRequested):
            raise PowerCutError
        return super().append(fact)


class DiskRig(Rig):
    """The sale rig with a journal in a file."""

    def __init__(self, journal: Journal) -> None:
        self._disk = journal
        super().__init__(checkpoint_every=20)

    def start(self, *, keeps_messages: bool = False) -> None:
        self.journal = self._disk  # type: ignore[assignment]
        super().start(keeps_messages=keeps_messages)


def sell(journal: FragileJournal) -> None:
    """Runs a day: sales, one problem of each kind, service mode, and a power cut after a payment."""
    rig = DiskRig(journal)

    def with_id(slot: str) -> None:
        rig.choose(slot, camera=False)
        rig.shop.touch(Continue())
        rig.tick()
        rig.reader.present(70)
        settle_everything(rig)

    rig.buy(WATER)
    settle_everything(rig)
    with_id(BEER)

    rig.terminal.plan([Pay.DECLINE])
    rig.buy(WATER)
    rig.tick(5)
    rig.shop.touch(Cancel())
    settle_everything(rig)
    rig.dispenser.plan([Vend.JAM])
    rig.buy(WATER)
    settle_everything(rig)

    rig.into_service()
    rig.shop.operate(SetPrice(WATER, 200))
    rig.shop.operate(SetStock(WATER, 5, "refill"))
    for test in (VendTest(WATER), PaymentTest(100, "EUR")):
        rig.shop.operate(test)
        rig.tick(5)
    OperatorSettings(journal).set(VOLUME, 40)
    rig.shop.operate(LeaveService())
    settle_everything(rig)
    rig.shop.operate(ServicePinRefused(30))

    rig.dispenser.plan([Vend.SILENCE])
    with_id(WINE)
    journal.power = False
    try:
        rig.buy(WATER)
        rig.tick(5)
    except PowerCutError:
        return
    raise AssertionError("the power did not fail")


def fill_outbox(path: Path, journal: str) -> None:
    """Writes an outbox with messages that the broker has not received."""
    with closing(Outbox(path, 100)) as outbox:
        outbox.put("2026-03-02T08:00:00.000Z", "health", 0, {"faults": ""})
        outbox.remove_delivered(1)
        outbox.move_cursor(journal, 20)
        outbox.put("2026-03-02T09:00:00.000Z", "error", 2, {"text": "camera away, 水"})
        outbox.put("2026-03-02T10:00:00.000Z", "audience", 1, {"hour": 9, "known": 3})
        outbox.accept("m-17", 7, '{"kind":"price"}')


def dump(path: Path) -> str:
    """Returns a database as SQL, with its `user_version`."""
    with closing(sqlite3.connect(path)) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        return "\n".join([*database.iterdump(), f"PRAGMA user_version = {version};", ""])


def keep(folder: Path) -> None:
    """Writes all files of the machine's state into a new folder."""
    folder.mkdir(parents=True)
    settings = example(Config).replace('catalog = "demo"', 'catalog = "catalog.toml"')
    (folder / "kiosk.toml").write_text(settings.replace('\nstate = "auto"', '\nstate = "."'), encoding="utf-8")
    (folder / "catalog.toml").write_text(CATALOG, encoding="utf-8")
    set_pin(folder / "pins.json", "service", SERVICE_PIN)
    set_pin(folder / "pins.json", "attendant", ATTENDANT_PIN)
    PaymentStore(folder / "mdb-payments.json").put("5afe0001-8-1", PaymentRecord("requested", 200, "EUR"))
    now = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)

    def clock() -> datetime:
        nonlocal now
        now += timedelta(seconds=7)
        return now

    with tempfile.TemporaryDirectory() as scratch:
        files = {name: Path(scratch, f"{name}.db") for name in ("journal", "fleet")}
        with closing(FragileJournal(files["journal"], clock)) as journal:
            sell(journal)
            fill_outbox(files["fleet"], journal.id)
            (folder / "head").write_text(f"{journal.head}\n", encoding="utf-8")
        for name, path in files.items():
            (folder / f"{name}.sql").write_text(dump(path), encoding="utf-8")


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
