"""Each secret is in a file that nobody else can read or change: what is not is refused at the start, and says so."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from kiosk.app import devices
from kiosk.app.devices import NotReadyError
from kiosk.common.errors import KioskError
from kiosk.config import Config, load
from kiosk.fleet.orders import private_key, write_new_key
from kiosk.security.file_permissions import NoSecretFileError, SecretFileError, check_private, make_private, read_secret
from kiosk.security.pin_file import set_pin
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from tests.fleet.test_mqtt import Authority

SETTINGS = """
[shop]
state = "state"
[payment]
kind = "fake"
[dispenser]
kind = "fake"
[service]
pins = "secrets/pins.json"
[fleet]
broker = "mqtt.example.com"
machine = "m-1"
user = "m-1"
password = "secrets/password"
ca = "fleet.crt"
certificate = "m-1.crt"
key = "secrets/m-1.key"
"""

AT_START = ("pins.json", "password", "m-1.key")
"""Of the machine; the operator's key is on none."""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A machine with every secret there can be, all of them as they should be."""
    monkeypatch.setattr(devices, "TERMINALS", {"fake": lambda _: SimulatedTerminal()})
    monkeypatch.setattr(devices, "DISPENSERS", {"fake": lambda _: SimulatedDispenser()})
    (tmp_path / "kiosk.toml").write_text(SETTINGS)
    secrets = tmp_path / "secrets"
    set_pin(secrets / "pins.json", "service", "4711")
    (secrets / "password").touch(0o600)
    (secrets / "password").write_text("horse battery staple\n")
    _, key = Authority(tmp_path, "fleet").issue("m-1")
    key.rename(secrets / "m-1.key")
    config = load(tmp_path / "kiosk.toml")
    devices.check(config)
    return config


def start(config: Config) -> None:
    devices.check(config)


@pytest.mark.proves("secret-readable")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o777])
@pytest.mark.parametrize("name", AT_START)
def test_a_machine_does_not_start_with_a_secret_that_others_can_reach(
    tmp_path: Path, config: Config, name: str, mode: int
) -> None:
    path = tmp_path / "secrets" / name
    path.chmod(mode)
    with pytest.raises(KioskError, match=f"{path} can be read by others: run `chmod 600 {path}`") as refused:
        start(config)
    assert "\n" not in str(refused.value)


@pytest.mark.proves("secret-readable")
@pytest.mark.parametrize("name", AT_START)
@pytest.mark.parametrize("harm", ["a pipe", "a folder", "everybody's folder", "another's file"])
def test_a_machine_does_not_start_with_a_secret_that_others_can_exchange(
    tmp_path: Path, config: Config, name: str, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secrets" / name
    match harm:
        case "a pipe":
            path.unlink()
            os.mkfifo(path, 0o600)
        case "a folder":
            path.unlink()
            path.mkdir(0o700)
        case "everybody's folder":
            path.parent.chmod(0o777)
        case "another's file":
            if os.geteuid() == 0:
                os.chown(path, 1001, -1)
            monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(KioskError, match=str(path.parent)):
        start(config)


def test_the_operators_key_is_asked_the_same(tmp_path: Path) -> None:
    path = tmp_path / "operator.pem"
    write_new_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    private_key(path)
    path.chmod(0o640)
    with pytest.raises(SecretFileError, match="chmod 600"):
        private_key(path)


def test_a_secret_that_is_not_there_is_told_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NoSecretFileError, match="No such file"):
        read_secret(tmp_path / "nothere")
    with pytest.raises(SecretFileError, match="Is a directory"):
        read_secret(tmp_path)


def test_a_link_is_followed_to_a_secret_that_is_one(tmp_path: Path) -> None:
    """As where systemd or another keeper of secrets puts them."""
    (tmp_path / "there").touch(0o600)
    (tmp_path / "here").symlink_to(tmp_path / "there")
    assert read_secret(tmp_path / "here") == b""
    (tmp_path / "there").chmod(0o644)
    with pytest.raises(SecretFileError, match="read by others"):
        read_secret(tmp_path / "here")


@pytest.mark.proves("state-folder-writable")
def test_a_machine_does_not_start_in_a_folder_that_everybody_may_change(config: Config) -> None:
    make_private(config.state_folder)
    assert stat.S_IMODE(config.state_folder.stat().st_mode) == 0o700
    start(config)
    config.state_folder.chmod(0o777)
    with pytest.raises(NotReadyError, match=r"shop\.state: everybody may replace the files in .*chmod o-w"):
        start(config)


@pytest.mark.parametrize("make", [make_private, lambda folder: set_pin(folder / "pins.json", "service", "4711")])
def test_a_folder_of_the_kiosks_own_is_nobody_elses(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "some" / "state")
    assert stat.S_IMODE((tmp_path / "some" / "state").stat().st_mode) == 0o700
    check_private(tmp_path / "some" / "state")
    check_private(tmp_path / "not there yet")
