"""What the MDB driver must not forget: how far each payment got, in a file, because neither reader nor interface knows.

A payment is written down before the command that could move money is sent, so that after any crash the file says at
least as much as was sent. It holds transaction numbers and amounts, and nothing of a card.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from kiosk.common.atomic_files import replace_file, sync
from kiosk.vending.catalog.currency import is_currency

log = logging.getLogger(__name__)

REMEMBERED = 64
"""Payments kept; one that is older has long been acknowledged, or settled by the operator."""

_LONGEST = 1 << 16  # letters; so many payments take a tenth of it

Stage = Literal["requested", "settling", "reversing", "settled", "returned", "unknown"]
"""`requested`: the reader may have been asked. `settling`, `reversing`: the vend's success or failure may have been
told. `settled`, `returned`: that is over. `unknown`: whether the success arrived, nobody can tell any more."""

OPEN: tuple[Stage, ...] = ("requested", "settling", "reversing")


@dataclass(frozen=True)
class PaymentRecord:
    """A payment in the file. `amount` in minor units of `currency`."""

    stage: Stage
    amount: int
    currency: str


class PaymentStore:
    """The file, and what it says. `whole` is False if there is one that cannot be understood."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._payments: dict[str, PaymentRecord] = {}
        self._trouble = ""
        self.whole = True
        try:
            with path.open(encoding="utf-8") as file:
                self._payments = _read(file.read(_LONGEST))
        except FileNotFoundError:
            pass  # the first start
        except (OSError, ValueError, RecursionError) as error:
            self.whole = False
            log.error("%s cannot be read, so reversals of older payments cannot be confirmed: %s", path, error)

    def get(self, transaction: str) -> PaymentRecord | None:
        """What is known of a transaction."""
        return self._payments.get(transaction)

    def open(self) -> tuple[str, PaymentRecord] | None:
        """The payment that is not over. There is at most one, because a reader handles one at a time."""
        return next(((name, each) for name, each in self._payments.items() if each.stage in OPEN), None)

    def put(self, transaction: str, remembered: PaymentRecord) -> bool:
        """Writes it down; False if that failed. Then only an end is kept in mind, which is true without the file."""
        payments = {name: each for name, each in self._payments.items() if name != transaction}
        payments[transaction] = remembered
        payments = dict(list(payments.items())[-REMEMBERED:])
        if remembered.stage not in OPEN:
            self._payments = payments
        try:
            with replace_file(self._path, mode=0o600) as temporary:
                temporary.write_text(_written(payments), encoding="utf-8")
            sync(self._path.parent)  # else a power cut could bring back what knows less than was sent
        except OSError as error:
            if str(error) != self._trouble:  # once, for it is tried twice a second
                log.error("%s cannot be written: %s", self._path, error)
            self._trouble = str(error)
            return False
        self._payments, self._trouble = payments, ""
        return True


def _written(payments: dict[str, PaymentRecord]) -> str:
    rows = [[name, each.stage, each.amount, each.currency] for name, each in payments.items()]
    return json.dumps({"version": 1, "payments": rows})


def _read(text: str) -> dict[str, PaymentRecord]:
    """Raises `ValueError` for anything else than what `_written` writes."""
    data = json.loads(text)
    if not isinstance(data, dict) or data.get("version") != 1 or not isinstance(data.get("payments"), list):
        raise ValueError("it is of another version")
    payments = {}
    for row in data["payments"]:
        match row:
            case [str(name), str(stage), int(amount), str(currency)] if (
                stage in get_args(Stage) and is_currency(currency) and amount >= 0
            ):
                payments[name] = PaymentRecord(stage, amount, currency)  # type: ignore[arg-type]
            case _:
                raise ValueError(f"it has a row {row!r}")
    return payments
