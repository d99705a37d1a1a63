"""Rows stay in the journal in their order, and every other change of the file is found."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kiosk.vending.journal import (
    Head,
    Journal,
    JournalDamagedError,
    JournalError,
    JournalInUseError,
    quarantine,
    read,
    read_between,
    records,
    survey,
    verify,
)
from kiosk.vending.journal import database as schema
from kiosk.vending.journal.facts import (
    Fact,
    JournalReplaced,
    MachineStarted,
    PaymentApproved,
    PaymentRequested,
    SaleOpened,
    VendSucceeded,
)

FACTS: list[Fact] = [
    MachineStarted("1.0"),
    SaleOpened("s-1", "A1", "Wasser für 矿泉水", 180, "EUR", 0),
    PaymentRequested("s-1", "s-1-1", 180),
    PaymentApproved("s-1", "s-1-1", 180, "T1"),
    VendSucceeded("s-1", "A1"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.db"


@pytest.fixture
def written(path: Path) -> Path:
    """A closed journal with five rows."""
    with closing(Journal(path)) as journal:
        for fact in FACTS:
            journal.append(fact)
    return path


def tamper(path: Path, *statements: str) -> None:
    """Changes the file with SQLite."""
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def without_triggers(path: Path) -> None:
    tamper(path, *(f"DROP TRIGGER {name}" for name in ("events_in_order", "events_stay", "events_remain")))


def test_what_is_appended_is_there_after_a_restart(written: Path) -> None:
    with closing(Journal(written)) as journal:
        assert [entry.fact for entry in journal.entries()] == FACTS
        assert [entry.seq for entry in journal.entries()] == [1, 2, 3, 4, 5]
        assert journal.append(FACTS[0]).seq == 6


def test_a_row_is_on_the_disk_when_append_returns(path: Path, tmp_path: Path) -> None:
    """A copy of the files, taken while the journal is open, contains the row."""
    with closing(Journal(path)) as journal:
        journal.append(FACTS[0])
        copy = tmp_path / "copy"
        shutil.copytree(path.parent, copy)
        assert [entry.fact for entry in read(copy / path.name)] == FACTS[:1]
        pragmas = {
            name: journal._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2}


def test_times_are_utc_and_may_jump(path: Path) -> None:
    times = iter([datetime(2026, 3, 1, 12, tzinfo=timezone.utc)] * 2 + [datetime(1970, 1, 1, tzinfo=timezone.utc)] * 2)
    with closing(Journal(path, clock=lambda: next(times))) as journal:
        assert journal.append(FACTS[0]).utc == "2026-03-01T12:00:00.000Z"
        assert journal.append(FACTS[0]).utc == "1970-01-01T00:00:00.000Z"
    assert verify(path).seq == 2


def test_the_id_stays(written: Path) -> None:
    with closing(Journal(written)) as first:
        id_ = first.id
    with closing(Journal(written)) as second:
        assert second.id == id_
    with closing(Journal(written.with_name("other.db"))) as other:
        assert other.id != id_


def test_it_can_be_read_and_verified_while_it_is_written(written: Path) -> None:
    with closing(Journal(written)) as journal:
        journal.append(FACTS[0])
        assert len(read(written)) == 6
        assert verify(written) == journal.head


def test_what_is_verified_is_of_one_moment(written: Path) -> None:
    done = threading.Event()

    def write() -> None:
        with closing(Journal(written)) as journal:
            while not done.is_set():
                journal.append(FACTS[0])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(150):
            verify(written)  # which would miss rows that came between two looks
    finally:
        done.set()
        writer.join()


def test_only_one_may_write(written: Path) -> None:
    with closing(Journal(written)), pytest.raises(JournalInUseError, match="another kiosk is running"):
        Journal(written)
    Journal(written).close()


def test_a_journal_that_could_not_be_opened_is_not_in_use(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database at all, but a good deal longer than one of its headers" * 20)
    for _ in range(2):
        with pytest.raises(JournalDamagedError):
            Journal(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET data = '{}' WHERE seq = 2",
        "DELETE FROM events WHERE seq = 5",
        "DELETE FROM events",
        "INSERT INTO events VALUES (9, '', '', '', '')",
        "INSERT INTO events VALUES (0, '', '', '', '')",
        "INSERT OR REPLACE INTO events VALUES (5, '', '', '', '')",
        "REPLACE INTO events VALUES (2, '', '', '', '')",
    ],
)
def test_the_file_refuses_everything_but_the_next_row(written: Path, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append"):
        tamper(written, statement)
    assert verify(written).seq == 5


@pytest.mark.proves("theft-accounts")
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("""UPDATE events SET data = replace(data, '180', '1') WHERE seq = 4""", "row 4 was changed"),
        ("UPDATE events SET utc = '2026-01-01T00:00:00.000Z' WHERE seq = 1", "row 1 was changed"),
        ("UPDATE events SET kind = 'vend_failed' WHERE seq = 5", "row 5 was changed"),
        ("UPDATE events SET hash = (SELECT hash FROM events WHERE seq = 1) WHERE seq = 2", "row 2 was changed"),
        ("DELETE FROM events WHERE seq = 1", "row 1 is missing"),
        ("DELETE FROM events WHERE seq = 3", "row 3 is missing"),
        ("DELETE FROM events WHERE seq = 5", "rows after 4 are missing"),
        ("DELETE FROM events", "rows after 0 are missing"),
        ("INSERT INTO events VALUES (6, '', 'vend_succeeded', '{}', 'x')", "row 6 was changed"),
        ("DELETE FROM head", "rows after 5 are missing"),
        ("UPDATE head SET hash = 'x'", "rows after 5 are missing"),
        ("DELETE FROM journal", "it has no id"),
        ("UPDATE journal SET id = 'deadbeef'", "row 1 was changed"),
    ],
)
def test_whatever_is_done_to_the_rows_is_found(written: Path, statement: str, found: str) -> None:
    without_triggers(written)
    tamper(written, statement)
    for look in (verify, Journal):
        with pytest.raises(JournalDamagedError, match=found) as caught:
            look(written)
        assert "\n" not in str(caught.value)
        assert "reverse open payments at the terminal" in str(caught.value)


def test_two_rows_that_change_places_are_found(written: Path) -> None:
    without_triggers(written)
    tamper(
        written,
        "UPDATE events SET seq = 99 WHERE seq = 2",
        "UPDATE events SET seq = 2 WHERE seq = 3",
        "UPDATE events SET seq = 3 WHERE seq = 99",
    )
    with pytest.raises(JournalDamagedError, match="row 2 was changed"):
        verify(written)


@pytest.mark.proves("theft-accounts")
def test_a_noted_head_finds_an_older_copy_put_back(written: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(written, copy)
    with closing(Journal(written)) as journal:
        journal.append(FACTS[0])
        noted = journal.head
    assert verify(written, noted) == noted
    assert verify(copy).seq == 5  # whole in itself
    with pytest.raises(JournalDamagedError, match="row 6 is not the one that was noted"):
        verify(copy, noted)
    with pytest.raises(JournalDamagedError, match="row 5 is not the one that was noted"):
        verify(copy, Head(5, noted.hash))


def test_a_flipped_bit_anywhere_is_found_or_harmless(written: Path, tmp_path: Path) -> None:
    """Flips the lowest bit of every 37th byte. Either the damage is found, or every row reads as before."""
    whole, found = written.read_bytes(), 0
    copy = tmp_path / "flipped.db"
    for place in range(0, len(whole), 37):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        copy.write_bytes(flipped)
        try:
            verify(copy)
        except JournalError:
            found += 1
        else:
            assert [entry.fact for entry in read(copy)] == FACTS, place
    assert found > 10


def test_a_write_cut_short_anywhere_leaves_whole_rows(path: Path, tmp_path: Path) -> None:
    """Truncates the write-ahead log, as a power cut may do."""
    copy = tmp_path / "cut"
    copy.mkdir()
    rows = set()
    with closing(Journal(path)) as journal:
        for fact in FACTS:
            journal.append(fact)
        log = path.with_name(f"{path.name}-wal").read_bytes()
        for length in range(0, len(log), 1000):
            for file in copy.iterdir():
                file.unlink()
            shutil.copy(path, copy / path.name)
            (copy / f"{path.name}-wal").write_bytes(log[:length])
            if length < 5000:  # before the first row there may not even be a table
                continue
            with closing(Journal(copy / path.name)) as cut:
                facts = [entry.fact for entry in cut.entries()]
            assert facts == FACTS[: len(facts)]
            rows.add(len(facts))
    assert len(rows) > 3


def test_a_damaged_file_says_what_to_do(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:4096] + b"\xff" * 4096)
    with pytest.raises(JournalDamagedError, match="the kiosk moves it to a folder beside") as caught:
        Journal(written)
    assert "count the stock, which is the catalogue's again" in str(caught.value)
    assert "reverse open payments at the terminal" in str(caught.value)


def test_a_journal_of_a_newer_kiosk_is_left_alone(written: Path) -> None:
    tamper(written, "PRAGMA user_version = 99")
    for look in (Journal, read, verify):
        with pytest.raises(JournalError, match="newer kiosk"):
            look(written)


def test_a_schema_moves_on_and_keeps_the_rows(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = (*schema.MIGRATIONS, "CREATE TABLE notes (text TEXT);\nINSERT INTO notes VALUES ('new');\n")
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    monkeypatch.setattr(schema, "READABLE", len(migrations))
    with pytest.raises(JournalError, match="start the kiosk once"):
        read(written)
    with closing(Journal(written)) as journal:
        assert [entry.fact for entry in journal.entries()] == FACTS
    assert len(read(written)) == 5
    with closing(sqlite3.connect(written)) as database:
        assert database.execute("SELECT text FROM notes").fetchall() == [("new",)]
        assert database.execute("PRAGMA user_version").fetchone() == (len(migrations),)


def test_a_kind_that_nobody_knows_is_damage(path: Path) -> None:
    with closing(Journal(path)) as journal:
        journal._database.execute(
            "INSERT INTO events VALUES (1, '2026-01-01T12:00:00.000Z', 'party', '{}', ?)",
            (records.row_hash(journal.id, 1, "2026-01-01T12:00:00.000Z", "party", "{}"),),
        )
    with pytest.raises(JournalDamagedError, match="row 1: its kind 'party' is unknown"):
        read(path)


def test_a_missing_journal_is_not_made_by_reading(path: Path) -> None:
    for look in (read, verify):
        with pytest.raises(JournalError, match="there is no journal"):
            look(path)
    assert not path.exists()


@pytest.mark.parametrize("look", [read, verify, survey], ids=lambda look: look.__name__)
@pytest.mark.parametrize("content", [b"", b"S"])
def test_reading_an_empty_one_keeps_the_rows_beside_it(
    path: Path, look: Callable[[Path], object], content: bytes
) -> None:
    """A power cut may leave such a file. SQLite takes it for a new database and removes the log of the old one."""
    path.parent.mkdir()
    path.write_bytes(content)
    log = path.with_name("journal.db-wal")
    log.write_bytes(b"rows")
    with suppress(JournalDamagedError):
        look(path)
    assert log.read_bytes() == b"rows"


@pytest.mark.parametrize(
    "row",
    [
        ("2026-01-01T12:00:00.000Z", "stock_set", '{"slot": "A1", "count": "many", "reason": "refill"}'),
        ("2026-01-01T12:00:00.000Z", "stock_set", '{"slot": "A1", "count": 3, "reason": "refill", "more": 1}'),
        ("2026-01-01T12:00:00.000Z", "sale_closed", '{"sale": "\\ud800", "outcome": "sold"}'),
        ("2026-01-01T12:00:00.000Z", "sale_closed", "[" * 100_000),
        ("yesterday", "sale_closed", '{"sale": "j-1", "outcome": "sold"}'),
    ],
)
def test_a_row_with_the_right_hash_that_is_no_fact_is_damage_and_put_aside(
    path: Path, row: tuple[str, str, str]
) -> None:
    with closing(Journal(path)) as journal:
        digest = records.row_hash(journal.id, 1, *row)
        journal._database.execute("INSERT INTO events VALUES (1, ?, ?, ?, ?)", (*row, digest))
    assert verify(path).seq == 1
    with pytest.raises(JournalDamagedError, match="row 1") as caught:
        read(path)
    assert len(str(caught.value)) < 1000
    with closing(quarantine.open_journal(path)) as journal:
        assert [type(entry.fact) for entry in journal.entries()] == [JournalReplaced]
    assert list(path.parent.glob("journal-damaged-*/journal.db"))


def test_a_full_disk_is_an_error_and_leaves_the_rows(written: Path) -> None:
    with closing(Journal(written)) as journal:
        journal._database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(JournalError, match="full"):
            journal.append(SaleOpened("s-2", "A1", "x" * 20_000, 180, "EUR", 0))
        journal._database.execute("PRAGMA max_page_count = 9999")
        assert journal.append(FACTS[0]).seq == 6
    assert verify(written).seq == 6


def test_a_file_that_stays_locked_is_an_error(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_S", 0.01)
    with closing(Journal(written)) as journal, closing(sqlite3.connect(written, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            journal.append(FACTS[0])
        other.execute("ROLLBACK")
        journal.reopen()
        assert journal.append(FACTS[0]).seq == 6
    assert verify(written).seq == 6


def test_a_lock_is_waited_for_longer_than_a_moment_and_not_for_ever(written: Path) -> None:
    """The same holds after the journal was opened again."""
    with closing(Journal(written)) as journal:
        for _ in range(2):
            assert 1000 <= journal._database.execute("PRAGMA busy_timeout").fetchone()[0] <= 3000  # milliseconds
            journal.reopen()


def test_a_reader_keeps_nobody_from_writing(written: Path) -> None:
    """It does not matter how long they take, or whether the sale waits."""
    with (
        closing(Journal(written)) as journal,
        closing(sqlite3.connect(f"file:{written}?mode=ro", uri=True, isolation_level=None)) as reader,
    ):
        journal._database.execute("PRAGMA busy_timeout = 0")
        reader.execute("BEGIN")
        rows = reader.execute("SELECT seq FROM events")
        assert rows.fetchone() == (1,)
        assert journal.append(FACTS[0]).seq == 6
        assert len(rows.fetchall()) == 4


@pytest.mark.proves("journal-locked")
def test_a_file_that_is_locked_for_a_moment_is_appended_to(written: Path) -> None:
    with (
        closing(Journal(written)) as journal,
        closing(sqlite3.connect(written, isolation_level=None, check_same_thread=False)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        opening = threading.Timer(0.05, lambda: other.execute("ROLLBACK"))
        opening.start()
        assert journal.append(FACTS[0]).seq == 6
        opening.join()


def test_a_journal_opened_again_has_the_row_whose_append_failed_late(written: Path) -> None:
    """The row reaches the disk, but the write reports an error."""
    with closing(Journal(written)) as journal:
        head = journal.head
        journal.append(FACTS[0])
        journal._head = head
        with pytest.raises(JournalError):
            journal.append(FACTS[0])
        journal.reopen()
        assert journal.append(FACTS[0]).seq == 7


def test_a_journal_that_was_taken_away_is_not_created_again(written: Path, tmp_path: Path) -> None:
    with closing(Journal(written)) as journal:
        away = tmp_path / "away"
        written.parent.rename(away)
        with pytest.raises(JournalError, match="was deleted or replaced"):
            journal.reopen()
        written.parent.mkdir()
        with closing(sqlite3.connect(written)):
            pass
        with pytest.raises(JournalError):
            journal.reopen()
        shutil.rmtree(written.parent)
        away.rename(written.parent)
        journal.reopen()
        assert journal.append(FACTS[0]).seq == 6


def test_a_journal_opened_again_has_to_hold_what_was_appended(written: Path) -> None:
    with closing(Journal(written)) as journal:
        journal._head = Head(5, "0" * 64)
        with pytest.raises(JournalDamagedError, match="row 5 is not the one that was written"):
            journal.reopen()


@pytest.fixture
def read_only(written: Path) -> Iterator[Path]:
    """Makes a folder that cannot be written, as on a write-protected stick, even for root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(written, folder / "journal.db")
        (folder / "journal.db").chmod(0o444)
        folder.chmod(0o555)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        yield folder / "journal.db"
        os.seteuid(before)
        folder.chmod(0o755)


