"""A machine that a service manager starts, and something keeps it from selling: no dark screen, no device, no money."""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from kiosk.app import devices, unattended
from kiosk.app import machine as run
from kiosk.app.machine import RunOptions
from kiosk.app.unattended import run_unattended
from kiosk.config import Config, load
from kiosk.config.last_good import load_or_last_good
from kiosk.security.pin import set_pin
from kiosk.system.display_probe import NoDisplayError
from kiosk.ui.shop.out_of_order import OutOfOrderWindow
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal
from kiosk.vending.journal import Journal, quarantine
from kiosk.vending.journal.facts import MachineStarted
from kiosk.vision.process.messages import VisionState
from tests.vending.journal.test_disk import takes_nothing_more

SETTINGS = '[shop]\nstate = "state"\n[payment]\nkind = "other"\n[dispenser]\nkind = "relay"\n[camera]\nsource = "0"\n'


@dataclass
class Machine:
    """A machine that records its starts and the out-of-order screen of a failed start."""

    path: Path
    opened: list[str] = field(default_factory=list)
    """The devices that were opened, in all starts."""
    screens: list[str] = field(default_factory=list)
    """The texts that the screen showed to the operator."""
    shown: list[run.Machine] = field(default_factory=list)
    """The machines that reached their own window."""
    meanwhile: Callable[[OutOfOrderWindow], object] = id
    """What the test does while the screen is shown."""

    @property
    def journal(self) -> Path:
        return self.path.parent / "state" / "journal.db"

    def start(self, **options: object) -> None:
        run_unattended(self.path, RunOptions(unattended=True, **options))  # type: ignore[arg-type]

    def watch(self, app: object, window: OutOfOrderWindow, seconds: float | None = None) -> bool:  # noqa: ARG002
        """Replaces the event loop. Returns whether a stop was requested."""
        self.screens.append(window.service.text)
        self.meanwhile(window)
        return not window.isHidden()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Machine:  # noqa: ARG001
    machine = Machine(tmp_path / "kiosk.toml")

    def opens(what: str, device: Callable[[], object]) -> Callable[[Config], object]:
        return lambda _: (machine.opened.append(what), device())[1]

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user's"))
    monkeypatch.setattr(devices, "TERMINALS", {"other": opens("terminal", SimulatedTerminal)})
    monkeypatch.setattr(devices, "DISPENSERS", {"relay": opens("dispenser", SimulatedDispenser)})
    monkeypatch.setattr(run.VisionProcess, "start", lambda _: None)
    for module in (run, unattended):
        monkeypatch.setattr(module, "window_problem", lambda: None)
    monkeypatch.setattr(unattended, "show", lambda started, _: machine.shown.append(started))
    monkeypatch.setattr("kiosk.ui.runtime.event_loop.show_until_closed", machine.watch)
    machine.path.write_text(SETTINGS)
    set_pin(load(machine.path).pins_path, "service", "4711")
    return machine


# What may be wrong, and is put right again


@contextmanager
def replace_text(path: Path, nonsense: str) -> Iterator[None]:
    before = path.read_text() if path.exists() else ""
    path.write_text(nonsense)
    yield
    path.write_text(before)


def settings_are_nonsense(machine: Machine) -> AbstractContextManager[None]:
    return replace_text(machine.path, SETTINGS.replace("source", "sorce"))


@contextmanager
def catalogue_is_nonsense(machine: Machine) -> Iterator[None]:
    with replace_text(machine.path, SETTINGS.replace("[shop]", '[shop]\ncatalog = "goods.toml"')):
        machine.path.with_name("goods.toml").write_text('currency = "EUR"\n[[product]]\nslot = "A1"\n')
        yield


@contextmanager
def disk_is_full(machine: Machine) -> Iterator[None]:
    with closing(Journal(machine.journal)) as journal:
        journal.append(MachineStarted("1"))
    with takes_nothing_more(machine.journal):
        yield


@contextmanager
def disk_is_read_only(machine: Machine) -> Iterator[None]:  # noqa: ARG001
    def refuses(*_: object, **__: object) -> sqlite3.Connection:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", refuses)
        yield


