"""Values of a request, typed by the field that they are compared with, or refused with a reason."""

import re
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, Final, Literal

from martlet.semantic.errors import QueryRefusedError

# How a value is bound; the field's type says which.
Kind = Literal["text", "date", "moment", "boolean", "integer", "decimal", "double", "other"]

# The type that a bound value is cast to, as ibis spells it.
CASTS: Final[dict[Kind, str]] = {
    "text": "string",
    "date": "date",
    "moment": "timestamp",
    "boolean": "boolean",
    "integer": "int64",
    "decimal": "decimal(38, 6)",
    "double": "float64",
}
_KINDS: Final[dict[str, Kind]] = {
    "varchar": "text",
    "date": "date",
    "timestamp": "moment",
    "boolean": "boolean",
    "bigint": "integer",
    "integer": "integer",
    "decimal": "decimal",
    "double": "double",
}
_EXPECTED: Final[dict[Kind, str]] = {
    "text": "a text",
    "date": "a day as YYYY-MM-DD",
    "moment": "a moment as YYYY-MM-DDTHH:MM:SS, UTC unless it names an offset",
    "boolean": "true or false",
    "integer": "a whole number",
    "decimal": "a number",
    "double": "a number",
    "other": "no value; only is_null and is_not_null",
}
_SHOWN_CHARACTERS = 60
# The first absolute values that do not fit.
_TOO_LARGE: Final[dict[Kind, Decimal]] = {
    "integer": Decimal(2**63),
    "decimal": Decimal(10**32),
    "double": Decimal("1e308"),
}
_EXACT = Context(prec=60)
_STEPS: Final[dict[Kind, Decimal]] = {"integer": Decimal(1), "decimal": Decimal("0.000001")}
_ROUNDING = {"gt": ROUND_FLOOR, "lte": ROUND_FLOOR, "gte": ROUND_CEILING, "lt": ROUND_CEILING}
_NUMBER = re.compile(r"-?[0-9]{1,32}(\.[0-9]{1,32})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


def kind_of(type_: str) -> Kind:
    """Return how values of a column type are bound, whatever its precision."""
    return _KINDS.get(type_.partition("(")[0].lower(), "other")


def operators_of(kind: Kind) -> tuple[str, ...]:
    """Return the operators that a field of this kind understands."""
    nulls = ("is_null", "is_not_null")
    if kind == "other":
        return nulls
    same = ("eq", "ne", "in", "not_in")
    if kind == "boolean":
        return (*same, *nulls)
    ordered = ("gt", "gte", "lt", "lte")
    searched = ("contains", "not_contains") if kind == "text" else ()
    return (*same, *ordered, *searched, *nulls)


def typed_value(field: str, kind: Kind, op: str, value: Any) -> Any:
    """Return the value as it is bound, or raise `QueryRefusedError` naming field, value and form.

    A number between two steps of the field's type is moved to the step that selects the same rows:
    `> 2.5` of a count is `> 2`.
    """
    if isinstance(value, str):
        check_text(value, field)
    typed: Any = None
    if kind == "text":
        typed = value if isinstance(value, str) else None
    elif kind == "boolean":
        typed = value if isinstance(value, bool) else None
    elif kind == "date":
        typed = _day(value)
    elif kind == "moment":
        typed = _moment(value)
    elif kind in ("integer", "decimal", "double"):
        typed = _number(field, kind, op, value)
    if typed is None:
        raise _refused(field, value, _EXPECTED[kind])
    return typed


def check_text(value: str, field: str | None) -> None:
    """Refuse text that no database text can hold."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise QueryRefusedError(
            f"the value {_shown(value)} holds a character that no text in the data can hold",
            field=field,
            remedy="leave out NUL and half surrogate pairs",
        )


def _refused(field: str, value: Any, expected: str) -> QueryRefusedError:
    return QueryRefusedError(
        f"the value {_shown(value)} does not fit this field",
        field=field,
        remedy=f"expected {expected}",
    )


def _shown(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 200:
        return "an integer of more than 60 digits"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _day(value: Any) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


def _number(field: str, kind: Kind, op: str, value: Any) -> int | Decimal | float | None:
    number = _decimal(value)
    if number is None:
        return None
    if number.copy_abs() >= _TOO_LARGE[kind]:
        raise _refused(field, value, f"{_EXPECTED[kind]} within the range of its type")
    if kind == "double":
        return float(number)
    rounding = _ROUNDING.get(op, ROUND_FLOOR)
    moved = number.quantize(_STEPS[kind], rounding, _EXACT)
    if moved != number and op not in _ROUNDING:
        digits = "a whole number" if kind == "integer" else "a number of at most 6 decimals"
        raise _refused(field, value, digits)
    return int(moved) if kind == "integer" else moved


def _decimal(value: Any) -> Decimal | None:
    """Return a number exactly as it was written; a double as its shortest form."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        # Decimal(int) is exact at any size; text of a very long one would be refused by Python.
        return Decimal(value) if value.bit_length() <= 1100 else Decimal(10) ** 400
    if isinstance(value, float):
        number = Decimal(repr(value))
        return number if number.is_finite() else None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    return None
