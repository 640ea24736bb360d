"""A fact whose touched parts were rebuilt is the fact that a full rebuild makes."""

import json
import random
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from martlet.landing.command import land_file
from tests.project import REPOSITORY, Project, new_project
from tests.warehouse.bare_dbt import dbt
from tests.warehouse.changes import Delivery, changes, history, tenants
from tests.warehouse.state import tenant

SEED = 61
ROUNDS = 4
FACTS = {
    "ada": ("ad_performance", "orders", "sessions"),
    "bea": ("sessions",),
    "cleo": ("sessions",),
}
_PLATFORMS = r"(\w+?_ads|\w+?_analytics|shopify|bigcommerce|woocommerce|amplitude|mixpanel)"
VIEW = re.compile(rf"'__{_PLATFORMS}_(\w+)'\)")
REFRESHES = (
    "select fact, refresh_number, rebuilt_because, parts from ops.platform_ops__fact_refreshes "
    "order by fact, refresh_number"
)


def land(project: Project, delivery: Delivery) -> None:
    file = project.folder / "delivery.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in delivery.records))
    start, end = delivery.scope or (None, None)
    land_file(
        project.settings,
        delivery.tenant,
        delivery.platform,
        delivery.object,
        file,
        connection=delivery.connection,
        mode=delivery.mode,  # type: ignore[arg-type]
        extracted_at=delivery.extracted_at,
        scope_start=start,
        scope_end=end,
    )


def differences(project: Project, tenant: str, fact: str) -> list[dict[str, Any]]:
    """Return the rows that the fact has and its own query does not, and the other way round."""
    name = f"fct_{tenant}__{fact}"
    target = project.folder / "data" / "target" / tenant
    (compiled,) = target.glob(f"compiled/*/models/analytics/{tenant}/{name}.sql")
    query = compiled.read_text()
    return [
        {"side": side, **row}
        for side, rows in {
            "missing": f"select * from ({query}) except all select * from analytics.{name}",
            "wrong": f"select * from analytics.{name} except all select * from ({query})",
        }.items()
        for row in project.query(rows)
    ]


@dataclass(frozen=True)
class Round:
    """What a run after some deliveries left."""

    differences: dict[str, list[dict[str, Any]]]
    rows: dict[str, int]


def run(project: Project) -> Round:
    project.run()
    names = [(tenant, fact) for tenant, facts in FACTS.items() for fact in facts]
    return Round(
        {f"{t} {f}": differences(project, t, f) for t, f in names},
        {
            f"{t} {f}": project.value(f"select count(*) from analytics.fct_{t}__{f}")
            for t, f in names
        },
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("refresh") / "project")
    project.configure(tenants())
    return project


@pytest.fixture(scope="module")
def rounds(project: Project) -> list[Round]:
    dice = random.Random(SEED)
    for delivery in history(dice):
        land(project, delivery)
    found = [run(project)]
    for number in range(ROUNDS):
        for delivery in changes(dice, number):
            if delivery.records:
                land(project, delivery)
        found.append(run(project))
    return found


@pytest.mark.parametrize("number", range(ROUNDS + 1))
def test_the_facts_are_what_their_queries_say(rounds: list[Round], number: int) -> None:
    wrong = {fact: rows[:3] for fact, rows in rounds[number].differences.items() if rows}

    assert wrong == {}, f"seed {SEED}"
    assert all(rounds[number].rows.values())


def test_parts_of_every_fact_were_rebuilt_and_no_more(
    rounds: list[Round], project: Project
) -> None:
    refreshes = project.query(REFRESHES)
    why = Counter(row["rebuilt_because"] for row in refreshes)

    assert len(rounds) == ROUNDS + 1
    assert set(why) == {None, "first build"}, f"seed {SEED}"
    assert why["first build"] == 9  # with the facts of domains that a tenant has no source of
    partial = Counter(row["fact"] for row in refreshes if row["parts"])
    assert min(partial.values()) >= 2, f"seed {SEED}"
    assert len(partial) == 5


def test_the_histories_hold_what_they_are_to_prove(rounds: list[Round], project: Project) -> None:
    """Restated and deleted records, switched grains, purchases and sessions over several loads."""
    rows = project.query(
        "select rows_tombstoned > 0 as deletes, rows_known > 0 as known from "
        "ops.platform_ops__push_ledger"
    )
    several = project.value(
        "select count(*) from (select link from refresh.fct_ada__sessions__records "
        "where link is not null group by connection, link having count(distinct part) > 1)"
    )
    grains = project.query(
        "select distinct grain from analytics.fct_ada__ad_performance "
        "where source_platform = 'google_ads'"
    )

    assert rounds
    assert sum(row["deletes"] for row in rows) >= 3
    assert several > 10
    assert {row["grain"] for row in grains} == {"ad", "campaign"}


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """A project with one order, built once."""
    project = new_project(tmp_path / "project")
    stanza = {"shopify": {"objects": ["orders"], "connections": {"main": {}}}}
    project.configure({"shop": tenant(stanza)})
    land_orders(project, {1: "10.00", 2: "20.00", 3: "30.00"})
    project.run()
    return project


def land_orders(project: Project, totals: dict[int, str]) -> None:
    records = [
        {"id": number, "created_at": "2024-03-01T12:00:00Z", "total_price": total}
        for number, total in totals.items()
    ]
    project.land_records("shop", "shopify", "orders", records)


