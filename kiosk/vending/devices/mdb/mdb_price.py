"""Whether a reader on MDB can take an amount: it counts in steps of its own, and in one currency."""

from __future__ import annotations

from decimal import Decimal

from kiosk.vending.catalog.currency import to_major_units
from kiosk.vending.devices.mdb.protocol import Reader

NUMBERS = {
    "AUD": 36, "BRL": 986, "CAD": 124, "CHF": 756, "CNY": 156, "CZK": 203, "DKK": 208, "EUR": 978, "GBP": 826,
    "HKD": 344, "HUF": 348, "INR": 356, "JPY": 392, "KRW": 410, "MXN": 484, "NOK": 578, "NZD": 554, "PLN": 985,
    "SEK": 752, "SGD": 702, "TRY": 949, "TWD": 901, "USD": 840, "ZAR": 710,
}  # fmt: skip
"""ISO 4217's numbers of common currencies, to find a reader that is set to another one."""

MOST_DECIMALS = 9
"""More than any currency has; the protocol has a byte for it."""
MOST_STEPS = 0xFFFE
"""A price has 16 bits on the bus, all of which set mean "not known"; 32 are an option of level 3 (MDB/ICP 4.3, 7)."""


def why_not(amount: int, currency: str, reader: Reader | None) -> str:
    """Why the reader cannot be asked for `amount` minor units; nothing if it can, or has not said enough to tell."""
    if reader is None:
        return ""
    number = NUMBERS.get(currency)
    if number is not None and 1000 <= reader.currency < 2000 and reader.currency != 1000 + number:
        return f"it is set to currency {reader.currency - 1000} of ISO 4217, and the prices are in {currency}"
    if not 0 <= reader.decimals <= MOST_DECIMALS:
        return f"it says that it counts with {reader.decimals} decimals"
    step = Decimal(reader.scale).scaleb(-reader.decimals)
    price = to_major_units(amount, currency)
    if step <= 0 or price % step:
        return f"it counts in steps of {step} {currency}"
    if price / step > MOST_STEPS:
        return f"it counts to {MOST_STEPS * step} {currency}"
    return ""
