"""The journal for people: its rows one a line, and its sales one a row for whoever does the accounts."""

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
"""What a spreadsheet begins a formula with (https://owasp.org/www-community/attacks/CSV_Injection)."""


@dataclass
class Account:
    """One sale, as far as the journal goes. Amounts in minor units of its currency."""

    sale: str
    opened: str
    """UTC, as every time here."""
    closed: str = ""
    slot: str = ""
    product: str = ""
    currency: str = ""
    price: int = 0
    charged: int = 0
    """What terminals approved, over all tries."""
    returned: int = 0
    """What they acknowledged to have given back."""
    dispensed: bool = False
    """Whether the drop sensor saw the product."""
    age: str = AGE_NOT_NEEDED
    """`not_needed`, `passed`, `id_confirmed`, or `not_cleared` where the sale ended before."""
    outcome: str = "open"
    """`sold`, `refunded`, `cancelled`, `in_doubt`, `test`, `open`; `unasked` for money that belongs to no sale."""
    settled_by_operator: str = ""
    """When a person settled what was left of it."""
    references: list[str] = field(default_factory=list)
    """The terminals' numbers of the payments."""


def accounts(entries: Iterable[Entry]) -> list[Account]:
    """Every sale, in the order in which they were opened.

    A payment that nobody asked for has a row of its own, named after its transaction, so that all money is there.
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
                unasked = Account(fact.transaction, entry.utc, outcome="unasked")
                account = found.setdefault(fact.sale or fact.transaction, unasked)
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


def as_csv(entries: Iterable[Entry]) -> str:
    """One row a sale, amounts with a decimal point in the currency's major unit (`1.80`). No cell is a formula."""
    return "".join(csv_lines(entries))


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """The same line by line, for a long journal that nobody waits for in one go."""
    text = io.StringIO()
    columns = [column.name for column in fields(Account)]
    writer = csv.DictWriter(text, columns, lineterminator="\r\n")
    writer.writeheader()
    for account in accounts(entries):
        yield _taken(text)
        row: dict[str, Any] = asdict(account)
        for column in ("price", "charged", "returned"):
            if account.currency:
                row[column] = str(to_major_units(row[column], account.currency))
        row["dispensed"] = "yes" if account.dispensed else "no"
        row["references"] = " ".join(account.references)
        writer.writerow({column: _inert(value) for column, value in row.items()})
    yield _taken(text)


def _taken(text: io.StringIO) -> str:
    """What was written since the last time."""
    taken = text.getvalue()
    text.seek(0)
    text.truncate()
    return taken


def _inert(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula, with an apostrophe before it: names come from the catalogue."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def as_json(entries: Sequence[Entry], head: Head) -> str:
    """Every sale and every row of the journal, amounts in minor units; with the head, which `verify` can be given."""
    return "".join(json_lines(entries, head))


def json_lines(entries: Sequence[Entry], head: Head) -> Iterator[str]:
    """The same line by line: a sale or a row of the journal each."""
    sales = (asdict(account) for account in accounts(entries))
    events = ({"seq": each.seq, "utc": each.utc, "kind": kind_of(each.fact), **data_of(each.fact)} for each in entries)
    yield f'{{"head": {json.dumps(str(head))},\n"sales": ['
    yield from _json_rows(sales)
    yield '],\n"events": ['
    yield from _json_rows(events)
    yield "]}\n"


def _json_rows(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    before = "\n"
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "\n"


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    """One line a row: number, time, kind, and what it says."""
    for entry in entries:
        data = {} if isinstance(entry.fact, Checkpoint) else data_of(entry.fact)  # pages of what other rows say
        said = " ".join(f"{name}={value}" for name, value in data.items() if value not in ("", None))
        yield f"{entry.seq:>7}  {entry.utc}  {kind_of(entry.fact):<20}  {escape_unprintable(said)}"
