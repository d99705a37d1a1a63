"""`kiosk run` and `kiosk config`: nothing is given away, and everything that starts is stopped again."""

from __future__ import annotations

import contextlib
import socket
import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
from click.testing import CliRunner

from kiosk.app import devices
from kiosk.app import machine as run
from kiosk.app.demo import DemoMachine
from kiosk.app.devices import NotReadyError, missing_requirements
from kiosk.app.machine import RunOptions
from kiosk.cli.main import main
from kiosk.common.errors import KioskError
from kiosk.config import Config, load
from kiosk.security.pin import load_pins, matches, set_pin
from kiosk.vending.devices.attendant import Attendant
from kiosk.vending.devices.board.dispenser import SerialDispenser
from kiosk.vending.devices.mdb.terminal import MdbTerminal
from kiosk.vending.devices.protocols import FaultChanged
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Entry, Journal, quarantine
from kiosk.vending.journal.facts import VendSucceeded
from kiosk.vending.journal.operator_settings import OperatorSettings
from kiosk.vending.sale.events import Choose, Continue, Start
from kiosk.vending.sale.state import Phase
from kiosk.vision.capture.camera import ANY_CAMERA
from kiosk.vision.capture.source import DEMO
from kiosk.vision.process.memory_watch import SETTLED_AFTER, SOFT_LIMIT, MemoryWatch
from kiosk.vision.process.messages import VisionState
from tests.cli.test_main import assert_one_clear_line, kiosk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns a folder with settings whose state is in the same folder."""
    (tmp_path / "kiosk.toml").write_text('[shop]\nstate = "state"\n')
    return tmp_path


@pytest.fixture
def with_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the devices with simulated ones, which need no port."""
    monkeypatch.setattr(devices, "TERMINALS", {"other": lambda _: SimulatedTerminal()})
    monkeypatch.setattr(devices, "DISPENSERS", {"relay": lambda _: SimulatedDispenser()})


HARDWARE = '[payment]\nkind = "other"\n[dispenser]\nkind = "relay"\n'


def settings(folder: Path, more: str = "") -> Config:
    path = folder / "kiosk.toml"
    path.write_text(f'[shop]\nstate = "state"\n{more}')
    return load(path)


# Refusals


def test_without_settings_it_refuses_and_says_how_to_make_them() -> None:
    assert_one_clear_line(kiosk("run"), "kiosk config init", "kiosk run --config", "kiosk run --demo")


@pytest.mark.proves("simulated-terminal")
@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("", ("payment.kind is none", "kiosk run --demo")),
        ('[payment]\nkind = "simulated"\n', ("payment.kind = 'simulated'", "would give goods away", "--demo")),
        ('[payment]\nkind = "zvt"\n', ("payment.kind = 'zvt'", "has no such terminal", "there is mdb")),
    ],
)
def test_a_machine_that_cannot_take_money_is_a_one_line_error(folder: Path, more: str, words: tuple[str, ...]) -> None:
    settings(folder, more)
    result = kiosk("run", "--config", folder / "kiosk.toml", QT_QPA_PLATFORM="offscreen")
    assert_one_clear_line(result, *words)
    assert not (folder / "state").exists()


@pytest.mark.proves("no-pin")
@pytest.mark.usefixtures("with_hardware")
def test_a_machine_lacks_what_it_was_told_to_have(folder: Path) -> None:
    config = settings(folder, f'{HARDWARE}[id]\nattendant = true\nreader = "passport"\n')
    found = list(missing_requirements(config))
    assert [line.split(":")[0] for line in found] == [
        "id.reader = 'passport'",
        "the service PIN is not set",
        "id.attendant is on, but its PIN is not set",
    ]
    with pytest.raises(NotReadyError, match=r"id\.reader"):
        devices.check(config)


def test_a_machine_lacks_a_log_that_it_could_not_write(folder: Path) -> None:
    file = folder / "file"
    file.write_text("")
    missing = folder / "logs" / "kiosk.log"
    assert not any(
        "log.file" in line for line in missing_requirements(settings(folder, f'{HARDWARE}[log]\nfile = "{missing}"\n'))
    )
    config = settings(folder, f'{HARDWARE}[log]\nfile = "{file / "kiosk.log"}"\n')
    (line,) = (line for line in missing_requirements(config) if "log.file" in line)
    assert line.endswith("cannot be written: name a file in a folder of the kiosk's user")


