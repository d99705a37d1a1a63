"""The interfaces of the devices of a sale: payment terminal, dispenser and ID verifiers, with the messages they send.

The sale calls a command and fetches the device's messages with `poll`. No method waits or raises: a failure is a
message or silence. Every command and message names its transaction, vend or sale.

The sale repeats a `settle` or `reverse` until the terminal acknowledges it, also after a restart, so a terminal must
accept both twice. The commands correspond to those of two standards, the vending bus MDB (MDB/ICP 4.3, section 7,
cashless, in always idle mode, where the customer chooses the product first) and card terminals by ZVT (PA00P015
revision 13.06):

- `authorize`: VEND REQUEST; reservation (06 22), or authorisation (06 01).
- `Approved`, `Declined`: VEND APPROVED, VEND DENIED; completion (06 0F), abort (06 1E).
- `settle` → `Settled`: VEND SUCCESS, then SESSION COMPLETE → END SESSION; book total (06 24), nothing after 06 01.
- `reverse` → `Reversed`: VEND CANCEL before the answer, VEND FAILURE after it, each then SESSION COMPLETE →
  END SESSION; abort (06 B0) before it, reversal (06 30; 06 25 of a reservation) after it.

Neither standard has transaction ids like the sale's. A driver maps them to the device's own numbers, in a file if the
device forgets them. A driver whose device handles one payment at a time queues the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Union

FaultName = Literal["terminal", "dispenser", "journal", "operator", "unsettled"]
"""Why the machine cannot sell.

`terminal`, `dispenser`: the device is disconnected. `journal`: it cannot be written. `operator`: the operator stopped
the sale. `unsettled`: the terminal does not acknowledge a payment that it has to settle or reverse.
"""


@dataclass(frozen=True)
class FaultChanged:
    """Says that a fault has appeared (`present`) or gone."""

    fault: FaultName
    present: bool


# Payment


@dataclass(frozen=True)
class Approved:
    """Says that the customer's money is taken or reserved: `amount` minor units.

    `reference` is the terminal's number for the payment, for the receipt and the accounts; never part of a card number.
    """

    transaction: str
    amount: int
    reference: str = ""


@dataclass(frozen=True)
class Declined:
    """Says that no money was taken. `reason`: `card`, `cancelled` (at the reader), `timeout` (no card), `terminal`."""

    transaction: str
    reason: str = "card"


@dataclass(frozen=True)
class Reversed:
    """Says that the transaction charges nothing, now and later."""

    transaction: str


@dataclass(frozen=True)
class Settled:
    """Says that the charge is final."""

    transaction: str


PaymentMessage = Union[Approved, Declined, Reversed, Settled, FaultChanged]  # noqa: UP007


class PaymentTerminal(Protocol):
    """A card terminal or a cashless reader."""

    @property
    def simulated(self) -> bool:
        """Whether it takes no real money."""

    def authorize(self, transaction: str, amount: int, currency: str) -> None:
        """Requests `amount` minor units from the customer at the reader. The sale never repeats it."""

    def settle(self, transaction: str) -> None:
        """Makes an approved transaction final. The terminal answers `Settled`, also if it already was final."""

    def reverse(self, transaction: str) -> None:
        """Ends a transaction without a charge: cancels the request, or returns the money.

        The terminal answers `Reversed`, also if it has already reversed or declined the transaction, or does not know
        it. A later `authorize` of the same transaction charges nothing.
        """

    def close(self) -> None:
        """Releases the device. The sale calls nothing after it."""

    def poll(self, now: float) -> Sequence[PaymentMessage]:
        """Returns the messages since the last call. `now` is in seconds of a monotonic clock.

        A disconnected device says so (`FaultChanged`) by the first call; a connected one need not report it. If the
        terminal took money after it had said `Declined` or `Reversed`, it says `Approved`, and says it again each time
        that the kiosk or the device returns, until `reverse` is called: only the terminal knows of that charge.
        """


# Dispenser


@dataclass(frozen=True)
class Dropped:
    """Says that the drop sensor saw the product of this vend."""

    vend: str


@dataclass(frozen=True)
class NotDropped:
    """Says that the product of this vend did not drop and that the motor has stopped."""

    vend: str
    reason: Literal["jam", "nothing", "refused"] = "jam"
    """`jam`: the motor is stuck. `nothing`: it turned and nothing dropped. `refused`: it never turned."""


DispenserMessage = Union[Dropped, NotDropped, FaultChanged]  # noqa: UP007


class Dispenser(Protocol):
    """Motors and a drop sensor.

    The sale commands each vend once, so a driver must not repeat a command either. A motor must not start after the
    sale's time for it (`Timing.dispensing`): by then the customer is refunded, and a person may have the door open.
    """

    @property
    def simulated(self) -> bool:
        """Whether no real product drops."""

    def dispense(self, vend: str, slot: str) -> None:
        """Turns the motor of `slot` for one product. `vend` is the sale's id."""

    def close(self) -> None:
        """Releases the device. The sale calls nothing after it."""

    def poll(self, now: float) -> Sequence[DispenserMessage]:
        """Returns the messages since the last call. `now` is in seconds of a monotonic clock.

        A disconnected device says so (`FaultChanged`) by the first call; a connected one need not report it.
        """


# ID check


@dataclass(frozen=True)
class IdConfirmed:
    """Says that an ID shows the customer of this sale to be old enough. `method` is the verifier's."""

    sale: str
    method: str


@dataclass(frozen=True)
class IdRefused:
    """Says that no ID shows the customer of this sale to be old enough. `method` is the verifier's."""

    sale: str
    method: str


@dataclass(frozen=True)
class WrongPin:
    """Says that an attendant typed a wrong PIN. The ID check goes on."""

    sale: str
    locked_s: int = 0
    """Whole seconds until the verifier accepts another PIN."""


IdMessage = Union[IdConfirmed, IdRefused, WrongPin]  # noqa: UP007


class IdVerifier(Protocol):
    """One way to check an ID: an attendant with a PIN, or a reader."""

    @property
    def method(self) -> str:
        """The way, for the screen: `pin` or `reader`."""

    def begin(self, sale: str, minimum_age: int) -> None:
        """Starts to check the ID of one sale's customer, who must be at least `minimum_age` years old."""

    def end(self, sale: str) -> None:
        """Stops the check of this sale."""

    def close(self) -> None:
        """Releases the device. The sale calls nothing after it."""

    def poll(self, now: float) -> Sequence[IdMessage]:
        """Returns the messages since the last call. `now` is in seconds of a monotonic clock."""


class PinVerifier(IdVerifier, Protocol):
    """A verifier that needs a PIN from the screen."""

    def enter(self, pin: str) -> None:
        """Takes a PIN as typed, for the sale that began last."""

    def wait_s(self, now: float) -> float:
        """Returns the seconds until the verifier accepts another PIN; 0 if it accepts one now."""
