"""Settings that became nonsense while the machine ran, and the start after that."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.app import unattended
from kiosk.app.machine import RunOptions
from kiosk.cli.main import main
from kiosk.config import Config, ConfigError, load
from kiosk.config.last_good import load_or_recall, remember

NONSENSE = ["[camera]\nsorce = 1\n", "[age_check]\nthreshold = 7\n", "not toml at all", "\0\xff"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of settings, in the home of a user whose state lies beside it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "kiosk.toml"
    path.write_text('[shop]\nstate = "here"\n[age_check]\nautomatic_pass = true\nmargin = 9\n')
    return path


@pytest.mark.proves("settings-invalid-service")
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_machine_alone_starts_with_those_of_its_last_start_and_says_so(path: Path, nonsense: str) -> None:
    before, fault = load_or_recall(path)
    assert (before, fault) == (load(path), "")
    remember(before, path)
    path.write_text(nonsense, encoding="latin-1")
    config, fault = load_or_recall(path)
    assert str(path) in fault
    assert "running with the settings of the last start" in fault
    assert "\n" not in fault
    assert config.state_folder == path.parent / "here"
    assert config.age_check.margin == 9
    assert config.model_copy(update={"age_check": before.age_check}) == before


@pytest.mark.proves("settings-invalid-service")
def test_whatever_the_mistake_was_about_an_id_is_asked_for_until_it_is_right(path: Path) -> None:
    remember(load(path), path)
    good = path.read_text()
    path.write_text(good.replace("automatic_pass = true", "automatic_pass = no"))
    config, _ = load_or_recall(path)
    assert not config.age_check.automatic_pass
    path.write_text(good)
    config, fault = load_or_recall(path)
    assert config.age_check.automatic_pass
    assert fault == ""


@pytest.mark.proves("settings-invalid-first")
def test_without_a_start_before_there_is_nothing_to_go_by(path: Path) -> None:
    path.write_text(NONSENSE[0])
    with pytest.raises(ConfigError, match="sorce"):
        load_or_recall(path)


@pytest.mark.parametrize("kept", ["", "{", "{}x", '{"camera": {"of another version": 1}}'])
def test_what_was_kept_and_is_damaged_is_not_believed(path: Path, kept: str) -> None:
    remember(load(path), path)
    (place,) = (path.parent / "state" / "facialnet-kiosk").iterdir()
    assert place.stat().st_mode & 0o777 == 0o600
    place.write_text(kept)
    path.write_text(NONSENSE[0])
    with pytest.raises(ConfigError, match="sorce"):
        load_or_recall(path)


def test_each_file_has_its_own(path: Path) -> None:
    remember(load(path), path)
    other = path.with_name("other.toml")
    other.write_text(NONSENSE[0])
    with pytest.raises(ConfigError, match="sorce"):
        load_or_recall(other)


def test_what_cannot_be_kept_is_logged_and_keeps_nobody_from_selling(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(path))  # a file: no folder can be made in it
    remember(load(path), path)
    assert "cannot be kept" in caplog.text


@pytest.mark.proves("settings-invalid-person")
@pytest.mark.parametrize("listens", [True, False])
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_person_is_told_and_nothing_starts(
    path: Path, monkeypatch: pytest.MonkeyPatch, nonsense: str, listens: bool
) -> None:
    """Only what a service manager started is alone."""
    started: list[tuple[Config, RunOptions]] = []
    monkeypatch.setattr(unattended, "started", lambda config, wish, *_, **__: started.append((config, wish)))
    remember(load(path), path)
    path.write_text(nonsense, encoding="latin-1")
    monkeypatch.setattr("kiosk.system.sd_notify.ServiceManager.listens", property(lambda _: listens))
    result = CliRunner().invoke(main, ["run", "--config", str(path)])
    if listens:
        ((config, wish),) = started
        assert config.age_check.margin == 9
        assert str(path) in wish.settings_fault
        assert wish.alone
        assert result.exit_code == 0
    else:
        assert started == []
        assert result.exit_code != 0
        assert result.output.splitlines()[-1].startswith(f"Error: settings {path}")
