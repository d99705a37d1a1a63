"""A machine refuses to start with secrets or settings that other users can change, and says what to do."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.app import devices
from kiosk.app.devices import NotReadyError
from kiosk.app.machine import RunOptions, check_permissions, log_warnings
from kiosk.cli.main import main
from kiosk.common.errors import KioskError
from kiosk.config import Config, load
from kiosk.fleet.orders import generate_key, load_private_key
from kiosk.security.file_permissions import (
    NoSecretFileError,
    SecretFileError,
    UntrustedFileError,
    check_private,
    check_trusted,
    make_private,
    permission_warnings,
    read_secret,
)
from kiosk.security.pin import set_pin
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
"""The machine's secrets. The operator's private key is not on the machine."""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The settings of a machine with every secret there can be, each with correct permissions."""
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
def test_a_machine_does_not_start_with_a_secret_that_others_can_read(
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
def test_a_machine_does_not_start_with_a_secret_that_others_can_replace(
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


def test_the_operators_key_is_checked_in_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "operator.pem"
    generate_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    load_private_key(path)
    path.chmod(0o640)
    with pytest.raises(SecretFileError, match="chmod 600"):
        load_private_key(path)


def test_a_missing_secret_has_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NoSecretFileError, match="No such file"):
        read_secret(tmp_path / "nothere")
    with pytest.raises(SecretFileError, match="Is a directory"):
        read_secret(tmp_path)


def test_a_link_to_a_secret_is_followed(tmp_path: Path) -> None:
    """systemd and other secret stores put links in place."""
    (tmp_path / "there").touch(0o600)
    (tmp_path / "here").symlink_to(tmp_path / "there")
    assert read_secret(tmp_path / "here") == b""
    (tmp_path / "there").chmod(0o644)
    with pytest.raises(SecretFileError, match="read by others"):
        read_secret(tmp_path / "here")


@pytest.mark.proves("state-folder-writable")
def test_a_machine_does_not_start_with_a_state_folder_that_every_user_may_change(config: Config) -> None:
    make_private(config.state_folder)
    assert stat.S_IMODE(config.state_folder.stat().st_mode) == 0o700
    start(config)
    config.state_folder.chmod(0o777)
    with pytest.raises(NotReadyError, match=r"shop\.state: every user may replace the files in .*chmod o-w"):
        start(config)


@pytest.mark.parametrize("make", [make_private, lambda folder: set_pin(folder / "pins.json", "service", "4711")])
def test_a_folder_that_the_kiosk_creates_is_private(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "some" / "state")
    assert stat.S_IMODE((tmp_path / "some" / "state").stat().st_mode) == 0o700
    check_private(tmp_path / "some" / "state")
    check_private(tmp_path / "not there yet")


# Settings and catalogue

USER = 1001
"""A user id that is not root's."""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    path = folder / "kiosk.toml"
    path.write_text("")
    path.chmod(0o644)
    return path


def add_catalogue(settings: Path) -> Path:
    path = settings.with_name("catalog.toml")
    path.write_text('currency = "EUR"\n[[product]]\nslot = "A1"\nprice = 100\ncapacity = 5\nname = { en = "Water" }\n')
    path.chmod(0o644)
    settings.write_text('[shop]\ncatalog = "catalog.toml"\n')
    return path


def test_what_every_user_may_change_is_refused(settings: Path) -> None:
    check_trusted(settings)
    settings.chmod(0o646)
    with pytest.raises(UntrustedFileError, match=f"every user may change {settings}: run `chmod o-w {settings}`"):
        check_trusted(settings)


def test_what_every_user_may_replace_is_refused(settings: Path) -> None:
    settings.parent.chmod(0o777)
    with pytest.raises(UntrustedFileError, match=f"run `chmod o-w {settings.parent}`"):
        check_trusted(settings)
    settings.parent.chmod(0o1777)
    check_trusted(settings)


def test_a_link_is_judged_by_its_target(settings: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(settings)
    settings.chmod(0o666)
    with pytest.raises(UntrustedFileError, match="every user may change"):
        check_trusted(link)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_another_user_or_group_that_may_change_the_file_is_named(settings: Path) -> None:
    assert list(permission_warnings(settings)) == []
    os.chown(settings, USER, USER)
    os.chown(settings.parent, 0, USER)
    settings.parent.chmod(0o775)
    assert list(permission_warnings(settings)) == [
        f"the user {USER} may change {settings}: run `chown root {settings}`",
        f"the group {USER} may change {settings.parent}: run `chmod g-w {settings.parent}`",
    ]


@pytest.mark.proves("settings-writable")
@pytest.mark.parametrize("which", ["settings", "catalogue"])
def test_a_machine_does_not_start_with_a_file_that_every_user_may_change(settings: Path, which: str) -> None:
    catalogue = add_catalogue(settings)
    config = load(settings)
    check_permissions(config, RunOptions(settings=settings))
    {"settings": settings, "catalogue": catalogue}[which].chmod(0o666)
    with pytest.raises(UntrustedFileError):
        check_permissions(config, RunOptions(settings=settings))


@pytest.mark.proves("settings-writable")
def test_a_machine_logs_who_else_may_change_its_settings(settings: Path, caplog: pytest.LogCaptureFixture) -> None:
    if os.geteuid() == 0:
        os.chown(settings, USER, USER)
    doubts = check_permissions(Config(), RunOptions(settings=settings))
    with caplog.at_level(logging.WARNING):
        log_warnings("", doubts)
    assert f"may change {settings}" in caplog.text


def test_missing_settings_do_not_stop_a_machine_that_starts_with_its_last_good_ones(settings: Path) -> None:
    settings.unlink()
    check_permissions(Config(), RunOptions(settings=settings, settings_fault="it is not there"))


def test_the_permissions_are_checked_at_the_start(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.app.machine.devices.check", lambda _: None)
    settings.chmod(0o666)
    result = CliRunner().invoke(main, ["run", "--config", str(settings)])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith(f"Error: every user may change {settings}: ")


def test_config_check_names_both_problems(settings: Path) -> None:
    catalogue = add_catalogue(settings)
    catalogue.chmod(0o666)
    if os.geteuid() == 0:
        os.chown(settings, USER, USER)
    result = CliRunner().invoke(main, ["config", "check", str(settings)])
    assert result.exit_code == 0, result.output
    assert f"to sell: every user may change {catalogue}: " in result.output
    assert f"may change {settings}: run `chown root {settings}`" in result.output
