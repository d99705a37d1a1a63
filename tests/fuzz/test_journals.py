"""A damaged journal is read correctly or refused. No row is misread, and nothing is deleted."""

from __future__ import annotations

import os
import shutil
from contextlib import closing, suppress
from pathlib import Path

import pytest

from kiosk.vending import journal as journals
from kiosk.vending.journal import Entry, Journal, JournalDamagedError, JournalError, quarantine
from kiosk.vending.journal.facts import Fact, JournalReplaced
from tests.fakes.sale_rig import BEER, WATER, Rig
from tests.fuzz.forged import damage_wal
from tests.fuzz.mutations import Within, mutations

WITHIN: dict[str, Within | None] = {"journal.db": None, "journal.db-wal": damage_wal}


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    rig = Rig()
    for slot in (WATER, BEER):
        rig.buy(slot)
        rig.tick(5)
        rig.after(60)
    return rig.journal.facts


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, facts: list[Fact]) -> Path:
    """A folder with a journal whose last rows are still in its write-ahead log."""
    folder = tmp_path_factory.mktemp("written")
    with closing(Journal(folder / "journal.db")) as journal:
        for fact in facts[:5]:
            journal.append(fact)
    crashed = tmp_path_factory.mktemp("crashed")
    with closing(Journal(folder / "journal.db")) as journal:
        for fact in facts[5:]:
            journal.append(fact)
        for file in folder.iterdir():  # the journal is still open, as at a power cut
            shutil.copy(file, crashed)
    return crashed


@pytest.mark.parametrize("damaged_file", ["journal.db", "journal.db-wal"])
def test_a_reader_refuses_a_damaged_journal_or_reads_it_correctly(
    tmp_path: Path, written: Path, facts: list[Fact], damaged_file: str
) -> None:
    for content in mutations((written / damaged_file).read_bytes(), within=WITHIN[damaged_file]):
        path = write_state(tmp_path, written, damaged_file, content)
        with suppress(JournalError):
            journals.read(path)
        with suppress(JournalError):
            entries, _ = journals.read_verified(path)
            assert is_beginning([entry.fact for entry in entries], facts)
        for name in ("journal.db", "journal.db-wal"):
            before = content if name == damaged_file else (written / name).read_bytes()
            assert (tmp_path / name).read_bytes() == before


@pytest.mark.proves("state-spoilt")
@pytest.mark.parametrize("damaged_file", ["journal.db", "journal.db-wal"])
def test_the_machine_starts_and_nothing_is_lost(
    tmp_path: Path, written: Path, facts: list[Fact], damaged_file: str
) -> None:
    replaced = 0
    copy, state = tmp_path / "copy", tmp_path / "state"
    copy.mkdir()
    for content in mutations((written / damaged_file).read_bytes(), within=WITHIN[damaged_file]):
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        path = write_state(state, written, damaged_file, content)
        readable = readable_rows(write_state(copy, written, damaged_file, content))
        try:
            journal = quarantine.open_journal(path)
        except JournalDamagedError:
            raise
        except JournalError:  # its damaged schema version looks like a newer kiosk's
            assert readable_rows(path) == readable
            continue
        with closing(journal):
            told = [entry.fact for entry in journal.of_kind(JournalReplaced)]
            if told:
                replaced += 1
                (folder,) = state.glob("journal-damaged-*")
                assert readable_rows(folder / "journal.db") == readable
            else:
                assert is_beginning([entry.fact for entry in journal.entries()], facts)
            journal.append(facts[0])
        journals.verify(path)
    assert replaced


def test_folders_of_any_name_beside_it_start_the_machine(tmp_path: Path) -> None:
    for number, content in enumerate(mutations(b"-damaged-20260302T120000Z")):
        state = tmp_path / str(number)
        state.mkdir()
        name = b"journal" + content.replace(b"/", b"_").replace(b"\0", b"")
        with suppress(OSError):  # too long a name
            (state / os.fsdecode(name)).mkdir()
        with closing(quarantine.open_journal(state / "journal.db")) as journal:
            assert len(list(journal.of_kind(JournalReplaced))) <= 1
        shutil.rmtree(state)


def readable_rows(path: Path) -> list[Entry]:
    """Returns the rows that `kiosk journal list` can read."""
    try:
        return journals.survey(path)[0]
    except JournalError:
        return []


def write_state(folder: Path, written: Path, damaged_file: str, content: bytes) -> Path:
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()
    for file in written.iterdir():
        # SQLite creates the index of a log again; the lock belonged to the process that ended.
        if file.suffix not in (".db-shm", ".lock"):
            shutil.copy(file, folder)
    (folder / damaged_file).write_bytes(content)
    return folder / "journal.db"


def is_beginning(some: list[Fact], all_: list[Fact]) -> bool:
    return all_[: len(some)] == some
