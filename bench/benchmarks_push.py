"""The push: of nothing, of a day more, of restated rows; onto histories of several sizes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
from harness import Bench, Turn, benchmark
from histories import PER_DAY, SLUG, History, new_history
from measuring import Reading
from naive import NaiveMaster
from pushing import Statement
from rows import KINDS, Kind

from martlet import naming
from martlet.engines.duckdb_engine import connect, connect_warehouse, create_warehouse, quoted_name

HISTORIES = (200_000, 1_000_000, 5_000_000, 20_000_000)
NAIVE_MOST = 5_000_000
RESTATED_DAYS = 5
TOLD_STATEMENTS = 3


@benchmark("push_first", "First push: 500,000 events onto an empty master", in_quick=False)
def push_first(bench: Bench) -> None:
    """Each turn's load is new and the history empty but for the earlier turns."""
    rows = bench.size("events a load", 500_000, least=20_000)
    history = new_history(bench, "first", KINDS["events"], PER_DAY)
    naive = _naive(bench.folder / "first_naive.duckdb", history)
    insert = _plain_insert(bench.folder / "first_plain.duckdb", history)
    sides = bench.turns(
        {
            "push": Turn(history.stage.push, partial(history.land, rows), rows),
            "naive merge of the load": Turn(naive.merge_newest, None, rows),
            "plain insert of the landed columns": Turn(insert, None, rows),
        }
    )
    push, merge, plain = sides.values()
    bench.figure("CPU of the push against the naive merge", push.cpu / merge.cpu)
    bench.figure("CPU of the push against the plain insert", push.cpu / plain.cpu)
    bench.note(_costliest(history.stage.statements))


@benchmark("push_unchanged", "Push of nothing: every load is in the ledger")
def push_unchanged(bench: Bench) -> None:
    """The naive merge has the same rows and finds nothing new either."""
    rows = bench.size("events of history", 5_000_000, least=200_000)
    history = _history(bench, KINDS["events"], rows)
    naive = _naive(bench.folder / "unchanged.duckdb", history)
    naive.merge()
    sides = bench.turns(
        {"push": Turn(history.stage.push, None), "naive merge": Turn(naive.merge, None, rows)}
    )
    push, merge = sides.values()
    bench.at_most("unchanged re-push, CPU against the naive merge", push.cpu / merge.cpu, 1 / 100)
    bench.at_most("unchanged re-push, CPU of the push stage", push.cpu, 0.2, "s")
    bench.figure("the same with dbt's own start, its parse left out", history.stage.whole.cpu, "s")


@benchmark("push_new_rows", "Push of 10,000 new events onto histories of several sizes")
def push_new_rows(bench: Bench) -> None:
    """Each turn lands one day more. The naive merge is given only the new load."""
    histories = _histories(bench, KINDS["events"], HISTORIES)
    turns: dict[str, Turn] = {}
    for rows, history in histories.items():
        turns[f"push onto {rows:,}"] = Turn(
            history.stage.push, partial(history.land, PER_DAY), PER_DAY
        )
        if rows <= NAIVE_MOST:
            naive = _naive(bench.folder / f"new_{rows}.duckdb", history)
            naive.merge()
            turns[f"naive merge onto {rows:,}"] = Turn(naive.merge_newest, None, PER_DAY)
    sides = bench.turns(turns)
    least, most = min(histories), max(histories)
    bench.at_most(
        f"push of {PER_DAY:,} new rows, CPU: {most:,} against {least:,} rows of history",
        sides[f"push onto {most:,}"].cpu / sides[f"push onto {least:,}"].cpu,
        1.5,
    )
    compared = max(rows for rows in histories if rows <= NAIVE_MOST)
    bench.figure(
        f"push against the naive merge, {compared:,} rows of history",
        sides[f"push onto {compared:,}"].cpu / sides[f"naive merge onto {compared:,}"].cpu,
    )
    bench.note(_costliest(histories[most].stage.statements))


@benchmark(
    "push_new_keys", "Push of 10,000 new orders, whose history no scope bounds", in_quick=False
)
def push_new_keys(bench: Bench) -> None:
    """Orders have a key and come as changes: any of them may be anywhere in the history."""
    histories = _histories(bench, KINDS["orders"], HISTORIES[:3])
    sides = bench.turns(
        {
            f"push onto {rows:,}": Turn(history.stage.push, partial(history.land, PER_DAY), PER_DAY)
            for rows, history in histories.items()
        }
    )
    least, most = min(histories), max(histories)
    bench.at_most(
        f"push of {PER_DAY:,} new orders, CPU: {most:,} against {least:,} rows of history",
        sides[f"push onto {most:,}"].cpu / sides[f"push onto {least:,}"].cpu,
        1.5,
    )
    bench.note(_costliest(histories[most].stage.statements))


