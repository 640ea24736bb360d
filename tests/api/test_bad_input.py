"""What cannot be answered gets the right status, as a problem, and never a 500."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.api.conftest import Ask
from tests.api.published import OWN

GOOD = {"model": "ad_performance", "measures": ["spend"], "dimensions": ["source_platform"]}


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that a response is this problem and gives nothing internal away."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document: dict[str, Any] = response.json()
    assert (document["status"], document["code"]) == (status, code), document
    assert document["type"] == f"urn:martlet:problem:{code}"
    assert document["request_id"] == response.headers["x-request-id"]
    assert document["title"]
    assert document["detail"]
    for internal in ("Traceback", "duckdb", ".py", "fct_", "SELECT", "/data/", "pydantic"):
        assert internal not in response.text, response.text
    return document


def post(ask: Ask, content: str | bytes, **headers: str) -> httpx.Response:
    return ask(
        "POST", "/query", content=content, headers={"Content-Type": "application/json"} | headers
    )


NOT_JSON = {
    "nothing": "",
    "blanks": "  \n",
    "half": '{"model": ',
    "two": "{} {}",
    "comment": '{"model": "orders" /* all */}',
    "not a number": '{"model": "orders", "limit": NaN}',
    "infinity": '{"model": "orders", "limit": -Infinity}',
    "a name twice": '{"model": "orders", "model": "sessions", "measures": ["revenue"]}',
    "a name twice deep down": '{"model": "orders", "time": {"start": null, "start": null}}',
    "half a surrogate pair": '{"model": "orders", "measures": ["\\ud800"]}',
    "half a pair in a value": '{"model": "orders", "measures": ["revenue"], "filters": [["currency", "eq", "\\udfff"]]}',
    "deeply nested lists": "[" * 100_000,
    "deeply nested objects": '{"a":' * 40_000 + "1" + "}" * 40_000,
    "latin 1": '{"model": "café"}'.encode("latin-1"),
    "utf 16": '{"model": "orders"}'.encode("utf-16"),
    "byte order mark": '{"model": "orders"}'.encode("utf-8-sig"),
    "zero bytes": b"\x00\x00\x00",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("content", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_no_json_with_one_meaning_is_malformed(ask: Ask, content: str | bytes) -> None:
    problem(post(ask, content), 400, "malformed_json")


def with_value(value: Any, op: str = "eq", field: str = "source_platform") -> dict[str, Any]:
    return GOOD | {"filters": [{"field": field, "op": op, "value": value}]}


REFUSED: dict[str, tuple[Any, str, str]] = {
    # body, code, field
    "a list": ([], "invalid_query", "body"),
    "a text": ("model", "invalid_query", "body"),
    "null": (None, "invalid_query", "body"),
    "no model": ({"measures": ["spend"]}, "invalid_query", "model"),
    "model of another type": ({**GOOD, "model": 7}, "invalid_query", "model"),
    "nothing asked": ({"model": "orders"}, "invalid_query", "body"),
    "an unknown key": ({**GOOD, "mesures": ["spend"]}, "invalid_query", "mesures"),
    "sql as a key": ({**GOOD, "sql": "select 1"}, "invalid_query", "sql"),
    "an unknown measure": ({**GOOD, "measures": ["spent"]}, "unknown_field", "measures[0]"),
    "an unknown dimension": (
        {**GOOD, "dimensions": ["platform"]},
        "unknown_field",
        "dimensions[0]",
    ),
    "sql as a measure": ({**GOOD, "measures": ["sum(spend)"]}, "invalid_query", "measures[0]"),
    "sql as a name": ({**GOOD, "measures": ["spend;drop"]}, "invalid_query", "measures[0]"),
    "python as a measure": ({**GOOD, "measures": ["__class__"]}, "unknown_field", "measures[0]"),
    "zero bytes in a name": ({**GOOD, "measures": ["spend\x00"]}, "invalid_query", "measures[0]"),
    "a line break in a name": ({**GOOD, "measures": ["spend\n"]}, "invalid_query", "measures[0]"),
    "a long name": ({**GOOD, "measures": ["s" * 129]}, "invalid_query", "measures[0]"),
    "a measure twice": ({**GOOD, "measures": ["spend"] * 2}, "invalid_query", "body"),
    "many measures": ({**GOOD, "measures": ["spend"] * 41}, "invalid_query", "measures"),
    "a measure that is a number": ({**GOOD, "measures": [1]}, "invalid_query", "measures[0]"),
    "a limit of 0": ({**GOOD, "limit": 0}, "invalid_query", "limit"),
    "a negative limit": ({**GOOD, "limit": -1}, "invalid_query", "limit"),
    "an absurd limit": ({**GOOD, "limit": 100_001}, "invalid_query", "limit"),
    "a limit that is a text": ({**GOOD, "limit": "10"}, "invalid_query", "limit"),
    "a limit with a fraction": ({**GOOD, "limit": 10.5}, "invalid_query", "limit"),
    "a limit that is true": ({**GOOD, "limit": True}, "invalid_query", "limit"),
    "an unknown operator": (with_value("x", "like"), "invalid_query", "filters[0].op"),
    "a filter with an unknown key": (
        {**GOOD, "filters": [{"field": "currency", "op": "eq", "value": 1, "or": 1}]},
        "invalid_query",
        "filters[0].or",
    ),
    "a filter of one part": ({**GOOD, "filters": [["currency"]]}, "invalid_query", "filters[0]"),
    "a filter of four parts": (
        {**GOOD, "filters": [["currency", "eq", 1, 2]]},
        "invalid_query",
        "filters[0]",
    ),
    "a filter of an object": (with_value({"a": 1}), "invalid_query", "filters[0].value"),
    "a filter of lists in a list": (with_value([[1]], "in"), "invalid_query", "filters[0].value"),
    "a filter of a long text": (with_value("x" * 2_001), "invalid_query", "filters[0].value"),
    "a filter of no list": (with_value("x", "in"), "invalid_query", "filters[0]"),
    "an empty list": (with_value([], "in"), "invalid_query", "filters[0].value"),
    "a long list": (with_value(["x"] * 1_001, "in"), "invalid_query", "filters[0].value"),
    "many filters": ({**GOOD, "filters": [["a", "is_null"]] * 41}, "invalid_query", "filters"),
    "a filter on no field": (with_value("x", field="nothing"), "unknown_field", "filters[0].field"),
    "days that are none": (
        {**GOOD, "time": {"start": "2026-02-30"}},
        "invalid_query",
        "time.start",
    ),
    "days in the wrong order": (
        {**GOOD, "time": {"start": "2026-06-02", "end": "2026-06-01"}},
        "invalid_query",
        "time",
    ),
    "an unknown grain": ({**GOOD, "time": {"grain": "hour"}}, "invalid_query", "time.grain"),
    "an order by something else": (
        {**GOOD, "order": ["clicks"]},
        "invalid_query",
        "order",
    ),
    "a currency that is none": ({**GOOD, "convert_to": "euro"}, "invalid_query", "convert_to"),
    "a cursor that is none": ({**GOOD, "cursor": "abc"}, "invalid_query", "cursor"),
    "a cursor with zero bytes": ({**GOOD, "cursor": "\x00"}, "invalid_query", "cursor"),
    "a cursor beyond ASCII": ({**GOOD, "cursor": "é" * 40}, "invalid_query", "cursor"),
    "totals that are a text": ({**GOOD, "totals": "yes"}, "invalid_query", "totals"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_question_that_is_wrong_names_the_field(ask: Ask, case: tuple[Any, str, str]) -> None:
    body, code, field = case

    document = problem(post(ask, json.dumps(body)), 422, code)

    assert field in [error["field"] for error in document["errors"]], document


NUMBERS = ["9" * 30, "-" + "9" * 30, "1" + "0" * 5_000, "9223372036854775808", "1e999", "-1e400"]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: text[:12])
@pytest.mark.parametrize("place", ['"limit": {}', '"filters": [["clicks", "gt", {}]]'])
def test_numbers_beyond_all_columns_are_refused(ask: Ask, number: str, place: str) -> None:
    body = '{"model": "ad_performance", "measures": ["clicks"], ' + place.format(number) + "}"

    problem(post(ask, body), 422, "invalid_query")


def test_a_hundred_thousand_filters_are_refused_for_their_number(ask: Ask) -> None:
    filters = ",".join(["[]"] * 80_000)

    answered = post(ask, '{"model":"orders","measures":["revenue"],"filters":[' + filters + "]}")

    document = problem(answered, 422, "invalid_query")
    assert [error["field"] for error in document["errors"]] == ["filters"]


def test_at_most_twenty_errors_are_named(ask: Ask) -> None:
    body = {**GOOD, "filters": [{"field": "a b", "op": "x"}] * 40}

    document = problem(ask("POST", "/query", json=body), 422, "invalid_query")

    assert len(document["errors"]) == 20


SQL = [
    "' or 1 = 1 --",
    '"; drop table fct_tyrell_corp__orders; --',
    "google_ads' union select * from keys --",
    "$start",
    "%",
    "_",
    "\x00",
    "a\x00b",
    "\u202e\U0001f600é",
    "{{ 7 * 7 }}",
    "__mark__",
]


@pytest.mark.parametrize("text", SQL)
@pytest.mark.parametrize("op", ["eq", "contains", "in", "gt"])
def test_text_that_looks_like_sql_is_only_text(ask: Ask, text: str, op: str) -> None:
    value = [text] if op == "in" else text

    answered = ask("POST", "/query", json=with_value(value, op))

    if "\x00" in text:
        document = problem(answered, 422, "invalid_query")
        assert document["errors"][0]["field"] == "filters[0].field"
        return
    assert answered.status_code == 200, answered.text
    rows = answered.json()["rows"]
    if op != "gt" and not (op == "contains" and text == "_"):
        assert rows == []


def test_an_unknown_name_is_told_with_the_nearest_one(ask: Ask) -> None:
    document = problem(
        ask("POST", "/query", json={**GOOD, "measures": ["spnd"]}), 422, "unknown_field"
    )
    misspelt = problem(
        ask("POST", "/query", json={**GOOD, "mesures": ["spend"]}), 422, "invalid_query"
    )

    assert "'spend'" in document["detail"]
    assert "'measures'" in misspelt["detail"]


def test_an_unknown_model_is_not_found(ask: Ask) -> None:
    for answered in (
        ask("POST", "/query", json={**GOOD, "model": "order"}),
        ask("GET", "/models/order"),
        ask("GET", "/models/%00"),
        ask("GET", "/models/" + "a" * 3_000),
        ask("GET", "/models/%F0%9F%98%80"),
        ask("GET", "/models/..%2f..%2fetc"),
    ):
        assert answered.status_code == 404
        assert answered.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": ""},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
    ids=str,
)
def test_a_body_of_another_kind_is_unsupported(ask: Ask, headers: dict[str, str]) -> None:
    answered = ask("POST", "/query", content=json.dumps(GOOD), headers=headers)

    problem(answered, 415, "unsupported_media_type")


def test_a_charset_that_json_has_anyway_is_fine(ask: Ask) -> None:
    kind = {"Content-Type": 'Application/JSON; charset="UTF-8"'}

    assert ask("POST", "/query", content=json.dumps(GOOD), headers=kind).status_code == 200


def test_parameters_that_are_not_there_or_twice_are_refused(ask: Ask) -> None:
    asked = json.dumps(GOOD)

    assert ask("GET", "/query", params={"query": asked}).status_code == 200
    for wrong in (
        {},
        {"quer": asked},
        {"query": asked, "limit": "1"},
        [("query", asked), ("query", asked)],
    ):
        problem(ask("GET", "/query", params=wrong), 422, "invalid_query")
    problem(ask("GET", "/query", params={"query": "{"}), 400, "malformed_json")
    problem(ask("GET", "/query?query=%ff%fe"), 400, "malformed_json")
    problem(ask("GET", "/models", params={"limit": "1"}), 422, "invalid_query")
    problem(ask("POST", "/query", params={"limit": "1"}, json=GOOD), 422, "invalid_query")


def chunks(size: int, counted: list[int]) -> Iterator[bytes]:
    """Give a body of a size in pieces, and note how many were taken."""
    for _ in range(size // 65_536 + 1):
        counted.append(65_536)
        yield b" " * 65_536


@pytest.mark.parametrize("size", [300_000, 10_000_000])
def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(ask: Ask, size: int) -> None:
    kind = {"Content-Type": "application/json"}

    problem(ask("POST", "/query", content=b" " * size, headers=kind), 413, "body_too_large")
    problem(ask("POST", "/query", content=chunks(size, []), headers=kind), 413, "body_too_large")
    assert ask("POST", "/query", json=GOOD).status_code == 200


def test_a_body_within_the_limit_is_read(ask: Ask) -> None:
    padded = json.dumps(GOOD) + " " * (256 * 1024 - len(json.dumps(GOOD)))

    assert post(ask, padded).status_code == 200
    problem(post(ask, padded + " "), 413, "body_too_large")


def test_addresses_and_methods_that_do_not_exist_are_problems(
    ask: Ask, stranger: httpx.Client
) -> None:
    for path in ("/", "/v1", f"/v1/{OWN}", f"/v1/{OWN}/models/", "/v2/x", "/%00", "//", "/docs"):
        problem(stranger.get(path), 404, "not_found")
    refused = ask("DELETE", "/query")
    problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, HEAD, POST"
    problem(ask("GET", "/compare"), 405, "method_not_allowed")
    problem(ask("BREW", "/models"), 405, "method_not_allowed")
    problem(stranger.post("/livez"), 405, "method_not_allowed")


def test_what_is_no_http_is_a_problem_too(address: str) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    for sent in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 70_000):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(sent)
            answered = connection.makefile("rb").read()

        head, _, body = answered.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"application/problem+json" in head
        assert json.loads(body)["code"] == "malformed_request"


def test_other_questions_are_checked_alike(ask: Ask) -> None:
    compared = {"model": "sessions", "measures": ["session_count"]}

    problem(ask("POST", "/compare", json=compared), 422, "invalid_query")
    problem(ask("POST", "/compare", content="{"), 415, "unsupported_media_type")
    problem(ask("POST", "/values", json={"model": "orders"}), 422, "invalid_query")
    searched = {"model": "orders", "dimension": "nothing"}
    problem(ask("POST", "/values", json=searched), 422, "unknown_field")
    problem(ask("POST", "/explain", json={**GOOD, "measures": ["x"]}), 422, "unknown_field")
    problem(ask("GET", "/observability/secrets"), 404, "not_found")
    for wrong in ("limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "cursor=abc", "since=1"):
        problem(ask("GET", f"/observability/runs?{wrong}"), 422, "invalid_query")