@contextmanager
def damaged_journal_stays(machine: Machine) -> Iterator[None]:
    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    machine.journal.write_bytes(b"no database at all " * 999)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quarantine, "_link_or_copy", fails)
        yield


def another_kiosk_runs(machine: Machine) -> AbstractContextManager[object]:
    return closing(Journal(machine.journal))


@contextmanager
def unexpected_error(machine: Machine) -> Iterator[None]:  # noqa: ARG001
    def fails(_: Config) -> None:
        raise LookupError("4711")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "load_catalog", fails)
        yield


FAULTS: list[tuple[Callable[[Machine], AbstractContextManager[object]], str]] = [
    (settings_are_nonsense, "unknown key camera.sorce"),
    (catalogue_is_nonsense, "product 1"),
    (disk_is_full, "check its disk and its folder"),
    (disk_is_read_only, "check its disk and its folder"),
    (damaged_journal_stays, "cannot be moved to quarantine"),
    (another_kiosk_runs, "another kiosk is running"),
    (unexpected_error, "LookupError in test_unattended.py"),
]


@pytest.mark.proves
@pytest.mark.proves(
    "disk-full-start",
    "second-kiosk",
    "journal-quarantine-fails",
    "settings-invalid-first",
    "catalog-invalid",
    "start-fails",
)
@pytest.mark.parametrize(("fault", "words"), FAULTS, ids=lambda each: getattr(each, "__name__", ""))
def test_the_screen_says_out_of_order_and_the_machine_starts_once_it_can(
    machine: Machine,
    fault: Callable[[Machine], AbstractContextManager[object]],
    words: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ExitStack() as wrong:
        wrong.enter_context(fault(machine))

        def meanwhile(window: OutOfOrderWindow) -> None:
            assert [each.text for each in window.messages[0]] == [
                "Out of order",
                "We are sorry. This machine cannot sell just now.",
            ]
            window.advance(4.9)
            window.advance(0.2)
            window.advance(9.9)
            assert window.isVisible()
            assert machine.opened == []
            assert not machine.shown
            wrong.close()
            window.advance(0.2)

        machine.meanwhile = lambda window: (window.show(), meanwhile(window))[1]
        machine.start()
    (said,) = machine.screens
    assert said.startswith("Service: ")
    assert words in said
    assert "\n" not in said
    assert machine.opened == ["terminal", "dispenser"]
    (shown,) = machine.shown
    assert load_or_last_good(machine.path) == (shown.config, "")  # remembered as any start that goes through
    assert len([each for each in caplog.messages if each.startswith("the machine cannot sell")]) == 1
    Journal(machine.journal).close()  # nobody holds it any more


def test_what_the_settings_are_blamed_for_is_logged_once_and_not_at_every_try(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.path.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(machine.path, 1001, 1001)
    with ExitStack() as wrong:
        wrong.enter_context(another_kiosk_runs(machine))

        def meanwhile(window: OutOfOrderWindow) -> None:
            for _ in range(5):
                window.advance(60.1)
            wrong.close()
            window.advance(60.1)

        machine.meanwhile = meanwhile
        machine.start()
    assert len(machine.shown) == 1
    assert any(f"may change {machine.path}" in each for each in caplog.messages)
    assert len(set(caplog.messages)) == len(caplog.messages)


def test_an_unexpected_error_is_shown_without_its_text(machine: Machine) -> None:
    with unexpected_error(machine):
        machine.start()
    (said,) = machine.screens
    assert "4711" not in said


def test_a_stop_request_ends_it_and_closes_everything(machine: Machine) -> None:
    machine.meanwhile = lambda window: window.show()
    with settings_are_nonsense(machine):
        machine.start()
    assert len(machine.screens) == 1
    assert (machine.shown, machine.opened) == ([], [])


def test_a_stop_request_during_the_start_prevents_the_sale(machine: Machine) -> None:
    with ExitStack() as wrong:
        wrong.enter_context(settings_are_nonsense(machine))

        def meanwhile(window: OutOfOrderWindow) -> None:
            wrong.close()
            window.advance(5.1)
            window.show()

        machine.meanwhile = meanwhile
        machine.start()
    assert machine.opened == ["terminal", "dispenser"]
    assert machine.shown == []
    Journal(machine.journal).close()


@pytest.mark.usefixtures("qtbot")
def test_retries_back_off_and_show_the_latest_reason() -> None:
    tries: list[float] = []
    now = 0.0

    def again() -> str:
        tries.append(now)
        return f"reason {len(tries)}"

    window = OutOfOrderWindow("reason 0", again, ("de", "en"))
    for _ in range(600):
        now += 0.5
        window.advance(0.5)
    assert [round(later - earlier) for earlier, later in zip([0.0, *tries], tries, strict=False)] == [
        5, 10, 20, 40, 60, 60, 60,
    ]  # fmt: skip
    assert window.service.text == f"Service: reason {len(tries)}"
    window.leave()


def test_without_a_screen_it_ends_with_a_one_line_error(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unattended, "window_problem", lambda: "there is no display")
    with settings_are_nonsense(machine), pytest.raises(NoDisplayError, match=r"no display.*sorce"):
        machine.start()


@pytest.mark.proves("engine-gone-start", "engine-damaged")
@pytest.mark.parametrize("spoilt", [False, True])
def test_without_its_engine_it_sells_and_asks_for_ids(machine: Machine, spoilt: bool) -> None:
    engine = machine.path.with_name("gone.onnx")
    if spoilt:
        engine.write_bytes(b"no engine")
    machine.path.write_text(f'{SETTINGS}[vision]\nengine = "{engine}"\n')
    machine.start()
    assert machine.screens == []
    (shown,) = machine.shown
    assert shown.vision.state is VisionState.FAILED
    assert "gone.onnx" in (shown.vision.fault or "")


@pytest.mark.proves("engine-gone-start")
def test_a_person_is_told_that_the_engine_is_gone_and_nothing_starts(machine: Machine) -> None:
    machine.path.write_text(f'{SETTINGS}[vision]\nengine = "gone.onnx"\n')
    with pytest.raises(Exception, match=r"engine .*gone\.onnx cannot be read"):
        run.run(load(machine.path), RunOptions())
    assert machine.opened == []
    assert not machine.journal.exists()


# In a process of its own


@pytest.mark.proves("start-fails")
def test_the_service_manager_hears_why_it_does_not_sell_and_that_it_does(tmp_path: Path) -> None:
    path = tmp_path / "kiosk.toml"
    ports = "".join(f'[{name}]\nkind = "{kind}"\nport = "/dev/none-{kind}"\n' for name, kind in PORTS)
    path.write_text(f'[shop]\nstate = "state"\n{ports}[camera]\nsource = "97"\nnonsense = 1\n')
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "JOURNAL_STREAM")
    } | {"QT_QPA_PLATFORM": "offscreen", "XDG_STATE_HOME": str(tmp_path / "user's")}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        kiosk = subprocess.Popen(
            [sys.executable, "-m", "kiosk.cli.main", "run", "--config", str(path)],
            env={**environment, "NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "30000000"},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:

            def read_notices(begin: str) -> str:
                while not (said := manager.recv(4096).decode()).startswith(begin):
                    pass
                return said

            assert read_notices("READY=1") == f"READY=1\nMAINPID={kiosk.pid}"
            status = read_notices("STATUS=")
            assert status.startswith("STATUS=out of order, the start is tried again: settings ")
            assert "camera.nonsense" in status
            read_notices("WATCHDOG=1")
            path.write_text(path.read_text().replace("nonsense = 1\n", ""))
            set_pin(load(path).pins_path, "service", "4711")
            assert read_notices("STATUS=out of order: ") == "STATUS=out of order: dispenser, terminal"
            kiosk.terminate()
            read_notices("STOPPING=1")
            _, stderr = kiosk.communicate(timeout=60)
        finally:
            kiosk.kill()
    assert kiosk.returncode == 0, stderr
    assert "Traceback" not in stderr


PORTS = (("payment", "mdb"), ("dispenser", "serial"))
