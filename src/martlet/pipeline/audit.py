"""The audit: what was landed is what was pushed, known, quarantined or erased, load by load."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.engines.duckdb_engine import columns_of, quoted_name, quoted_text
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


@dataclass(frozen=True)
class Beginning:
    """What there was when a run began: the ledger's length, and the loads that waited, by table.

    What lands while the run goes on is the next run's.
    """

    ledger_rows: int
    waiting: Mapping[str, Collection[str]]

    def without(self, tables: Collection[str]) -> "Beginning":
        """Return the beginning without the loads of tables that still wait, and are known to."""
        waiting = {table: loads for table, loads in self.waiting.items() if table not in tables}
        return Beginning(self.ledger_rows, waiting)


def audit_tenant(
    warehouse: DuckDBPyConnection, tenant: str, routed: RoutedTenant, beginning: Beginning
) -> tuple[BrokenLoad, ...]:
    """Return the loads that one run was to push and that break conservation.

    Their rows are counted afresh, in the landed tables and in the masters; the push's own count is
    what is being checked. The loads of earlier runs are left to `martlet audit`, so that the cost
    follows the new rows.
    """
    broken: list[BrokenLoad] = []
    for route in routed.routes:
        declaration = route.declaration
        if route.is_routed and declaration.schema == naming.landed_schema(tenant):
            assert route.blueprint is not None
            master = route.blueprint.master_model
            broken += _audit_table(warehouse, declaration, beginning)
            broken += _audit_master(warehouse, declaration, master, beginning.ledger_rows)
    return tuple(broken)


def run_beginning(warehouse: DuckDBPyConnection, tenant: str) -> Beginning:
    """Return what a run of the tenant begins with."""
    schema = naming.landed_schema(tenant)
    ledger_rows = ledger_length(warehouse)
    if not _has_loads(warehouse, schema):
        return Beginning(ledger_rows, {})
    known = f"select load_id, landed_table from {LEDGER} where tenant_slug = $tenant"
    waiting: dict[str, set[str]] = defaultdict(set)
    for table, load_id in warehouse.execute(
        f"""
        select table_name, _dlt_load_id
        from landing.{quoted_name(schema)}._martlet_loads
        where
            _dlt_load_id in (select load_id from landing.{quoted_name(schema)}._dlt_loads)
            and $tenant is not null
            {f"and (_dlt_load_id, table_name) not in ({known})" if ledger_rows else ""}
        """,
        {"tenant": tenant},
    ).fetchall():
        waiting[table].add(load_id)
    return Beginning(ledger_rows, waiting)


def ledger_length(warehouse: DuckDBPyConnection) -> int:
    """Return how many rows the ledger has; 0 before the first run."""
    if not columns_of(warehouse, LEDGER):
        return 0
    counted = warehouse.execute(f"select count(*) from {LEDGER}").fetchone()
    return int(counted[0]) if counted else 0


def _audit_table(
    warehouse: DuckDBPyConnection, declaration: Declaration, beginning: Beginning
) -> list[BrokenLoad]:
    schema = f"landing.{quoted_name(declaration.schema)}"
    table = f"{schema}.{quoted_name(declaration.table)}"
    columns = columns_of(warehouse, table)
    if "_dlt_load_id" not in columns or not _has_loads(warehouse, declaration.schema):
        return []
    loads = _loads_of_run(warehouse, declaration, beginning)
    if not loads:
        return []
    listed = ", ".join(quoted_text(load_id) for load_id, _ in loads)
    landed = dict(
        warehouse.execute(
            f"select _dlt_load_id, count(*) from {table} where _dlt_load_id in ({listed}) "
            "group by 1"
        ).fetchall()
    )
    ledger = {
        load_id: (counted, accounted)
        for load_id, counted, accounted in warehouse.execute(
            "select load_id, sum(rows_landed), "
            "sum(rows_pushed + rows_known + rows_quarantined + rows_erased) "
            f"from {LEDGER} where tenant_slug = ? and landed_table = ? and load_id in ({listed}) "
            "group by 1",
            [declaration.tenant, declaration.table],
        ).fetchall()
    }
    broken = []
    for load_id, absent in loads:
        rows = landed.get(load_id, 0) + absent
        counted, accounted = ledger.get(load_id, (0, 0))
        if load_id not in ledger or not rows == counted == accounted:
            promise = f"{rows} rows landed, the ledger accounts for {accounted} of {counted}"
            broken.append(BrokenLoad(declaration.tenant, declaration.table, load_id, promise))
    return broken


def _loads_of_run(
    warehouse: DuckDBPyConnection, declaration: Declaration, beginning: Beginning
) -> list[tuple[str, int]]:
    """Return the loads of a table that the run was to push, or pushed, with how many
    rows are not there: those that were refused, and those of erased persons.
    """
    schema = quoted_name(declaration.schema)
    return warehouse.execute(
        f"""
        select _dlt_load_id, sum(rows_received - rows_accepted)
        from landing.{schema}._martlet_loads
        where
            table_name = $table
            and _dlt_load_id in (select load_id from landing.{schema}._dlt_loads)
            and (
                list_contains($waiting, _dlt_load_id)
                or _dlt_load_id in (
                    select load_id from {LEDGER}
                    where rowid >= $before and tenant_slug = $tenant and landed_table = $table
                )
            )
        group by 1
        order by 1
        """,
        {
            "table": declaration.table,
            "tenant": declaration.tenant,
            "before": beginning.ledger_rows,
            "waiting": sorted(beginning.waiting.get(declaration.table, ())),
        },
    ).fetchall()


def _audit_master(
    warehouse: DuckDBPyConnection, declaration: Declaration, master: str, ledger_rows_before: int
) -> list[BrokenLoad]:
    """Return the new loads of which the master does not hold what the ledger says was pushed."""
    place = (
        f"tenant_slug = {quoted_text(declaration.tenant)} "
        f"and source_platform = {quoted_text(declaration.platform)} "
        f"and connection = {quoted_text(declaration.connection)}"
    )
    pushed = warehouse.execute(
        f"select load_id, sum(rows_pushed + rows_tombstoned) from {LEDGER} "
        f"where rowid >= ? and {place} and object = ? and landed_table = ? group by 1 order by 1",
        [ledger_rows_before, declaration.object, declaration.table],
    ).fetchall()
    if not pushed:
        return []
    listed = ", ".join(quoted_text(load_id) for load_id, _ in pushed)
    stored = dict(
        warehouse.execute(
            f"select load_id, count(*) from platform.{quoted_name(master)} "
            f"where {place} and load_id in ({listed}) group by 1"
        ).fetchall()
    )
    return [
        BrokenLoad(
            declaration.tenant,
            declaration.table,
            load_id,
            f"the ledger says {expected} rows were pushed, {master} holds {stored.get(load_id, 0)}",
        )
        for load_id, expected in pushed
        if expected != stored.get(load_id, 0)
    ]


def _has_loads(warehouse: DuckDBPyConnection, schema: str) -> bool:
    return bool(columns_of(warehouse, f"landing.{quoted_name(schema)}._martlet_loads"))
