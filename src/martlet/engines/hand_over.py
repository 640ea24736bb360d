"""Moves finished loads from the file that dlt writes into a shared landing, each of them once."""

from duckdb import DuckDBPyConnection

from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.engines.engine import transaction

LOADING = "loading"  # the attached file
LANDING = "landing"
_LOADS = "_dlt_loads"
_DELIVERIES = "_martlet_loads"  # names the table of each load, of one without a row too
# What dlt remembers of its own pipelines on this machine.
_DLTS_OWN = ("_dlt_version", "_dlt_pipeline_state")


def hand_over(connection: DuckDBPyConnection, schema: str) -> list[str]:
    """Copy the finished loads of a schema that the landing lacks, in one transaction; return them.

    A load is in `_dlt_loads` once all its rows are there, so that what is copied is whole. Then
    the file is emptied of whatever the landing has: killed in between, the next call does it.
    """
    tables = _columns(connection, LOADING, schema)
    if _LOADS not in tables:
        return []
    own = f"{LOADING}.{quoted_name(schema)}"
    shared = f"{LANDING}.{quoted_name(schema)}"
    finished = _loads(connection, own)
    known = _loads(connection, shared) if _LOADS in _columns(connection, LANDING, schema) else set()
    new = sorted(finished - known)
    if new:
        delivered = _delivered(connection, own, new) if _DELIVERIES in tables else set()
        with transaction(connection):
            connection.execute(f"create schema if not exists {shared}")
            for table, columns in tables.items():
                _copy(connection, schema, table, columns, new, table in delivered)
    gone = _listed(finished)
    with transaction(connection):
        for table, columns in tables.items():
            if "_dlt_load_id" in columns and finished:
                connection.execute(
                    f"delete from {own}.{quoted_name(table)} where _dlt_load_id in ({gone})"
                )
    return new


def _copy(
    connection: DuckDBPyConnection,
    schema: str,
    table: str,
    columns: dict[str, str],
    load_ids: list[str],
    is_delivered: bool,
) -> None:
    """Copy a table's rows of some loads; what has none is made where it was delivered empty."""
    source = f"{LOADING}.{quoted_name(schema)}.{quoted_name(table)}"
    target = f"{LANDING}.{quoted_name(schema)}.{quoted_name(table)}"
    load_id = "load_id" if table == _LOADS else "_dlt_load_id"
    if load_id not in columns:
        return
    rows = f"from {source} where {load_id} in ({_listed(load_ids)})"
    has_rows = connection.execute(f"select 1 {rows} limit 1").fetchall()
    if not has_rows and not is_delivered:
        return
    present = _columns(connection, LANDING, schema).get(table)
    if present is None:
        definition = ", ".join(f"{quoted_name(name)} {kind}" for name, kind in columns.items())
        connection.execute(f"create table {target} ({definition})")
    else:
        folded = {name.casefold() for name in present}
        for name, kind in columns.items():
            if name.casefold() not in folded:
                connection.execute(f"alter table {target} add column {quoted_name(name)} {kind}")
    names = ", ".join(map(quoted_name, columns))
    connection.execute(f"insert into {target} ({names}) select {names} {rows}")


def _columns(
    connection: DuckDBPyConnection, database: str, schema: str
) -> dict[str, dict[str, str]]:
    """Return the schema's tables, but for dlt's own: column name to type."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = ? and schema_name = ? order by table_name, column_index",
        [database, schema],
    ).fetchall():
        if table not in _DLTS_OWN:
            tables.setdefault(table, {})[column] = kind
    return tables


def _loads(connection: DuckDBPyConnection, schema: str) -> set[str]:
    rows = connection.execute(f"select load_id from {schema}.{_LOADS} where status = 0").fetchall()
    return {load_id for (load_id,) in rows}


def _delivered(connection: DuckDBPyConnection, schema: str, load_ids: list[str]) -> set[str]:
    """Return the tables that the loads are of."""
    rows = connection.execute(
        f"select distinct table_name from {schema}.{_DELIVERIES} "
        f"where _dlt_load_id in ({_listed(load_ids)})"
    ).fetchall()
    return {table for (table,) in rows}


def _listed(load_ids: list[str] | set[str]) -> str:
    return ", ".join(quoted_text(load_id) for load_id in load_ids)