def test_a_journal_on_a_read_only_medium_is_read_and_verified(read_only: Path) -> None:
    assert verify(read_only).seq == 5
    assert [entry.fact for entry in read(read_only)] == FACTS


def test_rows_that_a_read_only_medium_would_hide_are_not_left_out(read_only: Path) -> None:
    before = os.geteuid()
    os.seteuid(os.getuid())
    read_only.parent.chmod(0o755)
    read_only.with_name("journal.db-wal").write_bytes(b"rows")
    read_only.parent.chmod(0o555)
    os.seteuid(before)
    with pytest.raises(JournalError, match="copy both files to a folder that can be written"):
        verify(read_only)


def test_it_says_whether_it_can_be_read(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "journal.db")) as journal:
        assert journal.is_readable()
        journal.append(MachineStarted("1"))
        assert journal.is_readable()
        journal._database.close()
        assert not journal.is_readable()


def test_a_day_is_selected_by_the_database(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    times = iter([noon, *(noon + timedelta(hours=hours) for hours in (0, 11, 12, 13, -40, 14))])  # the clock jumps
    with closing(Journal(path, lambda: next(times))) as journal:
        for fact in [*FACTS, MachineStarted("2.0")]:
            journal.append(fact)
        read_rows: list[str] = []
        of_row = records.parse_fact
        monkeypatch.setattr(records, "parse_fact", lambda kind, data: read_rows.append(kind) or of_row(kind, data))
        midnight = datetime(2026, 3, 2, 1, tzinfo=timezone(timedelta(hours=1)))
        entries = read_between(path, midnight, midnight + timedelta(hours=2))
    assert [(entry.seq, entry.fact) for entry in entries] == [(3, FACTS[2]), (4, FACTS[3])]
    assert len(read_rows) == 2
