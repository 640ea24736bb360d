"""Semantic definitions are made of the tables that are there, and versioned when they change."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest

from martlet.marts import blended
from martlet.semantic.definitions import TABLE, store_definitions, tenant_definitions
from martlet.semantic.standard import BLENDED, STANDARD_MODELS
from martlet.semantic.standard.concepts import fields_of
from martlet.star_schema import AD_PERFORMANCE, CAMPAIGNS, ORDERS, SESSIONS, star_model
from tests.unit.semantic_tables import (
    CATALOGUE,
    ask,
    create_mart,
    create_star_schema,
    load_acme,
    semantic_models,
)

MODELS = {"ad_performance", "orders", "sessions", "campaigns", "blended"}
OWN = {
    "labels": {"ad_performance.spend": "Media cost", "orders.big_orders": "Large"},
    "measures": {
        "orders": {
            "big_orders": {
                "count": "rows",
                "filters": [{"field": "total_price", "op": "gte", "value": 100}],
            },
            "tax_paid": {"sum": "tax"},
            "tax_rate": {"ratio": {"numerator": "tax_paid", "denominator": "revenue"}},
        },
        "blended": {
            "refunds_per_spend": {"ratio": {"numerator": "refunded_amount", "denominator": "spend"}}
        },
    },
}


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_star_schema(connection)
        yield connection


@pytest.fixture
def mart() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_mart(connection)
        yield connection


def drop(warehouse: duckdb.DuckDBPyConnection, table: Any, column: str) -> None:
    warehouse.execute(f"alter table analytics.{star_model('acme', table)} drop column {column}")


def insert(mart: duckdb.DuckDBPyConnection, table: str, *rows: dict[str, Any]) -> None:
    for row in rows:
        places = ", ".join("?" for _ in row)
        mart.execute(f"insert into {table} ({', '.join(row)}) values ({places})", [*row.values()])


def names(model: dict[str, Any]) -> set[str]:
    return {*model["dimensions"], *model["measures"], *model["calculated_measures"]}


def test_every_fact_has_the_whole_standard_vocabulary(warehouse: duckdb.DuckDBPyConnection) -> None:
    models = tenant_definitions(warehouse, "acme")

    assert set(models) == MODELS
    for name, model in models.items():
        assert names(model) == STANDARD_MODELS[name].field_names
    ads = models["ad_performance"]
    assert ads["table"] == "fct_acme__ad_performance"
    assert ads["measures"]["spend"]["metadata"] == {
        "label": "Spend",
        "type": "decimal",
        "unit": "money",
    }
    assert ads["calculated_measures"]["roas"]["metadata"] == {
        "label": "Return on ad spend (ROAS)",
        "type": "double",
        "unit": "ratio",
        "of_money": True,
        "claimed": True,
    }
    assert ads["joins"]["campaigns"]["left_on"] == "campaign_key"
    assert "daily_budget" in models["campaigns"]["dimensions"], "a budget is a state, not an amount"
    assert "line_items_json" not in models["orders"]["dimensions"]


def test_what_is_personal_in_the_star_schema_is_personal_here(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    models = tenant_definitions(warehouse, "acme")

    personal = {
        f"{model}.{name}"
        for model, stated in models.items()
        for name, dimension in stated["dimensions"].items()
        if dimension["metadata"].get("personal")
    }
    assert personal == {
        "orders.customer_email",
        "orders.customer_id",
        "sessions.session_id",
        "sessions.user_pseudo_id",
    }


def test_the_blended_model_has_the_columns_of_the_marts_table() -> None:
    assert [(column.name, column.type) for column in BLENDED.columns] == list(blended.COLUMNS)


def test_ratios_over_two_domains_are_blended_and_others_are_not(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    ratios = tenant_definitions(warehouse, "acme")["blended"]["calculated_measures"]

    found = {name for name, ratio in ratios.items() if ratio["metadata"].get("blended")}
    assert set(ratios) - found == {"aov", "session_conversion_rate"}


def test_a_tenant_gets_nothing_of_another_whose_name_begins_alike(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    assert tenant_definitions(warehouse, "acm") == {}


def test_what_is_not_in_a_table_is_not_defined_nor_what_needs_it(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    drop(warehouse, ORDERS, "refunded")
    drop(warehouse, ORDERS, "tax")
    drop(warehouse, CAMPAIGNS, "account_id")

    models = tenant_definitions(warehouse, load_acme(tmp_path, OWN))

    gone = {"revenue", "refunded_amount", "tax_amount", "aov", "refund_rate"}
    own = {"tax_paid", "tax_rate"}
    assert STANDARD_MODELS["orders"].field_names - names(models["orders"]) == gone
    assert not own & names(models["orders"])
    assert "big_orders" in names(models["orders"])
    assert "joins" not in models["ad_performance"]
    semantic_models(models)


@pytest.mark.parametrize("lost", [AD_PERFORMANCE, ORDERS, SESSIONS], ids=lambda table: table.name)
def test_without_one_of_its_facts_there_is_no_blended_model(
    warehouse: duckdb.DuckDBPyConnection, lost: Any
) -> None:
    warehouse.execute(f"drop table analytics.{star_model('acme', lost)}")

    assert set(tenant_definitions(warehouse, "acme")) == MODELS - {lost.name, "blended"}


@pytest.mark.parametrize("platform", CATALOGUE.connectors)
def test_boring_semantic_layer_takes_the_definition_of_every_platforms_tenant(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, platform: str
) -> None:
    tenant = load_acme(tmp_path, OWN, platform)

    definition = json.loads(json.dumps(tenant_definitions(warehouse, tenant), sort_keys=True))

    models = semantic_models(definition)
    for name, stated in definition.items():
        measures = [*stated["measures"], *stated["calculated_measures"]]
        asked = models[name].query(dimensions=[*stated["dimensions"]], measures=measures)
        ibis.to_sql(asked.to_untagged(), dialect="duckdb")


def test_a_model_says_from_which_platforms_dbt_built_it(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    warehouse.execute(
        "create table ops.model_artifacts (name varchar, depends_on json, captured_at timestamp, "
        "invocation_id varchar)"
    )
    orders = star_model("acme", ORDERS)
    insert(
        warehouse,
        "ops.model_artifacts",
        {"name": orders, "depends_on": "[]", "captured_at": "2026-01-01", "invocation_id": "a"},
        {
            "name": orders,
            "depends_on": '["model.martlet.int_acme__shopify_orders"]',
            "captured_at": "2026-01-02",
            "invocation_id": "b",
        },
        {
            "name": star_model("acme", SESSIONS),
            "depends_on": "[]",
            "captured_at": "2026-01-02",
            "invocation_id": "b",
        },
    )

    models = tenant_definitions(warehouse, load_acme(tmp_path, None, "shopify", "woocommerce"))

    assert "Built from shopify. Grain: one row per" in models["orders"]["description"]
    assert "No source feeds it yet." in models["sessions"]["description"]
    assert "Built" not in models["ad_performance"]["description"], "nothing was recorded of it"


def test_orders_that_do_not_count_are_in_no_amount(
    warehouse: duckdb.DuckDBPyConnection, mart: duckdb.DuckDBPyConnection
) -> None:
    order = {
        "source_platform": "shopify",
        "connection": "main",
        "total_price": 100,
        "is_test": False,
        "is_cancelled": False,
    }
    insert(
        mart,
        "fct_acme__orders",
        {**order, "customer_email": "Jo@example.com ", "refunded": 40},
        {**order, "customer_email": "jo@example.com", "is_test": None, "is_cancelled": None},
        {**order, "customer_email": " ", "customer_id": "7"},
        {**order, "connection": "outlet", "customer_id": "7"},
        {**order, "source_platform": "bigcommerce", "customer_id": "7"},
        {**order},
        {**order, "is_test": True, "is_cancelled": True},
        {**order, "is_cancelled": True},
    )
    definition = tenant_definitions(warehouse, "acme")

    answer = ask(
        mart,
        definition,
        "orders",
        *("order_count", "revenue", "gross_revenue", "refunded_amount", "customer_count"),
        *("cancelled_order_count", "test_order_count", "row_count", "aov", "refund_rate"),
    )

    assert answer == {
        "order_count": 6,
        "revenue": Decimal(560),
        "gross_revenue": Decimal(600),
        "refunded_amount": Decimal(40),
        "customer_count": 4,
        "cancelled_order_count": 1,
        "test_order_count": 1,
        "row_count": 8,
        "aov": pytest.approx(560 / 6),
        "refund_rate": pytest.approx(40 / 600),
    }


def test_nothing_over_zero_is_null_and_not_an_error(
    warehouse: duckdb.DuckDBPyConnection, mart: duckdb.DuckDBPyConnection
) -> None:
    insert(mart, "fct_acme__ad_performance", {"spend": 5, "impressions": 0, "clicks": 0})
    insert(mart, "fct_acme__blended", {"spend": 0, "revenue": 5, "customers_won": 0})
    definition = tenant_definitions(warehouse, "acme")

    for model in ("ad_performance", "orders", "sessions", "blended"):
        ratios = definition[model]["calculated_measures"]
        assert set(ask(mart, definition, model, *ratios).values()) == {None}, model


def test_the_tenants_own_measures_and_labels_are_in_its_definition(
    warehouse: duckdb.DuckDBPyConnection, mart: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    insert(
        mart,
        "fct_acme__orders",
        {"total_price": 100, "tax": 19},
        {"total_price": 99, "tax": None},
    )

    definition = tenant_definitions(warehouse, load_acme(tmp_path, OWN))

    orders = definition["orders"]
    assert definition["ad_performance"]["measures"]["spend"]["metadata"]["label"] == "Media cost"
    assert definition["blended"]["measures"]["spend"]["metadata"]["label"] == "Spend"
    assert orders["measures"]["big_orders"]["metadata"]["label"] == "Large"
    assert orders["measures"]["tax_paid"]["metadata"] == {
        "label": "Tax paid",
        "type": "decimal",
        "unit": "money",
    }
    assert orders["calculated_measures"]["tax_rate"]["metadata"]["of_money"]
    two_domains = definition["blended"]["calculated_measures"]["refunds_per_spend"]["metadata"]
    assert two_domains["blended"]
    assert two_domains["of_money"]
    answer = ask(mart, definition, "orders", "big_orders", "tax_paid", "tax_rate")
    assert answer == {"big_orders": 1, "tax_paid": 19, "tax_rate": pytest.approx(19 / 199)}


def test_a_definition_that_comes_back_is_a_third_version_and_one_that_stays_is_none(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    tenant = load_acme(tmp_path)
    stored = [store_definitions(warehouse, tenant), store_definitions(warehouse, "acme")]
    drop(warehouse, ORDERS, "refunded")
    stored.append(store_definitions(warehouse, tenant))
    orders = star_model("acme", ORDERS)
    warehouse.execute(f"alter table analytics.{orders} add column refunded decimal(18, 6)")
    stored.append(store_definitions(warehouse, tenant))

    versions = warehouse.execute(
        f"select version_number, definition from {TABLE} order by version_number"
    ).fetchall()
    assert [number for _, number in stored] == [1, 1, 2, 3]
    assert [number for number, _ in versions] == [1, 2, 3]
    assert [json.loads(text) for _, text in versions] == [d for d, _ in stored[1:]]
    assert stored[0] == (stored[3][0], 1)


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("_.count()", set()),
        ("_.spend.sum()", {"spend"}),
        ("_.count(where=~_.is_test.coalesce(False))", {"is_test"}),
        ("_.spend * 1000 / _.clicks.nullif(0)", {"spend", "clicks"}),
        ("_.a.sum(where=(_.b == '_.c'))", {"a", "b"}),
    ],
)
def test_the_fields_of_an_expression_are_those_that_it_reads(
    expression: str, fields: set[str]
) -> None:
    assert fields_of(expression) == fields
