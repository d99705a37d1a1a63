"""A spoilt journal is whole or refused. Nothing that was written is read wrong, and nothing of it is thrown away."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kiosk.vending import journal as journals
from kiosk.vending.facts import Fact
from kiosk.vending.journal import Journal, JournalError
from tests.fuzz.mutations import COUNT, mutations
from tests.vending.rig import BEER, WATER, Rig


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
@pytest.mark.parametrize("reader", [journals.verify, journals.read_verified, journals.read], ids=lambda it: it.__name__)
def test_what_only_reads_it_refuses_it_or_reads_it_right(
    tmp_path: Path, written: Path, facts: list[Fact], spoilt_file: str, reader: Callable[[Path], object]
) -> None:
    for content in mutations((written / spoilt_file).read_bytes(), count=COUNT // 3):
        path = laid_out(tmp_path, written, spoilt_file, content)
        try:
            reader(path)
            if reader is journals.read_verified:
                entries, _ = journals.read_verified(path)
                assert is_beginning([entry.fact for entry in entries], facts)
        except JournalError:
            assert (tmp_path / spoilt_file).read_bytes() == content


@pytest.mark.parametrize("spoilt_file", ["journal.db", "journal.db-wal"])
def test_the_kiosk_goes_on_with_what_is_whole_and_refuses_what_is_not(
    tmp_path: Path, written: Path, facts: list[Fact], spoilt_file: str
) -> None:
    refused = 0
    for content in mutations((written / spoilt_file).read_bytes()):
        path = laid_out(tmp_path, written, spoilt_file, content)
        try:
            with closing(Journal(path)) as journal:
                assert is_beginning([entry.fact for entry in journal.entries()], facts)
                journal.append(facts[0])
            journals.verify(path)
        except JournalError:
            refused += 1
    # A log's spoilt rows were never written, as far as SQLite can tell: the journal is whole without them.
    assert refused or spoilt_file.endswith("-wal")


def laid_out(folder: Path, written: Path, spoilt_file: str, content: bytes) -> Path:
    for file in folder.iterdir():
        file.unlink()
    for file in written.iterdir():
        # SQLite makes the index of a log anew; the lock was the dead process's.
        if file.suffix not in (".db-shm", ".lock"):
            shutil.copy(file, folder)
    (folder / spoilt_file).write_bytes(content)
    return folder / "journal.db"


def is_beginning(some: list[Fact], all_: list[Fact]) -> bool:
    return all_[: len(some)] == some
