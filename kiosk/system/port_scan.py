"""Lists this machine's serial ports and identifies the device on each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo

from kiosk.vending.devices.board import protocol as dispenser_protocol
from kiosk.vending.devices.mdb import protocol as mdb_status
from kiosk.vending.devices.mdb.protocol import Status, Version
from kiosk.vending.devices.serial_line import LineUp, SerialLine

BY_ID = Path("/dev/serial/by-id")
CONSOLES = Path("/proc/consoles")
DEVICES = Path("/dev")
UNLISTED = "ttyTHS*"
"""The UARTs of a Jetson, which pyserial 3.5 does not list."""
OPEN_WITHIN = 1.0
ASK_EVERY = 1.0
ASK_TIMES = 3
"""A board that restarts when its port is opened, such as an Arduino, needs two seconds before it answers."""


@dataclass(frozen=True)
class Port:
    """A serial port. `path` is for the settings: it stays the same when other devices are plugged in."""

    path: str
    description: str


@dataclass(frozen=True)
class Answer:
    """The device at a port. With neither `terminal` nor `dispenser` it is unknown."""

    terminal: str = ""
    """Firmware and state of the MDB interface."""
    dispenser: str = ""
    """Name, protocol version and state of the dispenser board."""
    problem: str = ""
    """Why the port could not be opened."""


def list_serial_ports() -> Iterator[Port]:
    """Yields all serial ports except those of the system's console."""
    stable = {link.resolve(): link for link in sorted(BY_ID.iterdir())} if BY_ID.is_dir() else {}
    consoles = CONSOLES.read_text(encoding="ascii") if CONSOLES.exists() else ""
    listed = sorted(list_ports.comports())
    known = {port.device for port in listed}
    others = [ListPortInfo(str(path)) for path in sorted(DEVICES.glob(UNLISTED)) if str(path) not in known]
    for port in (*listed, *others):
        if f"{port.name} " not in consoles:
            description = port.description if port.description not in ("", "n/a") else "no USB device"
            yield Port(str(stable.get(Path(port.device).resolve(), port.device)), description)


def identify_device(path: str) -> Answer:
    """Identifies the device at a port, in at most `ASK_TIMES * ASK_EVERY` seconds. Changes nothing at known devices."""
    line = SerialLine(path)
    try:
        if not line.wait(OPEN_WITHIN) or LineUp() not in line.poll():
            return Answer(problem=line.last_error or "it cannot be opened")
        for _ in range(ASK_TIMES):
            for question in ("V", "D,STATUS", dispenser_protocol.frame("HELLO")):
                line.send(question)
            answer = _read_answer(line, ASK_EVERY)
            if answer is not None:
                return answer
        return Answer()
    finally:
        line.close()


def _read_answer(line: SerialLine, seconds: float) -> Answer | None:
    version = status = ""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and line.wait(left):
        for heard in line.poll():
            if not isinstance(heard, str):
                continue
            match mdb_status.parse_line(heard):
                case Version(number):
                    version = number
                case Status() as said:
                    status = said.name
            board = dispenser_protocol.parse_line(heard)
            if isinstance(board, dispenser_protocol.Board):
                return Answer(dispenser=f"{board.name}, protocol {board.version}, {board.health}")
        if version and status:
            break
    return Answer(terminal=f"firmware {version or 'unknown'}, {status or 'no status'}") if version or status else None
