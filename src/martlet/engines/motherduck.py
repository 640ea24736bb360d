"""The hosted target: MotherDuck, the same SQL. It was never run against the service itself."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb

from martlet.engines.duckdb_engine import FileLanding, quoted_name, quoted_text
from martlet.engines.engine import WAIT_SECONDS, Maintenance, Result
from martlet.errors import BadInputError, MartletError
from martlet.settings import Settings

TOKEN = "MOTHERDUCK_TOKEN"  # the service's own client reads it: it passes through none of ours


class MotherDuckEngine(FileLanding):
    """The warehouse is a database of the service, the landing a file on this machine.

    The service keeps writers of one table apart by failing the later one, and has no lock that
    could be a lease: run one process a tenant.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.database = settings.motherduck_database

    def has_warehouse(self) -> bool:
        with self._session() as connection:
            return self._exists(connection)

    def create_warehouse(self) -> None:
        with self._session() as connection:
            connection.execute(f"create database if not exists {quoted_name(self.database)}")

    def refuse_broken(self, *, wait_seconds: float = WAIT_SECONDS) -> None:
        if self.settings.landing.exists():
            with self.open_landing(read_only=True, wait_seconds=wait_seconds):
                pass

    @contextmanager
    def open_warehouse(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._session() as connection:
            if not self._exists(connection):
                raise BadInputError(
                    "there is no such database",
                    where=f"md:{self.database}",
                    remedy="run `martlet run` first, or check MARTLET_MOTHERDUCK_DATABASE",
                )
            connection.execute(f"use {quoted_name(self.database)}")
            yield connection

    @contextmanager
    def open_both(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.open_landing(read_only=True, wait_seconds=wait_seconds):
            pass  # it is there, and nobody writes to it
        with self.open_warehouse(read_only=read_only) as connection:
            self.prepare_dbt(connection)
            yield connection

    def is_conflict(self, message: str) -> bool:
        return "conflict" in message.lower()

    def retried(self, work: Callable[[], Result]) -> Result:
        return work()

    def maintain(
        self, *, kept: timedelta, grace: timedelta, wait_seconds: float = WAIT_SECONDS
    ) -> tuple[Maintenance, ...]:
        return ()  # the service does it

    def prepare_dbt(self, connection: duckdb.DuckDBPyConnection) -> None:
        place = quoted_text(str(Path(self.settings.landing)))
        connection.execute(f"attach if not exists {place} as landing (read_only)")

    def prepare_dbt_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """The profile's path is the database already."""

    @contextmanager
    def _session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not os.environ.get(TOKEN):
            raise BadInputError(
                "MotherDuck wants a token",
                where=TOKEN,
                remedy=f"export {TOKEN}; it belongs in no file that is committed",
            )
        try:
            connection = duckdb.connect("md:")
        except duckdb.Error as error:
            raise MartletError(
                f"MotherDuck cannot be reached: {str(error).splitlines()[0]}",
                where="md:",
                remedy=f"check the network and {TOKEN}; DuckDB's extension motherduck is fetched "
                "from its makers when it is first loaded",
            ) from error
        try:
            connection.execute("set TimeZone = 'UTC'")
            yield connection
        finally:
            connection.close()

    def _exists(self, connection: duckdb.DuckDBPyConnection) -> bool:
        found = connection.execute(
            "select 1 from duckdb_databases() where database_name = ?", [self.database]
        ).fetchone()
        return found is not None
