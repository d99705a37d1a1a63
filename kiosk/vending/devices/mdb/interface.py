"""The dialogue with an MDB interface: it asks for the status, sends commands, and finds out whether a reader is there.

It sends `D,STATUS` again and again, one at a time, and sooner after a command or an unsolicited status. A caller that
acts on the answers alone does not depend on any other line: a lost command shows in the next answer as without effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from kiosk.vending.devices.mdb.protocol import Refusal, Status, parse_line
from kiosk.vending.devices.serial_line import LineDown, LineUp, Link

HEARTBEAT = 2.0
"""Seconds between two status queries while nothing happens."""
BUSY_POLL = 0.5
"""Seconds between two status queries while a payment is open."""
REPLY_TIMEOUT = 1.0
"""Seconds after which a status query counts as unanswered."""
DEAD_AFTER = 3
"""Unanswered queries after which the interface counts as disconnected."""
RESEND = 1.0
"""Seconds until a command that had no effect may be sent again."""
RESET_GRACE = 10.0
"""Seconds that a reset by the kiosk may take before the terminal counts as disconnected."""


@dataclass(frozen=True)
class Answer:
    """The answer to a status query."""

    status: Status


@dataclass(frozen=True)
class Hint:
    """An unsolicited status, after which a query follows."""

    status: Status


InterfaceMessage = Union[Answer, Hint, Refusal, LineDown]  # noqa: UP007


class MdbInterface:
    """An interface by Qibixx as cashless master, on a line."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._now = 0.0
        self._up = False
        self._status: Status | None = None
        self._query_sent: float | None = None
        self._query_due = 0.0
        self._unanswered = 0
        self._last_command = "", 0.0
        self._reset_until = 0.0

    def poll(self, now: float) -> Iterator[InterfaceMessage]:
        """Yields the messages since the last call. The caller may send commands in between. `now` is in seconds."""
        self._now = now
        for event in self._link.poll():
            match event:
                case LineUp():
                    self._up, self._unanswered, self._query_due = True, 0, now
                case LineDown():
                    self._up, self._status, self._query_sent = False, None, None
                    yield event
                case str():
                    yield from self._on_line(event)

    def query_status(self, *, is_busy: bool) -> None:
        """Sends a status query if one is due: more often while a payment is open (`is_busy`)."""
        if not self._up:
            return
        if self._query_sent is not None and self._now >= self._query_sent + REPLY_TIMEOUT:
            self._query_sent = None
            self._unanswered += 1
            if self._unanswered >= DEAD_AFTER:
                self._status = None
                self._link.send("D,2")  # a master that is off may not answer; one that is on says so
        if self._query_sent is None and self._now >= self._query_due:
            self._link.send("D,STATUS")
            self._query_sent = self._now
            self._query_due = self._now + (BUSY_POLL if is_busy else HEARTBEAT)

    def query_soon(self) -> None:
        """Makes the next status query due now."""
        self._query_due = min(self._query_due, self._now)

    def command(self, command: str, *, is_new: bool = False, again_after: float = RESEND) -> bool:
        """Sends a command, and makes a status query due. Returns whether it was sent.

        The same command is not sent again within `again_after` seconds, because it may still take effect, unless
        `is_new` says that it belongs to something new.
        """
        last, sent_at = self._last_command
        if last == command and not is_new and self._now < sent_at + again_after:
            return False
        self._link.send(command)
        self._last_command = command, self._now
        self._query_due = self._now
        return True

    def reset(self) -> None:
        """Resets the reader: switches the master off. The next answers show it off, and it is switched on again."""
        self._reset_until = self._now + RESET_GRACE
        self.command("D,0")

    @property
    def is_away(self) -> bool:
        """Whether there is no enabled reader, except during a reset by the kiosk."""
        away = not self._up or self._status is None or not self._status.is_on
        return away and not (self._up and self._now < self._reset_until)

    def close(self) -> None:
        """Releases the port."""
        self._link.close()

    def _on_line(self, line: str) -> Iterator[InterfaceMessage]:
        match parse_line(line):
            case Status() as status if status.is_answer and self._query_sent is not None:
                if self._status and self._status.name != status.name:
                    self._last_command = "", 0.0  # it has had its effect
                self._query_sent, self._unanswered, self._status = None, 0, status
                yield Answer(status)
            case Status() as status:
                self.query_soon()
                yield Hint(status)
            case Refusal() as refusal if not refusal.what.endswith("is on"):  # that answers a D,2 without need
                self.query_soon()
                yield refusal
