"""Root's commands about the service's machine: they see the service's state, and are the service's user for it."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import kiosk
from kiosk.cli.main import main
from kiosk.system import service_user
from kiosk.system.service_user import InstalledService, ServiceUserError, installed_service, switch_to_service_user
from kiosk.system.systemd_unit import UNIT, Display, Service
from kiosk.vending.journal import Journal
from kiosk.vending.journal.facts import JournalReopened

SERVICE = Service(Path("/opt/kiosk/bin/kiosk"), Path("/etc/kiosk.toml"), wrapper=Path("/usr/bin/cage"))
OTHER = "nobody"
"""A user that every system has."""


def write_files(service: Service, folder: Path) -> Path:
    unit = folder / "kiosk.service"
    unit.write_text(service.files()[UNIT], encoding="utf-8")
    return unit


@pytest.mark.parametrize("display", Display)
def test_the_services_user_is_read_from_its_unit(display: Display, tmp_path: Path) -> None:
    service = replace(SERVICE, display=display, user="vending", settings=Path("/etc/50 % $x/kiosk.toml"))
    assert installed_service(write_files(service, tmp_path)) == InstalledService("vending", service.settings)


def test_another_unit_gives_no_service(tmp_path: Path) -> None:
    unit = tmp_path / "kiosk.service"
    assert installed_service(unit) is None
    for text in (b"", b"[Service]\nExecStart=kiosk run --config\nUser=kiosk\n", b"ExecStart='\nUser=kiosk\n", b"\xff"):
        unit.write_bytes(text)
        assert installed_service(unit) is None


def test_only_root_changes_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_user, "installed_service", lambda: InstalledService(OTHER, Path("/etc/kiosk.toml")))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert switch_to_service_user(None) is None


def test_other_settings_are_not_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_user, "installed_service", lambda: InstalledService(OTHER, Path("/etc/kiosk.toml")))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert switch_to_service_user(Path("/etc/other.toml")) is None


def test_a_missing_user_is_a_one_line_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        service_user, "installed_service", lambda: InstalledService("who-is-gone", Path("/etc/kiosk.toml"))
    )
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(ServiceUserError, match="who-is-gone does not exist: run `kiosk install-service` again"):
        switch_to_service_user(None)


def test_where_nothing_is_installed_a_pin_is_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_user, "installed_service", lambda: None)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    result = CliRunner().invoke(main, ["config", "set-pin", "service"], input="4711\n4711\n")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "facialnet-kiosk" / "pins.json").exists()


def may_be_read_by_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


class Machine:
    """An installed service of the user `nobody`, and root's commands on it."""

    def __init__(self, folder: Path) -> None:
        self.settings = folder / "kiosk.toml"
        self.settings.write_text("")
        self.settings.chmod(0o644)
        self.unit = write_files(replace(SERVICE, user=OTHER, settings=self.settings), folder)
        self.state = folder / "lib" / "facialnet-kiosk"
        self.state.parent.mkdir(mode=0o755)

    def kiosk(self, *words: str, said: str = "") -> subprocess.CompletedProcess[str]:
        program = (
            "import sys; from pathlib import Path; from kiosk.system import service_user as s;"
            "s.STATE = Path(sys.argv[1]); s.installed_service.__defaults__ = (Path(sys.argv[2]),);"
            "from kiosk.cli.main import main; main(sys.argv[3:])"
        )
        command = [sys.executable, "-c", program, str(self.state), str(self.unit), *words]
        return subprocess.run(command, input=said, capture_output=True, text=True, check=False, cwd="/")


@pytest.fixture
def machine() -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if not all(may_be_read_by_all(Path(place)) for place in (sys.prefix, sys.base_prefix, *kiosk.__path__)):
        pytest.skip("another user cannot run the kiosk from here")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        if not may_be_read_by_all(Path(folder)):
            pytest.skip("another user cannot enter the folder for temporary files")
        yield Machine(Path(folder))


