"""A user's file: every record lands unchanged or goes to quarantine with a reason."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from martlet.contracts.library import object_contract
from martlet.contracts.physical import arrow_schema
from martlet.errors import BadInputError
from martlet.landing.batches import LandedBatch
from martlet.landing.files import read_file

MOMENT = datetime(2026, 7, 1, 6)


def read(path: Path, platform: str, object_: str, loader: str | None = None) -> LandedBatch:
    return read_file(
        path,
        platform=platform,
        connection="main",
        contract=object_contract(platform, object_),
        loader=loader,
        extracted_at=MOMENT,
    )


def lines(tmp_path: Path, *texts: str, name: str = "records.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def columns(batch: LandedBatch, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(batch.rows.column(name).to_pylist() for name in names), strict=True))


def reasons(batch: LandedBatch) -> list[tuple[int, str, str | None]]:
    return [(row.row_number, row.error, row.path) for row in batch.rejected]


def test_the_rows_have_the_whole_schema_of_the_contract_even_where_all_is_null(
    tmp_path: Path,
) -> None:
    batch = read(lines(tmp_path, '{"id": 1}'), "shopify", "orders")

    contract = object_contract("shopify", "orders")
    expected = [*arrow_schema(contract.versions[0].record), pa.field("_martlet_row", pa.int64())]
    assert list(batch.rows.schema) == expected


def test_a_number_beyond_2_to_the_53_keeps_every_digit_on_top_and_nested(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        '{"id": 9007199254740993, "customer": {"id": 9223372036854775807},'
        ' "line_items": [{"id": 123456789012345678901234567890}]}',
    )

    batch = read(path, "shopify", "orders")

    assert columns(batch, "id", "customer", "line_items") == [
        (
            9007199254740993,
            '{"id":9223372036854775807}',
            '[{"id":123456789012345678901234567890}]',
        )
    ]


def test_a_nested_decimal_lands_as_it_was_written(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"id": 1, "line_items": [ {"price": 12.10, "tax": 1E2, "a": 0.5} ]}')

    batch = read(path, "shopify", "orders")

    assert columns(batch, "line_items") == [('[{"price":12.10,"tax":1E2,"a":0.5}]',)]


def test_a_document_that_came_as_a_text_is_read_and_keeps_its_numbers(tmp_path: Path) -> None:
    path = lines(tmp_path, json.dumps({"id": 1, "line_items": '[{"price": 12.10}]'}))

    batch = read(path, "shopify", "orders")

    assert columns(batch, "line_items") == [('[{"price":12.10}]',)]


def test_a_number_where_the_contract_has_a_text_becomes_its_text(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"id": 23846765228310398, "name": 12.10, "account_id": 7}')

    batch = read(path, "facebook_ads", "ads", loader="native")

    assert columns(batch, "id", "name", "account_id") == [("23846765228310398", "12.10", "7")]


def test_a_numeric_text_where_the_contract_has_a_number_is_accepted(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"id": "450789469", "order_number": "1001"}')

    batch = read(path, "shopify", "orders")

    assert columns(batch, "id", "order_number") == [(450789469, 1001)]


@pytest.mark.parametrize(
    ("record", "error", "where"),
    [
        ('{"id": "abc"}', "Input should be a valid integer", "id"),
        ('{"id": 1.5}', "Input should be a valid integer", "id"),
        ('{"id": true}', "Input should be a valid integer", "id"),
        (
            '{"id": 1, "client_details": {"browser_width": "wide"}}',
            "Input should be a valid integer",
            "client_details.browser_width",
        ),
        ('{"id": 1, "line_items": {"a": 1}}', "valid array", "line_items"),
        ('{"id": 1, "test": "yes"}', "boolean", "test"),
        ('{"id": 9223372036854775808}', "beyond 64 bits", "id"),
        ('{"id": 1, "email": "\\ud800"}', "surrogate", None),
        ('{"id": 1, "ID": 2}', "'id' and 'ID' are one column", "ID"),
        ('{"id": 1, "id": 2}', "stated twice", None),
        ('{"id": 1, "x\'y": 2, "x_y": 3}', "are one column", "x_y"),
        ('{"id": 1, "": 2}', "no name", None),
        ('{"id": NaN}', "NaN is no number", "id"),
        ('{"id": 1, "refunds": [{"amount": -Infinity}]}', "NaN", "refunds.0.amount"),
        ('{"id": 1, "customer": {"x": 1e999}}', "NaN", "customer.x"),
        ('{"id": null, "name": "#1"}', "the key column order_id is null", "id"),
        ('{"name": "#1"}', "the key column order_id is null", "id"),
        ('{"nonsense": 1}', "no field of the contract", None),
        ("[1]", "not a JSON object", None),
        ('{"id": 1', "not valid JSON", None),
    ],
)
def test_a_bad_record_is_set_apart_with_reason_and_path_and_the_good_ones_land(
    tmp_path: Path, record: str, error: str, where: str | None
) -> None:
    path = lines(tmp_path, '{"id": 10}', record, '{"id": 12}')

    batch = read(path, "shopify", "orders")

    assert columns(batch, "id", "_martlet_row") == [(10, 0), (12, 2)]
    (rejected,) = batch.rejected
    assert rejected.row_number == 1
    assert error in rejected.error
    assert rejected.path == where
    assert rejected.raw_record == record


def test_a_line_that_is_no_utf8_is_set_apart(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": 1}\n\n{"id": 2, "name": "\xff"}\n')

    batch = read(path, "shopify", "orders")

    assert columns(batch, "id") == [(1,)]
    assert reasons(batch) == [(1, "not UTF-8: invalid start byte", None)]


def test_an_unknown_field_lands_as_json_under_the_spelling_that_came_first(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        '{"id": 1, "Loyalty": "gold", "extra": {"a": [1, 2.50]}}',
        '{"id": 2, "loyalty": 3, "late": true, "extra": null}',
    )

    batch = read(path, "shopify", "orders")

    assert batch.rows.column_names[-4:] == ["Loyalty", "extra", "late", "_martlet_row"]
    assert columns(batch, "Loyalty", "extra", "late") == [
        ('"gold"', '{"a":[1,2.50]}', None),
        ("3", None, "true"),
    ]


def test_a_name_that_no_sql_can_hold_lands_under_one_that_it_can(tmp_path: Path) -> None:
    path = lines(tmp_path, '{"id": 1, "a\\u0000b": "\\u0000"}')

    batch = read(path, "shopify", "orders")

    assert batch.rows.column_names[-2:] == ["a_b", "_martlet_row"]
    assert columns(batch, "a_b") == [('"\\u0000"',)]


def test_what_an_earlier_landing_added_for_itself_is_left_out(tmp_path: Path) -> None:
    path = lines(
        tmp_path, '{"id": 1, "_dlt_load_id": "1", "_martlet_row": 3, "_airbyte_raw_id": 2}'
    )

    batch = read(path, "shopify", "orders")

    assert batch.rows.column_names[-2:] == ["_airbyte_raw_id", "_martlet_row"]


@pytest.mark.parametrize(
    ("record", "loader"),
    [
        ({"ad_id": "1", "spend": "1.09", "impressions": "839"}, "native"),
        ({"ad_id": "1", "spend": 1.09, "impressions": 839}, "airbyte"),
    ],
)
def test_the_records_decide_which_published_version_they_are(
    tmp_path: Path, record: dict[str, Any], loader: str
) -> None:
    key = {"date_start": "2026-06-01", "account_id": "1", "campaign_id": "2", "adset_id": "3"}
    path = lines(tmp_path, json.dumps(key | record))

    batch = read(path, "facebook_ads", "facebook_insights")

    assert batch.loader == loader
    assert not batch.rejected


def test_a_forced_version_that_is_not_published_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no version 'airbyte'"):
        read(lines(tmp_path, '{"event_name": "x"}'), "google_analytics", "events", "airbyte")


def test_a_json_array_is_read_element_by_element(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_text('\n[ {"id": 1, "line_items": [{"price": 1.10}]},\n 5, {"id": 3}\n]\n')

    batch = read(path, "shopify", "orders")

    assert columns(batch, "id", "_martlet_row") == [(1, 0), (3, 2)]
    assert batch.rejected[0].raw_record == "5"


def test_an_array_that_breaks_off_is_bad_input(tmp_path: Path) -> None:
    path = tmp_path / "records.json"
    path.write_text('[{"id": 1}, {"id": 2')

    with pytest.raises(BadInputError, match="array cannot be read"):
        read(path, "shopify", "orders")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("records.jsonl", "", "empty"),
        ("records.jsonl", " \n \n", "empty"),
        ("records.csv", "", "empty"),
        ("records.jsonl", "id,name\n1,a\n", "no record of the file is a JSON object"),
        ("records.jsonl", '{"foo": 1}\n', "no field of orders is in the file, which has foo"),
        ("records.csv", "foo,bar\n1,2\n", "no field of orders"),
        ("records.csv", "id,ID\n1,2\n", "'id' and 'ID' have one name"),
        ("records.csv", 'id,name\n1,"a\n', "the CSV cannot be read"),
        ("records.parquet", "PAR1", "no readable Parquet"),
        ("records.txt", "x", "cannot tell the format"),
    ],
)
def test_a_file_that_nothing_can_be_made_of_is_bad_input(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content)

    with pytest.raises(BadInputError, match=message):
        read(path, "shopify", "orders")


def test_a_missing_file_and_a_folder_are_bad_input(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()

    with pytest.raises(BadInputError, match="No such file"):
        read(tmp_path / "none.jsonl", "shopify", "orders")
    with pytest.raises(BadInputError, match="no file"):
        read(tmp_path / "folder.csv", "shopify", "orders")


@pytest.mark.parametrize(
    ("name", "content"), [("records.json", "[]"), ("records.csv", "id,name\n")]
)
def test_a_file_may_state_that_there_are_no_records(
    tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content)

    batch = read(path, "shopify", "orders")

    assert batch.rows.num_rows == 0
    assert batch.received == 0


def test_cells_of_a_csv_take_the_types_of_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "id,name,test,total_price,line_items,Note\n"
        '1,#1,TRUE,12.10,"[{""price"": 1.10}]",hello\n'
        "2,,false,,,\n"
        "x,#3,true,1,,\n"
        "4,#4\n",
        encoding="utf-8-sig",
    )

    batch = read(path, "shopify", "orders")

    assert columns(batch, "id", "name", "test", "total_price", "line_items", "note") == [
        (1, "#1", True, "12.10", '[{"price":1.10}]', "hello"),
        (2, None, False, None, None, None),
    ]
    assert [(row.row_number, row.path) for row in batch.rejected] == [(2, "id"), (3, None)]


def test_parquet_values_land_as_json_would_carry_them(tmp_path: Path) -> None:
    path = tmp_path / "orders.parquet"
    table = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int64()),
            "total_price": pa.array([Decimal("12.10"), None, Decimal("1.00")]),
            "created_at": pa.array([datetime(2026, 6, 1, 8)] * 3, pa.timestamp("ns", "UTC")),
            "closed_at": pa.array([date(2026, 6, 2)] * 3),
            "line_items": pa.array([[{"price": Decimal("1.10")}]] * 3),
            "score": pa.array([0.5, 1.0, float("nan")]),
        }
    )
    pq.write_table(table, path)

    batch = read(path, "shopify", "orders", loader="native")

    assert columns(
        batch, "id", "total_price", "created_at", "closed_at", "line_items", "score"
    ) == [
        (1, "12.10", "2026-06-01T08:00:00+00:00", "2026-06-02", '[{"price":1.10}]', "0.5"),
        (2, None, "2026-06-01T08:00:00+00:00", "2026-06-02", '[{"price":1.10}]', "1.0"),
    ]
    assert reasons(batch) == [(2, "NaN is no number", "score")]
