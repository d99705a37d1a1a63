"""The facts that the journal records: one small record for each thing that happens to money, products or stock.

The names of these classes and of their fields are in every journal, so they never change.

The terms are the vending industry's. A vend is requested, and succeeds or fails (MDB/ICP 4.3, section 7: VEND REQUEST,
VEND SUCCESS, VEND FAILURE). A payment is requested, approved or declined, then settled or reversed, as on a card
terminal (ZVT: authorisation, reservation and booking, reversal). Amounts are in minor units of the currency.

No fact holds anything about a face. Of an age check it holds the result *passed* or *id_confirmed*, without the reason.
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
"""How a sale ended.

`cancelled`: nothing was charged. `in_doubt`: the sale is refunded, and whether the product dropped is unknown.
"""

UNREQUESTED = "unasked"
"""Why a payment that the kiosk did not request is reversed, and its outcome in exports. Journals and exports hold this
word, so it never changes."""

GONE = "it was gone"
"""The `damage` of a journal that is missing. It is compared with values in journals, so it never changes."""


@dataclass(frozen=True)
class MachineStarted:
    """The program started."""

    version: str


@dataclass(frozen=True)
class JournalReopened:
    """The journal can be written again after a failure. Sales that were open were resolved as at a start."""


@dataclass(frozen=True)
class JournalReplaced:
    """This journal was begun because the one before it was damaged or missing.

    `folder`, beside this journal, has the old one's files. `damage` describes the damage, or is `GONE`. `owed` lists
    the transactions, separated by spaces, that the readable rows of the old journal leave open.
    """

    folder: str
    damage: str
    owed: str = ""


@dataclass(frozen=True)
class SaleOpened:
    """A customer chose a product. A test by the operator is a sale too, in which all money goes back."""

    sale: str
    slot: str
    product: str
    price: int
    currency: str
    minimum_age: int
    test: bool = False


@dataclass(frozen=True)
class AgeCleared:
    """The customer of this sale is old enough for its product. `by` says how an ID was confirmed: `pin`, `reader`."""

    sale: str
    result: AgeResult
    by: str = ""


@dataclass(frozen=True)
class PaymentRequested:
    """The kiosk is about to ask the terminal for money."""

    sale: str
    transaction: str
    amount: int


@dataclass(frozen=True)
class PaymentApproved:
    """The terminal has the customer's money. `reference` is its number for the payment, never a card number."""

    sale: str
    transaction: str
    amount: int
    reference: str = ""


@dataclass(frozen=True)
class PaymentDeclined:
    """The terminal took no money, and will take none."""

    sale: str
    transaction: str
    reason: str


@dataclass(frozen=True)
class ReversalRequested:
    """Whatever the terminal took or may still take for this transaction must go back."""

    sale: str
    transaction: str
    reason: str


@dataclass(frozen=True)
class PaymentReversed:
    """The terminal confirms that this transaction charges nothing."""

    sale: str
    transaction: str


@dataclass(frozen=True)
class PaymentSettled:
    """The terminal confirms that this transaction is final."""

    sale: str
    transaction: str


@dataclass(frozen=True)
class VendRequested:
    """The kiosk is about to have the motor turned."""

    sale: str
    slot: str


@dataclass(frozen=True)
class VendSucceeded:
    """The drop sensor saw the product."""

    sale: str
    slot: str


@dataclass(frozen=True)
class VendFailed:
    """The dispenser says that no product dropped."""

    sale: str
    slot: str
    reason: str


@dataclass(frozen=True)
class VendUnknown:
    """The motor may have turned, and no answer will come: the power was cut, or the dispenser does not answer."""

    sale: str
    slot: str
    reason: str


@dataclass(frozen=True)
class VendReportedLate:
    """The dispenser reported the end of a vend after the kiosk had promised the customer the money back."""

    sale: str
    slot: str
    dropped: bool


@dataclass(frozen=True)
class SaleClosed:
    """The sale is complete. Each sale has this fact once."""

    sale: str
    outcome: Outcome


@dataclass(frozen=True)
class StockSet:
    """A slot holds `count` products: from the catalogue at the first start, or counted by the operator."""

    slot: str
    count: int
    reason: Literal["initial", "refill", "correction"]


@dataclass(frozen=True)
class PriceSet:
    """The operator changed a price. It is valid while the catalogue's price is `instead_of` in this currency."""

    slot: str
    price: int
    instead_of: int
    currency: str = ""
    """Empty in rows of the first version, whose prices are no longer valid."""


@dataclass(frozen=True)
class SettledByOperator:
    """A person settled what the program could not.

    `item` is a sale, a quarantined journal's folder, or the transaction of a payment without a sale. `dropped` says
    whether the product had dropped; it is None if only money was open.
    """

    item: str
    dropped: bool | None = None


@dataclass(frozen=True)
class PinRefused:
    """Somebody typed a wrong PIN. No further PIN is accepted for `locked_s` seconds. No digit is stored."""

    role: Literal["attendant", "service"]
    sale: str = ""
    """The sale whose customer's ID an attendant was checking."""
    locked_s: int = 0


@dataclass(frozen=True)
class SettingChanged:
    """The operator changed a setting of `operator_settings` in service mode."""

    name: str
    value: str


@dataclass(frozen=True)
class Checkpoint:
    """The ledger of all facts before this one, for a quick start. See `kiosk.vending.journal.recovery`."""

    layout: int
    ledger: Mapping[str, Any]


# A Union instead of `|`, because in Python 3.10 type checkers do not see `X | Y` as a value.
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
    """Returns the name of a fact's kind in the journal, such as `payment_approved`."""
    return name_of(type(fact))


def data_of(fact: Fact) -> dict[str, Any]:
    """Returns the fact's fields, ready for JSON."""
    return asdict(fact)


def parse_fact(kind: str, data: Mapping[str, Any]) -> Fact:
    """Returns the fact of a kind and its fields. Raises `ValueError` for an unknown kind or an invalid field."""
    if kind not in _KINDS:
        raise ValueError(f"its kind {kind!r} is unknown")
    try:
        fact = _READERS[kind].validate_python(data)
    except ValidationError as error:
        raise ValueError(f"{kind} has an invalid field: {first_problem(error)}") from error
    if unknown := set(data) - set(vars(fact)):
        raise ValueError(f"{kind} has an unknown field {min(unknown)!r}")
    return fact


def name_of(kind: type[Fact]) -> str:
    """Returns the name of a fact class in the journal, such as `payment_approved`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


_KINDS: dict[str, type[Fact]] = {name_of(kind): kind for kind in Fact.__args__}  # type: ignore[attr-defined]
_READERS: dict[str, TypeAdapter[Fact]] = {name: TypeAdapter(kind) for name, kind in _KINDS.items()}
