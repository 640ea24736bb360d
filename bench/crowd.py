"""Grows a project of a few real tenants to any number: copies of the first, under other slugs.

What is copied is everything that a tenant's runs leave: landed tables, views, facts and their
indexes, rows of masters and histories, generated files, published versions, the record of the run.
Running them all would take hours; the next run cannot tell a copy from what it would have made.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection
from projects import configure, new_project, run_tenants

from martlet import naming
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants
from martlet.engines.duckdb_engine import connect, connect_warehouse, quoted_name, quoted_text
from martlet.engines.targets import engine_of
from martlet.landing.command import land_simulated
from martlet.marts.folders import mart_folder, operations_folder
from martlet.pipeline.audit_record import newest_audits, record_audits
from martlet.pipeline.inputs import (
    code_digest,
    files_digest,
    published_inputs,
    snapshot_decisions,
    stated_inputs,
    warehouse_inputs,
)
from martlet.pipeline.landing_news import landing_schemas, observe_landing
from martlet.pipeline.run_states import RunState, keep_landing, keep_state, read_states
from martlet.scaffold.scaffold import scaffold_tenant
from martlet.settings import Settings

SOURCES: dict[str, dict[str, Any]] = {
    "google_ads": {"connections": {"main": {"accounts": ["4155550123"]}}},
    "facebook_ads": {"connections": {"main": {"accounts": ["1029384756102938"]}}},
    "google_analytics": {"tables": {"events": {"conversion_events": ["purchase"]}}},
    "shopify": {},
}
FIRST_DAY = date(2026, 5, 31)
DAYS = 3
SCALE = 0.02

_OF_NOBODY = ("ops.run_states", "ops.landing_states", "platform.connector_blueprints")
_PER_TRANSACTION = 50
# Each checkpoint writes the whole catalogue anew; one at the end is enough.
_NO_CHECKPOINTS = "set checkpoint_threshold = '64GB'"


def slug_of(number: int) -> str:
    """Return a slug; all are equally long, so that none is part of another."""
    return f"shop_{number:05}"


def new_crowd(folder: Path, real: int) -> Settings:
    """Return a project whose tenants have landed a few days of four sources, and have been run."""
    slugs = [slug_of(number) for number in range(real)]
    settings = new_project(folder, dict.fromkeys(slugs, SOURCES))
    for number, slug in enumerate(slugs):
        land_simulated(settings, slug, days=DAYS, until=FIRST_DAY, seed=number, scale=SCALE)
    run_tenants(settings, slugs)
    return settings


def grow(settings: Settings, real: int, size: int) -> None:
    """Add copies of the first tenant until there are `size`; nobody else holds the databases."""
    slugs = [slug_of(number) for number in range(size)]
    configure(settings.project_dir, dict.fromkeys(slugs, SOURCES))
    catalogue = load_catalogue(settings.catalogue_file)
    tenants = load_tenants(settings.tenants_file, catalogue)
    copies = slugs[real:]
    for slug in copies:
        scaffold_tenant(settings, tenants.tenant(slug), tenants, catalogue)
        for folder in (mart_folder, operations_folder):
            shutil.copytree(
                folder(settings, slug_of(0)).path, folder(settings, slug).path, copy_function=_link
            )
    record_audits(settings, dict.fromkeys(copies, 0), by="run")
    with connect(settings.landing) as landing:
        landing.execute(_NO_CHECKPOINTS)
        _copy_relations(landing, [naming.landed_schema(slug_of(0))], copies)
    with connect(settings.landing) as landing:
        landing.execute("checkpoint")
    with connect_warehouse(settings) as warehouse:
        warehouse.execute(_NO_CHECKPOINTS)
        _copy_rows(warehouse, copies)
        _copy_relations(warehouse, ["analytics", "refresh", "staging", "intermediate"], copies)
        _keep_states(settings, warehouse, tenants)
    with connect(settings.warehouse) as warehouse:
        warehouse.execute("checkpoint")


def _link(source: str, target: str) -> None:
    """Share a version's file, which nobody writes to; the pointer beside it is copied."""
    if source.endswith(".duckdb"):
        os.link(source, target)
    else:
        shutil.copy(source, target)


