"""Compiles questions to SQL: Boring Semantic Layer aggregates, plain ibis does the rest.

Compiled SQL depends on the definition and the question's structure, never on its values, so it is
kept and run again with other values. ibis and Boring Semantic Layer are not made for threads: one
lock guards both.
"""

import json
from collections.abc import Mapping
from functools import reduce
from hashlib import sha256
from operator import and_, or_
from threading import Lock
from typing import TYPE_CHECKING, Any

from martlet.semantic.base_tables import BaseTables, Columns, inner_name
from martlet.semantic.marks import Marks, Template
from martlet.semantic.recent import Recent
from martlet.semantic.structure import (
    CONVERT_TO,
    END,
    PSEUDONYM_KEY,
    START,
    Aggregate,
    Grouping,
    Predicate,
    Structure,
    last_value,
)
from martlet.semantic.typed import CASTS, kind_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

_PSEUDONYM_DIGITS = 16
# A limit that ibis writes where the real one goes.
_ANY_LIMIT = 1


class Defined:
    """The semantic models of one version of a mart, and the tables that they are over."""

    def __init__(self, models: Mapping[str, Any], columns: Columns) -> None:
        self.models = models
        self.columns = columns
        text = json.dumps([models, columns], sort_keys=True)
        self.digest = sha256(text.encode()).hexdigest()


class Compiler:
    """Compiles for every tenant of a process; safe for threads."""

    def __init__(self, kept: int = 2_048) -> None:
        self._marks = Marks()
        self._lock = Lock()
        self._templates: Recent[tuple[str, Structure], Template] = Recent(kept)

    def template(self, definition: Defined, structure: Structure) -> Template:
        """Return the SQL of a question, compiled unless it was before."""
        key = (definition.digest, structure)
        template = self._templates.get(key)
        if template is None:
            with self._lock:
                template = self._templates.get(key) or self._compile(definition, structure)
            self._templates.put(key, template)
        return template

    def warm(self, definition: Defined) -> None:
        """Compile a first question to each model: the libraries come in with it."""
        for model, stated in definition.models.items():
            measures = tuple(
                Aggregate(name, kind_of(entry["metadata"]["type"]))
                for section in ("measures", "calculated_measures")
                for name, entry in (stated.get(section) or {}).items()
            )
            if measures:
                self.template(definition, Structure(model, measures=measures[:1]))

    def _compile(self, definition: Defined, structure: Structure) -> Template:
        import ibis

        tables = BaseTables(definition.models, definition.columns, self._marks)
        grouped = _grouped(tables.model(structure), structure, self._marks)
        table = _finished(grouped, structure, self._marks)
        sql = str(ibis.to_sql(table, dialect="duckdb"))
        return self._marks.template(sql, _expected_values(structure))


def _grouped(model: Any, structure: Structure, marks: Marks) -> "ir.Table":
    """Return one row per group, columns named as in the answer, measures of their stated types."""
    dimensions = {part.field: inner_name(part.field, part.grain) for part in structure.dimensions}
    measures = (*structure.measures, *structure.computed)
    is_filtered = bool(structure.rows or structure.days)
    filters = [lambda table: _row_condition(table, structure, marks)] if is_filtered else []
    asked = model.query(
        dimensions=list(dimensions.values()),
        measures=[measure.field for measure in measures],
        filters=filters,
    )
    grouped = asked.op().to_untagged()
    columns = {
        part.field: _dimension(grouped[dimensions[part.field]], part, marks)
        for part in structure.dimensions
    }
    columns |= {measure.field: _measure(grouped[measure.field], measure) for measure in measures}
    return grouped.select(**columns)


