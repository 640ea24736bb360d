"""What a tenant adds to the standard vocabulary: labels, measures and exchange rates of its own.

A measure is put together from checked parts. No text of the file ever becomes an expression.
"""

import keyword
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, Field, Strict, model_validator

from martlet import naming
from martlet.config.filters import Filter, Scalar
from martlet.config.problems import ConfigModel, Location, Problem, refuse
from martlet.config.text import Text
from martlet.errors import nearest
from martlet.semantic.standard import STANDARD_MODELS
from martlet.semantic.standard.concepts import (
    CLAIMED_COLUMNS,
    MONEY_COLUMNS,
    Nature,
    NumberType,
    StandardModel,
)

AGGREGATES = ("sum", "count", "count_distinct", "min", "max", "average")
KINDS = (*AGGREGATES, "ratio")
ROWS = "rows"
MAX_LABEL_LENGTH = 80
MAX_VALUE_LENGTH = 500
MAX_VALUES = 500

# Models with rows to aggregate; those of campaigns are states, not events.
MODELS_WITH_MEASURES = tuple(name for name, model in STANDARD_MODELS.items() if model.day)
# What expressions over measures mean otherwise, or the compiler's own arguments.
RESERVED = frozenset({"all", "by", "having", "metrics", "tbl", ROWS, *STANDARD_MODELS})


def _check_printable(value: str) -> str:
    if not value.isprintable():
        raise refuse("the text holds a character that cannot be printed")
    return value


def _check_label(value: str) -> str:
    if len(value) > MAX_LABEL_LENGTH:
        raise refuse(f"at most {MAX_LABEL_LENGTH} characters are allowed")
    return value


def _check_rates_file(value: str) -> str:
    path = PurePosixPath(value)
    if path.suffix != ".csv":
        raise refuse("must be a CSV file, such as rates.csv")
    if path.is_absolute() or ".." in path.parts or "\\" in value or value.startswith("~"):
        raise refuse("must be a path within the project, such as rates/acme.csv")
    return value


Printable = Annotated[Text, AfterValidator(_check_printable)]
Label = Annotated[Printable, AfterValidator(_check_label)]
RatesFile = Annotated[Printable, AfterValidator(_check_rates_file)]
ColumnName = Annotated[str, Strict(), Field(max_length=naming.MAX_SLUG_LENGTH)]


class MeasureRatio(ConfigModel):
    """One measure of a model over another; nothing over zero is nothing."""

    numerator: ColumnName
    denominator: ColumnName


class ExtraMeasure(ConfigModel):
    """A measure of the tenant's own: one aggregate of a column, or a ratio of two measures."""

    sum: ColumnName | None = None
    count: ColumnName | None = None
    count_distinct: ColumnName | None = None
    min: ColumnName | None = None
    max: ColumnName | None = None
    average: ColumnName | None = None
    ratio: MeasureRatio | None = None
    filters: Annotated[tuple[Filter, ...], Field(max_length=20)] = ()
    label: Label | None = None
    description: Printable | None = None

    @model_validator(mode="after")
    def _be_one_kind(self) -> "ExtraMeasure":
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            told = f"has {' and '.join(given)}" if given else "has no kind"
            raise refuse(f"{told}; give exactly one of {', '.join(KINDS)}")
        if self.ratio and self.filters:
            raise refuse("a ratio takes no filters; give them to its measures")
        return self

    @property
    def aggregate(self) -> tuple[str, str] | None:
        """Return the kind and the column (`rows` for all rows), or None for a ratio."""
        for kind in AGGREGATES:
            column = getattr(self, kind)
            if column is not None:
                return kind, column
        return None

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns that it reads."""
        read = {condition.field for condition in self.filters}
        if self.aggregate and self.aggregate[1] != ROWS:
            read.add(self.aggregate[1])
        return frozenset(read)


class Semantics(ConfigModel):
    """A tenant's part of the vocabulary. `labels` are by `model.field`, measures by model."""

    labels: dict[str, Label] = Field(default_factory=dict)
    measures: dict[str, dict[str, ExtraMeasure]] = Field(default_factory=dict)
    exchange_rates: RatesFile | None = None


