"""How things stand: last run, freshness, drift, quarantine, audit and rows, tenant by tenant.

Everything is read from what runs left in the warehouse, with one query a question for all tenants.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from duckdb import DuckDBPyConnection

from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.duckdb_engine import connect, quoted_name
from martlet.pipeline.audit import LEDGER
from martlet.pipeline.audit_record import AuditRecord, newest_audits
from martlet.pipeline.routes import declared_tables
from martlet.settings import Settings
from martlet.star_schema import STAR_TABLES, star_model

INVOCATIONS = "ops.invocations"
ROWS = "ops.platform_ops__quarantine_rows"
ROW_DECISIONS = "ops.platform_ops__quarantine_decisions"
ROUTING = "platform.routing_decisions"
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


def read_status(
    settings: Settings, tenants: TenantsFile, chosen: Iterable[Tenant], *, wait_seconds: float
) -> list[TenantStatus]:
    """Return how the chosen tenants stand; before the first run, that nothing has happened."""
    audits = newest_audits(settings)
    statuses = {t.slug: TenantStatus(t.slug, t.is_active, audit=audits.get(t.slug)) for t in chosen}
    if not settings.warehouse.exists():
        _add_sources(statuses, tenants, {})
        return list(statuses.values())
    with connect(settings.warehouse, read_only=True, wait_seconds=wait_seconds) as warehouse:
        existing = _existing(warehouse)
        loads = _add_ledger(warehouse, statuses) if LEDGER in existing else {}
        _add_sources(statuses, tenants, loads)
        if INVOCATIONS in existing:
            _add_invocations(warehouse, statuses)
        if ROUTING in existing:
            _add_routes(warehouse, statuses)
        if ROWS in existing:
            _add_quarantined_rows(warehouse, statuses, decided=ROW_DECISIONS in existing)
        _add_facts(warehouse, statuses, existing)
    return list(statuses.values())


def as_document(statuses: Iterable[TenantStatus]) -> list[dict[str, Any]]:
    """Return the statuses as JSON carries them, moments in ISO 8601 (UTC)."""
    document: list[dict[str, Any]] = json.loads(
        json.dumps([asdict(status) for status in statuses], default=datetime.isoformat)
    )
    return document


Place = tuple[str, str, str, str]  # tenant, platform, connection, object


def _add_ledger(
    warehouse: DuckDBPyConnection, statuses: dict[str, TenantStatus]
) -> dict[Place, tuple[datetime, str, datetime]]:
    """Add up the ledger, and return the newest load of each object.

    A bookkeeping entry beside a load, such as a replay's, has no extraction and is no load.
    """
    loads: dict[Place, tuple[datetime, str, datetime]] = {}
    pushed: dict[str, datetime] = {}
    sums = ", ".join(f"sum(rows_{name})" for name in COUNTS)
    for tenant, platform, connection, object_, at, load, pushed_at, *counts in warehouse.execute(
        f"""
        select
            tenant_slug, source_platform, connection, object,
            max(extracted_at), arg_max(load_id, (extracted_at, load_id))
            filter (where extracted_at is not null), max(pushed_at), {sums}
        from {LEDGER}
        group by 1, 2, 3, 4
        """
    ).fetchall():
        status = statuses.get(tenant)
        if status is None:
            continue
        loads[tenant, platform, connection, object_] = (at, load, pushed_at)
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


def _add_invocations(warehouse: DuckDBPyConnection, statuses: dict[str, TenantStatus]) -> None:
    """Take the newest call of dbt for a tenant; one as of a past moment is no run."""
    rows = warehouse.execute(
        f"""
        select tenant_slug, started_at, status, seconds, problem
        from {INVOCATIONS}
        where not contains(cast(arguments as varchar), 'as_of')
        qualify row_number() over (partition by tenant_slug order by started_at desc) = 1
        """
    ).fetchall()
    newest = {tenant: LastRun(*run) for tenant, *run in rows}
    of_all = newest.pop(None, None)
    for slug, status in statuses.items():
        runs = [run for run in (newest.get(slug), of_all) if run]
        if runs:
            status.last_run = max(runs, key=lambda run: run.at)


def _add_routes(warehouse: DuckDBPyConnection, statuses: dict[str, TenantStatus]) -> None:
    rows = warehouse.execute(
        f"""
        with newest as (
            select *
            from {ROUTING}
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
    warehouse: DuckDBPyConnection, statuses: dict[str, TenantStatus], *, decided: bool
) -> None:
    """Count the refused rows on which nobody has decided."""
    counts: dict[str, int] = defaultdict(int)
    for tenant, count in warehouse.execute(
        f"select tenant_slug, count(*) from {ROWS} group by 1"
    ).fetchall():
        counts[tenant] += count
    settled = f"select tenant_slug, count(distinct quarantine_id) from {ROW_DECISIONS} group by 1"
    for tenant, count in warehouse.execute(settled).fetchall() if decided else ():
        counts[tenant] -= count
    for slug, status in statuses.items():
        status.quarantined_rows = counts[slug]


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
    rows = warehouse.execute(
        "select schema_name || '.' || table_name from duckdb_tables() "
        "where database_name = current_database()"
    ).fetchall()
    return frozenset(row[0] for row in rows)
