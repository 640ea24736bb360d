"""What a reader or simulator hands over to be landed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

import pyarrow as pa

from martlet.contracts.base import LoadMode

Loader = Literal["native", "airbyte"]
ROW_NUMBER = "_martlet_row"
EXTRACTED_AT = "_martlet_extracted_at"


@dataclass(frozen=True)
class RejectedRow:
    """A record that does not fit its contract; `row_number` is its 0-based place in what came."""

    row_number: int
    error: str
    path: str | None
    raw_record: str


@dataclass(frozen=True)
class SpilledRows:
    """Rows that wait outside of memory; `tables` reads them anew each time, in order."""

    schema: pa.Schema
    num_rows: int
    tables: Callable[[], Iterator[pa.Table]]

    def changed(self, schema: pa.Schema, change: Callable[[pa.Table], pa.Table]) -> "SpilledRows":
        """Return the rows as `change` makes them, table by table, when they are read."""
        return replace(self, schema=schema, tables=lambda: map(change, self.tables()))


@dataclass(frozen=True)
class LandedBatch:
    """The records of one object that were received together.

    `rows` has the contract version's whole Arrow schema, then a column of JSON texts for each field
    that the contract does not know, then `_martlet_row`, the record's place in what came.
    `is_complete` says that `mode`'s scope was fetched whole: only then is what lacks gone.
    `extracted_at` is UTC without a zone.
    """

    platform: str
    connection: str
    object: str
    loader: Loader
    rows: pa.Table | SpilledRows
    rejected: tuple[RejectedRow, ...]
    mode: LoadMode
    is_complete: bool
    scope_accounts: tuple[str, ...]
    scope_start: date | None
    scope_end: date | None
    extracted_at: datetime
    erased: int = 0  # records of erased persons, which were dropped

    @property
    def received(self) -> int:
        return int(self.rows.num_rows) + len(self.rejected) + self.erased


@dataclass(frozen=True)
class Progress:
    """One object has reached a stage of its landing."""

    stage: Literal["read", "landed"]
    platform: str
    connection: str
    object: str
    rows: int


ProgressCallback = Callable[[Progress], None]
