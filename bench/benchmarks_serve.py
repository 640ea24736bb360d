"""Answering from a mart of a million rows: beside raw SQL, and to many clients at once."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import httpx
from harness import Bench, Side, Turn, benchmark
from marts import fact, fill, new_store, publish, tenant_of
from soak_serve import serving

from martlet.access.keys import KeyStore
from martlet.marts.store import MartStore, StoreSettings
from martlet.semantic.requests import Query
from martlet.semantic.service import Limits, SemanticService
from martlet.settings import Settings

_Ask = Callable[[], object]

SLUG = "bench"
ROWS = 1_000_000
CLIENTS = (1, 8, 64)
QUERIES_A_TURN = 192
CALLS = 30
QUERY = Query(
    model="ad_performance",
    measures=["spend", "clicks", "ctr", "roas"],
    dimensions=["source_platform"],
    time={"grain": "day", "start": "2025-07-01", "end": "2026-06-30"},
    limit=10_000,
)
MANY = Query(
    model="ad_performance", measures=["spend", "clicks"], dimensions=["ad_id"], limit=50_000
)
# The same question as someone would write it who has only DuckDB.
BY_HAND = f"""
    select
        source_platform, report_date, sum(spend), sum(clicks),
        sum(clicks) / nullif(sum(impressions), 0), sum(conversion_value) / nullif(sum(spend), 0)
    from {fact(SLUG)}
    where report_date between date '2025-07-01' and date '2026-06-30'
    group by source_platform, report_date
    order by report_date, source_platform
    limit 10000
