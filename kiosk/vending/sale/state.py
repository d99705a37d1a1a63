"""The state of a sale: where the customer is, what is open with money and goods; the shop's rules; the effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from kiosk.config import TimeoutsConfig
from kiosk.vending.catalog.catalog import Item
from kiosk.vending.devices.faults import FaultName
from kiosk.vending.journal.facts import Fact
from kiosk.vending.journal.ledger import Ledger, OpenSale


class Phase(Enum):
    """Where the customer is."""

    ATTRACT = "attract"
    BROWSING = "browsing"
    SELECTED = "selected"
    AGE_CHECK = "age_check"
    ASK_ID = "ask_id"
    ID_REFUSED = "id_refused"
    """The courteous no: everything else is still for sale."""
    PAYING = "paying"
    DECLINED = "declined"
    """The payment did not happen, for any reason; it may be tried again."""
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
"""Where a customer can still go back or away."""

WITH_PRODUCT = BEFORE_DISPENSING - {Phase.BROWSING}
"""Where of these a sale is open."""


@dataclass(frozen=True)
class Rules:
    """What does not change while the machine runs."""

    journal: str
    """The journal's id, which the ids of its sales begin with."""
    items: Mapping[str, Item]
    """By slot."""
    automatic_age_check: bool = False
    """Whether the camera's *passed* sells without a person. Off until the operator turns it on."""
    id_methods: tuple[str, ...] = ()
    timeouts: TimeoutsConfig = field(default_factory=TimeoutsConfig)

    def available(self, ledger: Ledger, slot: str) -> bool:
        """Whether the slot sells now."""
        known = ledger.slot(slot)
        return slot in self.items and known.count > 0 and not known.blocked


@dataclass(frozen=True)
class Deadline:
    """When a phase ends by itself, in seconds of the caller's monotonic clock."""

    end: float
    warning: float | None = None
    """From when on the customer is asked; None if nobody is."""


@dataclass(frozen=True)
class Retry:
    """A command to the terminal that waits for its acknowledgement."""

    sent: int
    due: float


@dataclass(frozen=True)
class State:
    """Everything about the sale at one moment."""

    ledger: Ledger = field(default_factory=Ledger)
    phase: Phase = Phase.ATTRACT
    camera: bool | None = None
    """The customer's choice; None until they made one."""
    id_is_needed: bool = False
    """Whether an age check of this visit has asked for an ID or was left: nobody gets another until a lucky one.

    Only `VisitEnded` takes it back. Where the camera cannot say that, or always sees somebody, an ID stays needed.
    """
    sale: str | None = None
    """The sale that the customer is in."""
    transaction: str | None = None
    """The payment that is waited for."""
    reason: str = ""
    """Why the phase is what it is, where that can differ: what a payment was declined for, how a sale ended."""
    deadline: Deadline | None = None
    faults: frozenset[FaultName] = frozenset()
    retries: Mapping[str, Retry] = field(default_factory=dict)
    """By transaction. Not journalled: after a restart everything open is sent at once."""

    @property
    def open_sale(self) -> OpenSale | None:
        """The sale that the customer is in, while anything of it is open."""
        return self.ledger.sales.get(self.sale) if self.sale else None

    @property
    def is_testing(self) -> bool:
        """Whether the operator waits for a test's answer. A reversal is not waited for: it may take for ever."""
        sale = self.open_sale
        if self.phase is not Phase.SERVICE or sale is None:
            return False
        asked = any(transaction.state == "requested" for transaction in self.ledger.transactions_of(sale.id))
        return asked or sale.goods == "requested"

    @property
    def may_retry(self) -> bool:
        """Whether a declined payment may be tried again: nothing of the last try is open, and nothing is wrong."""
        is_open = self.sale and self.ledger.transactions_of(self.sale)
        return self.phase is Phase.DECLINED and not is_open and not self.faults


@dataclass(frozen=True)
class Record:
    """Append this to the journal, and act on no later effect before it is there."""

    fact: Fact


@dataclass(frozen=True)
class Authorize:
    """Ask the terminal for money."""

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
    """Turn the motor."""

    vend: str
    slot: str


@dataclass(frozen=True)
class BeginId:
    """Have an ID looked at."""

    sale: str
    minimum_age: int


@dataclass(frozen=True)
class EndId:
    """Nobody waits for the ID any more."""

    sale: str


Effect = Union[Record, Authorize, SettlePayment, ReversePayment, Dispense, BeginId, EndId]  # noqa: UP007
