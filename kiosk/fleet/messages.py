"""What a machine tells its fleet: topics and flat JSON, as docs/fleet.md lists them.

Every message that may come twice names its `stream` and its `seq` in it; with the machine's name they are the key by
which a collector drops the second. Of the journal, `seq` is the row. Nothing here is of a face: not even that a camera
passed somebody's age.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kiosk.config import FleetConfig
from kiosk.vending.journal import Entry
from kiosk.vending.journal.facts import (
    JournalReopened,
    JournalReplaced,
    MachineStarted,
    PriceSet,
    SaleClosed,
    SaleOpened,
    SettingChanged,
    SettledByOperator,
    StockSet,
    VendFailed,
    VendReportedLate,
    VendUnknown,
    data_of,
    kind_of,
)

VERSION = 1
"""Of the format; a change that a collector could misread raises it."""

SALE, CHANGE, ERROR = "sale", "change", "error"
HEALTH, STOCK, AUDIENCE, RESULT = "health", "stock", "audience", "result"
STATE, ORDER = "state", "order"

RETAINED = frozenset({HEALTH, STOCK})
"""Topics of which the broker keeps the newest for whoever comes later."""

WEIGHTS = {STOCK: 0, HEALTH: 0, AUDIENCE: 1, ERROR: 2, RESULT: 2}
"""Where the outbox is full, the oldest of the least weight goes first."""

_CHANGES = (MachineStarted, StockSet, PriceSet, SettingChanged, SettledByOperator)
_ERRORS = (VendFailed, VendUnknown, VendReportedLate, JournalReopened, JournalReplaced)


def topic_of(config: FleetConfig, name: str, machine: str | None = None) -> str:
    """Returns a whole MQTT topic, such as `kiosk/m-1/health`; `machine` is this one where none is given."""
    return f"{config.topic}/{machine or config.machine}/{name}"


@dataclass(frozen=True)
class SlotStatus:
    """What is known of a slot. `price` in minor units."""

    slot: str
    count: int
    capacity: int
    uncertain: int
    blocked: bool
    price: int


@dataclass(frozen=True)
class MachineStatus:
    """How the machine is at one moment, as the sale and vision say."""

    faults: tuple[str, ...]
    """`kiosk.vending.devices.protocols`."""
    attention: int
    """Things that a person has to settle."""
    vision: str
    """`running`, or what it is instead."""
    vision_fault: str
    engine: str
    """What runs the network; empty while that is not known."""
    engine_fault: str
    version: str
    currency: str
    slots: tuple[SlotStatus, ...]

    @property
    def problems(self) -> frozenset[str]:
        """Everything that is wrong, a word each."""
        return frozenset(
            {*self.faults, *(["vision"] if self.vision_fault else []), *(["engine"] if self.engine_fault else [])}
        )

    @property
    def health(self) -> dict[str, Any]:
        """The status without stock, flat."""
        told = {name: value for name, value in asdict(self).items() if name not in ("slots", "currency")}
        return {**told, "faults": ",".join(sorted(self.faults)), "healthy": not self.problems}


def of_status(before: MachineStatus | None, status: MachineStatus) -> Iterator[tuple[str, dict[str, Any]]]:
    """Topic and data of what has changed since; everything at first."""
    known: frozenset[str] = before.problems if before else frozenset()
    for problem in sorted(known ^ status.problems):
        detail = {"vision": status.vision_fault, "engine": status.engine_fault}.get(problem, "")
        present = problem in status.problems
        yield ERROR, {"kind": "fault", "fault": problem, "present": present, "detail": detail if present else ""}
    if before is None or before.health != status.health:
        yield HEALTH, status.health
    if before is None or (before.slots, before.currency) != (status.slots, status.currency):
        yield STOCK, stock_of(status)


def stock_of(status: MachineStatus) -> dict[str, Any]:
    """What is in every slot."""
    return {"currency": status.currency, "slots": [asdict(slot) for slot in status.slots]}


def of_entry(entry: Entry, opening: Callable[[str], SaleOpened | None]) -> tuple[str, dict[str, Any]] | None:
    """Topic and data of a row of the journal; None for one that is no news to the fleet.

    `opening` finds how a sale began: what is told of it is told once, when nothing of it is open any more.
    """
    fact = entry.fact
    if isinstance(fact, SaleClosed):
        opened = opening(fact.sale)
        sale = asdict(opened) if opened else {"sale": fact.sale}
        sale.pop("minimum_age", None)
        return SALE, {"kind": "sale", **sale, "outcome": fact.outcome}
    if isinstance(fact, _CHANGES):
        return CHANGE, {"kind": kind_of(fact), **data_of(fact)}
    if isinstance(fact, _ERRORS):
        return ERROR, {"kind": kind_of(fact), **data_of(fact)}
    return None


def payload(machine: str, stream: str, seq: int, utc: str, data: Mapping[str, Any]) -> bytes:
    """The message as it goes out: UTF-8 JSON."""
    body = {"v": VERSION, "machine": machine, "stream": stream, "seq": seq, "utc": utc, **data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
