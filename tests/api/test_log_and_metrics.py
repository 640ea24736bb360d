"""What a server says of itself: enough to find a request, nothing of what it was about."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import httpx
import pytest

from martlet.api.settings import ServingSettings
from tests.api.conftest import Ask, running
from tests.api.published import E_MAIL, OTHER, OWN, Installation
from tests.api.test_access import bearer
from tests.api.test_bad_input import GOOD

FILTERED = {**GOOD, "filters": [["source_platform", "eq", E_MAIL]]}


def test_each_request_has_a_line_without_values_or_secrets(installation: Installation) -> None:
    log = StringIO()
    key = installation.key(OWN, "query")
    asked = f"/v1/{OWN}/query"
    with (
        running(installation.settings, log_to=log) as url,
        httpx.Client(base_url=url, headers=bearer(key)) as client,
    ):
        client.post(asked, json=FILTERED, headers={"X-Request-Id": "mine.1_2-3"})
        client.get(asked, params={"query": json.dumps(FILTERED)})
        client.get(f"/v1/{OTHER}/models")
        client.get("/nowhere/roy@nexus.example?key=mk_secret")
        client.get("/livez", headers={"Authorization": "Bearer mk_wrong"})

    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["status"] for line in lines] == [200, 200, 404, 404, 200]
    assert [line["route"] for line in lines] == [
        "/v1/{tenant}/query",
        "/v1/{tenant}/query",
        "/v1/{tenant}/models",
        "unmatched",
        "/livez",
    ]
    first = lines[0]
    assert first["request_id"] == "mine.1_2-3"
    assert (first["event"], first["level"], first["method"]) == ("request", "info", "POST")
    assert (first["tenant"], first["caller"]) == (OWN, key.split("_")[1])
    assert first["ms"] > 0
    assert first["bytes"] > 0
    assert first["timestamp"].endswith("Z")
    assert lines[2]["problem"] == "tenant_not_found"
    assert "tenant" not in lines[2]
    for secret in (E_MAIL, key, "mk_secret", "mk_wrong", OTHER, "nexus"):
        assert secret not in log.getvalue()


@pytest.mark.parametrize(
    "stated", ["", "a b", "x" * 65, 'a"b', "a\tb", "é", "../x", "a;b", "{}", "a,b"]
)
def test_a_request_id_that_could_harm_a_log_is_replaced(ask: Ask, stated: str) -> None:
    answered = ask("GET", "/models", headers={"X-Request-Id": stated.encode()})

    assert answered.headers["x-request-id"] != stated
    assert len(answered.headers["x-request-id"]) == 16


def test_a_harmless_request_id_comes_back(ask: Ask) -> None:
    answered = ask("GET", "/nothing", headers={"X-Request-Id": "A-1._b"})

    assert answered.headers["x-request-id"] == answered.json()["request_id"] == "A-1._b"


def test_every_answer_has_the_headers_that_protect(ask: Ask, stranger: httpx.Client) -> None:
    for answered in (
        ask("GET", "/models"),
        ask("POST", "/query", json=GOOD, headers={"Accept": "text/csv"}),
        ask("GET", "/nothing"),
        stranger.get("/livez"),
        stranger.get("/openapi.json"),
        stranger.get("/nothing"),
    ):
        assert answered.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answered.headers["content-security-policy"]
        assert answered.headers["x-request-id"]
        assert "server" not in answered.headers


def test_metrics_count_and_name_no_tenant(ask: Ask, stranger: httpx.Client) -> None:
    ask("POST", "/query", json=GOOD)
    ask("POST", "/query", content="{", headers={"Content-Type": "application/json"})
    ask("BREW", "/models")
    stranger.get(f"/{OWN}/secret")

    answered = stranger.get("/metrics")

    assert answered.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answered.text
    assert (
        'martlet_http_requests_total{method="POST",route="/v1/{tenant}/query",status="200"}' in text
    )
    assert 'martlet_http_problems_total{code="malformed_json"}' in text
    assert 'method="other"' in text
    assert 'route="unmatched"' in text
    assert "martlet_http_request_seconds_bucket" in text
    assert "martlet_open_tenants" in text
    for secret in (OWN, OTHER, "secret", "BREW"):
        assert secret not in text


def test_the_metrics_of_two_applications_are_apart(installation: Installation) -> None:
    with running(installation.settings) as first, running(installation.settings) as second:
        httpx.get(f"{first}/livez")

        assert 'route="/livez"' in httpx.get(f"{first}/metrics").text
        assert 'route="/livez"' not in httpx.get(f"{second}/metrics").text


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """Give the address of a collector of traces, and what it receives."""
    received: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_traces_go_to_a_collector_without_the_questions(
    installation: Installation,
    collector: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint, received = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    key = installation.key(OWN, "query")
    with running(installation.settings, ServingSettings(traces_endpoint=endpoint)) as url:
        answered = httpx.get(
            f"{url}/v1/{OWN}/query",
            params={"query": json.dumps(FILTERED)},
            headers=bearer(key) | {"User-Agent": "roy"},
        )
        assert answered.status_code == 200

    sent = b"".join(received)
    assert b"GET /v1/{tenant}/query" in sent
    assert b"martlet" in sent
    for secret in (E_MAIL.encode(), E_MAIL.replace("@", "%40").encode(), key.encode(), b"spend"):
        assert secret not in sent


def test_nothing_of_a_tracing_exporter_is_loaded_unless_asked_for(
    installation: Installation,
) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from martlet.api.app import create_app; "
        "from martlet.settings import Settings; "
        f"create_app(Settings(Path('.'), Path({str(installation.settings.home)!r}), Path('.'))); "
        "sys.exit(any('otlp' in name for name in sys.modules))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_slow_client_holds_up_nobody(address: str) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(b"POST /v1/x/query HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")

        assert httpx.get(f"{address}/livez").status_code == 200
