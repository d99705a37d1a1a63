"""Amounts of money: their currency's minor unit by ISO 4217, and how a language writes them."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iso4217 import Currency

PRICES = range(1, 10_000_001)
"""Prices that a product may have, in minor units of any currency."""

_LOCAL_SIGNS = {"CNY": "¥"}
"""Signs that a machine shows in every language. CLDR writes CN¥ outside China, but price tags in China say ¥."""


def is_currency(code: str) -> bool:
    """Tells whether ISO 4217 has a currency of this code, with a minor unit: true for EUR, false for XAU (gold)."""
    return _find(code) is not None


def minor_digits(currency: str) -> int:
    """Returns the decimal digits of the currency's minor unit by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD.

    Prices and the journal count by them. CLDR, and so Babel, gives other digits for some (0 for IQD, here 3).
    Raises `KeyError` for an unknown currency.
    """
    return _get(currency).exponent or 0


def numeric_code(currency: str) -> int:
    """Returns the currency's number in ISO 4217: 978 for EUR. Raises `KeyError` for an unknown currency."""
    return _get(currency).number


def to_major_units(amount: int, currency: str) -> Decimal:
    """Converts minor units into an exact number of major units, with all digits: 180 in EUR is `Decimal("1.80")`.

    Raises `KeyError` for an unknown currency.
    """
    return Decimal(amount).scaleb(-minor_digits(currency))


def format_price(amount: int, currency: str, language: str) -> str:
    """Returns an amount of minor units as `language` (`en`, `de`, `zh`) writes it: `€1.80`, `1,80 €`, `CHF 1.80`.

    The spaces in it do not break a line. Raises `KeyError` for an unknown currency.
    """
    # Babel takes some 15 ms to load, which only a process with a screen should spend.
    from babel import Locale
    from babel.numbers import format_currency, get_currency_symbol

    locale = Locale.parse(language)
    digits = minor_digits(currency)
    sign = get_currency_symbol(currency, locale)
    pattern: str = locale.currency_formats["standard"].pattern
    pattern = pattern.replace("0.00", f"0.{'0' * digits}" if digits else "0")
    if sign[-1].isalpha():
        pattern = pattern.replace("¤#", "¤\u00a0#")
    text = format_currency(to_major_units(amount, currency), currency, pattern, locale, currency_digits=False)
    return text.replace(sign, _LOCAL_SIGNS.get(currency, sign))


def _get(code: str) -> Currency:
    currency = _find(code)
    if currency is None:
        raise KeyError(code)
    return currency


@lru_cache(maxsize=256)
def _find(code: str) -> Currency | None:
    from iso4217 import Currency  # parses ISO's table, in some 5 ms, which only processes with prices should spend

    try:
        currency = Currency(code)
    except ValueError:
        return None
    return None if currency.exponent is None else currency
