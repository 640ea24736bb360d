"""The same deliveries make the same records, facts and accounts on a lake as in a file."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from martlet.engines.duckdb_engine import connect
from martlet.engines.targets import engine_of
from martlet.marts.folders import mart_folder
from tests.conftest import Variables
from tests.project import Project, new_project
from tests.warehouse.changes import changes, history, tenants
from tests.warehouse.test_fact_refresh import differences, land

SEED = 7
TENANT = "ada"
PLATFORMS = ("tiktok_ads", "shopify", "google_analytics")
FACTS = ("ad_performance", "orders", "sessions")
MOMENTS = ("loaded_at", "load_id", "pushed_at", "first_seen_at")  # each landing's and push's own


@pytest.fixture(scope="module")
def projects(
    tmp_path_factory: pytest.TempPathFactory, new_lake: Callable[[], Variables]
) -> dict[str, Project]:
    """Return a project of each target, after two runs: the second has only some news."""
    built = {}
    for target, variables in {"duckdb": {}, "ducklake": new_lake()}.items():
        project = new_project(tmp_path_factory.mktemp(target) / "project", variables)
        stanza = tenants()[TENANT]
        stanza["sources"] = {name: stanza["sources"][name] for name in PLATFORMS}
        project.configure({TENANT: stanza})
        dice = random.Random(SEED)
        for deliveries in (history(dice), changes(dice, 0)):
            for delivery in deliveries:
                if (
                    delivery.tenant == TENANT
                    and delivery.platform in PLATFORMS
                    and delivery.records
                ):
                    land(project, delivery)
            project.run()
        built[target] = project
    return built


def rows(project: Project, table: str) -> list[dict[str, Any]]:
    found = project.query(f"select * from {table}")
    kept = [{n: v for n, v in row.items() if n not in MOMENTS} for row in found]
    return sorted(kept, key=str)


def tables(project: Project, condition: str) -> list[str]:
    return [
        row["name"]
        for row in project.query(
            "select schema_name || '.' || table_name as name from duckdb_tables() "
            f"where database_name = current_database() and {condition} order by 1"
        )
    ]


def both(projects: dict[str, Project], table: str) -> tuple[Any, Any]:
    return rows(projects["duckdb"], table), rows(projects["ducklake"], table)


def test_the_masters_hold_the_same_versions(projects: dict[str, Project]) -> None:
    masters = tables(projects["duckdb"], "table_name like 'platform_mm__%'")

    assert masters == tables(projects["ducklake"], "table_name like 'platform_mm__%'")
    assert sum(bool(rows(projects["duckdb"], master)) for master in masters) >= 3
    for master in masters:
        in_file, in_lake = both(projects, master)
        assert in_lake == in_file, master


def test_the_facts_are_the_same(projects: dict[str, Project]) -> None:
    for fact in FACTS:
        in_file, in_lake = both(projects, f"analytics.fct_{TENANT}__{fact}")
        assert in_file
        assert in_lake == in_file, fact


def test_the_facts_are_what_their_queries_say(projects: dict[str, Project]) -> None:
    wrong = {fact: differences(projects["ducklake"], TENANT, fact) for fact in FACTS}

    assert not any(wrong.values())


def test_the_accounts_are_the_same(projects: dict[str, Project]) -> None:
    in_file, in_lake = both(projects, "ops.platform_ops__push_ledger")

    assert len(in_file) >= 9
    assert in_lake == in_file


def test_the_same_is_rebuilt_in_parts(projects: dict[str, Project]) -> None:
    query = (
        "select fact, refresh_number, rebuilt_because, parts from ops.platform_ops__fact_refreshes"
    )
    in_file, in_lake = (sorted(project.query(query), key=str) for project in projects.values())

    assert any(row["parts"] for row in in_file)
    assert in_lake == in_file


def test_the_audit_finds_the_same(projects: dict[str, Project]) -> None:
    in_file, in_lake = (
        project.martlet("audit", "--json").document["tenants"][0] for project in projects.values()
    )

    assert in_file["rows"] > 100
    for part in ("loads", "pending", "rows", "versions", "broken", "totals", "skipped"):
        assert in_lake[part] == in_file[part], part


def test_what_is_published_is_the_same(projects: dict[str, Project]) -> None:
    in_file, in_lake = (
        {fact: sorted(map(str, published(project, f"fct_{TENANT}__{fact}"))) for fact in FACTS}
        for project in projects.values()
    )

    assert all(in_file.values())
    assert in_lake == in_file


def published(project: Project, table: str) -> list[tuple[Any, ...]]:
    folder = mart_folder(project.settings, TENANT)
    version = folder.current()
    assert version is not None
    with connect(folder.path_of(version), read_only=True) as mart:
        return mart.execute(f"select * from {table}").fetchall()


def test_a_run_without_news_builds_nothing(projects: dict[str, Project]) -> None:
    assert projects["ducklake"].run()["unchanged"] == [TENANT]


def test_no_secret_is_kept_or_told(projects: dict[str, Project]) -> None:
    from bench.servers.postgres import PASSWORD

    project = projects["ducklake"]
    told = project.martlet("status", "--json")
    texts = [told.stdout, told.stderr] + [
        path.read_text(errors="ignore")
        for path in project.folder.rglob("*")
        if path.is_file() and path.suffix in ("", ".json", ".sql", ".yml", ".log", ".yaml")
    ]

    assert not any(PASSWORD in text for text in texts)


def views_made(project: Project) -> list[str]:
    """Return each view as often as a commit has made it."""
    made = project.query(
        "select changes['views_created'] as made from ducklake_snapshots('warehouse')"
    )
    return sorted(name for row in made for name in row["made"] or [])


def test_a_view_whose_text_is_what_it_was_is_made_once(projects: dict[str, Project]) -> None:
    """Two runs were made: each change of a view is a commit that all machines meet."""
    made = views_made(projects["ducklake"])

    assert len(made) > 15
    assert len(made) == len({*made})


def test_a_view_that_somebody_replaced_is_made_again_and_no_other(
    projects: dict[str, Project],
) -> None:
    project, view = projects["ducklake"], f"intermediate.int_{TENANT}__shopify_orders"
    before, rows_before = views_made(project), rows(project, view)
    with engine_of(project.settings).open_warehouse() as warehouse:
        warehouse.execute(f"create or replace view {view} as select 1 as wrong")

    project.run("--full")

    made = views_made(project)
    assert rows(project, view) == rows_before
    assert sorted({*made}) == before
    assert len(made) == len(before) + 2  # by hand, and by the run
