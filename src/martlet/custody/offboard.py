"""Lets a tenant go: its data out if it wants, then away from everything, in files written anew."""

import shutil
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.access.control import ControlFile
from martlet.alerts.send import forget_tenant
from martlet.audit.landed import landed_tables
from martlet.config.tenants import TenantsFile
from martlet.custody.erase import DRAFTS, derived_tables, refuse_shared_places
from martlet.custody.export import export_relations
from martlet.custody.versions import remove_versions
from martlet.engines.duckdb_engine import columns_of, quoted_name, quoted_text
from martlet.engines.engine import WAIT_SECONDS
from martlet.engines.rewriting import (
    LANDING,
    WAREHOUSE,
    Place,
    finish_rewriting,
    held_still,
    rewrite,
    tables_of,
)
from martlet.engines.swap import finish_swap, swap_in
from martlet.errors import BadInputError, nearest
from martlet.landing.lock import landing_lock
from martlet.pipeline.audit_record import forget_audit
from martlet.settings import Settings
from martlet.suppression.ledger import changed_ledger

# In the place of a tenant that has left, where a decision of its operators holds for others too.
LEFT = "_left"
_DECISIONS = ("platform", "registry_decisions")
_STAMPS = ("ops", "landing_states")
_DEFINITIONS = (("ops", "model_artifacts"), ("ops", "test_artifacts"))


@dataclass
class Offboarded:
    """What went, or would go: rows by relation, published versions, keys, folders."""

    tenant: str
    is_done: bool = False
    rows: dict[str, int] = field(default_factory=dict)
    exported: dict[str, int] = field(default_factory=dict)
    versions: int = 0
    keys: int = 0
    folders: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)


def offboard(
    settings: Settings,
    tenants: TenantsFile,
    slug: str,
    *,
    export: Path | None = None,
    confirmed: bool = False,
    wait_seconds: float = WAIT_SECONDS,
) -> Offboarded:
    """Take everything of a tenant away; without `confirmed`, only say what would go.

    Raises `BadInputError`, before anything is written, for a tenant that is still active, whose
    next run would bring it back, and for one of which there is nothing.
    """
    refuse_shared_places(settings, "offboard")
    _refuse_active(tenants, slug)
    report = Offboarded(slug)
    with landing_lock(settings, wait_seconds):
        finish_swap(settings.home)
        with held_still(settings, wait_seconds=wait_seconds) as connection:
            databases = _databases(connection)
            queries = _relations(connection, tenants, slug, databases)
            report.rows = {n: _count(connection, query) for n, query in queries.items()}
            report.folders = [str(p.relative_to(settings.home)) for p in _folders(settings, slug)]
            if not any(report.rows.values()) and not report.folders:
                known = [name for name in tenants.tenants if name != slug]
                raise BadInputError(
                    f"nothing of {slug!r} is here; {nearest(slug, known)}",
                    where=str(settings.home),
                    remedy="`martlet status` shows the tenants",
                )
            if export is not None:
                report.exported = export_relations(connection, export, queries)
            if not confirmed:
                return report
            _rewrite(settings, connection, tenants, slug, databases)
    _forget(settings, slug, report, wait_seconds)
    report.is_done = True
    report.remains = _remains(settings, tenants, slug)
    return report


def _refuse_active(tenants: TenantsFile, slug: str) -> None:
    problem = naming.tenant_slug_problem(slug)
    if problem:
        raise BadInputError(f"{slug!r} is no tenant: {problem}", where="martlet offboard")
    if slug in tenants.tenants and tenants.tenants[slug].is_active:
        raise BadInputError(
            f"{slug} is active: its loaders and the next run would bring it back",
            where=f"{tenants.path}, tenants.{slug}",
            remedy="set `status: disabled` there, or remove the stanza; stop its loaders; then "
            "offboard again",
        )


def _databases(connection: DuckDBPyConnection) -> set[str]:
    rows = connection.execute("select database_name from duckdb_databases()").fetchall()
    return {name for (name,) in rows} & {WAREHOUSE, LANDING}


def _relations(
    connection: DuckDBPyConnection, tenants: TenantsFile, slug: str, databases: set[str]
) -> dict[str, str]:
    """Return the query for the tenant's rows of each relation that holds any."""
    mine = f"tenant_slug = {quoted_text(slug)}"
    queries = {}
    if LANDING in databases:
        for schema, table in tables_of(connection, LANDING):
            if schema == naming.landed_schema(slug):
                name = f"{quoted_name(schema)}.{quoted_name(table)}"
                queries[f"landing.{schema}.{table}"] = f"select * from landing.{name}"
        for table, condition in _shared_rows(connection, tenants, slug).items():
            queries[f"landing.shared.{table}"] = (
                f"select * from landing.{naming.SHARED_SCHEMA}.{quoted_name(table)} "
                f"where {condition}"
            )
    if WAREHOUSE not in databases:
        return queries
    derived = derived_tables(connection, slug)
    for schema, table in tables_of(connection, WAREHOUSE):
        relation = f"warehouse.{quoted_name(schema)}.{quoted_name(table)}"
        if (schema, table) in derived:
            queries[f"{schema}.{table}"] = f"select * from {relation}"
        elif "tenant_slug" in columns_of(connection, relation):
            query = f"select * from {relation} where {mine}"
            if _count(connection, query):
                queries[f"{schema}.{table}"] = query
    return queries