def _copy_relations(database: DuckDBPyConnection, schemas: list[str], copies: list[str]) -> None:
    """Copy the first tenant's tables and views in these schemas."""
    own = slug_of(0)
    found = [
        (schema, name, sql)
        for schema, name, sql in database.execute(
            "select schema_name, table_name, null from duckdb_tables() "
            "where database_name = current_database() union all "
            "select schema_name, view_name, sql from duckdb_views() "
            "where database_name = current_database()"
        ).fetchall()
        if schema in schemas and (own in name or schema == own)
    ]
    texts = {(s, n): _texts(database, s, n) for s, n, sql in found if sql is None}
    for slug in _in_transactions(database, copies):
        if own in schemas:
            database.execute(f"create schema {quoted_name(slug)}")
        for schema, name, sql in found:
            target = f"{quoted_name(schema)}.{quoted_name(name)}".replace(own, slug)
            if sql is None:
                replaced = _replaced(texts[schema, name], quoted_text(slug))
                database.execute(
                    f"create table {target} as select * {replaced} "
                    f"from {quoted_name(schema)}.{quoted_name(name)}"
                )
            else:
                database.execute(sql.replace(own, slug))


def _copy_rows(warehouse: DuckDBPyConnection, copies: list[str]) -> None:
    """Copy the first tenant's rows in the tables of all tenants."""
    own = quoted_text(slug_of(0))
    warehouse.execute("create temp table copies (slug varchar)")
    warehouse.execute(f"insert into copies select unnest({copies!r})")
    for schema, table, columns in warehouse.execute(
        "select schema_name, table_name, list(column_name) from duckdb_columns() "
        "where database_name = current_database() and schema_name in ('ops', 'platform') "
        "and table_name in (select table_name from duckdb_tables()) group by all"
    ).fetchall():
        if f"{schema}.{table}" in _OF_NOBODY:
            continue
        mine = f"tenant_slug = {own}" if "tenant_slug" in columns else f"contains(node_id, {own})"
        replaced = _replaced(_texts(warehouse, schema, table), "slug")
        warehouse.execute(
            f"insert into {schema}.{table} select t.* {replaced} "
            f"from {schema}.{table} as t, copies where {mine} order by slug"
        )


def _texts(database: DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    """Return the types of the columns that may name the tenant, or that only it may hold."""
    described = database.execute(f"describe {quoted_name(schema)}.{quoted_name(table)}").fetchall()
    return {
        name: kind
        for name, kind, *_ in described
        if (kind in ("VARCHAR", "JSON") and name != "raw_data_payload") or name == "tenant_skey"
    }


def _replaced(columns: dict[str, str], slug: str) -> str:
    """Return what makes another tenant's row of one of the first's; `slug` is an expression."""
    values = []
    for name, kind in columns.items():
        value = f"replace(cast({quoted_name(name)} as varchar), {quoted_text(slug_of(0))}, {slug})"
        if name == "tenant_skey":
            value = f"md5(replace(cast(tenant_skey as varchar), '-', '') || {slug})"
        elif name == "invocation_id":
            value = f"invocation_id || '-' || {slug}"
        values.append(f"cast({value} as {kind}) as {quoted_name(name)}")
    return f"replace ({', '.join(values)})" if values else ""


def _in_transactions(database: DuckDBPyConnection, copies: list[str]) -> Iterator[str]:
    for start in range(0, len(copies), _PER_TRANSACTION):
        with _transaction(database):
            yield from copies[start : start + _PER_TRANSACTION]


@contextmanager
def _transaction(database: DuckDBPyConnection) -> Iterator[None]:
    database.begin()
    yield
    database.commit()


def _keep_states(settings: Settings, warehouse: DuckDBPyConnection, tenants: TenantsFile) -> None:
    """Keep what the copies are made from, as a good run of each would have done."""
    own, code = slug_of(0), code_digest(settings)
    slugs = list(tenants.tenants)
    stamp = engine_of(settings).landing_stamp()
    seen = observe_landing(warehouse, stamp, None, landing_schemas(slugs))
    keep_landing(warehouse, seen)
    found, audits = warehouse_inputs(warehouse), newest_audits(settings)
    known = read_states(warehouse, slugs)
    for slug in slugs:
        state = known.get(slug, known[own])
        now = {
            "code": code,
            "landed": f"{seen.digests[naming.landed_schema(slug)]} ",
            **stated_inputs(settings, tenants.tenant(slug), tenants),
            "files": files_digest(settings, slug),
            **found.of(slug, state.shapes),
            **published_inputs(settings, slug, audits),
            "decisions": snapshot_decisions(found.row_decisions, slug, audits.get(slug)),
            "snapshot": "published",
        }
        told = state.told if slug in known else _told_of(state.told, slug)
        keep_state(warehouse, RunState(slug, now, state.shapes, told))


def _told_of(told: Any, slug: str) -> Any:
    """Return what was told of the first tenant, as it is told of a copy."""
    if isinstance(told, dict):
        return {key: _told_of(value, slug) for key, value in told.items()}
    if isinstance(told, list):
        return [_told_of(value, slug) for value in told]
    return told.replace(slug_of(0), slug) if isinstance(told, str) else told
