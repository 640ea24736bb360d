"""Semantic definitions of a tenant's star schema, in Boring Semantic Layer's format.

Made after each run from the tables as they are, so that nothing is defined that is not there. A new
version is stored only when a definition changed. Dimensions and measures are expressions over `_`,
the table; format: boringdata/boring-semantic-layer, "YAML configuration".
"""

import json
from hashlib import md5
from typing import Any

from duckdb import DuckDBPyConnection

from martlet.star_schema import STAR_TABLES, CanonicalColumn, StarTable, star_model

TABLE = "ops.platform_ops__boring_semantic_layer"
TIME_DIMENSIONS = {
    "ad_performance": "report_date",
    "orders": "business_date",
    "sessions": "business_date",
}
_SUMMED = ("decimal(18,6)", "bigint")
# Numbers that are states of a row, not amounts to add up.
_NOT_SUMMED = {"daily_budget", "session_number", "funnel_step_reached"}


def tenant_definitions(warehouse: DuckDBPyConnection, tenant: str) -> dict[str, Any]:
    """Return the tenant's semantic models by name, for the tables that exist."""
    columns = warehouse.execute(
        "select table_name, column_name from duckdb_columns() "
        "where database_name = current_database() and schema_name = 'analytics'"
    ).fetchall()
    present: dict[str, set[str]] = {}
    for table, column in columns:
        present.setdefault(table, set()).add(column)
    return {
        table.name: _model(table, star_model(tenant, table), present[star_model(tenant, table)])
        for table in STAR_TABLES
        if star_model(tenant, table) in present
    }


def store_definitions(warehouse: DuckDBPyConnection, tenant: str) -> bool:
    """Append the tenant's definitions where they differ from the newest version; say whether."""
    definition = json.dumps(tenant_definitions(warehouse, tenant), sort_keys=True)
    digest = md5(definition.encode(), usedforsecurity=False).hexdigest()
    newest = warehouse.execute(
        f"select max(version_number), arg_max(definition_digest, version_number) from {TABLE} "
        "where tenant_slug = ?",
        [tenant],
    ).fetchone()
    version, known = newest or (None, None)
    if known == digest:
        return False
    warehouse.execute(
        f"insert into {TABLE} "
        "(tenant_slug, version_number, definition_digest, definition, made_at) "
        "values (?, ?, ?, ?, cast(current_timestamp at time zone 'UTC' as timestamp))",
        [tenant, (version or 0) + 1, digest, definition],
    )
    return True


def _model(table: StarTable, relation: str, present: set[str]) -> dict[str, Any]:
    columns = [column for column in table.columns if column.name in present]
    measures = {
        f"total_{column.name}": _described(f"_.{column.name}.sum()", column.description)
        for column in columns
        if _is_summed(column)
    }
    counted = {f"{table.name}_count": _described("_.count()", f"Rows: {table.grain}.")}
    model: dict[str, Any] = {
        "table": relation,
        "description": f"Grain: {table.grain}.",
        "dimensions": {
            column.name: _described(f"_.{column.name}", column.description)
            for column in columns
            if not _is_summed(column)
        },
        "measures": counted | measures,
    }
    if table.name in TIME_DIMENSIONS:
        model["time_dimension"] = TIME_DIMENSIONS[table.name]
        model["smallest_time_grain"] = "TIME_GRAIN_DAY"
    return model


def _is_summed(column: CanonicalColumn) -> bool:
    return column.type in _SUMMED and column.name not in _NOT_SUMMED


def _described(expression: str, description: str) -> dict[str, str]:
    return {"expr": expression, "description": description}
