"""What dbt's own connection needs of Martlet, as SQL functions over JSON text."""

import json
import os
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection
from duckdb.sqltypes import VARCHAR

from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants_leniently
from martlet.engines.engine import Engine
from martlet.engines.limits import apply_engine_settings
from martlet.engines.targets import engine_of
from martlet.registry.blueprints import initialize_blueprints
from martlet.registry.fingerprint import landed_shape, type_family
from martlet.settings import Settings, load_settings


class Plugin(BasePlugin):  # type: ignore[misc]
    """Registers Martlet's functions on every connection that dbt opens.

    `martlet_landed_shape(columns)`: the fingerprint of a table from its catalogue's columns.
    `martlet_tenant_config(slug)`: the tenant's validated configuration with every default filled
    in; empty for a tenant that the file does not have, or has with mistakes.
    """

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Keep which target the profile's output is."""
        self._target = plugin_config["target"]

    def update_connection_config(self, creds: DuckDBCredentials, config: dict[str, Any]) -> None:
        """Create warehouse and registry where there are none.

        dbt would make a file that cannot compress, and models read what the registry keeps.
        """
        settings = self._settings()
        engine = engine_of(settings)
        if engine.has_warehouse():
            return
        engine.create_warehouse()
        catalogue = load_catalogue(settings.catalogue_file)
        with engine.open_warehouse() as warehouse:
            initialize_blueprints(warehouse, catalogue)

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        """Set and attach what every connection has, and add the functions."""
        apply_engine_settings(conn)
        self._engine().prepare_dbt(conn)
        conn.create_function("martlet_landed_shape", _landed_shape_json, [VARCHAR], VARCHAR)
        conn.create_function("martlet_tenant_config", _tenant_config_json, [VARCHAR], VARCHAR)

    def configure_cursor(self, cursor: Any) -> None:
        """Set what a cursor does not inherit."""
        self._engine().prepare_dbt_cursor(cursor)

    def _settings(self) -> Settings:
        """Return the settings for the profile's target, whatever target the environment names."""
        return load_settings(os.environ | {"MARTLET_TARGET": self._target})

    def _engine(self) -> Engine:
        return engine_of(self._settings())


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
