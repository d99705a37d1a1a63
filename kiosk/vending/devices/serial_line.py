"""Text lines to and from a device on a serial port, which may be unplugged at any time.

A driver uses a `Link`, which never blocks. `SerialLine` is the link that reads and writes a real port, in a thread of
its own. If the port cannot be opened or disappears, the thread opens it again, at growing intervals.
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
"""Bytes of a line. A longer one is noise and is dropped."""
MOST_WAITING = 512
"""Lines that may wait for `poll`. Further lines are dropped."""
MOST_UNSENT = 64
_READ_TIME_OUT = 0.5
_WRITE_TIME_OUT = 2.0


@dataclass(frozen=True)
class LineUp:
    """The port is open. Only a question shows whether a device listens."""


@dataclass(frozen=True)
class LineDown:
    """The port is closed. Lines on their way are lost. `reason` is the system's error, if any."""

    reason: str = ""


LinkEvent = Union[str, LineUp, LineDown]  # noqa: UP007


class Link(Protocol):
    """A driver's end of a serial line. No method waits or raises."""

    def send(self, line: str) -> None:
        """Sends a line, given without its end. It is lost while the link is down."""

    def poll(self) -> Sequence[LinkEvent]:
        """Returns the events since the last call, in order; lines have no line end. A link begins as down."""

    def close(self) -> None:
        """Closes the port."""


class LineSplitter:
    """Splits bytes into lines. It drops empty lines and those longer than `LONGEST_LINE`."""

    def __init__(self) -> None:
        self._rest = b""
        self._dropping = False

    def feed(self, data: bytes) -> list[str]:
        """Returns the lines that `data` completes. Bytes that are not ASCII become question marks."""
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
    """A `Link` on a port such as `/dev/ttyACM0`, with 8 data bits, no parity and 1 stop bit.

    The port is locked against other programs. The waits before a new attempt to open it are in seconds.
    """

    def __init__(self, port: str, baud: int = 115200, *, first_wait: float = 0.5, longest_wait: float = 10.0) -> None:
        self.port = port
        self.last_error = ""
        """The last error in opening or using the port; "" while it is open."""
        self._baud = baud
        self._backoff = Backoff(doubling_delays(first_wait, longest_wait))
        self._events: deque[LinkEvent] = deque()
        self._unsent: deque[str] = deque(maxlen=MOST_UNSENT)
        self._open: serial.Serial | None = None
        self._is_up = False
        """Whether the last such event for `poll` was `LineUp`."""
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"serial {port}", daemon=True)
        self._thread.start()

    def send(self, line: str) -> None:
        """Queues a line for the thread to send."""
        with self._changed:
            if self._open is not None:
                self._unsent.append(line)
                self._open.cancel_read()

    def poll(self) -> Sequence[LinkEvent]:
        """Returns the events since the last call."""
        with self._changed:
            events = list(self._events)
            self._events.clear()
        return events

    def wait(self, seconds: float) -> bool:
        """Blocks until there is an event to fetch, for at most `seconds`. Returns whether there is one."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._events), seconds)

    def close(self) -> None:
        """Ends the thread and closes the port."""
        self._closing.set()
        with self._changed:
            if self._open is not None:
                self._open.cancel_read()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                # `exclusive` locks the port: a second program would take half of the answers.
                with serial.Serial(
                    self.port, self._baud, timeout=_READ_TIME_OUT, write_timeout=_WRITE_TIME_OUT, exclusive=True
                ) as port:
                    port.reset_input_buffer()
                    self._backoff.reset()
                    self.last_error = ""
                    try:
                        self._serve(port)
                    finally:
                        # Before the port closes: its file number may then be another file's, and `send` uses it.
                        with self._changed:
                            self._open = None
            except (OSError, termios.error, ValueError) as error:
                if str(error) != self.last_error:  # log it once, not at each attempt
                    self.last_error = str(error)
                    log.warning(
                        "serial port %s cannot be used (%s): check the cable and the permissions", self.port, error
                    )
            self._mark_down(self.last_error)
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

    def _mark_down(self, reason: str) -> None:
        with self._changed:
            self._unsent.clear()
            if self._is_up:
                self._is_up = False
                if len(self._events) >= MOST_WAITING:
                    self._events.clear()
                self._put(LineDown(reason))

    def _put(self, event: LinkEvent) -> None:
        if len(self._events) < MOST_WAITING or not isinstance(event, str):
            self._events.append(event)
            self._changed.notify_all()
