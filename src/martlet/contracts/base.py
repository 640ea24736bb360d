"""The words that contracts are written in: records, columns, keys, and how a load is fetched."""

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ColumnType = Literal[
    "varchar",
    "bigint",
    "decimal",  # decimal(18,6): money and fractional counts
    "double",
    "boolean",
    "json",
    "date",  # also reads 'YYYY-MM-DD hh:mm:ss' and 'YYYYMMDD'
    "timestamp",  # ISO 8601; an offset is applied, without one it is UTC already
    "local_timestamp",  # wall-clock time of the account or shop, zone not stated: never shifted
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "rfc2822",
    "year_month_day",  # LinkedIn's {"year": 2024, "month": 3, "day": 1}
]
LoadMode = Literal["upsert", "snapshot", "replace_scope"]


class LandedRecord(BaseModel):
    """One record as a loader lands it: every field optional, unknown fields kept."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, frozen=True)


class Nested(BaseModel):
    """An object inside a record: lands as JSON, unknown fields kept."""

    model_config = ConfigDict(extra="allow", populate_by_name=True, frozen=True)


def optional(alias: str | None = None, *, description: str | None = None) -> Any:
    """Declare a field that may be absent; `alias` is its wire name where Python cannot spell it."""
    return Field(default=None, alias=alias, description=description)


def personal(alias: str | None = None, *, subject: bool = False) -> Any:
    """Declare a field that holds personal data; `subject` marks what identifies the person."""
    return Field(
        default=None, alias=alias, json_schema_extra={"personal": True, "subject": subject}
    )


@dataclass(frozen=True)
class Column:
    """One typed column of the intermediate view and the JSON paths that it may be read from.

    `paths` are DuckDB JSON paths into the original record, one for each published shape, the wire
    form first: `("$.metrics.costMicros", '$."metrics.cost_micros"')`. The first that is not null
    wins. `list_key` reads one entry of a list of key/value objects (GA4's `event_params`): the
    entry whose `key` equals it, and of its `value` object the first non-null of `list_value`.
    """

    name: str
    type: ColumnType
    paths: tuple[str, ...]
    list_key: str | None = None
    list_value: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """One published shape of an object: as the API speaks (`native`) or as a loader types it.

    `signs` are patterns of texts that this loader alone writes, each with its field: where names
    and types fit several versions, they tell whose the records are.
    """

    loader: Literal["native", "airbyte"]
    record: type[LandedRecord]
    signs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Scope:
    """The columns that bound what a `replace_scope` load has fetched whole.

    `account` is None where a record does not state its account: the connection bounds it then.
    """

    date: str
    account: str | None = None


@dataclass(frozen=True)
class ObjectContract:
    """What Martlet knows of one object of a connector.

    `key` names the columns whose values, in this order, identify a record within a connection;
    empty for event streams that have no key (identity is then the record's own hash and its
    occurrence). `optional_key` are breakdowns that belong to the key but may be null. `needed` are
    the columns without which the facts would lie (a missing one holds their publication).
    `cursor` is the column that says when the record last changed, as far as the API tells.
    """

    object: str
    versions: tuple[Version, ...]
    columns: tuple[Column, ...]
    cursor: str | None
    key: tuple[str, ...] = ()
    optional_key: tuple[str, ...] = ()
    load_mode: LoadMode = "upsert"
    scope: Scope | None = None
    needed: tuple[str, ...] = field(default=())
