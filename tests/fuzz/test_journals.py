"""A spoilt journal is whole or refused. Nothing that was written is read wrong, and nothing of it is thrown away."""

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
from tests.fuzz.forged import spoilt_log
from tests.fuzz.mutations import Within, mutations

WITHIN: dict[str, Within | None] = {"journal.db": None, "journal.db-wal": spoilt_log}


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
        for file in folder.iterdir():  # what a power cut leaves: it is still open
            shutil.copy(file, crashed)
    return crashed


@pytest.mark.parametrize("spoilt_file", ["journal.db", "journal.db-wal"])
def test_what_only_reads_it_refuses_it_or_reads_it_right(
    tmp_path: Path, written: Path, facts: list[Fact], spoilt_file: str
) -> None:
    for content in mutations((written / spoilt_file).read_bytes(), within=WITHIN[spoilt_file]):
        path = laid_out(tmp_path, written, spoilt_file, content)
        with suppress(JournalError):
            journals.read(path)
        with suppress(JournalError):
            entries, _ = journals.read_verified(path)
            assert is_beginning([entry.fact for entry in entries], facts)
        for name in ("journal.db", "journal.db-wal"):
            before = content if name == spoilt_file else (written / name).read_bytes()
            assert (tmp_path / name).read_bytes() == before


@pytest.mark.proves("state-spoilt")
@pytest.mark.parametrize("spoilt_file", ["journal.db", "journal.db-wal"])
def test_the_machine_starts_and_nothing_is_lost(
    tmp_path: Path, written: Path, facts: list[Fact], spoilt_file: str
) -> None:
    replaced = 0
    copy, state = tmp_path / "copy", tmp_path / "state"
    copy.mkdir()
    for content in mutations((written / spoilt_file).read_bytes(), within=WITHIN[spoilt_file]):
        shutil.rmtree(state, ignore_errors=True)
        state.mkdir()
        path = laid_out(state, written, spoilt_file, content)
        readable = surveyed(laid_out(copy, written, spoilt_file, content))
        try:
            journal = quarantine.open_journal(path)
        except JournalDamagedError:
            raise
        except JournalError:  # its schema is a newer kiosk's, as far as anybody can tell
            assert surveyed(path) == readable
            continue
        with closing(journal):
            told = [entry.fact for entry in journal.of_kind(JournalReplaced)]
            if told:
                replaced += 1
                (folder,) = state.glob("journal-damaged-*")
                assert surveyed(folder / "journal.db") == readable
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


def surveyed(path: Path) -> list[Entry]:
    """What whoever does the accounts can read of it."""
    try:
        return journals.survey(path)[0]
    except JournalError:
        return []


def laid_out(folder: Path, written: Path, spoilt_file: str, content: bytes) -> Path:
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()
    for file in written.iterdir():
        # SQLite makes the index of a log anew; the lock was the dead process's.
        if file.suffix not in (".db-shm", ".lock"):
            shutil.copy(file, folder)
    (folder / spoilt_file).write_bytes(content)
    return folder / "journal.db"


def is_beginning(some: list[Fact], all_: list[Fact]) -> bool:
    return all_[: len(some)] == some
