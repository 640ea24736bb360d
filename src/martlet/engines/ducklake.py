"""The target of many machines: DuckDB on a lake, catalogued in PostgreSQL, kept in a store."""

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb

from martlet.engines.duckdb_engine import (
    connect,
    create_landing,
    file_stamp,
    quoted_text,
)
from martlet.engines.engine import WAIT_SECONDS, Maintenance, Result
from martlet.engines.extensions import load_extension
from martlet.engines.hand_over import LANDING, LOADING, hand_over
from martlet.engines.limits import apply_engine_settings
from martlet.engines.listing import listing_query
from martlet.engines.maintenance import maintain
from martlet.errors import BadInputError, MartletError
from martlet.settings import Lake, Settings

# Two lakes: each has a schema of that name in the catalogue's database, and a folder of files.
WAREHOUSE = "warehouse"
# So many rows at once lie in the catalogue instead of in a tiny file each, until maintenance.
INLINED_ROWS = 100
# Each attempt writes only to the catalogue anew: the files are there already.
COMMIT_ATTEMPTS = 30
ATTEMPTS = 8
# A catalogue behind a broken network is given up after half a minute; the system's own limit is a
# quarter of an hour or more. What MARTLET_LAKE_CATALOGUE says itself comes later and wins.
LIVENESS = (
    "connect_timeout=10 keepalives_idle=10 keepalives_interval=5 keepalives_count=3 "
    "tcp_user_timeout=30000"
)
_CONFLICT = re.compile(
    r"transaction conflict|transaction is aborted|could not serialize|deadlock detected",
    re.IGNORECASE,
)
_BUSY = re.compile(r"could not set lock|conflicting lock|unique file handle", re.I)
_UNREACHABLE = re.compile(
    r"connection refused|could not connect|unable to connect|server closed the connection|"
    r"the database system is|connection to server|terminating connection|timed? ?out",
    re.I,
)


