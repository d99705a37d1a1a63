"""What a screen has to know about the sale at one moment, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kiosk.vending.devices.faults import FaultName
from kiosk.vending.sale.state import Phase


@dataclass(frozen=True)
class Offer:
    """A product as the customer sees it now."""

    slot: str
    price: int
    currency: str
    minimum_age: int
    available: bool
    """Whether it can be bought; if not it is sold out, or its slot waits for service."""
    count: int
    """Products that are certainly there."""
    uncertain: int
    """Products that may be there: of vends in doubt."""
    blocked: bool
    capacity: int


@dataclass(frozen=True)
class Receipt:
    """What was bought, and how it ended."""

    sale: str
    utc: str
    slot: str
    product: str
    """The product's English name, as journalled."""
    amount: int
    currency: str
    reference: str
    """The terminal's number for the payment."""
    outcome: Literal["sold", "refunded", "refund_pending"]


@dataclass(frozen=True)
class Attention:
    """Something that a person has to look at."""

    kind: Literal["replaced", "gone", "in_doubt", "unsettled", "blocked"]
    """A damaged journal that was put aside; one that vanished; a vend nobody knows the end of; money the terminal does
    not acknowledge; a slot whose vend failed."""
    item: str
    """What `Settle` settles (a folder, a sale, a transaction), or the slot that has to be counted."""
    slot: str = ""
    amount: int = 0
    currency: str = ""
    """The amount's; none where nobody asked for the money, so that the terminal alone knows."""
    reported: bool | None = None
    """Of a vend in doubt: what the dispenser said too late."""
    owed: tuple[str, ...] = ()
    """Of a damaged journal: the payments that it is known to have left open. There may have been others."""


@dataclass(frozen=True)
class Snapshot:
    """The sale as it is now."""

    phase: Phase
    reason: str
    """Why, where that can differ. `declined`: card, cancelled, timeout, terminal, dispenser. `refunding`: jam, nothing,
    refused, silent, dispenser. `done`: sold, refunded, refund_pending. `ask_id`: wrong_pin or nothing."""
    faults: frozenset[FaultName]
    """Why it is out of order, or will be."""
    simulated: bool
    """Whether money or goods are not real: every screen says so."""
    camera: bool | None
    """The customer's choice; None before they made one, and then nothing may be estimated."""
    sale: str | None
    """To be named in `AgeChecked`."""
    offers: tuple[Offer, ...]
    chosen: Offer | None
    amount: int
    currency: str
    id_methods: tuple[str, ...]
    """Ways to have an ID looked at, in `ask_id`."""
    pin_wait_s: float
    """Seconds until the next PIN is looked at."""
    can_go_back: bool
    can_cancel: bool
    can_continue: bool
    """On to the payment, or to another try of it."""
    seconds_left: float | None
    """Until the phase ends by itself."""
    asks_whether_there: bool
    """Whether to ask if somebody is still there; `Stay` says so."""
    receipt: Receipt | None
    claim: str | None
    """The customer's sale, while money of it may still be charged that has to come back; the number to show them.

    None once the terminal has said that nothing is charged, or the goods are theirs. Out of order: the last such sale.
    """
    attention: tuple[Attention, ...]
    test: Literal["none", "running", "done", "failed"]
    """In service mode: the last test."""
