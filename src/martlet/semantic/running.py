"""Runs the SQL of one question on one version of a mart, within its share of time and bytes."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from martlet.marts.store import Mart
from martlet.semantic import cautions
from martlet.semantic.answers import Answer, AnswerColumn, Caution
from martlet.semantic.base_tables import QUOTED_FIRST, QUOTED_LAST, RATE_SOURCE, RATES, rateless
from martlet.semantic.compile import Compiler, Defined
from martlet.semantic.cursors import last_values
from martlet.semantic.errors import MartUnavailableError, RateMissingError
from martlet.semantic.marks import Template
from martlet.semantic.planning import Plan
from martlet.semantic.presenting import freshness_of, measure_columns, shaped
from martlet.semantic.structure import After, Aggregate, Structure, last_value
from martlet.semantic.vocabulary import Vocabulary

_QUOTED = (
    Aggregate(RATE_SOURCE, "text"),
    Aggregate(QUOTED_FIRST, "date"),
    Aggregate(QUOTED_LAST, "date"),
)
_COLUMNS = """
select table_name, column_name, data_type from duckdb_columns()
where database_name = $catalog and schema_name = 'main'
order by table_name, column_index
"""


@dataclass(frozen=True)
class Limits:
    """What one answer may take, and how many are made at the same time."""

    max_seconds: float = 30.0
    max_bytes: int = 64 * 2**20
    slots: int = 16


@dataclass(frozen=True)
class Known:
    """What is read once of a version: its vocabulary, and what questions are compiled over."""

    vocabulary: Vocabulary
    defined: Defined


@dataclass
class Run:
    """One question on its way. Its queries share one allowance of time."""

    mart: Mart
    known: Known
    compiler: Compiler
    limits: Limits
    _began: float = field(default_factory=time.monotonic)

    def template(self, structure: Structure) -> Template:
        """Return the SQL of a question."""
        return self.compiler.template(self.known.defined, structure)

    def fetch(
        self, template: Template, values: Mapping[str, Any], limit: int = 0, offset: int = 0
    ) -> pa.Table:
        """Return the rows of a SELECT with its values bound."""
        sql, bound = template.filled(values, catalog=self.mart.catalog, limit=limit, offset=offset)
        left = self.limits.max_seconds - (time.monotonic() - self._began)
        return self.mart.fetch_arrow(
            sql, bound, seconds=max(left, 0.001), max_bytes=self.limits.max_bytes
        )

    def answer(
        self,
        template: Template,
        plan: Plan,
        columns: tuple[AnswerColumn, ...],
        values: Mapping[str, Any],
        said: Sequence[Caution],
        seen: int = 0,
    ) -> Answer:
        """Return the rows of one page; one row more tells whether it is the last."""
        rows = shaped(self.fetch(template, values, plan.limit + 1, seen), columns)
        return Answer(
            tenant=self.mart.tenant,
            model=plan.terms.name,
            columns=columns,
            table=rows.slice(0, plan.limit),
            data_version=self.mart.version,
            freshness=freshness_of(self.mart.info, plan.terms.name),
            truncated=len(rows) > plan.limit,
            warnings=tuple(said),
        )

    def totals(self, plan: Plan) -> tuple[dict[str, Any], list[Caution]]:
        """Return each measure over all rows, and what is to be said of them.

        Amounts of different currencies have no total.
        """
        structure = plan.structure.without_rows()
        if not structure.measures:
            return {}, []
        rows = self.fetch(self.template(structure), plan.values)
        (totals,) = shaped(rows, measure_columns(plan)).to_pylist()
        mixed = [
            name for name in totals if plan.money.is_mixed and plan.terms.measures[name].is_money
        ]
        totals |= dict.fromkeys(mixed)
        return totals, [cautions.totals_without_money(mixed)] if mixed else []

    def conversion_cautions(self, *plans: Plan) -> list[Caution]:
        """Return what is to be said of converted amounts, if any were.

        Raises `RateMissingError` with currency and day when a rate is lacking.
        """
        money = plans[0].money
        if not money.converted_columns:
            return []
        if RATES not in self.known.defined.columns:
            raise RateMissingError("no exchange rates are published", field="convert_to")
        lacking = [Aggregate(rateless(column), "text") for column in money.converted_columns]
        quoted: list[dict[str, Any]] = []
        for plan in plans:
            structure = plan.structure.without_rows(*lacking, *_QUOTED)
            (found,) = self.fetch(self.template(structure), plan.values).to_pylist()
            _check_rates(found)
            if found[QUOTED_FIRST] is not None:
                quoted.append(found)
        if not quoted:
            return []
        return [
            cautions.converted(
                str(money.currency),
                ", ".join(sorted({each[RATE_SOURCE] for each in quoted})),
                min(each[QUOTED_FIRST] for each in quoted),
                max(each[QUOTED_LAST] for each in quoted),
            )
        ]


def read_known(mart: Mart, seconds: float) -> Known:
    """Read what questions to a version need; raises `MartUnavailableError` if it is not whole."""
    models = mart.info.definition
    columns: dict[str, dict[str, str]] = {}
    for table, column, type_ in mart.fetch_rows(_COLUMNS, {"catalog": mart.catalog}, seconds):
        columns.setdefault(table, {})[column] = type_
    needed = {str(stated["table"]) for stated in models.values()}
    if needed - set(columns):
        raise MartUnavailableError(
            "the published mart lacks a table that it defines",
            remedy="publish again, or roll back",
        )
    kept = {table: columns[table] for table in sorted(needed | {RATES}) if table in columns}
    return Known(Vocabulary.from_definition(models), Defined(models, kept))


def after_position(plan: Plan, last: Sequence[Any] | None) -> Plan:
    """Return the plan of the page after a row, or after the rows of earlier pages."""
    if last is None:
        return replace(plan, structure=replace(plan.structure, after=After()))
    typed = last_values(last, [by.kind for by in plan.structure.order])
    bound = {last_value(number): value for number, value in enumerate(typed) if value is not None}
    after = After(tuple(value is None for value in typed))
    return replace(plan, structure=replace(plan.structure, after=after), values=plan.values | bound)


def order_values(structure: Structure, rows: pa.Table) -> tuple[Any, ...]:
    """Return what the last of the rows is sorted by."""
    (last,) = rows.slice(len(rows) - 1).to_pylist()
    return tuple(last[by.field] for by in structure.order)


def _check_rates(found: Mapping[str, Any]) -> None:
    lacking = [
        found[name] for name in found if name.startswith(rateless("")) and found[name] is not None
    ]
    if lacking:
        day, _, currency = min(lacking).partition(" ")
        known = f"of {currency}" if currency != "?" else "for amounts of unknown currency"
        raise RateMissingError(
            f"there is no exchange rate {known} on {day}",
            field="convert_to",
            remedy="ask without convert_to, for other days, or for one currency by a filter",
        )
