"""Blueprints: the family of shapes that each object is known by, published and learned."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.catalogue import Catalogue
from martlet.contracts.library import object_contract
from martlet.contracts.lock import published_shapes
from martlet.registry.fingerprint import LandedShape

TABLE = "platform.connector_blueprints"
_CREATE_BLUEPRINTS = f"""
create table if not exists {TABLE} (
    source_platform varchar,
    object varchar,
    master_model varchar,
    api_version varchar,
    loader varchar,
    version bigint,
    source_schema_hash varchar,
    schema_family_hash varchar,
    columns json,
    status varchar,
    first_seen_at timestamp,
    aliases json,
)
"""

_CREATE_DECISIONS = """
create table if not exists platform.routing_decisions (
    tenant_slug varchar,
    source_platform varchar,
    object varchar,
    connection varchar,
    landed_table varchar,
    verdict varchar,
    source_schema_hash varchar,
    master_model varchar,
    differences json,
    reason varchar,
    decided_at timestamp,
)
"""

_CREATE_OPERATORS_DECISIONS = """
create table if not exists platform.registry_decisions (
    tenant_slug varchar,
    landed_table varchar,
    source_platform varchar,
    object varchar,
    source_schema_hash varchar,
    decision varchar,
    aliases json,
    reason varchar,
    decided_by varchar,
    decided_at timestamp,
)
"""


@dataclass(frozen=True)
class Blueprint:
    """One known shape of one object. `columns` are name and canonical type, in physical order.

    `aliases` are landed names that an operator has said to stand for published ones.
    """

    source_platform: str
    object: str
    master_model: str
    api_version: str
    loader: str
    version: int
    source_schema_hash: str
    schema_family_hash: str
    columns: tuple[tuple[str, str], ...]
    status: str = "published"
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def identity(self) -> tuple[str, str]:
        """Return platform and object."""
        return self.source_platform, self.object


def published_blueprints(catalogue: Catalogue) -> tuple[Blueprint, ...]:
    """Return every published shape of the catalogue's connectors, from the locks."""
    return tuple(
        Blueprint(
            source_platform=connector.name,
            object=shape.object,
            master_model=naming.master_model(connector.master_model_id, shape.object),
            api_version=connector.api_version,
            loader=shape.loader,
            version=shape.version,
            source_schema_hash=shape.source_schema_hash,
            schema_family_hash=shape.schema_family_hash,
            columns=shape.columns,
        )
        for connector in catalogue.connectors.values()
        for shape in published_shapes(connector.name)
        if shape.object in connector.objects
    )


def initialize_blueprints(warehouse: DuckDBPyConnection, catalogue: Catalogue) -> int:
    """Fill `connector_blueprints` with what is published and not there yet; return how many."""
    warehouse.execute("create schema if not exists platform")
    warehouse.execute(_CREATE_BLUEPRINTS)
    warehouse.execute(_CREATE_DECISIONS)
    warehouse.execute(_CREATE_OPERATORS_DECISIONS)
    known = {(b.identity, b.loader, b.source_schema_hash) for b in stored_blueprints(warehouse)}
    added = [
        blueprint
        for blueprint in published_blueprints(catalogue)
        if (blueprint.identity, blueprint.loader, blueprint.source_schema_hash) not in known
    ]
    if added:
        warehouse.begin()  # one commit, for on a lake each costs as much as all of them
        insert_blueprints(warehouse, added)
        warehouse.commit()
    return len(added)


def stored_blueprints(warehouse: DuckDBPyConnection) -> tuple[Blueprint, ...]:
    """Return all blueprints of the registry, published ones first."""
    rows = warehouse.execute(
        "select source_platform, object, master_model, api_version, loader, version, "
        f"source_schema_hash, schema_family_hash, columns, status, aliases from {TABLE} "
        "order by status = 'learned', source_platform, object, loader, version"
    ).fetchall()
    return tuple(
        Blueprint(
            source_platform=platform,
            object=object_,
            master_model=master,
            api_version=api_version,
            loader=loader,
            version=version,
            source_schema_hash=schema_hash,
            schema_family_hash=family_hash,
            columns=tuple((name, kind) for name, kind in json.loads(columns)),
            status=status,
            aliases=tuple(json.loads(aliases).items()) if aliases else (),
        )
        for (
            platform,
            object_,
            master,
            api_version,
            loader,
            version,
            schema_hash,
            family_hash,
            columns,
            status,
            aliases,
        ) in rows
    )


def insert_blueprints(warehouse: DuckDBPyConnection, blueprints: Iterable[Blueprint]) -> None:
    """Append blueprints to the registry."""
    for b in blueprints:
        warehouse.execute(
            f"insert into {TABLE} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "cast(current_timestamp at time zone 'UTC' as timestamp), ?)",
            [
                b.source_platform,
                b.object,
                b.master_model,
                b.api_version,
                b.loader,
                b.version,
                b.source_schema_hash,
                b.schema_family_hash,
                json.dumps(b.columns),
                b.status,
                aliases_json(b.aliases),
            ],
        )


def learned_blueprint(nearest: Blueprint, shape: LandedShape, version: int) -> Blueprint:
    """Return the blueprint that a routed but unpublished shape becomes."""
    return Blueprint(
        source_platform=nearest.source_platform,
        object=nearest.object,
        master_model=nearest.master_model,
        api_version=nearest.api_version,
        loader=nearest.loader,
        version=version,
        source_schema_hash=shape.source_schema_hash,
        schema_family_hash=shape.schema_family_hash,
        columns=shape.columns,
        status="learned",
        aliases=tuple(a for a in nearest.aliases if a[0] in dict(shape.columns)),
    )


def aliases_json(aliases: tuple[tuple[str, str], ...]) -> str | None:
    """Return aliases as the registry stores them: an object, or null for none."""
    return json.dumps(dict(aliases), ensure_ascii=False) if aliases else None


def key_heads(blueprint: Blueprint) -> tuple[frozenset[str], ...]:
    """Return, for each key column, the physical columns of this shape that may hold it."""
    return _heads(blueprint, object_contract(blueprint.source_platform, blueprint.object).key)


def needed_heads(blueprint: Blueprint) -> tuple[frozenset[str], ...]:
    """Return, for each column that the facts need, the physical columns that may hold it."""
    return _heads(blueprint, object_contract(blueprint.source_platform, blueprint.object).needed)


def _heads(blueprint: Blueprint, names: Iterable[str]) -> tuple[frozenset[str], ...]:
    contract = object_contract(blueprint.source_platform, blueprint.object)
    present = {name.casefold() for name, _ in blueprint.columns}
    standing_in = {old.casefold(): new.casefold() for new, old in blueprint.aliases}
    paths = {column.name: column.paths for column in contract.columns}
    found = []
    for name in names:
        columns = (column_of(path) for path in paths[name])
        heads = frozenset(standing_in.get(column, column) for column in columns) & present
        if heads:
            found.append(heads)
    return tuple(found)


def column_of(path: str) -> str:
    """Return the physical column, folded, that a contract's JSON path begins with."""
    rest = path.removeprefix("$.")
    if rest.startswith('"'):
        return rest[1:].partition('"')[0].casefold()
    return rest.partition(".")[0].partition("[")[0].casefold()
