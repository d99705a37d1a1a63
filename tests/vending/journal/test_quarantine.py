"""A damaged journal is kept whole, replaced, reported and settled by a person, wherever the power is cut."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from kiosk.common.sqlite import check_writable
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import (
    Journal,
    JournalDamagedError,
    JournalError,
    JournalInUseError,
    quarantine,
    verify,
)
from kiosk.vending.journal import database as schema
from kiosk.vending.journal import journal as writing
from kiosk.vending.journal.facts import (
    GONE,
    Fact,
    JournalReplaced,
    PaymentApproved,
    PaymentRequested,
    SaleOpened,
    SettingChanged,
    StockSet,
)
from kiosk.vending.journal.operator_settings import OUT_OF_ORDER, VOLUME, OperatorSettings
from kiosk.vending.sale.events import EnterService, Settle
from kiosk.vending.shop import Shop
from tests.fakes.sale_rig import STOCK, WATER, Rig, catalog

FACTS: list[Fact] = [
    StockSet(WATER, 5, "refill"),
    SettingChanged(VOLUME, "30"),
    SettingChanged(VOLUME, "40"),
    SettingChanged(OUT_OF_ORDER, "1"),
    SaleOpened("j-1", WATER, "Wässer", 180, "EUR", 0),
    PaymentRequested("j-1", "j-1-1", 180),
    PaymentApproved("j-1", "j-1-1", 180),
]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "journal.db"
    with closing(Journal(path)) as journal:
        for fact in FACTS:
            journal.append(fact)
    return path


def tampered(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            database.execute(statement)
        database.commit()


def spoil(path: Path, where: int, what: bytes) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:where] + what + whole[where + len(what) :])


def misspell(path: Path) -> None:
    """Replaces a byte of a row with one that is not valid text."""
    spoil(path, path.read_bytes().index("ä".encode()), b"\xff")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a row was changed": lambda path: tampered(path, "UPDATE events SET utc = 'yesterday' WHERE seq = 2"),
    "a row is missing": lambda path: tampered(path, "DELETE FROM events WHERE seq = 3"),
    "the last rows are missing": lambda path: tampered(path, "DELETE FROM events WHERE seq > 4"),
    "no text": misspell,
    "no database": lambda path: path.write_bytes(b"no database at all " * 999) and None,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)) and None,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:4096]) and None,
    "garbage within": lambda path: spoil(path, 4096, b"\xff" * 4096),
    "empty": lambda path: path.write_bytes(b"") and None,
    "a version that is none": lambda path: tampered(path, "PRAGMA user_version = -3"),
    "of no version any more": lambda path: tampered(path, "PRAGMA user_version = 0"),
    "forbidden to write by its header": lambda path: spoil(path, 18, b"\x07"),
}


@pytest.mark.proves("journal-damaged-start")
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_journal_is_kept_and_another_begun_that_says_so(
    written: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Journal(written)) as journal:
        before = journal.id
    damage(written)
    spoilt = written.read_bytes()
    with closing(quarantine.open_journal(written)) as journal:
        assert journal.id != before
        (told,) = [entry.fact for entry in journal.entries() if isinstance(entry.fact, JournalReplaced)]
    assert verify(written).seq >= 1
    assert told.damage
    assert "\n" not in told.damage
    assert (written.parent / told.folder / "journal.db").read_bytes() == spoilt
    assert any("settle it in service mode" in message for message in caplog.messages)
    with closing(quarantine.open_journal(written)) as journal:
        assert len(list(journal.of_kind(JournalReplaced))) == 1


def with_rows_beside(path: Path) -> None:
    """The last row is only in the file beside the database, as after a power cut. A row before it is damaged."""
    rows = path.with_name("journal.db-wal")
    with closing(Journal(path)) as journal:
        for _ in range(200):
            journal.append(StockSet(WATER, 5, "refill"))
        journal._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        journal.append(PaymentRequested("j-1", "j-1-2", 180))
        files = {each: each.read_bytes() for each in (path, rows)}
    for each, content in files.items():
        each.write_bytes(content)
    spoil(path, path.read_bytes().index(b"refill"), b"refund")


def test_rows_that_never_reached_the_file_are_kept_with_it(written: Path) -> None:
    with_rows_beside(written)
    with closing(quarantine.open_journal(written)) as journal:
        (told,) = [entry.fact for entry in journal.of_kind(JournalReplaced)]
        assert isinstance(told, JournalReplaced)
        assert told.damage.endswith("was changed")
        assert told.owed == "j-1-1 j-1-2"


def test_one_that_no_row_can_be_added_to_is_replaced(written: Path) -> None:
    """All rows are intact, but a flipped bit in a trigger's text makes SQLite refuse every new row."""
    spoil(written, written.read_bytes().index(b"RAISE(ABORT, 'the journal is appended"), b"RAISA")
    with closing(quarantine.open_journal(written)) as journal:
        (told,) = [entry.fact for entry in journal.of_kind(JournalReplaced)]
        assert isinstance(told, JournalReplaced)
        assert "triggers" in told.damage
        journal.append(FACTS[0])


