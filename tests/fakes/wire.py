"""A serial line in memory: each poll carries the lines on, and may lose, double or damage them.

Like a real line it keeps their order, and loses those on their way when it is unplugged.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol

from kiosk.vending.devices.serial_line import LineDown, LineUp, LinkEvent

Fate = Literal["whole", "lost", "doubled", "cut", "glued"]
"""What happens to a line. `cut`: its first half arrives. `glued`: its first half and the next line arrive as one."""


class Device(Protocol):
    """A device at the other end."""

    said: list[str]

    def feed(self, line: str) -> None: ...


class Wire:
    """A `Link` to an emulated device."""

    def __init__(self, device: Device, *, plugged: bool = True) -> None:
        self.device = device
        self.plugged = False
        self.held = False
        """Whether the lines wait: they are late, but not lost."""
        self.fates: deque[Fate] = deque()
        """The fates of the next lines in either direction. After them, lines arrive whole."""
        self.spoilt: list[str] = []
        """Lines that did not arrive as they were sent."""
        self.sent: list[str] = []
        """All lines that the kiosk sent."""
        self._there: deque[str] = deque()
        self._back: deque[str] = deque()
        self._glue = {"there": "", "back": ""}
        self._events: list[LinkEvent] = []
        if plugged:
            self.plug()

    def send(self, line: str) -> None:
        self.sent.append(line)
        if self.plugged:
            self._there.append(line)

    def poll(self) -> Sequence[LinkEvent]:
        events, self._events = self._events, []
        if self.plugged and not self.held:
            while self._there:
                for line in self._carry(self._there.popleft(), "there"):
                    self.device.feed(line)
            self._back.extend(self.device.said)
            while self._back:
                events += self._carry(self._back.popleft(), "back")
        elif self.plugged:
            self._back.extend(self.device.said)
        self.device.said.clear()
        return events

    def close(self) -> None:
        """Does nothing."""

    def unplug(self) -> None:
        if self.plugged:
            self.plugged = False
            self._there.clear()
            self._back.clear()
            self._glue = {"there": "", "back": ""}
            self._events.append(LineDown("unplugged"))

    def plug(self) -> None:
        if not self.plugged:
            self.plugged = True
            self.device.said.clear()
            self._events.append(LineUp())

    def reopen(self) -> None:
        """Simulates a restart of the kiosk."""
        self._events.clear()
        self.plugged, was = False, self.plugged
        self._there.clear()
        self._back.clear()
        if was:
            self.plug()

    def _carry(self, line: str, way: str) -> list[str]:
        line, self._glue[way] = self._glue[way] + line, ""
        fate = self.fates.popleft() if self.fates else "whole"
        if fate in ("lost", "cut", "glued"):
            self.spoilt.append(line)
        match fate:
            case "lost":
                return []
            case "doubled":
                return [line, line]
            case "cut":
                return [line[: len(line) // 2]]
            case "glued":
                self._glue[way] = line[: len(line) // 2]
                return []
        return [line]
