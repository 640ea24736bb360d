"""dbt alone, after `martlet land` and `martlet onboard`: the push is in the models' own hooks."""

from dataclasses import dataclass

import pytest

from tests.project import Project, Result, new_project
from tests.warehouse.bare_dbt import dbt
from tests.warehouse.state import Contents, accounted, facts, ledger, masters, tenant
from tests.warehouse.test_promises import LAND, SOURCES


@dataclass(frozen=True)
class Built:
    """A project that only dbt has built, and what it held after the first run."""

    project: Project
    landed: int
    first: Result
    masters: Contents
    facts: Contents


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    project = new_project(tmp_path_factory.mktemp("bare") / "project")
    project.configure({"acme": tenant(SOURCES)})
    landed = sum(table["accepted"] for table in project.martlet(*LAND).document["tables"])
    project.martlet("onboard")
    first = dbt(project, "run")
    assert first.code == 0, first.stdout + first.stderr
    return Built(project, landed, first, masters(project), facts(project, "acme"))


def test_the_first_bare_run_pushes_every_row_and_fills_every_fact(built: Built) -> None:
    sums = ledger(built.project, "acme")

    assert sums["landed"] == sums["pushed"] == accounted(sums) == built.landed > 0
    assert len(built.facts) == 4
    assert all(rows > 0 for rows, _ in built.facts.values())


def test_bare_dbt_has_the_memory_that_is_stated(built: Built) -> None:
    asked = "select current_setting('memory_limit') as memory"

    shown = dbt(built.project, "show", "--inline", asked, MARTLET_MEMORY="900MB")

    assert "858.3 MiB" in shown.stdout, shown.stdout


@pytest.mark.files_only("every column of a lake's files is compressed, as its catalogue says")
def test_the_payload_is_stored_with_zstd(built: Built) -> None:
    with built.project.open_warehouse() as warehouse:
        warehouse.execute("force checkpoint")
        stored = warehouse.execute(
            "select distinct compression from "
            "pragma_storage_info('platform.platform_mm__shopify_api_v1_orders') "
            "where column_name = 'raw_data_payload' and segment_type != 'VALIDITY'"
        ).fetchall()

    assert stored == [("ZSTD",)]


def test_a_full_refresh_leaves_the_masters_as_they_are(built: Built) -> None:
    before = ledger(built.project, "acme")

    refreshed = dbt(built.project, "run", "--full-refresh", tenant="acme")

    assert refreshed.code == 0, refreshed.stdout
    assert masters(built.project) == built.masters
    assert facts(built.project, "acme") == built.facts
    assert ledger(built.project, "acme") == before


def test_a_run_of_martlet_finds_everything_pushed(built: Built) -> None:
    report = built.project.run()

    assert [table["pushed"] for table in report["tables"]] == [0] * len(report["tables"])
    assert masters(built.project) == built.masters
    assert facts(built.project, "acme") == built.facts


def test_a_bare_run_on_another_configuration_stops_with_the_command_to_run(built: Built) -> None:
    built.project.configure({"acme": tenant(SOURCES, reporting_timezone="Asia/Tokyo")})

    stopped = dbt(built.project, "run")

    assert stopped.code != 0
    assert "python scripts/onboard_tenant.py acme" in stopped.stdout
    assert masters(built.project) == built.masters
    assert facts(built.project, "acme") == built.facts
    assert built.project.martlet("onboard", "acme").code == 0
    assert dbt(built.project, "run", "--select", "fct_acme__orders").code == 0
