"""The set-wise check of Arrow batches: what it refuses, and what it must not refuse."""

from typing import Any

import pyarrow as pa
import pytest

from martlet.contracts.base import ObjectContract
from martlet.contracts.library import connector_contracts, object_contract
from martlet.contracts.physical import arrow_schema
from martlet.errors import MartletError
from martlet.landing.checks import check_table, first_step


def table_of(contract: ObjectContract, *rows: dict[str, Any], loader: str = "native") -> pa.Table:
    version = next(v for v in contract.versions if v.loader == loader)
    schema = arrow_schema(version.record).append(pa.field("_martlet_row", pa.int64()))
    numbered = [{**row, "_martlet_row": number} for number, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=schema)


def test_only_the_bad_rows_are_refused_and_the_others_keep_order_and_numbers() -> None:
    contract = object_contract("shopify", "orders")
    table = table_of(
        contract,
        {"id": 1, "line_items": "[]"},
        {"id": 2, "line_items": "[{]"},
        {"id": None, "name": "#3"},
        {"id": 4},
    )

    accepted, rejected = check_table(table, contract, "native")

    assert accepted.schema == table.schema
    assert accepted.column("_martlet_row").to_pylist() == [0, 3]
    assert [(r.row_number, r.error, r.path, r.raw_record) for r in rejected] == [
        (1, "not valid JSON", "line_items", '{"id":2,"line_items":"[{]"}'),
        (2, "the key column order_id is null", "id", '{"name":"#3"}'),
    ]


@pytest.mark.parametrize(
    "document",
    [
        '{"a":NaN}',
        "[1, -Infinity ]",
        '{"a":{"b":inf}}',
        '{"a": nan, "b": 1}',
        '{"quote":"\\"","a":NaN}',
    ],
)
def test_nan_in_a_document_is_refused(document: str) -> None:
    contract = object_contract("shopify", "orders")

    accepted, rejected = check_table(
        table_of(contract, {"id": 1, "customer": document}), contract, "native"
    )

    assert accepted.num_rows == 0
    assert [(row.error, row.path) for row in rejected] == [("NaN is no number", "customer")]


@pytest.mark.parametrize(
    "document",
    ['{"a":"NaN"}', '{"a":"x:NaN,"}', '{"NaN":1}', '["Infinity"]', '{"a":"\\":NaN}"}', '"Ina"'],
)
def test_nan_as_a_text_is_no_reason_to_refuse(document: str) -> None:
    contract = object_contract("shopify", "orders")

    accepted, rejected = check_table(
        table_of(contract, {"id": 1, "customer": document}), contract, "native"
    )

    assert (accepted.num_rows, rejected) == (1, ())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_double_that_is_no_number_is_refused(value: float) -> None:
    contract = object_contract("facebook_ads", "facebook_insights")
    key = {
        "date_start": "2026-06-01",
        "account_id": "1",
        "campaign_id": "2",
        "adset_id": "3",
        "ad_id": "4",
    }
    table = table_of(contract, {**key, "spend": value}, {**key, "spend": 1.5}, loader="airbyte")

    accepted, rejected = check_table(table, contract, "airbyte")

    assert accepted.column("spend").to_pylist() == [1.5]
    assert [(row.error, row.path) for row in rejected] == [("NaN is no number", "spend")]


def test_a_key_is_found_inside_of_a_document() -> None:
    contract = object_contract("mixpanel", "events")
    whole = '{"time":1,"distinct_id":"d","$insert_id":"i"}'
    table = table_of(
        contract,
        {"event": "purchase", "properties": whole},
        {"event": "purchase", "properties": '{"time":1,"distinct_id":"d"}'},
    )

    accepted, rejected = check_table(table, contract, "native")

    assert accepted.column("_martlet_row").to_pylist() == [0]
    assert [(row.row_number, row.error) for row in rejected] == [
        (1, "the key column insert_id is null")
    ]


def test_a_column_of_another_type_is_the_makers_mistake() -> None:
    contract = object_contract("shopify", "products")
    table = table_of(contract, {"id": 1})
    texts = table.set_column(0, "id", pa.array(["1"]))

    with pytest.raises(MartletError, match="'id' is string, not int64"):
        check_table(texts, contract, "native")
    with pytest.raises(MartletError, match="'id' is missing"):
        check_table(table.drop_columns(["id"]), contract, "native")


@pytest.mark.parametrize(
    "connector",
    ["amazon_ads", "bing_ads", "google_ads", "linkedin_ads", "tiktok_ads", "woocommerce"],
)
def test_every_path_of_a_contract_names_a_column(connector: str) -> None:
    for contract in connector_contracts(connector).values():
        for column in contract.columns:
            assert all(first_step(path)[0] for path in column.paths)
