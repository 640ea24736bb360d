"""How things stand: last run, freshness, drift, quarantine, audit and rows, tenant by tenant.

Everything is read from what runs left in the warehouse, with one query a question for all tenants;
while a run holds the warehouse, from the snapshot that the last one published.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from duckdb import DuckDBPyConnection

from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.duckdb_engine import connect, quoted_name
from martlet.engines.listing import list_tables
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError, MartletError
from martlet.marts.errors import MartDamagedError, StoreUnreachableError
from martlet.marts.folders import operations_folder
from martlet.marts.versions import OPERATORS
from martlet.pipeline.audit import LEDGER
from martlet.pipeline.audit_record import AuditRecord, newest_audits
from martlet.pipeline.routes import declared_tables
from martlet.settings import Settings
from martlet.star_schema import STAR_TABLES, star_model

ROW_DECISIONS = "ops.platform_ops__quarantine_decisions"
COUNTS = ("landed", "pushed", "known", "quarantined", "erased", "tombstoned")


@dataclass(frozen=True)
class LastRun:
    """The newest run. `result` is dbt's, or `pushed` where only the ledger knows of it."""

    at: datetime
    result: str
    seconds: float | None = None
    problem: str | None = None


@dataclass(frozen=True)
class SourceStatus:
    """One object of a connection; without a load where nothing of it was ever pushed."""

    platform: str
    connection: str
    object: str
    extracted_at: datetime | None = None
    load_id: str | None = None
    pushed_at: datetime | None = None


@dataclass(frozen=True)
class TableStatus:
    """A landed table of which the newest verdict is not `exact`."""

    table: str
    platform: str
    object: str
    connection: str
    verdict: str
    reason: str | None
    differences: list[str]
    decided_at: datetime


@dataclass
class TenantStatus:
    """How one tenant stands; `rows` adds up its ledger, `facts` are rows by model."""

    tenant: str
    is_active: bool
    last_run: LastRun | None = None
    audit: AuditRecord | None = None
    sources: list[SourceStatus] = field(default_factory=list)
    drift: list[TableStatus] = field(default_factory=list)
    quarantined_tables: list[TableStatus] = field(default_factory=list)
    quarantined_rows: int = 0
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    facts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """How tenants stand; `snapshot_at` is when it was so, where the warehouse itself is held."""

    tenants: list[TenantStatus]
    snapshot_at: datetime | None = None


@dataclass(frozen=True)
class _Tables:
    """Where the histories lie: in the warehouse, or in the operators' snapshot of it."""

    ledger: str = LEDGER
    invocations: str = "ops.invocations"
    routing: str = "platform.routing_decisions"
    quarantined: str = "ops.platform_ops__quarantine_rows"


_SNAPSHOT = _Tables("main.ledger", "main.runs", "main.routing_decisions", "main.quarantine_rows")


def read_status(
    settings: Settings, tenants: TenantsFile, chosen: Iterable[Tenant], *, wait_seconds: float
) -> Standing:
    """Return how the chosen tenants stand; before the first run, that nothing has happened.

    Waits for a held warehouse only where no snapshot was published yet.
    """
    audits = newest_audits(settings)
    statuses = {t.slug: TenantStatus(t.slug, t.is_active, audit=audits.get(t.slug)) for t in chosen}
    if not engine_of(settings).has_warehouse():
        _add_sources(statuses, tenants, {})
        return Standing(list(statuses.values()))
    with ExitStack() as stack:
        connection, snapshot_at = _open(stack, settings, wait_seconds)
        names = _SNAPSHOT if snapshot_at else _Tables()
        existing = _existing(connection)
        loads = _add_ledger(connection, names, statuses) if names.ledger in existing else {}
        _add_sources(statuses, tenants, loads)
        if names.invocations in existing:
            _add_invocations(connection, names, statuses)
        if names.routing in existing:
            _add_routes(connection, names, statuses)
        if names.quarantined in existing:
            _add_quarantined_rows(connection, names, statuses, existing)
        if snapshot_at:
            _add_facts_built(connection, statuses)
        else:
            _add_facts(connection, statuses, existing)
    return Standing(list(statuses.values()), snapshot_at)


def _open(
    stack: ExitStack, settings: Settings, wait_seconds: float
) -> tuple[DuckDBPyConnection, datetime | None]:
    """Open the warehouse; while it is held, the operators' snapshot, and give its moment."""
    folder = operations_folder(settings, OPERATORS)
    version = None
    with suppress(MartDamagedError, StoreUnreachableError):
        version = folder.current()
    patience = 0.0 if version else wait_seconds
    try:
        warehouse = engine_of(settings).open_warehouse(read_only=True, wait_seconds=patience)
        return stack.enter_context(warehouse), None
    except BadInputError:
        raise
    except MartletError:
        if version is None:
            raise
    snapshot = stack.enter_context(connect(folder.fetch(version), read_only=True))
    ((moment,),) = snapshot.execute("select published_at from snapshot_info").fetchall()
    return snapshot, moment


def as_document(statuses: Iterable[TenantStatus]) -> list[dict[str, Any]]:
    """Return the statuses as JSON carries them, moments in ISO 8601 (UTC)."""
    document: list[dict[str, Any]] = json.loads(
        json.dumps([asdict(status) for status in statuses], default=datetime.isoformat)
    )
    return document


Place = tuple[str, str, str, str]  # tenant, platform, connection, object


