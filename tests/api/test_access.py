"""Who gets in, who does not, and that nobody learns of another tenant."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from martlet.access.keys import KeyStore
from martlet.access.rates import RateSettings
from martlet.api.settings import ServingSettings
from tests.api.conftest import running
from tests.api.published import E_MAIL, OTHER, OWN, Installation, install
from tests.api.test_bad_input import GOOD, problem

PERSONAL = {"model": "orders", "dimensions": ["customer_email"], "limit": 100}
PATHS = ["models", "models/orders", "freshness", "observability/runs", "query?query={}"]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def without_id(response: httpx.Response) -> dict[str, Any]:
    document: dict[str, Any] = response.json()
    document.pop("request_id")
    return document


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic dXNlcjpwYXNz", "mk_0123456789ab_x", "Token abc"],
)
def test_without_a_key_nobody_gets_in(stranger: httpx.Client, header: str) -> None:
    answered = stranger.get(f"/v1/{OWN}/models", headers={"Authorization": header})

    document = problem(answered, 401, "unauthorized")
    assert document["reason"] == "no_credentials"
    assert answered.headers["www-authenticate"] == 'Bearer realm="martlet"'


def test_a_key_that_is_wrong_expired_or_revoked_does_not_open(
    stranger: httpx.Client, installation: Installation, key: str
) -> None:
    expired = installation.key(OWN, lifetime=timedelta(microseconds=1))
    revoked = installation.key(OWN)
    with KeyStore(installation.settings.control) as keys:
        keys.revoke(keys.find(revoked).id)
    wrong = [
        key[:-1] + ("A" if key[-1] != "A" else "B"),
        key + "A",
        key.upper(),
        "eyJhbGciOiJub25lIn0.e30.",
    ]

    reasons: list[str] = []
    for text in (expired, revoked, *wrong, "\u00e9", "x" * 9_000):
        headers = {"Authorization": f"Bearer {text}".encode()}
        answered = stranger.get(f"/v1/{OWN}/models", headers=headers)

        document = problem(answered, 401, "unauthorized")
        reasons.append(document["reason"])
        assert answered.headers["www-authenticate"].endswith('error="invalid_token"')
        assert text not in answered.text
    assert reasons[:4] == ["expired_key", "revoked_key", "unknown_key", "unknown_key"]


def test_every_address_needs_a_key_but_health_and_the_description(stranger: httpx.Client) -> None:
    described = stranger.get("/openapi.json").json()
    for path, methods in described["paths"].items():
        for method in methods:
            url = path.format(tenant=OWN, model="orders", subject="runs")
            answered = stranger.request(method, url)
            expected = 401 if path.startswith("/v1/") else 200
            assert answered.status_code == expected, (method, path)


@pytest.mark.parametrize("path", PATHS)
def test_a_foreign_and_an_unknown_tenant_are_told_alike(
    stranger: httpx.Client, key: str, path: str
) -> None:
    names = [OTHER, "nobody", "_operators", "..", "Tyrell_Corp", "tyrell_corp%00", "a" * 500]

    answers = [stranger.get(f"/v1/{name}/{path}", headers=bearer(key)) for name in names]

    told = [without_id(answer) for answer in answers if answer.json()["code"] != "not_found"]
    assert len(told) >= len(names) - 1
    assert all(document == told[0] for document in told)
    problem(answers[0], 404, "tenant_not_found")
    foreign = dict(answers[0].headers) | {"x-request-id": "", "date": ""}
    assert foreign == dict(answers[1].headers) | {"x-request-id": "", "date": ""}


def test_a_foreign_tenant_is_told_alike_whatever_the_body(
    stranger: httpx.Client, installation: Installation
) -> None:
    lacking = installation.key(OWN, "observability")

    for content in (b"{", b" " * 400_000, b"{}"):
        for key in (lacking, installation.key(OWN, "query")):
            answers = [
                stranger.post(f"/v1/{tenant}/query", content=content, headers=bearer(key))
                for tenant in (OTHER, "nobody")
            ]
            assert without_id(answers[0]) == without_id(answers[1])
            problem(answers[0], 404, "tenant_not_found")


def test_a_key_sees_only_its_own_rows(stranger: httpx.Client, installation: Installation) -> None:
    named = {"model": "campaigns", "dimensions": ["tenant_slug", "campaign_name"]}

    for tenant, foreign in ((OWN, OTHER), (OTHER, OWN)):
        headers = bearer(installation.key(tenant))
        base = f"/v1/{tenant}"
        answers = [
            stranger.post(f"{base}/query", json=named, headers=headers),
            stranger.get(f"{base}/models", headers=headers),
            stranger.get(f"{base}/observability/runs", headers=headers),
            stranger.post(f"{base}/explain", json=named, headers=headers),
        ]
        assert all(answer.status_code == 200 for answer in answers)
        assert {row[0] for row in answers[0].json()["rows"]} == {tenant}
        assert all(foreign not in answer.text for answer in answers)


def test_scopes_open_what_they_say(stranger: httpx.Client, installation: Installation) -> None:
    asking = bearer(installation.key(OWN, "query"))
    watching = bearer(installation.key(OWN, "observability"))
    url = f"/v1/{OWN}"

    assert stranger.post(f"{url}/query", json=GOOD, headers=asking).status_code == 200
    assert stranger.get(f"{url}/observability/runs", headers=watching).status_code == 200
    refused = problem(
        stranger.get(f"{url}/observability/runs", headers=asking), 403, "scope_missing"
    )
    assert "'observability'" in refused["detail"]
    problem(stranger.post(f"{url}/query", json=GOOD, headers=watching), 403, "scope_missing")
    problem(stranger.get(f"{url}/freshness", headers=watching), 403, "scope_missing")


def test_an_operator_reaches_every_tenant_but_no_personal_data(
    stranger: httpx.Client, installation: Installation
) -> None:
    headers = bearer(installation.key(OWN, "admin"))

    for tenant in (OWN, OTHER):
        answered = stranger.post(f"/v1/{tenant}/query", json=PERSONAL, headers=headers)
        assert answered.status_code == 200
        assert "@" not in answered.text
    everything = stranger.get("/v1/_operators/observability/runs?limit=1000", headers=headers)
    tenants = {row[1] for row in everything.json()["rows"]}
    assert tenants == {OWN, OTHER}
    unknown = stranger.get("/v1/nobody/models", headers=headers)
    problem(unknown, 404, "tenant_not_found")
    problem(stranger.get("/v1/..%2f..%2fx/models", headers=headers), 404, "not_found")


def test_personal_values_need_their_scope(
    stranger: httpx.Client, installation: Installation
) -> None:
    url = f"/v1/{OWN}/query"
    plain = bearer(installation.key(OWN, "query"))
    trusted = bearer(installation.key(OWN, "query", "pii"))
    filtered = {**PERSONAL, "filters": [["customer_email", "eq", E_MAIL]]}

    masked = stranger.post(url, json=PERSONAL, headers=plain)
    shown = stranger.post(url, json=PERSONAL, headers=trusted)

    assert E_MAIL in shown.text
    assert "@" not in masked.text
    assert masked.headers["etag"] != shown.headers["etag"]
    assert masked.json()["row_count"] == shown.json()["row_count"] == 90
    problem(stranger.post(url, json=filtered, headers=plain), 403, "personal_field")
    assert stranger.post(url, json=filtered, headers=trusted).json()["row_count"] == 1
    tagged = {**plain, "If-None-Match": shown.headers["etag"]}
    assert stranger.post(url, json=PERSONAL, headers=tagged).status_code == 200


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def strict(small: Installation) -> Iterator[str]:
    rates = RateSettings(per_key="5/hour", per_tenant="8/hour", failures_per_address="3/hour")
    with running(small.settings, ServingSettings(rates=rates)) as url:
        yield url


def test_who_asks_too_often_hears_when_to_ask_again(strict: str, small: Installation) -> None:
    keys = [small.key(OWN), small.key(OWN)]
    url = f"{strict}/v1/{OWN}/models"

    first = [httpx.get(url, headers=bearer(keys[0])) for _ in range(7)]
    second = [httpx.get(url, headers=bearer(keys[1])) for _ in range(4)]

    assert [answer.status_code for answer in first] == [200] * 5 + [429] * 2
    assert [answer.status_code for answer in second] == [200] * 3 + [429]
    problem(first[-1], 429, "rate_limited")
    assert 1 <= int(first[-1].headers["retry-after"]) <= 3_600


def test_who_fails_too_often_is_told_to_wait_but_keys_still_open(
    strict: str, small: Installation
) -> None:
    url = f"{strict}/v1/{OTHER}/models"

    failed = [httpx.get(url, headers=bearer("mk_x")) for _ in range(5)]

    assert [answer.status_code for answer in failed] == [401] * 3 + [429] * 2
    assert httpx.get(url, headers=bearer(small.key(OTHER))).status_code == 200


def test_a_file_of_keys_that_cannot_be_read_lets_nobody_in_and_is_told(
    tmp_path: Any,
) -> None:
    installed = install(tmp_path)
    key = installed.key(OWN)
    control = installed.settings.control
    with running(installed.settings) as url:
        assert httpx.get(f"{url}/readyz").status_code == 200
        control.rename(control.with_name("elsewhere"))
        control.write_bytes(b"no database at all, but long enough to be one" * 200)

        asked = httpx.get(f"{url}/v1/{OWN}/models", headers=bearer(key))
        ready = httpx.get(f"{url}/readyz")

        problem(asked, 503, "access_unavailable")
        document = problem(ready, 503, "not_ready")
        assert document["errors"][0]["message"] == "the file of keys cannot be read"
        assert httpx.get(f"{url}/livez").status_code == 200
        with sqlite3.connect(control.with_name("elsewhere")):
            control.unlink()
            control.with_name("elsewhere").rename(control)
        assert httpx.get(f"{url}/readyz").status_code == 200