def change(project: Project, sql: str) -> None:
    with project.open_warehouse() as connection:
        connection.execute(sql)


def newest(project: Project) -> dict[str, Any]:
    """Return what the last refresh of the orders did."""
    (row,) = project.query(
        "select refresh_number, rebuilt_because, parts from ops.platform_ops__fact_refreshes "
        "where fact = 'fct_shop__orders' order by refresh_number desc limit 1"
    )
    return row


def totals(project: Project) -> dict[str, str]:
    rows = project.query("select order_id, total_price from analytics.fct_shop__orders")
    return {row["order_id"]: f"{row['total_price']:.2f}" for row in rows}


def test_what_would_change_rows_without_a_load_rebuilds_the_whole_fact(shop: Project) -> None:
    assert newest(shop) == {"refresh_number": 1, "rebuilt_because": "first build", "parts": None}

    shop.run()
    assert newest(shop)["refresh_number"] == 1, "nothing new was recorded"

    land_orders(shop, {2: "21.00"})
    shop.run()
    assert newest(shop) == {"refresh_number": 2, "rebuilt_because": None, "parts": 1}
    assert totals(shop) == {"1": "10.00", "2": "21.00", "3": "30.00"}

    settings = yaml.safe_load((shop.folder / "tenants.yaml").read_text())["tenants"]
    settings["shop"]["reporting_timezone"] = "Asia/Tokyo"
    shop.configure(settings)
    land_orders(shop, {3: "31.00"})
    shop.run()
    assert newest(shop)["rebuilt_because"] == "definition changed"
    assert totals(shop)["3"] == "31.00"

    change(shop, "delete from analytics.fct_shop__orders where order_id = '1'")
    land_orders(shop, {2: "22.00"})
    shop.run()
    assert newest(shop)["rebuilt_because"] == "not as it was left"
    assert totals(shop) == {"1": "10.00", "2": "22.00", "3": "31.00"}


def test_a_clock_that_goes_back_and_a_lost_index_cost_a_rebuild_and_no_row(shop: Project) -> None:
    change(shop, "update ops.platform_ops__push_ledger set pushed_at = '2100-01-01'")
    change(shop, "update ops.platform_ops__fact_refreshes set ledger_pushed_at = '2100-01-01'")
    land_orders(shop, {1: "11.00"})
    shop.run()
    assert newest(shop)["rebuilt_because"] == "not as it was left"
    assert totals(shop)["1"] == "11.00"

    change(shop, "drop table refresh.fct_shop__orders__records")
    land_orders(shop, {2: "22.00"})
    shop.run()
    assert newest(shop)["rebuilt_because"] == "not as it was left"
    assert totals(shop) == {"1": "11.00", "2": "22.00", "3": "30.00"}


def test_a_full_refresh_is_one_flag_away_and_gives_the_same_rows(shop: Project) -> None:
    land_orders(shop, {2: "21.00"})
    shop.run()
    change(shop, "update analytics.fct_shop__orders set total_price = 99 where order_id = '1'")

    for number, flag in ((3, ["--full-refresh"]), (4, ["--vars", "full: true"])):
        done = dbt(shop, "run", "--select", "fct_shop__orders", *flag, tenant="shop")

        assert done.code == 0, done.stdout
        assert newest(shop) == {
            "refresh_number": number,
            "rebuilt_because": "asked for",
            "parts": None,
        }
        assert totals(shop) == {"1": "10.00", "2": "21.00", "3": "30.00"}


def test_a_refresh_that_fails_leaves_fact_and_record_as_they_were(shop: Project) -> None:
    before = newest(shop)
    change(shop, "create table refresh.aside as from refresh.fct_shop__orders__records")
    change(shop, "alter table analytics.fct_shop__orders drop column is_test")
    land_orders(shop, {2: "21.00"})

    shop.run(check=False)

    assert newest(shop) == before
    assert totals(shop)["2"] == "20.00"
    assert shop.query("from refresh.fct_shop__orders__records") == shop.query("from refresh.aside")


def test_a_run_as_of_a_moment_leaves_no_trace_of_a_refresh(shop: Project) -> None:
    before = newest(shop)
    moment = shop.value("select cast(current_timestamp at time zone 'UTC' as timestamp(0))")
    land_orders(shop, {2: "21.00"})
    shop.run()
    shop.run("--as-of", f"{moment:%Y-%m-%d %H:%M:%S}")

    assert newest(shop)["refresh_number"] == before["refresh_number"] + 1
    assert totals(shop)["2"] == "21.00"


def test_every_view_that_a_fact_reads_has_parts_or_is_a_lookup() -> None:
    """An object that fact_parts forgot costs a full rebuild each time; it must not go unnoticed."""
    engines = REPOSITORY / "macros" / "engines"
    parts = (engines / "fact_parts.sql").read_text()
    read = {
        (platform, object_)
        for path in engines.rglob("*.sql")
        if not path.stem.endswith("_campaigns")
        for platform, object_ in VIEW.findall(path.read_text().split("{% macro campaigns_")[0])
    }

    assert len(read) >= 10
    for platform, object_ in read:
        assert f"'{platform}'" in parts, platform
        assert f"'{object_}'" in parts, object_
