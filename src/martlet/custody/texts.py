"""Takes what identified a person out of texts: messages of runs, alerts, traces."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

import pyarrow as pa
from duckdb import DuckDBPyConnection

from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.engines.rewriting import WAREHOUSE, Place, tables_of
from martlet.settings import Settings

INSTEAD = "[erased]"
# A shorter one is in too many texts that have nothing to do with the person.
SHORTEST = 6
_TEXT_SCHEMAS = ("ops", "platform")
_FOLDERS = ("pending_artifacts", "target", "dlt", "logs")
_OPAQUE = ".pickle"


def scrubbed_tables(
    connection: DuckDBPyConnection, values: Collection[str], without: Collection[Place]
) -> dict[Place, str]:
    """Return the queries of those tables whose texts name one of the values, without it."""
    sought = [value for value in values if len(value) >= SHORTEST]
    if not sought:
        return {}
    connection.register("sought", pa.table({"value": pa.array(sought, pa.string())}))
    queries = {}
    for schema, table in tables_of(connection, WAREHOUSE):
        if schema not in _TEXT_SCHEMAS or (schema, table) in without:
            continue
        relation = f"{WAREHOUSE}.{quoted_name(schema)}.{quoted_name(table)}"
        replaced = {}
        for column in _text_columns(connection, schema, table):
            found = connection.execute(
                f"select distinct value from {relation} as t inner join sought as s "
                f"on contains(cast(t.{quoted_name(column)} as varchar), s.value)"
            ).fetchall()
            if found:
                replaced[column] = [value for (value,) in found]
        if replaced:
            columns = ", ".join(_without(column, found) for column, found in replaced.items())
            queries[schema, table] = f"select * replace ({columns}) from {relation}"
    connection.unregister("sought")
    return queries


def scrub_files(settings: Settings, values: Collection[str]) -> list[str]:
    """Replace the values in the files beside the databases; return the files' names."""
    sought = [value.encode() for value in values if len(value) >= SHORTEST]
    changed = []
    for path in _text_files(settings.home):
        content = path.read_bytes()
        if not any(value in content for value in sought):
            continue
        if path.suffix == _OPAQUE:  # dlt's trace of its last step, which nothing needs
            path.unlink()
        else:
            for value in sorted(sought, key=len, reverse=True):
                content = content.replace(value, INSTEAD.encode())
            draft = path.with_name(f".{path.name}.{os.getpid()}.new")
            draft.write_bytes(content)
            draft.replace(path)
        changed.append(str(path.relative_to(settings.home)))
    return changed


def _text_files(home: Path) -> Iterator[Path]:
    yield from sorted(home.glob("*.json"))
    for folder in _FOLDERS:
        for path in sorted((home / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path


def _text_columns(connection: DuckDBPyConnection, schema: str, table: str) -> list[str]:
    rows = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = ? "
        "and table_name = ? and data_type in ('VARCHAR', 'JSON', 'VARCHAR[]')",
        [WAREHOUSE, schema, table],
    ).fetchall()
    return [name for (name,) in rows]


def _without(column: str, values: list[str]) -> str:
    name = quoted_name(column)
    text = f"cast({name} as varchar)"
    for value in sorted(values, key=len, reverse=True):
        text = f"replace({text}, {quoted_text(value)}, {quoted_text(INSTEAD)})"
    return f"{text} as {name}"
