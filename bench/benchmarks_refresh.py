"""Facts after a new day in a year of data, and the memory of a run with many new events."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness import Bench, Turn, benchmark
from histories import SLUG, SOURCES
from measuring import Reading, read_isolated
from projects import land_batches, new_project, run_tenants
from pushing import PushStage
from rows import KINDS, batch

from martlet import naming
from martlet.engines.duckdb_engine import connect
from martlet.settings import Settings, load_settings

FACTS = {"events": "sessions", "orders": "orders", "insights": "ad_performance"}
YEAR_DAYS = 365
DAYS_A_LOAD = 73
NEW_EVENTS = 10_000_000
EVENTS_A_DAY = 20_000
EVENTS_A_LOAD = 500_000


@dataclass
class Year:
    """A tenant with `days` of all kinds landed, pushed and built; `per_day` are rows by kind."""

    settings: Settings
    per_day: dict[str, int]
    stages: dict[str, PushStage]
    days: int = 0
    deliveries: int = 0
    readings: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def land(self, days: int) -> None:
        """Land the next days of all kinds."""
        made = [
            batch(
                KINDS[kind],
                self.days * count,
                days * count,
                per_day=count,
                delivery=self.deliveries,
            )
            for kind, count in self.per_day.items()
        ]
        land_batches(self.settings, SLUG, made)
        self.days += days
        self.deliveries += 1

    def land_and_push(self) -> None:
        """Land one day more, and push it."""
        self.land(1)
        for stage in self.stages.values():
            stage.push()

    def build(self, side: str) -> Reading:
        """Build the facts one after the other and return what they took together."""
        whole = Reading()
        for kind, stage in self.stages.items():
            reading = stage.build(_fact(kind))
            whole.cpu += reading.cpu
            whole.wall += reading.wall
            self.readings.setdefault(side, {}).setdefault(kind, []).append(reading.cpu)
        return whole

    def rebuild(self) -> Reading:
        """Build them in full; raises `SystemExit` where a fact is not what its refresh had made."""
        before = self.content()
        reading = self.build("full rebuild")
        if self.content() != before:
            raise SystemExit(f"refreshed {before}, rebuilt {self.content()}")
        return reading

    def want_full(self) -> None:
        """Let the facts' definitions count as changed; the record index is kept then."""
        with connect(self.settings.warehouse) as warehouse:
            warehouse.execute("update ops.platform_ops__fact_refreshes set definition_digest = ''")

    def content(self) -> dict[str, tuple[int, int]]:
        """Return each fact's rows and a digest of them, whatever their order."""
        with connect(self.settings.warehouse, read_only=True) as warehouse:
            return {
                kind: warehouse.execute(
                    f"select count(*), sum(hash(f)) from analytics.{_fact(kind)} as f"
                ).fetchall()[0]
                for kind in self.per_day
            }

    def why_full(self) -> dict[str, str | None]:
        """Return why each fact was rebuilt in full last, None where only parts were."""
        with connect(self.settings.warehouse, read_only=True) as warehouse:
            rows = warehouse.execute(
                "select fact, arg_max(coalesce(rebuilt_because, ''), refresh_number) "
                "from ops.platform_ops__fact_refreshes group by fact"
            ).fetchall()
        reasons = dict(rows)
        return {kind: reasons.get(_fact(kind)) or None for kind in self.per_day}


