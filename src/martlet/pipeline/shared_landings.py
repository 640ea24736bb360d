"""Tables that hold several tenants' accounts: what nobody, or more than one tenant, claims."""

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.tenants import SharedLanding, TenantsFile
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.pipeline.audit import LEDGER
from martlet.pipeline.report import TableReport


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
        rows = warehouse.execute(
            _unassigned_since(landing, table, columns, _claimed(tenants, landing.platform))
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
                status="unassigned",
                detail=f"rows of {landing.table} whose account no tenant, or several, claim",
            )
        )
    return reports


def _claimed(tenants: TenantsFile, platform: str) -> list[str]:
    disputed = tenants.disputed_accounts(platform)
    return sorted(
        account
        for tenant in tenants.active()
        if platform in tenant.sources and tenant.sources[platform].enabled
        for connection in tenant.sources[platform].connections.values()
        for account in connection.accounts
        if account not in disputed
    )


def _unassigned_since(
    landing: SharedLanding, table: str, columns: set[str], claimed: list[str]
) -> str:
    account = account_expression(landing.account_column, columns)
    accounts = ", ".join(quoted_text(a) for a in claimed) or "''"
    return f"""
        with unassigned as (
            select _dlt_load_id as load_id, count(*) as rows_now
            from {table}
            where coalesce({account} not in ({accounts}), true)
            group by 1
        ),
        told as (
            select load_id, sum(rows_quarantined) as rows_told
            from {LEDGER}
            where
                tenant_slug = {quoted_text(naming.UNASSIGNED)}
                and landed_table = {quoted_text(landing.table)}
            group by 1
        )
        select load_id, coalesce(rows_now, 0) - coalesce(rows_told, 0) as change
        from unassigned
        full join told using (load_id)
        where coalesce(rows_now, 0) != coalesce(rows_told, 0)
        order by load_id
    """


def account_expression(account_column: str, columns: set[str]) -> str:
    """Return the SQL of a row's account: a column of that name, else a member of a JSON column."""
    if account_column.lower() in {column.lower() for column in columns}:
        return f"cast({quoted_name(account_column)} as varchar)"
    head, _, rest = account_column.partition(".")
    return f"json_extract_string({quoted_name(head)}, {quoted_text('$.' + rest)})"


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