@pytest.mark.usefixtures("with_hardware")
def test_a_machine_that_lacks_nothing_has_its_devices(folder: Path) -> None:
    config = settings(folder, f"{HARDWARE}[id]\nattendant = true\n")
    set_pin(config.pins_path, "service", "4711")
    set_pin(config.pins_path, "attendant", "0815")
    assert list(missing_requirements(config)) == []
    devices.check(config)
    found = devices.open_devices(config)
    assert isinstance(found.terminal, SimulatedTerminal)
    assert [type(each) for each in found.verifiers] == [Attendant]


SERIAL = '[payment]\nkind = "mdb"\n{}[dispenser]\nkind = "serial"\n{}'


def test_a_machine_on_serial_ports_is_told_which(folder: Path) -> None:
    config = settings(folder, SERIAL.format("", ""))
    assert [line.split(":")[0] for line in missing_requirements(config)][:2] == [
        "payment.port is none",
        "dispenser.port is none",
    ]
    one = folder / "port"
    one.touch()
    config = settings(folder, SERIAL.format(f'port = "{one}"\n', f'port = "{one}"\n'))
    assert next(missing_requirements(config)).startswith("payment.port and dispenser.port are the same")
    config = settings(folder, SERIAL.format(f'port = "{one}"\n', f'port = "{folder}/none"\n'))
    assert any(
        line.startswith("dispenser.port = ") and "does not exist" in line for line in missing_requirements(config)
    )


def test_a_machine_on_serial_ports_starts_while_they_are_away(folder: Path) -> None:
    ports = [f'port = "{folder}/{name}"\n' for name in ("mdb", "board")]
    config = settings(folder, SERIAL.format(*ports))
    set_pin(config.pins_path, "service", "4711")
    devices.check(config)
    found = devices.open_devices(config)
    assert isinstance(found.terminal, MdbTerminal)
    assert isinstance(found.dispenser, SerialDispenser)
    assert found.terminal.poll(0.0) == [FaultChanged("terminal", True)]
    assert found.dispenser.poll(0.0) == [FaultChanged("dispenser", True)]
    found.terminal.close()
    found.dispenser.close()


def test_no_simulated_device_is_among_the_real_ones() -> None:
    assert "simulated" not in {*devices.TERMINALS, *devices.DISPENSERS, *devices.READERS}


@pytest.mark.proves("picture-clip")
@pytest.mark.usefixtures("with_hardware")
@pytest.mark.parametrize("source", [DEMO, "clip.mp4"])
def test_a_machine_that_sells_looks_at_people_and_not_at_a_clip(folder: Path, source: str) -> None:
    config = settings(folder, f'{HARDWARE}[camera]\nsource = "{source}"\n')
    set_pin(config.pins_path, "service", "4711")
    for options in (RunOptions(), RunOptions(source=source)):
        with pytest.raises(NotReadyError, match="needs a camera"):
            run.run(config, options)
    assert not config.journal_path.exists()


@pytest.mark.usefixtures("with_hardware")
def test_without_a_camera_no_clip_takes_its_place(folder: Path) -> None:
    assert run._checked_source(settings(folder, HARDWARE), RunOptions()) == ANY_CAMERA


@pytest.mark.proves("disk-full-start", "second-kiosk")
@pytest.mark.usefixtures("with_hardware")
def test_a_second_kiosk_on_the_same_journal_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(folder, HARDWARE)
    set_pin(config.pins_path, "service", "4711")
    monkeypatch.setattr(run, "window_problem", lambda: None)
    journal = Journal(config.journal_path)
    started: list[str] = []
    monkeypatch.setattr(run.VisionProcess, "start", lambda _: started.append("vision"))
    monkeypatch.setattr(devices, "open_devices", lambda _: started.append("devices"))
    with pytest.raises(Exception, match="another"):
        run.run(config, RunOptions(source="0"))
    journal.close()
    assert started == []


class Terminal(SimulatedTerminal):
    """Appends to `happened` when it is opened and closed."""

    def __init__(self, happened: list[str], *, closes: bool = True) -> None:
        super().__init__()
        self.happened, self.closes = happened, closes
        happened.append("open terminal")

    def close(self) -> None:
        self.happened.append("close terminal")
        if not self.closes:
            raise OSError("the port is gone")


class Motors(SimulatedDispenser):
    def __init__(self, happened: list[str]) -> None:
        super().__init__()
        self.happened = happened
        happened.append("open dispenser")

    def close(self) -> None:
        self.happened.append("close dispenser")


