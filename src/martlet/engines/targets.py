"""Which engine a project asks for: the one place that knows them all."""

from martlet.engines.duckdb_engine import DuckDBEngine
from martlet.engines.engine import Engine
from martlet.settings import Settings


def engine_of(settings: Settings) -> Engine:
    """Return the engine of the settings' target."""
    if settings.target == "ducklake":
        from martlet.engines.ducklake import DuckLakeEngine

        return DuckLakeEngine(settings)
    if settings.target == "motherduck":
        from martlet.engines.motherduck import MotherDuckEngine

        return MotherDuckEngine(settings)
    return DuckDBEngine(settings)
