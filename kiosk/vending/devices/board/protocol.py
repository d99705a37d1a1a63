"""The lines between the kiosk and a dispenser board, each with a checksum. See docs/dispenser-protocol.md."""

from __future__ import annotations

import re
from binascii import crc_hqx
from dataclasses import dataclass
from typing import Literal, Union, cast

VERSION = 1

VendState = Literal["UNKNOWN", "TURNING", "DROPPED", "JAM", "NOTHING", "REFUSED", "UNSURE"]

_WORD = r"[A-Za-z0-9_.-]{1,32}"
_BOARD = re.compile(rf"BOARD (?P<version>\d+) (?P<boot>{_WORD}) (?P<uptime>\d+) (?P<health>{_WORD}) (?P<name>{_WORD})")
_STATE = re.compile(
    rf"STATE (?P<vend>{_WORD}) (?P<state>UNKNOWN|TURNING|DROPPED|JAM|NOTHING|REFUSED|UNSURE) "
    rf"(?P<boot>{_WORD}) (?P<uptime>\d+)"
)
_WORDS = re.compile(_WORD)


def frame(body: str) -> str:
    """Returns `body` as a line: the body, a star, and its CRC-16/CCITT-FALSE in four hexadecimal digits."""
    return f"{body}*{crc_hqx(body.encode('ascii'), 0xFFFF):04X}"


def unframe(line: str) -> str | None:
    """Returns the body of a line, or None if the line is damaged."""
    body, star, _ = line.rpartition("*")
    return body if star and body.isascii() and frame(body) == line else None


def is_word(text: str) -> bool:
    """Tells whether the protocol can carry `text`: 1 to 32 letters, digits, `_`, `.` and `-`."""
    return _WORDS.fullmatch(text) is not None


@dataclass(frozen=True)
class Board:
    """A board's answer to `HELLO`."""

    version: int
    boot: str
    """A word that differs after each start of the board."""
    uptime: int
    """Milliseconds since the board started."""
    health: str
    """`OK`, or why the board cannot dispense."""
    name: str


@dataclass(frozen=True)
class VendReport:
    """The state of a vend when the board's uptime was `uptime` milliseconds."""

    vend: str
    state: VendState
    boot: str
    uptime: int


def parse_line(line: str) -> Union[Board, VendReport, None]:  # noqa: UP007
    """Parses a line from the board. Returns None for a damaged line and for one of a later protocol version."""
    body = unframe(line)
    if body is None:
        return None
    if match := _BOARD.fullmatch(body):
        return Board(int(match["version"]), match["boot"], int(match["uptime"]), match["health"], match["name"])
    if match := _STATE.fullmatch(body):
        return VendReport(match["vend"], cast(VendState, match["state"]), match["boot"], int(match["uptime"]))
    return None
