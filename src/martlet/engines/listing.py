"""What tables a database has. A lake answers from its catalogue, in one query.

DuckDB's own listings ask a lake for the statistics of each table by itself: with thousands of
tables, that took minutes.
"""

from dataclasses import dataclass

from duckdb import DuckDBPyConnection

_FILE = """
    select schema_name, table_name, md5(sql) as definition, estimated_size as row_count
    from duckdb_tables()
    where database_name = '{database}'
"""
# The state that the session sees; but for the row count, which is the newest.
_LAKE = """
    select schema_name, table_name, definition, coalesce(record_count, 0) as row_count
    from (
        select schema_id, table_id, table_name, table_uuid
        from {catalogue}.ducklake_table
        where {lives}
    ) as tables
    join (select schema_id, schema_name from {catalogue}.ducklake_schema where {lives}) as schemas
        using (schema_id)
    left join (
        select
            table_id,
            md5(string_agg(concat_ws(' ', column_name, column_type), ', ' order by column_order))
                as definition
        from {catalogue}.ducklake_column
        where {lives}
        group by table_id
    ) as columns using (table_id)
    left join {catalogue}.ducklake_table_stats as statistics using (table_id)
"""
_LIVES = (
    "begin_snapshot <= (select id from ducklake_current_snapshot('{database}')) and "
    "(end_snapshot is null or "
    "end_snapshot > (select id from ducklake_current_snapshot('{database}')))"
)


@dataclass(frozen=True)
class Listed:
    """A table; `definition` differs whenever its columns do."""

    schema: str
    name: str
    definition: str
    rows: int


def list_tables(
    connection: DuckDBPyConnection, *schemas: str, database: str | None = None
) -> list[Listed]:
    """Return a database's committed tables, by schema and name; those of `schemas`, if any.

    Without `database`, those of the current one.
    """
    if database is None:
        ((database,),) = connection.execute("select current_database()").fetchall()
    query = f"select * from ({listing_query(connection, database)}) as listed"
    if schemas:
        query += " where list_contains(?, schema_name)"
    found = connection.execute(f"{query} order by 1, 2", [[*schemas]] if schemas else None)
    return [Listed(*row) for row in found.fetchall()]


def listing_query(connection: DuckDBPyConnection, database: str) -> str:
    """Return the query for schema_name, table_name, definition and row_count of each table."""
    is_lake = connection.execute(
        "select 1 from duckdb_databases() where database_name = ? and type = 'ducklake'", [database]
    ).fetchone()
    if not is_lake:
        return _FILE.format(database=database)
    ((kind,),) = connection.execute(
        f"select catalog_type from ducklake_settings('{database}')"
    ).fetchall()
    schema = database if kind == "postgres" else "main"
    lives = _LIVES.format(database=database)
    return _LAKE.format(catalogue=f"__ducklake_metadata_{database}.{schema}", lives=lives)
