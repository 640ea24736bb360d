"""The address of a question: what is asked stands in it, so that it can be kept and passed on.

`model`, `measure`, `dimension`, `order` and the triple `field`, `op`, `value` may be repeated;
`start`, `end`, `grain`, `day`, `limit`, `convert_to`, `cursor` and `totals` not.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from martlet.semantic.requests import Query

DEFAULT_LIMIT = 500
_SINGLE = ("model", "start", "end", "grain", "day", "limit", "convert_to", "cursor", "totals")
_MULTIPLE = ("measure", "dimension", "order", "field", "op", "value")
_LISTS = ("in", "not_in")
_ALONE = ("is_null", "is_not_null")


@dataclass(frozen=True)
class Filter:
    """One condition as it stands in the address."""

    field: str = ""
    op: str = "eq"
    value: str = ""


@dataclass(frozen=True)
class Stated:
    """What an address says, before anything of it is checked."""

    model: str = ""
    measures: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    start: str = ""
    end: str = ""
    grain: str = ""
    day: str = ""
    order: tuple[str, ...] = ()
    limit: str = ""
    convert_to: str = ""
    cursor: str = ""
    totals: str = ""
    unknown: tuple[str, ...] = field(default=())

    @property
    def asks(self) -> bool:
        """Say whether a question is in the address at all."""
        return bool(self.measures or self.dimensions)

    @property
    def rows(self) -> int:
        """Return how many rows are asked for; what is no number counts as nothing said."""
        is_number = self.limit.isdecimal() and len(self.limit) < 10
        return int(self.limit) if is_number else DEFAULT_LIMIT


def read_address(parameters: QueryParams) -> Stated:
    """Return what an address says; the last of what may stand once counts."""
    many = {name: tuple(filter(None, parameters.getlist(name))) for name in _MULTIPLE}
    rows = zip(
        parameters.getlist("field"),
        parameters.getlist("op"),
        parameters.getlist("value"),
        strict=False,
    )
    return Stated(
        model=parameters.get("model", ""),
        measures=tuple(dict.fromkeys(many["measure"])),
        dimensions=tuple(dict.fromkeys(many["dimension"])),
        filters=tuple(Filter(*row) for row in rows if row[0]),
        order=many["order"],
        unknown=tuple(name for name in parameters if name not in {*_SINGLE, *_MULTIPLE}),
        **{name: parameters.get(name, "").strip() for name in _SINGLE if name != "model"},
    )


def question_of(stated: Stated, types: Mapping[str, str]) -> dict[str, Any]:
    """Return the question in the form of the API; what is wrong in it is told where it is read.

    `types` are those of the model's fields: the texts of an address become values of them.
    """
    question: dict[str, Any] = {
        "model": stated.model,
        "measures": list(stated.measures),
        "dimensions": list(stated.dimensions),
        "filters": [_condition(each, types.get(each.field, "varchar")) for each in stated.filters],
        "order": list(stated.order),
        "limit": int(stated.limit)
        if stated.limit.isdecimal() and len(stated.limit) < 10
        else DEFAULT_LIMIT,
    }
    time = {
        "field": stated.day,
        "start": stated.start,
        "end": stated.end,
        "grain": stated.grain,
    }
    if any(time.values()):
        question["time"] = {name: value for name, value in time.items() if value}
    for name in ("convert_to", "cursor"):
        if value := getattr(stated, name):
            question[name] = value
    if stated.totals:
        question["totals"] = True
    return question


def question_address(tenant: str, query: Query, **changed: str | None) -> str:
    """Return the address of the page that shows the answer to a question.

    `changed` replaces what may stand once; None leaves it out.
    """
    parts: list[tuple[str, str]] = [("model", query.model)]
    parts += [("measure", name) for name in query.measures]
    parts += [("dimension", name) for name in query.dimensions]
    for condition in query.filters:
        parts += [
            ("field", condition.field),
            ("op", condition.op),
            ("value", _written(condition.value)),
        ]
    if query.time:
        stated = query.time.model_dump(mode="json")
        parts += [
            (name, stated[part])
            for name, part in (("day", "field"), ("start", "start"), ("end", "end"))
            if stated[part]
        ]
        if query.time.grain:
            parts.append(("grain", query.time.grain))
    parts += [("order", f"{'-' * (o.direction == 'desc')}{o.field}") for o in query.order]
    if query.limit != DEFAULT_LIMIT:
        parts.append(("limit", str(query.limit)))
    if query.convert_to:
        parts.append(("convert_to", query.convert_to))
    if query.totals:
        parts.append(("totals", "1"))
    if query.cursor:
        parts.append(("cursor", query.cursor))
    kept = [(name, value) for name, value in parts if name not in changed]
    kept += [(name, value) for name, value in changed.items() if value is not None]
    return f"/ui/{tenant}/explore?{urlencode(kept)}"


def _condition(stated: Filter, type_: str) -> dict[str, Any]:
    condition: dict[str, Any] = {"field": stated.field, "op": stated.op}
    if stated.op in _LISTS:
        condition["value"] = [_typed(text, type_) for text in _texts(stated.value)]
    elif stated.op not in _ALONE:
        condition["value"] = _typed(stated.value, type_)
    return condition


def _texts(value: str) -> Sequence[Any]:
    """Return the values of a list: JSON where it is, else what stands between commas."""
    if value.startswith("["):
        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if isinstance(found, list):
            return found
    return [part.strip() for part in value.split(",") if part.strip()]


def _typed(text: Any, type_: str) -> Any:
    """Return the value that a text stands for; one that does not fit is refused later."""
    if not isinstance(text, str):
        return text
    plain = text.strip()
    if type_ == "boolean" and plain.lower() in ("true", "yes", "false", "no"):
        return plain.lower() in ("true", "yes")
    if type_ in ("bigint", "decimal", "double") or type_.startswith("decimal"):
        try:
            return int(plain)
        except ValueError:
            try:
                return float(plain)
            except ValueError:
                return text
    return text


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
