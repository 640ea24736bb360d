"""A lake that several processes write to: commits, runs, files, and the cost beside one file's."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from harness import Bench, Side, Turn, benchmark
from lakes import Lake, running_catalogue
from measuring import Reading, measured
from projects import land_batches, new_project
from rows import KINDS, batch

from martlet.engines.engine import transaction
from martlet.engines.targets import engine_of
from martlet.settings import Settings, load_settings

WORKERS = (1, 2, 4, 8)
COMMITS = 160
ROWS_A_COMMIT = 200
TENANTS = 8
EVENTS = 10_000_000
EVENTS_A_LOAD = 500_000
LOADS = 40
_ISOLATED = Path(__file__).with_name("isolated.py")
TABLES = 10_000
READINGS = {
    "one table": "select count(*) from t0",
    "listing": "select count(*) from duckdb_tables() where estimated_size >= 0",
}
ANALYTICS: dict[str, dict[str, Any]] = {"google_analytics": {}}


@benchmark("lake_commits", "Commits to one table of a lake: 1, 2, 4 and 8 processes")
def lake_commits(bench: Bench) -> None:
    """The same number of commits, shared out; each process appends to its own partition."""
    commits = bench.size("commits", COMMITS, least=max(WORKERS) * 2)
    with bench.new_folder() as place, running_catalogue(Path(place)) as make:
        lake: Lake = make("commits")
        settings = lake.project(Path(place) / "project", {})
        engine = engine_of(settings)
        engine.create_warehouse()
        with engine.open_warehouse() as warehouse:
            warehouse.execute("create table masters (tenant varchar, number bigint)")
            warehouse.execute("alter table masters set partitioned by (tenant)")
        loads: dict[int, int] = {}

        def work(workers: int) -> Reading:
            before = lake.transactions()
            reading = _appended(settings, lake, workers, commits // workers)
            loads[workers] = lake.transactions() - before
            return reading

        sides = bench.turns(
            {_of(n): Turn(partial(work, n), rows=commits * ROWS_A_COMMIT) for n in WORKERS}
        )
    for workers in WORKERS:
        _throughput(bench, "commits", sides, workers)
        bench.figure(f"catalogue transactions a commit, {_of(workers)}", loads[workers] / commits)
        rate = commits / sides[_of(workers)].wall
        bench.figure(f"commits a second, {_of(workers)}", rate, "/s")
    bench.note(
        "Start and opening of the processes are left out; wall is that of the slowest. Two cores "
        "carry the processes and PostgreSQL: more than two processes show what waiting for one "
        "another costs, not what more machines would give. fsync is off in the server."
    )


@benchmark("lake_runs", "Whole runs of tenants on a lake: 1, 2, 4 and 8 processes", in_quick=False)
def lake_runs(bench: Bench) -> None:
    """`martlet run --all --shard i/n --full`: the same tenants, shared out by their slugs."""
    tenants = bench.size("tenants", TENANTS, least=2)
    slugs = [f"shop_{number}" for number in range(tenants)]
    machines = [n for n in WORKERS if n <= tenants]
    with bench.new_folder() as place, running_catalogue(Path(place)) as make:
        lake: Lake = make("runs")
        homes = [
            lake.project(Path(place) / f"machine_{n}", dict.fromkeys(slugs, ANALYTICS))
            for n in range(max(machines))
        ]
        for slug in slugs:
            land_batches(
                homes[0], slug, [batch(KINDS["events"], 0, 2_000, per_day=500, delivery=0)]
            )
        for home in homes:  # one after the other: each has parsed what it may be given
            _run(lake, [home], "--full")
        told: dict[int, tuple[int, int]] = {}

        def work(workers: int) -> None:
            before = lake.transactions(), lake.commits()
            _run(lake, homes[:workers], "--full")
            told[workers] = lake.transactions() - before[0], lake.commits() - before[1]

        sides = bench.turns(
            {_of(n): Turn(partial(work, n), rows=tenants) for n in machines},
            repeat=min(bench.repeat, 3),
        )
    for workers in machines:
        transactions, commits = told[workers]
        _throughput(bench, "runs", sides, workers)
        bench.figure(f"catalogue transactions a tenant, {_of(workers)}", transactions / tenants)
        bench.figure(f"commits a tenant, {_of(workers)}", commits / tenants)
    bench.note(
        "Runs without news, forced: dbt, tests, audit, publication. Processes start anew in each "
        "turn. With few tenants, shards are uneven, and the largest decides."
    )


@benchmark("lake_catalogue", "Opening and listing a lake of 100 to 10,000 tables")
def lake_catalogue(bench: Bench) -> None:
    """Of all these tables, the reader wants one: as a run of one tenant among many does."""
    most = bench.size("tables", TABLES, least=400)
    sizes = [most // 100, most // 10, most]
    with bench.new_folder() as place, running_catalogue(Path(place)) as make:
        turns, loads = {}, {}
        for size in sizes:
            lake: Lake = make(f"tables_{size}")
            settings = lake.project(Path(place) / f"project_{size}", {})
            engine = engine_of(settings)
            engine.create_warehouse()
            with engine.open_warehouse() as warehouse, transaction(warehouse):
                for number in range(size):
                    warehouse.execute(f"create table t{number} (tenant varchar, number bigint)")
            for what, query in READINGS.items():
                before = lake.transactions(), lake.scans()
                _read(settings, query)
                scans = lake.scans() - before[1]
                loads[what, size] = lake.transactions() - before[0], scans
                turns[f"{what}, {size:,} tables"] = Turn(partial(_read, settings, query))
        sides = bench.turns(turns)
    for (what, size), (_, scans) in loads.items():
        bench.figure(f"catalogue scans, {what}, {size:,} tables", scans, "scans")
        wall = sides[f"{what}, {size:,} tables"].wall
        bench.figure(f"wall, {what}, {size:,} tables", wall, "s")
    bench.note(
        "Each opening loads the names, columns and views of the whole lake; a listing with "
        "duckdb_tables() then asks for the statistics of each table by itself (duckdb/ducklake, "
        "issues 1269 and 1398)."
    )


@benchmark("lake_against_file", "The same events on a lake and in a file", in_quick=False)
def lake_against_file(bench: Bench) -> None:
    """One run from nothing each: push, facts, tests, audit, publication."""
    events = bench.size("events", EVENTS, least=20_000)
    with bench.new_folder() as place, running_catalogue(Path(place)) as make:
        sides: dict[str, Turn] = {}
        places: dict[str, list[Path]] = {}
        for name in ("file", "lake"):
            folder = Path(place) / f"{name}_project"
            lake: Lake = make(name)
            if name == "lake":
                settings = lake.project(folder, {"shop": ANALYTICS})
                variables = lake.variables
                places[name] = [Path(variables["MARTLET_LAKE_DATA"]) / "warehouse"]
            else:
                settings = new_project(folder, {"shop": ANALYTICS})
                variables = {}
                places[name] = [settings.warehouse]
            _land(settings, events)
            sides[name] = Turn(partial(_run_once, settings, variables), rows=events)
        told = bench.turns(sides, repeat=1)
        sizes = {name: sum(map(_bytes, paths)) for name, paths in places.items()}
    bench.figure("CPU of the lake against the file", told["lake"].cpu / told["file"].cpu)
    bench.figure("bytes of the lake against the file", sizes["lake"] / sizes["file"])
    bench.note("One turn: what is new is new once. PostgreSQL's own CPU is not in it.")


@benchmark("lake_maintenance", "Files of a lake before and after maintenance", in_quick=False)
def lake_maintenance(bench: Bench) -> None:
    """Many small loads of one tenant, pushed one by one; then `martlet maintain`."""
    loads = bench.size("loads", LOADS, least=4)
    with bench.new_folder() as place, running_catalogue(Path(place)) as make:
        lake: Lake = make("maintained")
        settings = lake.project(Path(place) / "project", {"shop": ANALYTICS})
        for number in range(loads):
            made = batch(KINDS["events"], number * 500, 500, per_day=500, delivery=number)
            land_batches(settings, "shop", [made])
            _martlet(settings, lake.variables, "run")
        before = _lying(lake)
        call = ("maintain", "--keep-days", "0.05", "--json")
        with measured() as reading:
            done = json.loads(_martlet(settings, lake.variables, *call))["databases"]
        told = Side("martlet maintain", loads * 500)
        told.readings.append(reading)
        bench.sides.append(told)
    for database in done:
        name = database["database"]
        bench.figure(f"{name}: files before", database["files_before"], "files")
        bench.figure(f"{name}: files after", database["files_after"], "files")
        bench.figure(f"{name}: rows out of the catalogue", database["rows_flushed"], "rows")
    bench.figure("files that lie there before", before, "files")


def appending(
    project: str, variables: dict[str, str], tenant: str, commits: int
) -> Callable[[], None]:
    """Open the lake and return the commits of one tenant as work."""
    engine = engine_of(load_settings(variables, Path(project)))
    opened = engine.open_warehouse()
    warehouse = opened.__enter__()

    def work() -> None:
        for number in range(commits):

            def write(first: int = number * ROWS_A_COMMIT) -> None:
                with transaction(warehouse):
                    warehouse.execute(
                        f"insert into masters select '{tenant}', {first} + i "
                        f"from range({ROWS_A_COMMIT}) as r(i)"
                    )

            engine.retried(write)
        opened.__exit__(None, None, None)

    return work


def _appended(settings: Settings, lake: Lake, workers: int, commits: int) -> Reading:
    running = []
    for number in range(workers):
        arguments = {
            "project": str(settings.project_dir),
            "variables": lake.variables,
            "tenant": f"tenant_{number}",
            "commits": commits,
        }
        command = [str(_ISOLATED), "benchmarks_lake", "appending", json.dumps(arguments)]
        running.append(subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE))
    told = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise SystemExit("a process that appends has failed")
    readings = [Reading(**json.loads(text.splitlines()[-1])) for text in told]
    return Reading(max(r.wall for r in readings), sum(r.cpu for r in readings))


def _of(workers: int) -> str:
    return f"{workers} process{'es' if workers > 1 else ''}"


def _throughput(bench: Bench, what: str, sides: dict[str, Side], workers: int) -> None:
    ratio = sides[_of(1)].wall / sides[_of(workers)].wall
    bench.figure(f"throughput of {what}, {_of(workers)} against 1", ratio)


def _land(settings: Settings, events: int) -> None:
    for number, start in enumerate(range(0, events, EVENTS_A_LOAD)):
        count = min(EVENTS_A_LOAD, events - start)
        per_day = max(events // 30, 1)
        made = batch(KINDS["events"], start, count, per_day=per_day, delivery=number)
        land_batches(settings, "shop", [made])


def _run(lake: Lake, homes: list[Settings], *more: str) -> None:
    """Run all tenants, shared out over the homes."""
    count = len(homes)
    shards = [("run", "--all", "--shard", f"{n}/{count}", *more) for n in range(1, count + 1)]
    running = [
        _started(home, lake.variables, *arguments, "--wait", "600")
        for home, arguments in zip(homes, shards, strict=True)
    ]
    for process in running:
        _output(process)


def _martlet(settings: Settings, variables: dict[str, str], *arguments: str) -> str:
    return _output(_started(settings, variables, *arguments))


def _run_once(settings: Settings, variables: dict[str, str]) -> None:
    _martlet(settings, variables, "run")


def _started(
    settings: Settings, variables: dict[str, str], *arguments: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "martlet", *arguments],
        cwd=settings.project_dir,
        env={k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _output(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate()
    if process.returncode:
        raise SystemExit(err)
    return out


def _read(settings: Settings, query: str) -> None:
    with engine_of(settings).open_warehouse() as warehouse:
        warehouse.execute(query).fetchall()


def _lying(lake: Lake) -> int:
    return len([*Path(lake.variables["MARTLET_LAKE_DATA"]).rglob("*.parquet")])


def _bytes(place: Path) -> int:
    files = [place] if place.is_file() else [p for p in place.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)
