"""The start of a machine whose settings file became invalid while it ran."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.app import unattended
from kiosk.app.machine import RunOptions
from kiosk.cli.main import main
from kiosk.config import Config, ConfigError, load
from kiosk.config.last_good import load_or_last_good, save

NONSENSE = ["[camera]\nsorce = 1\n", "[age_check]\nthreshold = 7\n", "not toml at all", "\0\xff"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file; the user's state folder is beside it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "kiosk.toml"
    path.write_text('[shop]\nstate = "here"\n[age_check]\nautomatic_pass = true\nmargin = 9\n')
    return path


@pytest.mark.proves("settings-invalid-service")
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_an_unattended_machine_starts_with_its_last_settings_and_says_so(path: Path, nonsense: str) -> None:
    before, fault = load_or_last_good(path)
    assert (before, fault) == (load(path), "")
    save(before, path)
    path.write_text(nonsense, encoding="latin-1")
    config, fault = load_or_last_good(path)
    assert str(path) in fault
    assert "running with the settings of the last start" in fault
    assert "\n" not in fault
    assert config.state_folder == path.parent / "here"
    assert config.age_check.margin == 9
    assert config.model_copy(update={"age_check": before.age_check}) == before


@pytest.mark.proves("settings-invalid-service")
def test_with_its_last_settings_a_machine_always_asks_for_an_id(path: Path) -> None:
    save(load(path), path)
    good = path.read_text()
    path.write_text(good.replace("automatic_pass = true", "automatic_pass = no"))
    config, _ = load_or_last_good(path)
    assert not config.age_check.automatic_pass
    path.write_text(good)
    config, fault = load_or_last_good(path)
    assert config.age_check.automatic_pass
    assert fault == ""


@pytest.mark.proves("settings-invalid-first")
def test_without_an_earlier_start_invalid_settings_are_refused(path: Path) -> None:
    path.write_text(NONSENSE[0])
    with pytest.raises(ConfigError, match="sorce"):
        load_or_last_good(path)


@pytest.mark.parametrize("kept", ["", "{", "{}x", '{"camera": {"of another version": 1}}'])
def test_a_damaged_copy_is_not_used(path: Path, kept: str) -> None:
    save(load(path), path)
    (place,) = (path.parent / "state" / "facialnet-kiosk").iterdir()
    assert place.stat().st_mode & 0o777 == 0o600
    place.write_text(kept)
    path.write_text(NONSENSE[0])
    with pytest.raises(ConfigError, match="sorce"):
        load_or_last_good(path)


def test_each_settings_file_has_its_own_copy(path: Path) -> None:
    save(load(path), path)
    other = path.with_name("other.toml")
    other.write_text(NONSENSE[0])
    with pytest.raises(ConfigError, match="sorce"):
        load_or_last_good(other)


def test_a_copy_that_cannot_be_written_is_only_logged(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(path))  # a file: no folder can be made in it
    save(load(path), path)
    assert "cannot be kept" in caplog.text


@pytest.mark.proves("settings-invalid-person")
@pytest.mark.parametrize("listens", [True, False])
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_only_a_service_manager_starts_a_machine_with_its_last_settings(
    path: Path, monkeypatch: pytest.MonkeyPatch, nonsense: str, listens: bool
) -> None:
    started: list[tuple[Config, RunOptions]] = []
    monkeypatch.setattr(
        unattended, "start_machine", lambda config, options, *_, **__: started.append((config, options))
    )
    save(load(path), path)
    path.write_text(nonsense, encoding="latin-1")
    monkeypatch.setattr("kiosk.system.sd_notify.ServiceManager.listens", property(lambda _: listens))
    result = CliRunner().invoke(main, ["run", "--config", str(path)])
    if listens:
        ((config, options),) = started
        assert config.age_check.margin == 9
        assert str(path) in options.settings_fault
        assert options.unattended
        assert result.exit_code == 0
    else:
        assert started == []
        assert result.exit_code != 0
        assert result.output.splitlines()[-1].startswith(f"Error: settings {path}")
