"""Who gets in at /mcp, under which names the server answers, and what it tells those outside."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from mcp.shared.exceptions import MCPError

from martlet.access.keys import KeyStore
from martlet.access.rates import RateSettings
from martlet.access.tokens import TokenSettings
from martlet.api.settings import ServingSettings
from martlet.mcp.settings import McpSettings
from martlet.mcp.tools import TOOLS
from tests.api.published import E_MAIL, OTHER, OWN, Installation
from tests.mcp.served import BEFORE, NEWEST, Agent, running
from tests.mcp.test_tools import SPEND

ACCEPTED = {"Accept": "application/json, text/event-stream"}
METADATA = "/.well-known/oauth-protected-resource"


def message(method: str = "tools/list", **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


def post(address: str, key: str | None = None, **options: Any) -> httpx.Response:
    """Send one message of the protocol before, as it is on the wire."""
    headers = ACCEPTED | {"MCP-Protocol-Version": BEFORE} | options.pop("headers", {})
    if key:
        headers["Authorization"] = f"Bearer {key}"
    if "content" not in options:
        options.setdefault("json", message())
    else:
        headers.setdefault("Content-Type", "application/json")
    return httpx.post(f"{address}/mcp", headers=headers, timeout=30, **options)


def code(response: httpx.Response) -> str:
    assert response.headers["content-type"] == "application/problem+json", response.text
    return str(response.json()["code"])


@pytest.mark.parametrize("protocol", [NEWEST, BEFORE])
def test_each_tenant_is_answered_from_its_own_mart(
    installation: Installation, address: str, protocol: str
) -> None:
    spend = {}
    for tenant in (OWN, OTHER):
        answer = Agent(address, installation.key(tenant), protocol).call("query_metrics", **SPEND)
        spend[tenant] = sum(row[1] for row in answer["rows"])
        assert f"/ui/{tenant}/" in answer["open_url"]

    assert spend[OTHER] == pytest.approx(1_000 * spend[OWN])


@pytest.mark.parametrize("trouble", ["none", "wrong", "expired", "revoked", "no_key"])
def test_who_has_no_good_key_is_told_where_one_is_issued(
    installation: Installation, address: str, key: str, trouble: str
) -> None:
    presented: dict[str, str | None] = {
        "none": None,
        "wrong": key[:-1] + ("A" if key[-1] != "A" else "B"),
        "expired": installation.key(OWN, lifetime=timedelta(microseconds=1)),
        "revoked": installation.key(OWN),
        "no_key": "eyJhbGciOiJub25lIn0.e30.",
    }
    with KeyStore(installation.settings.control) as keys:
        keys.revoke(keys.find(str(presented["revoked"])).id)

    answered = post(address, presented[trouble])

    assert (answered.status_code, code(answered)) == (401, "unauthorized")
    challenge = answered.headers["www-authenticate"]
    assert challenge.startswith('Bearer realm="martlet"')
    assert f'resource_metadata="{address}{METADATA}/mcp"' in challenge
    assert ('error="invalid_token"' in challenge) == (trouble != "none")


def test_the_metadata_say_what_the_resource_is(address: str) -> None:
    for path in (METADATA, f"{METADATA}/mcp"):
        answered = httpx.get(f"{address}{path}")

        assert answered.status_code == 200
        assert answered.json() == {
            "resource": f"{address}/mcp",
            "resource_name": "Martlet",
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["query", "observability", "pii", "admin"],
        }


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_needs_its_scope(installation: Installation, address: str, tool: Any) -> None:
    other = "observability" if tool.scope == "query" else "query"
    agent = Agent(address, installation.key(OWN, other))

    assert tool.scope in agent.refused(tool.name)


def test_personal_values_are_pseudonyms_without_the_scope(
    installation: Installation, address: str
) -> None:
    question = {
        "model": "orders",
        "dimensions": ["customer_email"],
        "time": SPEND["time"],
        "limit": 1_000,
    }

    plain = Agent(address, installation.key(OWN, "query")).call("query_metrics", **question)
    named = Agent(address, installation.key(OWN, "query", "pii")).call("query_metrics", **question)

    assert E_MAIL in json.dumps(named)
    assert "@" not in json.dumps(plain["rows"])


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "a b", "localhost@e"]
)
def test_a_host_that_is_not_ours_is_misdirected(address: str, key: str, host: str) -> None:
    answered = post(address, key, headers={"Host": host})

    assert (answered.status_code, code(answered)) == (421, "host_not_served")
    assert httpx.get(f"{address}{METADATA}", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://localhost.evil.example", "file://", "http://", "x"],
)
def test_a_page_from_elsewhere_may_not_ask(address: str, key: str, origin: str) -> None:
    answered = post(address, key, headers={"Origin": origin})

    assert (answered.status_code, code(answered)) == (403, "origin_refused")


def test_our_own_origin_may_ask(address: str, key: str) -> None:
    assert post(address, key, headers={"Origin": address}).status_code == 200


def test_names_and_the_public_address_are_those_of_the_settings(
    installation: Installation, key: str
) -> None:
    mcp = McpSettings(
        "https://marts.example.com",
        frozenset({"marts.example.com", "inner:81"}),
        frozenset({"https://agents.example.com"}),
    )
    with running(installation.settings, mcp=mcp) as address:
        by_name = post(address, key, headers={"Host": "Marts.example.com"})
        metadata = httpx.get(f"{address}{METADATA}", headers={"Host": "inner:81"}).json()
        other_port = post(address, key, headers={"Host": "inner:82"})
        allowed = {"Host": "inner:81", "Origin": "https://agents.example.com"}
        from_page = post(address, key, headers=allowed)

    assert by_name.status_code == 200
    assert metadata["resource"] == "https://marts.example.com/mcp"
    assert other_port.status_code == 421
    assert from_page.status_code == 200


def test_other_paths_and_methods_are_problems(address: str, key: str) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    for method in ("GET", "DELETE", "PUT"):
        answered = httpx.request(method, f"{address}/mcp", headers=headers)
        assert (answered.status_code, code(answered)) == (405, "method_not_allowed")
        assert answered.headers["allow"] == "POST"
    for path in ("/mcp/", "/mcp/x", "/", "/.well-known/x"):
        answered = httpx.get(f"{address}{path}", headers=headers)
        assert (answered.status_code, code(answered)) == (404, "not_found"), path


def test_a_message_that_is_none_is_refused(address: str, key: str) -> None:
    big = post(address, key, content=b"[" + b" " * 300_000)
    text = post(address, key, content=b"{}", headers={"Content-Type": "text/plain"})

    assert (big.status_code, code(big)) == (413, "body_too_large")
    assert (text.status_code, code(text)) == (415, "unsupported_media_type")
    for content, expected in (
        (b"{", -32700),
        (b"\xff", -32700),
        (b"{}", -32600),
        (b"[]", -32600),
        (json.dumps([message()]).encode(), -32600),
    ):
        for protocol in (NEWEST, BEFORE):
            answered = post(
                address, key, content=content, headers={"MCP-Protocol-Version": protocol}
            )
            assert answered.status_code == 400
            assert answered.json()["error"]["code"] == expected
            assert "pydantic" not in answered.text


def test_who_asks_too_often_is_told_when_to_ask_again(installation: Installation) -> None:
    serving = ServingSettings(rates=RateSettings(per_key="3/minute"))
    with running(installation.settings, serving) as address:
        key = installation.key(OWN)
        answers = [post(address, key) for _ in range(4)]
        with pytest.raises(MCPError, match="rate_limited: ask again in") as refused:
            Agent(address, key, BEFORE).call("list_models")

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert refused.value.data["code"] == "rate_limited"
    assert refused.value.data["retry_after_seconds"] > 0


def test_a_full_pool_is_told_to_the_model(installation: Installation) -> None:
    log = StringIO()
    serving = ServingSettings(query_slots=1, log_level="info")
    with running(installation.settings, serving, log_to=log) as address:
        key = installation.key(OWN)
        answers: list[httpx.Response] = []
        call = message("tools/call", name="query_metrics", arguments=SPEND)
        threads = [
            threading.Thread(target=lambda: answers.append(post(address, key, json=call)))
            for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    results = [answer.json()["result"] for answer in answers]
    refused = [result for result in results if result.get("isError")]
    assert 0 < len(refused) < len(results)
    for result in refused:
        assert result["content"][0]["text"].startswith("too_busy: ")
        assert result["_meta"] == {"code": "too_busy", "retry_after_seconds": 1}
    assert '"outcome":"too_busy"' in log.getvalue()


def test_a_call_leaves_a_line_without_values_and_a_count(installation: Installation) -> None:
    log = StringIO()
    with running(installation.settings, log_to=log) as address:
        key = installation.key(OWN, "query")
        secret = {"field": "source_platform", "op": "eq", "value": E_MAIL}
        call = message("tools/call", name="query_metrics", arguments=SPEND | {"filters": [secret]})
        post(address, key, json=call, headers={"X-Request-Id": "mine"})
        metrics = httpx.get(f"{address}/metrics").text

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    (line,) = (line for line in lines if line["event"] == "mcp")
    assert {name: line[name] for name in ("operation", "outcome", "tenant", "request_id")} == {
        "operation": "query_metrics",
        "outcome": "ok",
        "tenant": OWN,
        "request_id": "mine",
    }
    assert line["protocol"] == BEFORE
    assert {line["route"] for line in lines if line["event"] == "request"} == {"/mcp", "/metrics"}
    assert 'martlet_mcp_calls_total{operation="query_metrics",outcome="ok"} 1.0' in metrics
    for value in (E_MAIL, key):
        assert value not in log.getvalue()


@pytest.mark.parametrize("protocol", [NEWEST, BEFORE])
def test_what_nobody_expected_stays_inside(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("select * from secrets in /var/lib")

    log = StringIO()
    monkeypatch.setattr("martlet.semantic.service.SemanticService.models", fail)
    with running(installation.settings, log_to=log) as address:
        agent = Agent(address, installation.key(OWN), protocol)
        for work in (
            lambda one: one.call_tool("list_models", {}),
            lambda one: one.list_resources(),
            lambda one: one.get_prompt("weekly_review"),
        ):
            with pytest.raises(MCPError) as refused:
                agent.do(work)
            assert refused.value.data == {"code": "internal_error"}
            assert "secrets" not in str(refused.value)

    assert "RuntimeError" in log.getvalue()
    assert "secrets" not in log.getvalue()


class _Issuer(BaseHTTPRequestHandler):
    document = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.document)))
        self.end_headers()
        self.wfile.write(self.document)

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, ec.EllipticCurvePrivateKey]]:
    monkeypatch.setenv("no_proxy", "*")
    private = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(private.public_key()))
    handler = type("Handler", (_Issuer,), {})
    handler.document = json.dumps({"keys": [{**public, "kid": "one"}]}).encode()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", private
    server.shutdown()
    server.server_close()


def test_a_token_opens_only_when_it_was_issued_for_this_resource(
    installation: Installation, issuer: tuple[str, ec.EllipticCurvePrivateKey]
) -> None:
    url, private = issuer
    resource = "https://marts.example.com/mcp"
    tokens = TokenSettings(url, resource, f"{url}/keys", algorithm="ES256")
    mcp = McpSettings("https://marts.example.com")

    def token(**changes: Any) -> str:
        claims = {
            "iss": url,
            "aud": resource,
            "exp": time.time() + 300,
            "martlet_tenant": OWN,
            "scope": "query",
        }
        return jwt.encode(claims | changes, private, "ES256", headers={"kid": "one"})

    with running(installation.settings, ServingSettings(tokens=tokens), mcp) as address:
        metadata = httpx.get(f"{address}{METADATA}/mcp").json()
        opened = Agent(address, token()).call("query_metrics", **SPEND)
        refused = [
            post(address, token(aud="https://elsewhere.example.com/mcp")),
            post(address, token(aud="https://marts.example.com")),
            post(address, token(exp=time.time() - 60)),
            post(address, token(martlet_tenant="../x")),
        ]
        watching = Agent(address, token(scope="openid")).refused("query_metrics", **SPEND)

    assert metadata["authorization_servers"] == [url]
    assert metadata["resource"] == resource
    assert opened["row_count"] == 2
    assert [answer.status_code for answer in refused] == [401] * 4
    assert "scope_missing" in watching
