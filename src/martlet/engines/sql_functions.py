"""What dbt's models ask Martlet, as SQL functions over JSON text."""

import json
import os
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import duckdb
from duckdb.sqltypes import VARCHAR

from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants_leniently
from martlet.registry.fingerprint import landed_shape, type_family
from martlet.settings import load_settings


def register_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the functions to the connection's instance, unless it has them.

    `martlet_landed_shape(columns)`: the fingerprint of a table from its catalogue's columns.
    `martlet_tenant_config(slug)`: the tenant's validated configuration with every default filled
    in; empty for a tenant that the file does not have, or has with mistakes.
    """
    # An instance keeps a function when the connection that made it closes, and then no longer
    # keeps its Python object alive: only functions of a module may be registered.
    for name, function in (
        ("martlet_landed_shape", _landed_shape_json),
        ("martlet_tenant_config", _tenant_config_json),
    ):
        if not _has_function(connection, name):
            connection.create_function(name, function, [VARCHAR], VARCHAR)


def _has_function(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    try:
        connection.execute(f"describe select {name}('')").fetchall()  # only bound, never called
    except duckdb.CatalogException:
        return False
    return True


def _landed_shape_json(columns: str) -> str:
    shape = landed_shape({c["name"]: c["type"] for c in json.loads(columns)})
    document = asdict(shape)
    document["columns"] = [
        {"name": name, "type": kind, "family": type_family(kind)} for name, kind in shape.columns
    ]
    return json.dumps(document)


def _tenant_config_json(slug: str) -> str:
    settings = load_settings(os.environ)
    changed = tuple(
        path.stat().st_mtime_ns if path.exists() else 0
        for path in (settings.tenants_file, settings.catalogue_file)
    )
    tenants = _tenants(settings.tenants_file, settings.catalogue_file, changed)
    return tenants.tenant_json(slug) if slug in tenants.tenants else ""


@lru_cache(maxsize=4)
def _tenants(tenants_file: Path, catalogue_file: Path, changed: tuple[int, ...]) -> TenantsFile:
    return load_tenants_leniently(tenants_file, load_catalogue(catalogue_file))[0]
