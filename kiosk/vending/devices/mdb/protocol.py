"""What an MDB interface by Qibixx says as cashless master: one line in, what it means out.

The lines are those of the maker's documentation, https://docs.qibixx.com/mdb-products/api-cashless-master. They have
no checksum: what does not match whole is taken for noise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Union, cast

StatusName = Literal["OFF", "RESET", "INIT", "IDLE", "CREDIT", "VEND", "RESULT"]
"""`OFF`: the master is off. `RESET`: it is on, and no reader answers. `INIT`: a reader is there and not enabled.
`IDLE`: enabled. `CREDIT`: the reader has begun a session. `VEND`: it was asked for money. `RESULT`: it has answered."""

_ON = ("IDLE", "CREDIT", "VEND", "RESULT")

_STATUS = re.compile(
    r"""d,STATUS,(?:
        (?P<plain>OFF|RESET|IDLE|VEND)
        | INIT,(?P<init>[01])
        | CREDIT,(?P<credit>-?\d{1,9}(?:\.\d{1,9})?)
        | RESULT,(?:-1|1,(?P<approved>\d{1,9}(?:\.\d{1,9})?))
    )(?:,\#,(?P<reader>-?\d{1,5}(?:,-?\d{1,5}){5,6}))?""",
    re.VERBOSE,
)
_ERROR = re.compile(r'[dD],ERR,"?(?P<what>[^"]*)"?')
_VERSION = re.compile(r"v,(?P<version>[0-9][0-9.]*)(?:,.*)?")


@dataclass(frozen=True)
class Reader:
    """What the reader said of itself at set-up (MDB/ICP 4.3, 7.4.2)."""

    level: int
    currency: int
    """1 and the currency's number of ISO 4217, such as 1978; or the country's telephone code."""
    scale: int
    """The money that a one stands for, in units of the last decimal place."""
    decimals: int
    seconds: int
    """The longest that it takes over an answer."""
    flags: int
    mode: int | None = None
    """1 if sessions begin with a card, 2 if they may begin with a product; None if not said."""


@dataclass(frozen=True)
class Status:
    """Where interface and reader are."""

    name: StatusName
    always_idle: bool | None = None
    """Of `INIT`: whether the reader can be asked before a card is there."""
    approved: Decimal | None = None
    """Of `RESULT`: the amount in major units; None if declined."""
    reader: Reader | None = None
    """What only the answer to `D,STATUS` has, so that it shows as one."""

    @property
    def is_answer(self) -> bool:
        """Whether this answers `D,STATUS`. Without a reader there is nothing to tell that by."""
        return self.reader is not None or self.name in ("OFF", "RESET")

    @property
    def is_on(self) -> bool:
        """Whether there is an enabled reader."""
        return self.name in _ON


@dataclass(frozen=True)
class Refusal:
    """A command that the interface did not carry out. `-1`: not applicable in the present state."""

    what: str


@dataclass(frozen=True)
class Version:
    """The firmware."""

    version: str


def parsed(line: str) -> Union[Status, Refusal, Version, None]:  # noqa: UP007
    """What the line says; None if it is none that matters."""
    if match := _STATUS.fullmatch(line):
        return _status(match)
    if match := _ERROR.fullmatch(line):
        # "cashless master is off" is how some firmware answers D,STATUS then
        return Status("OFF") if match["what"].strip().endswith("is off") else Refusal(match["what"].strip())
    if match := _VERSION.fullmatch(line):
        return Version(match["version"])
    return None


def _status(match: re.Match[str]) -> Status:
    reader = Reader(*map(int, match["reader"].split(","))) if match["reader"] else None
    if match["plain"]:
        return Status(cast(StatusName, match["plain"]), reader=reader)
    if match["init"]:
        return Status("INIT", always_idle=match["init"] == "1", reader=reader)
    if match["credit"]:
        return Status("CREDIT", reader=reader)
    approved = Decimal(match["approved"]) if match["approved"] else None
    return Status("RESULT", approved=approved, reader=reader)
