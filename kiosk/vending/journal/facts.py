"""What the journal records: one small fact for everything that happens to money, goods or stock.

The words follow the vending industry's. A vend is requested, and succeeds or fails (MDB/ICP 4.3, section 7: VEND
REQUEST, VEND SUCCESS, VEND FAILURE). A payment is requested, approved or declined, then settled or reversed, as a card
terminal does it (ZVT: authorisation, reservation and booking, reversal). Money is a whole number of the currency's
minor units.

No fact holds anything of a face: of an age check it says *passed* or *id_confirmed*, never why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Union

from pydantic import TypeAdapter, ValidationError

from kiosk.common.strict_model import first_problem

AgeResult = Literal["passed", "id_confirmed"]
"""How a customer's age was established, where a product asks for it."""

Outcome = Literal["sold", "refunded", "cancelled", "in_doubt", "test"]
"""How a sale ended. `cancelled`: nothing was charged. `in_doubt`: refunded, and nobody knows where the goods are."""

GONE = "it was gone"
"""What was wrong with a journal of which nothing is left to read."""


@dataclass(frozen=True)
class MachineStarted:
    """The program began, after whatever ended it before."""

    version: str


@dataclass(frozen=True)
class JournalReopened:
    """The journal could not be written for a while, and can be again; what was open then was resolved as by a start."""


@dataclass(frozen=True)
class JournalReplaced:
    """This journal was begun because the one before it was damaged, or gone.

    What there was of it is in `folder`, beside this one; `damage` is what was wrong with it, or `GONE`. `owed`: the
    payments, with a blank between two, that were not final by those of its rows that can still be read.
    """

    folder: str
    damage: str
    owed: str = ""


@dataclass(frozen=True)
class SaleOpened:
    """Somebody chose a product. A test by the operator is a sale too, of which nobody pays anything."""

    sale: str
    slot: str
    product: str
    price: int
    currency: str
    minimum_age: int
    test: bool = False


@dataclass(frozen=True)
class AgeCleared:
    """The customer of this sale may buy its product. `by` names what confirmed an ID: `pin`, `reader`."""

    sale: str
    result: AgeResult
    by: str = ""


@dataclass(frozen=True)
class PaymentRequested:
    """The terminal is about to be asked for money."""

    sale: str
    transaction: str
    amount: int


@dataclass(frozen=True)
class PaymentApproved:
    """The terminal has the customer's money. `reference` is its own number for it, never a card's."""

    sale: str
    transaction: str
    amount: int
    reference: str = ""


@dataclass(frozen=True)
class PaymentDeclined:
    """The terminal has taken nothing, and will not."""

    sale: str
    transaction: str
    reason: str


@dataclass(frozen=True)
class ReversalRequested:
    """Whatever the terminal took or may still take for this transaction has to go back."""

    sale: str
    transaction: str
    reason: str


@dataclass(frozen=True)
class PaymentReversed:
    """The terminal says that this transaction charges nobody."""

    sale: str
    transaction: str


@dataclass(frozen=True)
class PaymentSettled:
    """The terminal says that this transaction is final."""

    sale: str
    transaction: str


@dataclass(frozen=True)
class VendRequested:
    """The motor is about to turn."""

    sale: str
    slot: str


@dataclass(frozen=True)
class VendSucceeded:
    """The drop sensor saw the product."""

    sale: str
    slot: str


@dataclass(frozen=True)
class VendFailed:
    """The dispenser says that nothing fell."""

    sale: str
    slot: str
    reason: str


@dataclass(frozen=True)
class VendUnknown:
    """The motor may have turned and no answer will come: power was lost, or the dispenser fell silent."""

    sale: str
    slot: str
    reason: str


@dataclass(frozen=True)
class VendReportedLate:
    """What the dispenser said about a vend after the customer had been promised the money back."""

    sale: str
    slot: str
    dropped: bool


@dataclass(frozen=True)
class SaleClosed:
    """Nothing of this sale is open any more; each sale has this once."""

    sale: str
    outcome: Outcome


@dataclass(frozen=True)
class StockSet:
    """Somebody counted a slot: at the first start, a refill or a correction."""

    slot: str
    count: int
    reason: Literal["initial", "refill", "correction"]


@dataclass(frozen=True)
class PriceSet:
    """The operator changed a price. It holds for as long as the catalogue says `instead_of` in this currency."""

    slot: str
    price: int
    instead_of: int
    currency: str = ""
    """None in rows of the first version, whose prices do not hold any more."""


@dataclass(frozen=True)
class SettledByOperator:
    """A person settled what the program could not.

    `item` is a sale, or the transaction of a payment that belongs to none. `dropped`: whether the goods had left, or
    None where only money was open.
    """

    item: str
    dropped: bool | None = None


@dataclass(frozen=True)
class PinRefused:
    """Somebody typed a wrong PIN. `locked_s`: seconds until the next one was to be looked at. No digit is kept."""

    role: Literal["attendant", "service"]
    sale: str = ""
    """The sale whose customer an attendant was to confirm."""
    locked_s: int = 0


@dataclass(frozen=True)
class SettingChanged:
    """The operator changed a setting in service mode, other than stock or price. See `operator_settings`."""

    name: str
    value: str


@dataclass(frozen=True)
class Checkpoint:
    """What all facts before this one add up to: `kiosk.vending.journal.checkpoint`. It adds nothing to them."""

    layout: int
    ledger: Mapping[str, Any]


# A Union and not `|`, so that it is a value in Python 3.10 for a type checker too.
Fact = Union[  # noqa: UP007
    MachineStarted,
    JournalReopened,
    JournalReplaced,
    SaleOpened,
    AgeCleared,
    PaymentRequested,
    PaymentApproved,
    PaymentDeclined,
    ReversalRequested,
    PaymentReversed,
    PaymentSettled,
    VendRequested,
    VendSucceeded,
    VendFailed,
    VendUnknown,
    VendReportedLate,
    SaleClosed,
    StockSet,
    PriceSet,
    SettledByOperator,
    PinRefused,
    SettingChanged,
    Checkpoint,
]


def kind_of(fact: Fact) -> str:
    """The name of a fact's kind in the journal: `payment_approved`."""
    return name_of(type(fact))


def data_of(fact: Fact) -> dict[str, Any]:
    """The fact's fields, ready for JSON."""
    return asdict(fact)


def fact_from(kind: str, data: Mapping[str, Any]) -> Fact:
    """The opposite of `kind_of` and `data_of`. Raises `ValueError`, also where a field is of another type."""
    if kind not in _KINDS:
        raise ValueError(f"there is no kind {kind!r}")
    try:
        fact = _READERS[kind].validate_python(data)
    except ValidationError as error:
        raise ValueError(f"{kind} does not hold what it should: {first_problem(error)}") from error
    if unknown := set(data) - set(vars(fact)):
        raise ValueError(f"{kind} does not hold what it should: {min(unknown)!r} is unknown")
    return fact


def name_of(kind: type[Fact]) -> str:
    """What the journal calls facts of this class."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_KINDS: dict[str, type[Fact]] = {name_of(kind): kind for kind in Fact.__args__}  # type: ignore[attr-defined]
_READERS: dict[str, TypeAdapter[Fact]] = {name: TypeAdapter(kind) for name, kind in _KINDS.items()}
