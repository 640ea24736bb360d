"""A run costs what changed: a tenant without news is told of, and nothing of it is written."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.pipeline.inputs import PUBLISH, REBUILD, SNAPSHOT
from martlet.pipeline.news import News, Watch
from tests.project import Project, new_project
from tests.warehouse import state

INPUTS = (*REBUILD, *PUBLISH, *SNAPSHOT)
SLUGS = ("north", "south")
DAY = {"customer": {"id": "1"}, "campaign": {"id": "2"}, "adGroup": {"id": "3"}}


def _row(day: int, spend: int = 1) -> dict[str, Any]:
    return {
        **DAY,
        "adGroupAd": {"ad": {"id": "4"}},
        "metrics": {"costMicros": str(spend * 1_000_000), "impressions": "1", "clicks": "1"},
        "segments": {"date": f"2026-05-{day:02}", "device": "MOBILE"},
    }


SOURCES = {"google_ads": {"objects": ["ad_performance", "campaigns"]}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = new_project(tmp_path / "project")
    project.configure({"north": state.tenant(SOURCES), "south": state.tenant(SOURCES)})
    for slug in SLUGS:
        project.land_records(slug, "google_ads", "ad_performance", [_row(1), _row(2)])
    project.run()
    return project


def _invocations(project: Project, tenant: str) -> int:
    return int(project.value("select count(*) from ops.invocations where tenant_slug = ?", tenant))


def _news(project: Project) -> dict[str, News]:
    settings = project.settings
    tenants = load_tenants(settings.tenants_file, load_catalogue(settings.catalogue_file))
    with project.open_warehouse() as warehouse:
        return Watch(settings, tenants, wait_seconds=30).look(warehouse, tenants.active())


def _published(project: Project) -> dict[str, bytes]:
    data = project.folder / "data"
    return {**state.files(data / "marts"), **state.files(data / "ops")}


def test_a_run_without_news_tells_what_holds_and_writes_nothing(project: Project) -> None:
    before = _published(project), state.masters(project), _invocations(project, "north")
    first = project.run("--full")
    built = _invocations(project, "north")

    again = project.run()

    assert built == before[2] + 1
    assert again["unchanged"] == ["north", "south"]
    assert _invocations(project, "north") == built
    assert state.masters(project) == before[1]
    assert again["tables"] == first["tables"]
    assert again["facts"] == first["facts"]
    assert again["findings"] == first["findings"] != []  # the campaigns never landed
    assert again["marts"] == [{**mart, "is_new": False} for mart in first["marts"]]
    files = _published(project)
    project.run()
    assert _published(project) == files


def test_only_the_tenant_with_a_new_load_is_built(project: Project) -> None:
    built = {slug: _invocations(project, slug) for slug in SLUGS}
    snapshot = state.files(project.folder / "data" / "ops" / "south")
    project.land_records("north", "google_ads", "ad_performance", [_row(3, spend=7)])

    told = project.run()

    assert told["unchanged"] == ["south"]
    assert _invocations(project, "north") == built["north"] + 1
    assert _invocations(project, "south") == built["south"]
    assert state.files(project.folder / "data" / "ops" / "south") == snapshot
    assert project.run()["unchanged"] == ["north", "south"]
    assert project.value("select sum(spend) from analytics.fct_north__ad_performance") == 9


def _edit_model(project: Project) -> None:
    (file,) = (project.folder / "models/intermediate/north/google_ads").glob("*campaigns.sql")
    file.write_text(file.read_text() + "\n")


def _approve(project: Project) -> None:
    with project.open_warehouse() as warehouse:
        warehouse.execute(
            "insert into platform.registry_decisions select 'north', 't', 'google_ads', 'ads', "
            "'0', 'rejected', null, 'a test', 'me', now()"
        )


def _drop_fact(project: Project) -> None:
    with project.open_warehouse() as warehouse:
        warehouse.execute("drop table analytics.fct_north__orders")


def _lose_ledger_rows(project: Project) -> None:
    with project.open_warehouse() as warehouse:
        warehouse.execute("delete from ops.platform_ops__push_ledger where tenant_slug = 'north'")


def _lose_mart(project: Project) -> None:
    (project.folder / "data" / "marts" / "north" / "current").unlink()


def _lose_snapshot(project: Project) -> None:
    (project.folder / "data" / "ops" / "north" / "current").unlink()


def _discard(project: Project) -> None:
    with project.open_warehouse() as warehouse:
        warehouse.execute(
            "insert into ops.platform_ops__quarantine_decisions by name select "
            "'0' as quarantine_id, 'north' as tenant_slug, 'discarded' as decision, "
            "now() as decided_at"
        )


def _new_column(project: Project) -> None:
    with project.open_landing() as landing:
        landing.execute(
            "alter table north.north_google_ads__ad_performance add column extra varchar"
        )


def _own_logic(project: Project) -> None:
    tables = {"ad_performance": {"target_cpa": 3}}
    own = {"google_ads": {**SOURCES["google_ads"], "tables": tables}}
    project.configure({"north": state.tenant(own), "south": state.tenant(SOURCES)})


CHANGES: dict[Callable[[Project], None], str] = {
    _edit_model: "files",
    _approve: "registry",
    _drop_fact: "built",
    _lose_ledger_rows: "ledger",
    _new_column: "landed",
    _own_logic: "configuration",
    _lose_mart: "mart",
    _discard: "decisions",
    _lose_snapshot: "snapshot",
}


def test_whatever_could_make_another_result_is_news_of_that_tenant_alone(
    project: Project,
) -> None:
    seen: list[str] = []
    for change, name in CHANGES.items():
        assert _news(project)["north"].changed == tuple(n for n in INPUTS if n in seen)
        change(project)
        seen.append(name)

    news = _news(project)

    assert news["north"].changed == tuple(n for n in INPUTS if n in seen)
    assert news["south"].changed == ()


def test_a_changed_macro_is_news_of_every_tenant(project: Project) -> None:
    macros = project.folder / "macros"
    real = macros.resolve()
    macros.unlink()
    shutil.copytree(real, macros)
    assert _news(project)["north"].changed == ()

    (macros / "own.sql").write_text("{% macro own() %}1{% endmacro %}\n")

    assert {
        slug: news.changed for slug, news in _news(project).items() if slug in SLUGS
    } == dict.fromkeys(SLUGS, ("code",))


def test_a_changed_word_is_published_without_dbt(project: Project) -> None:
    built = _invocations(project, "north")
    named = state.tenant(SOURCES) | {
        "semantics": {"labels": {"ad_performance.spend": "What we paid"}}
    }
    project.configure({"north": named, "south": state.tenant(SOURCES)})

    told = project.run()

    assert told["unchanged"] == ["south"]
    assert _invocations(project, "north") == built
    assert [mart["is_new"] for mart in told["marts"]] == [True, False]
    assert project.run()["unchanged"] == ["north", "south"]


def test_a_rolled_back_mart_stays_and_is_told_of(project: Project) -> None:
    first = project.run("--tenant", "north")["marts"][0]["version"]
    project.land_records("north", "google_ads", "ad_performance", [_row(3)])
    project.run()
    project.martlet("marts", "rollback", "north")

    told = project.run()

    (mart,) = (mart for mart in told["marts"] if mart["tenant"] == "north")
    assert (mart["version"], mart["is_new"]) == (first, False)
    assert "rolled back" in mart["reason"]
    assert "rolled back" in project.run()["marts"][0]["reason"]


def test_a_quarantined_table_is_told_of_in_every_run(project: Project) -> None:
    project.configure({"north": state.tenant({"shopify": {"objects": ["orders"]}})})
    with project.open_landing() as landing:
        landing.execute(
            "create table north.north_shopify__orders as "
            "select 1 as nothing, '1' as _dlt_load_id, 1 as _martlet_row"
        )
    first = project.run()

    again = project.run()

    assert again["unchanged"] == ["north"]
    assert again["findings"] == first["findings"]
    assert {finding["kind"] for finding in again["findings"]} >= {"quarantine", "hold"}
    assert again["tables"] == first["tables"]
    assert project.martlet("run", "--strict", check=False).code == 1


def test_a_table_without_load_ids_is_always_news(project: Project) -> None:
    with project.open_landing() as landing:
        landing.execute("alter table north.north_google_ads__ad_performance drop _dlt_load_id")
    project.run(check=False)

    assert project.run(check=False)["unchanged"] == ["south"]


def test_a_failed_run_is_news_until_it_has_succeeded(project: Project) -> None:
    (file,) = (project.folder / "models/intermediate/north/google_ads").glob("*campaigns.sql")
    text = file.read_text()
    file.write_text("select broken\n")

    assert project.martlet("run", check=False).code == 1
    assert project.martlet("run", check=False).code == 1
    file.write_text(text)
    assert project.run()["unchanged"] == ["south"]
    assert project.run()["unchanged"] == ["north", "south"]
