"""Which serial ports this machine has, and which of the devices that the kiosk knows answers on each."""

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
"""The UARTs of a Jetson, of which pyserial 3.5 does not know."""
OPEN_WITHIN = 1.0
ASK_EVERY = 1.0
ASK_TIMES = 3
"""A board that starts anew when its port is opened, as an Arduino does, takes two seconds to listen."""


@dataclass(frozen=True)
class Port:
    """A serial port. `path` is the one to name in the settings: it stays the same when something else is plugged in."""

    path: str
    description: str


@dataclass(frozen=True)
class Answer:
    """What is at a port: nothing that is known, if it has neither `terminal` nor `dispenser`."""

    terminal: str = ""
    """What the MDB interface says of itself."""
    dispenser: str = ""
    """What the dispenser board says of itself."""
    trouble: str = ""
    """Why the port could not be opened."""


def found() -> Iterator[Port]:
    """All ports but those that the system's own console is on."""
    stable = {link.resolve(): link for link in sorted(BY_ID.iterdir())} if BY_ID.is_dir() else {}
    consoles = CONSOLES.read_text(encoding="ascii") if CONSOLES.exists() else ""
    listed = sorted(list_ports.comports())
    known = {port.device for port in listed}
    others = [ListPortInfo(str(path)) for path in sorted(DEVICES.glob(UNLISTED)) if str(path) not in known]
    for port in (*listed, *others):
        if f"{port.name} " not in consoles:
            description = port.description if port.description not in ("", "n/a") else "no USB device"
            yield Port(str(stable.get(Path(port.device).resolve(), port.device)), description)


def what_answers(path: str) -> Answer:
    """Asks at a port, for at most `ASK_TIMES * ASK_EVERY` seconds. Changes nothing at a device that is known."""
    line = SerialLine(path)
    try:
        if not line.wait(OPEN_WITHIN) or LineUp() not in line.poll():
            return Answer(trouble=line.last_error or "it cannot be opened")
        for _ in range(ASK_TIMES):
            for question in ("V", "D,STATUS", dispenser_protocol.frame("HELLO")):
                line.send(question)
            answer = _heard(line, ASK_EVERY)
            if answer is not None:
                return answer
        return Answer()
    finally:
        line.close()


def _heard(line: SerialLine, seconds: float) -> Answer | None:
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