def _shared_rows(connection: DuckDBPyConnection, tenants: TenantsFile, slug: str) -> dict[str, str]:
    """Return the condition for the tenant's rows of each shared table, by the accounts it claims.

    Of a tenant whose stanza is gone nobody knows the accounts: `_remains` says so.
    """
    if slug not in tenants.tenants:
        return {}
    return {
        table.table: table.of_tenant
        for table in landed_tables(connection, tenants.tenants[slug], tenants)
        if table.schema == naming.SHARED_SCHEMA
    }


def _rewrite(
    settings: Settings,
    connection: DuckDBPyConnection,
    tenants: TenantsFile,
    slug: str,
    databases: set[str],
) -> None:
    drafts = settings.home / DRAFTS
    shutil.rmtree(drafts, ignore_errors=True)
    moves = {}
    if WAREHOUSE in databases:
        target = drafts / settings.warehouse.name
        new = rewrite(
            connection,
            WAREHOUSE,
            target,
            selects=_others(connection, slug),
            dropped=derived_tables(connection, slug),
        )
        _drop_views(connection, new, slug)
        finish_rewriting(connection, new)
        moves[f"{DRAFTS}/{target.name}"] = target.name
    if LANDING in databases:
        target = drafts / settings.landing.name
        shared = {
            (naming.SHARED_SCHEMA, table): (
                f"select * from landing.{naming.SHARED_SCHEMA}.{quoted_name(table)} "
                f"where ({condition}) is not true"
            )
            for table, condition in _shared_rows(connection, tenants, slug).items()
        }
        schemas = frozenset({naming.landed_schema(slug)})
        new = rewrite(connection, LANDING, target, selects=shared, dropped_schemas=schemas)
        finish_rewriting(connection, new)
        moves[f"{DRAFTS}/{target.name}"] = target.name
    swap_in(settings.home, moves, [DRAFTS])


def _others(connection: DuckDBPyConnection, slug: str) -> dict[Place, str]:
    """Return the queries for what stays of the tables in which the tenant has rows."""
    selects: dict[Place, str] = {}
    for schema, table in tables_of(connection, WAREHOUSE):
        relation = f"warehouse.{quoted_name(schema)}.{quoted_name(table)}"
        if (schema, table) == _DECISIONS:
            selects[schema, table] = (
                f"select * replace (case tenant_slug when {quoted_text(slug)} "
                f"then '{LEFT}' else tenant_slug end as tenant_slug, "
                f"case tenant_slug when {quoted_text(slug)} then '{LEFT}' else landed_table end "
                f"as landed_table) from {relation}"
            )
        elif (schema, table) in _DEFINITIONS:
            selects[schema, table] = (
                f"select * from {relation} as t where not regexp_matches("
                f"cast(t as varchar), '\\b[a-z]+_{slug}__')"
            )
        elif (schema, table) == _STAMPS:
            selects[schema, table] = f"select * from {relation} where false"
        elif "tenant_slug" in columns_of(connection, relation):
            selects[schema, table] = (
                f"select * from {relation} where tenant_slug is distinct from {quoted_text(slug)}"
            )
    return selects


def _drop_views(connection: DuckDBPyConnection, new: str, slug: str) -> None:
    for schema, view in connection.execute(
        "select schema_name, view_name from duckdb_views() where database_name = ? "
        "and not internal and regexp_full_match(view_name, ?)",
        [new, f"[a-z]+_{slug}__.*"],
    ).fetchall():
        connection.execute(f"drop view {new}.{quoted_name(schema)}.{quoted_name(view)}")


def _folders(settings: Settings, slug: str) -> list[Path]:
    """Return what lies beside the databases in the tenant's name."""
    folders = [
        settings.marts_dir / slug,
        settings.operations_dir / slug,
        settings.target_dir(slug),
        *sorted(settings.dlt_dir.glob(f"{slug}__*")),
    ]
    return [folder for folder in folders if folder.exists()]


def _forget(settings: Settings, slug: str, report: Offboarded, wait_seconds: float) -> None:
    """Remove published versions, keys with their sessions, and what is remembered of findings."""
    report.versions, _ = remove_versions(
        settings, slug, (slug,), keep_current=False, wait_seconds=wait_seconds
    )
    for folder in _folders(settings, slug):
        shutil.rmtree(folder)
    if isinstance(settings.control, Path) and settings.control.exists():
        with closing(ControlFile(settings.control)) as control:
            report.keys = control.forget_tenant(slug)
    forget_tenant(settings, slug)
    forget_audit(settings, slug)
    with changed_ledger(settings) as held:
        held[0] = held[0].without(slug)


def _remains(settings: Settings, tenants: TenantsFile, slug: str) -> list[str]:
    """Return what the user has to remove: files that are the user's."""
    remains = []
    if slug in tenants.tenants:
        remains.append(f"{settings.tenants_file.name}: the stanza tenants.{slug}")
    elif tenants.shared_landings:
        remains.append("rows of its accounts in the tables of shared_landings, if it had any")
    models = settings.project_dir / "models"
    for layer in ("sources", "staging", "intermediate", "analytics", "analytics_extended"):
        if (models / layer / slug).exists():
            remains.append(f"models/{layer}/{slug}")
    remains.append("backups and exports that were made before")
    return remains


def _count(connection: DuckDBPyConnection, query: str) -> int:
    ((rows,),) = connection.execute(f"select count(*) from ({query})").fetchall()
    return int(rows)
