"""A file with the progress of each MDB payment, which neither the reader nor the interface remembers.

A payment is written before the command that could move money is sent, so that after any crash the file shows at least
as much as was sent. It holds transaction ids and amounts, and nothing of a card.
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

MOST_PAYMENTS = 64
"""Payments that the file keeps; older ones are acknowledged, or settled by the operator, long before."""

_MOST_CHARACTERS = 1 << 16  # so many payments take a tenth of it

Stage = Literal["requested", "settling", "reversing", "settled", "returned", "unknown"]
"""How far a payment got.

`requested`: the kiosk may have asked the reader. `settling`, `reversing`: the kiosk may have reported the vend's
success or failure. `settled`, `returned`: the payment is over. `unknown`: whether the success arrived is unknown.
"""

OPEN: tuple[Stage, ...] = ("requested", "settling", "reversing")


@dataclass(frozen=True)
class PaymentRecord:
    """A payment in the file. `amount` is in minor units of `currency`."""

    stage: Stage
    amount: int
    currency: str


class PaymentStore:
    """The file's payments, by transaction. `is_readable` is False if the file exists and cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._payments: dict[str, PaymentRecord] = {}
        self._last_error = ""
        self.is_readable = True
        try:
            with path.open(encoding="utf-8") as file:
                self._payments = _parse(file.read(_MOST_CHARACTERS))
        except FileNotFoundError:
            pass  # the first start
        except (OSError, ValueError, RecursionError) as error:
            self.is_readable = False
            log.error(
                "%s cannot be read (%s), so reversals of older payments cannot be confirmed: check them in the card "
                "company's list",
                path,
                error,
            )

    def get(self, transaction: str) -> PaymentRecord | None:
        """Returns a transaction's payment, or None if it is not in the file."""
        return self._payments.get(transaction)

    def open_payment(self) -> tuple[str, PaymentRecord] | None:
        """Returns the open payment and its transaction. There is at most one: a reader handles one at a time."""
        return next(((name, each) for name, each in self._payments.items() if each.stage in OPEN), None)

    def put(self, transaction: str, record: PaymentRecord) -> bool:
        """Writes a payment to the file. Returns False if that failed.

        After a failure the store remembers only a payment that is over, which is true without the file as well.
        """
        payments = {name: each for name, each in self._payments.items() if name != transaction}
        payments[transaction] = record
        payments = dict(list(payments.items())[-MOST_PAYMENTS:])
        if record.stage not in OPEN:
            self._payments = payments
        try:
            with replace_file(self._path, mode=0o600) as temporary:
                temporary.write_text(_to_json(payments), encoding="utf-8")
            sync(self._path.parent)  # else a power cut could restore a file that shows less than was sent
        except OSError as error:
            if str(error) != self._last_error:  # once, because the terminal tries twice a second
                log.error("%s cannot be written (%s): check its disk and its folder", self._path, error)
            self._last_error = str(error)
            return False
        self._payments, self._last_error = payments, ""
        return True


def _to_json(payments: dict[str, PaymentRecord]) -> str:
    rows = [[name, each.stage, each.amount, each.currency] for name, each in payments.items()]
    return json.dumps({"version": 1, "payments": rows})


def _parse(text: str) -> dict[str, PaymentRecord]:
    """Parses the file. Raises `ValueError` for anything that `_to_json` does not write."""
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
                raise ValueError(f"it has an invalid row {row!r}")
    return payments
