"""Numbers as a marketer reads them: units, thousands, percent; and how much they changed."""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

Style = Literal["money", "count", "percent", "times", "plain"]
Number = int | float | Decimal

NOTHING = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
MINUS = "\N{MINUS SIGN}"
_SYMBOLS = {
    "AUD": "A$",
    "BRL": "R$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "ILS": "₪",
    "INR": "₹",
    "JPY": "¥",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "PHP": "₱",
    "TRY": "₺",
    "TWD": "NT$",
    "UAH": "₴",
    "USD": "$",
    "VND": "₫",
}
_NAMES = {
    "AUD": "Australian dollars",
    "BRL": "Brazilian reais",
    "CAD": "Canadian dollars",
    "CHF": "Swiss francs",
    "CNY": "Chinese yuan",
    "CZK": "Czech korunas",
    "DKK": "Danish krones",
    "EUR": "euros",
    "GBP": "pounds sterling",
    "HKD": "Hong Kong dollars",
    "HUF": "Hungarian forints",
    "ILS": "Israeli shekels",
    "INR": "Indian rupees",
    "JPY": "Japanese yen",
    "KRW": "South Korean won",
    "MXN": "Mexican pesos",
    "NOK": "Norwegian krones",
    "NZD": "New Zealand dollars",
    "PLN": "Polish zlotys",
    "SEK": "Swedish kronor",
    "SGD": "Singapore dollars",
    "TRY": "Turkish lira",
    "USD": "US dollars",
    "ZAR": "South African rand",
}
_WITHOUT_CENTS = frozenset({"CLP", "HUF", "ISK", "JPY", "KRW", "PYG", "UGX", "VND"})


@dataclass(frozen=True)
class Measured:
    """How the numbers of one column are written; `currency` is None where each row has its own."""

    style: Style
    currency: str | None = None

    @property
    def prefix(self) -> str:
        return symbol(self.currency) if self.style == "money" else ""

    @property
    def words(self) -> str:
        """Return the unit as a column's heading says it; empty for all but money."""
        if self.style == "money":
            return currency_words(self.currency) if self.currency else "each row's own currency"
        return ""


def measured(name: str, unit: str | None, *, is_by_row: bool = False) -> Measured:
    """Return how a measure is written. `unit` is that of an answer's column.

    With `is_by_row` it is money, and each row has a currency of its own.
    """
    if is_by_row:
        return Measured("money")
    if unit == "count":
        return Measured("count")
    if unit == "ratio":
        if name == "ctr" or name.endswith(("_rate", "_change_ratio", "_share")):
            return Measured("percent")
        return Measured("times" if name == "mer" or name.endswith("roas") else "plain")
    return Measured("money", unit) if unit else Measured("plain")


def symbol(currency: str | None) -> str:
    """Return what stands before an amount: `$`, or the code and a space."""
    if currency is None:
        return ""
    return _SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")


def currency_words(currency: str) -> str:
    """Return `US dollars (USD)`."""
    name = _NAMES.get(currency)
    return f"{name} ({currency})" if name else currency


def written(value: Any, how: Measured, *, currency: str | None = None, short: bool = False) -> str:
    """Return a number in words of its unit; `short` leaves out what a headline has no room for."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NOTHING
    size = abs(value)
    text = _digits(size, how, currency or how.currency, short=short)
    if how.style == "money":
        text = f"{symbol(currency or how.currency)}{text}"
    sign = MINUS if value < 0 and any(digit in "123456789" for digit in text) else ""
    return f"{sign}{text}"


def _digits(size: Number, how: Measured, currency: str | None, *, short: bool) -> str:
    if how.style == "percent":
        return f"{float(size) * 100:,.{_percent_places(float(size))}f}%"
    if how.style == "times":
        return f"{size:,.2f}{TIMES}"
    if how.style == "money":
        whole = currency in _WITHOUT_CENTS or (short and size >= 1_000)
        return f"{size:,.0f}" if whole else f"{size:,.2f}"
    if size == int(size):
        return f"{int(size):,}"
    return f"{size:,.1f}" if how.style == "count" else f"{size:,.2f}"


def _percent_places(share: float) -> int:
    return 2 if share < 0.1 else 1


@dataclass(frozen=True)
class Change:
    """What became of a number since the period before; `tone` is good, bad or even."""

    words: str
    arrow: str
    tone: str


def change(now: Number | None, then: Number | None, before: str, *, better: str) -> Change:
    """Return the change in words, such as `up 12% against 1-30 May 2025`.

    `better` says which way is good: `up`, `down`, or `neither`.
    """
    if now is None and then is None:
        return Change(f"no value here nor in {before}", "", "even")
    if then is None:
        return Change(f"no value in {before} to compare with", "", "even")
    if now is None:
        return Change(f"no value now, but in {before}", "", "even")
    if not then:
        words = f"none in {before} either" if not now else f"none in {before}"
        return Change(words, "", "even")
    ratio = float(now) / float(then) - 1
    if abs(ratio) < 0.0005:
        return Change(f"as in {before}", "", "even")
    way = "up" if ratio > 0 else "down"
    tone = "even" if better == "neither" else ("good" if way == better else "bad")
    return Change(f"{way} {_share(abs(ratio))} against {before}", "▲" if way == "up" else "▼", tone)


def _share(ratio: float) -> str:
    if ratio >= 9.995:
        return f"{ratio + 1:,.0f} times"
    return f"{ratio * 100:.0f}%" if ratio >= 0.095 else f"{ratio * 100:.1f}%"
