"""Removes published versions that still hold what is gone from the warehouse."""

from collections.abc import Collection
from contextlib import suppress

import duckdb
import pyarrow as pa

from martlet.custody.texts import SHORTEST
from martlet.engines.duckdb_engine import connect, quoted_name
from martlet.errors import MartletError
from martlet.marts.errors import MartDamagedError
from martlet.marts.folders import mart_folder, operations_folder
from martlet.marts.versions import OPERATORS, VersionFolder
from martlet.settings import Settings


def remove_versions(
    settings: Settings,
    slug: str,
    values: Collection[str],
    *,
    keep_current: bool,
    wait_seconds: float,
) -> tuple[int, str | None]:
    """Remove all versions of marts and operational snapshots but the current ones.

    One that is current goes too where it still holds one of the values: what a hold keeps published
    would keep the person published. Returns how many went, and the mart that is current now.
    """
    marts = mart_folder(settings, slug)
    removed = _remove(marts, values, keep_current=keep_current, wait_seconds=wait_seconds)
    removed += _remove(
        operations_folder(settings, slug),
        values,
        keep_current=keep_current,
        wait_seconds=wait_seconds,
    )
    removed += _remove(
        operations_folder(settings, OPERATORS), values, keep_current=True, wait_seconds=wait_seconds
    )
    current = None
    with suppress(MartDamagedError):
        current = marts.current()
    return removed, current


def _remove(
    folder: VersionFolder, values: Collection[str], *, keep_current: bool, wait_seconds: float
) -> int:
    if not folder.path.is_dir():
        return 0
    with folder.lock(wait_seconds):
        folder.remove_leftovers()
        current = None
        with suppress(MartDamagedError):
            current = folder.current()
        if current and (not keep_current or _holds(folder, current, values)):
            folder.withdraw_all()
            current = None
        surplus = [version for version in folder.versions() if version != current]
        for version in surplus:
            folder.path_of(version).unlink(missing_ok=True)
    return len(surplus)


def _holds(folder: VersionFolder, version: str, values: Collection[str]) -> bool:
    """Say whether a version still holds one of the values; one that cannot be read counts as so."""
    sought = pa.table({"value": pa.array(sorted(values), pa.string())})
    try:
        with connect(folder.path_of(version), read_only=True) as mart:
            mart.register("sought", sought)
            columns = mart.execute(
                "select schema_name, table_name, column_name from duckdb_columns() "
                "where database_name = current_database() and not internal "
                "and data_type in ('VARCHAR', 'JSON')"
            ).fetchall()
            return any(_column_holds(mart, *column) for column in columns)
    except (MartletError, duckdb.Error):
        return True


def _column_holds(mart: duckdb.DuckDBPyConnection, schema: str, table: str, column: str) -> bool:
    text = f"cast({quoted_name(column)} as varchar)"
    relation = f"{quoted_name(schema)}.{quoted_name(table)}"
    return bool(
        mart.execute(
            f"select 1 from {relation} as t, sought as s where {text} = s.value "
            f"or (length(s.value) >= {SHORTEST} and contains({text}, s.value)) limit 1"
        ).fetchall()
    )
