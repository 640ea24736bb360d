"""How the data came to be, read from the tenant's newest operational snapshot."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Never

import pyarrow as pa

from martlet.api.replies import Content
from martlet.marts.store import Mart, MartStore
from martlet.semantic.errors import QueryRefusedError

DEFAULT_ROWS = 100
MAX_ROWS = 1_000
_MAX_OFFSET = 10_000_000
LONGEST_CURSOR = 400
_TYPES = """
select column_name, lower(data_type) from duckdb_columns()
where database_name = $catalog and schema_name = 'main' and table_name = $table
"""


@dataclass(frozen=True)
class Subject:
    """One kind of operational rows: its table, and what makes a row new."""

    table: str
    newest_by: str


SUBJECTS = {
    "runs": Subject("runs", "started_at"),
    "run-results": Subject("run_results", "captured_at"),
    "models": Subject("models", "captured_at"),
    "tests": Subject("tests", "captured_at"),
    "schema-history": Subject("schema_history", "seen_at"),
    "ledger": Subject("ledger", "pushed_at"),
    "quarantine": Subject("quarantine_rows", "quarantined_at"),
    "quarantined-tables": Subject("quarantined_tables", "decided_at"),
    "routing": Subject("routing_decisions", "decided_at"),
    "audits": Subject("audits", "audited_at"),
}


@dataclass(frozen=True)
class Bounds:
    """How long the reading may take and how much it may give."""

    seconds: float
    max_bytes: int


def observe(
    store: MartStore,
    tenant: str,
    subject: str,
    *,
    limit: int,
    cursor: str | None,
    bounds: Bounds,
) -> Content:
    """Return the newest rows, or those after a cursor; all pages come from one snapshot.

    Raises `QueryRefusedError` for a cursor that is not ours, and the errors of the store.
    """
    source = SUBJECTS[subject]
    version, offset = _read_cursor(cursor, subject) if cursor is not None else (None, 0)
    with store.open(tenant, version) as snapshot:
        types: dict[str, str] = dict(
            snapshot.fetch_rows(
                _TYPES, {"catalog": snapshot.catalog, "table": source.table}, bounds.seconds
            )
        )
        table = snapshot.fetch_arrow(
            _sql(snapshot, source),
            {"rows": limit + 1, "offset": offset},
            seconds=bounds.seconds,
            max_bytes=bounds.max_bytes,
        )
        ((published_at,),) = snapshot.fetch_rows(
            f'select published_at from "{snapshot.catalog}"."main"."snapshot_info"',
            {},
            bounds.seconds,
        )
    is_cut = table.num_rows > limit
    document = {
        "subject": subject,
        "columns": [{"name": name, "type": types[name]} for name in table.column_names],
        "rows": None,
        "row_count": min(table.num_rows, limit),
        "truncated": is_cut,
        "next_cursor": _cursor(snapshot.version, subject, offset + limit) if is_cut else None,
        "data_version": snapshot.version,
        "published_at": published_at,
    }
    json_columns = [name for name, type_ in types.items() if type_ == "json"]
    return Content(snapshot.version, document, _as_json(table.slice(0, limit), json_columns))


def _as_json(table: pa.Table, names: list[str]) -> pa.Table:
    """Return the table with these columns typed as JSON; the database gives them as text."""
    for name in names:
        texts = table[name].combine_chunks()
        typed = pa.ExtensionArray.from_storage(pa.json_(), texts)
        table = table.set_column(table.column_names.index(name), name, typed)
    return table


def _sql(snapshot: Mart, subject: Subject) -> str:
    """Return a query whose order is total: rows that are equally new are ordered as a whole."""
    return (
        f'select * from "{snapshot.catalog}"."main"."{subject.table}" as seen '
        f'order by seen."{subject.newest_by}" desc nulls last, seen '
        "limit $rows offset $offset"
    )


def _cursor(version: str, subject: str, offset: int) -> str:
    text = json.dumps([version, subject, offset], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str, subject: str) -> tuple[str, int]:
    if len(cursor) > LONGEST_CURSOR or not cursor.isascii():
        _refuse_cursor()
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found: Any = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        _refuse_cursor()
    if not isinstance(found, list) or len(found) != 3:
        _refuse_cursor()
    version, named, offset = found
    is_offset = isinstance(offset, int) and not isinstance(offset, bool)
    if not isinstance(version, str) or named != subject or not is_offset:
        _refuse_cursor()
    if not 0 <= offset <= _MAX_OFFSET:
        _refuse_cursor()
    return version, offset


def _refuse_cursor() -> Never:
    raise QueryRefusedError(
        "this cursor was not given for these rows",
        field="cursor",
        remedy="begin without a cursor, and follow next_cursor",
    )
