"""The file of PIN hashes: other users cannot read it, and there is no default PIN."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kiosk.common.errors import KioskError
from kiosk.security.pin import PinError, PinFileError, Pins, load_pins, matches, set_pin


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pins.json"


@pytest.mark.proves("no-pin")
def test_there_is_no_default_pin(path: Path) -> None:
    assert load_pins(path) == Pins("", "")


def test_each_role_has_its_own_pin_and_keeps_it_when_the_other_changes(path: Path) -> None:
    set_pin(path, "service", "4711")
    set_pin(path, "attendant", "80085")
    pins = load_pins(path)
    assert matches("4711", pins.service)
    assert matches("80085", pins.attendant)
    assert not matches("4711", pins.attendant)
    set_pin(path, "service", "1234")
    assert load_pins(path).attendant == pins.attendant
    assert matches("1234", load_pins(path).service)


@pytest.mark.proves("theft-pins")
def test_the_file_is_private_and_holds_no_pin(path: Path) -> None:
    set_pin(path, "service", "271828")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "271828" not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["pins.json"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
def test_a_file_that_others_can_read_or_write_is_refused(path: Path, mode: int) -> None:
    set_pin(path, "service", "4711")
    path.chmod(mode)
    with pytest.raises(PinFileError, match=f"chmod 600 {path}"):
        load_pins(path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"service": 5}', '{"service": "4711"}', '{"root": ""}', '{"service": null}', "\xff"]
)
def test_a_damaged_file_is_refused_in_one_line(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(KioskError) as caught:
        load_pins(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "１２３４"])
def test_an_invalid_pin_changes_nothing(path: Path, pin: str) -> None:
    set_pin(path, "service", "4711")
    with pytest.raises(PinError):
        set_pin(path, "service", pin)
    assert matches("4711", load_pins(path).service)
