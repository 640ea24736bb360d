"""The replay: which versions the landings must have made.

Independent of the push. The push looks at one load after the other and at what is new; the replay
lays all landed rows of an object side by side, with what complete loads lack, and finds every
version in one ordered pass. Only records that an old load came late for go through `late.py`.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa
from duckdb import DuckDBPyConnection

from martlet.audit.landed import LandedTable, loads_query, rows_query
from martlet.audit.late import Record, Sighting, TakenLoad
from martlet.engines.duckdb_engine import quoted_text
from martlet.pipeline.audit import LEDGER

COUNTS = ("landed", "pushed", "known", "quarantined", "erased", "tombstoned")
_COVERS = """(
    not l.is_scoped
    or coalesce({day} between l.scope_start and l.scope_end, false)
    and (l.accounts = [] or coalesce(list_contains(l.accounts, {account}), true))
)"""


def place_of(table: LandedTable) -> str:
    """Return the condition for a connection's rows, in literals, so that a master is pruned."""
    return (
        f"tenant_slug = {quoted_text(table.tenant)} "
        f"and source_platform = {quoted_text(table.platform)} "
        f"and connection = {quoted_text(table.connection)}"
    )


def prepare_landed(warehouse: DuckDBPyConnection, tables: Sequence[LandedTable]) -> int:
    """Make the temporary tables `audit_loads` and `audit_rows` of one object's landed tables.

    They hold the loads up to the last one that the ledger knows, in the order they were pushed.
    Returns how many later ones wait for the next run.
    """
    queries = [
        f"select {number} as table_number, {quoted_text(table.table)} as landed_table, * "
        f"from ({loads_query(table)})"
        for number, table in enumerate(tables)
        if table.has_loads
    ]
    warehouse.execute(f"create or replace temp table audit_ledger as {_ledger_query(tables[0])}")
    if queries:
        warehouse.execute(
            "create or replace temp table audit_all_loads as "
            f"select * from ({' union all '.join(queries)})"
        )
        warehouse.execute(
            "create or replace temp table audit_loads as "
            "select *, row_number() over (order by load_id, table_number) as sequence "
            "from audit_all_loads as l where l.load_id <= ("
            "select max(g.load_id) from audit_ledger as g where g.landed_table = l.landed_table)"
        )
    rows = " union all ".join(rows_query(table, number) for number, table in enumerate(tables))
    if queries:
        rows = (
            f"select r.*, coalesce(l.sequence, 0) as sequence from ({rows}) as r "
            "left join audit_loads as l using (load_id, table_number) "
            "where l.load_id is not null or r.load_id is null"
        )
    else:
        rows = f"select *, cast(0 as bigint) as sequence from ({rows})"
    warehouse.execute(f"create or replace temp table audit_landed as {rows}")
    # A killed landing may have left a chunk twice: same load, same row.
    warehouse.execute(
        "create or replace temp view audit_rows as select * from audit_landed "
        "where rowid in (select min(rowid) from audit_landed group by sequence, load_row)"
        if _is_doubled(warehouse)
        else "create or replace temp view audit_rows as select * from audit_landed"
    )
    if not queries:
        return 0
    return number_of(
        warehouse,
        "select count(*) from audit_all_loads anti join audit_loads using (load_id, table_number)",
    )


def _ledger_query(table: LandedTable) -> str:
    return f"""
        select
            load_id, landed_table, count(*) as entries,
            {", ".join(f"cast(sum(rows_{name}) as bigint) as {name}" for name in COUNTS)}
        from {LEDGER}
        where {place_of(table)} and object = {quoted_text(table.object)}
            -- what a replay of quarantined rows moves between two terms of the sum
            and load_mode is distinct from 'replay'
        group by load_id, landed_table
    """


def _is_doubled(warehouse: DuckDBPyConnection) -> bool:
    return bool(
        number_of(
            warehouse,
            "select count(*) from (select 1 from audit_landed where load_id is not null "
            "group by sequence, load_row having count(*) > 1 limit 1)",
        )
    )