@benchmark("push_restated", "Push of five days fetched again, one row of a hundred changed")
def push_restated(bench: Bench) -> None:
    """The last five days of insights come again; a row that changed is a new version."""
    histories = _histories(bench, KINDS["insights"], HISTORIES[:3])
    rows = RESTATED_DAYS * PER_DAY
    turns: dict[str, Turn] = {}
    for size, history in histories.items():
        naive = _naive(bench.folder / f"restated_{size}.duckdb", history)
        naive.merge()
        turns[f"push onto {size:,}"] = Turn(history.stage.push, partial(_restate, history), rows)
        turns[f"naive merge onto {size:,}"] = Turn(naive.merge_newest, None, rows)
    before = {size: history.master_rows() for size, history in histories.items()}
    sides = bench.turns(turns)
    for size, history in histories.items():
        grown = (history.master_rows() - before[size]) / bench.repeat
        bench.figure(f"versions added to {size:,} a turn, of {rows:,} rows", grown, "rows")
    least, most = min(histories), max(histories)
    bench.figure(
        f"CPU: {most:,} against {least:,} rows of history",
        sides[f"push onto {most:,}"].cpu / sides[f"push onto {least:,}"].cpu,
    )
    bench.figure(
        f"push against the naive merge, {most:,} rows of history",
        sides[f"push onto {most:,}"].cpu / sides[f"naive merge onto {most:,}"].cpu,
    )
    bench.note(_costliest(histories[most].stage.statements))


@benchmark(
    "push_tenants", "Push of 10,000 new events: one and 100 tenants in a master", in_quick=False
)
def push_tenants(bench: Bench) -> None:
    """The other tenants' rows are copies of the first one's, under other slugs and keys."""
    rows = bench.size("events a tenant", 50_000, least=20_000)
    others = bench.size("other tenants", 99, least=9)
    alone = new_history(bench, "alone", KINDS["events"], rows)
    crowd = new_history(bench, "crowd", KINDS["events"], rows)
    _add_tenants(crowd, others)
    sides = bench.turns(
        {
            "push, one tenant": Turn(alone.stage.push, partial(alone.land, PER_DAY), PER_DAY),
            f"push, {others + 1} tenants": Turn(
                crowd.stage.push, partial(crowd.land, PER_DAY), PER_DAY
            ),
        }
    )
    one, many = sides.values()
    bench.figure(f"CPU: {others + 1} tenants in the master against one", many.cpu / one.cpu)


def _histories(bench: Bench, kind: Kind, sizes: tuple[int, ...]) -> dict[int, History]:
    """Return the histories by their rows; at a small scale several sizes may become one."""
    least = RESTATED_DAYS * PER_DAY
    asked = [bench.size(f"rows of history {size:,}", size, least=least) for size in sizes]
    return {rows: _history(bench, kind, rows) for rows in dict.fromkeys(asked)}


def _history(bench: Bench, kind: Kind, rows: int) -> History:
    key = f"{kind.object}_{rows}"
    if key not in bench.shared:
        bench.shared[key] = new_history(bench, key, kind, rows)
    history: History = bench.shared[key]
    return history


def _naive(file: Path, history: History) -> NaiveMaster:
    naive = NaiveMaster(file, history)
    naive.create()
    return naive


def _restate(history: History) -> None:
    days = RESTATED_DAYS * PER_DAY
    history.land(days, first=history.rows - days, revision=history.deliveries)


def _plain_insert(file: Path, history: History) -> Callable[[], None]:
    """Return what appends the newest load's columns to a table as they are."""
    table = naming.landed_table(SLUG, history.kind.platform, history.kind.object)
    relation = f"landing.{SLUG}.{quoted_name(table)}"
    create_warehouse(file)

    def insert() -> None:
        load_id = history.newest_load()
        with duckdb.connect(str(file)) as connection:
            connection.execute(f"attach '{history.settings.landing}' as landing (read_only)")
            connection.execute(f"create table if not exists t as from {relation} limit 0")
            connection.execute(f"insert into t from {relation} where _dlt_load_id = ?", [load_id])

    return insert


def _add_tenants(history: History, count: int) -> None:
    """Copy the tenant's rows in master, hub and ledger to others, one after the other."""
    master = f"platform.{history.stage.master}"
    prefix = history.stage.compile("{{ key_prefix('SKEY', day_of_prefix('key_prefix')) }}")
    with connect_warehouse(history.settings) as warehouse:
        for relation in (master, "platform.hub_key_registry", "ops.platform_ops__push_ledger"):
            warehouse.execute(f"create temp table own as from {relation}")
            names = [row[0] for row in warehouse.execute("describe own").fetchall()]
            for number in range(count):
                skey = f"md5(tenant_skey || {number})"
                other = {
                    "tenant_slug": f"'other_{number}'",
                    "tenant_skey": skey,
                    "key_prefix": prefix.replace("SKEY", skey),
                }
                replaced = ", ".join(
                    f"{sql} as {name}" for name, sql in other.items() if name in names
                )
                warehouse.execute(f"insert into {relation} select * replace ({replaced}) from own")
            warehouse.execute("drop table own")
    with connect(history.settings.warehouse) as warehouse:
        warehouse.execute("checkpoint")


def _costliest(statements: list[Statement]) -> str:
    """Say which statements of a push took the most CPU."""
    total = sum(s.reading.cpu for s in statements)
    ordered = sorted(statements, key=lambda s: -s.reading.cpu)[:TOLD_STATEMENTS]
    told = "; ".join(f"{_subject(s.sql)} {_share(s.reading, total):.0%}" for s in ordered)
    return f"of the last push's statements ({total:.2f} CPU-s): {told}"


def _share(reading: Reading, total: float) -> float:
    return reading.cpu / total if total else 0.0


def _subject(sql: str) -> str:
    """Return how a statement begins, up to what it works on."""
    words = sql.replace('"', "").split()
    head = " ".join(words[:7]) if words[0] == "create" else " ".join(words[:3])
    source = next((w for w in reversed(words) if "martlet_" in w), "")
    return f"{head} ({source})" if source else head
