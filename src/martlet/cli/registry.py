"""Commands that show what shapes are known, and decide on those that are not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.cli.app import AsJson, DecidedBy, Reason, Wait, app, operator, project, stated_reason
from martlet.config.tenants import Tenant, TenantsFile, load_tenants_leniently
from martlet.errors import BadInputError, nearest
from martlet.pipeline.routes import declared_tables, landed_columns
from martlet.registry import approvals
from martlet.registry.blueprints import initialize_blueprints, stored_blueprints
from martlet.registry.drift import differences, likely_renames
from martlet.registry.routing import Declaration, nearest_version, route_table
from martlet.terminal import Terminal

registry = typer.Typer(
    help="The shapes that are known, and decisions on those that are not.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(registry, name="registry")

TenantName = Annotated[str, typer.Argument(help="Slug of a tenant.")]
As = Annotated[
    str | None,
    typer.Option("--as", help="PLATFORM.OBJECT, where the shape is known as something else."),
]
TableName = Annotated[str, typer.Argument(help="A landed table of the tenant.")]


@registry.command()
def show(
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    object_: Annotated[str | None, typer.Option("--object", help="Only this object.")] = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """List the known shapes: published, learned and approved ones, and what was rejected."""
    with _registry(wait) as (warehouse, _):
        blueprints = stored_blueprints(warehouse)
        decided = approvals.decisions(warehouse)
    rows = [
        {
            "platform": b.source_platform,
            "object": b.object,
            "loader": b.loader,
            "version": b.version,
            "status": b.status,
            "columns": len(b.columns),
            "fingerprint": b.source_schema_hash,
            "decision": "",
        }
        for b in blueprints
        if platform in (None, b.source_platform) and object_ in (None, b.object)
    ]
    rows += [
        {
            "platform": d.platform,
            "object": d.object,
            "loader": "",
            "version": None,
            "status": d.decision,
            "columns": None,
            "fingerprint": d.source_schema_hash,
            "decision": f"{d.tenant} {d.table}, {d.decided_by} at {d.decided_at}: {d.reason}"
            + (f" ({d.aliases})" if d.aliases else ""),
        }
        for d in decided
        if platform in (None, d.platform) and object_ in (None, d.object)
    ]
    Terminal(as_json=as_json).rows("shapes", rows, none="no shape is known: martlet init-library")


@registry.command()
def diff(
    tenant: TenantName,
    table: TableName,
    as_: As = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Compare a landed table with the nearest known shape, column by column.

    `push` and `publish` say what each difference does: to the push, and to the facts that need it.
    """
    with _registry(wait) as (warehouse, tenants):
        declaration, columns = _landed(warehouse, tenants, tenant, table, as_)
        blueprints = stored_blueprints(warehouse)
        (route,) = approvals.with_rejections(
            warehouse, [route_table(declaration, columns, blueprints)]
        )
    declared = [b for b in blueprints if b.identity == (declaration.platform, declaration.object)]
    published = [b for b in declared if b.status == "published"]
    if route.shape is None or not published:
        raise BadInputError(route.reason, where=f"{declaration.schema}.{table}")
    compared = nearest_version(route.shape, published)[0]
    found = differences(route.shape, compared)
    terminal = Terminal(as_json=as_json)
    rows = [
        {
            "column": d.column,
            "change": d.change,
            "published": d.before,
            "landed": d.after,
            "push": d.push,
            "publish": d.publication,
        }
        for d in found
    ]
    known = f"{compared.source_platform} {compared.object} ({compared.loader} v{compared.version})"
    if as_json:
        terminal.say(
            {
                "table": table,
                "verdict": route.verdict,
                "reason": route.reason,
                "rejected": route.rejected_because or None,
                "compared_with": known,
                "differences": rows,
                "likely_renames": [f"{new}={old}" for new, old in likely_renames(found)],
            },
            "",
        )
        return
    terminal.say({}, f"{table}: {route.verdict}; compared with {known}")
    terminal.rows("differences", rows, none="the shapes are the same")
    for reason in filter(None, (route.reason, route.rejected_because)):
        terminal.say({}, reason)
    for new, old in likely_renames(found):
        terminal.say({}, f"has {old} become {new}? then approve with --alias {new}={old}")


