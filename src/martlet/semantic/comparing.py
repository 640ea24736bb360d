"""Puts two periods side by side: the same question twice, joined on its dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from martlet.marts.info import MartInfo
from martlet.semantic.answers import AnswerColumn
from martlet.semantic.errors import QueryRefusedError
from martlet.semantic.marks import LIMIT, Slot, Template
from martlet.semantic.planning import Asker, Plan, plan_query
from martlet.semantic.presenting import dimension_columns, measure_columns
from martlet.semantic.requests import Comparison, Query, TimeRange
from martlet.semantic.structure import END, START, Structure
from martlet.semantic.vocabulary import ModelTerms

_EARLIER = {START: "earlierstart", END: "earlierend"}


@dataclass(frozen=True)
class Periods:
    """Two plans that differ in their days only."""

    current: Plan
    previous: Plan

    @property
    def values(self) -> dict[str, Any]:
        """Return the values of both, those of the earlier days under names of their own."""
        earlier = {
            _EARLIER[name]: value
            for name, value in self.previous.values.items()
            if name in _EARLIER
        }
        return self.current.values | earlier

    @property
    def told(self) -> dict[str, Any]:
        """Return the days of both, as they were compared."""
        plans = {"current": self.current, "previous": self.previous}
        return {
            name: {"start": plan.days.start, "end": plan.days.end}
            for name, plan in plans.items()
            if plan.days
        }


def plan_comparison(terms: ModelTerms, info: MartInfo, asked: Comparison, asker: Asker) -> Periods:
    """Return the plans of both periods; raises `QueryRefusedError` as for a query."""
    previous = asked.previous or _days_before(asked.current)
    field = asked.current.field
    if previous.field not in (None, field):
        raise QueryRefusedError(
            f"the periods are of different fields, {field or 'the default'!r} and "
            f"{previous.field!r}",
            field="previous.field",
            remedy="name the same field in both, or only in current",
        )
    periods = (asked.current, previous.model_copy(update={"field": field}))
    current, earlier = (
        plan_query(
            terms,
            info,
            Query(
                model=asked.model,
                measures=asked.measures,
                dimensions=asked.dimensions,
                filters=asked.filters,
                time=period,
                limit=asked.limit,
                convert_to=asked.convert_to,
            ),
            asker,
        )
        for period in periods
    )
    _check_names(current)
    return Periods(_half(current), _half(earlier))


def comparison_template(current: Template, previous: Template, structure: Structure) -> Template:
    """Return the SQL of a comparison, from that of its halves.

    A group that has rows in one period only has no numbers in the other, and so no change.
    """
    dimensions = [_quoted(part.field) for part in structure.dimensions]
    same = " and ".join(f"c.{name} is not distinct from p.{name}" for name in dimensions)
    chosen = [f"{_either(name)} as {name}" for name in dimensions]
    for part in structure.measures:
        now, then = f"c.{_quoted(part.field)}", f"p.{_quoted(part.field)}"
        change = f"{now} - {then}"
        chosen += [
            f"{now} as {_quoted(part.field)}",
            f"{then} as {_quoted(f'{part.field}_previous')}",
            f"{change} as {_quoted(f'{part.field}_change')}",
            f"cast({change} as double) / nullif(cast({then} as double), 0) "
            f"as {_quoted(f'{part.field}_change_ratio')}",
        ]
    order = [f"c.{_quoted(structure.measures[0].field)} desc nulls last"]
    order += [f"{_either(name)} nulls last" for name in dimensions]
    joined = f"select\n  {_lines(chosen)}\nfrom c\nfull join p on {same or 'true'}"
    pieces = (
        "with c as (\n",
        *current.pieces,
        "\n), p as (\n",
        *previous.renamed(_EARLIER).pieces,
        f"\n)\n{joined}\norder by {', '.join(order)}\nlimit ",
        Slot(LIMIT),
    )
    return Template(pieces)


def comparison_columns(plan: Plan) -> tuple[AnswerColumn, ...]:
    """Return the dimensions, then for each measure both periods, the change and its share."""
    columns = list(dimension_columns(plan))
    for column in measure_columns(plan):
        columns += [
            column,
            replace(column, name=f"{column.name}_previous", label=f"{column.label}, before"),
            replace(column, name=f"{column.name}_change", label=f"{column.label}, change"),
            AnswerColumn(
                name=f"{column.name}_change_ratio",
                label=f"{column.label}, relative change",
                type="double",
                role="measure",
                unit="ratio",
                description="The change as a share of the earlier value; nothing over zero.",
            ),
        ]
    return tuple(columns)


def _days_before(current: TimeRange) -> TimeRange:
    assert current.start is not None
    assert current.end is not None
    length = (current.end - current.start).days
    end = current.start.toordinal() - 1
    if end - length < 1:
        raise QueryRefusedError(
            f"there are no {length + 1} days before {current.start}",
            field="current",
            remedy="name the earlier days in previous",
        )
    last = date.fromordinal(end)
    return TimeRange(field=current.field, start=last - timedelta(days=length), end=last)


def _check_names(plan: Plan) -> None:
    """Refuse measures whose further columns would have the name of another."""
    columns = [column.name for column in comparison_columns(plan)]
    doubled = next((name for name in columns if columns.count(name) > 1), None)
    if doubled:
        raise QueryRefusedError(
            f"two columns would be named {doubled!r}",
            field="measures",
            remedy="compare these measures in two questions",
        )


def _half(plan: Plan) -> Plan:
    return replace(plan, structure=plan.structure.half())


def _either(name: str) -> str:
    return f"coalesce(c.{name}, p.{name})"


def _lines(chosen: Sequence[str]) -> str:
    return ",\n  ".join(chosen)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
