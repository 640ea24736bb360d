"""What the service answers: the same for every door."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Caution:
    """Something that the reader of an answer must know; `code` is stable."""

    code: str
    message: str


@dataclass(frozen=True)
class AnswerColumn:
    """One column. `unit` is an ISO currency, `count`, `ratio`, or None; with `unit_column` the
    currency of each row is in that column."""

    name: str
    label: str
    type: str
    role: str  # dimension, measure or time
    unit: str | None = None
    unit_column: str | None = None
    description: str = ""


@dataclass(frozen=True)
class SourceFreshness:
    """How fresh one object of a connection is; a held one shows the last good rows."""

    source_platform: str
    connection: str
    object: str
    extracted_at: datetime | None
    pushed_at: datetime | None
    is_held: bool = False
    held_because: str | None = None


@dataclass(frozen=True)
class Freshness:
    """`as_of` is the oldest of the newest extractions: up to then everything is in."""

    data_version: str
    published_at: datetime
    as_of: datetime | None
    sources: tuple[SourceFreshness, ...] = ()


@dataclass(frozen=True)
class Answer:
    """Rows as an Arrow table, money in exact decimals, moments in UTC without a zone."""

    tenant: str
    model: str
    columns: tuple[AnswerColumn, ...]
    table: pa.Table
    data_version: str
    freshness: Freshness
    truncated: bool = False
    next_cursor: str | None = None
    warnings: tuple[Caution, ...] = ()
    totals: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """The SQL of a query, its values apart from it, as `$name` and value."""

    sql: str
    parameters: dict[str, Any]
    data_version: str
    warnings: tuple[Caution, ...] = ()
