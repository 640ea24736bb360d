"""Columns of an answer: what they are called, typed and measured in; and rows of those types."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from martlet.marts.info import MartInfo
from martlet.semantic.answers import AnswerColumn, Freshness, SourceFreshness
from martlet.semantic.base_tables import ROW_COUNT
from martlet.semantic.money import CURRENCY, Money
from martlet.semantic.planning import Plan
from martlet.semantic.standard.concepts import MONEY_UNITS
from martlet.semantic.structure import Grouping
from martlet.semantic.typed import Kind
from martlet.semantic.vocabulary import MeasureTerm, ModelTerms

ROWS = "row_count"
_TYPES: Mapping[Kind, str] = {
    "text": "varchar",
    "date": "date",
    "moment": "timestamp",
    "boolean": "boolean",
    "integer": "bigint",
    "decimal": "decimal(38,6)",
    "double": "double",
}


def columns_of(plan: Plan) -> tuple[AnswerColumn, ...]:
    """Return the columns of a question's answer."""
    return (*dimension_columns(plan), *measure_columns(plan))


def dimension_columns(plan: Plan) -> tuple[AnswerColumn, ...]:
    """Return the columns that rows are told apart by."""
    return tuple(_dimension(plan.terms, part) for part in plan.structure.dimensions)


def measure_columns(plan: Plan) -> tuple[AnswerColumn, ...]:
    """Return the columns of numbers."""
    return tuple(
        _ROW_COUNT if part.field == ROW_COUNT else _measure(plan.terms.measures[part.field], plan)
        for part in plan.structure.measures
    )


def shaped(table: pa.Table, columns: Sequence[AnswerColumn]) -> pa.Table:
    """Return the rows under the columns' names and in exactly their types.

    DuckDB sums whole numbers into wider ones than it took.
    """
    schema = pa.schema([(column.name, _arrow_type(column.type)) for column in columns])
    renamed = table.rename_columns(schema.names)
    return renamed if renamed.schema.equals(schema) else renamed.cast(schema)


def freshness_of(info: MartInfo, model: str | None = None) -> Freshness:
    """Return how fresh a version is; of a model, what the platforms of its rows say."""
    profile = info.profiles.get(model) if model else None
    states = [
        state
        for state in info.freshness
        if profile is None or not profile.platforms or state.source_platform in profile.platforms
    ]
    moments = [state.extracted_at for state in states if state.extracted_at is not None]
    return Freshness(
        data_version=info.version,
        published_at=info.published_at,
        as_of=min(moments, default=None),
        sources=tuple(
            SourceFreshness(
                source_platform=state.source_platform,
                connection=state.connection,
                object=state.object,
                extracted_at=state.extracted_at,
                pushed_at=state.pushed_at,
                is_held=state.is_held,
                held_because=state.held_because,
            )
            for state in states
        ),
    )


_ROW_COUNT = AnswerColumn(
    name=ROWS,
    label="Rows",
    type="bigint",
    role="measure",
    unit="count",
    description="Rows that have this value.",
)


def _dimension(terms: ModelTerms, part: Grouping) -> AnswerColumn:
    term = terms.dimensions[part.field]
    description = term.description
    if part.is_pseudonym:
        description += " Shown as a pseudonym: the same for the same value."
    if part.grain:
        description += f" The first day of each {part.grain}."
    return AnswerColumn(
        name=part.field,
        label=term.label,
        type=_TYPES[part.kind],
        role="time" if part.kind in ("date", "moment") and term.is_time else "dimension",
        description=description,
    )


def _measure(term: MeasureTerm, plan: Plan) -> AnswerColumn:
    kinds = {part.field: part.kind for part in plan.structure.measures}
    unit, unit_column = unit_of(term, plan.money)
    return AnswerColumn(
        name=term.name,
        label=term.label,
        type=_TYPES[kinds[term.name]],
        role="measure",
        unit=unit,
        unit_column=unit_column,
        description=term.description,
    )


def unit_of(term: MeasureTerm, money: Money) -> tuple[str | None, str | None]:
    """Return a measure's unit, and the column that holds it where each row has its own."""
    if term.unit not in MONEY_UNITS:
        return term.unit, None
    return (None, CURRENCY) if money.is_by_row else (money.currency, None)


def _arrow_type(type_: str) -> pa.DataType:
    types: dict[str, pa.DataType] = {
        "varchar": pa.string(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "boolean": pa.bool_(),
        "bigint": pa.int64(),
        "decimal(38,6)": pa.decimal128(38, 6),
        "double": pa.float64(),
    }
    return types[type_]
