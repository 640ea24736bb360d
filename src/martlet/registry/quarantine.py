"""What is held back: whole tables and single rows, and what operators decided on rows."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import md5

from duckdb import DuckDBPyConnection

from martlet.errors import BadInputError

ROWS = "ops.platform_ops__quarantine_rows"
ROW_DECISIONS = "ops.platform_ops__quarantine_decisions"
LEDGER = "ops.platform_ops__push_ledger"
_SHORTEST_ID = 6


@dataclass(frozen=True)
class QuarantinedTable:
    """A landed table that may not be pushed, by the newest routing decision on it."""

    tenant: str
    table: str
    platform: str
    object: str
    connection: str
    verdict: str
    reason: str | None
    decided_at: datetime


@dataclass(frozen=True)
class QuarantinedRow:
    """A refused record. `id` is stable: of tenant, table, load, row and error."""

    id: str
    tenant: str
    platform: str
    connection: str
    object: str
    table: str
    load_id: str
    load_row: int
    error: str
    path: str | None
    quarantined_at: datetime
    status: str  # open, replayed, discarded
    reason: str | None = None
    decided_by: str | None = None
    replayed_load_id: str | None = None
    replayed_load_row: int | None = None


@dataclass(frozen=True)
class Replayed:
    """Where a quarantined row has landed again."""

    row: QuarantinedRow
    load_id: str
    load_row: int


def row_id(tenant: str, table: str, load_id: str, load_row: int, error: str) -> str:
    """Return the id of a quarantined row."""
    document = json.dumps([tenant, table, load_id, load_row, error], ensure_ascii=False)
    return md5(document.encode(), usedforsecurity=False).hexdigest()


def quarantined_tables(
    warehouse: DuckDBPyConnection, tenant: str | None = None
) -> tuple[QuarantinedTable, ...]:
    """Return the tables whose newest routing decision lets nothing through."""
    if not _exists(warehouse, "platform", "routing_decisions"):
        return ()
    rows = warehouse.execute(
        """
        select
            tenant_slug, landed_table, source_platform, object, connection, verdict, reason,
            decided_at
        from platform.routing_decisions
        qualify
            row_number() over (
                partition by tenant_slug, landed_table, object, connection
                order by decided_at desc, rowid desc
            ) = 1
            and master_model is null
            and coalesce(tenant_slug = $tenant, true)
        order by tenant_slug, landed_table
        """,
        {"tenant": tenant},
    ).fetchall()
    return tuple(QuarantinedTable(*row) for row in rows)


def quarantined_rows(
    warehouse: DuckDBPyConnection, tenant: str | None = None
) -> tuple[QuarantinedRow, ...]:
    """Return the refused rows, the newest first, each with what was last decided on it."""
    if not _exists(warehouse, "ops", "platform_ops__quarantine_rows"):
        return ()
    _require_decisions(warehouse)
    decided = {
        row[0]: row[1:]
        for row in warehouse.execute(
            "select quarantine_id, decision, reason, decided_by, replayed_load_id, "
            f"replayed_load_row from {ROW_DECISIONS} order by decided_at, rowid"
        ).fetchall()
    }
    rows = warehouse.execute(
        f"""
        with tables as (
            select distinct
                tenant_slug, source_platform, connection, object, load_id, landed_table
            from {LEDGER}
        )
        select
            q.tenant_slug, q.source_platform, q.connection, q.object, t.landed_table, q.load_id,
            q.load_row, q.error, q.path, q.quarantined_at
        from {ROWS} as q
        left join tables as t
            on t.tenant_slug = q.tenant_slug and t.source_platform = q.source_platform
            and t.connection = q.connection and t.object = q.object and t.load_id = q.load_id
        where coalesce(q.tenant_slug = $tenant, true)
        order by q.quarantined_at desc, q.tenant_slug, t.landed_table, q.load_id, q.load_row
        """,
        {"tenant": tenant},
    ).fetchall()
    found = []
    for slug, platform, connection, object_, table, load_id, load_row, error, path, at in rows:
        identity = row_id(slug, table or "", load_id, load_row, error)
        status, *more = decided.get(identity, ("open",))
        found.append(
            QuarantinedRow(
                identity, slug, platform, connection, object_, table or "", load_id, load_row,
                error, path, at, status, *more,
            )
        )  # fmt: skip
    return tuple(found)


def find_row(rows: Sequence[QuarantinedRow], wanted: str) -> QuarantinedRow:
    """Return the row of an id or of the beginning of one; raises `BadInputError` for none."""
    if len(wanted) < _SHORTEST_ID:
        raise BadInputError(
            f"{wanted!r} is too short: give at least {_SHORTEST_ID} characters of the id",
            where="martlet quarantine",
            remedy="martlet quarantine list",
        )
    found = [row for row in rows if row.id.startswith(wanted.lower())]
    if len(found) != 1:
        what = "several quarantined rows begin" if found else "no quarantined row begins"
        raise BadInputError(
            f"{what} with {wanted!r}",
            where="martlet quarantine",
            remedy="martlet quarantine list --json gives whole ids",
        )
    return found[0]


def raw_record(warehouse: DuckDBPyConnection, row: QuarantinedRow) -> str:
    """Return the record as it came."""
    (record,) = warehouse.execute(
        f"select raw_record from {ROWS} where tenant_slug = ? and source_platform = ? "
        "and connection = ? and object = ? and load_id = ? and load_row = ? and error = ? limit 1",
        [
            row.tenant,
            row.platform,
            row.connection,
            row.object,
            row.load_id,
            row.load_row,
            row.error,
        ],
    ).fetchall()
    return str(record[0])


def discard(
    warehouse: DuckDBPyConnection, rows: Iterable[QuarantinedRow], *, reason: str, decided_by: str
) -> None:
    """Append that the rows are given up; they stay in the table and in the ledger's sum.

    Raises `BadInputError` for a row that has landed again.
    """
    chosen = tuple(rows)
    for row in chosen:
        _refuse_replayed(row)
    warehouse.begin()
    for row in chosen:
        _decide(warehouse, row, "discarded", reason, decided_by)
    warehouse.commit()


def record_replay(
    warehouse: DuckDBPyConnection, replayed: Sequence[Replayed], *, decided_by: str
) -> None:
    """Append that rows have landed again, and to the ledger that their loads hold them no more.

    The old load's row is known by the new load, which will be pushed and counted like any other:
    the old load's sum stays what landed, and nothing that was written is edited.
    """
    freed = Counter(
        (r.row.tenant, r.row.platform, r.row.connection, r.row.object, r.row.load_id, r.row.table)
        for r in replayed
    )
    warehouse.begin()
    for again in replayed:
        _decide(
            warehouse,
            again.row,
            "replayed",
            None,
            decided_by,
            load_id=again.load_id,
            load_row=again.load_row,
        )
    for place, count in freed.items():
        warehouse.execute(
            f"insert into {LEDGER} (tenant_slug, source_platform, connection, object, load_id, "
            "landed_table, load_mode, rows_landed, rows_pushed, rows_known, rows_quarantined, "
            "rows_erased, rows_tombstoned, pushed_at) values (?, ?, ?, ?, ?, ?, 'replay', 0, 0, "
            "?, ?, 0, 0, cast(current_timestamp at time zone 'UTC' as timestamp))",
            [*place, count, -count],
        )
    warehouse.commit()


def refuse_replayed(rows: Iterable[QuarantinedRow]) -> None:
    """Raise `BadInputError` for a row that has landed again already."""
    for row in rows:
        _refuse_replayed(row)


def _refuse_replayed(row: QuarantinedRow) -> None:
    if row.status == "replayed":
        raise BadInputError(
            f"the row has landed again already, in load {row.replayed_load_id}",
            where=f"martlet quarantine {row.id}",
            remedy="martlet quarantine list shows the rows that are open",
        )


def _decide(
    warehouse: DuckDBPyConnection,
    row: QuarantinedRow,
    decision: str,
    reason: str | None,
    decided_by: str,
    *,
    load_id: str | None = None,
    load_row: int | None = None,
) -> None:
    warehouse.execute(
        f"insert into {ROW_DECISIONS} (quarantine_id, tenant_slug, decision, reason, decided_by, "
        "replayed_load_id, replayed_load_row, decided_at) values (?, ?, ?, ?, ?, ?, ?, "
        "cast(current_timestamp at time zone 'UTC' as timestamp))",
        [row.id, row.tenant, decision, reason, decided_by, load_id, load_row],
    )


def _require_decisions(warehouse: DuckDBPyConnection) -> None:
    if not _exists(warehouse, "ops", "platform_ops__quarantine_decisions"):
        raise BadInputError(
            "the warehouse was built before decisions on rows were kept",
            where=ROW_DECISIONS,
            remedy="martlet run",
        )


def _exists(warehouse: DuckDBPyConnection, schema: str, table: str) -> bool:
    found = warehouse.execute(
        "select count(*) from duckdb_tables() where database_name = current_database() "
        "and schema_name = ? and table_name = ?",
        [schema, table],
    ).fetchone()
    return bool(found and found[0])
