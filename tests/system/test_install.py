"""The service's files: their content, systemd's check of them, and where they are written."""

from __future__ import annotations

import configparser
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from kiosk.cli.main import main
from kiosk.system import install
from kiosk.system.systemd_unit import PAM, STATE, SYSUSERS, UDEV, UNIT, Display, Service
from kiosk.system.usb_export import MOUNTED_UNDER

SETTINGS = Path("/etc/facialnet-kiosk/kiosk.toml")
RELAY = "/opt/kiosk/bin/kiosk relay /usr/bin/wrapper"


def service(display: Display = Display.CAGE, kiosk: str = "/opt/kiosk/bin/kiosk") -> Service:
    return Service(Path(kiosk), SETTINGS, display, wrapper=Path("/usr/bin/wrapper"))


def unit_of(some: Service) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes="#")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(some.files()[UNIT])
    return parser


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "kiosk.toml"
    path.write_text("")
    return path


@pytest.fixture(autouse=True)
def cage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("cage", "Xwayland", "seatd"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder / "cage"


@pytest.mark.proves("leave-program")
@pytest.mark.parametrize(
    ("display", "command", "platform"),
    [
        (
            Display.CAGE,
            f"{RELAY} -d -- /opt/kiosk/bin/kiosk run --config {SETTINGS}",
            "wayland",
        ),
        (
            Display.X11,
            f"{RELAY} /opt/kiosk/bin/kiosk run --config {SETTINGS} -- :0 vt1 -nolisten tcp -s 0 -dpms",
            "xcb",
        ),
        (Display.EGLFS, f"/opt/kiosk/bin/kiosk run --config {SETTINGS}", "eglfs"),
    ],
)
def test_each_way_to_the_screen_starts_the_kiosk(display: Display, command: str, platform: str) -> None:
    assert unit_of(service(display))["Service"]["ExecStart"] == command
    assert f"\nEnvironment=QT_QPA_PLATFORM={platform} " in service(display).files()[UNIT]


def test_characters_that_systemd_expands_are_escaped() -> None:
    assert service(Display.EGLFS, "/opt/50 % $HOME/kiosk").command.startswith("'/opt/50 %% $$HOME/kiosk' run")


def test_the_unit_has_a_watchdog_a_restart_and_time_to_end_a_sale() -> None:
    unit = unit_of(service())["Service"]
    assert (unit["Type"], unit["NotifyAccess"], unit["Restart"]) == ("notify", "all", "always")
    assert int(unit["WatchdogSec"]) >= 15
    assert unit["KillMode"] == "mixed"
    assert unit["OOMPolicy"] == "continue"
    assert unit_of(service())["Unit"]["StartLimitIntervalSec"] == "0"


@pytest.mark.proves("picture-decoder", "service-rights")
def test_the_unit_restricts_the_service() -> None:
    unit = unit_of(service())["Service"]
    assert unit["NoNewPrivileges"] == "yes"
    assert unit["ProtectSystem"] == "strict"
    assert unit["CapabilityBoundingSet"] == ""
    assert unit["DevicePolicy"] == "closed"
    assert unit["LimitCORE"] == "0"
    assert unit["InaccessiblePaths"] == "-/home -/root"
    assert unit_of(service(kiosk="/home/anna/kiosk/bin/kiosk"))["Service"]["ReadOnlyPaths"] == "-/home -/root"


@pytest.mark.proves("service-rights")
def test_the_screens_light_is_its_users_and_nothing_else_in_sys() -> None:
    """The unit opens the folder with the backlight's real file; /sys/class has only a link to it."""
    some = replace(service(), user="vending")
    unit = some.files()[UNIT]
    assert unit_of(some)["Service"]["ProtectKernelTunables"] == "yes"
    opened = [line for line in unit.splitlines() if line.startswith("ReadWritePaths=") and "/sys" in line]
    assert opened == ["ReadWritePaths=-/sys/devices"]
    (rule,) = (line for line in some.files()[UDEV].splitlines() if not line.startswith("#"))
    assert rule == 'ACTION=="add", SUBSYSTEM=="backlight", RUN+="/bin/chown vending $sys$devpath/brightness"'


@pytest.mark.proves("stick-mount")
@pytest.mark.parametrize("mount_usb", [False, True])
def test_a_stick_is_mounted_where_the_kiosk_looks_and_may_write_and_runs_nothing(mount_usb: bool) -> None:
    files = replace(service(), user="vending", mount_usb=mount_usb).files()
    rules = [line for line in files[UDEV].splitlines() if "systemd-mount" in line]
    assert len(rules) == mount_usb
    assert "\nReadWritePaths=-/media -/run/media\n" in files[UNIT]
    for rule in rules:
        assert 'SUBSYSTEMS=="usb"' in rule
        assert "--owner=vending " in rule
        assert "=nosuid,nodev,noexec," in rule
        assert rule.endswith(f' $devnode {MOUNTED_UNDER[0]}/%k"')


def test_it_may_write_where_its_settings_say_once_that_is_mounted() -> None:
    folders = (Path("/data/50 % of it's"), Path("/var/log/kiosk"))
    unit = replace(service(), folders=folders).files()[UNIT]
    for key in ("ReadWritePaths", "RequiresMountsFor"):
        (value,) = (line.partition("=")[2] for line in unit.splitlines() if line.startswith(key) and "/data" in line)
        assert tuple(map(Path, shlex.split(value.replace("%%", "%")))) == folders
    assert "RequiresMountsFor" not in service().files()[UNIT]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ('[shop]\nstate = "/data/kiosk"\n[log]\nfile = "/data/kiosk/logs/k.log"\n', ["/data/kiosk"]),
        ('[shop]\nstate = "/data/kiosk"\n[log]\nfile = "/var/log/kiosk/k.log"\n', ["/data/kiosk /var/log/kiosk"]),
        (f'[shop]\nstate = "{STATE}/of-this-one"\n[log]\nfile = "{STATE}/k.log"\n', []),
    ],
)
def test_the_settings_say_where_else_it_writes(settings: Path, text: str, lines: list[str]) -> None:
    settings.write_text(text)
    command = ["install-service", "--config", str(settings), "--display", "eglfs", "--dry-run"]
    output = CliRunner().invoke(main, command).output.splitlines()
    named = [line.partition("=")[2] for line in output if line.startswith("ReadWritePaths=/")]
    assert named == lines


