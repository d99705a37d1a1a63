"""Who could change settings and catalogue: everybody is refused, anybody else than root is named."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.app.machine import RunOptions, _doubts_after_check, _log_what_is_amiss
from kiosk.cli.main import main
from kiosk.config import Config, load
from kiosk.security import trusted_file
from kiosk.security.trusted_file import UntrustedFileError

USER = 1001
"""Who is not root."""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir(mode=0o755)
    path = folder / "kiosk.toml"
    path.write_text("")
    path.chmod(0o644)
    return path


def its_catalogue(settings: Path) -> Path:
    path = settings.with_name("catalog.toml")
    path.write_text('currency = "EUR"\n[[product]]\nslot = "A1"\nprice = 100\ncapacity = 5\nname = { en = "Water" }\n')
    path.chmod(0o644)
    settings.write_text('[shop]\ncatalog = "catalog.toml"\n')
    return path


def test_what_everybody_may_change_is_refused(settings: Path) -> None:
    trusted_file.check(settings)
    settings.chmod(0o646)
    with pytest.raises(UntrustedFileError, match=f"everybody may change {settings}: run `chmod o-w {settings}`"):
        trusted_file.check(settings)


def test_what_everybody_may_exchange_is_refused(settings: Path) -> None:
    settings.parent.chmod(0o777)
    with pytest.raises(UntrustedFileError, match=f"run `chmod o-w {settings.parent}`"):
        trusted_file.check(settings)
    settings.parent.chmod(0o1777)
    trusted_file.check(settings)


def test_a_link_is_what_it_leads_to(settings: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(settings)
    settings.chmod(0o666)
    with pytest.raises(UntrustedFileError, match="everybody may change"):
        trusted_file.check(link)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_whoever_else_may_change_it_is_named(settings: Path) -> None:
    assert list(trusted_file.doubts(settings)) == []
    os.chown(settings, USER, USER)
    os.chown(settings.parent, 0, USER)
    settings.parent.chmod(0o775)
    assert list(trusted_file.doubts(settings)) == [
        f"the user {USER} may change {settings}: run `chown root {settings}`",
        f"the group {USER} may change {settings.parent}: run `chmod g-w {settings.parent}`",
    ]


@pytest.mark.proves("settings-writable")
@pytest.mark.parametrize("which", ["settings", "catalogue"])
def test_a_machine_does_not_start_with_what_everybody_may_change(settings: Path, which: str) -> None:
    catalogue = its_catalogue(settings)
    config = load(settings)
    _doubts_after_check(config, RunOptions(settings=settings))
    {"settings": settings, "catalogue": catalogue}[which].chmod(0o666)
    with pytest.raises(UntrustedFileError):
        _doubts_after_check(config, RunOptions(settings=settings))


@pytest.mark.proves("settings-writable")
def test_a_machine_logs_who_else_may_change_them(settings: Path, caplog: pytest.LogCaptureFixture) -> None:
    if os.geteuid() == 0:
        os.chown(settings, USER, USER)
    doubts = _doubts_after_check(Config(), RunOptions(settings=settings))
    with caplog.at_level(logging.WARNING):
        _log_what_is_amiss("", doubts)
    assert f"may change {settings}" in caplog.text


def test_settings_that_could_not_be_read_hold_up_no_machine_that_recalls_its_last_ones(settings: Path) -> None:
    settings.unlink()
    _doubts_after_check(Config(), RunOptions(settings=settings, settings_fault="it is not there"))


def test_they_are_asked_at_the_start(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kiosk.app.machine.devices.check", lambda _: None)
    settings.chmod(0o666)
    result = CliRunner().invoke(main, ["run", "--config", str(settings)])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith(f"Error: everybody may change {settings}: ")


def test_the_check_says_so(settings: Path) -> None:
    catalogue = its_catalogue(settings)
    catalogue.chmod(0o666)
    if os.geteuid() == 0:
        os.chown(settings, USER, USER)
    result = CliRunner().invoke(main, ["config", "check", str(settings)])
    assert result.exit_code == 0, result.output
    assert f"to sell: everybody may change {catalogue}: " in result.output
    assert f"may change {settings}: run `chown root {settings}`" in result.output
