"""Semantic definitions are made of the tables that are there, and versioned when they change."""

import json
from collections.abc import Iterator

import duckdb
import pytest

from martlet.semantic.definitions import TABLE, store_definitions, tenant_definitions
from martlet.star_schema import ORDERS, STAR_TABLES, star_model


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create schema analytics; create schema ops")
        connection.execute(
            f"create table {TABLE} (tenant_slug varchar, version_number bigint, "
            "definition_digest varchar, definition json, made_at timestamp)"
        )
        for table in STAR_TABLES:
            columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
            connection.execute(f"create table analytics.{star_model('acme', table)} ({columns})")
        yield connection


def test_every_fact_and_dimension_has_a_model(warehouse: duckdb.DuckDBPyConnection) -> None:
    models = tenant_definitions(warehouse, "acme")

    assert set(models) == {"ad_performance", "orders", "sessions", "campaigns"}
    assert models["ad_performance"]["measures"]["total_spend"]["expr"] == "_.spend.sum()"
    assert models["ad_performance"]["time_dimension"] == "report_date"
    assert "spend" not in models["ad_performance"]["dimensions"]
    assert "daily_budget" in models["campaigns"]["dimensions"], "a budget is a state, not an amount"


def test_a_tenant_gets_nothing_of_another_whose_name_begins_alike(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    assert tenant_definitions(warehouse, "acm") == {}


def test_what_is_not_in_the_table_is_not_defined(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(f"alter table analytics.{star_model('acme', ORDERS)} drop column refunded")

    assert "total_refunded" not in tenant_definitions(warehouse, "acme")["orders"]["measures"]


def test_a_definition_that_comes_back_is_a_third_version_and_one_that_stays_is_none(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    orders = f"analytics.{star_model('acme', ORDERS)}"
    stored = [store_definitions(warehouse, "acme"), store_definitions(warehouse, "acme")]
    warehouse.execute(f"alter table {orders} drop column refunded")
    stored.append(store_definitions(warehouse, "acme"))
    warehouse.execute(f"alter table {orders} add column refunded decimal(18, 6)")
    stored.append(store_definitions(warehouse, "acme"))

    versions = warehouse.execute(
        f"select version_number, definition from {TABLE} order by version_number"
    ).fetchall()
    assert stored == [True, False, True, True]
    assert [number for number, _ in versions] == [1, 2, 3]
    assert json.loads(versions[0][1]) == json.loads(versions[2][1])
