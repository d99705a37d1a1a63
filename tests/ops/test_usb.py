"""What is a stick, and what is written to it."""

from __future__ import annotations

from pathlib import Path

from kiosk.ops.usb import sticks


def test_only_what_can_be_taken_out_and_written_is_a_stick() -> None:
    mounts = (
        "/dev/sda1 / ext4 rw,relatime 0 0\n"
        "/dev/sdb1 /media/kiosk/MY\\040STICK vfat rw,nosuid 0 0\n"
        "/dev/sdc1 /run/media/kiosk/B vfat rw 0 0\n"
        "/dev/sr0 /media/cdrom iso9660 ro,nosuid 0 0\n"
        "tmpfs /mediathek tmpfs rw 0 0\n"
    )
    assert sticks(mounts) == [Path("/media/kiosk/MY STICK"), Path("/run/media/kiosk/B")]
    assert isinstance(sticks(), list)