def expect_versions(warehouse: DuckDBPyConnection) -> None:
    """Make `audit_expected`: every version that the master must hold."""
    warehouse.execute(
        f"""
        create or replace temp table audit_events as
        select sequence, skey, extracted_at, load_row, record_hash, is_deleted, day, account,
            true as is_row
        from audit_rows
        where not is_rejected
        union all
        select l.sequence, k.skey, l.extracted_at, -1, null, null, null, null, false
        from (
            select skey, unnest(places) as place, first_sequence, first_moment
            from (
                select skey, list_distinct(list({{'day': day, 'account': account}})) as places,
                    min(sequence) as first_sequence, min(extracted_at) as first_moment
                from audit_rows
                where not is_rejected
                group by skey
            )
        ) as k
        inner join audit_loads as l
            on l.is_complete
            and (l.sequence > k.first_sequence or l.extracted_at > k.first_moment)
            and {_COVERS.format(day="k.place.day", account="k.place.account")}
        anti join audit_rows as r on r.skey = k.skey and r.sequence = l.sequence
        group by all
        """
    )
    warehouse.execute(
        """
        create or replace temp table audit_late as
        select distinct skey
        from (
            select skey, extracted_at < max(extracted_at) over (
                partition by skey order by sequence, extracted_at, load_row
                rows between unbounded preceding and 1 preceding
            ) as is_late
            from audit_events
        )
        where is_late
        """
    )
    warehouse.execute(
        f"""
        create or replace temp table audit_expected as
        with
        {_orderly_versions()}
        select load_id, load_row, skey, record_hash, is_deleted, extracted_at from versions
        """
    )
    _expect_late_versions(warehouse)


def _orderly_versions() -> str:
    """Return the steps from events in the order of time to versions.

    A row is a version where it differs from what was there, and a lack is one where something was.
    """
    return f"""
        ordered as (
            select *, last_value(
                case when is_row then {{
                    'record_hash': record_hash, 'is_deleted': is_deleted,
                    'day': day, 'account': account
                }} end ignore nulls
            ) over (
                partition by skey order by sequence, extracted_at, load_row
                rows between unbounded preceding and 1 preceding
            ) as there
            from audit_events
            anti join audit_late using (skey)
        ),
        effective as (
            select o.*, l.load_id
            from ordered as o
            inner join audit_loads as l using (sequence)
            where
                o.is_row
                or not o.there.is_deleted
                and {_COVERS.format(day="o.there.day", account="o.there.account")}
        ),
        changes as (
            select *, lag(is_row) over event as was_row, lag(record_hash) over event as hash_before
            from effective
            window event as (partition by skey order by sequence, extracted_at, load_row)
        ),
        versions as (
            select
                load_id, load_row, skey,
                case when is_row then record_hash
                    else cast(md5('gone ' || there.record_hash) as uuid) end as record_hash,
                not is_row or is_deleted as is_deleted,
                extracted_at
            from changes
            where case when is_row
                then not coalesce(was_row, false) or record_hash != hash_before else was_row end
        )
    """


def _expect_late_versions(warehouse: DuckDBPyConnection) -> None:
    found = warehouse.execute(
        "select skey, sequence, load_row, record_hash, is_deleted, extracted_at, day, account "
        "from audit_rows semi join audit_late using (skey) where not is_rejected "
        "order by skey, sequence, extracted_at, load_row"
    ).fetchall()
    if not found:
        return
    loads = [
        TakenLoad(sequence, load_id, complete, scoped, frozenset(accounts), start, end, moment)
        for sequence, load_id, complete, scoped, accounts, start, end, moment in warehouse.execute(
            "select sequence, load_id, is_complete, is_scoped, accounts, scope_start, scope_end, "
            "extracted_at from audit_loads order by sequence"
        ).fetchall()
    ]
    rows: list[dict[str, Any]] = [
        {
            "load_id": version.load_id,
            "load_row": version.row,
            "skey": skey,
            "record_hash": str(version.record_hash),
            "is_deleted": version.is_deleted,
            "extracted_at": version.extracted_at,
        }
        for skey, sightings in groupby(found, key=lambda row: row[0])
        for version in Record(loads).replay(Sighting(*sighting[1:]) for sighting in sightings)
    ]
    warehouse.register("late_versions", pa.Table.from_pylist(rows))
    warehouse.execute(
        "insert into audit_expected by name select * replace (cast(record_hash as uuid) as "
        "record_hash) from late_versions"
    )
    warehouse.unregister("late_versions")


def number_of(warehouse: DuckDBPyConnection, query: str) -> int:
    row = warehouse.execute(query).fetchone()
    assert row is not None
    return int(row[0])
