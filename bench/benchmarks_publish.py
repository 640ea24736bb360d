"""Publishing marts of several sizes, and opening many of which a bounded number stays open."""

import json
import random
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import duckdb
from harness import Bench, Turn, benchmark
from marts import fact, fill, new_store, publish, tenant_of
from measuring import Reading, file_bytes, peak_bytes, read_isolated

from martlet.engines.duckdb_engine import quoted_text
from martlet.marts.store import MartStore, StoreSettings
from martlet.semantic.requests import Query
from martlet.semantic.service import SemanticService
from martlet.settings import Settings, load_settings
from martlet.star_schema import STAR_TABLES, star_model

SLUG = "bench"
SIZES = (1_000_000, 10_000_000)
ROWS_A_MART = 5_000
MAX_OPEN = 64
TURNS_OF_MARTS = 3
QUESTION = Query(model="ad_performance", measures=["spend", "clicks"], time={"grain": "month"})
KINDS = ("bounded", "unbounded", "raw")


@benchmark("publish", "Publish of a mart of 1 and 10 million fact rows")
def publish_sizes(bench: Bench) -> None:
    """Each turn publishes anew what is the same; another publishes only what has changed."""
    turns: dict[str, Turn] = {}
    stores: list[tuple[str, Settings]] = []
    for full in SIZES:
        rows = bench.size(f"fact rows {full:,}", full, least=20_000)
        settings = new_store(bench.folder / f"publish_{full}", [SLUG])
        fill(settings, SLUG, rows)
        publish(settings, tenant_of(settings, SLUG))
        name = f"{rows:,} of {full:,} rows" if rows != full else f"{rows:,} rows"
        stores.append((name, settings))
        turns[f"publish, {name}"] = Turn(partial(_published, settings, force=True), None, rows)
        turns[f"create table as, {name}"] = Turn(partial(_copy, settings), None, rows)
    first, of_first = stores[0]
    turns[f"publish of nothing new, {first}"] = Turn(partial(_published, of_first, force=False))
    sides = bench.turns(turns)
    for name, settings in stores:
        ours, plain = sides[f"publish, {name}"].cpu, sides[f"create table as, {name}"].cpu
        bench.figure(f"publish of {name}, CPU against a plain copy", ours / plain)
        bench.figure(f"size of the mart of {name}", _mart_bytes(settings), "bytes")
        bench.figure(f"size of the copy of {name}", file_bytes(_plain(settings)), "bytes")
    bench.figure(
        "publish of nothing new, CPU against a publish",
        sides[f"publish of nothing new, {first}"].cpu / sides[f"publish, {first}"].cpu,
    )
    bench.note(
        "The plain copy writes the tables as they lie. A publish orders them by day, derives the "
        "campaign's key and the blended fact, compares row counts and sums with the warehouse, and "
        "hashes every row."
    )
    bench.note(
        "A mart with nothing new is written before it is found equal and dropped: only what was "
        "written says so for dimensions and for what was changed behind the warehouse's back. A "
        "run gets there only with news, by `martlet publish`, or by `martlet run --full`."
    )


@benchmark("many_marts", "1,000 marts, of which a bounded number stays open", in_quick=False)
def many_marts(bench: Bench) -> None:
    """Marts are opened in random order, each way in a process of its own; then asked a question."""
    marts = bench.size("marts", 1_000, least=MAX_OPEN + 16)
    bench.data["open at once"], bench.data["fact rows a mart"] = MAX_OPEN, ROWS_A_MART
    slugs = [f"tenant_{number}" for number in range(marts)]
    settings = new_store(bench.folder / "many_marts", slugs)
    _publish_each(settings, slugs)
    told: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}

    def turn(kind: str) -> Reading:
        reading = read_isolated(
            "benchmarks_publish", "opening", folder=str(settings.project_dir), kind=kind
        )
        told[kind].append(json.loads((settings.project_dir / f"{kind}.json").read_text()))
        return reading

    sides = bench.turns(
        {
            f"store, at most {MAX_OPEN} open": Turn(partial(turn, "bounded"), None, marts),
            "store, all stay open": Turn(partial(turn, "unbounded"), None, marts),
            "duckdb.connect, all stay open": Turn(partial(turn, "raw"), None, marts),
        },
        repeat=min(TURNS_OF_MARTS, bench.repeat),
    )
    for kind, side in zip(KINDS, sides, strict=True):
        for what in told[kind][0]:
            unit = "bytes" if what.endswith("memory") else "ms"
            bench.figure(f"{side}: {what}", statistics.median(t[what] for t in told[kind]), unit)
    ours, most, _ = (statistics.median(t["growth of memory"] for t in told[kind]) for kind in KINDS)
    bench.figure("memory of the bounded store against all marts open", ours / most)
    bench.note(
        "Opening is an engine of its own for each tenant, with locked settings, its file attached, "
        "and what the mart says of itself. The first answer compiles the question, for each tenant "
        "has a definition of its own; the raw one is the SQL that the service explains."
    )


