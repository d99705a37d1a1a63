"""The search for USB sticks, and the export to one."""

from __future__ import annotations

import gc
import os
from datetime import datetime
from pathlib import Path

import pytest

from kiosk.system.usb_export import Progress, StoppedError, export, mounted_sticks
from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import StockSet

NOW = datetime(2026, 1, 2, 3, 4, 5)
NAMES = ("kiosk-journal-2026-01-02-030405.csv", "kiosk-journal-2026-01-02-030405.json")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "journal.db"
    journal = Journal(path)
    for count in range(5):
        journal.append(StockSet("A1", count, "correction"))
    journal.close()
    return path


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    stick = tmp_path / "stick"
    stick.mkdir()
    return stick


@pytest.mark.proves("stick-name")
def test_the_system_may_name_a_stick_in_any_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes need not be valid UTF-8, which a text file needs."""
    name = b"/media/kiosk/\xff\xfe"
    mounts = b"/dev/sdb1 " + name + b" vfat rw 0 0\n"
    monkeypatch.setattr(Path, "read_bytes", lambda _: mounts)
    monkeypatch.setattr(Path, "read_text", lambda _: mounts.decode())
    assert mounted_sticks() == [Path(os.fsdecode(name))]


def test_a_stick_is_a_removable_and_writable_mount() -> None:
    mounts = (
        "/dev/sda1 / ext4 rw,relatime 0 0\n"
        "/dev/sdb1 /media/kiosk/MY\\040STICK vfat rw,nosuid 0 0\n"
        "/dev/sdc1 /run/media/kiosk/B vfat rw 0 0\n"
        "/dev/sr0 /media/cdrom iso9660 ro,nosuid 0 0\n"
        "tmpfs /mediathek tmpfs rw 0 0\n"
    )
    assert mounted_sticks(mounts) == [Path("/media/kiosk/MY STICK"), Path("/run/media/kiosk/B")]
    assert isinstance(mounted_sticks(), list)


@pytest.mark.proves("stick-overwrite")
def test_an_export_writes_over_nothing_and_takes_back_what_it_began(journal: Path, stick: Path) -> None:
    assert export(journal, stick, NOW).files == NAMES
    (stick / NAMES[0]).unlink()
    (stick / NAMES[1]).write_text("mine")
    with pytest.raises(FileExistsError):
        export(journal, stick, NOW)
    assert [(each.name, each.read_text()) for each in stick.iterdir()] == [(NAMES[1], "mine")]


def test_its_progress_goes_from_nothing_to_all(journal: Path, stick: Path) -> None:
    class Watched(Progress):
        def check(self) -> None:
            shares.append(self.share)

    shares: list[float | None] = []
    export(journal, stick, NOW, Watched())
    assert shares[0] is None
    written = [share for share in shares if share is not None]
    assert written == sorted(written)
    assert written[0] == 0
    assert 0.9 < written[-1] <= 1


@pytest.mark.parametrize("lines", [0, 1, 4])
def test_a_stopped_export_leaves_no_file(journal: Path, stick: Path, lines: int) -> None:
    class Stopping(Progress):
        def check(self) -> None:
            left.pop() if left else setattr(self, "stopped", True)
            super().check()

    left = [0] * lines
    with pytest.raises(StoppedError):
        export(journal, stick, NOW, Stopping())
    assert list(stick.iterdir()) == []


def test_the_collector_rests_meanwhile_and_works_again(journal: Path, stick: Path) -> None:
    class Watched(Progress):
        def check(self) -> None:
            rests.append(not gc.isenabled())

    rests: list[bool] = []
    export(journal, stick, NOW, Watched())
    assert all(rests)
    assert gc.isenabled()
    with pytest.raises(OSError, match="No such file"):
        export(journal, stick / "pulled out", NOW)
    assert gc.isenabled()