@benchmark("refresh", "Facts refreshed after one new day in a year of data", in_quick=False)
def refresh(bench: Bench) -> None:
    """Each turn lands and pushes a day of all kinds; the refreshed fact must equal the rebuilt."""
    year = _year(bench)

    def refreshed() -> Reading:
        reading = year.build("refresh")
        full = {kind: why for kind, why in year.why_full().items() if why}
        if full:
            raise SystemExit(f"not refreshed but rebuilt: {full}")
        return reading

    sides = bench.turns(
        {
            "refresh of three facts": Turn(
                refreshed, year.land_and_push, sum(year.per_day.values())
            ),
            "with nothing new": Turn(partial(year.build, "nothing new")),
            "full rebuild": Turn(year.rebuild, year.want_full, _rows(year)),
        }
    )
    ours, idle, full = sides.values()
    bench.at_most(
        "refresh after one new day in a year, CPU: against the full rebuild",
        ours.cpu / full.cpu,
        1 / 10,
    )
    bench.figure(
        "the same, each less the cost of nothing new",
        (ours.cpu - idle.cpu) / (full.cpu - idle.cpu),
    )
    for kind, fact in FACTS.items():
        one, all_of_it = (_median(year.readings[s][kind]) for s in ("refresh", "full rebuild"))
        bench.figure(f"{fact}: CPU of the refresh", one, "s")
        bench.figure(f"{fact}: against its full rebuild", one / all_of_it)
    bench.note(
        "Each turn's refreshed facts were compared with the rebuilt ones, row for row by a digest, "
        "and were equal. Readings are those of the models alone, their macros included, dbt's "
        "start and parse left out; a full rebuild keeps the record index, as one does whose "
        "definition has changed."
    )
    bench.note(
        "What a refresh costs beside the parts is dbt's rendering and some thirty statements, "
        "whatever the size: small facts are rebuilt as fast as they are refreshed."
    )


@benchmark("run_memory", "A whole run with 10 million new events: its peak memory", in_quick=False)
def run_memory(bench: Bench) -> None:
    """The run has a process of its own, dbt in it; one turn, for what is new is new once."""
    events = bench.size("new events", NEW_EVENTS, least=50_000)
    folder = bench.folder / "run_memory"
    settings = new_project(folder, {SLUG: {"google_analytics": SOURCES["google_analytics"]}})
    per_day = min(EVENTS_A_DAY, events // 10)
    first = batch(KINDS["events"], 0, per_day, per_day=per_day, delivery=0)
    land_batches(settings, SLUG, [first])
    run_tenants(settings, [SLUG])
    for number, start in enumerate(range(per_day, per_day + events, EVENTS_A_LOAD), start=1):
        count = min(EVENTS_A_LOAD, per_day + events - start)
        made = batch(KINDS["events"], start, count, per_day=per_day, delivery=number)
        land_batches(settings, SLUG, [made])
    sides = bench.turns(
        {
            "run: push, facts, tests, audit, publish": Turn(
                partial(read_isolated, "benchmarks_refresh", "running", folder=str(folder)),
                None,
                events,
            )
        },
        repeat=1,
    )
    (run,) = sides.values()
    bench.at_most(
        f"peak memory of a run with {events:,} new events", (run.peak_bytes or 0) / 1e9, 4.0, "GB"
    )
    bench.note(
        "Peak memory is the most that the process held (VmHWM), from its start. The events are "
        f"landed in loads of {EVENTS_A_LOAD:,}; one turn, not five."
    )


def running(folder: str) -> Callable[[], None]:
    """Prepare a run of the tenant and return it as work."""
    settings = load_settings({}, Path(folder))

    def work() -> None:
        run_tenants(settings, [SLUG])

    return work


def _year(bench: Bench) -> Year:
    per_day = {
        "events": bench.size("events a day", 5_000, least=50),
        "orders": bench.size("orders a day", 50, least=5),
        "insights": bench.size("ads", 100, least=5),
    }
    bench.data["days"] = YEAR_DAYS
    settings = new_project(bench.folder / "year", {SLUG: SOURCES})
    year = Year(settings, per_day, {})
    for _ in range(0, YEAR_DAYS, DAYS_A_LOAD):
        year.land(DAYS_A_LOAD)
    run_tenants(settings, [SLUG])
    manifest = None
    for kind in per_day:
        known = KINDS[kind]
        stage = PushStage(settings, SLUG, known.platform, known.object, manifest)
        manifest = stage.manifest
        year.stages[kind] = stage
    return year


def _rows(year: Year) -> int:
    return year.days * sum(year.per_day.values())


def _fact(kind: str) -> str:
    return naming.fact_model(SLUG, FACTS[kind])


def _median(values: Iterable[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
