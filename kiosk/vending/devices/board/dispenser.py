"""A dispenser board on a serial line: motors and a drop sensor. docs/dispenser-protocol.md says what it has to do.

A vend is sent once. It names the board's present start and, in the board's own time, when its motor may no longer
start; so a line that was held up turns nothing, and once that time is over, a board that does not know the vend will
never turn its motor. Whatever was said or lost, asking is enough to find out what became of a vend, also after the
line or the board was away.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kiosk.vending.devices.board.protocol import VERSION, Board, VendReport, frame, is_word, parse_line
from kiosk.vending.devices.protocols import DispenserMessage, Dropped, FaultChanged, NotDropped
from kiosk.vending.devices.serial_line import LineDown, LineUp, Link

log = logging.getLogger(__name__)

HEARTBEAT = 2.0
"""Seconds between two HELLOs."""
BUSY_POLL = 1.0
"""Seconds between two questions about a vend that is under way."""
DEAD_AFTER = 6.0
"""Seconds of silence after which the board is away."""
START_WITHIN = 5.0
"""Seconds for the board to answer before a vend is sent, and again for its motor to start after."""
MOST_PENDING = 16
"""Vends without an end that are still asked about."""


@dataclass
class _Vend:
    """A vend whose end is not known."""

    id: str
    motor: str
    since: float
    boot: str | None = None
    """The board's start that it was sent to; None until it was sent."""
    deadline: int = 0
    """The board's uptime after which the motor may not start, in milliseconds."""


class SerialDispenser:
    """A dispenser on a serial line. `motors` says which motor a slot has; by default they share a name."""

    simulated = False

    def __init__(self, link: Link, motors: Mapping[str, str] | None = None) -> None:
        self._link = link
        self._motors = motors or {}
        self._now = 0.0
        self._vends: dict[str, _Vend] = {}
        self._said: list[DispenserMessage] = []
        self._up = False
        self._away: bool | None = None
        self._heard_at: float | None = None
        self._board: Board | None = None
        self._hello_due = 0.0
        self._ask_due = 0.0
        self._asked_for_last = False

    def dispense(self, vend: str, slot: str) -> None:
        """Sends the vend as soon as the board has told its time."""
        motor = self._motors.get(slot, slot)
        if vend in self._vends:
            return
        if not (is_word(vend) and is_word(motor)):
            self._said.append(NotDropped(vend, "refused"))
            return
        while len(self._vends) >= MOST_PENDING:
            self._vends.pop(next(iter(self._vends)))
        self._vends[vend] = _Vend(vend, motor, self._now)
        self._hello_due = self._now

    def close(self) -> None:
        """Gives the port back."""
        self._link.close()

    def poll(self, now: float) -> Sequence[DispenserMessage]:
        """Hears the board, and asks it what is not known."""
        self._now = now
        self._give_up_unsent()  # before a late answer of the board could have it sent
        for heard in self._link.poll():
            match heard:
                case LineUp():
                    self._up, self._heard_at = True, None
                    self._hello_due = self._ask_due = now
                case LineDown():
                    self._up, self._heard_at, self._board = False, None, None
                case str():
                    self._on_line(heard)
        self._ask()
        self._notice_fault()
        said, self._said = self._said, []
        return said

    def _on_line(self, line: str) -> None:
        match parse_line(line):
            case Board() as board:
                self._on_board(board)
            case VendReport() as report:
                self._heard_at = self._now
                self._on_report(report)

    def _on_board(self, board: Board) -> None:
        if self._board is None or (board.boot, board.health) != (self._board.boot, self._board.health):
            log.info("dispenser %s: start %s, %s", board.name, board.boot, board.health)
        if board.version != VERSION:
            log.error("the dispenser speaks version %d of the protocol, the kiosk %d", board.version, VERSION)
            return
        self._heard_at, self._board = self._now, board
        if not self._asked_for_last:
            # of a vend whose end the last run did not hear
            self._asked_for_last = True
            self._link.send(frame("LAST"))
        for vend in self._vends.values():
            if vend.boot is None:
                vend.boot, vend.deadline = board.boot, board.uptime + int(START_WITHIN * 1000)
                self._link.send(frame(f"VEND {vend.id} {vend.motor} {vend.boot} {vend.deadline}"))
                self._ask_due = self._now + BUSY_POLL

    def _on_report(self, report: VendReport) -> None:
        vend = self._vends.get(report.vend)
        match report.state:
            case "DROPPED":
                self._end(report.vend, Dropped(report.vend))
            case "JAM":
                self._end(report.vend, NotDropped(report.vend, "jam"))
            case "NOTHING":
                self._end(report.vend, NotDropped(report.vend, "nothing"))
            case "REFUSED":
                self._end(report.vend, NotDropped(report.vend, "refused"))
            case "UNKNOWN" if vend and vend.boot and (report.boot != vend.boot or report.uptime > vend.deadline):
                self._end(report.vend, NotDropped(report.vend, "refused"))
            case "UNSURE":
                log.error("dispenser: it lost its power during vend %s and does not know its end", report.vend)
                self._vends.pop(report.vend, None)
            case "TURNING" if vend is None and len(self._vends) < MOST_PENDING:
                # the last run's; its end is of use to whoever settles it
                self._vends[report.vend] = _Vend(report.vend, "", self._now, report.boot)

    def _end(self, vend: str, message: DispenserMessage) -> None:
        """Also of a vend that is not waited for: the sale knows what is old."""
        self._vends.pop(vend, None)
        self._said.append(message)

    def _give_up_unsent(self) -> None:
        """What the board was never told, it will never do."""
        for vend in list(self._vends.values()):
            if vend.boot is None and self._now > vend.since + START_WITHIN:
                self._end(vend.id, NotDropped(vend.id, "refused"))

    def _ask(self) -> None:
        if not self._up:
            return
        if self._now >= self._hello_due:
            self._hello_due = self._now + HEARTBEAT
            self._link.send(frame("HELLO"))
        if self._now >= self._ask_due:
            self._ask_due = self._now + BUSY_POLL
            for vend in self._vends.values():
                if vend.boot is not None:
                    self._link.send(frame(f"ASK {vend.id}"))

    def _notice_fault(self) -> None:
        silent = self._heard_at is None or self._now > self._heard_at + DEAD_AFTER
        away = not self._up or silent or self._board is None or self._board.health != "OK"
        if away != self._away:
            if away or self._away is not None:
                self._said.append(FaultChanged("dispenser", away))
            self._away = away