class Logged(Journal):
    happened: ClassVar[list[str]]

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.happened.append("open journal")

    def close(self) -> None:
        super().close()
        self.happened.append("close journal")


@pytest.fixture
def happened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns the list of what a machine opens and closes, in order, up to its window."""
    happened: list[str] = []
    monkeypatch.setattr(devices, "TERMINALS", {"other": lambda _: Terminal(happened)})
    monkeypatch.setattr(devices, "DISPENSERS", {"relay": lambda _: Motors(happened)})
    monkeypatch.setattr(Logged, "happened", happened, raising=False)
    monkeypatch.setattr(quarantine, "Journal", Logged)
    monkeypatch.setattr(run, "window_problem", lambda: None)
    monkeypatch.setattr(run.VisionProcess, "start", lambda _: happened.append("start vision"))
    stop = run.VisionProcess.stop
    monkeypatch.setattr(run.VisionProcess, "stop", lambda vision: (happened.append("stop vision"), stop(vision)))
    monkeypatch.setattr(run, "show", lambda *_: happened.append("show"))
    set_pin(settings(folder, HARDWARE).pins_path, "service", "4711")
    return happened


STARTED = ["open journal", "open terminal", "open dispenser", "start vision"]
STOPPED = ["stop vision", "close dispenser", "close terminal", "close journal"]


def test_what_is_opened_is_closed_in_reverse(folder: Path, happened: list[str]) -> None:
    run.run(settings(folder, HARDWARE), RunOptions(source="0"))
    assert happened == [*STARTED, "show", *STOPPED]


@pytest.mark.proves("settings-invalid-service")
@pytest.mark.usefixtures("happened")
@pytest.mark.parametrize(("fault", "kept"), [("", 1), ("nonsense", 0)])
def test_a_start_that_goes_through_keeps_its_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str, kept: int
) -> None:
    monkeypatch.setattr(run.log_setup, "set_up", lambda _: None)  # which would log elsewhere
    config = settings(folder, HARDWARE)
    remembered: list[tuple[Config, Path]] = []
    monkeypatch.setattr(run.last_good, "save", lambda *kept: remembered.append(kept))
    run.run(config, RunOptions(source="0", settings=folder / "kiosk.toml", settings_fault=fault))
    assert remembered == [(config, folder / "kiosk.toml")] * kept
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [fault] * (not kept)


@pytest.mark.proves("camera-absent")
@pytest.mark.usefixtures("happened")
def test_a_machine_has_its_camera_looked_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for: list[bool] = []
    monkeypatch.setattr(run.VisionProcess, "start", lambda vision: looked_for.append(vision._settings.wait_for_device))
    run.run(settings(folder, HARDWARE), RunOptions(source="/dev/video77"))
    assert looked_for == [True]


@pytest.mark.usefixtures("happened")
def test_a_start_that_fails_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: list[object] = []
    monkeypatch.setattr(run.last_good, "save", lambda *kept: remembered.append(kept))
    monkeypatch.setattr(run, "window_problem", lambda: "no display")
    with pytest.raises(KioskError, match="no display"):
        run.run(settings(folder, HARDWARE), RunOptions(source="0", settings=folder / "kiosk.toml"))
    assert remembered == []


@pytest.mark.proves("settings-edited")
@pytest.mark.usefixtures("happened")
@pytest.mark.parametrize("nonsense", ["nonsense = [", None])
def test_settings_that_become_nonsense_or_vanish_while_it_runs_change_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, nonsense: str | None
) -> None:
    config = settings(folder, HARDWARE)
    sold: list[Entry] = []
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "user's"))

    def sells(machine: run.Machine, _: RunOptions) -> None:
        file = folder / "kiosk.toml"
        file.unlink()
        if nonsense:
            file.write_text(nonsense)
        for tick in range(20):
            machine.shop.tick(tick)
            if tick == 2:
                for touch in (Start(False), Choose("A1"), Continue()):
                    machine.shop.touch(touch)
        sold.extend(machine.journal.of_kind(VendSucceeded))

    monkeypatch.setattr(run, "show", sells)
    run.run(config, RunOptions(source="0", settings=folder / "kiosk.toml"))
    assert len(sold) == 1


def test_what_is_opened_is_closed_after_an_error_too(
    folder: Path, happened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise NotReadyError("no screen")

    monkeypatch.setattr(run, "show", fails)
    with pytest.raises(NotReadyError, match="no screen"):
        run.run(settings(folder, HARDWARE), RunOptions(source="0"))
    assert happened == [*STARTED, *STOPPED]


def test_a_device_that_cannot_be_opened_leaves_none_open(
    folder: Path, happened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Config) -> SimulatedDispenser:
        raise NotReadyError("no dispenser answers")

    monkeypatch.setattr(devices, "DISPENSERS", {"relay": fails})
    with pytest.raises(NotReadyError, match="no dispenser"):
        run.run(settings(folder, HARDWARE), RunOptions(source="0"))
    assert happened == ["open journal", "open terminal", "close terminal", "close journal"]


def test_a_device_that_cannot_be_closed_keeps_no_other_open(
    folder: Path, happened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "TERMINALS", {"other": lambda _: Terminal(happened, closes=False)})
    with pytest.raises(OSError, match="port"):
        run.run(settings(folder, HARDWARE), RunOptions(source="0"))
    assert happened == [*STARTED, "show", *STOPPED]


def test_without_a_display_it_says_so() -> None:
    result = kiosk("run", "--demo")
    assert result.returncode == 1
    assert "there is no display" in result.stderr


def test_a_turned_window_does_not_fill_the_screen() -> None:
    result = kiosk("run", "--demo", "--portrait", "--fullscreen")
    assert result.returncode == 2
    assert "--portrait is for a window" in result.stderr


# The demo


@pytest.mark.parametrize("options", [[], ["--portrait"], ["--fullscreen"]])
def test_the_demo_runs_and_leaves_nothing_behind(tmp_path: Path, options: list[str]) -> None:
    result = kiosk(
        "run", "--demo", "--source", "demo", "--seconds", "2", *options,
        QT_QPA_PLATFORM="offscreen", TMPDIR=str(tmp_path),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    (said,) = result.stderr.splitlines()
    assert said.startswith("simulated: no real money, no real goods")
    assert "journal.db" in said  # for `kiosk journal list --journal`
    assert list(tmp_path.iterdir()) == []


def test_a_demo_of_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    result = kiosk("run", "--demo", "--source", tmp_path / "nothere.mp4", QT_QPA_PLATFORM="offscreen")
    assert result.returncode == 1
    (said,) = result.stderr.splitlines()
    assert "nothere.mp4 does not exist" in said


def test_a_demo_says_that_its_camera_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    assert run._checked_source(Config(), RunOptions(demo=True, source="97")) == "97"
    assert capsys.readouterr().err == "camera 97 gives no picture: the kiosk keeps trying\n"


def test_no_core_is_kept_and_the_log_goes_to_stderr() -> None:
    import subprocess

    check = (
        "import logging, resource\n"
        "from kiosk.app import machine\nfrom kiosk.common import log_setup\n"
        "machine._disable_core_dumps(); log_setup.set_up(); log_setup.set_up()\n"
        "logging.getLogger('kiosk.ui.shop.vision_bridge').info('age check')\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    result = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert result.stdout == "(0, 0)\n"
    assert result.stderr == "kiosk.ui.shop.vision_bridge: age check\n"


def test_a_machine_that_sells_is_locked_whatever_its_window(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[bool] = []

    class Stop(Exception):  # noqa: N818
        pass

    def appearance(*_: object, locked: bool, **__: object) -> None:
        seen.append(locked)
        raise Stop

    seen = locked
    monkeypatch.setattr(run, "_appearance", appearance)
    monkeypatch.setattr("kiosk.ui.runtime.event_loop.application", lambda: None)
    config = settings(folder, "[window]\nfullscreen = false\n")
    journal = Journal(config.journal_path)
    for demo, options in ((None, RunOptions()), (object(), RunOptions(demo=True, fullscreen=True))):
        vision = SimpleNamespace(groups=())
        machine = run.Machine(config, "0", None, Path(), journal, vision, None, None, demo)  # type: ignore[arg-type]
        with pytest.raises(Stop):
            run.show(machine, options)
    journal.close()
    assert locked == [True, False]


@pytest.mark.parametrize(
    ("fleet", "counts"),
    [('broker = "b.example"\nmachine = "m-1"\ncount_visitors = true', True), ("audience = true", False), ("", False)],
)
def test_customers_are_told_that_they_are_counted(folder: Path, fleet: str, counts: bool) -> None:
    config = settings(folder, f"[fleet]\n{fleet}\n")
    with contextlib.closing(Journal(config.journal_path)) as journal:
        appearance = run._appearance(config, OperatorSettings(journal), mirrored=True, locked=True)
    assert appearance.counts is counts


def test_the_demo_machine_keeps_out_of_the_real_one(tmp_path: Path) -> None:
    machine = DemoMachine(tmp_path)
    config = machine.config(Config(), camera=False)
    assert config.state_folder == tmp_path
    assert config.age_check.automatic_pass
    assert not config.age_check.liveness  # a clip's people cannot be shown alive
    assert machine.config(Config(), camera=True).age_check.liveness
    assert matches(machine.service_pin, machine.pins.service)
    assert machine.devices.terminal.simulated
    assert machine.devices.dispenser.simulated
    assert machine.service_pin in machine.announcement


def test_the_demo_works_by_itself_or_by_hand(tmp_path: Path) -> None:
    machine = DemoMachine(tmp_path)
    assert machine.automatic
    machine.set_automatic(False)
    assert not machine.automatic
    machine.terminal.authorize("t", 100, "EUR")
    machine.dispenser.dispense("v", "A1")
    assert (machine.terminal.waiting, machine.dispenser.waiting) == ("t", ("v", "A1"))


# OperatorSettings


def test_the_example_is_written_checked_and_not_written_over(tmp_path: Path) -> None:
    printed = kiosk("config", "init")
    assert printed.returncode == 0
    path = tmp_path / "kiosk.toml"
    assert kiosk("config", "init", path).returncode == 0
    assert path.read_text() == printed.stdout
    path.write_text("# mine\n")
    assert_one_clear_line(kiosk("config", "init", path), "already exists", "--force")
    assert path.read_text() == "# mine\n"
    assert kiosk("config", "init", path, "--force").returncode == 0
    result = kiosk("config", "check", path, cwd=Path("/"))
    assert result.returncode == 0
    assert f"{path} is valid" in result.stdout
    assert "to sell: payment.kind is none" in result.stdout


@pytest.mark.proves("catalog-invalid")
def test_what_is_wrong_with_settings_or_catalogue_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    path.write_text("[camera]\nwidht = 3\n")
    assert_one_clear_line(kiosk("config", "check", path), "unknown key camera.widht")
    path.write_text('[shop]\ncatalog = "goods.toml"\n')
    assert_one_clear_line(kiosk("config", "check", path), "goods.toml cannot be read")
    (tmp_path / "goods.toml").write_text('currency = "EUR"\n[[product]]\nslot = "A1"\n')
    assert_one_clear_line(kiosk("config", "check", path), "product 1")


def test_files_that_are_not_there_are_listed(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "kiosk.toml").write_text(
        '[camera]\nsource = "/dev/video77"\n[vision]\nengine = "no.onnx"\n[shop]\nstate = "file/state"\n'
    )
    config = load(folder / "kiosk.toml")
    found = [line.split(" ")[0] for line in missing_requirements(config)]
    assert {"camera.source", "vision.engine", "shop.state"} <= set(found)
    assert devices._state_folder_problem(Config()) is None


@pytest.mark.usefixtures("with_hardware")
def test_a_machine_does_not_sell_to_a_picture(folder: Path) -> None:
    config = settings(folder, f"{HARDWARE}[age_check]\nautomatic_pass = true\nliveness = false\n")
    set_pin(config.pins_path, "service", "4711")
    with pytest.raises(NotReadyError, match=r"without age_check\.liveness"):
        devices.check(config)


@pytest.mark.proves("camera-absent")
@pytest.mark.usefixtures("with_hardware")
def test_a_machine_starts_while_its_camera_is_away(folder: Path) -> None:
    config = settings(folder, f'{HARDWARE}[camera]\nsource = "/dev/video77"\n')
    set_pin(config.pins_path, "service", "4711")
    assert [line.split(" ")[0] for line in missing_requirements(config)] == ["camera.source"]
    devices.check(config)


def test_the_automatic_pass_comes_with_what_was_measured(folder: Path) -> None:
    settings(folder, "[age_check]\nautomatic_pass = true\n")
    result = kiosk("config", "check", folder / "kiosk.toml")
    assert result.returncode == 0
    (warning,) = [line for line in result.stdout.splitlines() if line.startswith("warning: ")]
    assert "0 of 234 prints" in warning
    assert "17 of 20" in warning


def test_a_pin_is_asked_for_twice_and_kept_as_a_hash(folder: Path) -> None:
    config = settings(folder)
    command = ["config", "set-pin", "service", "--config", str(folder / "kiosk.toml")]
    result = CliRunner().invoke(main, command, input="2718\n2781\n")
    assert result.exit_code == 1
    assert "the two PINs differ" in result.output
    assert not config.pins_path.exists()
    result = CliRunner().invoke(main, command, input="2718\n2718\n")
    assert result.exit_code == 0, result.output
    assert "2718" not in result.output
    assert matches("2718", load_pins(config.pins_path).service)
    assert stat.S_IMODE(config.pins_path.stat().st_mode) == 0o600


def test_an_invalid_pin_is_not_asked_for_again(folder: Path) -> None:
    command = ["config", "set-pin", "attendant", "--config", str(folder / "kiosk.toml")]
    result = CliRunner().invoke(main, command, input="12\n")
    assert result.exit_code == 1
    assert "a PIN has 4 to 12 digits" in result.output


def test_the_window_is_loaded_only_when_everything_else_is_ready() -> None:
    import subprocess

    check = (
        "import sys, kiosk.app.machine\n"
        "print(sorted(name for name in sys.modules if name.startswith('PyQt6')))"
    )  # fmt: skip
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True).stdout.strip() == "[]"


# The service manager


def test_a_service_manager_hears_of_its_whole_life(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        result = kiosk(
            "run", "--demo", "--source", "demo", "--seconds", "2",
            QT_QPA_PLATFORM="offscreen", NOTIFY_SOCKET=manager.getsockname(), WATCHDOG_USEC="1500000",
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        told = []
        while not told or told[-1] != "STOPPING=1":
            told.append(manager.recv(4096).decode().partition("\n")[0])
    assert told[:3] == ["READY=1", "STATUS=selling", "WATCHDOG=1"]
    assert set(told[2:-1]) == {"WATCHDOG=1"}
    assert len(told) >= 5


@pytest.mark.proves("journal-damaged-running")
def test_health_checks_follow_the_state_of_the_parts() -> None:
    machine = SimpleNamespace(
        shop=SimpleNamespace(snapshot=SimpleNamespace(faults=frozenset(), sale=None), journal_is_damaged=False),
        journal=SimpleNamespace(is_readable=lambda: False),
        vision=SimpleNamespace(state=VisionState.RUNNING),
    )
    checks = run._health_checks(machine.shop, machine.journal, machine.vision)  # type: ignore[arg-type]
    assert (checks.journal(), checks.vision(), checks.busy(), checks.status()) == (False, True, False, "selling")
    machine.shop.snapshot = SimpleNamespace(faults=frozenset({"terminal", "journal"}), sale="x-1")
    machine.vision.state = VisionState.RESTARTING
    assert checks.journal()  # it says that it is broken, and the sale repairs it
    assert (checks.vision(), checks.busy()) == (False, True)
    assert checks.status() == "out of order: journal, terminal"
    machine.vision.state = VisionState.FAILED
    assert checks.vision()  # without its engine it sells on, and a fresh start would not find one either
    checks = run._health_checks(machine.shop, machine.journal, machine.vision, "settings are nonsense")  # type: ignore[arg-type]
    assert checks.status() == "out of order: journal, terminal; settings are nonsense"
    machine.shop.journal_is_damaged = True
    assert not checks.journal()  # only a fresh start puts it aside


@pytest.mark.proves("kiosk-leaking")
def test_excess_memory_counts_only_while_no_customer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    held, now = 200 << 20, 0.0
    monkeypatch.setattr("kiosk.app.machine.MemoryWatch", lambda: MemoryWatch(lambda: held))
    monkeypatch.setattr("kiosk.app.machine.time.monotonic", lambda: now)
    snapshot = SimpleNamespace(faults=frozenset(), sale=None, phase=Phase.ATTRACT)
    shop = SimpleNamespace(snapshot=snapshot, journal_is_damaged=False)
    checks = run._health_checks(shop, SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    for now in (0.0, SETTLED_AFTER):  # noqa: B007 - the clock reads it
        assert checks.outgrown() == 0
    held += SOFT_LIMIT
    for step, phase in enumerate(Phase):
        now, snapshot.phase = SETTLED_AFTER + 100.0 * (step + 1), phase
        assert checks.outgrown() == (SOFT_LIMIT if phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER) else 0)
