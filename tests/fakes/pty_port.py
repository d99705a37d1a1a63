"""An emulated device on a pseudo-terminal: a port that a real serial line opens. Its path survives unplugging."""

from __future__ import annotations

import os
import pty
import select
import tty
from pathlib import Path

from kiosk.vending.devices.serial_line import LineSplitter
from tests.fakes.wire import Device

TIMEOUT_S = 10.0
"""Seconds after which a test fails; only a broken one waits this long."""


class PtyPort:
    """The device's end of the port."""

    def __init__(self, device: Device, path: Path) -> None:
        self.device = device
        self.path = path
        self._ends: tuple[int, int] | None = None
        self._splitter = LineSplitter()

    def plug(self) -> None:
        self._ends = pty.openpty()
        tty.setraw(self._ends[1])
        self.path.symlink_to(os.ttyname(self._ends[1]))
        self._splitter = LineSplitter()

    def unplug(self) -> None:
        assert self._ends is not None
        self.path.unlink()
        for end in self._ends:
            os.close(end)
        self._ends = None

    def pump(self, seconds: float = TIMEOUT_S) -> list[str]:
        """Waits at most `seconds` for lines of the kiosk, answers them, and returns them."""
        lines: list[str] = []
        while not lines and self._ends and select.select([self._ends[0]], [], [], seconds)[0]:
            lines = self._splitter.feed(os.read(self._ends[0], 4096))
        for line in lines:
            self.device.feed(line)
        self.answer()
        return lines

    def answer(self) -> None:
        """Sends the lines that the device has ready."""
        for line in self.device.said:
            self.write(f"{line}\r\n".encode())
        self.device.said.clear()

    def write(self, data: bytes) -> None:
        assert self._ends is not None
        os.write(self._ends[0], data)