@registry.command()
def approve(
    tenant: TenantName,
    table: TableName,
    reason: Reason,
    as_: As = None,
    alias: Annotated[
        list[str] | None,
        typer.Option(help="NEW=OLD: the landed column NEW is the published OLD; repeatable."),
    ] = None,
    by: DecidedBy = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Make a table's shape known for what it is declared to be; the next run pushes it."""
    aliases, because = _aliases(alias or []), stated_reason(reason)
    with _registry(wait) as (warehouse, tenants):
        declaration, columns = _landed(warehouse, tenants, tenant, table, as_)
        approved = approvals.approve(
            warehouse,
            declaration,
            columns,
            aliases=aliases,
            reason=because,
            decided_by=operator(by),
            is_confirmed=as_ is not None,
        )
        pushed = approvals.rows_pushed_with(warehouse, approved) if approved.aliases else 0
    terminal = Terminal(as_json=as_json)
    terminal.say(
        {
            "table": table,
            "platform": approved.source_platform,
            "object": approved.object,
            "version": approved.version,
            "fingerprint": approved.source_schema_hash,
            "aliases": dict(approved.aliases),
            "rows_pushed_before": pushed,
        },
        f"{table} is now a known shape of {approved.source_platform} {approved.object} "
        f"({approved.loader} v{approved.version}); next: martlet run --tenant {tenant}",
    )
    if pushed:
        terminal.warn(
            f"{pushed:,} rows were pushed with this shape before the alias was known and keep "
            "their payload; land them again to have the column"
        )


@registry.command()
def reject(
    tenant: TenantName,
    table: TableName,
    reason: Reason,
    by: DecidedBy = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Keep a table in quarantine while it has its present shape; runs stop warning of it."""
    because = stated_reason(reason)
    with _registry(wait) as (warehouse, tenants):
        declaration, columns = _landed(warehouse, tenants, tenant, table, None)
        route = route_table(declaration, columns, stored_blueprints(warehouse))
        approvals.reject(warehouse, route, reason=because, decided_by=operator(by))
    Terminal(as_json=as_json).say(
        {"table": table, "verdict": route.verdict, "decision": "rejected"},
        f"{table} stays in quarantine while it has this shape ({route.verdict})",
    )


@contextmanager
def _registry(wait: float) -> Iterator[tuple[DuckDBPyConnection, TenantsFile]]:
    from martlet.engines.engine import PLATFORM
    from martlet.engines.targets import engine_of

    settings, catalogue = project()
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    engine = engine_of(settings)
    engine.create_landing()
    engine.create_warehouse()
    with (
        engine.lease(PLATFORM, wait_seconds=wait),
        engine.open_both(wait_seconds=wait) as warehouse,
    ):
        initialize_blueprints(warehouse, catalogue)
        yield warehouse, tenants


def _landed(
    warehouse: DuckDBPyConnection, tenants: TenantsFile, slug: str, table: str, as_: str | None
) -> tuple[Declaration, dict[str, str]]:
    """Return what a landed table is declared to be, and its columns.

    `as_` declares a table that tenants.yaml does not; it must agree with tenants.yaml otherwise.
    """
    tenant = tenants.tenant(slug)
    landed = landed_columns(warehouse, [naming.landed_schema(slug), naming.SHARED_SCHEMA])
    schemas = [schema for schema, name in landed if name == table]
    if not schemas:
        raise BadInputError(
            f"{slug} has no landed table {table!r}; {nearest(table, {t for _, t in landed})}",
            where="martlet registry",
            remedy="martlet quarantine list names the tables that are held back",
        )
    columns = landed[schemas[0], table]
    declared = [d for d in declared_tables(tenant, tenants) if d.table == table]
    if declared:
        declaration = declared[0]
        is_said = f"{declaration.platform}.{declaration.object}"
        if as_ not in (None, is_said):
            raise BadInputError(
                f"tenants.yaml declares {table} as {is_said}, not as {as_}",
                where="--as",
                remedy="change the declaration, or land the table under the other object's name",
            )
        return declaration, columns
    return _declared_by_hand(tenant, schemas[0], table, as_), columns


def _declared_by_hand(tenant: Tenant, schema: str, table: str, as_: str | None) -> Declaration:
    platform, _, object_ = (as_ or "").partition(".")
    if not platform or not object_:
        raise BadInputError(
            f"{table} belongs to no source of {tenant.slug} in tenants.yaml",
            where="martlet registry",
            remedy="declare its source; or say what it is: --as PLATFORM.OBJECT",
        )
    from martlet.contracts.library import object_contract

    project()[1].connector(platform)
    object_contract(platform, object_)
    return Declaration(tenant.slug, platform, object_, naming.MAIN_CONNECTION, schema, table)


def _aliases(given: list[str]) -> dict[str, str]:
    aliases = {}
    for pair in given:
        new, is_pair, old = pair.partition("=")
        if not is_pair or not new.strip() or not old.strip():
            raise BadInputError(
                f"{pair!r} is no pair of names",
                where="--alias",
                remedy="give NEW=OLD, the name that has landed and the published one",
            )
        aliases[new.strip()] = old.strip()
    return aliases
