"""Tables that hold several tenants' accounts: what nobody, or more than one tenant, claims."""

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.tenants import SharedLanding, TenantsFile
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.pipeline.accounts import account_expression
from martlet.pipeline.audit import LEDGER
from martlet.pipeline.report import TableReport

UNASSIGNED = "unassigned"  # the status of a table of several tenants


def account_for_unassigned(
    warehouse: DuckDBPyConnection, tenants: TenantsFile
) -> list[TableReport]:
    """Write to the ledger, as quarantined, the rows of shared tables that belong to no one tenant.

    They stay where they landed: claiming the account lets the next run push them, and the ledger
    then gets a row that takes them out of quarantine again. Returns a report per shared table that
    has landed.
    """
    reports = []
    for landing in tenants.shared_landings:
        table = f"landing.{naming.SHARED_SCHEMA}.{quoted_name(landing.table)}"
        columns = _columns(warehouse, landing.table)
        if not columns:
            continue
        if "_dlt_load_id" not in columns:
            continue  # its loader numbers no loads that a ledger could name
        rows = warehouse.execute(
            _unassigned_since(
                landing, table, columns, _claimed(tenants, landing), _refused(warehouse, landing)
            ),
            {"unassigned": naming.UNASSIGNED},
        ).fetchall()
        for load_id, change in rows:
            _record(warehouse, landing, load_id, change)
        reports.append(
            TableReport(
                tenant=naming.UNASSIGNED,
                platform=landing.platform,
                object=landing.object,
                connection=naming.MAIN_CONNECTION,
                landed=sum(change for _, change in rows),
                pushed=0,
                known=0,
                quarantined=sum(change for _, change in rows),
                status=UNASSIGNED,
                detail=(
                    f"rows of {landing.table} whose account no tenant, or several, claim, "
                    "or that fail their contract"
                ),
            )
        )
    return reports


def _claimed(tenants: TenantsFile, landing: SharedLanding) -> list[str]:
    disputed = tenants.disputed_accounts(landing.platform)
    return sorted(
        account
        for tenant in tenants.active()
        for source in tenant.enabled_sources()
        if source.platform == landing.platform and landing.object in source.objects
        for connection in source.connections.values()
        for account in connection.accounts
        if account not in disputed
    )


def _refused(warehouse: DuckDBPyConnection, landing: SharedLanding) -> str:
    """Return the query for how many rows of each load did not even land."""
    if not _columns(warehouse, "_martlet_loads"):
        return "select null as load_id, 0 as rows_refused where false"
    return (
        "select _dlt_load_id as load_id, sum(rows_quarantined) as rows_refused "
        f"from landing.{naming.SHARED_SCHEMA}._martlet_loads "
        f"where table_name = {quoted_text(landing.table)} group by 1"
    )


def _unassigned_since(
    landing: SharedLanding, table: str, columns: set[str], claimed: list[str], refused: str
) -> str:
    """Return the query for load ids, and by how much what is unassigned of each has changed.

    Unassigned are the rows that landing refused, and those of accounts that nobody claims now, but
    for what a tenant had pushed while it still claimed them: that is accounted for.
    """
    account = account_expression(landing.account_column, columns)
    accounts = ", ".join(quoted_text(a) for a in claimed) or "''"
    return f"""
        with landed as (
            select
                _dlt_load_id as load_id,
                count(*) as rows_landed,
                count(*) filter (where coalesce({account} not in ({accounts}), true)) as unclaimed
            from {table}
            group by 1
        ),
        refused as ({refused}),
        told as (
            select
                load_id,
                coalesce(sum(rows_landed) filter (tenant_slug = $unassigned), 0) as unassigned,
                coalesce(sum(rows_landed) filter (tenant_slug != $unassigned), 0) as assigned
            from {LEDGER}
            where landed_table = {quoted_text(landing.table)}
            group by 1
        ),
        counted as (
            select
                load_id,
                greatest(least(unclaimed, rows_landed - coalesce(assigned, 0)), 0) as unclaimed,
                coalesce(rows_refused, 0) as refused,
                coalesce(unassigned, 0) as unassigned
            from refused
            full join landed using (load_id)
            left join told using (load_id)
        )
        select load_id, coalesce(unclaimed, 0) + refused - unassigned as change
        from counted
        where coalesce(unclaimed, 0) + refused != unassigned
        order by load_id
    """


def _record(
    warehouse: DuckDBPyConnection, landing: SharedLanding, load_id: str, change: int
) -> None:
    warehouse.execute(
        f"insert into {LEDGER} (tenant_slug, source_platform, connection, object, load_id, "
        "landed_table, load_mode, rows_landed, rows_pushed, rows_known, rows_quarantined, "
        "rows_erased, rows_tombstoned, pushed_at) values (?, ?, ?, ?, ?, ?, 'upsert', ?, 0, 0, ?, "
        "0, 0, cast(current_timestamp at time zone 'UTC' as timestamp))",
        [
            naming.UNASSIGNED,
            landing.platform,
            naming.MAIN_CONNECTION,
            landing.object,
            load_id,
            landing.table,
            change,
            change,
        ],
    )


def _columns(warehouse: DuckDBPyConnection, table: str) -> set[str]:
    rows = warehouse.execute(
        "select column_name from duckdb_columns() where database_name = 'landing' "
        "and schema_name = ? and table_name = ?",
        [naming.SHARED_SCHEMA, table],
    ).fetchall()
    return {row[0] for row in rows}
