"""Makes expressions of a tenant's own measures, from parts that were checked with tenants.yaml."""

from collections.abc import Mapping

from martlet.config.filters import Filter
from martlet.config.semantics import ROWS, ExtraMeasure

_AGGREGATES = {
    "sum": "sum",
    "count": "count",
    "count_distinct": "nunique",
    "min": "min",
    "max": "max",
    "average": "mean",
}
# Null is no value: it is unequal to every value and in no list.
_CONDITIONS = {
    "eq": "(_.{field} == {value})",
    "ne": "~_.{field}.identical_to({value})",
    "in": "_.{field}.isin({value})",
    "not_in": "~_.{field}.isin({value}).coalesce(False)",
    "gt": "(_.{field} > {value})",
    "gte": "(_.{field} >= {value})",
    "lt": "(_.{field} < {value})",
    "lte": "(_.{field} <= {value})",
    "contains": "_.{field}.contains({value})",
    "not_contains": "~_.{field}.contains({value}).coalesce(False)",
    "is_null": "_.{field}.isnull()",
    "is_not_null": "_.{field}.notnull()",
}


def aggregate_expression(extra: ExtraMeasure, kind: str, column: str) -> str:
    """Return the expression of a measure that is no ratio, from its `aggregate`."""
    rows = " & ".join(_condition(condition) for condition in extra.filters)
    where = f"where={rows}" if rows else ""
    subject = "_" if column == ROWS else f"_.{column}"
    return f"{subject}.{_AGGREGATES[kind]}({where})"


def ratio_expression(numerator: str, denominator: str, formulas: Mapping[str, str]) -> str:
    """Return one measure over another. `formulas` are those of the measures that are ratios.

    A ratio of ratios is written out down to base measures.
    """
    above, below = (
        f"({formulas[name]})" if name in formulas else f"_.{name}"
        for name in (numerator, denominator)
    )
    return f"{above} / {below}.nullif(0)"


def _condition(condition: Filter) -> str:
    # Only a literal is ever put into the text: repr() of text, number, truth or a list of them.
    value = list(condition.value) if isinstance(condition.value, tuple) else condition.value
    return _CONDITIONS[condition.op].format(field=condition.field, value=repr(value))
