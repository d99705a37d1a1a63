"""The file of the PINs' hashes: nobody else reads it, and nobody is let in by default."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kiosk.common.errors import KioskError
from kiosk.security.pin import PinError, matches
from kiosk.security.pin_file import PinFileError, Pins, load, set_pin


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "pins.json"


@pytest.mark.proves("no-pin")
def test_there_is_no_default_pin(path: Path) -> None:
    assert load(path) == Pins("", "")


def test_each_role_has_its_own_pin_and_keeps_it_when_the_other_changes(path: Path) -> None:
    set_pin(path, "service", "4711")
    set_pin(path, "attendant", "80085")
    pins = load(path)
    assert matches("4711", pins.service)
    assert matches("80085", pins.attendant)
    assert not matches("4711", pins.attendant)
    set_pin(path, "service", "1234")
    assert load(path).attendant == pins.attendant
    assert matches("1234", load(path).service)


@pytest.mark.proves("theft-pins")
def test_nobody_else_may_read_it_and_it_holds_no_pin(path: Path) -> None:
    set_pin(path, "service", "271828")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "271828" not in path.read_text()
    assert [file.name for file in path.parent.iterdir()] == ["pins.json"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o622])
def test_one_that_others_may_read_or_write_is_refused(path: Path, mode: int) -> None:
    set_pin(path, "service", "4711")
    path.chmod(mode)
    with pytest.raises(PinFileError, match=f"chmod 600 {path}"):
        load(path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"service": 5}', '{"service": "4711"}', '{"root": ""}', '{"service": null}', "\xff"]
)
def test_a_damaged_one_is_one_clear_line(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(KioskError) as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("pin", ["", "123", "1234567890123", "12a4", "１２３４"])
def test_what_is_no_pin_changes_nothing(path: Path, pin: str) -> None:
    set_pin(path, "service", "4711")
    with pytest.raises(PinError):
        set_pin(path, "service", pin)
    assert matches("4711", load(path).service)
