"""A server under load, in trouble or ending still gives right answers or right refusals."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from martlet.api.pool import BoundedPool
from martlet.api.settings import ServingSettings, load_serving_settings
from martlet.errors import BadInputError
from martlet.semantic.errors import QueryRefusedError
from martlet.semantic.service import SemanticService
from tests.api.conftest import UNHINDERED, running
from tests.api.published import OTHER, OWN, Installation, install
from tests.api.test_access import bearer
from tests.api.test_bad_input import GOOD, problem

TOTAL = {"model": "orders", "measures": ["order_count", "revenue"]}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("small"))


def test_a_full_pool_says_so_at_once_and_recovers(
    small: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, begun = threading.Event(), threading.Semaphore(0)
    ask = SemanticService.query

    def slow(self: SemanticService, *given: Any, **named: Any) -> Any:
        begun.release()
        assert may_end.wait(20)
        return ask(self, *given, **named)

    monkeypatch.setattr(SemanticService, "query", slow)
    headers = bearer(small.key())
    serving = ServingSettings(query_slots=2, rates=UNHINDERED)
    with running(small.settings, serving) as url, ThreadPoolExecutor(2) as threads:
        asked = f"{url}/v1/{OWN}/query"
        running_ones = [
            threads.submit(httpx.post, asked, json=GOOD, headers=headers, timeout=30)
            for _ in range(2)
        ]
        for _ in range(2):
            assert begun.acquire(timeout=20)

        clock = time.monotonic()
        refused = httpx.post(asked, json=GOOD, headers=headers)
        took = time.monotonic() - clock
        watching = httpx.get(f"{url}/v1/{OWN}/observability/runs", headers=headers)
        alive = httpx.get(f"{url}/livez")
        counted = httpx.get(f"{url}/metrics").text
        may_end.set()

        assert [job.result().status_code for job in running_ones] == [200, 200]
        problem(refused, 429, "too_busy")
        assert refused.headers["retry-after"] == "1"
        assert took < 1
        assert watching.status_code == alive.status_code == 200
        assert "martlet_queries_running 2.0" in counted
        assert httpx.post(asked, json=GOOD, headers=headers).status_code == 200


def test_a_query_past_its_time_is_interrupted(small: Installation) -> None:
    headers = bearer(small.key())
    with running(small.settings, ServingSettings(max_query_seconds=0.000_001)) as url:
        answered = httpx.post(f"{url}/v1/{OWN}/query", json=GOOD, headers=headers)

    problem(answered, 504, "query_timeout")


def test_an_answer_beyond_its_size_is_refused(small: Installation) -> None:
    body = {"model": "orders", "dimensions": ["order_id"], "measures": ["revenue"]}
    headers = bearer(small.key())
    with running(small.settings, ServingSettings(max_answer_bytes=64)) as url:
        answered = httpx.post(f"{url}/v1/{OWN}/query", json=body, headers=headers)

    problem(answered, 422, "answer_too_large")


def test_a_failure_of_ours_is_told_without_its_cause_and_logged_with_its_place(
    small: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret roy@nexus.example select 1")

    monkeypatch.setattr(SemanticService, "query", fail)
    log = StringIO()
    headers = bearer(small.key()) | {"X-Request-Id": "ours-1"}
    with running(small.settings, log_to=log) as url, httpx.Client(headers=headers) as client:
        answers = [client.post(f"{url}/v1/{OWN}/query", json=GOOD) for _ in range(3)]

    for answered in answers:
        document = problem(answered, 500, "internal_error")
        assert document["request_id"] == "ours-1"
        assert "secret" not in answered.text
    assert "secret" not in log.getvalue()
    assert '"error":"ZeroDivisionError"' in log.getvalue()
    assert "test_limits" in log.getvalue()


def test_every_refusal_of_the_service_has_a_problem() -> None:
    from martlet.api.problems import KINDS

    # MCP has refusals of its own, and its own way to tell them.
    found = [
        each
        for each in (QueryRefusedError, *QueryRefusedError.__subclasses__())
        if each.__module__ == QueryRefusedError.__module__
    ]

    assert len(found) > 5
    assert {each.code for each in found} <= set(KINDS)


def test_a_missing_or_damaged_mart_is_unavailable_to_its_tenant_only(tmp_path: Path) -> None:
    installed = install(tmp_path)
    own, other = bearer(installed.key(OWN)), bearer(installed.key(OTHER))
    folder = installed.settings.marts_dir / OWN
    version = (folder / "current").read_text().strip()
    file = folder / f"{version}.duckdb"
    content = file.read_bytes()
    file.unlink()  # before the server has it open: what is open can be read on
    with running(installed.settings) as url:
        for damage in (b"", b"no database" * 1_000, content[: len(content) // 2], None):
            file.unlink(missing_ok=True)
            if damage is not None:
                file.write_bytes(damage)
            answered = httpx.post(f"{url}/v1/{OWN}/query", json=GOOD, headers=own)
            problem(answered, 503, "mart_unavailable")
            assert answered.headers["retry-after"] == "30"
            assert (
                httpx.post(f"{url}/v1/{OTHER}/query", json=GOOD, headers=other).status_code == 200
            )

        file.write_bytes(content)
        (folder / "current").write_text("../../../etc/passwd\n")
        problem(httpx.get(f"{url}/v1/{OWN}/models", headers=own), 503, "mart_unavailable")
        (folder / "current").write_text(f"{version}\n")
        assert httpx.post(f"{url}/v1/{OWN}/query", json=GOOD, headers=own).status_code == 200
        (folder / "current").unlink()
        problem(httpx.get(f"{url}/v1/{OWN}/models", headers=own), 404, "tenant_not_found")


def test_answers_stay_whole_while_versions_are_published(tmp_path: Path) -> None:
    installed = install(tmp_path)
    headers = bearer(installed.key())
    told: list[tuple[str, Any]] = []
    statuses: Counter[int] = Counter()
    is_over = threading.Event()

    def keep_asking(url: str) -> None:
        with httpx.Client(headers=headers, timeout=30) as client:
            while not is_over.is_set():
                answered = client.post(f"{url}/v1/{OWN}/query", json=TOTAL)
                statuses[answered.status_code] += 1
                if answered.status_code == 200:
                    document = answered.json()
                    told.append((document["data_version"], tuple(document["rows"][0])))

    with (
        running(installed.settings, ServingSettings(rates=UNHINDERED)) as url,
        ThreadPoolExecutor(6) as threads,
    ):
        asking = [threads.submit(keep_asking, url) for _ in range(6)]
        for _ in range(6):
            installed.publish(
                OWN,
                f"delete from analytics.fct_{OWN}__orders "
                f"where order_id = (select max(order_id) from analytics.fct_{OWN}__orders)",
            )
            time.sleep(0.05)
        is_over.set()
        for each in asking:
            each.result()

    assert set(statuses) <= {200, 429}
    versions: dict[str, set[Any]] = {}
    for version, row in told:
        versions.setdefault(version, set()).add(row)
    assert len(versions) > 2
    assert all(len(rows) == 1 for rows in versions.values())
    counts = [next(iter(rows))[0] for _, rows in sorted(versions.items())]
    assert counts == sorted(counts, reverse=True)


def test_before_anything_is_published_the_server_is_not_ready(tmp_path: Path) -> None:
    installed = install(tmp_path)
    installed.settings.marts_dir.rename(tmp_path / "elsewhere")
    with running(installed.settings) as url:
        document = problem(httpx.get(f"{url}/readyz"), 503, "not_ready")
        asked = httpx.get(f"{url}/v1/{OWN}/models", headers=bearer(installed.key()))

    assert [error["message"] for error in document["errors"]] == ["nothing was ever published"]
    problem(asked, 404, "tenant_not_found")


def test_a_running_request_ends_well_when_the_server_stops(
    small: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    ask = SemanticService.query

    def slow(self: SemanticService, *given: Any, **named: Any) -> Any:
        begun.set()
        time.sleep(0.5)
        return ask(self, *given, **named)

    monkeypatch.setattr(SemanticService, "query", slow)
    headers = bearer(small.key())
    with ThreadPoolExecutor(1) as threads:
        with running(small.settings) as url:
            asked = f"{url}/v1/{OWN}/query"
            job = threads.submit(httpx.post, asked, json=GOOD, headers=headers, timeout=30)
            assert begun.wait(20)

        assert job.result().status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/livez")


def test_a_pool_gives_a_place_back_when_its_job_fails() -> None:
    import asyncio

    pool = BoundedPool(1, "test")

    async def fail_twice() -> None:
        for _ in range(2):
            with pytest.raises(KeyError):
                await pool.run(lambda: {}["nothing"])

    asyncio.run(fail_twice())
    assert pool.taken == 0
    pool.close()


def test_settings_are_read_from_the_environment() -> None:
    read = load_serving_settings(
        {
            "MARTLET_MAX_BODY_BYTES": "1MiB",
            "MARTLET_QUERY_SLOTS": "3",
            "MARTLET_MAX_QUERY_SECONDS": "2.5",
            "MARTLET_TENANT_MEMORY": "512MB",
            "MARTLET_RATE_PER_KEY": "5/second",
            "MARTLET_OPEN_TENANTS": "",
        }
    )

    assert read.max_body_bytes == 2**20
    assert (read.query_slots, read.max_query_seconds) == (3, 2.5)
    assert (read.tenant_memory, read.rates.per_key) == ("512MB", "5/second")
    assert read.open_tenants == ServingSettings().open_tenants
    assert load_serving_settings({}) == ServingSettings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MARTLET_MAX_BODY_BYTES", "much"),
        ("MARTLET_MAX_BODY_BYTES", "-1"),
        ("MARTLET_QUERY_SLOTS", "0"),
        ("MARTLET_QUERY_SLOTS", "1.5"),
        ("MARTLET_MAX_QUERY_SECONDS", "nan"),
        ("MARTLET_MAX_QUERY_SECONDS", "inf"),
        ("MARTLET_TENANT_MEMORY", "2 GB'; drop"),
        ("MARTLET_OPEN_TENANTS", "10000000000000"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(BadInputError, match=variable):
        load_serving_settings({variable: value})
