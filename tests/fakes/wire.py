"""A serial line in memory, which the test steps: each poll carries the lines on, and may lose, double or damage them.

Like a real one it never lets a line overtake another, and what is on its way when it is unplugged is gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Literal, Protocol

from kiosk.vending.devices.serial_line import LineDown, LineUp, LinkEvent

Fate = Literal["whole", "lost", "doubled", "cut", "glued"]
"""`cut`: only its first half comes, as a line. `glued`: so does the end of the line, and the next one is part of it."""


class Device(Protocol):
    """What is at the other end."""

    said: list[str]

    def feed(self, line: str) -> None: ...


class Wire:
    """A `Link` to an emulator."""

    def __init__(self, device: Device, *, plugged: bool = True) -> None:
        self.device = device
        self.plugged = False
        self.held = False
        """Whether nothing moves: what is sent is late, and not lost."""
        self.fates: deque[Fate] = deque()
        """What happens to the next lines, either way; then they come whole."""
        self.spoilt: list[str] = []
        """What did not arrive as it was sent."""
        self.sent: list[str] = []
        """Everything the kiosk ever sent."""
        self._there: deque[str] = deque()
        self._back: deque[str] = deque()
        self._glue = {"there": "", "back": ""}
        self._news: list[LinkEvent] = []
        if plugged:
            self.plug()

    def send(self, line: str) -> None:
        self.sent.append(line)
        if self.plugged:
            self._there.append(line)

    def poll(self) -> Sequence[LinkEvent]:
        heard, self._news = self._news, []
        if self.plugged and not self.held:
            while self._there:
                for line in self._carried(self._there.popleft(), "there"):
                    self.device.feed(line)
            self._back.extend(self.device.said)
            while self._back:
                heard += self._carried(self._back.popleft(), "back")
        elif self.plugged:
            self._back.extend(self.device.said)
        self.device.said.clear()
        return heard

    def close(self) -> None:
        """Nothing is left to do."""

    def unplug(self) -> None:
        if self.plugged:
            self.plugged = False
            self._there.clear()
            self._back.clear()
            self._glue = {"there": "", "back": ""}
            self._news.append(LineDown("unplugged"))

    def plug(self) -> None:
        if not self.plugged:
            self.plugged = True
            self.device.said.clear()
            self._news.append(LineUp())

    def reopen(self) -> None:
        """The kiosk's program ended and began again."""
        self._news.clear()
        self.plugged, was = False, self.plugged
        self._there.clear()
        self._back.clear()
        if was:
            self.plug()

    def _carried(self, line: str, way: str) -> list[str]:
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
