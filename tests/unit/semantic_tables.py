"""Star schemas for tests of the semantic layer: empty tables in DuckDB, and Ibis' view of them."""

from pathlib import Path
from typing import Any

import duckdb
import ibis
import yaml
from boring_semantic_layer import from_config
from ibis.backends.sql.datatypes import DuckDBType

from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import Tenant, load_tenants
from martlet.naming import fact_model
from martlet.semantic.definitions import TABLE
from martlet.semantic.standard import BLENDED
from martlet.star_schema import STAR_TABLES, CanonicalColumn, star_model
from tests.project import REPOSITORY

CATALOGUE = load_catalogue(REPOSITORY / "supported_connectors.yaml")


def load_acme(folder: Path, semantics: Any = None, *platforms: str) -> Tenant:
    """Return the tenant `acme` as a file with these semantics and platforms says."""
    analytics = [name for name in platforms if CATALOGUE.connectors[name].domain == "analytics"]
    stanza: dict[str, Any] = {
        "name": "Acme",
        "reporting_timezone": "UTC",
        "currency": "EUR",
        "sources": {platform: {} for platform in platforms},
    }
    if analytics:
        stanza["analytics_source"] = analytics[0]
    if semantics is not None:
        stanza["semantics"] = semantics
    path = folder / "tenants.yaml"
    path.write_text(yaml.safe_dump({"tenants": {"acme": stanza}}, sort_keys=False))
    return load_tenants(path, CATALOGUE).tenant("acme")


def create_star_schema(connection: duckdb.DuckDBPyConnection, schema: str = "analytics") -> None:
    """Create acme's facts and dimensions, empty, and the table of definitions."""
    connection.execute(f"create schema if not exists {schema}; create schema if not exists ops")
    connection.execute(
        f"create table {TABLE} (tenant_slug varchar, version_number bigint, "
        "definition_digest varchar, definition json, made_at timestamp)"
    )
    for table in STAR_TABLES:
        columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
        connection.execute(f"create table {schema}.{star_model('acme', table)} ({columns})")


def mart_columns() -> dict[str, tuple[CanonicalColumn, ...]]:
    """Return the columns of acme's tables as they are in a mart."""
    key = CanonicalColumn("campaign_key", "varchar", "The campaign.")
    tables = {star_model("acme", table): table.columns for table in STAR_TABLES}
    for name in (fact_model("acme", "ad_performance"), "dim_acme__campaigns"):
        tables[name] = (*tables[name], key)
    return {**tables, fact_model("acme", "blended"): BLENDED.columns}


def create_mart(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the tables of acme's mart, empty."""
    for name, columns in mart_columns().items():
        spelled = ", ".join(f"{column.name} {column.type}" for column in columns)
        connection.execute(f"create table {name} ({spelled})")


def semantic_models(definition: dict[str, Any]) -> dict[str, Any]:
    """Return Boring Semantic Layer's models of a definition of acme, over no data."""
    tables = {
        name: ibis.table(
            {column.name: DuckDBType.from_string(column.type) for column in columns}, name=name
        )
        for name, columns in mart_columns().items()
    }
    return from_config(definition, tables=tables)


def ask(
    connection: duckdb.DuckDBPyConnection, definition: dict[str, Any], model: str, *measures: str
) -> dict[str, Any]:
    """Return the measures over all rows, as the definition computes them."""
    asked = semantic_models(definition)[model].query(measures=list(measures)).to_untagged()
    cursor = connection.execute(ibis.to_sql(asked, dialect="duckdb"))
    (row,) = cursor.fetchall()
    return dict(zip((column[0] for column in cursor.description), row, strict=True))