def test_missing_folders_and_folders_closed_to_the_service_are_refused(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "_is_open", bool)
    there, gone = settings.parent / "there", settings.parent / "gone"
    there.mkdir()
    some = Service(Path("/bin/true"), settings)
    monkeypatch.setattr(Service, "closed", (Path("/home"), Path("/var/tmp")))
    assert install.permission_problems(replace(some, folders=(there,))) == ()
    (problem,) = install.permission_problems(replace(some, folders=(there, gone)))
    assert problem == f"shop.state or log.file is in {gone}, which does not exist: create it or name another folder"
    (problem,) = install.permission_problems(replace(some, folders=(Path("/var/tmp/kiosk"),)))
    assert "closed to the service: use a folder outside /var/tmp" in problem


def test_homes_and_temporary_folders_are_closed_to_it() -> None:
    assert set(service().closed) == {Path("/home"), Path("/root"), Path("/tmp"), Path("/var/tmp")}
    assert set(service(kiosk="/home/anna/kiosk/bin/kiosk").closed) == {Path("/tmp"), Path("/var/tmp")}


def test_systemd_and_udev_are_told_at_once(tmp_path: Path) -> None:
    """Without this, the user could write a connected screen's backlight only after the next boot."""
    told = tmp_path / "told"
    for name in ("systemd-sysusers", "systemctl", "udevadm"):
        (tmp_path / "bin" / name).write_text(f'#!/bin/sh\necho {name} "$@" >> {told}\n')
        (tmp_path / "bin" / name).chmod(0o755)
    install.activate()
    assert told.read_text().splitlines() == [
        "systemd-sysusers",
        "systemctl daemon-reload",
        "udevadm control --reload",
        "udevadm trigger --action=add --subsystem-match=backlight",
    ]


@pytest.mark.proves("service-rights")
@pytest.mark.parametrize("display", [Display.CAGE, Display.EGLFS])
def test_its_limits_on_devices_reach_the_kiosk(display: Display) -> None:
    """A session of logind moves the processes out of the unit's control group, whose limits these are."""
    some = service(display)
    assert "PAMName" not in unit_of(some)["Service"]
    assert PAM not in some.files()


def test_cage_gets_screen_and_touch_panel_from_seatd_alone() -> None:
    unit = service(Display.CAGE).files()[UNIT]
    assert "Environment=LIBSEAT_BACKEND=seatd\n" in unit
    assert "seatd.service" in unit_of(service())["Unit"]["Wants"]
    assert "DeviceAllow=char-input" not in unit
    assert "m kiosk input" not in service(Display.CAGE).files()[SYSUSERS]
    assert "DeviceAllow=char-input rw\n" in service(Display.EGLFS).files()[UNIT]
    assert "m kiosk input" in service(Display.EGLFS).files()[SYSUSERS]


