"""How the data came to be: newest first, page by page, one tenant only."""

import base64
import csv
import io
import json

import pytest

from martlet.api.observations import SUBJECTS
from tests.api.conftest import Ask
from tests.api.published import OTHER, OWN
from tests.api.test_bad_input import problem


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_answers(ask: Ask, subject: str) -> None:
    told = ask("GET", f"/observability/{subject}").json()

    assert told["subject"] == subject
    assert told["columns"]
    assert told["row_count"] == len(told["rows"])
    assert all(len(row) == len(told["columns"]) for row in told["rows"])
    assert OTHER not in json.dumps(told)


def test_runs_come_newest_first_and_page_by_page(ask: Ask) -> None:
    whole = ask("GET", "/observability/runs").json()
    pages, cursor = [], None
    while True:
        following = {"cursor": cursor} if cursor else {}
        told = ask("GET", "/observability/runs", params={"limit": 10, **following}).json()
        pages.append(told["rows"])
        cursor = told["next_cursor"]
        assert told["truncated"] == bool(cursor)
        if not cursor:
            break

    names = [column["name"] for column in whole["columns"]]
    moments = [row[names.index("started_at")] for row in whole["rows"]]
    assert [len(rows) for rows in pages] == [10, 10, 5]
    assert [row for rows in pages for row in rows] == whole["rows"]
    assert moments == sorted(moments, reverse=True)
    assert {row[names.index("tenant_slug")] for row in whole["rows"]} == {OWN}


def test_json_columns_are_json_and_text_in_csv(ask: Ask) -> None:
    told = ask("GET", "/observability/schema-history").json()
    answered = ask("GET", "/observability/schema-history", headers={"Accept": "text/csv"})

    names = [column["name"] for column in told["columns"]]
    types = {column["name"]: column["type"] for column in told["columns"]}
    (row,) = told["rows"]
    assert types["columns"] == "json"
    assert row[names.index("columns")] == [{"name": "id", "type": "BIGINT"}]
    (read,) = csv.DictReader(io.StringIO(answered.text, newline=""))
    assert json.loads(read["columns"]) == [{"name": "id", "type": "BIGINT"}]


def made_up(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_cursors_that_were_not_given_are_refused(ask: Ask) -> None:
    version = ask("GET", "/observability/runs").json()["data_version"]
    wrong = [
        "",
        "a",
        "é",
        "=",
        "e30",
        made_up("x"),
        made_up(version, "ledger", 10),
        made_up(version, "runs", -1),
        made_up(version, "runs", True),
        made_up(version, "runs", 1e9),
        made_up(version, "runs", 10**9),
        made_up(7, "runs", 1),
    ]

    for cursor in wrong:
        answered = ask("GET", "/observability/runs", params={"cursor": cursor})
        problem(answered, 422, "invalid_query")
    for version in ("v20200101T000000000000", "../../etc", "current", "v1"):
        answered = ask("GET", "/observability/runs", params={"cursor": made_up(version, "runs", 1)})
        problem(answered, 410, "cursor_expired")
