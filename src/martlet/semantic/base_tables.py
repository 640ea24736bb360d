"""What a question aggregates, for Boring Semantic Layer: a fact, joined and converted as needed.

Joins happen here instead of in Boring Semantic Layer (0.3.18): there a dimension of the joined
table takes the fact's column of the same name, and a condition on a day sees the period that it is
cut to.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from martlet.semantic.marks import Marks
from martlet.semantic.standard.concepts import MONEY_COLUMNS, fields_of
from martlet.semantic.structure import CONVERT_TO, Structure

if TYPE_CHECKING:
    import ibis.expr.types as ir

RATES = "exchange_rates"
BASE = "EUR"
GRAINS = {"week": "W", "month": "M", "quarter": "Q", "year": "Y"}
# Measures beside those of a definition, whose names never begin so.
ROW_COUNT = "martlet__row_count"
RATE_SOURCE = "martlet__rate_source"
QUOTED_FIRST = "martlet__quoted_first"
QUOTED_LAST = "martlet__quoted_last"
_RATELESS = "martlet__rateless"
_QUOTED = "martlet__quoted"
_SOURCE = "martlet__source"
_DECIMAL = "decimal(38, 6)"
_UNKNOWN = "?"

# columns of a table -> their types, as the database spells them
Columns = Mapping[str, Mapping[str, str]]


def inner_name(field: str, grain: str | None = None) -> str:
    """Return the name under which a dimension is known below the answer."""
    name = field.replace(".", "__")
    return f"{name}__by_{grain}" if grain else name


def rateless(column: str) -> str:
    """Return the measure that names the first day without a rate, as `DAY CURRENCY`."""
    return f"{_RATELESS}_{column}"


@dataclass(frozen=True)
class BaseTables:
    """Builds the semantic models of one definition; `columns` are those of its tables."""

    definition: Mapping[str, Any]
    columns: Columns
    marks: Marks

    def model(self, structure: Structure) -> Any:
        """Return Boring Semantic Layer's model of all that a question needs, and no more."""
        from boring_semantic_layer import from_config

        stated = self.definition[structure.model]
        fields = structure.needed_fields
        dimensions = {
            inner_name(field): _expression(stated["dimensions"][field])
            if "." not in field
            else f"_.{inner_name(field)}"
            for field in sorted(fields)
        }
        for part in structure.dimensions:
            if part.grain:
                whole = dimensions[inner_name(part.field)]
                dimensions[inner_name(part.field, part.grain)] = _cut(whole, part.grain)
        asked = [part.field for part in (*structure.measures, *structure.computed)]
        measures, calculated = _needed_measures(stated, asked)
        table = self._table(stated["table"])
        if structure.is_converted:
            table = self._converted(table, stated)
        for alias, join in (stated.get("joins") or {}).items():
            joined = [field for field in sorted(fields) if field.startswith(f"{alias}.")]
            if joined:
                table = self._joined(table, alias, join, joined)
        expressions = (*dimensions.values(), *measures.values())
        read = frozenset().union(*map(fields_of, expressions))
        if read:
            table = table.select([column for column in table.columns if column in read])
        config = {
            "table": "base",
            "dimensions": dimensions,
            "measures": measures,
            "calculated_measures": calculated,
        }
        return from_config({structure.model: config}, tables={"base": table})[structure.model]

    def _table(self, name: str) -> "ir.Table":
        import ibis
        from ibis.backends.sql.datatypes import DuckDBType

        schema = {
            column: DuckDBType.from_string(type_) for column, type_ in self.columns[name].items()
        }
        return ibis.table(schema, name=name, catalog=self.marks.catalog, database="main")

    def _joined(
        self, table: "ir.Table", alias: str, join: Mapping[str, Any], fields: Iterable[str]
    ) -> "ir.Table":
        """Join dimensions of another table; its key is unique, so that no row is doubled."""
        from boring_semantic_layer import from_config

        stated = self.definition[join["model"]]
        other = self._table(stated["table"])
        config = {alias: {"table": "base", "dimensions": stated["dimensions"]}}
        known = from_config(config, tables={"base": other})[alias].get_dimensions()
        chosen = {inner_name(field): known[field.partition(".")[2]](other) for field in fields}
        key = f"{alias}__joined_by"
        right = other.select(**chosen, **{key: other[join["right_on"]]})
        return table.left_join(right, table[join["left_on"]] == right[key])

    def _converted(self, table: "ir.Table", stated: Mapping[str, Any]) -> "ir.Table":
        """Return the table with its money in the asked currency, at the rates of each row's day.

        Each amount is rounded to the six decimals of money. One without a rate becomes null, and
        further columns tell of it.
        """
        day = _day_column(stated)
        target = self.marks.value(CONVERT_TO, "text")
        rates = self._table(RATES)
        own = rates.select(
            own_day=rates.rate_day,
            own_currency=rates.currency,
            own_rate=rates.per_eur.cast("float64").nullif(0),
            own_quoted=rates.quoted_on,
            own_source=rates.source,
        )
        other = rates.filter(rates.currency == target).select(
            to_day=rates.rate_day,
            to_rate=rates.per_eur.cast("float64").nullif(0),
            to_quoted=rates.quoted_on,
        )
        joined = table.left_join(
            own, [table[day] == own.own_day, table.currency == own.own_currency]
        )
        joined = joined.left_join(other, joined[day] == other.to_day)
        return _in_target(joined, table.columns, day, target)


