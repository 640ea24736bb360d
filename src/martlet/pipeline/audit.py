"""The audit: what was landed is what was pushed, known, quarantined or erased, load by load."""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.pipeline.routes import RoutedTenant
from martlet.registry.routing import Declaration

LEDGER = "ops.platform_ops__push_ledger"


@dataclass(frozen=True)
class BrokenLoad:
    """A load whose rows do not add up; `promise` says which sum."""

    tenant: str
    table: str
    load_id: str
    promise: str

    def __str__(self) -> str:
        return f"{self.tenant}: load {self.load_id} of {self.table}: {self.promise}"


def audit_tenant(
    warehouse: DuckDBPyConnection, tenant: str, routed: RoutedTenant
) -> tuple[BrokenLoad, ...]:
    """Return the loads of a tenant that break conservation; none when every row is accounted for.

    The landings are counted afresh; the push's own count is what is being checked.
    """
    broken: list[BrokenLoad] = []
    for route in routed.routes:
        declaration = route.declaration
        if route.is_routed and declaration.schema == naming.landed_schema(tenant):
            broken += _audit_table(warehouse, declaration)
            assert route.blueprint is not None
            broken += _audit_master(warehouse, declaration, route.blueprint.master_model)
    return tuple(broken)


def _audit_table(warehouse: DuckDBPyConnection, declaration: Declaration) -> list[BrokenLoad]:
    schema = f"landing.{quoted_name(declaration.schema)}"
    table = f"{schema}.{quoted_name(declaration.table)}"
    columns = {
        row[0]
        for row in warehouse.execute(f"select column_name from (describe {table})").fetchall()
    }
    if "_dlt_load_id" not in columns or not _has_loads(warehouse, declaration.schema):
        return []
    rows = warehouse.execute(
        f"""
        with landed as (
            select _dlt_load_id as load_id, count(*) as rows_landed from {table} group by 1
        ),
        refused as (
            select _dlt_load_id as load_id, sum(rows_quarantined) as rows_quarantined
            from {schema}._martlet_loads
            where table_name = ?
            group by 1
        ),
        finished as (select load_id from {schema}._dlt_loads),
        ledger as (
            select
                load_id,
                sum(rows_landed) as rows_landed,
                sum(rows_pushed + rows_known + rows_quarantined + rows_erased) as accounted,
            from {LEDGER}
            where tenant_slug = ? and landed_table = ?
            group by 1
        )
        select
            f.load_id,
            coalesce(l.rows_landed, 0) + coalesce(r.rows_quarantined, 0) as landed,
            g.rows_landed,
            g.accounted,
        from refused as r
        full join landed as l using (load_id)
        inner join finished as f using (load_id)
        left join ledger as g using (load_id)
        """,
        [declaration.table, declaration.tenant, declaration.table],
    ).fetchall()
    return [
        BrokenLoad(
            declaration.tenant,
            declaration.table,
            load_id,
            f"{landed} rows landed, the ledger accounts for {accounted or 0} of {counted or 0}",
        )
        for load_id, landed, counted, accounted in rows
        if landed != counted or landed != accounted
    ]


def _audit_master(
    warehouse: DuckDBPyConnection, declaration: Declaration, master: str
) -> list[BrokenLoad]:
    """Return the loads of which the master does not hold what the ledger says was pushed."""
    rows = warehouse.execute(
        f"""
        with ledger as (
            select load_id, sum(rows_pushed + rows_tombstoned - rows_erased) as pushed
            from {LEDGER}
            where
                tenant_slug = $tenant and source_platform = $platform
                and connection = $connection and object = $object and landed_table = $table
            group by 1
        ),
        stored as (
            select load_id, count(*) as stored
            from platform.{quoted_name(master)}
            where
                tenant_slug = {quoted_text(declaration.tenant)}
                and source_platform = {quoted_text(declaration.platform)}
                and connection = {quoted_text(declaration.connection)}
            group by 1
        )
        select l.load_id, l.pushed, coalesce(s.stored, 0)
        from ledger as l
        left join stored as s using (load_id)
        where l.pushed != coalesce(s.stored, 0)
        """,
        {
            "tenant": declaration.tenant,
            "platform": declaration.platform,
            "connection": declaration.connection,
            "object": declaration.object,
            "table": declaration.table,
        },
    ).fetchall()
    return [
        BrokenLoad(
            declaration.tenant,
            declaration.table,
            load_id,
            f"the ledger says {pushed} rows were pushed, {master} holds {stored}",
        )
        for load_id, pushed, stored in rows
    ]


def _has_loads(warehouse: DuckDBPyConnection, schema: str) -> bool:
    found = warehouse.execute(
        "select count(*) from duckdb_tables() where database_name = 'landing' "
        "and schema_name = ? and table_name = '_martlet_loads'",
        [schema],
    ).fetchone()
    return bool(found and found[0])