def test_root_sets_the_services_pin_and_sees_it(machine: Machine) -> None:
    assert "the service PIN is not set" in machine.kiosk("config", "check", str(machine.settings)).stdout
    result = machine.kiosk("config", "set-pin", "service", said="4711\n4711\n")
    assert result.returncode == 0, result.stderr
    pins = machine.state / "pins.json"
    number = pwd.getpwnam(OTHER).pw_uid
    assert (pins.stat().st_uid, pins.stat().st_mode & 0o777) == (number, 0o600)
    assert (machine.state.stat().st_uid, machine.state.stat().st_mode & 0o777) == (number, 0o700)
    checked = machine.kiosk("config", "check", str(machine.settings))
    assert f"checked as {OTHER}, the service's user" in checked.stdout
    assert "the service PIN is not set" not in checked.stdout


@pytest.mark.proves("root-journal")
def test_root_reads_the_services_journal_and_leaves_nothing_of_its_own_there(machine: Machine) -> None:
    machine.kiosk("config", "check", str(machine.settings))
    for command in (("list",), ("verify",), ("export", "--config", str(machine.settings))):
        result = machine.kiosk("journal", *command)
        assert result.returncode == 1
        assert str(machine.state / "journal.db") in result.stderr.splitlines()[-1]
    journal = Journal(machine.state / "journal.db")
    journal.append(JournalReopened())
    journal.close()
    owner = pwd.getpwnam(OTHER)
    for file in machine.state.iterdir():
        os.chown(file, owner.pw_uid, owner.pw_gid)
    for command in (("list",), ("verify", "--config", str(machine.settings)), ("export",)):
        result = machine.kiosk("journal", *command)
        assert result.returncode == 0, result.stderr
        assert result.stdout
    assert {file.stat().st_uid for file in machine.state.iterdir()} == {owner.pw_uid}


def test_a_journal_that_root_names_is_read_as_root(machine: Machine) -> None:
    own = machine.settings.with_name("journal.db")
    Journal(own).close()
    own.chmod(0o600)
    assert machine.kiosk("journal", "verify", "--journal", str(own)).returncode == 0


def test_what_the_services_user_cannot_write_root_is_told_how_to(machine: Machine) -> None:
    machine.kiosk("config", "check", str(machine.settings))
    Journal(machine.state / "journal.db").close()
    for file in machine.state.iterdir():
        os.chown(file, *(pwd.getpwnam(OTHER)[2:4]))
    output = machine.settings.with_name("sales.csv")
    result = machine.kiosk("journal", "export", "--output", str(output))
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert f"write `> {output}` instead of --output" in result.stderr
    assert not output.exists()


@pytest.mark.proves("root-pin")
def test_a_link_that_the_services_user_put_there_leads_root_nowhere(machine: Machine) -> None:
    """The hash of a PIN is neither read from a file of root's nor written over one."""
    secret = machine.settings.with_name("secret.json")
    secret.write_text(json.dumps({"service": "", "attendant": ""}))
    secret.chmod(0o600)
    machine.kiosk("config", "check", str(machine.settings))
    (machine.state / "pins.json").symlink_to(secret)
    result = machine.kiosk("config", "set-pin", "service", said="4711\n4711\n")
    assert (result.returncode, result.stderr.splitlines()[-1]) == (
        1,
        f"Error: {machine.state / 'pins.json'} cannot be read: Permission denied",
    )
    assert secret.read_text() == json.dumps({"service": "", "attendant": ""})
    assert secret.stat().st_uid == 0


@pytest.mark.proves("root-pin")
def test_root_writes_through_no_folder_that_is_a_link(machine: Machine) -> None:
    elsewhere = machine.settings.with_name("elsewhere")
    elsewhere.mkdir(mode=0o755)
    machine.state.symlink_to(elsewhere)
    result = machine.kiosk("config", "set-pin", "service", said="4711\n4711\n")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert list(elsewhere.iterdir()) == []