class DuckLakeEngine:
    """One lake for the warehouse; any number of processes on any number of machines."""

    def __init__(self, settings: Settings) -> None:
        assert settings.lake is not None
        self.settings = settings
        self.lake: Lake = settings.lake

    def has_warehouse(self) -> bool:
        return self._has(WAREHOUSE)

    def create_warehouse(self) -> None:
        self._create(WAREHOUSE)

    def create_landing(self) -> None:
        create_landing(self.settings.landing)
        self._create(LANDING)

    def refuse_broken(self, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """What is there is opened before anything else is done with it."""

    def open_warehouse(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self._opened(WAREHOUSE, read_only, wait_seconds)

    def open_landing(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self._opened(LANDING, read_only, wait_seconds)

    @contextmanager
    def open_both(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._session() as connection:
            self._patiently(connection, LANDING, wait_seconds, read_only=True)
            self._patiently(connection, WAREHOUSE, wait_seconds, read_only=read_only)
            connection.execute(f"use {WAREHOUSE}")
            yield connection

    def open_loading(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return connect(self.settings.landing, read_only=read_only, wait_seconds=wait_seconds)

    def keep_open(
        self, *, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection | None]:
        return nullcontext()

    def hand_over(self, schema: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        file = quoted_text(str(self.settings.landing))
        with (
            self.lease(f"landing of {schema}", wait_seconds=wait_seconds),
            self._opened(LANDING, False, wait_seconds) as connection,
        ):
            connection.execute(f"attach {file} as {LOADING}")
            self.retried(lambda: hand_over(connection, schema))

    def landing_stamp(self) -> str:
        if self.lake.postgres is None:
            return file_stamp(self._catalogue_file(LANDING))
        from martlet.engines.postgres import newest_snapshot

        return f"snapshot {newest_snapshot(self.lake.postgres, LANDING)}"

    def landing_place(self) -> str:
        return f"{self.lake.data}/{LANDING}"

    def lease(
        self, subject: str, *, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[None]:
        if self.lake.postgres is None:  # the catalogue's file is held by one process
            return nullcontext()
        from martlet.engines.postgres import advisory_lock

        return advisory_lock(self.lake.postgres, f"martlet:{subject}", wait_seconds)

    def is_conflict(self, message: str) -> bool:
        return bool(_CONFLICT.search(message))

    def retried(self, work: Callable[[], Result]) -> Result:
        pause = 0.05
        for _ in range(ATTEMPTS - 1):
            try:
                return work()
            except duckdb.Error as error:
                if not self.is_conflict(str(error)):
                    raise
            time.sleep(pause * (0.5 + random.random()))  # so that two do not meet again
            pause *= 2
        return work()

    def maintain(
        self, *, kept: timedelta, grace: timedelta, wait_seconds: float = WAIT_SECONDS
    ) -> tuple[Maintenance, ...]:
        done = []
        with self.lease("_maintenance", wait_seconds=wait_seconds):
            for name in (WAREHOUSE, LANDING):
                opened = partial(self._opened, name, False, wait_seconds)
                done.append(maintain(name, opened, self.retried, kept=kept, grace=grace))
        return tuple(done)

    def prepare_dbt(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._load(connection)
        self._patiently(connection, WAREHOUSE, WAIT_SECONDS)
        if self._has(LANDING):
            self._patiently(connection, LANDING, WAIT_SECONDS, read_only=True)
        listing = listing_query(connection, WAREHOUSE)
        # In the session's own database, where every cursor finds it.
        connection.execute(f"create macro memory.main.martlet_tables() as table {listing}")

    def prepare_dbt_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute(f"use {WAREHOUSE}")

    def _has(self, name: str) -> bool:
        if self.lake.postgres is None:
            return self._catalogue_file(name).exists()
        from martlet.engines.postgres import has_table

        return has_table(self.lake.postgres, name, "ducklake_metadata")

    def _create(self, name: str) -> None:
        if self._has(name):
            return
        if self.lake.postgres is None:
            self._catalogue_file(name).parent.mkdir(parents=True, exist_ok=True)
        with self.lease("_creation"), self._session() as connection:
            if self._has(name):
                return
            self._attach(connection, name, create=True)
            for option, value in (
                ("parquet_compression", "'zstd'"),
                ("data_inlining_row_limit", str(INLINED_ROWS)),
            ):
                connection.execute(f"call {name}.set_option('{option}', {value})")

    def _catalogue_file(self, name: str) -> Path:
        """Return a catalogue's file: the landing's lies beside the warehouse's."""
        path = Path(self.lake.catalogue)
        return path if name == WAREHOUSE else path.with_name(f"{path.stem}.{name}{path.suffix}")

    @contextmanager
    def _opened(
        self, name: str, read_only: bool, wait_seconds: float
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._session() as connection:
            self._patiently(connection, name, wait_seconds, read_only=read_only)
            connection.execute(f"use {name}")
            yield connection

    @contextmanager
    def _session(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect(":memory:")
        try:
            connection.execute("set TimeZone = 'UTC'")
            apply_engine_settings(connection)
            self._load(connection)
            yield connection
        finally:
            connection.close()

    def _load(self, connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("set autoinstall_known_extensions = false")
        load_extension(connection, "ducklake")
        if self.lake.postgres is not None:
            load_extension(connection, "postgres_scanner")
        if self.lake.is_remote:
            load_extension(connection, "httpfs")
            connection.execute(_secret(self.lake))
        connection.execute(f"set ducklake_max_retry_count = {COMMIT_ATTEMPTS}")

    def _attach(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        *,
        read_only: bool = False,
        create: bool = False,
    ) -> None:
        options = [f"create_if_not_exists {str(create).lower()}"]
        place = self.lake.catalogue
        if self.lake.postgres is None:
            place = str(self._catalogue_file(name))
            # Such a lake is copied and moved as files are; its catalogue keeps where it was made.
            options.append("override_data_path true")
        else:
            place = f"postgres:{LIVENESS} {self.lake.postgres}"
            options.append(f"metadata_schema {quoted_text(name)}")
        if create or self.lake.postgres is None:
            options.append(f"data_path {quoted_text(self.lake.data.rstrip('/') + '/' + name)}")
        if read_only:
            options += ["read_only", *self._one_state(name)]
        connection.execute(
            f"attach {quoted_text(f'ducklake:{place}')} as {name} ({', '.join(options)})"
        )

    def _one_state(self, name: str) -> list[str]:
        """Return the option that makes a reader see one state, however long it reads."""
        if self.lake.postgres is None:  # nobody else can write
            return []
        from martlet.engines.postgres import newest_snapshot

        newest = newest_snapshot(self.lake.postgres, name)
        return [] if newest is None else [f"snapshot_version {newest}"]

    def _patiently(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        wait_seconds: float,
        *,
        read_only: bool = False,
    ) -> None:
        deadline = time.monotonic() + wait_seconds
        pause = 0.05
        while True:
            try:
                return self._attached(connection, name, read_only)
            except BadInputError:
                raise
            except MartletError:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _attached(self, connection: duckdb.DuckDBPyConnection, name: str, read_only: bool) -> None:
        try:
            self._attach(connection, name, read_only=read_only)
        except duckdb.Error as error:
            raise self._explained(name, error) from error

    def _explained(self, name: str, error: duckdb.Error) -> MartletError:
        message = str(error).splitlines()[0]
        where = f"the {name} of the lake, {self.lake.catalogue}"
        if not self._has(name):
            return BadInputError(
                "there is no such database",
                where=where,
                remedy=f"run `martlet {'run' if name == WAREHOUSE else 'land'}` first, "
                "or check MARTLET_LAKE_CATALOGUE",
            )
        if _BUSY.search(message):
            return MartletError(
                f"another process holds the database: {message}",
                where=where,
                remedy="a catalogue in a file serves one process: wait, or move it to PostgreSQL",
            )
        if _UNREACHABLE.search(message):
            return MartletError(
                f"the database cannot be reached: {message}", where=where, remedy=_REACH
            )
        return BadInputError(
            f"cannot be opened as a database: {message}", where=where, remedy=_REACH
        )


_REACH = "check MARTLET_LAKE_CATALOGUE, MARTLET_LAKE_DATA and their servers; then try again"


def _secret(lake: Lake) -> str:
    """Return the statement that lets the session reach the store; it holds keys: never log it."""
    store = lake.store
    parts = ["type s3", f"region {quoted_text(store.region)}", f"scope {quoted_text(lake.data)}"]
    if store.endpoint:
        parts += [f"endpoint {quoted_text(store.endpoint)}", "url_style 'path'"]
        parts.append(f"use_ssl {str(store.use_tls).lower()}")
    if store.key_id and store.secret:
        parts += [f"key_id {quoted_text(store.key_id)}", f"secret {quoted_text(store.secret)}"]
    if store.session_token:
        parts.append(f"session_token {quoted_text(store.session_token)}")
    return f"create or replace secret martlet_store ({', '.join(parts)})"
