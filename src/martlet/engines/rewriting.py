"""Writes a database file anew with fewer rows: what is deleted in place stays in freed blocks."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from martlet.engines.duckdb_engine import (
    LANDING_BLOCK_SIZE,
    LANDING_STORAGE_VERSION,
    WAREHOUSE_STORAGE_VERSION,
    connect,
    quoted_name,
    quoted_text,
)
from martlet.engines.engine import WAIT_SECONDS
from martlet.engines.limits import apply_engine_settings
from martlet.errors import MartletError
from martlet.settings import Settings

WAREHOUSE = "warehouse"
LANDING = "landing"
_OPTIONS = {
    WAREHOUSE: f"storage_version '{WAREHOUSE_STORAGE_VERSION}'",
    LANDING: f"block_size {LANDING_BLOCK_SIZE}, storage_version '{LANDING_STORAGE_VERSION}'",
}
Place = tuple[str, str]  # schema and table


@contextmanager
def held_still(
    settings: Settings, *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection that reads warehouse and landing, as far as they are there, and lets nobody
    write to them; the warehouse is the current database.

    Neither has a log beside it then: the files are all there is.
    """
    files = {
        name: path
        for name, path in ((WAREHOUSE, settings.warehouse), (LANDING, settings.landing))
        if path.exists()
    }
    deadline = time.monotonic() + wait_seconds
    while True:
        for path in files.values():
            with connect(path, wait_seconds=wait_seconds) as connection:
                connection.execute("checkpoint")
        with ExitStack() as stack:
            # Opened together: who writes to one of them waits, as a run does.
            connection = stack.enter_context(_session())
            taken = _attached(connection, files)
            if taken is None:
                yield connection
                return
        if time.monotonic() >= deadline:
            raise MartletError(
                f"other processes hold the databases: {taken}",
                where=str(settings.home),
                remedy="wait for them, or give a longer --wait",
            )
        time.sleep(0.1)


@contextmanager
def _session() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        apply_engine_settings(connection)
        yield connection


def _attached(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> str | None:
    """Attach all files; return why that is of no use yet, if it is not."""
    for name, path in files.items():
        try:
            connection.execute(f"attach {quoted_text(str(path))} as {name} (read_only)")
        except duckdb.IOException as error:
            return str(error)
        if path.with_name(f"{path.name}.wal").exists():
            return f"{path.name} was written to just now"
    if WAREHOUSE in files:
        connection.execute(f"use {WAREHOUSE}")
    return None


def rewrite(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    target: Path,
    *,
    selects: Mapping[Place, str],
    dropped: frozenset[Place] = frozenset(),
    dropped_schemas: frozenset[str] = frozenset(),
) -> str:
    """Write an attached database to a new file and leave that attached; return its name.

    A table of `selects` gets that query's rows, in its order; the others all of theirs. Call
    `finish_rewriting` when nothing is to be changed in it any more.
    """
    new = f"new_{name}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        _write_anew(connection, name, new, target, selects, dropped, dropped_schemas)
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise MartletError(
            f"the database cannot be written anew: {error}",
            where=str(target),
            remedy="make room for a copy of it; nothing was changed",
        ) from error
    return new


def _write_anew(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    new: str,
    target: Path,
    selects: Mapping[Place, str],
    dropped: frozenset[Place],
    dropped_schemas: frozenset[str],
) -> None:
    connection.execute(f"attach {quoted_text(str(target))} as {new} ({_OPTIONS[name]})")
    connection.execute(f"copy from database {name} to {new} (schema)")
    for schema, table in tables_of(connection, name):
        relation = f"{quoted_name(schema)}.{quoted_name(table)}"
        if schema in dropped_schemas:
            continue
        if (schema, table) in dropped:
            connection.execute(f"drop table {new}.{relation}")
            continue
        query = selects.get((schema, table)) or f"select * from {name}.{relation}"
        connection.execute(f"insert into {new}.{relation} {query}")
    for schema in dropped_schemas:
        connection.execute(f"drop schema if exists {new}.{quoted_name(schema)} cascade")


def finish_rewriting(connection: duckdb.DuckDBPyConnection, new: str) -> None:
    """Let go of a new file with all of it on disk."""
    connection.execute(f"checkpoint {new}")
    connection.execute(f"detach {new}")


def tables_of(connection: duckdb.DuckDBPyConnection, name: str) -> list[Place]:
    """Return the tables of an attached database."""
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? "
        "and not internal order by 1, 2",
        [name],
    ).fetchall()
