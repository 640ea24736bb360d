"""Landing: Arrow batches, files and the simulator, beside a plain insert of the same rows."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from harness import Bench, Turn, benchmark
from histories import PER_DAY, SLUG, SOURCES
from measuring import measured, read_isolated
from projects import land_batches, new_project
from rows import FIRST_MOMENT, KINDS, Kind, batch
from rows import rows as made_rows

from martlet.landing.batches import ROW_NUMBER, LandedBatch
from martlet.landing.checks import check_table
from martlet.landing.command import land_file, land_simulated
from martlet.landing.files import read_file
from martlet.landing.simulated import DEFAULT_UNTIL
from martlet.settings import Settings, load_settings

ROWS_A_BATCH = 500_000
ROWS_A_GROUP = 100_000
EVENTS_A_SESSION = 5


@benchmark("landing_arrow", "Landing of 1 million events from Arrow batches in memory")
def landing_arrow(bench: Bench) -> None:
    """The contract's check and dlt are in it, the making of the rows is not."""
    rows = bench.size("events", 1_000_000, least=50_000)
    settings = _project(bench.folder / "arrow", KINDS["events"])
    batches = _batches(rows)
    checks: list[float] = []

    def land() -> None:
        with measured() as reading:
            for made in batches:
                _, rejected = check_table(made.rows, KINDS["events"].contract, "native")
                assert not rejected
        checks.append(reading.cpu)
        land_batches(settings, SLUG, batches)

    plain = partial(_plain_insert, bench.folder, [made.rows for made in batches])
    sides = bench.turns(
        {
            "landing: check and dlt": Turn(land, None, rows),
            "plain insert": Turn(partial(plain, "varchar"), None, rows),
            "plain insert, JSON columns typed so": Turn(partial(plain, "json"), None, rows),
        },
        warm_up=True,
    )
    ours, insert, typed = sides.values()
    bench.at_most("landing of events, CPU against the plain insert", ours.cpu / insert.cpu, 5.0)
    bench.at_most("landing of events, wall against the plain insert", ours.wall / insert.wall, 5.0)
    bench.figure("landing of events, CPU against the typed insert", ours.cpu / typed.cpu)
    bench.figure("share of the contract's check in the landing's CPU", checks[-1] / ours.cpu)


@benchmark("landing_file", "Landing of 1 million events from files", in_quick=False)
def landing_file(bench: Bench) -> None:
    """A file's records are untyped, and each is validated; the plain side trusts them."""
    rows = bench.size("events", 1_000_000, least=20_000, most=1_000_000)
    settings = _project(bench.folder / "file", KINDS["events"])
    lines, parquet = _files(bench.folder, rows)
    bench.data["JSON lines"] = f"{lines.stat().st_size / 1e6:,.0f} MB"

    def from_file(path: Path) -> None:
        land_file(settings, SLUG, "google_analytics", "events", path)

    def plain(reader: str, path: Path) -> None:
        _in_new_file(bench.folder, f"create table t as from {reader}('{path}')")

    sides = bench.turns(
        {
            "landing of JSON lines": Turn(partial(from_file, lines), None, rows),
            "plain read_json": Turn(partial(plain, "read_json", lines), None, rows),
            "landing of Parquet": Turn(partial(from_file, parquet), None, rows),
            "plain read_parquet": Turn(partial(plain, "read_parquet", parquet), None, rows),
        },
        warm_up=True,
    )
    ours, baseline, columns, _ = (side.cpu for side in sides.values())
    bench.figure("landing of JSON lines, CPU against read_json", ours / baseline)
    bench.figure("landing of Parquet against that of JSON lines", columns / ours)


@benchmark("landing_validated", "Validation of 1 million wire records", in_quick=False)
def landing_validated(bench: Bench) -> None:
    """One record after the other against the contract, without dlt; `json.loads` is the limit."""
    rows = bench.size("events", 1_000_000, least=20_000, most=1_000_000)
    lines, parquet = _files(bench.folder, rows)

    def validate(path: Path) -> None:
        read = read_file(
            path,
            platform="google_analytics",
            connection="main",
            contract=KINDS["events"].contract,
            loader=None,
            extracted_at=FIRST_MOMENT,
            folder=bench.folder,
        )
        assert (read.rows.num_rows, read.rejected) == (rows, ())

    def parse() -> None:
        with lines.open() as stream:
            for line in stream:
                json.loads(line)

    sides = bench.turns(
        {
            "JSON lines, validated": Turn(partial(validate, lines), None, rows),
            "Parquet, validated": Turn(partial(validate, parquet), None, rows),
            "JSON lines, parsed and dropped": Turn(parse, None, rows),
        },
        warm_up=True,
    )
    ours, columns, parsed = (side.cpu for side in sides.values())
    bench.figure("validation of JSON lines, CPU against json.loads", ours / parsed)
    bench.figure("validation of Parquet against that of JSON lines", columns / ours)


