"""An answer that the caller has already is not made again, and a changed one is."""

import json
from pathlib import Path

import httpx
import pytest

from martlet.semantic.service import SemanticService
from tests.api.conftest import Ask, running
from tests.api.published import OTHER, OWN, install
from tests.api.test_access import bearer
from tests.api.test_bad_input import GOOD

SAME = [
    GOOD,
    {**GOOD, "limit": 1000, "filters": [], "order": [], "totals": False},
    dict(reversed(GOOD.items())),
]
OTHERS = [
    {**GOOD, "limit": 999},
    {**GOOD, "measures": ["clicks"]},
    {**GOOD, "totals": True},
    {**GOOD, "time": {"grain": "day"}},
    {**GOOD, "filters": [["currency", "eq", "USD"]]},
    {**GOOD, "order": ["-spend"]},
]


def tag(ask: Ask, body: object, **headers: str) -> str:
    answered = ask("POST", "/query", json=body, headers=headers)
    assert answered.status_code == 200
    found: str = answered.headers["etag"]
    assert found[0] == found[-1] == '"'
    return found


def test_the_tag_follows_the_meaning_of_a_question_and_the_form(ask: Ask) -> None:
    same = {tag(ask, body) for body in SAME}
    others = [tag(ask, body) for body in OTHERS]
    forms = [
        tag(ask, GOOD, Accept=media) for media in ("text/csv", "application/vnd.apache.parquet")
    ]

    assert len(same) == 1
    assert len({*same, *others, *forms}) == 1 + len(others) + len(forms)


def test_a_known_answer_is_304_without_a_query(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tag(ask, GOOD)
    asked = {"query": json.dumps(GOOD)}

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a query was run")

    monkeypatch.setattr(SemanticService, "query", refuse)
    for header in (known, f"W/{known}", f'"other", {known}', f'{known},"x"'):
        for answered in (
            ask("POST", "/query", json=GOOD, headers={"If-None-Match": header}),
            ask("GET", "/query", params=asked, headers={"If-None-Match": header}),
        ):
            assert answered.status_code == 304
            assert answered.content == b""
            assert answered.headers["etag"] == known
            assert answered.headers["cache-control"] == "private, no-cache"
            assert answered.headers["vary"] == "Accept, Authorization"
            assert "content-type" not in answered.headers


def test_get_and_post_give_the_same_bytes(ask: Ask) -> None:
    posted = ask("POST", "/query", json=GOOD)
    got = ask("GET", "/query", params={"query": json.dumps(GOOD)})

    assert got.content == posted.content
    assert got.headers["etag"] == posted.headers["etag"]
    headed = ask("HEAD", "/query", params={"query": json.dumps(GOOD)})
    assert headed.status_code == 200
    assert headed.content == b""
    assert headed.headers["content-length"] == str(len(got.content))


def test_any_answer_that_there_is_matches_a_star(ask: Ask) -> None:
    star = {"If-None-Match": "*"}

    assert ask("POST", "/query", json=GOOD, headers=star).status_code == 304
    assert ask("POST", "/query", json={**GOOD, "measures": ["x"]}, headers=star).status_code == 422


def test_every_document_has_a_tag(ask: Ask) -> None:
    for path in ("/models", "/models/orders", "/freshness", "/observability/runs"):
        first = ask("GET", path)
        again = ask("GET", path, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304), path
    tags = {ask("GET", f"/models/{name}").headers["etag"] for name in ("orders", "sessions")}
    assert len(tags) == 2


def test_a_new_version_gives_a_new_tag_and_pages_stay_in_the_old_one(tmp_path: Path) -> None:
    installed = install(tmp_path)
    headers = bearer(installed.key(OWN))
    body = {"model": "orders", "dimensions": ["order_id"], "measures": ["revenue"], "limit": 40}
    with running(installed.settings) as url, httpx.Client(headers=headers, timeout=30) as client:
        asked = f"{url}/v1/{OWN}/query"
        first = client.post(asked, json=body)
        then = client.post(asked, json=body | {"cursor": first.json()["next_cursor"]})

        published = installed.publish(
            OWN, f"delete from analytics.fct_{OWN}__orders where order_id != '7'"
        )
        new = client.post(asked, json=body, headers={"If-None-Match": first.headers["etag"]})
        paged = client.post(asked, json=body | {"cursor": first.json()["next_cursor"]})
        known = client.post(
            asked,
            json=body | {"cursor": first.json()["next_cursor"]},
            headers={"If-None-Match": then.headers["etag"]},
        )
        for _ in range(6):
            installed.publish(
                OWN, f"update analytics.fct_{OWN}__orders set total_price = total_price + 1"
            )
        expired = client.post(asked, json=body | {"cursor": first.json()["next_cursor"]})

    assert new.status_code == 200
    assert new.headers["etag"] != first.headers["etag"]
    assert new.json()["data_version"] == published == new.headers["martlet-data-version"]
    assert new.json()["row_count"] == 1
    assert paged.content == then.content
    assert paged.json()["data_version"] == first.json()["data_version"]
    assert known.status_code == 304
    assert (expired.status_code, expired.json()["code"]) == (410, "cursor_expired")


def test_a_tag_of_one_tenant_means_nothing_to_another(
    address: str, installation: object, ask: Ask
) -> None:
    known = tag(ask, GOOD)
    key = installation.key(OTHER)  # type: ignore[attr-defined]

    answered = httpx.post(
        f"{address}/v1/{OTHER}/query", json=GOOD, headers=bearer(key) | {"If-None-Match": known}
    )

    assert answered.status_code == 200
    assert answered.headers["etag"] != known
