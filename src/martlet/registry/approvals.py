"""What an operator decides on a table that could not be routed: known from now on, or never."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from duckdb import DuckDBPyConnection

from martlet.contracts.library import object_contract
from martlet.errors import BadInputError, nearest
from martlet.registry.blueprints import (
    TABLE,
    Blueprint,
    aliases_json,
    column_of,
    insert_blueprints,
    learned_blueprint,
    stored_blueprints,
)
from martlet.registry.fingerprint import LandedShape, fold_name, landed_shape, type_family
from martlet.registry.routing import Declaration, Route, nearest_version, route_table

DECISIONS = "platform.registry_decisions"


@dataclass(frozen=True)
class Decision:
    """An operator's word on the shape that a landed table had."""

    tenant: str
    table: str
    platform: str
    object: str
    source_schema_hash: str | None
    decision: str
    aliases: str | None
    reason: str
    decided_by: str
    decided_at: datetime


@dataclass(frozen=True)
class Aliases:
    """Landed and published names of one shape; without a moment they were there from the first."""

    names: tuple[tuple[str, str], ...]
    approved_at: datetime | None


def approve(
    warehouse: DuckDBPyConnection,
    declaration: Declaration,
    columns: Mapping[str, str],
    *,
    aliases: Mapping[str, str],
    reason: str,
    decided_by: str,
    is_confirmed: bool = False,
) -> Blueprint:
    """Make a landed table's shape known for the object that it is declared to be.

    `aliases` map landed names to published ones. `is_confirmed` says that the object was named by
    the operator, too: without it, a shape that belongs to another object is refused. Nothing is
    pushed here: the ledger has never counted the table's loads, so that the next run pushes them.

    Raises `BadInputError`, and writes nothing, where the shape is known already or has no column
    for a part of the key.
    """
    shape = landed_shape(columns)
    known = stored_blueprints(warehouse)
    declared = [b for b in known if b.identity == (declaration.platform, declaration.object)]
    before = next((b for b in declared if b.source_schema_hash == shape.source_schema_hash), None)
    route = route_table(declaration, columns, known)
    _refuse_other_object(route, is_confirmed=is_confirmed)
    found = _checked_aliases(declaration, shape, declared, aliases)
    _refuse_known(declaration, before, found)
    _require_key(declaration, shape, found)
    if not declared:
        raise BadInputError(
            f"no shape of {declaration.platform} {declaration.object} is published",
            where=declaration.table,
            remedy="martlet init-library",
        )
    base = before or nearest_version(shape, declared)[0]
    version = 1 + max(b.version for b in declared if b.loader == base.loader)
    approved = replace(
        learned_blueprint(base, shape, before.version if before else version),
        status="approved",
        aliases=found or (before.aliases if before and before.status == "learned" else ()),
    )
    warehouse.begin()
    if before is None:
        insert_blueprints(warehouse, [approved])
    else:
        warehouse.execute(
            f"update {TABLE} set status = 'approved', aliases = ? where source_platform = ? "
            "and object = ? and source_schema_hash = ?",
            [aliases_json(approved.aliases), *approved.identity, approved.source_schema_hash],
        )
    _record(warehouse, declaration, shape, "approved", found, reason, decided_by)
    warehouse.commit()
    return approved


def reject(warehouse: DuckDBPyConnection, route: Route, *, reason: str, decided_by: str) -> None:
    """Record that a table stays in quarantine while it has this shape.

    Raises `BadInputError` where the table is routed: what is pushed already cannot be rejected.
    """
    if route.is_routed:
        raise BadInputError(
            f"the table is routed ({route.verdict}): there is nothing to reject",
            where=route.declaration.table,
            remedy="disable its source in tenants.yaml to stop the push",
        )
    _record(warehouse, route.declaration, route.shape, "rejected", (), reason, decided_by)


def decisions(warehouse: DuckDBPyConnection) -> tuple[Decision, ...]:
    """Return all decisions, in the order they were made."""
    rows = warehouse.execute(
        "select tenant_slug, landed_table, source_platform, object, source_schema_hash, decision, "
        f"aliases, reason, decided_by, decided_at from {DECISIONS} order by decided_at, rowid"
    ).fetchall()
    return tuple(Decision(*row) for row in rows)


def with_rejections(warehouse: DuckDBPyConnection, routes: Iterable[Route]) -> list[Route]:
    """Return the routes, those marked of which an operator's last word is that they stay."""
    last = {(d.tenant, d.table, d.source_schema_hash): d for d in decisions(warehouse)}
    marked = []
    for route in routes:
        fingerprint = route.shape.source_schema_hash if route.shape else None
        said = last.get((route.declaration.tenant, route.declaration.table, fingerprint))
        is_rejected = said is not None and said.decision == "rejected" and not route.is_routed
        marked.append(
            replace(route, rejected_because=f"rejected by {said.decided_by}: {said.reason}")
            if said and is_rejected
            else route
        )
    return marked