def _add_ledger(
    connection: DuckDBPyConnection, names: _Tables, statuses: dict[str, TenantStatus]
) -> dict[Place, tuple[datetime, str, datetime]]:
    """Add up the ledger, and return the newest load of each object.

    A bookkeeping entry beside a load, such as a replay's, has no extraction and is no load.
    """
    loads: dict[Place, tuple[datetime, str, datetime]] = {}
    pushed: dict[str, datetime] = {}
    sums = ", ".join(f"sum(rows_{name})" for name in COUNTS)
    for tenant, platform, slug, object_, at, load, pushed_at, *counts in connection.execute(
        f"""
        select
            tenant_slug, source_platform, connection, object,
            max(extracted_at), arg_max(load_id, (extracted_at, load_id))
            filter (where extracted_at is not null), max(pushed_at), {sums}
        from {names.ledger}
        group by 1, 2, 3, 4
        """
    ).fetchall():
        status = statuses.get(tenant)
        if status is None:
            continue
        loads[tenant, platform, slug, object_] = (at, load, pushed_at)
        pushed[tenant] = max(pushed.get(tenant, pushed_at), pushed_at)
        for name, count in zip(COUNTS, counts, strict=True):
            status.rows[name] += int(count or 0)
    for tenant, moment in pushed.items():
        statuses[tenant].last_run = LastRun(moment, "pushed")
    return loads


def _add_sources(
    statuses: dict[str, TenantStatus],
    tenants: TenantsFile,
    loads: dict[Place, tuple[datetime, str, datetime]],
) -> None:
    for slug, status in statuses.items():
        declared = declared_tables(tenants.tenant(slug), tenants)
        places = dict.fromkeys((d.platform, d.connection, d.object) for d in declared)
        for platform, connection, object_ in places:
            newest = loads.get((slug, platform, connection, object_), (None, None, None))
            status.sources.append(SourceStatus(platform, connection, object_, *newest))


def _add_invocations(
    connection: DuckDBPyConnection, names: _Tables, statuses: dict[str, TenantStatus]
) -> None:
    """Take the newest call of dbt for a tenant.

    One as of a past moment is no run; nor is the second call of a run, for what it held up.
    """
    rows = connection.execute(
        f"""
        select tenant_slug, started_at, status, seconds, problem
        from {names.invocations}
        where
            not contains(cast(arguments as varchar), 'as_of')
            and not (recorded_by = 'pipeline' and contains(cast(arguments as varchar), '--select'))
        qualify row_number() over (partition by tenant_slug order by started_at desc) = 1
        """
    ).fetchall()
    newest = {tenant: LastRun(*run) for tenant, *run in rows}
    of_all = newest.pop(None, None)
    for slug, status in statuses.items():
        runs = [run for run in (newest.get(slug), of_all) if run]
        if runs:
            status.last_run = max(runs, key=lambda run: run.at)


def _add_routes(
    connection: DuckDBPyConnection, names: _Tables, statuses: dict[str, TenantStatus]
) -> None:
    rows = connection.execute(
        f"""
        with newest as (
            select *
            from {names.routing}
            qualify row_number() over (
                partition by tenant_slug, landed_table, object, connection
                order by decided_at desc, rowid desc
            ) = 1
        )
        select
            tenant_slug, master_model is not null, landed_table, source_platform, object,
            connection, verdict, reason, differences, decided_at
        from newest
        where verdict != 'exact'
        order by tenant_slug, landed_table
        """
    ).fetchall()
    for tenant, is_routed, *told, differences, decided_at in rows:
        status = statuses.get(tenant)
        if status is None:
            continue
        table = _table_status(told, json.loads(differences or "[]"), decided_at)
        (status.drift if is_routed else status.quarantined_tables).append(table)


def _table_status(told: list[Any], differences: list[str], decided_at: datetime) -> TableStatus:
    table, platform, object_, connection, verdict, reason = told
    return TableStatus(
        table, platform, object_, connection, verdict, reason, differences, decided_at
    )


def _add_quarantined_rows(
    connection: DuckDBPyConnection,
    names: _Tables,
    statuses: dict[str, TenantStatus],
    existing: frozenset[str],
) -> None:
    """Count the refused rows on which nobody has decided."""
    still_open = "where status = 'open' " if names is _SNAPSHOT else ""
    counts: dict[str, int] = defaultdict(int)
    for tenant, count in connection.execute(
        f"select tenant_slug, count(*) from {names.quarantined} {still_open}group by 1"
    ).fetchall():
        counts[tenant] += count
    settled = f"select tenant_slug, count(distinct quarantine_id) from {ROW_DECISIONS} group by 1"
    if ROW_DECISIONS in existing:
        for tenant, count in connection.execute(settled).fetchall():
            counts[tenant] -= count
    for slug, status in statuses.items():
        status.quarantined_rows = counts[slug]


def _add_facts_built(connection: DuckDBPyConnection, statuses: dict[str, TenantStatus]) -> None:
    """Take the rows of each fact from the newest run that built it: a snapshot has no facts."""
    built = dict(
        connection.execute(
            "select name, arg_max(rows_affected, captured_at) from main.run_results "
            "where resource_type = 'model' and status = 'success' and rows_affected is not null "
            "group by 1"
        ).fetchall()
    )
    for slug, status in statuses.items():
        models = (star_model(slug, table) for table in STAR_TABLES)
        status.facts = {model: built[model] for model in models if model in built}


def _add_facts(
    warehouse: DuckDBPyConnection, statuses: dict[str, TenantStatus], existing: frozenset[str]
) -> None:
    for slug, status in statuses.items():
        for table in STAR_TABLES:
            model = star_model(slug, table)
            if f"analytics.{model}" in existing:
                counted = warehouse.execute(
                    f"select count(*) from analytics.{quoted_name(model)}"
                ).fetchone()
                status.facts[model] = int(counted[0]) if counted else 0


def _existing(warehouse: DuckDBPyConnection) -> frozenset[str]:
    listed = list_tables(warehouse)
    return frozenset(f"{table.schema}.{table.name}" for table in listed)
