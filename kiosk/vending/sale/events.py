"""The events of a sale: touches, reports of the camera, messages of devices, time, and the operator's actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from kiosk.vending.devices.protocols import (
    Approved,
    Declined,
    Dropped,
    FaultChanged,
    IdConfirmed,
    IdRefused,
    NotDropped,
    Reversed,
    Settled,
    WrongPin,
)


@dataclass(frozen=True)
class Start:
    """The customer started to shop, with the camera's estimate or without."""

    camera: bool


@dataclass(frozen=True)
class SetCamera:
    """The customer switched the camera's estimate on or off."""

    on: bool


@dataclass(frozen=True)
class Choose:
    """The customer touched a product."""

    slot: str


@dataclass(frozen=True)
class Continue:
    """The customer goes on: from the product to the payment, or from a declined payment to another attempt."""


@dataclass(frozen=True)
class ShowId:
    """The customer prefers to show an ID instead of the camera's age check."""


@dataclass(frozen=True)
class Stay:
    """The customer is still there: a touch without another meaning."""


@dataclass(frozen=True)
class Back:
    """The customer returns to the products."""


@dataclass(frozen=True)
class Cancel:
    """The customer leaves the sale, or closes the receipt."""


Touch = Union[Start, SetCamera, Choose, Continue, ShowId, Stay, Back, Cancel]  # noqa: UP007


@dataclass(frozen=True)
class AgeChecked:
    """The age check of this sale's customer ended: passed, or an ID is needed."""

    sale: str
    passed: bool


@dataclass(frozen=True)
class WalkedAway:
    """The camera has seen no customer for a while."""


@dataclass(frozen=True)
class VisitEnded:
    """The working camera has seen no one in front of the first screen for a while, so the next customer is another."""


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class EnterService:
    """The operator opened service mode."""


@dataclass(frozen=True)
class LeaveService:
    """The operator closed service mode."""


@dataclass(frozen=True)
class VendTest:
    """The operator tests a slot's motor."""

    slot: str


@dataclass(frozen=True)
class PaymentTest:
    """The operator tests the terminal, which takes and returns `amount` minor units."""

    amount: int
    currency: str


@dataclass(frozen=True)
class SetStock:
    """The operator counted a slot."""

    slot: str
    count: int
    reason: Literal["initial", "refill", "correction"]


@dataclass(frozen=True)
class SetPrice:
    """The operator changed the price of a slot's product, in minor units."""

    slot: str
    price: int


@dataclass(frozen=True)
class Settle:
    """The operator settled something by hand; see `facts.SettledByOperator`."""

    item: str
    dropped: bool | None = None


@dataclass(frozen=True)
class ServicePinRefused:
    """Somebody typed a wrong service PIN. No further PIN is accepted for `locked_s` seconds."""

    locked_s: int = 0


Operation = Union[  # noqa: UP007
    EnterService, LeaveService, VendTest, PaymentTest, SetStock, SetPrice, Settle, ServicePinRefused
]

Message = Union[  # noqa: UP007
    Approved, Declined, Reversed, Settled, Dropped, NotDropped, IdConfirmed, IdRefused, WrongPin, FaultChanged
]

Event = Union[Touch, AgeChecked, WalkedAway, VisitEnded, Tick, Message, Operation]  # noqa: UP007