@benchmark("landing_large_file", "Landing of 1 and 10 million events from a file", in_quick=False)
def landing_large_file(bench: Bench) -> None:
    """Once each, in a process of its own: what matters is that memory does not follow the rows."""
    turns: dict[str, Turn] = {}
    for number, full in enumerate((1_000_000, 10_000_000)):
        rows = bench.size(f"events {full:,}", full, least=20_000 * (1 + number))
        folder = bench.folder / f"large_{number}"
        _project(folder, KINDS["events"])
        _write_parquet(folder / "events.parquet", rows)
        work = partial(read_isolated, "benchmarks_landing", "from_file", folder=str(folder))
        turns[f"{rows:,} events of a Parquet file"] = Turn(work, None, rows)
    small, large = bench.turns(turns, repeat=1).values()
    bench.figure(
        "CPU a row, large file against small", (large.cpu / large.rows) / (small.cpu / small.rows)
    )
    bench.figure(
        "peak memory, large file against small", (large.peak_bytes or 0) / (small.peak_bytes or 1)
    )
    bench.at_most("peak memory of a landed file", (large.peak_bytes or 0) / 1e9, 4.0, "GB")


def from_file(folder: str) -> Callable[[], None]:
    """Return the landing of the folder's Parquet file as work."""
    settings = load_settings({}, Path(folder))

    def work() -> None:
        file = Path(folder) / "events.parquet"
        land_file(settings, SLUG, "google_analytics", "events", file)

    return work


@benchmark("landing_simulated", "Landing of 1 and 10 million simulated events", in_quick=False)
def landing_simulated(bench: Bench) -> None:
    """The simulation is in it. Each landing has a process of its own, for its memory."""
    turns: dict[str, Turn] = {}
    for number, full in enumerate((1_000_000, 10_000_000)):
        rows = bench.size(f"events {full:,}", full, least=20_000)
        folder = bench.folder / f"simulated_{number}"
        sessions = rows // EVENTS_A_SESSION // 10
        source = {**SOURCES["google_analytics"], "generation": {"sessions_per_day": sessions}}
        new_project(folder, {SLUG: {"google_analytics": source}})
        turns[f"about {rows:,} events"] = Turn(
            partial(read_isolated, "benchmarks_landing", "simulated", folder=str(folder)),
            None,
            rows,
        )
    sides = bench.turns(turns)
    largest = list(sides.values())[-1]
    bench.at_most("peak memory of a simulated landing", (largest.peak_bytes or 0) / 1e9, 4.0, "GB")


def simulated(folder: str) -> Callable[[], None]:
    """Prepare the landing of ten simulated days, another ten each time, and return it as work."""
    settings = load_settings({}, Path(folder))
    seen = Path(folder) / "turns"
    turn = int(seen.read_text()) if seen.exists() else 0
    seen.write_text(str(turn + 1))
    until = DEFAULT_UNTIL + timedelta(days=10 * turn)

    def work() -> None:
        land_simulated(settings, SLUG, days=10, until=until, seed=3)

    return work


def _project(folder: Path, kind: Kind) -> Settings:
    return new_project(folder, {SLUG: {kind.platform: SOURCES[kind.platform]}})


def _batches(rows: int) -> list[LandedBatch]:
    starts = range(0, rows, ROWS_A_BATCH)
    return [
        batch(KINDS["events"], s, min(ROWS_A_BATCH, rows - s), per_day=PER_DAY, delivery=number)
        for number, s in enumerate(starts)
    ]


def _plain_insert(folder: Path, tables: list[pa.Table], json_type: str) -> None:
    """Insert Arrow tables into a new file, as anyone would."""
    types = KINDS["events"].column_types | {ROW_NUMBER: "BIGINT"}
    columns = ", ".join(
        f'"{name}" {json_type if kind == "JSON" else kind}' for name, kind in types.items()
    )
    inserts = [f"insert into t select * from table_{number}" for number, _ in enumerate(tables)]
    named = {f"table_{number}": table for number, table in enumerate(tables)}
    _in_new_file(folder, f"create table t ({columns})", *inserts, tables=named)


def _in_new_file(folder: Path, *statements: str, tables: dict[str, pa.Table] | None = None) -> None:
    path = folder / f"plain_{os.getpid()}.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        for name, table in (tables or {}).items():
            connection.register(name, table)
        for statement in statements:
            connection.execute(statement)
    path.unlink()


def _write_parquet(path: Path, rows: int) -> None:
    """Write any number of rows, a part at a time."""
    writer = None
    for start in range(0, rows, ROWS_A_GROUP):
        count = min(ROWS_A_GROUP, rows - start)
        table = made_rows(KINDS["events"], start, count, per_day=PER_DAY).drop([ROW_NUMBER])
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def _files(folder: Path, rows: int) -> tuple[Path, Path]:
    """Write the rows as the API would: nested values as such, nothing where there is none."""
    lines, parquet = folder / "events.jsonl", folder / "events.parquet"
    made = made_rows(KINDS["events"], 0, rows, per_day=PER_DAY).drop([ROW_NUMBER])
    nested = [name for name, kind in KINDS["events"].column_types.items() if kind == "JSON"]
    with lines.open("w") as stream:
        for part in made.to_batches(max_chunksize=20_000):
            for record in part.to_pylist():
                stated = {name: value for name, value in record.items() if value is not None}
                stated |= {name: json.loads(stated[name]) for name in nested if name in stated}
                stream.write(json.dumps(stated) + "\n")
    pq.write_table(made, parquet)
    return lines, parquet