def test_a_disk_that_is_read_only_is_no_damage(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite reports the same error for a read-only disk, missing permissions, and a header that forbids writing."""
    connect = schema.connect

    def refused(name: str) -> sqlite3.Connection:
        with closing(connect(name)) as database:
            database.execute("PRAGMA query_only = 1")
            check_writable(database)
        raise AssertionError("it was written")

    for module in (writing, quarantine):
        monkeypatch.setattr(module, "connect", refused)
    with pytest.raises(JournalError, match=r"readonly.*check its disk") as told:
        quarantine.open_journal(written)
    assert not isinstance(told.value, JournalDamagedError)
    assert not quarantine.quarantined_journals(written)


@pytest.mark.proves("journal-unreadable")
@pytest.mark.parametrize("code", [7, 10, 266, 8458])  # of memory and of a disk
def test_a_page_that_cannot_be_read_is_no_damage(written: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """SQLite's integrity check reports it as text, where other queries fail. The next read may succeed."""

    class Unread(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if "integrity_check" in statement:
                problem = f"*** in database main ***\nPage 4: unable to get the page. error code={code}"
                return super().execute("SELECT ?", (problem,))
            return super().execute(statement, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **named: connect(*args, factory=Unread, **named))
    with pytest.raises(JournalError, match="check its disk") as told:
        quarantine.open_journal(written)
    assert not isinstance(told.value, JournalDamagedError)
    assert "\n" not in str(told.value)
    assert not quarantine.quarantined_journals(written)


@pytest.mark.proves("journal-unreadable")
@pytest.mark.parametrize(
    "statements",
    [
        "VACUUM",
        "ANALYZE",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA page_size = 8192; PRAGMA journal_mode = DELETE; VACUUM",
        "CREATE INDEX by_kind ON events (kind); CREATE VIEW sales AS SELECT * FROM events",
    ],
)
def test_what_an_operators_sqlite_shell_did_is_no_damage(written: Path, statements: str) -> None:
    with closing(sqlite3.connect(written, isolation_level=None)) as database:
        database.executescript(statements)
    with closing(quarantine.open_journal(written)) as journal:
        assert [entry.fact for entry in journal.entries()] == FACTS
        journal.append(FACTS[0])
    assert not quarantine.quarantined_journals(written)


def test_a_journal_of_a_kiosk_whose_source_was_indented_otherwise_is_no_damage(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "MIGRATIONS", tuple(dedent(script) for script in schema.MIGRATIONS))
    with closing(quarantine.open_journal(written)) as journal:
        assert [entry.fact for entry in journal.entries()] == FACTS


@pytest.mark.proves("journal-damaged-start")
def test_the_file_of_rows_is_kept_where_it_cannot_be_joined(written: Path) -> None:
    """Keeps the log, which SQLite otherwise merges into the database when it is closed without readers."""
    with_rows_beside(written)
    with closing(sqlite3.connect(written)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT seq FROM head").fetchone()
        rows = written.with_name("journal.db-wal").read_bytes()
        with closing(quarantine.open_journal(written)) as journal:
            (told,) = [entry.fact for entry in journal.of_kind(JournalReplaced)]
    assert isinstance(told, JournalReplaced)
    assert (written.parent / told.folder / "journal.db-wal").read_bytes() == rows
    assert told.owed == "j-1-1 j-1-2"


def test_a_journal_in_order_is_opened_and_nothing_put_aside(written: Path) -> None:
    with closing(quarantine.open_journal(written)) as journal:
        assert [entry.fact for entry in journal.entries()] == FACTS
    assert not list(written.parent.glob("*damaged*"))


def test_what_is_only_another_version_or_in_use_is_left_alone(written: Path) -> None:
    with closing(Journal(written)), pytest.raises(JournalInUseError):
        quarantine.open_journal(written)
    tampered(written, "PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="newer kiosk"):
        quarantine.open_journal(written)
    assert not list(written.parent.glob("*damaged*"))


@pytest.mark.proves("journal-damaged-start")
def test_open_payments_are_told_and_what_the_operator_set_is_kept(written: Path) -> None:
    DAMAGES["a row was changed"](written)
    with closing(quarantine.open_journal(written)) as journal:
        (told,) = [entry.fact for entry in journal.of_kind(JournalReplaced)]
        assert isinstance(told, JournalReplaced)
        assert (told.damage, told.owed) == ("row 2 was changed", "j-1-1")
        settings = OperatorSettings(journal)
        assert (settings.get(VOLUME, 60), settings.get(OUT_OF_ORDER, 0)) == (40, 1)


def test_rows_that_make_no_sense_together_are_no_obstacle(written: Path) -> None:
    tampered(written, """UPDATE events SET data = '{"slot": "A1", "count": null, "reason": 7}' WHERE seq = 1""")
    tampered(written, """UPDATE events SET kind = 'vend_failed', data = '{"sale": [], "slot": {}, "reason": 1}'""")
    with closing(quarantine.open_journal(written)) as journal:
        (told,) = [entry.fact for entry in journal.of_kind(JournalReplaced)]
        assert isinstance(told, JournalReplaced)
        assert told.owed == ""


class Cut(BaseException):
    """Cuts the power."""


@pytest.mark.proves("journal-damaged-start")
@pytest.mark.parametrize("damage", ["a row was changed", "no database", "empty", "with rows beside"])
def test_wherever_the_power_goes_nothing_is_lost_and_it_is_told(
    tmp_path: Path, written: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    """Cuts the power before each step that changes something, one after another, until a start completes."""
    {**DAMAGES, "with rows beside": with_rows_beside}[damage](written)
    spoilt = written.read_bytes()
    for deadly in range(100):
        path = tmp_path / str(deadly) / "journal.db"
        shutil.copytree(written.parent, path.parent)
        steps = iter(range(deadly))
        with monkeypatch.context() as context:
            for owner, name in STEPS:
                context.setattr(owner, name, cut_at(steps, getattr(owner, name)))
            try:
                quarantine.open_journal(path).close()
            except Cut:
                went = True
            else:
                went = False
        with closing(quarantine.open_journal(path)) as journal:
            told = [entry.fact for entry in journal.of_kind(JournalReplaced)]
            assert told
        facts = [fact for fact in told if isinstance(fact, JournalReplaced)]
        if damage == "with rows beside":
            assert {fact.owed for fact in facts} == {"j-1-1 j-1-2"}
        else:
            assert {(path.parent / fact.folder / path.name).read_bytes() for fact in facts} == {spoilt}
        assert verify(path).seq
        if not went:
            assert deadly > 10, "not every step is counted"
            return
    pytest.fail("the power is still cut at the last step")


STEPS = (
    (quarantine.os, "link"),
    (quarantine, "sync"),
    (Path, "mkdir"),
    (Path, "rename"),
    (Path, "unlink"),
    (Journal, "append"),
)


def cut_at(steps: object, do: Callable[..., object]) -> Callable[..., object]:
    def step(*args: object, **named: object) -> object:
        if next(steps, None) is None:  # type: ignore[call-overload]
            raise Cut
        return do(*args, **named)

    return step


@pytest.mark.proves("journal-quarantine-fails")
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS])
def test_what_cannot_be_put_aside_stays_and_says_why(
    written: Path, monkeypatch: pytest.MonkeyPatch, fault: int
) -> None:
    DAMAGES["a row was changed"](written)
    spoilt = written.read_bytes()

    def fails(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(quarantine, "_link_or_copy", fails)
    with pytest.raises(JournalError, match=f"cannot be moved to quarantine .{os.strerror(fault)}") as caught:
        quarantine.open_journal(written)
    assert "\n" not in str(caught.value)
    assert written.read_bytes() == spoilt


def test_a_file_system_without_links_has_copies(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", unknown)
    DAMAGES["a row was changed"](written)
    spoilt = written.read_bytes()
    quarantine.open_journal(written).close()
    (folder,) = written.parent.glob("journal-damaged-*")
    assert (folder / "journal.db").read_bytes() == spoilt


# Gone


def replaced_facts(journal: Journal) -> list[JournalReplaced]:
    return [entry.fact for entry in journal.of_kind(JournalReplaced) if isinstance(entry.fact, JournalReplaced)]


@pytest.fixture
def known(written: Path) -> Path:
    """A journal that a kiosk has used and that is then missing, while its other files are left."""
    quarantine.open_journal(written).close()
    return written


@pytest.mark.proves("journal-gone-start")
def test_a_fresh_machine_misses_nothing_and_one_of_before_the_mark_gets_one(tmp_path: Path, written: Path) -> None:
    fresh = tmp_path / "fresh" / "journal.db"
    for path in (fresh, fresh, written, written):
        with closing(quarantine.open_journal(path)) as journal:
            assert replaced_facts(journal) == []
            assert path.with_name("journal.db.begun").read_text() == journal.id


@pytest.mark.proves("journal-gone-start")
@pytest.mark.parametrize("rows_left", [False, True])
def test_a_journal_that_is_gone_is_told_once_and_another_begun(
    known: Path, rows_left: bool, caplog: pytest.LogCaptureFixture
) -> None:
    id_ = known.with_name("journal.db.begun").read_text()
    known.unlink()
    if rows_left:
        known.with_name("journal.db-wal").write_bytes(b"rows")
    for _ in range(2):
        with closing(quarantine.open_journal(known)) as journal:
            (fact,) = replaced_facts(journal)
            assert (fact.damage, fact.owed) == (GONE, "")
            folder = known.parent / fact.folder
            assert (folder / "journal.db.begun").read_text() == id_ != journal.id
            assert (folder / "journal.db-wal").exists() is rows_left
    assert len([message for message in caplog.messages if "it was gone" in message]) == 1
    known.unlink()
    with closing(quarantine.open_journal(known)) as journal:
        assert len(replaced_facts(journal)) == 2  # the second one is gone, too


def test_who_deletes_the_whole_folder_has_a_fresh_machine(known: Path) -> None:
    shutil.rmtree(known.parent)
    with closing(quarantine.open_journal(known)) as journal:
        assert replaced_facts(journal) == []


def test_a_copy_put_back_is_not_gone(known: Path) -> None:
    copy = known.read_bytes()
    known.unlink()
    known.write_bytes(copy)
    with closing(quarantine.open_journal(known)) as journal:
        assert replaced_facts(journal) == []


def test_a_damaged_journal_is_not_called_gone_as_well(known: Path) -> None:
    DAMAGES["a row was changed"](known)
    with closing(quarantine.open_journal(known)) as journal:
        assert [fact.damage for fact in replaced_facts(journal)] == ["row 2 was changed"]


@pytest.mark.proves("journal-gone-start")
@pytest.mark.parametrize("damage", ["gone", "a row was changed"])
def test_wherever_the_power_goes_a_journal_that_was_known_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    for deadly in range(100):
        path = tmp_path / str(deadly) / "journal.db"
        with closing(quarantine.open_journal(path)) as journal:
            for fact in FACTS:
                journal.append(fact)
        {**DAMAGES, "gone": Path.unlink}[damage](path)
        steps = iter(range(deadly))
        with monkeypatch.context() as context:
            for owner, name in STEPS:
                context.setattr(owner, name, cut_at(steps, getattr(owner, name)))
            try:
                quarantine.open_journal(path).close()
                went = True
            except Cut:
                went = False
        with closing(quarantine.open_journal(path)) as journal:
            assert {fact.damage for fact in replaced_facts(journal)} == {
                GONE if damage == "gone" else "row 2 was changed"
            }
        if went:
            assert deadly > 5, "not every step is counted"
            return
    pytest.fail("the power is still cut at the last step")


def test_a_mark_that_cannot_be_written_keeps_nobody_from_selling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(quarantine, "replace_file", fails)
    quarantine.open_journal(tmp_path / "journal.db").close()
    assert "could not report" in caplog.text


@pytest.mark.proves("journal-replaced")
@pytest.mark.parametrize("instead", [False, True])
def test_a_journal_that_vanishes_in_mid_run_takes_no_more_money_and_asks_for_a_fresh_start(
    tmp_path: Path, instead: bool
) -> None:
    """SQLite would go on writing into the deleted file."""
    path = tmp_path / "journal.db"
    with closing(quarantine.open_journal(path)) as journal:
        rig = Rig()
        rig.journal = journal  # type: ignore[assignment]
        rig.start()
        copy = path.read_bytes()
        path.unlink()
        if instead:
            path.write_bytes(copy)
        assert not journal.is_readable()
        rig.buy()
        assert rig.shop.snapshot.faults == {"journal"}
        assert not rig.terminal.accounts
        rig.after(60)
        assert rig.shop.journal_is_damaged or instead
        assert not rig.terminal.accounts


# Until a person has settled it


@pytest.mark.proves("journal-damaged-start")
@pytest.mark.parametrize(("damage", "kind"), [("a row was changed", "replaced"), ("gone", "gone")])
def test_the_machine_sells_on_and_it_stays_on_the_operators_list_until_settled(
    known: Path, damage: str, kind: str
) -> None:
    written = known
    {**DAMAGES, "gone": Path.unlink}[damage](written)
    for start in range(2):
        with closing(quarantine.open_journal(written)) as journal:
            shop = Shop(catalog(), journal, SimulatedTerminal(), SimulatedDispenser())  # type: ignore[arg-type]
            (attention,) = shop.snapshot.attention
            assert (attention.kind, attention.owed) == (kind, () if damage == "gone" else ("j-1-1",))
            assert {offer.count for offer in shop.snapshot.offers} == {STOCK}
            assert not shop.snapshot.faults
            if start:
                shop.operate(EnterService())
                shop.operate(Settle(attention.item, None))
                assert not shop.snapshot.attention
    with closing(quarantine.open_journal(written)) as journal:
        shop = Shop(catalog(), journal, SimulatedTerminal(), SimulatedDispenser())  # type: ignore[arg-type]
        assert not shop.snapshot.attention


@pytest.mark.proves("journal-damaged-running")
def test_a_journal_found_damaged_in_mid_run_asks_for_a_fresh_start(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    rig.journal.room = 0
    rig.buy()
    assert "journal" in rig.shop.snapshot.faults
    assert not rig.shop.journal_is_damaged

    def damaged() -> None:
        raise JournalDamagedError("row 3 was changed", "row 3 was changed")

    monkeypatch.setattr(rig.journal, "reopen", damaged)
    rig.after(60)
    assert rig.shop.journal_is_damaged
    assert "journal" in rig.shop.snapshot.faults
    monkeypatch.undo()
    rig.journal.room = None
    rig.after(60)
    assert not rig.shop.journal_is_damaged
