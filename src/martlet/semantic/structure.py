"""A question without its values: what decides the SQL, and nothing else. Values are bound later."""

from dataclasses import dataclass, replace

from martlet.semantic.typed import Kind

# Names of bound values: letters, then digits.
PSEUDONYM_KEY = "pseudonymkey"
CONVERT_TO = "convertto"
START = "start"
END = "end"


@dataclass(frozen=True)
class Grouping:
    """One dimension of the answer: a field, the period it is cut to, whether it is disguised."""

    field: str
    kind: Kind
    grain: str | None = None
    is_pseudonym: bool = False


@dataclass(frozen=True)
class Aggregate:
    """One measure of the answer."""

    field: str
    kind: Kind


@dataclass(frozen=True)
class Predicate:
    """One condition; its value is bound as `parameter`, a list where the operator takes one."""

    field: str
    kind: Kind
    op: str
    parameter: str


@dataclass(frozen=True)
class Days:
    """A range of days; of moments the whole last day is in it."""

    field: str
    kind: Kind
    has_start: bool
    has_end: bool


@dataclass(frozen=True)
class Sorting:
    """One field that rows are sorted by; nulls come last either way."""

    field: str
    kind: Kind
    is_descending: bool = False


@dataclass(frozen=True)
class After:
    """Where a page begins: after the row with these order values, or after a number of rows.

    `nulls` says which of the order values is null; empty means that rows are counted instead.
    """

    nulls: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Structure:
    """What decides the SQL of one question. `computed` are measures that only conditions need."""

    model: str
    dimensions: tuple[Grouping, ...] = ()
    measures: tuple[Aggregate, ...] = ()
    computed: tuple[Aggregate, ...] = ()
    rows: tuple[Predicate, ...] = ()
    groups: tuple[Predicate, ...] = ()
    days: Days | None = None
    order: tuple[Sorting, ...] = ()
    after: After | None = None
    is_limited: bool = True
    is_converted: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the columns of the answer, in their order."""
        return (*(part.field for part in self.dimensions), *(part.field for part in self.measures))

    @property
    def needed_fields(self) -> frozenset[str]:
        """Return every dimension that the SQL reads."""
        read = {part.field for part in self.dimensions} | {each.field for each in self.rows}
        return frozenset(read | {self.days.field} if self.days else read)

    def without_rows(self, *measures: Aggregate) -> "Structure":
        """Return the question for single numbers over all rows that fulfil the conditions."""
        return replace(
            self,
            dimensions=(),
            measures=measures or self.measures,
            computed=(),
            groups=(),
            order=(),
            after=None,
            is_limited=False,
        )

    def half(self) -> "Structure":
        """Return the question for all groups, in no order."""
        return replace(self, order=(), after=None, is_limited=False)


def row_value(number: int) -> str:
    """Return the name of the value of a condition on rows."""
    return f"row{number:02}"


def group_value(number: int) -> str:
    """Return the name of the value of a condition on groups."""
    return f"group{number:02}"


def last_value(number: int) -> str:
    """Return the name of an order value of the last row seen."""
    return f"last{number:02}"
