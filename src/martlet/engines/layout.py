"""Which layout a warehouse has: what a newer Martlet made is refused, never misread.

1: masters without `key_prefix`. 2: masters with it (ADR 0011). Where a warehouse does not say, its
masters tell.
"""

from importlib.metadata import version

import duckdb

from martlet.errors import BadInputError

LAYOUT = 2
_TABLE = "ops.warehouse_layout"


def layout_of(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Return the layout that the current database states; None where it states none."""
    try:
        row = connection.execute(f"select max(version) from {_TABLE}").fetchone()
    except duckdb.CatalogException:
        return None
    return row[0] if row else None


def refuse_newer(connection: duckdb.DuckDBPyConnection, where: str) -> None:
    """Raise `BadInputError` for the warehouse of a newer Martlet."""
    found = layout_of(connection)
    if found is not None and found > LAYOUT:
        raise BadInputError(
            f"this warehouse was made by a newer martlet: it has layout {found}, this program "
            f"knows {LAYOUT}",
            where=where,
            remedy="use the newer program; the warehouse was left as it is",
        )


def stated_layout(database: str = "") -> list[str]:
    """Return the statements that let a database say that it has this program's layout."""
    prefix = f"{database}." if database else ""
    return [
        f"create schema if not exists {prefix}ops",
        f"create table if not exists {prefix}{_TABLE} "
        "(version integer, written_by varchar, written_at timestamp)",
        f"insert into {prefix}{_TABLE} select {LAYOUT}, '{version('martlet')}', "
        "cast(current_timestamp at time zone 'UTC' as timestamp) "
        f"where not exists (select 1 from {prefix}{_TABLE} where version = {LAYOUT})",
    ]
