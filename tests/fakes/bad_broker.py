"""Brokers that misbehave: what a real one does only when it is broken, overloaded or taken over."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

CONNECT, PUBLISH = 1, 3
CONNACK = b"\x20\x03\x00\x00\x00"
LARGEST_THERE_IS = b"\x32\xff\xff\xff\x7f"
"""How a message of 256 MB begins."""

TAKEN_OVER = b"\xe0\x02\x8e\x00"
"""How a broker parts with a client of whose name there is another one; Mosquitto hangs up without it."""


class BadBroker:
    """Answers so many messages of each connection and hangs up, or says nothing to them; `greeting` follows CONNACK."""

    def __init__(self, *, answers: int | None, greeting: bytes = b"") -> None:
        self.heard: list[bytes] = []
        """What was acknowledged."""
        self.connections = 0
        self._answers = answers
        self._greeting = greeting
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> BadBroker:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._server, self._open):
            if each:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._open, _ = self._server.accept()
                self.connections += 1
                with self._open, suppress(OSError, EOFError):
                    self._talk(self._open)

    def _talk(self, connection: socket.socket) -> None:
        left = self._answers
        while left != 0:
            kind, body = _packet(connection)
            if kind == CONNECT:
                connection.sendall(CONNACK + self._greeting)
            elif kind == PUBLISH and left is not None:
                self.heard.append(body)
                end = 2 + int.from_bytes(body[:2], "big")
                connection.sendall(b"\x40\x02" + body[end : end + 2])
                left -= 1


def _packet(connection: socket.socket) -> tuple[int, bytes]:
    """Kind and rest of a packet that is no longer than 16 KB."""
    kind, length, shift = _exactly(connection, 1)[0] >> 4, 0, 0
    while True:
        (digit,) = _exactly(connection, 1)
        length |= (digit & 127) << shift
        shift += 7
        if digit < 128:
            return kind, _exactly(connection, length)


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data
