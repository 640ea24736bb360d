"""The documents that are answered, for OpenAPI: answers are built as plain values, and fast."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Cell = str | float | bool | list[Any] | dict[str, Any] | None


class Document(BaseModel):
    """Base of all documents; a later version may have more members."""

    model_config = ConfigDict(extra="allow")


class Column(Document):
    """One column of the rows."""

    name: str
    label: str
    type: str
    role: Literal["dimension", "measure", "time"]
    unit: str | None = Field(description="An ISO 4217 currency, `count`, `ratio`, or null.")
    unit_column: str | None = Field(description="The column that holds each row's currency.")
    description: str


class Warned(Document):
    """What the reader of an answer must know; `code` is stable."""

    code: str
    message: str


class Source(Document):
    """One object of a connection, and how fresh it is."""

    source_platform: str
    connection: str
    object: str
    extracted_at: datetime | None
    pushed_at: datetime | None
    is_held: bool = Field(description="The rows are the last good ones, not the newest.")
    held_because: str | None


class FreshnessInShort(Document):
    """When the data of an answer are from; `stale` names the sources that are held."""

    data_version: str
    published_at: datetime
    as_of: datetime | None = Field(description="Up to then every source is in.")
    stale: list[Source]


class FreshnessReport(Document):
    """When the tenant's data are from, source by source."""

    data_version: str
    published_at: datetime
    as_of: datetime | None
    sources: list[Source]


class TabularAnswer(Document):
    """Columns and rows, and what to know about them."""

    model: str
    columns: list[Column]
    rows: list[list[Cell]] = Field(description="One list a row, in the order of `columns`.")
    row_count: int
    truncated: bool = Field(description="There are more rows; `next_cursor` leads to them.")
    next_cursor: str | None
    data_version: str
    freshness: FreshnessInShort
    warnings: list[Warned]
    totals: dict[str, Any] | None


class ExplainedQuery(Document):
    """The SQL that answers a query; values stand apart from it."""

    sql: str
    parameters: dict[str, Any]
    data_version: str
    warnings: list[Warned]


class ModelHead(Document):
    """What a model is about, and what its rows span."""

    model: str
    description: str
    grain: str
    time_dimension: str | None
    currencies: list[str]
    has_unknown_currency: bool
    platforms: list[str]
    time_zones: list[str]
    first_day: date | None
    last_day: date | None
    row_count: int


class ModelInList(ModelHead):
    """A model with the names of its fields."""

    dimensions: list[str]
    measures: list[str]


class ModelList(Document):
    """The semantic models of the tenant."""

    tenant: str
    data_version: str
    models: list[ModelInList]


class DimensionDocument(Document):
    """A field to group and filter by."""

    name: str
    label: str
    type: str
    description: str
    personal: bool = Field(description="Shown as a pseudonym unless the key has the scope pii.")
    grains: list[str]
    operators: list[str]


class MeasureDocument(Document):
    """A field that is computed over rows."""

    name: str
    label: str
    type: str
    unit: str | None
    description: str
    claimed: bool = Field(description="What platforms claim; several may claim the same sale.")
    blended: bool = Field(description="Puts together what different kinds of sources report.")


class ModelDocument(ModelHead):
    """One semantic model: what can be asked of it."""

    dimensions: list[DimensionDocument]
    measures: list[MeasureDocument]
    joins: list[str]
    data_version: str


class ObservedColumn(Document):
    """One column of the operational rows."""

    name: str
    type: str


class Observed(Document):
    """Operational rows, the newest first."""

    subject: str
    columns: list[ObservedColumn]
    rows: list[list[Cell]]
    row_count: int
    truncated: bool
    next_cursor: str | None
    data_version: str
    published_at: datetime


class Health(Document):
    """How the server is; `warnings` say what does not keep it from answering."""

    status: Literal["ok"]
    warnings: list[str] = []


class WrongField(Document):
    """What is wrong with one field of the question."""

    field: str
    message: str
    value: str | float | bool | None = None


class Problem(Document):
    """Every error (RFC 9457); `code` is stable, texts may be reworded."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: Annotated[str, Field(description="The same as in X-Request-Id and in the log.")]
    reason: str | None = Field(None, description="Why access is refused, in one stable word.")
    errors: list[WrongField] = []


DOCUMENTS: tuple[type[BaseModel], ...] = (
    TabularAnswer,
    ExplainedQuery,
    ModelList,
    ModelDocument,
    FreshnessReport,
    Observed,
    Health,
    Problem,
)
