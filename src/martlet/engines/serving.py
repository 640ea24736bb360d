"""The in-memory DuckDB that serves published files: it reads one folder and can do nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.errors import BadInputError

# Small batches bound what a result takes beyond its allowance; larger ones are hardly faster.
_BATCH_ROWS = 4_096


class ServingEngine:
    """One in-memory instance with locked configuration; files of its folder are attached read-only.

    Its instance neither reads nor writes other files, spills nothing to disk, loads no extension,
    and sees no variable of this process. Sessions are in UTC.
    """

    def __init__(self, folder: Path, *, threads: int, memory_limit: str) -> None:
        try:
            self._root = duckdb.connect(":memory:")
            for setting in (
                f"threads = {int(threads)}",
                f"memory_limit = {quoted_text(memory_limit)}",
                "TimeZone = 'UTC'",
                "temp_directory = ''",
                "autoinstall_known_extensions = false",
                "autoload_known_extensions = false",
                "python_enable_replacements = false",
                # The order matters: from the next but one on, no folder can be added.
                f"allowed_directories = [{quoted_text(str(folder))}]",
                "enable_external_access = false",
                "lock_configuration = true",
            ):
                self._root.execute(f"set global {setting}")
        except duckdb.Error as error:
            raise BadInputError(
                f"cannot serve with threads {threads} and memory limit {memory_limit!r}: {error}",
                remedy="give a whole number of threads and a limit such as '2GB'",
            ) from error

    def attach(self, file: Path, name: str) -> None:
        """Attach a file of the folder; raises `duckdb.Error` when it cannot be read."""
        self._root.execute(
            f"attach {quoted_text(str(file))} as {quoted_name(name)} (type duckdb, read_only)"
        )

    def detach(self, name: str) -> None:
        """Detach a file; results being read from it are still read to their end."""
        self._root.execute(f"detach {quoted_name(name)}")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Return a cursor for one request; two threads on one would get each other's rows."""
        return self._root.cursor()

    def close(self) -> None:
        self._root.close()


class NotOneSelectError(Exception):
    """Only a single SELECT is run: COPY could write into the folder that may be read."""


class OverflowingError(Exception):
    """The result has more bytes than allowed."""


def select(cursor: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any]) -> None:
    """Start one SELECT with values bound to its `$name`s; fetch from the cursor."""
    statements = cursor.extract_statements(sql)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise NotOneSelectError
    try:
        cursor.execute(statements[0], dict(parameters))
    except RuntimeError as error:  # a text that is no Unicode
        raise duckdb.InvalidInputException(str(error)) from error


def read_table(cursor: duckdb.DuckDBPyConnection, max_bytes: int) -> pa.Table:
    """Return what the cursor's SELECT yields, reading no further than `max_bytes`."""
    reader = cursor.to_arrow_reader(_BATCH_ROWS)
    try:
        batches, size = [], 0
        for batch in reader:
            size += batch.nbytes
            if size > max_bytes:
                raise OverflowingError
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=reader.schema)
    finally:
        reader.close()
