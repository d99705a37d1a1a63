"""Damaged journals are exported to the USB stick whole, once, and without overwriting a file."""

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
    """Returns a valid journal beside a damaged one in quarantine and one of which only the mark is left."""
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


def test_a_quarantined_journal_is_exported_once_and_is_readable(journal: Path, stick: Path) -> None:
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


def test_the_write_ahead_log_is_exported_beside_its_journal(journal: Path, stick: Path) -> None:
    (damaged(journal) / "journal.db-wal").write_bytes(b"rows")
    export(journal, stick, at(1))
    assert (stick / f"kiosk-{damaged(journal).name}.db-wal").read_bytes() == b"rows"


@pytest.mark.proves("stick-overwrite")
@pytest.mark.parametrize("other", ["file", "link"])
def test_existing_files_and_links_are_not_overwritten_or_followed(
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


def test_without_room_the_accounts_are_exported_and_the_lack_is_reported(
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


def test_a_failed_write_leaves_no_partial_file(journal: Path, stick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_the_accounts_are_exported_when_the_folder_cannot_be_read(
    journal: Path, stick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(folder: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(folder))

    monkeypatch.setattr(usb_export, "quarantined_journals", lambda _: [damaged(journal)])
    monkeypatch.setattr(Path, "iterdir", fails)
    exported = export(journal, stick, at(1))
    assert (len(exported.files), exported.left_out) == (ACCOUNTS, (damaged(journal).name,))


def test_a_file_with_the_name_of_a_quarantine_is_not_exported(journal: Path, stick: Path) -> None:
    before = len(export(journal, stick, at(1)).files)
    journal.with_name("journal-damaged-notes.txt").write_text("mine")
    for each in stick.iterdir():
        each.unlink()
    assert len(export(journal, stick, at(1)).files) == before
    with closing(open_journal(journal)) as again:
        assert again.head.seq == 2  # of what is kept, and of nothing new


def test_a_stopped_export_leaves_no_file_and_progress_never_falls(journal: Path, stick: Path) -> None:
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
