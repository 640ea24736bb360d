"""Turns a question into its structure and its values, by the vocabulary of one mart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from martlet.errors import nearest
from martlet.marts.info import MartInfo
from martlet.semantic.answers import Caution
from martlet.semantic.base_tables import ROW_COUNT
from martlet.semantic.cautions import cautions_of
from martlet.semantic.errors import PersonalFieldError, QueryRefusedError
from martlet.semantic.money import CURRENCY, NO_PROFILE, Money, money_of
from martlet.semantic.requests import Condition, Order, Query, TimeRange, ValueSearch
from martlet.semantic.structure import (
    CONVERT_TO,
    END,
    PSEUDONYM_KEY,
    START,
    Aggregate,
    Days,
    Grouping,
    Predicate,
    Sorting,
    Structure,
    group_value,
    row_value,
)
from martlet.semantic.typed import check_text, kind_of, operators_of, typed_value
from martlet.semantic.vocabulary import DimensionTerm, MeasureTerm, ModelTerms

_NO_VALUE = ("is_null", "is_not_null")


@dataclass(frozen=True)
class Plan:
    """A question that can be answered: what to compile, what to bind, what to say about it."""

    terms: ModelTerms
    structure: Structure
    values: dict[str, Any]
    money: Money
    limit: int
    cautions: tuple[Caution, ...] = ()
    days: TimeRange | None = None


@dataclass(frozen=True)
class Asker:
    """Who asks: `pseudonym_key` disguises personal values, unless they may be seen."""

    may_see_personal: bool
    pseudonym_key: str


@dataclass
class _Conditions:
    """Conditions sorted by what they choose, and the values that they compare with."""

    rows: list[Predicate] = field(default_factory=list)
    groups: list[Predicate] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    measures: list[MeasureTerm] = field(default_factory=list)


def plan_query(terms: ModelTerms, info: MartInfo, query: Query, asker: Asker) -> Plan:
    """Return the plan of a question; raises `QueryRefusedError` for one that has no answer."""
    measures = [terms.measure(name) for name in query.measures]
    dimensions = [terms.dimension(name) for name in query.dimensions]
    conditions = _conditions(terms, query.filters, asker)
    day = terms.time(query.time.field) if query.time else None
    if day and query.time and query.time.grain:
        _check_grain(day, query.time.grain)
        if day not in dimensions:
            dimensions.insert(0, day)
    computed = [measure for measure in _distinct(conditions.measures) if measure not in measures]
    names = [dimension.name for dimension in dimensions]
    money = money_of(
        terms,
        [*measures, *computed],
        names,
        query.filters,
        query.convert_to,
        info.profiles.get(terms.name, NO_PROFILE),
    )
    if money.is_split:
        dimensions.append(terms.dimensions[CURRENCY])
    values = dict(conditions.values)
    days = _days(day, query.time, values)
    groupings = tuple(_grouping(each, query.time, day, asker) for each in dimensions)
    structure = Structure(
        model=terms.name,
        dimensions=groupings,
        measures=_aggregates(measures),
        computed=_aggregates(computed),
        rows=tuple(conditions.rows),
        groups=tuple(conditions.groups),
        days=days,
        is_converted=money.is_converted,
    )
    if any(each.is_pseudonym for each in groupings):
        values[PSEUDONYM_KEY] = asker.pseudonym_key
    if money.is_converted:
        values[CONVERT_TO] = query.convert_to
    return Plan(
        terms=terms,
        structure=replace(structure, order=_order(terms, structure, query.order)),
        values=values,
        money=money,
        limit=query.limit,
        cautions=cautions_of(info, terms, [*measures, *computed], names, query.filters, money),
        days=query.time,
    )


def plan_values(terms: ModelTerms, info: MartInfo, search: ValueSearch, asker: Asker) -> Plan:
    """Return the plan of a search for values: each with its rows, the most frequent first."""
    term = terms.dimension(search.dimension)
    grouping = _grouping(term, None, None, asker)
    name = row_value(0)
    rows = [Predicate(term.name, kind_of(term.type), "is_not_null", name)]
    values: dict[str, Any] = {}
    if search.search:
        if term.is_personal and not asker.may_see_personal:
            raise _personal(term)
        check_text(search.search, "search")
        rows.append(Predicate(term.name, "text", "contains", name))
        values[name] = search.search
    if grouping.is_pseudonym:
        values[PSEUDONYM_KEY] = asker.pseudonym_key
    count = Sorting(ROW_COUNT, "integer", is_descending=True)
    structure = Structure(
        model=terms.name,
        dimensions=(grouping,),
        measures=(Aggregate(ROW_COUNT, "integer"),),
        rows=tuple(rows),
        order=(count, Sorting(grouping.field, grouping.kind)),
    )
    cautions = cautions_of(info, terms, [], [], [], Money())
    return Plan(terms, structure, values, Money(), search.limit, cautions)


def _conditions(terms: ModelTerms, filters: Sequence[Condition], asker: Asker) -> _Conditions:
    found = _Conditions()
    for condition in filters:
        term = terms.find(condition.field)
        kind = kind_of(term.type)
        if condition.op not in operators_of(kind):
            raise QueryRefusedError(
                f"{condition.op!r} cannot be asked of a field of type {term.type}",
                field=term.name,
                remedy=f"use one of {', '.join(operators_of(kind))}",
            )
        if isinstance(term, MeasureTerm):
            name = group_value(len(found.groups))
            found.groups.append(Predicate(term.name, kind, condition.op, name))
            found.measures.append(term)
        else:
            if term.is_personal and not asker.may_see_personal:
                raise _personal(term)
            name = row_value(len(found.rows))
            found.rows.append(Predicate(term.name, kind, condition.op, name))
        if condition.op not in _NO_VALUE:
            value = condition.value
            found.values[name] = (
                list(dict.fromkeys(typed_value(term.name, kind, "eq", each) for each in value))
                if isinstance(value, list)
                else typed_value(term.name, kind, condition.op, value)
            )
    return found


def _personal(term: DimensionTerm) -> PersonalFieldError:
    return PersonalFieldError(
        "this field is personal: without the scope `pii` it is shown as a pseudonym, and can be "
        "neither filtered nor searched",
        field=term.name,
    )


def _check_grain(day: DimensionTerm, grain: str) -> None:
    if grain not in day.grains:
        raise QueryRefusedError(
            f"{day.name!r} cannot be given by {grain}; {nearest(grain, day.grains)}",
            field="time.grain",
        )


def _days(
    day: DimensionTerm | None, asked: TimeRange | None, values: dict[str, Any]
) -> Days | None:
    """Return the range of days and note its ends: of moments, the end is the day after."""
    if day is None or asked is None or (asked.start is None and asked.end is None):
        return None
    kind = kind_of(day.type)
    is_moment = kind == "moment"
    if asked.start is not None:
        values[START] = datetime.combine(asked.start, time()) if is_moment else asked.start
    has_end = asked.end is not None and (not is_moment or asked.end < date.max)
    if asked.end is not None and has_end:
        after = asked.end + timedelta(days=1) if is_moment else asked.end
        values[END] = datetime.combine(after, time()) if is_moment else after
    return Days(day.name, kind, has_start=asked.start is not None, has_end=has_end)


def _grouping(
    term: DimensionTerm, asked: TimeRange | None, day: DimensionTerm | None, asker: Asker
) -> Grouping:
    if asked and asked.grain and term == day:
        return Grouping(term.name, "date", asked.grain)
    is_disguised = term.is_personal and not asker.may_see_personal
    kind = kind_of(term.type)
    is_text = is_disguised or kind == "other"
    return Grouping(term.name, "text" if is_text else kind, is_pseudonym=is_disguised)


def _aggregates(measures: Iterable[MeasureTerm]) -> tuple[Aggregate, ...]:
    return tuple(Aggregate(measure.name, kind_of(measure.type)) for measure in measures)


def _distinct(measures: Iterable[MeasureTerm]) -> list[MeasureTerm]:
    return list({measure.name: measure for measure in measures}.values())


def _order(terms: ModelTerms, structure: Structure, asked: Sequence[Order]) -> tuple[Sorting, ...]:
    """Return a total order: as asked, else by time and the first measure; then all dimensions."""
    kinds = {part.field: part.kind for part in structure.dimensions}
    kinds |= {part.field: part.kind for part in structure.measures}
    chosen: dict[str, bool] = {}
    for order in asked:
        if order.field not in kinds:
            terms.find(order.field)
            raise QueryRefusedError(
                f"cannot sort by {order.field!r}, which is not asked for; "
                f"{nearest(order.field, kinds)}",
                field="order",
            )
        chosen.setdefault(order.field, order.direction == "desc")
    if not asked:
        periods = [
            part.field
            for part in structure.dimensions
            if part.grain or part.field == terms.time_dimension
        ]
        chosen |= dict.fromkeys(periods, False)
        if structure.measures:
            chosen[structure.measures[0].field] = True
    for part in structure.dimensions:
        chosen.setdefault(part.field, False)
    return tuple(Sorting(name, kinds[name], down) for name, down in chosen.items())
