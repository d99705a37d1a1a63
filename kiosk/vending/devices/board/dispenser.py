"""A dispenser board on a serial line: motors and a drop sensor. See docs/dispenser-protocol.md.

The driver sends each vend once. The command names the board's present start and, in the board's own time, a deadline
after which its motor may not start. A delayed line therefore turns no motor, and after the deadline a board that does
not know the vend never will turn it. Whatever was lost, a question is enough to learn the end of a vend, also after the
line or the board was disconnected.
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
"""Seconds between two HELLO commands."""
BUSY_POLL = 1.0
"""Seconds between two questions about an open vend."""
DEAD_AFTER = 6.0
"""Seconds of silence after which the board counts as disconnected."""
START_WITHIN = 5.0
"""Seconds in which the board must answer before a vend is sent, and again in which its motor must start."""
MOST_PENDING = 16
"""Open vends that the driver asks about at most."""


@dataclass
class _Vend:
    """A vend whose end is unknown."""

    id: str
    motor: str
    since: float
    boot: str | None = None
    """The board's start to which it was sent; None until it is sent."""
    deadline: int = 0
    """The board's uptime in milliseconds after which the motor may not start."""


class SerialDispenser:
    """A `Dispenser` on a serial line. `motors` maps slots to motors; other slots have a motor of the same name."""

    simulated = False

    def __init__(self, link: Link, motors: Mapping[str, str] | None = None) -> None:
        self._link = link
        self._motors = motors or {}
        self._now = 0.0
        self._vends: dict[str, _Vend] = {}
        self._messages: list[DispenserMessage] = []
        self._is_up = False
        self._is_away: bool | None = None
        self._last_line_at: float | None = None
        self._board: Board | None = None
        self._hello_due = 0.0
        self._ask_due = 0.0
        self._has_asked_for_last = False

    def dispense(self, vend: str, slot: str) -> None:
        """Queues the vend, which is sent once the board has reported its time."""
        motor = self._motors.get(slot, slot)
        if vend in self._vends:
            return
        if not (is_word(vend) and is_word(motor)):
            self._messages.append(NotDropped(vend, "refused"))
            return
        while len(self._vends) >= MOST_PENDING:
            self._vends.pop(next(iter(self._vends)))
        self._vends[vend] = _Vend(vend, motor, self._now)
        self._hello_due = self._now

    def close(self) -> None:
        """Releases the port."""
        self._link.close()

    def poll(self, now: float) -> Sequence[DispenserMessage]:
        """Reads the board's lines, and asks about open vends."""
        self._now = now
        self._drop_unsent()  # before a late answer of the board could send it
        for event in self._link.poll():
            match event:
                case LineUp():
                    self._is_up, self._last_line_at = True, None
                    self._hello_due = self._ask_due = now
                case LineDown():
                    self._is_up, self._last_line_at, self._board = False, None, None
                case str():
                    self._on_line(event)
        self._send_due()
        self._report_fault()
        messages, self._messages = self._messages, []
        return messages

    def _on_line(self, line: str) -> None:
        match parse_line(line):
            case Board() as board:
                self._on_board(board)
            case VendReport() as report:
                self._last_line_at = self._now
                self._on_report(report)

    def _on_board(self, board: Board) -> None:
        if self._board is None or (board.boot, board.health) != (self._board.boot, self._board.health):
            log.info("dispenser %s: start %s, %s", board.name, board.boot, board.health)
        if board.version != VERSION:
            log.error(
                "dispenser: the board uses version %d of the protocol and the kiosk version %d: update the older one",
                board.version,
                VERSION,
            )
            return
        self._last_line_at, self._board = self._now, board
        if not self._has_asked_for_last:
            # The last run may have missed the end of its last vend.
            self._has_asked_for_last = True
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
                log.error(
                    "dispenser: the board lost power during vend %s: count the slot",
                    report.vend,
                )
                self._vends.pop(report.vend, None)
            case "TURNING" if vend is None and len(self._vends) < MOST_PENDING:
                # A vend of the last run: its end helps the person who settles it.
                self._vends[report.vend] = _Vend(report.vend, "", self._now, report.boot)

    def _end(self, vend: str, message: DispenserMessage) -> None:
        """Reports the end of a vend, also of an unexpected one: the sale recognises old answers."""
        self._vends.pop(vend, None)
        self._messages.append(message)

    def _drop_unsent(self) -> None:
        """Reports vends that could not be sent in time as refused: the board will never carry them out."""
        for vend in list(self._vends.values()):
            if vend.boot is None and self._now > vend.since + START_WITHIN:
                self._end(vend.id, NotDropped(vend.id, "refused"))

    def _send_due(self) -> None:
        if not self._is_up:
            return
        if self._now >= self._hello_due:
            self._hello_due = self._now + HEARTBEAT
            self._link.send(frame("HELLO"))
        if self._now >= self._ask_due:
            self._ask_due = self._now + BUSY_POLL
            for vend in self._vends.values():
                if vend.boot is not None:
                    self._link.send(frame(f"ASK {vend.id}"))

    def _report_fault(self) -> None:
        silent = self._last_line_at is None or self._now > self._last_line_at + DEAD_AFTER
        away = not self._is_up or silent or self._board is None or self._board.health != "OK"
        if away != self._is_away:
            if away or self._is_away is not None:
                self._messages.append(FaultChanged("dispenser", away))
            self._is_away = away