def natures_with(model: StandardModel, extras: dict[str, ExtraMeasure]) -> dict[str, Nature | None]:
    """Return what kind of number each measure of a model gives, the extra ones included.

    None is a ratio that has no unit. Needs checked measures: every name in them exists.
    """
    natures: dict[str, Nature | None] = dict(model.natures)
    for name, extra in extras.items():
        if extra.aggregate:
            natures[name] = _aggregate_nature(model, *extra.aggregate)
    for name, extra in extras.items():
        if extra.ratio:
            above, below = natures[extra.ratio.numerator], natures[extra.ratio.denominator]
            natures[name] = above.over(below) if above and below else None
    return natures


def semantics_problems(semantics: Semantics, at: Location) -> list[Problem]:
    """Return everything in a tenant's semantics that the star schema does not know or allow."""
    problems = list(_label_problems(semantics, (*at, "labels")))
    for name, extras in semantics.measures.items():
        location = (*at, "measures", name)
        if name not in MODELS_WITH_MEASURES:
            reason = f"no model that takes measures; {nearest(name, MODELS_WITH_MEASURES)}"
            problems.append(Problem(location, reason))
            continue
        model = STANDARD_MODELS[name]
        found: list[Problem] = []
        for measure, extra in extras.items():
            found += _name_problems(model, measure, (*location, measure))
            if extra.ratio is None:
                found += _aggregate_problems(model, extra, (*location, measure))
            else:
                found += _ratio_problems(model, extras, extra.ratio, (*location, measure))
        if not found:
            found += _unit_problems(model, extras, location)
        problems += found
    return problems


def _label_problems(semantics: Semantics, at: Location) -> Iterator[Problem]:
    for key in semantics.labels:
        name, _, field = key.partition(".")
        if name not in STANDARD_MODELS:
            reason = f"must name a field as model.field; unknown model {name!r}; "
            yield Problem((*at, key), reason + nearest(name, STANDARD_MODELS))
            continue
        fields = STANDARD_MODELS[name].field_names | set(semantics.measures.get(name, ()))
        if field not in fields:
            yield Problem((*at, key), f"unknown field of {name}; {nearest(field, fields)}")


def _name_problems(model: StandardModel, name: str, at: Location) -> Iterator[Problem]:
    bad_slug = naming.slug_problem(name)
    taken = [model, *(STANDARD_MODELS[join.model] for join in model.joins)]
    if bad_slug:
        suggestion = naming.suggest_slug(name)
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        yield Problem(at, f"{bad_slug}{hint}")
    elif keyword.iskeyword(name) or name in RESERVED:
        yield Problem(at, f"the name is reserved; {name}_total or the like can be used")
    else:
        for other in taken:
            if name in other.field_names or name in other.column:
                reason = f"{other.name} has a standard field or column of this name; choose another"
                yield Problem(at, reason)
                return


def _aggregate_problems(
    model: StandardModel, extra: ExtraMeasure, at: Location
) -> Iterator[Problem]:
    assert extra.aggregate is not None
    kind, name = extra.aggregate
    column = model.column.get(name)
    numbers = [other for other in model.column if _family(model, other) == "number"]
    if kind in ("count", "count_distinct"):
        if column is None and not (kind == "count" and name == ROWS):
            choices = [*model.column, *([ROWS] if kind == "count" else [])]
            yield Problem(
                (*at, kind), f"unknown column of {model.name}; {nearest(name, choices)}", name
            )
    elif column is None:
        reason = f"unknown column of {model.name}; {nearest(name, numbers)}"
        yield Problem((*at, kind), reason, name)
    elif name not in numbers:
        reason = f"is {column.type}, and only numbers have a {kind}; {nearest(name, numbers)}"
        yield Problem((*at, kind), reason, name)
    for position, condition in enumerate(extra.filters):
        yield from _filter_problems(model, condition, (*at, "filters", position))


