"""What dbt's own connection needs of Martlet."""

import os
from typing import Any

from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from martlet.config.catalogue import load_catalogue
from martlet.engines.engine import Engine
from martlet.engines.limits import apply_engine_settings
from martlet.engines.sql_functions import register_functions
from martlet.engines.targets import engine_of
from martlet.registry.blueprints import initialize_blueprints
from martlet.settings import Settings, load_settings


class Plugin(BasePlugin):  # type: ignore[misc]
    """Prepares the warehouse before dbt opens it, and every connection that dbt opens."""

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
        register_functions(conn)

    def configure_cursor(self, cursor: Any) -> None:
        """Set what a cursor does not inherit."""
        self._engine().prepare_dbt_cursor(cursor)

    def _settings(self) -> Settings:
        """Return the settings for the profile's target, whatever target the environment names."""
        return load_settings(os.environ | {"MARTLET_TARGET": self._target})

    def _engine(self) -> Engine:
        return engine_of(self._settings())