"""
FORMATS = {
    "JSON": "application/json",
    "Arrow stream": "application/vnd.apache.arrow.stream",
    "Parquet": "application/vnd.apache.parquet",
    "CSV": "text/csv",
}
# So that a query has a thread of its own, and no client is refused.
VARIABLES = {"MARTLET_TENANT_THREADS": "1", "MARTLET_QUERY_SLOTS": str(max(CLIENTS))}


@dataclass(frozen=True)
class Served:
    """A published mart, its file, and a key to ask for it."""

    settings: Settings
    file: Path
    token: str


@benchmark("query", "One question by day and platform on 1 million rows, beside its own SQL")
def query(bench: Bench) -> None:
    """Raw is the SQL that the service explains, on a cursor of the same open mart."""
    served = _served(bench)
    store = MartStore(served.settings.marts_dir)
    service = _service(store)
    explained = service.explain(SLUG, QUERY, may_see_personal=False)
    name = fact(SLUG)

    def raw() -> None:
        with store.open(SLUG) as mart:
            sql = explained.sql.replace(f'"{name}"', f'"{mart.catalog}"."main"."{name}"')
            mart.fetch_arrow(sql, explained.parameters, seconds=60, max_bytes=2**30)

    def cold() -> None:
        _service(store).query(SLUG, QUERY, may_see_personal=False)

    def warm() -> None:
        service.query(SLUG, QUERY, may_see_personal=False)

    with serving(served.settings) as url, _client(url, served) as client:
        body = QUERY.model_dump(mode="json", exclude_none=True)
        tag = client.post("/query", json=body).headers["etag"]

        def whole() -> None:
            client.post("/query", json=body).raise_for_status()

        def unchanged() -> None:
            status = client.post("/query", json=body, headers={"If-None-Match": tag}).status_code
            assert status == 304, status

        sides = bench.turns(
            {
                "raw SQL": Turn(raw),
                "service, compiled cached": Turn(warm),
                "service, nothing compiled": Turn(cold),
                "HTTP request (CPU: the client's)": Turn(whole),
                "HTTP request, 304": Turn(unchanged),
            },
            repeat=max(CALLS, bench.repeat),
            warm_up=True,
        )
        _formats(bench, client)
    plain, *others = (side.wall * 1e3 for side in sides.values())
    bench.figure("raw SQL, p50", plain, "ms")
    cached, nothing_compiled, over_http, unchanged_http = others
    bench.at_most(
        "API query, compiled cached, p50: more than its raw SQL", cached - plain, 3.0, "ms"
    )
    bench.figure("the same, with nothing compiled", nothing_compiled - plain, "ms")
    bench.figure("the same, as a whole HTTP request with JSON", over_http - plain, "ms")
    bench.figure("HTTP request whose answer is unchanged, p50", unchanged_http, "ms")
    bench.data["calls a side"] = max(CALLS, bench.repeat)


@benchmark("clients", "1, 8 and 64 clients ask by day and platform, 1 million rows")
def clients(bench: Bench) -> None:
    """A fixed query, one thread each; raw is SQL written by hand on a connection to the file."""
    served = _served(bench)
    total = bench.size("queries a turn", QUERIES_A_TURN, least=max(CLIENTS))
    service = _service(
        MartStore(served.settings.marts_dir, StoreSettings(threads=1)), slots=max(CLIENTS)
    )
    by_service = partial(service.query, SLUG, QUERY, may_see_personal=False)
    by_service()
    with (
        duckdb.connect(str(served.file), read_only=True) as raw,
        serving(served.settings, VARIABLES) as url,
    ):
        raw.execute("set threads = 1")
        turns: dict[str, Turn] = {}
        for count in CLIENTS:
            each = total // count
            turns |= {
                f"raw DuckDB, {count}": Turn(partial(_ask, count, each, partial(_raw_asker, raw))),
                f"service in process, {count}": Turn(
                    partial(_ask, count, each, partial(_given, by_service))
                ),
                f"HTTP, {count} (CPU: the clients')": Turn(
                    partial(_ask, count, each, partial(_http_asker, url, served))
                ),
            }
        sides = list(bench.turns(turns, warm_up=True).values())
    for number, count in enumerate(CLIENTS):
        done = total // count * count
        raw_rate, ours, http_rate = (
            done / side.wall for side in sides[3 * number : 3 * number + 3]
        )
        of_clients = f"{count} clients" if count > 1 else "1 client"
        tell = partial(_tell, bench, is_target=count == 8)
        bench.figure(f"{of_clients}, raw DuckDB", raw_rate, "queries/s")
        tell(f"{of_clients}: throughput of the service in process against raw", ours / raw_rate)
        tell(f"{of_clients}: throughput over HTTP against raw", http_rate / raw_rate)
    bench.note(
        "Over HTTP the clients are threads of this process and take their CPU from the server's: "
        "they send, read and drop the JSON, and do not parse it."
    )


def _tell(bench: Bench, what: str, value: float, *, is_target: bool) -> None:
    if is_target:
        bench.at_least(what, value, 0.7)
    else:
        bench.figure(what, value)


def _served(bench: Bench) -> Served:
    rows = bench.size("fact rows", ROWS, least=20_000)
    if "served" not in bench.shared:
        settings = new_store(bench.folder / "served", [SLUG])
        fill(settings, SLUG, rows)
        publish(settings, tenant_of(settings, SLUG))
        (file,) = (settings.marts_dir / SLUG).glob("v*.duckdb")
        token = KeyStore(settings.control).create(SLUG, ("query",)).text
        bench.shared["served"] = Served(settings, file, token)
    served: Served = bench.shared["served"]
    return served


def _service(store: MartStore, slots: int = 16) -> SemanticService:
    """Return a service that has compiled nothing yet."""
    return SemanticService(store, Limits(slots=slots), pseudonym_key="0" * 64)


def _client(url: str, served: Served) -> httpx.Client:
    headers = {"Authorization": f"Bearer {served.token}"}
    return httpx.Client(base_url=f"{url}/v1/{SLUG}", headers=headers, timeout=60)


def _formats(bench: Bench, client: httpx.Client) -> None:
    """Ask for a long answer in each format."""
    many = MANY.model_dump(mode="json", exclude_none=True)

    def asked(media: str) -> int:
        answer = client.post("/query", json=many, headers={"Accept": media})
        answer.raise_for_status()
        return len(answer.content)

    sizes = {name: asked(media) for name, media in FORMATS.items()}
    turns = {
        f"50,000 rows as {name} (CPU: the client's)": Turn(partial(_drop, asked, media))
        for name, media in FORMATS.items()
    }
    sides: list[Side] = list(bench.turns(turns).values())
    for (name, size), side in zip(sizes.items(), sides, strict=True):
        bench.figure(f"long answer as {name}, p50", side.wall * 1e3, "ms")
        bench.figure(f"long answer as {name}", size, "bytes")


def _drop(asked: Callable[[str], int], media: str) -> None:
    asked(media)


def _ask(count: int, each: int, asker: Callable[[], AbstractContextManager[_Ask]]) -> None:
    """Let so many clients ask so often, all at once; raises what any of them meets."""
    failures: list[BaseException] = []

    def client() -> None:
        with asker() as ask:
            try:
                for _ in range(each):
                    ask()
            except (AssertionError, OSError, RuntimeError, duckdb.Error) as error:
                failures.append(error)

    threads = [threading.Thread(target=client) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@contextmanager
def _given(ask: _Ask) -> Iterator[_Ask]:
    yield ask


@contextmanager
def _raw_asker(raw: duckdb.DuckDBPyConnection) -> Iterator[_Ask]:
    with raw.cursor() as cursor:
        yield lambda: cursor.execute(BY_HAND).to_arrow_table()


@contextmanager
def _http_asker(url: str, served: Served) -> Iterator[_Ask]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    body = json.dumps(QUERY.model_dump(mode="json", exclude_none=True))
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}

    def ask() -> None:
        connection.request("POST", f"/v1/{SLUG}/query", body, headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status

    with closing(connection):
        yield ask
