"""A line of text to and from a device on a serial port, which may be unplugged at any time.

Two ends: a driver holds a `Link`, and never waits for it; `SerialLine` is the one that reads and writes a real port, in
a thread of its own. A port that cannot be opened, or goes away, is opened again and again, ever more seldom.
"""

from __future__ import annotations

import logging
import termios
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Union

import serial

from kiosk.common.backoff import Backoff, doubling_delays

log = logging.getLogger(__name__)

LONGEST_LINE = 256
"""Bytes of a line; what is longer is noise, and dropped."""
MOST_WAITING = 512
"""Lines that wait to be fetched; more than that means that nobody fetches any."""
MOST_UNSENT = 64
_READ_TIME_OUT = 0.5
_WRITE_TIME_OUT = 2.0


@dataclass(frozen=True)
class LineUp:
    """The port is open. Whether a device listens is for a question to find out."""


@dataclass(frozen=True)
class LineDown:
    """The port is gone, and all that was on its way."""

    reason: str = ""


Heard = Union[str, LineUp, LineDown]  # noqa: UP007


class Link(Protocol):
    """What a driver knows of its line. No method waits or raises."""

    def send(self, line: str) -> None:
        """Sends a line, without its end; it is lost while the line is down."""

    def poll(self) -> Sequence[Heard]:
        """What happened since the last call, in order; lines without their end. A link begins as down."""

    def close(self) -> None:
        """Gives the port back."""


class LineSplitter:
    """Bytes in, whole lines out. Empty lines, and what is longer than `LONGEST_LINE`, are dropped."""

    def __init__(self) -> None:
        self._rest = b""
        self._dropping = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes. Bytes that are not ASCII become question marks."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        lines = []
        for line in whole:
            if not self._dropping and len(line) <= LONGEST_LINE:
                lines.append(line.decode("ascii", "replace").replace("\ufffd", "?").strip())
            self._dropping = False
        if len(self._rest) > LONGEST_LINE:
            self._rest, self._dropping = b"", True
        return [line for line in lines if line]


class SerialLine:
    """A `Link` on a port such as `/dev/ttyACM0`, eight data bits, no parity, one stop bit, for this program alone."""

    def __init__(self, port: str, baud: int = 115200, *, first_wait: float = 0.5, longest_wait: float = 10.0) -> None:
        self.port = port
        self.trouble = ""
        """Why it is not open, or was not the last time."""
        self._baud = baud
        self._backoff = Backoff(doubling_delays(first_wait, longest_wait))
        self._heard: deque[Heard] = deque()
        self._unsent: deque[str] = deque(maxlen=MOST_UNSENT)
        self._open: serial.Serial | None = None
        self._is_up = False
        """Whether whoever polls has been told that the line is up, and not yet that it is down."""
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"serial {port}", daemon=True)
        self._thread.start()

    def send(self, line: str) -> None:
        """Has the thread send a line."""
        with self._changed:
            if self._open is not None:
                self._unsent.append(line)
                self._open.cancel_read()

    def poll(self) -> Sequence[Heard]:
        """Everything since the last call."""
        with self._changed:
            heard = list(self._heard)
            self._heard.clear()
        return heard

    def wait(self, seconds: float) -> bool:
        """Waits until there is something to fetch; False after `seconds`. For who has nothing else to do."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._heard), seconds)

    def close(self) -> None:
        """Ends the thread and gives the port back."""
        self._closing.set()
        with self._changed:
            if self._open is not None:
                self._open.cancel_read()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                # `exclusive` locks the port against a second program that would take half of the answers
                with serial.Serial(
                    self.port, self._baud, timeout=_READ_TIME_OUT, write_timeout=_WRITE_TIME_OUT, exclusive=True
                ) as port:
                    port.reset_input_buffer()
                    self._backoff.reset()
                    self.trouble = ""
                    try:
                        self._serve(port)
                    finally:  # before it is closed: the number that `send` writes to may be another file's then
                        with self._changed:
                            self._open = None
            except (OSError, termios.error, ValueError) as error:
                if str(error) != self.trouble:  # once, and not every ten seconds for days
                    self.trouble = str(error)
                    log.warning("serial port %s: %s", self.port, error)
            self._put_down(self.trouble)
            self._closing.wait(self._backoff.next_delay())

    def _serve(self, port: serial.Serial) -> None:
        splitter = LineSplitter()
        with self._changed:
            self._open = port
            self._is_up = True
            self._put(LineUp())
        while not self._closing.is_set():
            for line in splitter.feed(port.read(max(1, port.in_waiting))):
                with self._changed:
                    self._put(line)
            while self._unsent:
                port.write(self._unsent.popleft().encode("ascii", "replace") + b"\r\n")

    def _put_down(self, reason: str) -> None:
        with self._changed:
            self._unsent.clear()
            if self._is_up:
                self._is_up = False
                if len(self._heard) >= MOST_WAITING:
                    self._heard.clear()
                self._put(LineDown(reason))

    def _put(self, heard: Heard) -> None:
        if len(self._heard) < MOST_WAITING or not isinstance(heard, str):
            self._heard.append(heard)
            self._changed.notify_all()