def rows_pushed_with(warehouse: DuckDBPyConnection, blueprint: Blueprint) -> int:
    """Return how many rows were pushed with a shape, whoever's they are."""
    exists = warehouse.execute(
        "select count(*) from duckdb_tables() where schema_name = 'ops' "
        "and table_name = 'platform_ops__push_ledger' and database_name = current_database()"
    ).fetchone()
    if not exists or not exists[0]:
        return 0
    counted = warehouse.execute(
        "select coalesce(sum(rows_pushed), 0) from ops.platform_ops__push_ledger "
        "where source_platform = ? and object = ? and source_schema_hash = ?",
        [*blueprint.identity, blueprint.source_schema_hash],
    ).fetchone()
    return int(counted[0]) if counted else 0


def stored_aliases(warehouse: DuckDBPyConnection) -> dict[tuple[str, str, str], Aliases]:
    """Return (platform, object, fingerprint) to the aliases of that shape, where it has any."""
    aliased = [b for b in stored_blueprints(warehouse) if b.aliases]
    if not aliased:
        return {}
    approved = {
        (d.platform, d.object, d.source_schema_hash): d.decided_at
        for d in decisions(warehouse)
        if d.decision == "approved" and d.aliases
    }
    return {
        (*b.identity, b.source_schema_hash): Aliases(
            b.aliases, approved.get((*b.identity, b.source_schema_hash))
        )
        for b in aliased
    }


def _refuse_known(
    declaration: Declaration, before: Blueprint | None, aliases: tuple[tuple[str, str], ...]
) -> None:
    if before is None or before.status == "learned":
        return  # a run has routed it; an operator's word is what lets its facts be published
    if before.status == "approved" and dict(before.aliases) != dict(aliases):
        return
    raise BadInputError(
        f"this shape is known for {declaration.platform} {declaration.object} already "
        f"({before.status}): the next run routes it",
        where=declaration.table,
        remedy="martlet run; or give --alias for a column that has a new name",
    )


def _refuse_other_object(route: Route, *, is_confirmed: bool) -> None:
    if route.verdict != "identity_conflict" or is_confirmed:
        return
    d = route.declaration
    raise BadInputError(
        route.reason,
        where=d.table,
        remedy="correct the loader or the declaration in tenants.yaml; if it truly is what it is "
        f"declared to be, say so: --as {d.platform}.{d.object}",
    )


def _checked_aliases(
    declaration: Declaration,
    shape: LandedShape,
    declared: list[Blueprint],
    aliases: Mapping[str, str],
) -> tuple[tuple[str, str], ...]:
    """Return (landed, published) in the spellings of the table and of the published shapes."""
    landed = {fold_name(name): (name, kind) for name, kind in shape.columns}
    published = {
        fold_name(name): (name, kind)
        for b in declared
        for name, kind in b.columns
        if b.status == "published"
    }
    found: list[tuple[str, str]] = []
    for old, new in aliases.items():
        where = f"--alias {old}={new}"
        if fold_name(old) not in landed:
            raise BadInputError(
                f"the table has no column {old!r}; {nearest(old, landed)}", where=where
            )
        if fold_name(new) not in published:
            raise BadInputError(
                f"no published shape of {declaration.platform} {declaration.object} has a column "
                f"{new!r}; {nearest(new, published)}",
                where=where,
            )
        if fold_name(new) in landed:
            raise BadInputError(f"the table has a column {new!r} of its own", where=where)
        source, target = landed[fold_name(old)], published[fold_name(new)]
        if target[0] in dict(found).values():
            raise BadInputError(f"two columns cannot both stand for {target[0]!r}", where=where)
        if type_family(target[1]) == "json" != type_family(source[1]):
            raise BadInputError(
                f"{target[0]!r} is a JSON document, {source[0]!r} is {source[1]}", where=where
            )
        found.append((source[0], target[0]))
    return tuple(found)


def _require_key(
    declaration: Declaration, shape: LandedShape, aliases: tuple[tuple[str, str], ...]
) -> None:
    contract = object_contract(declaration.platform, declaration.object)
    present = {name.casefold() for name, _ in shape.columns}
    readable = present | {published.casefold() for _, published in aliases}
    for part in contract.key:
        (column,) = (c for c in contract.columns if c.name == part)
        heads = dict.fromkeys(column_of(path) for path in column.paths)
        if not heads.keys() & readable:
            raise BadInputError(
                f"the table has no column for {part!r}, a part of the key of "
                f"{declaration.platform} {declaration.object}: published as "
                f"{' or '.join(heads)}",
                where=f"{declaration.schema}.{declaration.table}",
                remedy="if it has a new name, give --alias NEW_NAME="
                f"{next(iter(heads))}; without it rows cannot be told apart. The table has: "
                + ", ".join(sorted(present)),
            )


def _record(
    warehouse: DuckDBPyConnection,
    declaration: Declaration,
    shape: LandedShape | None,
    decision: str,
    aliases: tuple[tuple[str, str], ...],
    reason: str,
    decided_by: str,
) -> None:
    warehouse.execute(
        f"insert into {DECISIONS} values (?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "cast(current_timestamp at time zone 'UTC' as timestamp))",
        [
            declaration.tenant,
            declaration.table,
            declaration.platform,
            declaration.object,
            shape.source_schema_hash if shape else None,
            decision,
            aliases_json(aliases),
            reason,
            decided_by,
        ],
    )
