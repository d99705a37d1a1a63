"""What the sale asks of a dispenser, and what a dispenser answers.

A dispenser turns a slot's motor and watches the drop sensor. It is commanded once for a vend and never again, so a
driver must not repeat a command of its own accord either. Nor may a motor begin to turn later than the sale waits for
it (`Timing.dispensing`): by then the customer has their money back, and a person may stand at the open door and count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, Union

from kiosk.vending.devices.faults import FaultChanged


@dataclass(frozen=True)
class Dropped:
    """The sensor saw the product of this vend."""

    vend: str


@dataclass(frozen=True)
class NotDropped:
    """The product of this vend did not come, and the motor has stopped."""

    vend: str
    reason: Literal["jam", "nothing", "refused"] = "jam"
    """`jam`: the motor is stuck; `nothing`: it turned and nothing fell; `refused`: it never turned."""


DispenserMessage = Union[Dropped, NotDropped, FaultChanged]  # noqa: UP007


class Dispenser(Protocol):
    """Motors and a drop sensor. No method waits or raises: what goes wrong is a message or silence."""

    @property
    def simulated(self) -> bool:
        """Whether nothing falls anywhere."""

    def dispense(self, vend: str, slot: str) -> None:
        """Turns the motor of `slot` for one product. `vend` is the sale's id."""

    def close(self) -> None:
        """Lets go of the device; nothing is asked of it any more."""

    def poll(self, now: float) -> Sequence[DispenserMessage]:
        """What the dispenser has said since the last call. `now`: seconds of a monotonic clock.

        A device that is away says so (`FaultChanged`) by the first call, one that is there need say nothing.
        """
