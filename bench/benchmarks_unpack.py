"""Unpack and star schema: from JSON to typed columns, from events to sessions and facts."""

from functools import partial
from pathlib import Path

from harness import Bench, Side, Turn, benchmark
from histories import PER_DAY, SLUG, History, fill_master, new_history
from measuring import Reading
from queries import (
    content,
    cost,
    field_by_field,
    from_columns,
    intermediate,
    make_table,
    native_versions,
    unpack,
)
from rows import KINDS, Kind

from martlet import naming

RESTATED_EVERY = 10
FIFTEEN = (
    "report_date", "account_id", "account_name", "currency", "campaign_id", "campaign_name",
    "ad_group_id", "ad_group_name", "ad_id", "ad_name", "spend", "impressions", "clicks", "reach",
    "publisher_platform",
)  # fmt: skip


@benchmark("unpack_columns", "15 columns of insights out of JSON, and out of columns of their own")
def unpack_columns(bench: Bench) -> None:
    """All sides choose the newest versions alike, and store the same 15 columns."""
    rows = bench.size("insights", 10_000_000, least=100_000)
    history = _filled(bench, KINDS["insights"], rows)
    ours = unpack(history, FIFTEEN)
    native = bench.folder / "native_columns.duckdb"
    table = native_versions(history, FIFTEEN, native)
    limit = from_columns(ours, history.stage.master, table, FIFTEEN)
    chosen = f"select {', '.join(FIFTEEN)} from ({{0}})"
    sides = _compare(
        bench,
        history,
        rows,
        {
            "one parse a row (ours)": chosen.format(ours),
            "one ->> a field": chosen.format(field_by_field(ours)),
            "native columns": limit,
            "native columns, no versions": f"select {', '.join(FIFTEEN)} from {table}",
        },
        (native,),
    )
    ours_cpu, naive, limit_cpu, _ = (side.cpu for side in sides.values())
    bench.at_most("15 columns from JSON, CPU against one ->> a field", ours_cpu / naive, 1 / 5)
    bench.figure("15 columns from JSON, CPU against native columns", ours_cpu / limit_cpu)


@benchmark("facts_insights", "1 million insights, one of ten restated, to the fact", in_quick=False)
def facts_insights(bench: Bench) -> None:
    """The fact's own query; the other sides read the same typed rows from elsewhere."""
    rows = bench.size("insights", 1_000_000, least=100_000)
    history = _filled(bench, KINDS["insights"], rows, every=RESTATED_EVERY)
    _fact(bench, history, rows, naming.fact_model(SLUG, "ad_performance"))


@benchmark("sessions_1m", "1 million events, one of ten restated, to sessions")
def sessions_1m(bench: Bench) -> None:
    """As `facts_insights`, for the sessions of GA4 events."""
    rows = bench.size("events", 1_000_000, least=50_000)
    history = _filled(bench, KINDS["events"], rows, every=RESTATED_EVERY)
    _fact(bench, history, rows, naming.fact_model(SLUG, "sessions"))


@benchmark("sessions_10m", "10 million events to sessions", in_quick=False)
def sessions_10m(bench: Bench) -> None:
    """The same, tenfold, without restated rows: what grows more than tenfold?"""
    rows = bench.size("events", 10_000_000, least=200_000)
    history = _filled(bench, KINDS["events"], rows)
    sides = _fact(bench, history, rows, naming.fact_model(SLUG, "sessions"))
    ours = next(iter(sides.values()))
    bench.at_most("events to sessions, peak memory", (ours.peak_bytes or 0) / 1e9, 4.0, "GB")


def _filled(bench: Bench, kind: Kind, rows: int, *, every: int = 0) -> History:
    key = f"{kind.object}_filled_{rows}_{every}"
    if key not in bench.shared:
        made = new_history(bench, key, kind, PER_DAY)
        fill_master(made, rows - PER_DAY, every=every)
        bench.shared[key] = made
    history: History = bench.shared[key]
    bench.data["versions in the master"] = history.master_rows()
    bench.data["warehouse"] = f"{history.bytes() / 1e6:,.0f} MB"
    return history


def _fact(bench: Bench, history: History, rows: int, model: str) -> dict[str, Side]:
    """Compare a fact's query as it is, with one `->>` a field, and on a table of typed columns."""
    fact = history.stage.compiled(model)
    view = intermediate(history)
    kind = history.kind
    unpacked = history.stage.compiled(naming.intermediate_model(SLUG, kind.platform, kind.object))
    native = bench.folder / f"native_{model}.duckdb"
    table = make_table(history, f"select * exclude (raw_data_payload) from {view}", native)
    sides = _compare(
        bench,
        history,
        rows,
        {
            "fact from JSON (ours)": fact,
            "one ->> a field": fact.replace(view, f"({field_by_field(unpacked)})"),
            "fact from typed columns": fact.replace(view, table),
        },
        (native,),
    )
    ours, naive, limit = (side.cpu for side in sides.values())
    bench.figure("fact, CPU against one ->> a field", ours / naive)
    bench.figure("fact, CPU against typed columns", ours / limit)
    return sides


def _compare(
    bench: Bench,
    history: History,
    rows: int,
    queries: dict[str, str],
    natives: tuple[Path, ...],
) -> dict[str, Side]:
    """Store each query's rows in turns, each in a process of its own, and compare the contents."""
    stored: dict[str, tuple[int, int]] = {}

    def store(name: str) -> Reading:
        reading = cost(history, queries[name], natives)
        if name not in stored:
            stored[name] = content(history)
        return reading

    sides = bench.turns({name: Turn(partial(store, name), None, rows) for name in queries})
    if len(set(stored.values())) > 1:
        raise SystemExit(f"the sides do not give the same rows: {stored}")
    return sides
