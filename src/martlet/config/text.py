"""The kinds of text, numbers and lists that configuration is made of."""

from collections import Counter
from decimal import Decimal
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from martlet import naming
from martlet.config.currencies import CURRENCIES
from martlet.config.problems import closest, refuse


def _check_text(value: str) -> str:
    if not value.strip():
        raise refuse("the text is empty")
    if value != value.strip() or "\n" in value:
        raise refuse("the text begins or ends with a space, or holds a line break")
    return value


def _check_slug(value: str) -> str:
    problem = naming.slug_problem(value)
    if problem:
        suggestion = naming.suggest_slug(value)
        raise refuse(f"{problem}; did you mean {suggestion!r}?" if suggestion else problem)
    return value


def _check_timezone(value: str) -> str:
    known = _timezones()
    if value not in known:
        raise refuse(f"unknown time zone; {closest(value, known, 'Europe/Berlin')}")
    return value


def _check_currency(value: str) -> str:
    if value not in CURRENCIES:
        raise refuse(f"not an ISO 4217 currency; {closest(value, CURRENCIES, 'EUR')}")
    return value


def _integer_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _check_number(value: Any) -> Any:
    """Return money as written, in one spelling: 40 and 40.0 are one configuration."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse("must be a number, not in quotes")
    return Decimal(format(Decimal(str(value)).normalize(), "f"))


def _check_distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted(value for value, count in Counter(values).items() if count > 1)
    if repeated:
        raise refuse(f"listed twice: {', '.join(map(repr, repeated))}")
    return values


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


Text = Annotated[str, Strict(), Field(max_length=500), AfterValidator(_check_text)]
Slug = Annotated[str, Strict(), AfterValidator(_check_slug)]
Timezone = Annotated[str, Strict(), AfterValidator(_check_timezone)]
Currency = Annotated[str, Strict(), AfterValidator(_check_currency)]
AccountId = Annotated[Text, BeforeValidator(_integer_as_text)]
Money = Annotated[Decimal, Field(ge=0, le=10**12), BeforeValidator(_check_number)]
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Texts = Annotated[tuple[Text, ...], AfterValidator(_check_distinct)]
Slugs = Annotated[tuple[Slug, ...], AfterValidator(_check_distinct)]
AccountIds = Annotated[tuple[AccountId, ...], AfterValidator(_check_distinct)]
