"""Builds the messages of a machine to its fleet: topics and flat JSON, as docs/fleet.md lists them.

Every message that may be sent twice contains its `stream` and its `seq`. Together with the machine's name these are the
key by which a collector drops duplicates. For the journal, `seq` is the row. No message contains anything about a face,
not even that a camera approved an age.
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
"""The version of the format. A change that a collector could misread raises it."""

SALE, CHANGE, ERROR = "sale", "change", "error"
HEALTH, STOCK, AUDIENCE, RESULT = "health", "stock", "audience", "result"
STATE, ORDER = "state", "order"

RETAINED = frozenset({HEALTH, STOCK})
"""Topics whose newest message the broker keeps for later subscribers."""

WEIGHTS = {STOCK: 0, HEALTH: 0, AUDIENCE: 1, ERROR: 2, RESULT: 2}
"""When the outbox is full, the oldest message of the lowest weight is dropped first."""

_CHANGES = (MachineStarted, StockSet, PriceSet, SettingChanged, SettledByOperator)
_ERRORS = (VendFailed, VendUnknown, VendReportedLate, JournalReopened, JournalReplaced)


def topic_of(config: FleetConfig, name: str, machine: str | None = None) -> str:
    """Returns a whole MQTT topic, such as `kiosk/m-1/health`; by default of this machine."""
    return f"{config.topic}/{machine or config.machine}/{name}"


@dataclass(frozen=True)
class SlotStatus:
    """The state of a slot. `price` is in minor units."""

    slot: str
    count: int
    capacity: int
    uncertain: int
    blocked: bool
    price: int


@dataclass(frozen=True)
class MachineStatus:
    """The machine's state at one moment, from the sale and from vision."""

    faults: tuple[str, ...]
    """The faults of `kiosk.vending.devices.protocols`."""
    attention: int
    """The number of items that a person has to settle."""
    vision: str
    """The `VisionState` as text, such as `running`."""
    vision_fault: str
    engine: str
    """The engine's name and precision; empty while unknown."""
    engine_fault: str
    version: str
    currency: str
    slots: tuple[SlotStatus, ...]

    @property
    def problems(self) -> frozenset[str]:
        """All faults, one word each."""
        return frozenset(
            {*self.faults, *(["vision"] if self.vision_fault else []), *(["engine"] if self.engine_fault else [])}
        )

    @property
    def health(self) -> dict[str, Any]:
        """The status without the stock, as flat JSON data."""
        told = {name: value for name, value in asdict(self).items() if name not in ("slots", "currency")}
        return {**told, "faults": ",".join(sorted(self.faults)), "healthy": not self.problems}


def of_status(before: MachineStatus | None, status: MachineStatus) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields topic and data of everything that changed since `before`; of everything if that is None."""
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
    """Returns the stock message's data: the state of every slot."""
    return {"currency": status.currency, "slots": [asdict(slot) for slot in status.slots]}


def of_entry(entry: Entry, opening: Callable[[str], SaleOpened | None]) -> tuple[str, dict[str, Any]] | None:
    """Returns topic and data for a row of the journal, or None if the fleet does not need it.

    `opening` returns the row in which a sale began. A sale is reported once, when it is closed.
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
    """Returns the message as UTF-8 JSON."""
    body = {"v": VERSION, "machine": machine, "stream": stream, "seq": seq, "utc": utc, **data}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
