"""Tenants that fetch 30 days again, of which few rows have changed: what that costs and leaves."""

from functools import partial

from harness import Bench, Side, Turn, benchmark
from refetching import CHANGED_PERCENT, CursorModel, DltMerge, Fleet, new_fleet

HISTORY_DAYS, AGAIN_DAYS = 60, 30
LIMIT = 1 / 5
SAMPLE = 10
# All 200 would take a quarter of an hour; what is told is per tenant, or a ratio of sums.
MOST_TENANTS = 50


@benchmark("refetch", "200 tenants fetch 30 days again, 5 of 100 rows changed", in_quick=False)
def refetch(bench: Bench) -> None:
    """Each turn lands the same days with other changes, then every side takes them in."""
    tenants = bench.size("tenants", 200, least=3, most=MOST_TENANTS)
    ads = bench.size("ads a tenant", 100, least=20, most=100)
    sample = min(SAMPLE, tenants)
    bench.data |= {"days of history": HISTORY_DAYS, "days fetched again": AGAIN_DAYS}
    bench.data["tenants that dlt merges"] = sample
    fleet = new_fleet(bench, tenants, ads, HISTORY_DAYS)
    one = CursorModel(bench.folder / "one", fleet, is_one=True)
    each = CursorModel(bench.folder / "each", fleet, is_one=False)
    versions = CursorModel(bench.folder / "versions", fleet, is_one=True, is_append=True)
    merge = DltMerge(bench.folder / "dlt", fleet.slugs[:sample])
    for model in (one, each, versions):
        model.run()
    merge.load(fleet.newest)
    keepers: dict[str, Fleet | CursorModel | DltMerge] = {
        "push": fleet,
        "one": one,
        "each": each,
        "versions": versions,
        "dlt": merge,
    }
    before = {name: (_rows(side), side.bytes()) for name, side in keepers.items()}
    fleet.landing.clear()
    rows = tenants * ads * AGAIN_DAYS
    sides = bench.turns(
        {
            "push, all tenants": Turn(fleet.push, partial(_land_again, fleet), rows),
            "dbt, one model over all tenants": Turn(one.run, None, rows),
            "dbt, a model a tenant": Turn(each.run, None, rows),
            "dbt, one model that keeps versions": Turn(versions.run, None, rows),
            "push of nothing new, all tenants": Turn(fleet.push),
            "dbt with nothing new, a model a tenant": Turn(each.run),
            "dlt merge, a pipeline a tenant": Turn(
                lambda: merge.load(fleet.newest), None, sample * ads * AGAIN_DAYS
            ),
        }
    )
    _same_results(fleet, one, each, merge)
    grown = {
        name: tuple(
            (now - then) / bench.repeat
            for now, then in zip((_rows(side), side.bytes()), before[name], strict=True)
        )
        for name, side in keepers.items()
    }
    _tell_costs(bench, list(sides.values()), fleet, tenants, sample)
    _tell_growth(bench, grown, tenants, sample, rows)
    bench.note(
        "The sides' newest rows are the same, compared by their sum after the last turn. Ours "
        "and dbt's leave the parse out. The dbt models replace a record's row by its newest "
        "(unique_key, delete and insert) or keep all that is fetched (append): the first is what "
        "most people do, the second keeps a history, as the master does. The cursor is the moment "
        "of extraction, as the source states no change."
    )
    bench.note(
        "The other tenants' landed rows are copies of the first one's, whose landing alone went "
        f"through the product; dlt merges {sample} tenants, and is compared per tenant. What one "
        "model over all tenants saves is a model's own overhead, of dbt and of the statements "
        "of a push, which each tenant has by itself so that its failure is its own."
    )


def _land_again(fleet: Fleet) -> None:
    fleet.land(HISTORY_DAYS - AGAIN_DAYS, AGAIN_DAYS)


def _rows(side: Fleet | CursorModel | DltMerge) -> int:
    return side.master_rows() if isinstance(side, Fleet) else side.rows()


def _same_results(fleet: Fleet, one: CursorModel, each: CursorModel, merge: DltMerge) -> None:
    spent = fleet.spend()
    a_tenant = spent / len(fleet.slugs)
    for name, told, wanted in (
        ("one model", one.spend(), spent),
        ("a model a tenant", each.spend(), spent),
        ("dlt", merge.spend(), a_tenant),
    ):
        if abs(told - wanted) > 0.005:
            raise SystemExit(f"{name} has spent {told}, not {wanted}")


def _tell_costs(bench: Bench, sides: list[Side], fleet: Fleet, tenants: int, sample: int) -> None:
    push, one, each, _, push_idle, each_idle, merge = (side.cpu for side in sides)
    landings = sorted(reading.cpu for reading in fleet.landing)
    landing = landings[len(landings) // 2]
    what = f"{tenants} tenants fetch {AGAIN_DAYS} days again"
    bench.at_most(f"{what}, CPU in all: push against one dbt model over all", push / one, LIMIT)
    bench.at_most(f"{what}, CPU in all: push against a dbt model a tenant", push / each, LIMIT)
    bench.at_most(
        f"{what}, CPU a tenant: landing and push against dlt's merge",
        (landing + push / tenants) / (merge / sample),
        LIMIT,
    )
    bench.figure(
        "the same against a dbt model a tenant, each less its cost with nothing new",
        (push - push_idle) / (each - each_idle),
    )
    bench.figure("push, CPU a tenant", push / tenants * 1e3, "ms")
    bench.figure("of which with nothing new", push_idle / tenants * 1e3, "ms")
    bench.figure("landing, CPU a tenant", landing * 1e3, "ms")
    bench.figure("dbt model a tenant, CPU a tenant", each / tenants * 1e3, "ms")
    bench.figure("dlt's merge, CPU a tenant", merge / sample * 1e3, "ms")


def _tell_growth(
    bench: Bench,
    grown: dict[str, tuple[float, ...]],
    tenants: int,
    sample: int,
    rows: int,
) -> None:
    ours, stored = grown["push"]
    bench.figure("rows fetched again, of all tenants", rows, "rows")
    bench.figure(f"growth of the master, {CHANGED_PERCENT} of 100 rows changed", ours, "rows")
    bench.at_most(
        "growth of the master, rows: against the rows that a dbt model or dlt's merge writes",
        ours / rows,
        LIMIT,
    )
    bench.at_most(
        "growth of the master, rows: against a dbt model that keeps versions",
        ours / grown["versions"][0],
        LIMIT,
    )
    bench.figure("growth of our file, a turn", stored, "bytes")
    for name, what in (
        ("one", "one dbt model's file"),
        ("each", "the dbt models' file, one a tenant"),
        ("versions", "the file of the dbt model that keeps versions"),
    ):
        bench.figure(f"growth of {what}, a turn", grown[name][1], "bytes")
    bench.figure("growth of dlt's file, a tenant and turn", grown["dlt"][1] / sample, "bytes")
    bench.figure("growth of our file, a tenant and turn", stored / tenants, "bytes")
    bench.at_most(
        "growth of the master, bytes: against a dbt model that keeps versions",
        stored / grown["versions"][1] if grown["versions"][1] > 0 else 0.0,
        LIMIT,
    )
