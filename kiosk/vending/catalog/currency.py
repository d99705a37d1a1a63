"""Amounts of money: their currency's minor unit by ISO 4217, and how a language writes them."""

from __future__ import annotations

from decimal import Decimal

_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
        CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
        JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
        NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
        SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
}

_MINOR_DIGITS = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}

PRICES = range(1, 10_000_001)
"""Prices that a product may have, in minor units of any currency."""

_LOCAL_SIGNS = {"CNY": "¥"}
"""Signs that a machine shows in every language. CLDR writes CN¥ outside China, but price tags in China say ¥."""


def is_currency(code: str) -> bool:
    """Tells whether ISO 4217 has a currency of this code, with a minor unit: true for EUR, false for XAU (gold)."""
    return code in _MINOR_DIGITS


def minor_digits(currency: str) -> int:
    """Returns the decimal digits of the currency's minor unit by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD.

    Prices and the journal count by them. CLDR, and so Babel, gives other digits for some (0 for IQD, here 3).
    Raises `KeyError` for an unknown currency.
    """
    return _MINOR_DIGITS[currency]


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
