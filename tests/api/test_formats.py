"""The same rows in four forms, read back by those who read them."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from martlet.api.csv_text import csv_text
from martlet.api.formats import as_json, rendered, rows_of, warnings_header
from martlet.api.negotiation import (
    ARROW,
    CSV,
    JSON,
    PARQUET,
    TABULAR,
    NotAcceptableError,
    preferred,
)
from tests.api.conftest import Ask
from tests.api.published import FORMULA
from tests.api.test_bad_input import problem

DAYS = {
    "model": "ad_performance",
    "measures": ["spend", "clicks", "ctr"],
    "dimensions": ["campaigns.campaign_name", "source_platform"],
    "time": {"grain": "day"},
}
MOMENTS = {"model": "orders", "dimensions": ["ordered_at", "is_test"], "measures": ["revenue"]}


def table_of(ask: Ask, media: str, body: dict[str, Any]) -> tuple[pa.Table, Any]:
    """Return an answer as an Arrow table, and its headers."""
    answered = ask("POST", "/query", json=body, headers={"Accept": media})
    assert answered.status_code == 200, answered.text
    assert answered.headers["content-type"].startswith(media)
    content = io.BytesIO(answered.content)
    if media == ARROW:
        return pa.ipc.open_stream(content).read_all(), answered.headers
    return pq.read_table(content), answered.headers


@pytest.mark.parametrize("media", [ARROW, PARQUET])
@pytest.mark.parametrize("body", [DAYS, MOMENTS], ids=["days", "moments"])
def test_arrow_and_parquet_hold_the_rows_of_json(
    ask: Ask, media: str, body: dict[str, Any]
) -> None:
    told = ask("POST", "/query", json=body).json()

    table, headers = table_of(ask, media, body)

    assert table.column_names == [column["name"] for column in told["columns"]]
    assert json.loads(as_json(rows_of(table))) == told["rows"]
    assert len(told["rows"]) == told["row_count"] >= 30
    assert headers["martlet-data-version"] == told["data_version"]
    assert headers["martlet-truncated"] == "false"
    notes = json.loads(table.schema.metadata[b"martlet"])
    assert notes == {name: value for name, value in told.items() if name != "rows"}


def test_arrow_keeps_money_exact_and_moments_in_utc(ask: Ask) -> None:
    table, _ = table_of(ask, ARROW, MOMENTS)

    assert pa.types.is_decimal(table.schema.field("revenue").type)
    assert Decimal("151.05") in table["revenue"].to_pylist()
    assert table.schema.field("ordered_at").type == pa.timestamp("us", tz="UTC")
    assert datetime(2026, 6, 1, 10, tzinfo=UTC) in table["ordered_at"].to_pylist()


def test_json_says_what_the_columns_are(ask: Ask) -> None:
    told = ask("POST", "/query", json=MOMENTS).json()

    assert [column["name"] for column in told["columns"]] == ["ordered_at", "is_test", "revenue"]
    assert told["columns"][2] == {
        "name": "revenue",
        "label": "Revenue",
        "type": "decimal(38,6)",
        "role": "measure",
        "unit": "USD",
        "unit_column": None,
        "description": told["columns"][2]["description"],
    }
    assert told["rows"][-1][:2] == ["2026-06-01T10:00:00Z", False]
    assert isinstance(told["rows"][0][2], float)
    assert set(told) == {
        "model",
        "columns",
        "rows",
        "row_count",
        "truncated",
        "next_cursor",
        "data_version",
        "freshness",
        "warnings",
        "totals",
    }
    assert set(told["freshness"]) == {"data_version", "published_at", "as_of", "stale"}
    assert told["freshness"]["published_at"].endswith("Z")


def test_pages_go_on_in_every_form_and_between_forms(ask: Ask) -> None:
    whole = ask("POST", "/query", json=DAYS).json()["rows"]
    seen: list[Any] = []
    cursor = None

    for media in (JSON, ARROW, PARQUET, JSON, ARROW, PARQUET, JSON, ARROW, PARQUET, JSON):
        body = {**DAYS, "limit": 20} | ({"cursor": cursor} if cursor else {})
        if media == JSON:
            told = ask("POST", "/query", json=body).json()
            rows, cursor, is_cut = told["rows"], told["next_cursor"], told["truncated"]
        else:
            table, headers = table_of(ask, media, body)
            rows = json.loads(as_json(rows_of(table)))
            cursor = headers.get("martlet-next-cursor")
            is_cut = headers["martlet-truncated"] == "true"
        seen += rows
        assert is_cut == bool(cursor)
        if not cursor:
            break

    assert seen == whole


def test_csv_is_read_back_and_starts_no_formula(ask: Ask) -> None:
    told = ask("POST", "/query", json=DAYS).json()

    answered = ask("POST", "/query", json=DAYS, headers={"Accept": "text/csv"})

    assert answered.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answered.content.count(b"\r\n") == told["row_count"] + 1
    header, *rows = csv.reader(io.StringIO(answered.text, newline=""))
    assert header == [column["name"] for column in told["columns"]]
    names = [row[1] for row in rows]
    assert f"'{FORMULA}" in names
    assert "Zürich, café" in names
    assert [float(row[3]) for row in rows] == [row[3] for row in told["rows"]]
    assert sorted({row[2] for row in rows}) == sorted({row[2] for row in told["rows"]})


def test_csv_tells_a_null_from_an_empty_text_and_leaves_numbers_alone() -> None:
    table = pa.table(
        {
            "text": [
                "",
                None,
                "a\r\nb",
                'say "x"',
                "-1",
                "+1",
                "@a",
                "=1",
                "\tx",
                "\rx",
                "a=1",
                "'",
            ],
            "number": [-1, 2, None, 4, 5, 6, 7, 8, 9, 10, 11, 12],
            "money": pa.array([Decimal("-0.000001")] + [None] * 11, pa.decimal128(38, 6)),
            "day": [date(2026, 6, 1)] + [None] * 11,
        }
    )

    text = csv_text(table).decode()

    lines = text.split("\r\n")
    assert lines[0] == '"text","number","money","day"'
    assert lines[1] == '"",-1,-0.000001,2026-06-01'
    assert lines[2] == ",2,,"
    cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][3:]
    assert cells == ["a\r\nb", 'say "x"', "'-1", "'+1", "'@a", "'=1", "'\tx", "'\rx", "a=1", "'"]


def test_decimals_become_the_nearest_double() -> None:
    chance = np.random.default_rng(20260630)
    units = [
        0,
        1,
        -1,
        2**53 - 1,
        2**53 + 1,
        -(2**63),
        10**36,
        *chance.integers(-(10**15), 10**15, 5_000),
    ]
    values = [Decimal(int(unit)).scaleb(-6) for unit in units]
    column = pa.chunked_array(
        [pa.array([*values, None], pa.decimal128(38, 6)), pa.array([None], pa.decimal128(38, 6))]
    )
    narrow = pa.array([Decimal("0.1"), None, Decimal("7.0")], pa.decimal128(18, 6))

    written = json.loads(as_json(rows_of(pa.table({"a": column.slice(1)}))))
    short = json.loads(as_json(rows_of(pa.table({"a": narrow.slice(1)}))))

    assert [row[0] for row in written] == [*(float(value) for value in values[1:]), None, None]
    assert short == [[None], [7.0]]
    assert as_json(rows_of(pa.table({"a": [float("nan"), float("inf"), 0.5]}))) == (
        b"[[null],[null],[0.5]]"
    )


def test_values_of_every_kind_are_written() -> None:
    table = pa.table(
        {
            "list": pa.array([[1, 2], None]),
            "json": pa.ExtensionArray.from_storage(
                pa.json_(), pa.array(['{"a": [1]}', None], pa.string())
            ),
            "enum": pa.array(["a", None]).dictionary_encode(),
            "nothing": pa.nulls(2),
            "moment": pa.array([datetime(2026, 1, 1, 1, 2, 3, 4), None], pa.timestamp("us")),
            "zoned": pa.array(
                [datetime(2026, 1, 1, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")
            ),
            "whole": pa.array([Decimal(2) ** 70, Decimal(3)], pa.decimal128(38, 0)),
            "deep": pa.array([[Decimal("1.5")], None], pa.list_(pa.decimal128(10, 2))),
        }
    )

    first, second = json.loads(as_json(rows_of(table)))

    assert first[:5] == [[1, 2], {"a": [1]}, "a", None, "2026-01-01T01:02:03.000004Z"]
    assert first[5:] == ["2026-01-01T00:00:00Z", float(2**70), [1.5]]
    assert second == [None] * 6 + [3, None]
    for media in (ARROW, PARQUET, CSV):
        assert rendered(table, media, {})
    assert rows_of(table.slice(0, 0)) == []
    for media in (ARROW, PARQUET, CSV):
        assert rendered(table.slice(0, 0), media, {})


ACCEPTED = {
    None: JSON,
    "": JSON,
    "*/*": JSON,
    "text/html, */*;q=0.1": JSON,
    "application/*": JSON,
    "text/*": CSV,
    "text/csv": CSV,
    "TEXT/CSV; charset=utf-8": CSV,
    "application/json;q=0.5, text/csv;q=0.9": CSV,
    "application/json, text/csv": JSON,
    "text/csv, application/json": JSON,
    "application/json;q=0, */*": ARROW,
    "application/*;q=0.2, text/csv;q=0.3": CSV,
    "application/vnd.apache.arrow.stream": ARROW,
    "application/vnd.apache.parquet;q=1.0": PARQUET,
    "*/*;q=0.1, application/vnd.apache.parquet;q=0.2": PARQUET,
    "junk, text/csv": CSV,
    "text/csv;q=banana, application/json": JSON,
}


@pytest.mark.parametrize(("header", "media"), ACCEPTED.items(), ids=str)
def test_the_form_that_is_liked_best_is_given(header: str | None, media: str) -> None:
    assert preferred(header, TABULAR) == media


@pytest.mark.parametrize(
    "header", ["text/html", "application/json;q=0", "*/*;q=0", "image/*", "junk", "text/csv;q=2"]
)
def test_what_cannot_be_given_is_not_acceptable(ask: Ask, header: str) -> None:
    with pytest.raises(NotAcceptableError):
        preferred(header, TABULAR)
    problem(ask("POST", "/query", json=DAYS, headers={"Accept": header}), 406, "not_acceptable")


def test_documents_are_json_only(ask: Ask) -> None:
    for path in ("/models", "/models/orders", "/freshness"):
        problem(ask("GET", path, headers={"Accept": "text/csv"}), 406, "not_acceptable")
        assert ask("GET", path, headers={"Accept": "application/*"}).status_code == 200


def test_warnings_travel_in_a_header_and_stay_short(ask: Ask) -> None:
    claimed = {"model": "ad_performance", "measures": ["roas"]}

    told = ask("POST", "/query", json=claimed).json()["warnings"]
    answered = ask("POST", "/query", json=claimed, headers={"Accept": "text/csv"})

    assert [warning["code"] for warning in told] == ["claimed_conversions"]
    assert json.loads(answered.headers["martlet-warnings"]) == told
    long = warnings_header([{"code": f"c{n % 3}", "message": "é" * 900} for n in range(9)])
    assert json.loads(long) == [{"code": "c0"}, {"code": "c1"}, {"code": "c2"}]
    assert long.isascii()
