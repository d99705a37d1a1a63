"""The scan of serial ports, and the devices that it identifies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from kiosk.system import port_scan
from kiosk.system.port_scan import Answer, Port, identify_device
from tests.fakes.board import Board
from tests.fakes.mdb_interface import MdbInterface
from tests.fakes.pty_port import PtyPort
from tests.fakes.wire import Device


@contextmanager
def serve_device(device: Device, path: Path) -> Iterator[None]:
    """Serves a device on a port from a thread."""
    port, over = PtyPort(device, path), threading.Event()
    port.plug()

    def serve() -> None:
        while not over.is_set():
            port.pump(0.05)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        port.unplug()


def test_an_mdb_interface_is_known_by_its_answers(tmp_path: Path) -> None:
    interface = MdbInterface()
    interface.feed("D,2")
    interface.said.clear()
    with serve_device(interface, tmp_path / "port"):
        assert identify_device(str(tmp_path / "port")) == Answer(terminal="firmware 4.0.2.0, INIT")
    assert interface.state == "INIT"


def test_a_dispenser_is_known_by_its_answer(tmp_path: Path) -> None:
    with serve_device(Board(), tmp_path / "port"):
        assert identify_device(str(tmp_path / "port")) == Answer(dispenser="test-board, protocol 1, OK")


def test_an_unknown_answer_identifies_no_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_scan, "ASK_EVERY", 0.01)
    silent = Board()
    silent.mute = True
    with serve_device(silent, tmp_path / "port"):
        assert identify_device(str(tmp_path / "port")) == Answer()


def test_a_port_that_cannot_be_opened_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_scan, "OPEN_WITHIN", 0.1)
    assert "No such file" in identify_device(str(tmp_path / "none")).problem


def test_ports_have_the_names_that_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [tmp_path / name for name in ("ttyACM0", "ttyS0", "ttyS1", "ttyTHS1", "ttyTHS2")]
    for device in devices:
        device.touch()
    (tmp_path / "by-id").mkdir()
    (tmp_path / "by-id" / "usb-Maker_Thing-if00").symlink_to(devices[0])
    (tmp_path / "consoles").write_text(
        "tty0                 -WU (EC  p  )    4:1\nttyS1                -W- (EC  p  )    4:65\n"
    )
    listed = [ListPortInfo(str(device)) for device in devices[:4]]
    listed[0].description = "Thing"
    monkeypatch.setattr(port_scan.list_ports, "comports", lambda: listed)
    monkeypatch.setattr(port_scan, "BY_ID", tmp_path / "by-id")
    monkeypatch.setattr(port_scan, "CONSOLES", tmp_path / "consoles")
    monkeypatch.setattr(port_scan, "DEVICES", tmp_path)
    assert list(port_scan.list_serial_ports()) == [
        Port(str(tmp_path / "by-id" / "usb-Maker_Thing-if00"), "Thing"),
        Port(str(devices[1]), "no USB device"),
        Port(str(devices[3]), "no USB device"),
        Port(str(devices[4]), "no USB device"),  # of a Jetson, which nobody lists
    ]
