"""The state of a sale, the rules that it follows, and the effects that its transitions have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from kiosk.config import TimeoutsConfig
from kiosk.vending.catalog.catalog import Item
from kiosk.vending.devices.protocols import FaultName
from kiosk.vending.journal.facts import Fact
from kiosk.vending.journal.ledger import Ledger, OpenSale


class Phase(Enum):
    """The phases of a sale, as the customer sees them."""

    ATTRACT = "attract"
    BROWSING = "browsing"
    SELECTED = "selected"
    AGE_CHECK = "age_check"
    ASK_ID = "ask_id"
    ID_REFUSED = "id_refused"
    """No ID could be confirmed. The customer may still buy other products."""
    PAYING = "paying"
    DECLINED = "declined"
    """The payment did not succeed, for any reason. The customer may try again."""
    DISPENSING = "dispensing"
    REFUNDING = "refunding"
    DONE = "done"
    OUT_OF_ORDER = "out_of_order"
    SERVICE = "service"


BEFORE_DISPENSING = frozenset(
    {
        Phase.BROWSING,
        Phase.SELECTED,
        Phase.AGE_CHECK,
        Phase.ASK_ID,
        Phase.ID_REFUSED,
        Phase.PAYING,
        Phase.DECLINED,
    }
)
"""Phases in which the customer can still cancel."""

WITH_PRODUCT = BEFORE_DISPENSING - {Phase.BROWSING}
"""Those of these phases in which a product is chosen."""


@dataclass(frozen=True)
class Rules:
    """The rules of the sale, which do not change while the machine runs."""

    journal: str
    """The journal's id, with which the ids of its sales begin."""
    items: Mapping[str, Item]
    """The products on sale, by slot."""
    automatic_age_check: bool = False
    """Whether the camera's age check may pass a customer without a person. Off until the operator turns it on."""
    id_methods: tuple[str, ...] = ()
    timeouts: TimeoutsConfig = field(default_factory=TimeoutsConfig)

    def available(self, ledger: Ledger, slot: str) -> bool:
        """Tells whether a customer can buy the slot's product now."""
        known = ledger.slot(slot)
        return slot in self.items and known.count > 0 and not known.blocked


@dataclass(frozen=True)
class Deadline:
    """When a phase ends by itself, in seconds of the sale's monotonic clock."""

    end: float
    warning: float | None = None
    """From when on the screen asks whether the customer is still there; None if it does not ask."""


@dataclass(frozen=True)
class Retry:
    """A command to the terminal that waits for its acknowledgement: how often it was sent, and when it is due again."""

    sent: int
    due: float


@dataclass(frozen=True)
class State:
    """The whole state of the sale at one moment."""

    ledger: Ledger = field(default_factory=Ledger)
    phase: Phase = Phase.ATTRACT
    camera: bool | None = None
    """Whether the customer allows the camera's estimate; None before their choice."""
    id_is_needed: bool = False
    """Whether an age check of this visit asked for an ID or was left, so that no further check may pass the customer.

    Only `VisitEnded` resets it. If the camera is off or always sees somebody, an ID stays needed.
    """
    sale: str | None = None
    """The id of the current sale."""
    transaction: str | None = None
    """The transaction that the sale waits for."""
    reason: str = ""
    """Why the sale is in this phase, where that can differ. See `Snapshot.reason`."""
    deadline: Deadline | None = None
    faults: frozenset[FaultName] = frozenset()
    retries: Mapping[str, Retry] = field(default_factory=dict)
    """Pending settlements and reversals, by transaction. A restart sends all of them at once."""

    @property
    def open_sale(self) -> OpenSale | None:
        """The current sale, until it is complete."""
        return self.ledger.sales.get(self.sale) if self.sale else None

    @property
    def is_testing(self) -> bool:
        """Whether a device test waits for its answer. It does not wait for a reversal, which may never come."""
        sale = self.open_sale
        if self.phase is not Phase.SERVICE or sale is None:
            return False
        asked = any(transaction.state == "requested" for transaction in self.ledger.transactions_of(sale.id))
        return asked or sale.goods == "requested"

    @property
    def may_retry(self) -> bool:
        """Whether the customer may try a declined payment again: the last one is final, and there is no fault."""
        is_open = self.sale and self.ledger.transactions_of(self.sale)
        return self.phase is Phase.DECLINED and not is_open and not self.faults


@dataclass(frozen=True)
class Record:
    """Append the fact to the journal, before any later effect is carried out."""

    fact: Fact


@dataclass(frozen=True)
class Authorize:
    """Request a payment of `amount` minor units at the terminal."""

    transaction: str
    amount: int
    currency: str


@dataclass(frozen=True)
class SettlePayment:
    """Make a payment final."""

    transaction: str


@dataclass(frozen=True)
class ReversePayment:
    """End a payment so that nothing is charged."""

    transaction: str


@dataclass(frozen=True)
class Dispense:
    """Turn the slot's motor for this vend."""

    vend: str
    slot: str


@dataclass(frozen=True)
class BeginId:
    """Have the verifiers check the customer's ID."""

    sale: str
    minimum_age: int


@dataclass(frozen=True)
class EndId:
    """Stop the check of the customer's ID."""

    sale: str


Effect = Union[Record, Authorize, SettlePayment, ReversePayment, Dispense, BeginId, EndId]  # noqa: UP007