def opening(folder: str, kind: str) -> Callable[[], None]:
    """Prepare to open all marts of a folder and to ask each; what it took is written beside."""
    settings = load_settings({}, Path(folder))
    slugs = sorted(path.name for path in settings.marts_dir.glob("tenant_*"))
    random.Random(7).shuffle(slugs)
    store = MartStore(
        settings.marts_dir,
        StoreSettings(threads=1, max_open=MAX_OPEN if kind == "bounded" else len(slugs)),
    )
    service = SemanticService(store, pseudonym_key="0" * 64)
    service.query(slugs[0], QUESTION, may_see_personal=False)
    explained = service.explain(slugs[0], QUESTION, may_see_personal=False)
    files = {slug: _current_file(settings, slug) for slug in slugs}
    at_first = peak_bytes()
    opened: list[float] = []
    answered: list[float] = []

    def through_store(slug: str) -> None:
        began = time.perf_counter()
        with store.open(slug) as mart:
            assert mart.info.version == mart.version
        opened.append(time.perf_counter() - began)
        service.query(slug, QUESTION, may_see_personal=False)
        answered.append(time.perf_counter() - began)

    def through_duckdb(slug: str, stack: ExitStack) -> None:
        began = time.perf_counter()
        connection = stack.enter_context(duckdb.connect(str(files[slug]), read_only=True))
        connection.execute("set threads = 1")
        connection.execute("select * from mart_info").fetchall()
        opened.append(time.perf_counter() - began)
        sql = explained.sql.replace(fact(slugs[0]), fact(slug))
        connection.execute(sql, explained.parameters).to_arrow_table()
        answered.append(time.perf_counter() - began)

    def work() -> None:
        with ExitStack() as stack:
            for slug in slugs[1:]:
                if kind == "raw":
                    through_duckdb(slug, stack)
                else:
                    through_store(slug)
            told = {
                **_percentiles("opening", opened),
                **_percentiles("opening and first answer", answered),
                "growth of memory": peak_bytes() - at_first,
            }
        (Path(folder) / f"{kind}.json").write_text(json.dumps(told))

    return work


def _percentiles(what: str, seconds: list[float]) -> dict[str, float]:
    of_hundred = statistics.quantiles(seconds, n=100, method="inclusive")
    return {f"{what}, p50": of_hundred[49] * 1e3, f"{what}, p99": of_hundred[98] * 1e3}


def _publish_each(settings: Settings, slugs: list[str]) -> None:
    for slug in slugs:
        fill(settings, slug, ROWS_A_MART)
        publish(settings, tenant_of(settings, slug))


def _published(settings: Settings, *, force: bool) -> None:
    published = publish(settings, tenant_of(settings, SLUG), force=force)
    if published.is_new != force:
        raise SystemExit(f"published anew: {published.is_new}, {published.reason}")


def _copy(settings: Settings) -> None:
    """Copy the star schema's tables to a new file, as anyone would."""
    path = _plain(settings)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        warehouse.execute(f"attach {quoted_text(str(path))} as plain")
        for table in STAR_TABLES:
            name = star_model(SLUG, table)
            warehouse.execute(f"create table plain.main.{name} as from analytics.{name}")
        warehouse.execute("checkpoint plain")


def _plain(settings: Settings) -> Path:
    return settings.home / "plain.duckdb"


def _mart_bytes(settings: Settings) -> int:
    return file_bytes(_current_file(settings, SLUG))


def _current_file(settings: Settings, slug: str) -> Path:
    (newest,) = sorted((settings.marts_dir / slug).glob("v*.duckdb"))[-1:]
    return newest