def test_x_gets_its_screen_by_a_session() -> None:
    files = service(Display.X11).files()
    assert f"PAMName={PAM.name}\n" in files[UNIT]
    assert "pam_systemd" in files[PAM]


@pytest.mark.parametrize("display", Display)
def test_no_command_is_started_in_the_terminal_after_the_kiosk(display: Display) -> None:
    """systemd hangs the terminal up before each (TTYVHangup=), which ends the process in it."""
    unit = unit_of(service(display))["Service"]
    assert unit["ExecStartPre"].endswith("chvt 1")
    assert "ExecStartPost" not in unit


def test_the_session_finds_its_folder_where_a_compositor_makes_its_socket() -> None:
    """ProtectHome= would close /run/user with the homes, and cage would not start: "Unable to open Wayland socket"."""
    assert "ProtectHome" not in unit_of(service())["Service"]


@pytest.mark.proves("network-reach")
@pytest.mark.parametrize("network", [False, True])
def test_only_a_machine_with_a_fleet_can_open_a_connection(network: bool) -> None:
    unit = replace(service(), network=network).files()[UNIT]
    (families,) = (line for line in unit.splitlines() if line.startswith("RestrictAddressFamilies="))
    assert ("AF_INET" in families) == network


def test_the_settings_say_whether_there_is_a_fleet(settings: Path) -> None:
    command = ["install-service", "--config", str(settings), "--display", "eglfs", "--dry-run"]
    assert "AF_INET" not in CliRunner().invoke(main, command).output
    settings.write_text(settings.read_text() + '[fleet]\nbroker = "mqtt.example.com"\nmachine = "m-1"\n')
    assert "AF_INET" in CliRunner().invoke(main, command).output


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("display", Display)
def test_systemd_takes_the_unit(display: Display, cage: Path) -> None:
    real = Service(cage, SETTINGS, display, wrapper=cage, folders=(Path("/data/50 % of it's"), Path("/var/log")))
    assert install.verify_unit(real) == ()
    assert any("not executable" in problem for problem in install.verify_unit(service(Display.EGLFS)))


def test_a_dry_run_shows_every_file_and_writes_none(settings: Path) -> None:
    before = sorted(settings.parent.rglob("*"))
    result = CliRunner().invoke(main, ["install-service", "--config", str(settings), "--dry-run"])
    assert result.exit_code == 0, result.output
    assert all(f"# {place}\n" in result.output for place in (UNIT, SYSUSERS, UDEV))
    assert f"run --config {settings}" in result.output
    assert sorted(settings.parent.rglob("*")) == before


def test_it_is_written_below_another_root(settings: Path, tmp_path: Path) -> None:
    root = tmp_path / "image"
    command = ["install-service", "--config", str(settings), "--root", str(root), "--user", "vending"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert "User=vending\n" in (root / UNIT.relative_to("/")).read_text()
    assert "--owner=vending " in (root / UDEV.relative_to("/")).read_text()
    assert "m vending video\n" in (root / SYSUSERS.relative_to("/")).read_text()
    assert "to sell: " in result.output


@pytest.mark.parametrize("program", ["Xwayland", "seatd"])
def test_a_cage_without_its_helpers_would_not_start(
    settings: Path, monkeypatch: pytest.MonkeyPatch, cage: Path, program: str
) -> None:
    cage.with_name(program).unlink()
    monkeypatch.setattr(install, "_SYSTEM_PROGRAMS", "/nowhere")
    monkeypatch.setenv("PATH", str(cage.parent))
    result = CliRunner().invoke(main, ["install-service", "--config", str(settings), "--dry-run"])
    assert isinstance(result.exception, SystemExit)
    assert f"{program} is not installed: `sudo apt install {program.lower()}`" in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "only root can install it"),
        (["--user", "Über mut"], "is not a user name"),
        (["--display", "x11"], "xinit is not installed"),
    ],
)
def test_an_impossible_installation_is_a_one_line_error(
    settings: Path, monkeypatch: pytest.MonkeyPatch, cage: Path, arguments: list[str], says: str
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(cage.parent))
    result = CliRunner().invoke(main, ["install-service", "--config", str(settings), *arguments])
    assert result.exit_code != 0
    assert says in result.output.splitlines()[-1]


def test_settings_that_the_service_could_not_read_are_refused(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    some = Service(Path("/bin/true"), settings)
    settings.parent.chmod(0o700)
    assert any(
        "may enter" in problem and "the settings file is" in problem for problem in install.permission_problems(some)
    )
    monkeypatch.setattr(install, "_is_open", bool)
    assert install.permission_problems(some) == ()
    settings.chmod(0o600)
    assert [f"chmod a+r {settings}" in problem for problem in install.permission_problems(some)] == [True]
