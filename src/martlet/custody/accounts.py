"""Settles the books after an erasure: what is gone is counted as erased, load by load."""

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.custody.find import Found
from martlet.engines.duckdb_engine import columns_of, quoted_name, quoted_text

_LEDGER = "ops.platform_ops__push_ledger"


def note_moved_rows(connection: DuckDBPyConnection, found: Found) -> None:
    """Note the new places of rows whose place is their number in the file."""
    connection.execute(
        "create or replace temp table moved_rows (platform varchar, connection varchar, "
        "load_id varchar, old_row bigint, new_row bigint)"
    )
    for number, table in enumerate(found.tables):
        if not table.has_loads or "_martlet_row" in table.folded:
            continue
        connection.execute(
            f"insert into moved_rows select {quoted_text(table.platform)}, "
            f"{quoted_text(table.connection)}, _dlt_load_id, rowid, "
            f"row_number() over (order by rowid) - 1 from {table.relation} where rowid not in "
            f"(select row_id from gone_landed where table_number = {number})"
        )


def settle_ledger(connection: DuckDBPyConnection, new: str, slug: str, found: Found) -> None:
    """Move the counts of what is gone to `rows_erased`; what landed stays what landed."""
    if not found.rows or not columns_of(connection, f"{new}.{_LEDGER}"):
        return
    _count_gone(connection, found)
    connection.execute(
        f"""
        update {new}.{_LEDGER} as l
        set
            rows_pushed = rows_pushed - g.pushed,
            rows_known = rows_known - (g.landed - g.pushed - g.rejected),
            rows_quarantined = rows_quarantined - g.rejected - g.refused,
            rows_erased = rows_erased + g.landed + g.refused,
            rows_tombstoned = rows_tombstoned - g.tombstoned
        from gone_counts as g
        where
            l.tenant_slug = {quoted_text(slug)}
            and l.source_platform = g.platform
            and l.connection = g.connection
            and l.object = g.object
            and l.landed_table = g.landed_table
            and l.load_id = g.load_id
            and l.load_mode is distinct from 'replay'
        """
    )
    for (platform, connection_slug, object_, place), count in found.replayed.items():
        load_id, _, table = place.partition(" ")
        connection.execute(
            f"update {new}.{_LEDGER} set rows_known = rows_known - {count}, "
            f"rows_quarantined = rows_quarantined + {count} where rowid = ("
            f"select min(rowid) from {new}.{_LEDGER} where tenant_slug = ? and source_platform = ? "
            "and connection = ? and object = ? and load_id = ? and landed_table = ? "
            "and load_mode = 'replay')",
            [slug, platform, connection_slug, object_, load_id, table],
        )


def settle_loads(connection: DuckDBPyConnection, new: str, slug: str, found: Found) -> None:
    """Let the landing's own record of its loads say what is there now; received stays received."""
    loads = f"{new}.{quoted_name(naming.landed_schema(slug))}._martlet_loads"
    if not columns_of(connection, loads):
        return
    for number, table in enumerate(found.tables):
        connection.execute(
            f"update {loads} as l set rows_accepted = rows_accepted - g.gone from ("
            "select load_id, count(*) as gone from gone_landed "
            f"where table_number = {number} group by 1) as g "
            f"where l.table_name = {quoted_text(table.table)} and l._dlt_load_id = g.load_id"
        )
    connection.execute(
        f"update {loads} as l set rows_accepted = rows_accepted - g.gone from ("
        "select table_name, load_id, count(*) as gone from gone_unknown group by all) as g "
        "where l.table_name = g.table_name and l._dlt_load_id = g.load_id"
    )
    connection.execute(
        f"update {loads} as l set rows_quarantined = rows_quarantined - g.gone from ("
        "select landed_table, load_id, count(*) as gone from gone_refused group by all) as g "
        "where l.table_name = g.landed_table and l._dlt_load_id = g.load_id"
    )


def _count_gone(connection: DuckDBPyConnection, found: Found) -> None:
    """Make `gone_counts`: of each load what is gone, by what the ledger counted it as."""
    connection.execute(
        "create or replace temp table gone_tables (table_number integer, platform varchar, "
        "object varchar, connection varchar, landed_table varchar, has_loads boolean)"
    )
    for number, table in enumerate(found.tables):
        connection.execute(
            "insert into gone_tables values (?, ?, ?, ?, ?, ?)",
            [
                number,
                table.platform,
                table.object,
                table.connection,
                table.table,
                table.has_loads,
            ],
        )
    connection.execute(
        f"""
        create or replace temp table gone_counts as
        with
        landed as (
            select t.*, g.load_id, count(*) as landed, count(*) filter (g.is_rejected) as rejected
            from gone_landed as g
            inner join gone_tables as t using (table_number)
            where t.has_loads
            group by all
        ),
        -- which table a version came from is known by its load; one object's tables share none
        versions as (
            select t.platform, t.object, t.connection, t.landed_table, m.load_id,
                count(*) filter (m.load_row >= 0) as pushed,
                count(*) filter (m.load_row < 0) as tombstoned
            from gone_master as m
            inner join (
                select distinct source_platform as platform, object, connection, load_id,
                    landed_table
                from {_LEDGER} where load_mode is distinct from 'replay'
            ) as t using (platform, object, connection, load_id)
            group by all
        ),
        refused as (
            select t.platform, t.object, t.connection, t.landed_table, g.load_id,
                count(*) as refused
            from gone_refused as g
            inner join gone_tables as t using (landed_table)
            group by all
        )
        select
            platform, object, connection, landed_table, load_id,
            coalesce(l.landed, v.pushed, 0) as landed,
            coalesce(rejected, 0) as rejected,
            coalesce(pushed, 0) as pushed,
            coalesce(tombstoned, 0) as tombstoned,
            coalesce(refused, 0) as refused
        from landed as l
        full join versions as v using (platform, object, connection, landed_table, load_id)
        full join refused as r using (platform, object, connection, landed_table, load_id)
        """
    )