def _finished(table: "ir.Table", structure: Structure, marks: Marks) -> "ir.Table":
    """Return the rows of the page that is asked, in their order."""
    import ibis

    if structure.groups:
        table = table.filter(
            [_compared(table[each.field], each, marks) for each in structure.groups]
        )
    if structure.computed:
        table = table.select(*structure.fields)
    is_counted = False
    if structure.after is not None:
        is_counted = not structure.after.nulls
        if not is_counted:
            table = table.filter(_after(table, structure, marks))
    if structure.order:
        table = table.order_by(
            [
                (ibis.desc if by.is_descending else ibis.asc)(table[by.field], nulls_first=False)
                for by in structure.order
            ]
        )
    if structure.is_limited:
        table = table.limit(_ANY_LIMIT, offset=1 if is_counted else 0)
    return table


def _dimension(column: "ir.Value", part: Grouping, marks: Marks) -> "ir.Value":
    if part.is_pseudonym:
        key = marks.value(PSEUDONYM_KEY, "text")
        digest = (key + column.cast("string")).hexdigest("sha256")
        return "p_" + digest.left(_PSEUDONYM_DIGITS)
    if part.kind == "text" and not column.type().is_string():
        return column.cast("string")
    return column


def _measure(column: "ir.Value", measure: Aggregate) -> "ir.Value":
    return column.cast(CASTS[measure.kind])


def _row_condition(table: Any, structure: Structure, marks: Marks) -> "ir.BooleanValue":
    conditions = [_compared(table[inner_name(each.field)], each, marks) for each in structure.rows]
    days = structure.days
    if days:
        day = table[inner_name(days.field)]
        if days.has_start:
            conditions.append(day >= marks.value(START, days.kind))
        if days.has_end:
            end = marks.value(END, days.kind)
            conditions.append(day < end if days.kind == "moment" else day <= end)
    return reduce(and_, conditions)


def _compared(column: Any, predicate: Predicate, marks: Marks) -> "ir.BooleanValue":
    """Return a condition; those that say what a value is not keep rows without a value."""
    if predicate.op == "is_null":
        return column.isnull()
    if predicate.op == "is_not_null":
        return column.notnull()
    value: Any = marks.value(predicate.parameter, predicate.kind)
    if predicate.kind == "text" and not column.type().is_string():
        column = column.cast("string")
    if predicate.op in ("in", "not_in"):
        found = column.isin([value])
    elif predicate.op in ("contains", "not_contains"):
        found = column.lower().contains(value.lower())
    else:
        found = {
            "eq": column.__eq__,
            "ne": column.__eq__,
            "gt": column.__gt__,
            "gte": column.__ge__,
            "lt": column.__lt__,
            "lte": column.__le__,
        }[predicate.op](value)
    if predicate.op in ("ne", "not_in", "not_contains"):
        return ~found | column.isnull()
    return found


def _after(table: "ir.Table", structure: Structure, marks: Marks) -> "ir.BooleanValue":
    """Return the condition for rows that come after the last one seen; null is after all values."""
    assert structure.after is not None
    same: list[Any] = []
    later: list[Any] = []
    for number, (by, is_null) in enumerate(
        zip(structure.order, structure.after.nulls, strict=True)
    ):
        column: Any = table[by.field]
        if is_null:
            same.append(column.isnull())
            continue
        value = marks.value(last_value(number), by.kind)
        beyond = column < value if by.is_descending else column > value
        later.append(reduce(and_, [*same, beyond | column.isnull()]))
        same.append(column == value)
    import ibis

    return reduce(or_, later) if later else ibis.literal(False)


def _expected_values(structure: Structure) -> frozenset[str]:
    """Return the names of the values that the SQL must have places for."""
    expected = {
        each.parameter
        for each in (*structure.rows, *structure.groups)
        if each.op not in ("is_null", "is_not_null")
    }
    if structure.days:
        ends = {START: structure.days.has_start, END: structure.days.has_end}
        expected |= {name for name, is_there in ends.items() if is_there}
    if any(part.is_pseudonym for part in structure.dimensions):
        expected.add(PSEUDONYM_KEY)
    if structure.is_converted:
        expected.add(CONVERT_TO)
    if structure.after:
        expected |= {
            last_value(number) for number, null in enumerate(structure.after.nulls) if not null
        }
    return frozenset(expected)
