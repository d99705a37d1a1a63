"""What can happen to a sale: touches, what the camera makes of the customer, what devices say, time, the operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

from kiosk.vending.devices.dispenser import Dropped, NotDropped
from kiosk.vending.devices.faults import FaultChanged
from kiosk.vending.devices.id_check import IdConfirmed, IdRefused, WrongPin
from kiosk.vending.devices.protocols import Approved, Declined, Reversed, Settled


@dataclass(frozen=True)
class Start:
    """The first screen was answered: shop with the camera's estimate, or without."""

    camera: bool


@dataclass(frozen=True)
class SetCamera:
    """The customer changed their mind about the camera."""

    on: bool


@dataclass(frozen=True)
class Choose:
    """A product was touched."""

    slot: str


@dataclass(frozen=True)
class Continue:
    """On: from the product to its payment, or from a declined payment to another try."""


@dataclass(frozen=True)
class ShowId:
    """The customer would rather show an ID than be looked at."""


@dataclass(frozen=True)
class Stay:
    """Still here: any touch that means nothing else."""


@dataclass(frozen=True)
class Back:
    """To the products."""


@dataclass(frozen=True)
class Cancel:
    """Away from all this, or done with the receipt."""


Touch = Union[Start, SetCamera, Choose, Continue, ShowId, Stay, Back, Cancel]  # noqa: UP007


@dataclass(frozen=True)
class AgeChecked:
    """What the age check says about the customer of this sale: passed, or ask for ID."""

    sale: str
    passed: bool


@dataclass(frozen=True)
class WalkedAway:
    """The camera has seen nobody for a while."""


@dataclass(frozen=True)
class VisitEnded:
    """The camera works, and has seen nobody in front of the first screen for a while: whoever comes is another."""


@dataclass(frozen=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True)
class EnterService:
    """The operator opened service mode."""


@dataclass(frozen=True)
class LeaveService:
    """The operator is done."""


@dataclass(frozen=True)
class VendTest:
    """The operator wants to see a slot work."""

    slot: str


@dataclass(frozen=True)
class PaymentTest:
    """The operator wants to see the terminal take and return `amount` minor units."""

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
    """The operator gave a slot's product another price, in minor units."""

    slot: str
    price: int


@dataclass(frozen=True)
class Settle:
    """The operator settled something by hand; see `facts.SettledByOperator`."""

    item: str
    dropped: bool | None = None


@dataclass(frozen=True)
class ServicePinRefused:
    """Somebody typed a wrong service PIN; the next one is looked at in `locked_s` seconds."""

    locked_s: int = 0


Operation = Union[  # noqa: UP007
    EnterService, LeaveService, VendTest, PaymentTest, SetStock, SetPrice, Settle, ServicePinRefused
]

Message = Union[  # noqa: UP007
    Approved, Declined, Reversed, Settled, Dropped, NotDropped, IdConfirmed, IdRefused, WrongPin, FaultChanged
]

Event = Union[Touch, AgeChecked, WalkedAway, VisitEnded, Tick, Message, Operation]  # noqa: UP007
