"""What the sale asks of a payment terminal, and what a terminal answers.

Commands go in, messages come out when polled; nothing here waits. Every command and every message names its
transaction, and a command may come twice, because the sale repeats it until it is acknowledged, also after a restart.

The terms, beside those of the vending industry's bus (MDB/ICP 4.3, section 7, cashless; the reader in always idle mode,
where the product is chosen first) and of card terminals (ZVT, PA00P015 revision 13.06):

- `authorize`: VEND REQUEST; reservation (06 22), or authorisation (06 01).
- `Approved`, `Declined`: VEND APPROVED, VEND DENIED; completion (06 0F), abort (06 1E).
- `settle` → `Settled`: VEND SUCCESS, then SESSION COMPLETE → END SESSION; book total (06 24), nothing after 06 01.
- `reverse` → `Reversed`: VEND CANCEL before the answer, VEND FAILURE after it, each then SESSION COMPLETE →
  END SESSION; abort (06 B0) before it, reversal (06 30; 06 25 of a reservation) after it.

Neither has transaction numbers of the kind used here: a driver keeps the two lists together, in a file if the device
forgets. A driver whose device handles one payment at a time queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Union

from kiosk.vending.devices.faults import FaultChanged


@dataclass(frozen=True)
class Approved:
    """The customer's money is taken or reserved: `amount` minor units.

    `reference` is the terminal's number for the payment, for receipt and accountant; never any part of a card's.
    """

    transaction: str
    amount: int
    reference: str = ""


@dataclass(frozen=True)
class Declined:
    """Nothing was taken. `reason`: `card`, `cancelled` (at the reader), `timeout` (no card came), `terminal`."""

    transaction: str
    reason: str = "card"


@dataclass(frozen=True)
class Reversed:
    """Nothing is charged for this transaction, and nothing will be."""

    transaction: str


@dataclass(frozen=True)
class Settled:
    """The charge is final."""

    transaction: str


PaymentMessage = Union[Approved, Declined, Reversed, Settled, FaultChanged]  # noqa: UP007


class PaymentTerminal(Protocol):
    """A card terminal or a cashless reader. No method waits or raises: what goes wrong is a message or silence."""

    @property
    def simulated(self) -> bool:
        """Whether the money is play money."""

    def authorize(self, transaction: str, amount: int, currency: str) -> None:
        """Asks the customer at the reader for `amount` minor units. Never repeated for a transaction."""

    def settle(self, transaction: str) -> None:
        """Makes an approved transaction final. Answered by `Settled`, also if it already was."""

    def reverse(self, transaction: str) -> None:
        """Ends a transaction so that nothing is charged: stops it, or gives the money back.

        Answered by `Reversed`, also if it already was, was declined or was never heard of. An `authorize` of the
        same transaction that arrives later charges nothing.
        """

    def close(self) -> None:
        """Lets go of the device; nothing is asked of it any more."""

    def poll(self, now: float) -> Sequence[PaymentMessage]:
        """What the terminal has said since the last call. `now`: seconds of a monotonic clock.

        A device that is away says so (`FaultChanged`) by the first call, one that is there need say nothing. One that
        took money after it had said `Declined` or `Reversed` says `Approved`, and again whenever kiosk or device come
        back, until it is told to reverse it: nobody else can know.
        """
