"""What the standard vocabulary is made of, and what kind of number a measure gives.

Expressions are Boring Semantic Layer's: over `_`, the table or, in a ratio, its measures.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from martlet.star_schema import CanonicalColumn, StarTable

Unit = Literal["money", "count", "ratio", "money_per_count"]
NumberType = Literal["bigint", "decimal", "double"]

MONEY = "decimal(18,6)"
MONEY_UNITS = frozenset({"money", "money_per_count"})
# Amounts that are money, in the `currency` of their row; other numbers are counts.
MONEY_COLUMNS = frozenset(
    {
        "spend",
        "conversion_value",
        "total_price",
        "subtotal",
        "discount",
        "tax",
        "shipping",
        "refunded",
        "session_revenue",
        "revenue",
        "refunded_amount",
    }
)
# What each platform claims for itself: two platforms may claim the same sale.
CLAIMED_COLUMNS = frozenset({"conversions", "conversion_value"})


@cache
def fields_of(expression: str) -> frozenset[str]:
    """Return the columns, or measures, that an expression over `_` reads."""
    tree = ast.parse(expression, mode="eval")
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "_"
        and id(node) not in called  # `_.count()` counts rows, it reads no column
    )


@dataclass(frozen=True)
class Nature:
    """What kind of number a measure gives. `domains` are those that its columns come from."""

    unit: Unit
    type: NumberType
    of_money: bool = False
    is_claimed: bool = False
    domains: frozenset[str] = frozenset()
    is_ratio: bool = False

    @property
    def is_blended(self) -> bool:
        """Say whether it divides numbers of different domains."""
        return self.is_ratio and len(self.domains) > 1

    def over(self, other: "Nature") -> "Nature | None":
        """Return the nature of a ratio, or None for a count over money, which has no unit."""
        above, below = self.unit in MONEY_UNITS, other.unit in MONEY_UNITS
        if below and not above:
            return None
        return Nature(
            unit="money_per_count" if above and not below else "ratio",
            type="double",
            of_money=below or self.of_money or other.of_money,
            is_claimed=self.is_claimed or other.is_claimed,
            domains=self.domains | other.domains,
            is_ratio=True,
        )


@dataclass(frozen=True)
class Dimension:
    """One dimension; it has the name of its column."""

    column: CanonicalColumn
    label: str

    @property
    def type(self) -> str:
        """Return the type without its precision."""
        return self.column.type.partition("(")[0]


@dataclass(frozen=True)
class Measure:
    """One number that is aggregated from rows."""

    name: str
    label: str
    unit: Unit
    expr: str
    description: str
    type: NumberType = "bigint"

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns that it needs."""
        return fields_of(self.expr)


@dataclass(frozen=True)
class Ratio:
    """One measure over another, `per` times; nothing over zero is nothing, not an error."""

    name: str
    label: str
    numerator: str
    denominator: str
    description: str
    per: int = 1

    @property
    def expr(self) -> str:
        """Return the expression over the two measures."""
        factor = f" * {self.per}" if self.per != 1 else ""
        return f"_.{self.numerator}{factor} / _.{self.denominator}.nullif(0)"


@dataclass(frozen=True)
class Join:
    """A dimension table; each row of the fact has one row of it at most, so nothing fans out.

    The mart makes the `key` of the columns that it is `made_of`.
    """

    model: str
    key: str
    made_of: tuple[str, ...]


@dataclass(frozen=True)
class StandardModel:
    """One semantic model. `day` is its own time dimension.

    `table` is None for what exists only in a mart; `domains` gives the domain of a column where it
    is not that of the whole table.
    """

    name: str
    description: str
    grain: str
    columns: tuple[CanonicalColumn, ...]
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    ratios: tuple[Ratio, ...] = ()
    day: str | None = None
    table: StarTable | None = None
    joins: tuple[Join, ...] = ()
    domains: dict[str, str] = field(default_factory=dict)

    @cached_property
    def column(self) -> dict[str, CanonicalColumn]:
        """Return the columns by name; documents are none, they can only be counted apart."""
        return {column.name: column for column in self.columns if column.type != "json"}

    @cached_property
    def natures(self) -> dict[str, Nature]:
        """Return what kind of number each measure and ratio gives."""
        natures = {
            measure.name: Nature(
                unit=measure.unit,
                type=measure.type,
                is_claimed=bool(measure.columns & CLAIMED_COLUMNS),
                domains=self.domains_of(measure.columns),
            )
            for measure in self.measures
        }
        for ratio in self.ratios:
            nature = natures[ratio.numerator].over(natures[ratio.denominator])
            assert nature is not None, ratio.name
            natures[ratio.name] = nature
        return natures

    @cached_property
    def field_names(self) -> frozenset[str]:
        """Return the names of all dimensions and measures."""
        return frozenset(dimension.column.name for dimension in self.dimensions) | set(self.natures)

    def domains_of(self, columns: Iterable[str]) -> frozenset[str]:
        """Return the domains that columns come from."""
        if self.table is not None:
            return frozenset({self.table.domain})
        return frozenset(self.domains[name] for name in columns if name in self.domains)


def dimensions(
    columns: tuple[CanonicalColumn, ...], labels: dict[str, str]
) -> tuple[Dimension, ...]:
    """Return the columns that are dimensions, with their labels."""
    known = {column.name: column for column in columns}
    return tuple(Dimension(known[name], label) for name, label in labels.items())
