"""What can be asked: the one form of a question for every door. Bad ones are refused here."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    model_validator,
)

from martlet.config.filters import Operator

MAX_FIELDS = 40
MAX_FILTERS = 40
MAX_LIST = 1_000
MAX_TEXT = 2_000
DEFAULT_ROWS = 1_000
MAX_ROWS = 100_000

Grain = Literal["day", "week", "month", "quarter", "year"]
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")]
Text = Annotated[StrictStr, Field(max_length=MAX_TEXT)]
Scalar = StrictBool | StrictInt | StrictFloat | Text
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Asked(BaseModel):
    """Base of all questions: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _filter_from_list(value: Any) -> Any:
    if isinstance(value, list | tuple) and len(value) in (2, 3):
        return dict(zip(("field", "op", "value"), value, strict=False))
    return value


def _order_from_short(value: Any) -> Any:
    if isinstance(value, str):
        return {
            "field": value.removeprefix("-"),
            "direction": "desc" if value[:1] == "-" else "asc",
        }
    if isinstance(value, list | tuple) and len(value) == 2:
        return {"field": value[0], "direction": value[1]}
    return value


def _refuse_repeats(**lists: list[str]) -> None:
    for name, given in lists.items():
        if len(set(given)) != len(given):
            raise ValueError(f"{name} names a field twice")


class Condition(Asked):
    """One condition; on a dimension it chooses rows, on a measure it chooses groups."""

    field: Name
    op: Operator
    value: Scalar | Annotated[list[Scalar], Field(min_length=1, max_length=MAX_LIST)] | None = None

    @model_validator(mode="after")
    def _match_value_and_operator(self) -> "Condition":
        if self.op in ("is_null", "is_not_null"):
            if self.value is not None:
                raise ValueError(f"op {self.op!r} takes no value")
        elif self.op in ("in", "not_in"):
            if not isinstance(self.value, list):
                raise ValueError(f"op {self.op!r} needs a list of values")
        elif self.value is None or isinstance(self.value, list):
            raise ValueError(f"op {self.op!r} needs one value")
        elif self.op in ("contains", "not_contains") and not isinstance(self.value, str):
            raise ValueError(f"op {self.op!r} needs a text")
        return self


class TimeRange(Asked):
    """Days from `start` to `end`, both included. With a `grain` the answer is per that period."""

    field: Name | None = Field(default=None, description="Default: the model's own day.")
    start: date | None = None
    end: date | None = None
    grain: Grain | None = None

    @model_validator(mode="after")
    def _begin_before_end(self) -> "TimeRange":
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"start {self.start} is after end {self.end}")
        return self


class Order(Asked):
    """Sort by a field of the answer; nulls come last either way."""

    field: Name
    direction: Literal["asc", "desc"] = "asc"


Filters = Annotated[
    list[Annotated[Condition, BeforeValidator(_filter_from_list)]], Field(max_length=MAX_FILTERS)
]
Orders = Annotated[
    list[Annotated[Order, BeforeValidator(_order_from_short)]], Field(max_length=MAX_FIELDS)
]
Names = Annotated[list[Name], Field(max_length=MAX_FIELDS)]


class Query(Asked):
    """Measures of a model by dimensions. Without measures: the distinct values of dimensions."""

    model: Name
    measures: Names = []
    dimensions: Names = []
    filters: Filters = []
    time: TimeRange | None = None
    order: Orders = []
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_ROWS)] = DEFAULT_ROWS
    cursor: Annotated[StrictStr, Field(max_length=8_000)] | None = None
    convert_to: CurrencyCode | None = None
    totals: StrictBool = False

    @model_validator(mode="after")
    def _ask_something(self) -> "Query":
        if not self.measures and not self.dimensions:
            raise ValueError("name at least one measure or dimension")
        _refuse_repeats(measures=self.measures, dimensions=self.dimensions)
        return self


class Comparison(Asked):
    """The same measures in two periods. `previous` defaults to as many days just before."""

    model: Name
    measures: Annotated[list[Name], Field(min_length=1, max_length=MAX_FIELDS)]
    dimensions: Names = []
    filters: Filters = []
    current: TimeRange
    previous: TimeRange | None = None
    limit: Annotated[StrictInt, Field(ge=1, le=MAX_ROWS)] = DEFAULT_ROWS
    convert_to: CurrencyCode | None = None

    @model_validator(mode="after")
    def _need_days(self) -> "Comparison":
        _refuse_repeats(measures=self.measures, dimensions=self.dimensions)
        for name, period in (("current", self.current), ("previous", self.previous)):
            if period is None:
                continue
            if period.start is None or period.end is None:
                raise ValueError(f"{name} needs start and end")
            if period.grain is not None:
                raise ValueError(f"{name} takes no grain")
        return self


class ValueSearch(Asked):
    """Values of a dimension that contain a text, whatever the case; the most frequent first."""

    model: Name
    dimension: Name
    search: Text = ""
    limit: Annotated[StrictInt, Field(ge=1, le=1_000)] = 50
