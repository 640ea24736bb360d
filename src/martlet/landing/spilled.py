"""Rows that wait on disk until they are landed, so that a large file needs little memory."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from martlet.landing.batches import ROW_NUMBER, SpilledRows

_HELD_ROWS = 50_000


class RowStore:
    """Takes tables one by one; beyond some rows it writes them to a file without a name.

    Such a file is gone with its last reader, even where that was killed. A later table may have
    more columns than an earlier one.
    """

    def __init__(self, folder: Path | None, *, held_rows: int = _HELD_ROWS) -> None:
        self._folder = folder
        self._held_rows = held_rows
        self._held: list[pa.Table] = []
        self._spilled: _SpilledTables | None = None
        self._schemas: list[pa.Schema] = []
        self._rows = 0

    @property
    def has_tables(self) -> bool:
        return bool(self._schemas)

    def add(self, table: pa.Table) -> None:
        self._rows += table.num_rows
        if table.schema not in self._schemas[-1:]:
            self._schemas.append(table.schema)
        self._held.append(table)
        if self._spilled is None and self._rows > self._held_rows:
            self._spilled = _SpilledTables(self._folder)
        if self._spilled is not None:
            for held in self._held:
                self._spilled.write(held)
            self._held.clear()

    def rows(self) -> pa.Table | SpilledRows:
        """Return all rows with all columns, the row number last."""
        schema = pa.unify_schemas(self._schemas)
        fields = [field for field in schema if field.name != ROW_NUMBER]
        schema = pa.schema([*fields, schema.field(ROW_NUMBER)])
        if self._spilled is None:
            return pa.concat_tables([_widened(table, schema) for table in self._held])
        spilled = self._spilled
        return SpilledRows(
            schema, self._rows, lambda: (_widened(table, schema) for table in spilled.read())
        )


class _SpilledTables:
    """A file of Arrow streams, one after the other, each with a schema of its own."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as its rows
        self._starts: list[int] = []

    def write(self, table: pa.Table) -> None:
        self._file.seek(0, 2)
        self._starts.append(self._file.tell())
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_stream(self._file, table.schema, options=options) as stream:
            stream.write_table(table)

    def read(self) -> Iterator[pa.Table]:
        for start in self._starts:
            self._file.seek(start)
            with pa.ipc.open_stream(self._file) as stream:
                yield stream.read_all()


def _widened(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Give a table the columns that only others have, empty."""
    names = set(table.column_names)
    return pa.table(
        [
            table.column(field.name) if field.name in names else pa.nulls(len(table), field.type)
            for field in schema
        ],
        schema=schema,
    )
