"""A loader that delivers once more what it has delivered, or that has changed its mind."""

import duckdb


def deliver_again(
    landing: duckdb.DuckDBPyConnection, tenant: str, table: str, *changed: str
) -> str:
    """Land a table's newest load again, an hour later, and return the new load's id.

    `changed` are replacements such as `'7.77' as total`.
    """
    relation = f"{tenant}.{table}"
    ((last,),) = landing.execute(f"select max(_dlt_load_id) from {relation}").fetchall()
    load_id = f"{float(last) + 1:.6f}"
    replaced = ", ".join(
        [
            f"'{load_id}' as _dlt_load_id",
            "_martlet_extracted_at + interval 1 hour as _martlet_extracted_at",
            *changed,
        ]
    )
    landing.execute(
        f"insert into {relation} select * replace ({replaced}) from {relation} "
        f"where _dlt_load_id = '{last}'"
    )
    landing.execute(
        f"insert into {tenant}._martlet_loads select * replace ('{load_id}' as _dlt_load_id, "
        f"extracted_at + interval 1 hour as extracted_at) from {tenant}._martlet_loads "
        f"where table_name = '{table}' and _dlt_load_id = '{last}'"
    )
    landing.execute(
        f"insert into {tenant}._dlt_loads select * replace ('{load_id}' as load_id) "
        f"from {tenant}._dlt_loads where load_id = '{last}'"
    )
    return load_id


def changed_type(table: str, column: str, kind: str) -> str:
    """Return the statement that gives a column another type: a lake alters it to wider ones only."""
    return (
        f"create or replace table {table} as "
        f"select * replace (cast({column} as {kind}) as {column}) from {table}"
    )
