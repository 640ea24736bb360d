"""What every connector delivers makes the same records, facts and fingerprints in both targets.

It builds all connectors twice, so that it is no part of `make test` but of `make test-lake`.
"""

from datetime import date
from typing import Any

import pytest

from martlet.landing.command import land_simulated
from tests.connectors.test_round_trip import TENANTS, UNTIL
from tests.lake.test_same_facts import rows, tables
from tests.project import TARGET, Project, new_project

pytestmark = pytest.mark.skipif(TARGET != "ducklake", reason="runs with make test-lake")

SMALL = {"campaigns": 1, "orders_per_day": 2, "sessions_per_day": 3, "products": 2}
MASTERS = "table_name like 'platform_mm__%'"
STARS = "schema_name = 'analytics'"
SHAPES = "platform.platform_sat__source_schema_history"
SHAPE_COLUMNS = ("source_schema_hash", "schema_family_hash", "columns", "verdict")


def small_tenants() -> dict[str, dict[str, Any]]:
    """Return the round trip's tenants, each connector in one of them, with little to generate."""
    kept: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    for slug, stanza in TENANTS.items():
        sources = {
            name: {**source, "generation": SMALL}
            for name, source in stanza["sources"].items()
            if name not in seen
        }
        seen |= sources.keys()
        kept[slug] = {**stanza, "sources": sources}
    return kept


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """Return a project of each target with all connectors, built once."""
    built = {}
    for target in ("duckdb", "ducklake"):
        folder = tmp_path_factory.mktemp(target) / "project"
        project = new_project(folder, {"MARTLET_TARGET": target})
        project.configure(small_tenants())
        for slug, until in UNTIL.items():
            land_simulated(project.settings, slug, days=2, until=date.fromisoformat(until), seed=11)
        project.run("--strict")
        built[target] = project
    return built


def differing(projects: dict[str, Project], condition: str) -> tuple[int, list[str]]:
    """Return how many tables of a condition hold rows in the file, and which differ in the lake."""
    in_file, in_lake = projects["duckdb"], projects["ducklake"]
    names = tables(in_file, condition)
    assert tables(in_lake, condition) == names
    contents = {name: rows(in_file, name) for name in names}
    return (
        sum(bool(found) for found in contents.values()),
        [name for name, found in contents.items() if rows(in_lake, name) != found],
    )


def test_the_masters_of_all_connectors_hold_the_same_versions(
    projects: dict[str, Project],
) -> None:
    filled, wrong = differing(projects, MASTERS)

    assert filled >= 30
    assert wrong == []


def test_the_facts_of_all_tenants_are_the_same(projects: dict[str, Project]) -> None:
    filled, wrong = differing(projects, STARS)

    assert filled == 8  # all four of the first, who has the ads; orders and sessions of the others
    assert wrong == []


def test_every_landed_table_has_the_same_fingerprint(projects: dict[str, Project]) -> None:
    asked = f"select landed_table, {', '.join(SHAPE_COLUMNS)} from {SHAPES} order by all"
    in_file, in_lake = (project.query(asked) for project in projects.values())
    (connectors,) = projects["duckdb"].query(
        f"select count(distinct source_platform) as known from {SHAPES}"
    )

    assert connectors["known"] == 13
    assert in_lake == in_file
