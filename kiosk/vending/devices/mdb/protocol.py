"""The lines of an MDB interface by Qibixx as cashless master, and whether a reader can take an amount.

The lines are those of the maker's documentation, https://docs.qibixx.com/mdb-products/api-cashless-master. They have
no checksum: a line that does not match as a whole counts as noise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Union, cast

from kiosk.vending.catalog.currency import numeric_code, to_major_units

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

_MOST_DECIMALS = 9
"""More decimals than any currency has; the protocol has a byte for them."""
_MOST_STEPS = 0xFFFE
"""The highest price on the bus: 16 bits, where 0xFFFF means "not known". 32 bits are an option of MDB/ICP 4.3, 7."""


@dataclass(frozen=True)
class Reader:
    """A reader's set-up data (MDB/ICP 4.3, 7.4.2)."""

    level: int
    currency: int
    """1 followed by the currency's number in ISO 4217, such as 1978; or a country's telephone code."""
    scale: int
    """The reader's money unit, in units of the last decimal place."""
    decimals: int
    seconds: int
    """The longest time that the reader may take over an answer."""
    flags: int
    mode: int | None = None
    """1 if sessions begin with a card, 2 if they may begin with a product; None if not given."""


@dataclass(frozen=True)
class Status:
    """The state of the interface and its reader."""

    name: StatusName
    always_idle: bool | None = None
    """Of `INIT`: whether the kiosk may request a payment before the customer presents a card."""
    approved: Decimal | None = None
    """Of `RESULT`: the amount in major units; None if declined."""
    reader: Reader | None = None
    """The set-up data, which only an answer to `D,STATUS` carries."""

    @property
    def is_answer(self) -> bool:
        """Whether this line answers `D,STATUS`. Without a reader, an answer looks like any other status."""
        return self.reader is not None or self.name in ("OFF", "RESET")

    @property
    def is_on(self) -> bool:
        """Whether there is an enabled reader."""
        return self.name in _ON


@dataclass(frozen=True)
class Refusal:
    """A command that the interface did not carry out. `-1`: not possible in the present state."""

    what: str


@dataclass(frozen=True)
class Version:
    """The interface's firmware version."""

    version: str


def parse_line(line: str) -> Union[Status, Refusal, Version, None]:  # noqa: UP007
    """Parses a line from the interface. Returns None for noise and for lines that the kiosk does not use."""
    if match := _STATUS.fullmatch(line):
        return _parse_status(match)
    if match := _ERROR.fullmatch(line):
        # Some firmware answers D,STATUS with the error "cashless master is off".
        return Status("OFF") if match["what"].strip().endswith("is off") else Refusal(match["what"].strip())
    if match := _VERSION.fullmatch(line):
        return Version(match["version"])
    return None


def _parse_status(match: re.Match[str]) -> Status:
    reader = Reader(*map(int, match["reader"].split(","))) if match["reader"] else None
    if match["plain"]:
        return Status(cast(StatusName, match["plain"]), reader=reader)
    if match["init"]:
        return Status("INIT", always_idle=match["init"] == "1", reader=reader)
    if match["credit"]:
        return Status("CREDIT", reader=reader)
    approved = Decimal(match["approved"]) if match["approved"] else None
    return Status("RESULT", approved=approved, reader=reader)


def reason_rejected(amount: int, currency: str, reader: Reader | None) -> str:
    """Returns why the reader cannot take `amount` minor units; "" if it can, or if its set-up data is unknown.

    Raises `KeyError` for an unknown currency.
    """
    if reader is None:
        return ""
    number = numeric_code(currency)
    if 1000 <= reader.currency < 2000 and reader.currency != 1000 + number:
        return (
            f"the reader is set to the currency with number {reader.currency - 1000} in ISO 4217, and the prices are "
            f"in {currency} ({number})"
        )
    if not 0 <= reader.decimals <= _MOST_DECIMALS:
        return f"the reader reports {reader.decimals} decimals, more than any currency has"
    step = Decimal(reader.scale).scaleb(-reader.decimals)
    price = to_major_units(amount, currency)
    if step <= 0 or price % step:
        return f"the reader counts in steps of {step} {currency}, and {price} is not a multiple of it"
    if price / step > _MOST_STEPS:
        return f"the reader takes at most {_MOST_STEPS * step} {currency}"
    return ""
