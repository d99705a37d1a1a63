"""The conversation with an MDB interface: asking where it is, commanding, and whether it is there at all.

It asks `D,STATUS` again and again, once at a time, and sooner after a command or when the interface says something
unasked. Who acts on answers alone needs no other line to arrive: what was lost is seen to have had no effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from kiosk.vending.devices.mdb.protocol import Refusal, Status, parse_line
from kiosk.vending.devices.serial_line import LineDown, LineUp, Link

HEARTBEAT = 2.0
"""Seconds between two looks while nothing happens."""
BUSY_POLL = 0.5
"""The same while a payment is open."""
REPLY_TIMEOUT = 1.0
"""Seconds after which a look is taken to be unanswered."""
DEAD_AFTER = 3
"""Unanswered looks after which the interface is away."""
RESEND = 1.0
"""Seconds until a command without effect may be sent again."""
RESET_GRACE = 10.0
"""Seconds that a reset of our own may take before the terminal counts as away."""


@dataclass(frozen=True)
class Answer:
    """Where the interface is, as of the last look."""

    status: Status


@dataclass(frozen=True)
class Hint:
    """Where it says, unasked, that it is; a look follows."""

    status: Status


Said = Union[Answer, Hint, Refusal, LineDown]  # noqa: UP007


class MdbInterface:
    """An interface by Qibixx as cashless master, on a line."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._now = 0.0
        self._up = False
        self._status: Status | None = None
        self._look_sent: float | None = None
        self._look_due = 0.0
        self._unanswered = 0
        self._sent = "", 0.0
        self._excused_until = 0.0

    def hear(self, now: float) -> Iterator[Said]:
        """What it said since the last call; commands may be sent in between."""
        self._now = now
        for heard in self._link.poll():
            match heard:
                case LineUp():
                    self._up, self._unanswered, self._look_due = True, 0, now
                case LineDown():
                    self._up, self._status, self._look_sent = False, None, None
                    yield heard
                case str():
                    yield from self._understood(heard)

    def look(self, *, hasty: bool) -> None:
        """Asks where it is, if it is time to. `hasty`: whether somebody waits."""
        if not self._up:
            return
        if self._look_sent is not None and self._now >= self._look_sent + REPLY_TIMEOUT:
            self._look_sent = None
            self._unanswered += 1
            if self._unanswered >= DEAD_AFTER:
                self._status = None
                self._link.send("D,2")  # perhaps the master is off, and says nothing then; if it is on, it says so
        if self._look_sent is None and self._now >= self._look_due:
            self._link.send("D,STATUS")
            self._look_sent = self._now
            self._look_due = self._now + (BUSY_POLL if hasty else HEARTBEAT)

    def look_soon(self) -> None:
        """Something has changed."""
        self._look_due = min(self._look_due, self._now)

    def command(self, command: str, *, anew: bool = False, again_after: float = RESEND) -> bool:
        """Sends a command, and looks what comes of it.

        False, and nothing sent, for one that was sent less than `again_after` seconds ago and may still take effect;
        unless it is for something new.
        """
        sent, at = self._sent
        if sent == command and not anew and self._now < at + again_after:
            return False
        self._link.send(command)
        self._sent = command, self._now
        self._look_due = self._now
        return True

    def reset(self) -> None:
        """Resets the reader: off, upon which it is found off and switched on again."""
        self._excused_until = self._now + RESET_GRACE
        self.command("D,0")

    @property
    def is_away(self) -> bool:
        """Whether there is no enabled reader; not while a reset of our own is under way."""
        away = not self._up or self._status is None or not self._status.is_on
        return away and not (self._up and self._now < self._excused_until)

    def close(self) -> None:
        """Gives the port back."""
        self._link.close()

    def _understood(self, line: str) -> Iterator[Said]:
        match parse_line(line):
            case Status() as status if status.is_answer and self._look_sent is not None:
                if self._status and self._status.name != status.name:
                    self._sent = "", 0.0  # the last command has had its effect
                self._look_sent, self._unanswered, self._status = None, 0, status
                yield Answer(status)
            case Status() as status:
                self.look_soon()
                yield Hint(status)
            case Refusal() as refusal if not refusal.what.endswith("is on"):  # which answers a needless D,2
                self.look_soon()
                yield refusal
