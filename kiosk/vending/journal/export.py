"""The journal in readable forms: a line for each row, and a CSV row or JSON object for each sale."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from kiosk.common.text import escape_unprintable
from kiosk.vending.catalog.currency import to_major_units
from kiosk.vending.journal import Entry, Head
from kiosk.vending.journal.facts import (
    UNREQUESTED,
    AgeCleared,
    Checkpoint,
    PaymentApproved,
    PaymentReversed,
    SaleClosed,
    SaleOpened,
    SettledByOperator,
    VendSucceeded,
    data_of,
    kind_of,
)

AGE_NOT_NEEDED = "not_needed"
AGE_NOT_CLEARED = "not_cleared"
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""Characters that begin a formula in a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection)."""


@dataclass
class Account:
    """The account of one sale. Amounts are in minor units of its currency; times are UTC.

    The names of its fields are the columns of the CSV file and the keys in JSON.
    """

    sale: str
    opened: str
    closed: str = ""
    slot: str = ""
    product: str = ""
    currency: str = ""
    price: int = 0
    charged: int = 0
    """The sum of what the terminal approved, over all attempts."""
    returned: int = 0
    """The sum of what the terminal confirmed as returned."""
    dispensed: bool = False
    """Whether the drop sensor saw the product."""
    age: str = AGE_NOT_NEEDED
    """`not_needed`, `passed`, `id_confirmed`, or `not_cleared` if the sale ended before the age was clear."""
    outcome: str = "open"
    """`sold`, `refunded`, `cancelled`, `in_doubt`, `test`, `open`, or `UNREQUESTED` for money without a sale."""
    settled_by_operator: str = ""
    """When a person settled what the program could not."""
    references: list[str] = field(default_factory=list)
    """The terminal's numbers of the payments."""


def build_accounts(entries: Iterable[Entry]) -> list[Account]:
    """Returns an account for each sale, in the order of their opening.

    A payment that the kiosk did not request gets an account of its own, named after its transaction, so that the
    accounts contain all money.
    """
    found: dict[str, Account] = {}
    approved: dict[str, tuple[Account, int]] = {}
    for entry in entries:
        match entry.fact:
            case SaleOpened() as fact:
                found[fact.sale] = Account(
                    fact.sale, entry.utc, "", fact.slot, fact.product, fact.currency, fact.price,
                    age=AGE_NOT_CLEARED if fact.minimum_age else AGE_NOT_NEEDED,
                )  # fmt: skip
            case AgeCleared() as fact:
                found[fact.sale].age = fact.result
            case PaymentApproved() as fact:
                unrequested = Account(fact.transaction, entry.utc, outcome=UNREQUESTED)
                account = found.setdefault(fact.sale or fact.transaction, unrequested)
                account.charged += fact.amount
                account.references += [fact.reference] if fact.reference else []
                _, before = approved.get(fact.transaction, (account, 0))
                approved[fact.transaction] = account, before + fact.amount
            case PaymentReversed() as fact if fact.transaction in approved:
                account, amount = approved.pop(fact.transaction)
                account.returned += amount
            case VendSucceeded() as fact:
                found[fact.sale].dispensed = True
            case SaleClosed() as fact:
                found[fact.sale].closed, found[fact.sale].outcome = entry.utc, fact.outcome
            case SettledByOperator() as fact:
                account = found.get(fact.item) or approved.get(fact.item, (Account(fact.item, entry.utc), 0))[0]
                account.settled_by_operator = entry.utc
    return list(found.values())


def to_csv(entries: Iterable[Entry]) -> str:
    """Returns a CSV file with a row for each sale; amounts are in major units, such as `1.80`. No cell is a formula."""
    return "".join(csv_lines(entries))


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Yields the lines of `to_csv` one by one, for a long journal."""
    text = io.StringIO()
    columns = [column.name for column in fields(Account)]
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    for account in build_accounts(entries):
        yield _drain(text)
        row: dict[str, Any] = asdict(account)
        for column in ("price", "charged", "returned"):
            if account.currency:
                row[column] = str(to_major_units(row[column], account.currency))
        row["dispensed"] = "yes" if account.dispensed else "no"
        row["references"] = " ".join(account.references)
        writer.writerow({column: _escape_formula(value) for column, value in row.items()})
    yield _drain(text)


def _drain(text: io.StringIO) -> str:
    """Returns what was written, and empties the buffer."""
    written = text.getvalue()
    text.seek(0)
    text.truncate()
    return written


def _escape_formula(value: Any) -> Any:
    """Puts an apostrophe before text that a spreadsheet would run as a formula: names come from the catalogue."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def to_json(entries: Sequence[Entry], head: Head) -> str:
    """Returns JSON with every sale and every row, amounts in minor units, and the head, which `verify` accepts."""
    return "".join(json_lines(entries, head))


def json_lines(entries: Sequence[Entry], head: Head) -> Iterator[str]:
    """Yields the text of `to_json` in pieces: one for each sale and each row of the journal."""
    sales = (asdict(account) for account in build_accounts(entries))
    events = ({"seq": each.seq, "utc": each.utc, "kind": kind_of(each.fact), **data_of(each.fact)} for each in entries)
    yield f'{{"head": {json.dumps(str(head))},\n"sales": ['
    yield from _json_rows(sales)
    yield '],\n"events": ['
    yield from _json_rows(events)
    yield "]}\n"


def _json_rows(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    separator = "\n"
    for row in rows:
        yield separator + json.dumps(row, ensure_ascii=False)
        separator = ",\n"
    yield "\n"


def text_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """Yields a line for each row: its number, time and kind, and its fields that are not empty."""
    for entry in entries:
        # A checkpoint's fields would fill pages and repeat other rows.
        data = {} if isinstance(entry.fact, Checkpoint) else data_of(entry.fact)
        text = " ".join(f"{name}={value}" for name, value in data.items() if value not in ("", None))
        yield f"{entry.seq:>7}  {entry.utc}  {kind_of(entry.fact):<20}  {escape_unprintable(text)}"
