"""Damaged names and values from the system, as any USB device or environment variable may give them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from random import Random

from kiosk.system.backlight import Backlight
from kiosk.system.sd_notify import ServiceManager
from kiosk.vision.capture.camera import stable_name
from tests.fuzz.mutations import damage, mutations


def test_a_camera_with_any_name_is_named(tmp_path: Path) -> None:
    """The names of the links hold the maker and serial number that a USB device reports."""
    for content in mutations(b"usb-Kiosk_Camera_0042-video-index0"):
        links = tmp_path / "v4l"
        for folder in ("by-id", "by-path"):
            (links / folder).mkdir(parents=True, exist_ok=True)
        name = content.replace(b"/", b"_").replace(b"\0", b"")[:255]
        link = links / "by-id" / os.fsdecode(name)
        target = Random(len(content)).choice(("../../video0", "../../video1", link.name or "x", "\udcff"))
        with suppress(OSError):  # `..` and the like are no file names
            link.symlink_to(target)
        assert stable_name(str(tmp_path / "video0"), links) in (str(tmp_path / "video0"), str(link))
        if link.is_symlink():
            link.unlink()


def test_a_damaged_brightness_is_read_or_replaced_by_a_default(tmp_path: Path) -> None:
    device = tmp_path / "panel"
    device.mkdir()
    for content in mutations(b"1" + b"0" * 400 + b"\n"):  # too large for a float, until some of it is lost
        (device / "brightness").write_bytes(content)
        (device / "max_brightness").write_bytes(damage(b"255\n", Random(len(content))))
        light = Backlight(tmp_path)
        assert 1 <= light.percent() <= 100
        why_not = light.set_percent(50)
        assert why_not is None or "\n" not in why_not


def test_nonsense_of_a_service_manager_is_ignored() -> None:
    for content in mutations(b"30000000"):
        for name in ("WATCHDOG_USEC", "NOTIFY_SOCKET"):
            manager = ServiceManager({name: os.fsdecode(content.replace(b"\0", b""))})
            assert manager.watchdog_s >= 0
            manager.status(f"well, on {content.decode('utf-8', 'surrogateescape')}")
