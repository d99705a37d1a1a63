"""Journals that were damaged or gone go to the stick too: whole, once, and over nothing."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import closing
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from kiosk.system import usb_export
from kiosk.system.usb_export import Progress, StoppedError, export
from kiosk.vending.journal import survey
from kiosk.vending.journal.facts import StockSet
from kiosk.vending.journal.quarantine import open_journal

ACCOUNTS = 2


def at(hour: int) -> datetime:
    return datetime(2026, 1, 2, hour)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """One in order, beside which one is kept that was damaged, and one of which only the mark is left."""
    path = tmp_path / "state" / "journal.db"
    with closing(open_journal(path)) as journal:
        journal.append(StockSet("A1", 5, "refill"))
    path.write_bytes(path.read_bytes().replace(b"A1", b"B1"))
    open_journal(path).close()
    path.unlink()
    open_journal(path).close()
    return path


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    stick = tmp_path / "stick"
    stick.mkdir()
    return stick


def new_on(stick: Path, before: set[str] | None = None) -> list[str]:
    return sorted({each.name for each in stick.iterdir()} - (before or set()))


def damaged(journal: Path) -> Path:
    (folder,) = journal.parent.glob("journal-damaged-*")
    return folder


def test_what_is_kept_is_written_once_and_can_be_read_there(journal: Path, stick: Path) -> None:
    exported = export(journal, stick, at(1))
    name = f"kiosk-{damaged(journal).name}"
    assert exported.left_out == ()
    assert name in exported.files
    assert sum("missing" in each for each in exported.files) == 1
    assert (stick / f"{name}.db").read_bytes() == (damaged(journal) / "journal.db").read_bytes()
    entries, damage = survey(stick / f"{name}.db")
    assert entries[0].fact == StockSet("B1", 5, "refill")
    assert damage is not None
    before = {each.name for each in stick.iterdir()}
    assert len(export(journal, stick, at(2)).files) == ACCOUNTS
    assert len(new_on(stick, before)) == ACCOUNTS


def test_rows_beside_it_stay_beside_it(journal: Path, stick: Path) -> None:
    (damaged(journal) / "journal.db-wal").write_bytes(b"rows")
    export(journal, stick, at(1))
    assert (stick / f"kiosk-{damaged(journal).name}.db-wal").read_bytes() == b"rows"


@pytest.mark.proves("stick-overwrite")
@pytest.mark.parametrize("other", ["file", "link"])
def test_what_is_there_and_another_is_neither_written_over_nor_followed(
    journal: Path, stick: Path, tmp_path: Path, other: str
) -> None:
    target = stick / f"kiosk-{damaged(journal).name}.db"
    if other == "file":
        target.write_text("half of it")
    else:
        target.symlink_to(tmp_path / "elsewhere")
    exported = export(journal, stick, at(1))
    assert f"{target.stem}-2" in exported.files
    assert (stick / f"{target.stem}-2.db").exists()
    if other == "file":
        assert target.read_text() == "half of it"
    assert not (tmp_path / "elsewhere").exists()


def test_without_room_the_accounts_are_there_and_it_is_said(
    journal: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(stick)
    size = (damaged(journal) / "journal.db").stat().st_size
    monkeypatch.setattr(usb_export.shutil, "disk_usage", lambda _: SimpleNamespace(free=usb_export._SPARE + size))
    exported = export(journal, stick, at(1))
    assert exported.left_out == (f"kiosk-{damaged(journal).name}",)
    assert len(exported.files) == ACCOUNTS + 1  # the mark alone has room
    assert len(new_on(stick)) == ACCOUNTS + 1
    monkeypatch.setattr(usb_export.shutil, "disk_usage", lambda _: free)
    assert export(journal, stick, at(2)).left_out == ()


def test_what_the_stick_does_not_take_leaves_no_half_of_it(
    journal: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = os.fsync
    tries: list[int] = []

    def fails(descriptor: int) -> None:
        tries.append(descriptor)
        if len(tries) > ACCOUNTS:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", fails)
    exported = export(journal, stick, at(1))
    assert len(exported.files) == len(new_on(stick)) == ACCOUNTS
    assert len(exported.left_out) == 2


def test_a_folder_that_cannot_be_read_costs_nobody_the_accounts(
    journal: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(folder: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder))

    monkeypatch.setattr(usb_export, "quarantined_journals", lambda _: [damaged(journal)])
    monkeypatch.setattr(Path, "iterdir", fails)
    exported = export(journal, stick, at(1))
    assert (len(exported.files), exported.left_out) == (ACCOUNTS, (damaged(journal).name,))


def test_a_file_of_such_a_name_is_none_of_them(journal: Path, stick: Path) -> None:
    before = len(export(journal, stick, at(1)).files)
    journal.with_name("journal-damaged-notes.txt").write_text("mine")
    for each in stick.iterdir():
        each.unlink()
    assert len(export(journal, stick, at(1)).files) == before
    with closing(open_journal(journal)) as again:
        assert again.head.seq == 2  # of what is kept, and of nothing new


def test_one_that_is_stopped_leaves_nothing_and_its_progress_goes_on(journal: Path, stick: Path) -> None:
    class Watched(Progress):
        stop_over = 2.0

        def check(self) -> None:
            shares.append(self.share or 0.0)
            self.stopped = shares[-1] > self.stop_over
            super().check()

    shares: list[float] = []
    progress = Watched()
    progress.stop_over = 0.7
    with pytest.raises(StoppedError):
        export(journal, stick, at(1), progress)
    assert new_on(stick) == []
    shares.clear()
    progress = Watched()
    export(journal, stick, at(2), progress)
    assert shares == sorted(shares)
    assert 0.9 < (progress.share or 0) <= 1