def _in_target(
    joined: "ir.Table", columns: tuple[str, ...], day: str, target: "ir.StringValue"
) -> "ir.Table":
    import ibis

    currency = joined.currency
    is_same = (currency == target).fill_null(False)
    factor = joined.to_rate / joined.own_rate
    # The base itself has a rate on every day on which anything has one.
    is_own_known = joined.own_rate.notnull() | (currency == BASE)
    lacking = ibis.ifelse(currency.isnull(), _UNKNOWN, ibis.ifelse(is_own_known, target, currency))
    first_lacking = joined[day].cast("string").fill_null(_UNKNOWN) + " " + lacking
    changed: dict[str, Any] = {}
    for column in sorted(MONEY_COLUMNS & set(columns)):
        amount = joined[column]
        stays = is_same | (amount == 0).fill_null(False)
        changed[column] = ibis.ifelse(
            stays,
            amount.cast(_DECIMAL),
            (amount.cast("float64") * factor).cast(_DECIMAL),
        )
        changed[rateless(column)] = ibis.ifelse(
            ~stays & amount.notnull() & factor.isnull(), first_lacking, ibis.null("string")
        )
    is_converted = ~is_same & factor.notnull()
    changed[_QUOTED] = ibis.ifelse(
        is_converted, ibis.least(joined.own_quoted, joined.to_quoted), ibis.null("date")
    )
    changed[_SOURCE] = ibis.ifelse(is_converted, joined.own_source, ibis.null("string"))
    return joined.select(**({column: joined[column] for column in columns} | changed))


def _cut(expression: str, grain: str) -> str:
    """Return the first day of the period that a day or moment is in.

    DuckDB cuts a day to a moment, so both are cut as moments and made days.
    """
    if grain == "day":
        return f"({expression}).cast('date')"
    return f"({expression}).cast('timestamp').truncate({GRAINS[grain]!r}).date()"


def _needed_measures(
    stated: Mapping[str, Any], asked: Iterable[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the measures that are asked for or needed by them, and those calculated of them."""
    own = {
        ROW_COUNT: "_.count()",
        RATE_SOURCE: f"_.{_SOURCE}.max()",
        QUOTED_FIRST: f"_.{_QUOTED}.min()",
        QUOTED_LAST: f"_.{_QUOTED}.max()",
    }
    measures: dict[str, str] = {}
    calculated: dict[str, str] = {}
    pending = list(asked)
    while pending:
        name = pending.pop()
        if name in own or name.startswith(_RATELESS):
            measures[name] = own.get(name, f"_.{name}.min()")
        elif name in stated["measures"]:
            measures[name] = _expression(stated["measures"][name])
        elif name not in calculated:
            calculated[name] = _expression(stated["calculated_measures"][name])
            pending += sorted(fields_of(calculated[name]))
    return measures, calculated


def _day_column(stated: Mapping[str, Any]) -> str:
    """Return the column that dates a model's rows, which has the name of its dimension."""
    (day,) = (
        name
        for name, entry in stated["dimensions"].items()
        if entry["metadata"].get("default_time")
    )
    return str(day)


def _expression(entry: Any) -> str:
    return str(entry["expr"])
