"""The route stage: every landed table is fingerprinted and routed before anything is pushed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.duckdb_engine import columns_of, quoted_name
from martlet.engines.listing import list_tables
from martlet.errors import nearest
from martlet.pipeline.accounts import has_account
from martlet.registry.approvals import with_rejections
from martlet.registry.blueprints import (
    Blueprint,
    insert_blueprints,
    learned_blueprint,
    stored_blueprints,
)
from martlet.registry.routing import Declaration, Route, route_table


@dataclass(frozen=True)
class RoutedTenant:
    """The tables of one tenant: what each is, which never landed, which nobody declared."""

    routes: tuple[Route, ...]
    not_landed: tuple[Declaration, ...]
    undeclared: tuple[str, ...]

    @property
    def unroutable(self) -> tuple[Route, ...]:
        """Return the tables that may not be pushed."""
        return tuple(route for route in self.routes if not route.is_routed)


def declared_tables(tenant: Tenant, tenants: TenantsFile) -> tuple[Declaration, ...]:
    """Return what the configuration says that loaders land for a tenant."""
    own = [
        Declaration(
            tenant=tenant.slug,
            platform=source.platform,
            object=object_,
            connection=connection,
            schema=naming.landed_schema(tenant.slug),
            table=naming.landed_table(tenant.slug, source.platform, object_, connection),
        )
        for source in tenant.enabled_sources()
        for object_ in source.objects
        for connection in source.connections
    ]
    shared = [
        Declaration(
            tenant=tenant.slug,
            platform=landing.platform,
            object=landing.object,
            connection=connection.slug,
            schema=naming.SHARED_SCHEMA,
            table=landing.table,
        )
        for landing in tenants.shared_landings
        for source in tenant.enabled_sources()
        if source.platform == landing.platform and landing.object in source.objects
        for connection in source.connections.values()
        if set(connection.accounts) - tenants.disputed_accounts(source.platform)
    ]
    return (*own, *shared)


def route_tenant(
    warehouse: DuckDBPyConnection,
    tenant: Tenant,
    tenants: TenantsFile,
    seen: Mapping[str, Sequence[str]] | None = None,
) -> RoutedTenant:
    """Fingerprint and route all tables of a tenant; what was learned goes into the registry.

    `seen` are the landing's tables by schema, where somebody has just listed them.
    """
    declarations = declared_tables(tenant, tenants)
    landed = _landed(warehouse, tenant, seen)
    blueprints = list(stored_blueprints(warehouse))
    routes: list[Route] = []
    for route in _routes(declarations, landed, blueprints, tenants):
        if route.is_learned:
            learned = _learn(route, blueprints)
            insert_blueprints(warehouse, [learned])
            blueprints.append(learned)
        routes.append(route)
    routes = with_rejections(warehouse, routes)
    _record(warehouse, tenant.slug, routes)
    known = {(d.schema, d.table) for d in declarations}
    delivered = {_place(route.declaration) for route in routes}
    return RoutedTenant(
        routes=tuple(routes),
        not_landed=tuple(d for d in declarations if _place(d) not in delivered),
        undeclared=tuple(
            table
            for schema, table in sorted(landed)
            if (schema, table) not in known and schema == naming.landed_schema(tenant.slug)
        ),
    )


def routes_as_they_are(
    warehouse: DuckDBPyConnection, tenant: Tenant, tenants: TenantsFile
) -> tuple[Route, ...]:
    """Return how the tenant's landed tables would be routed now; nothing is learned or recorded."""
    landed = _landed(warehouse, tenant)
    blueprints = stored_blueprints(warehouse)
    routes = _routes(declared_tables(tenant, tenants), landed, blueprints, tenants)
    return tuple(with_rejections(warehouse, routes))


def _landed(
    warehouse: DuckDBPyConnection,
    tenant: Tenant,
    seen: Mapping[str, Sequence[str]] | None = None,
) -> dict[tuple[str, str], dict[str, str]]:
    schemas = [naming.landed_schema(tenant.slug), naming.SHARED_SCHEMA]
    return landed_columns(warehouse, schemas, seen)


def _routes(
    declarations: Iterable[Declaration],
    landed: Mapping[tuple[str, str], dict[str, str]],
    blueprints: Sequence[Blueprint],
    tenants: TenantsFile,
) -> Iterator[Route]:
    """Give the route of each declared table that has landed; `blueprints` may grow meanwhile."""
    for declaration in declarations:
        columns = landed.get((declaration.schema, declaration.table))
        if columns is not None:
            yield _with_account(route_table(declaration, columns, blueprints), columns, tenants)


def _place(declaration: Declaration) -> tuple[str, str, str]:
    """Return what one table or another must deliver: the tenant's own, or a shared one."""
    return declaration.platform, declaration.object, declaration.connection


def _with_account(route: Route, columns: dict[str, str], tenants: TenantsFile) -> Route:
    """Refuse a shared table without the column that says whose a row is."""
    if route.declaration.schema != naming.SHARED_SCHEMA:
        return route
    (column,) = (
        s.account_column for s in tenants.shared_landings if s.table == route.declaration.table
    )
    if has_account(column, columns):
        return route
    return replace(
        route,
        verdict="unreadable",
        reason=f"it has no column for its account_column {column!r}; {nearest(column, columns)}",
    )


def landed_columns(
    warehouse: DuckDBPyConnection,
    schemas: list[str],
    seen: Mapping[str, Sequence[str]] | None = None,
) -> dict[tuple[str, str], dict[str, str]]:
    """Return (schema, table) to its columns and their types; loaders' own tables left out.

    `seen` are the tables by schema, as far as they are known: the others are listed.
    """
    if seen and all(schema in seen for schema in schemas):
        places = sorted((schema, table) for schema in schemas for table in seen[schema])
    else:
        listed = list_tables(warehouse, *schemas, database="landing") if schemas else ()
        places = [(table.schema, table.name) for table in listed]
    return {
        (schema, table): columns_of(
            warehouse, f"landing.{quoted_name(schema)}.{quoted_name(table)}"
        )
        for schema, table in places
        if not table.startswith(("_dlt_", "_martlet_"))
    }


def _learn(route: Route, blueprints: list[Blueprint]) -> Blueprint:
    assert route.blueprint is not None and route.shape is not None
    version = 1 + max(
        b.version
        for b in blueprints
        if (b.identity, b.loader) == (route.blueprint.identity, route.blueprint.loader)
    )
    return learned_blueprint(route.blueprint, route.shape, version)


def _record(warehouse: DuckDBPyConnection, tenant: str, routes: list[Route]) -> None:
    """Append a tenant's decisions that differ from the newest ones on the same table."""
    newest = {
        (schema, table): (verdict, fingerprint)
        for schema, table, verdict, fingerprint in warehouse.execute(
            "select tenant_slug, landed_table, arg_max(verdict, decided_at), "
            "arg_max(source_schema_hash, decided_at) from platform.routing_decisions "
            "where tenant_slug = ? group by all",
            [tenant],
        ).fetchall()
    }
    for route in routes:
        d = route.declaration
        fingerprint = route.shape.source_schema_hash if route.shape else None
        if newest.get((d.tenant, d.table)) == (route.verdict, fingerprint):
            continue
        warehouse.execute(
            "insert into platform.routing_decisions values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "cast(current_timestamp at time zone 'UTC' as timestamp))",
            [
                d.tenant,
                d.platform,
                d.object,
                d.connection,
                d.table,
                route.verdict,
                fingerprint,
                route.blueprint.master_model if route.blueprint and route.is_routed else None,
                json.dumps([str(difference) for difference in route.differences]),
                route.reason or None,
            ],
        )
