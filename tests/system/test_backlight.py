"""The backlight, in a folder that imitates the kernel's /sys."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.system.backlight import Backlight


@pytest.fixture
def device(tmp_path: Path) -> Path:
    device = tmp_path / "intel"
    device.mkdir()
    (device / "brightness").write_text("50")
    (device / "max_brightness").write_text("200")
    return device


def test_brightness_is_read_and_set_in_percent_and_never_zero(device: Path) -> None:
    light = Backlight(device.parent)
    assert light.percent() == 25
    assert light.set_percent(80) is None
    assert (device / "brightness").read_text() == "160"
    assert light.set_percent(0) is None
    assert (device / "brightness").read_text() == "1"


def test_a_screen_without_a_light_of_its_own_says_why_not(tmp_path: Path) -> None:
    light = Backlight(tmp_path / "nothing")
    assert light.percent() == 100
    assert light.set_percent(50) == "the system cannot change this screen's brightness"


def test_an_invalid_value_from_the_kernel_is_a_one_line_error(device: Path) -> None:
    (device / "max_brightness").write_text("bright")
    light = Backlight(device.parent)
    assert light.percent() == 100
    assert "intel" in (light.set_percent(50) or "")
