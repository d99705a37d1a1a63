"""The lines between kiosk and dispenser board, each with its checksum. docs/dispenser-protocol.md is the standard."""

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


def framed(body: str) -> str:
    """The line that says `body`: it, a star, and four digits, the CRC-16/CCITT-FALSE of what is before the star."""
    return f"{body}*{crc_hqx(body.encode('ascii'), 0xFFFF):04X}"


def unframed(line: str) -> str | None:
    """What a line says; None if it is damaged."""
    body, star, _ = line.rpartition("*")
    return body if star and body.isascii() and framed(body) == line else None


def is_word(text: str) -> bool:
    """Whether the protocol can say it: 1 to 32 letters, digits, `_`, `.` and `-`."""
    return _WORDS.fullmatch(text) is not None


@dataclass(frozen=True)
class Board:
    """The answer to `HELLO`."""

    version: int
    boot: str
    """Another word at each start of the board."""
    uptime: int
    """Milliseconds since then."""
    health: str
    """`OK`, or what keeps it from dispensing."""
    name: str


@dataclass(frozen=True)
class VendReport:
    """What became of a vend, as of `uptime`."""

    vend: str
    state: VendState
    boot: str
    uptime: int


def parsed(line: str) -> Union[Board, VendReport, None]:  # noqa: UP007
    """What the board says; None for a damaged line, and for one of a later version."""
    body = unframed(line)
    if body is None:
        return None
    if match := _BOARD.fullmatch(body):
        return Board(int(match["version"]), match["boot"], int(match["uptime"]), match["health"], match["name"])
    if match := _STATE.fullmatch(body):
        return VendReport(match["vend"], cast(VendState, match["state"]), match["boot"], int(match["uptime"]))
    return None
