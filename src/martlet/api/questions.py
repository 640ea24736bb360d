"""From a JSON value to a question, or to what is wrong with it, field by field."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from martlet.api.problems import FieldError, ProblemError
from martlet.errors import nearest
from martlet.semantic.errors import QueryRefusedError, UnknownFieldError
from martlet.semantic.requests import Condition, Order, TimeRange

Question = TypeVar("Question", bound=BaseModel)

_MOST_ERRORS = 20
_LONGEST_VALUE = 100
_PARTS: Mapping[str, type[BaseModel]] = {
    "filters": Condition,
    "order": Order,
    "time": TimeRange,
    "current": TimeRange,
    "previous": TimeRange,
}
# What an error of one of the kinds that a filter's value may have does not say.
_VALUE_MESSAGE = "give a text, a number, true or false; for in and not_in a list of these"


def read_question(model: type[Question], value: Any) -> Question:
    """Return the question; raises `ProblemError` that names every field that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = _field_errors(model, error)
    first = found[0]
    more = f"; {len(found) - 1} more" if len(found) > 1 else ""
    raise ProblemError("invalid_query", f"{first.field}: {first.message}{more}", found)


def place_of(question: BaseModel | None, error: QueryRefusedError) -> str | None:
    """Return where a question names the field that an error is about, such as `filters[0].field`.

    What the question does not name is returned as it is: it is a place already. A field that exists
    is refused for what a filter does with it, if one does.
    """
    asked = question.model_dump(mode="json") if question else {}
    places = [
        (f"{member}[{number}]", named)
        for member in ("measures", "dimensions")
        for number, named in enumerate(asked.get(member) or ())
    ]
    conditions = [
        (f"{member}[{number}].field", part["field"])
        for member in ("filters", "order")
        for number, part in enumerate(asked.get(member) or ())
    ]
    spans = [
        (f"{member}.field", (asked.get(member) or {}).get("field"))
        for member in ("time", "current", "previous")
    ]
    others = [*spans, ("dimension", asked.get("dimension"))]
    is_unknown = isinstance(error, UnknownFieldError)
    ordered = [*places, *conditions] if is_unknown else [*conditions, *places]
    found = (place for place, named in [*ordered, *others] if named == error.field)
    return next(found, error.field) if error.field else None


def _field_errors(model: type[BaseModel], error: ValidationError) -> list[FieldError]:
    found: dict[str, FieldError] = {}
    for details in error.errors(include_url=False, include_context=False):
        field, is_value = _path(details["loc"])
        if field not in found and len(found) < _MOST_ERRORS:
            message = _VALUE_MESSAGE if is_value else _message(model, details)
            found[field] = FieldError(field, message, _short(details["input"]))
    return list(found.values())


def _path(loc: tuple[int | str, ...]) -> tuple[str, bool]:
    """Return a place as `filters[0].op`, and whether it is within a filter's value.

    What follows `value` are the kinds that were tried.
    """
    path = ""
    for place, part in enumerate(loc):
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
        if part == "value" and place == 2:
            return path.lstrip("."), len(loc) > 3
    return path.lstrip(".") or "body", False


def _message(model: type[BaseModel], details: ErrorDetails) -> str:
    if details["type"] == "extra_forbidden":
        *around, name = details["loc"]
        part = _PARTS.get(str(around[0]), model) if around else model
        return f"there is no such member; {nearest(str(name), part.model_fields)}"
    if details["type"] == "missing":
        return "is required"
    message = details["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


def _short(value: Any) -> str | int | float | bool | None:
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}..."
    return value if isinstance(value, bool | int | float) else None