def _filter_problems(model: StandardModel, condition: Filter, at: Location) -> Iterator[Problem]:
    column = model.column.get(condition.field)
    if column is None:
        reason = f"unknown column of {model.name}; {nearest(condition.field, model.column)}"
        yield Problem((*at, "field"), reason, condition.field)
        return
    values = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if condition.value is None:
        return
    if column.personal:
        reason = "is personal data, which no configuration may hold; valid: is_null, is_not_null"
        yield Problem((*at, "op"), reason, condition.op)
        return
    family = _family(model, column.name)
    if condition.op in ("contains", "not_contains") and family != "text":
        yield Problem((*at, "op"), f"needs a text, and {column.name} is {column.type}")
        return
    if condition.op in ("gt", "gte", "lt", "lte") and family == "truth":
        yield Problem((*at, "op"), f"{column.name} is {column.type}; valid: eq, ne")
        return
    if len(values) > MAX_VALUES:
        yield Problem((*at, "value"), f"at most {MAX_VALUES} values are allowed")
        return
    for value in values:
        wrong = _value_problem(family, value) if value is not None else None
        if wrong:
            yield Problem((*at, "value"), f"{column.name} is {column.type}; {wrong}", value)


def _value_problem(family: str, value: Scalar) -> str | None:
    """Return why a value cannot be compared with a column of a family of types."""
    if isinstance(value, bool) or family == "truth":
        fits = isinstance(value, bool) and family == "truth"
    elif not isinstance(value, str) or family == "number":
        fits = not isinstance(value, str) and family == "number"
    elif not value.isprintable() or len(value) > MAX_VALUE_LENGTH:
        return f"give a printable text of at most {MAX_VALUE_LENGTH} characters"
    else:
        is_day = family in ("date", "moment") and _is_date(value)
        fits = family == "text" or is_day or (family == "moment" and _is_moment(value))
    return None if fits else _WANTED[family]


_WANTED = {
    "truth": "give true or false",
    "number": "give a number, not in quotes",
    "text": "give a text, in quotes",
    "date": "give a day such as 2025-01-31",
    "moment": "give a moment in UTC such as 2025-01-31 23:59:59",
}


def _ratio_problems(
    model: StandardModel, extras: dict[str, ExtraMeasure], ratio: MeasureRatio, at: Location
) -> Iterator[Problem]:
    aggregates = [name for name, extra in extras.items() if extra.ratio is None]
    usable = {*model.natures, *aggregates}
    for side in ("numerator", "denominator"):
        name = getattr(ratio, side)
        if name in usable:
            continue
        where = (*at, "ratio", side)
        if name in extras:
            reason = "is a ratio of this file; give the measures that it is made of"
            yield Problem(where, reason, name)
        else:
            reason = f"unknown measure of {model.name}; {nearest(name, usable)}"
            yield Problem(where, reason, name)


def _unit_problems(
    model: StandardModel, extras: dict[str, ExtraMeasure], at: Location
) -> Iterator[Problem]:
    for name, nature in natures_with(model, extras).items():
        if nature is None:
            reason = "would be counted things per money, which has no unit; turn the ratio round"
            yield Problem((*at, name, "ratio"), reason)


def _aggregate_nature(model: StandardModel, kind: str, name: str) -> Nature:
    domains = model.domains_of([name])
    if kind in ("count", "count_distinct"):
        return Nature("count", "bigint", domains=domains)
    number: NumberType = "decimal" if model.column[name].type.startswith("decimal") else "bigint"
    return Nature(
        unit="money" if name in MONEY_COLUMNS else "count",
        type="double" if kind == "average" else number,
        is_claimed=name in CLAIMED_COLUMNS,
        domains=domains,
    )


_FAMILIES = {"boolean": "truth", "date": "date", "timestamp": "moment", "varchar": "text"}


def _family(model: StandardModel, column: str) -> str:
    return _FAMILIES.get(model.column[column].type, "number")


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_moment(value: str) -> bool:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return False
    return moment.isoformat(sep=value[10:11]) == value and moment.tzinfo is None
