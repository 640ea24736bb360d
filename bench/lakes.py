"""Lakes to measure on: a PostgreSQL of the benchmark's own, files in its folder."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects import new_project
from servers import postgres

from martlet.settings import Settings, load_settings

# The server tells its counters a second after a session has ended.
_STATISTICS_SECONDS = 1.5


@dataclass(frozen=True)
class Lake:
    """An empty lake; `variables` make a process work on it."""

    server: Any
    name: str
    variables: dict[str, str]

    def project(self, folder: Path, tenants: dict[str, dict[str, Any]]) -> Settings:
        """Return the settings of a machine with a home of its own on this lake."""
        new_project(folder, tenants)
        return load_settings(self.variables, folder)

    def transactions(self) -> int:
        """Return how many transactions the catalogue has committed until now."""
        time.sleep(_STATISTICS_SECONDS)
        return self._number(
            f"select xact_commit from pg_stat_database where datname = '{self.name}'"
        )

    def scans(self) -> int:
        """Return how often tables of the catalogue were read, by an index or whole."""
        time.sleep(_STATISTICS_SECONDS)
        return self._number(
            "select sum(coalesce(seq_scan, 0) + coalesce(idx_scan, 0))::bigint "
            "from pg_stat_user_tables"
        )

    def commits(self) -> int:
        """Return how many commits the warehouse has."""
        return self._number("select count(*) from warehouse.ducklake_snapshot")

    def _number(self, query: str) -> int:
        import psycopg

        with psycopg.connect(f"{self.server.keywords} dbname={self.name}") as connection:
            row = connection.execute(query.encode()).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def running_catalogue(folder: Path) -> Iterator[Any]:
    """Start a PostgreSQL and give what makes lakes: a function of a name."""
    before = os.environ.get("PGPASSWORD")
    with postgres.running_postgres() as server:
        os.environ["PGPASSWORD"] = postgres.PASSWORD

        def make(name: str) -> Lake:
            variables = {
                "MARTLET_TARGET": "ducklake",
                "MARTLET_LAKE_CATALOGUE": f"postgres:{server.make_database(name)}",
                "MARTLET_LAKE_DATA": str(folder / name),
            }
            return Lake(server, name, variables)

        try:
            yield make
        finally:
            del os.environ["PGPASSWORD"]
            if before is not None:
                os.environ["PGPASSWORD"] = before
