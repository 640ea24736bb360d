"""`martlet status`: nothing yet, a good day, and a day on which sources went wrong."""

from typing import Any

import pytest

from tests.project import Project, Result, new_project

SMALL = {"campaigns": 1, "orders_per_day": 3, "sessions_per_day": 5, "products": 2}


def tenant(name: str, **sources: Any) -> dict[str, Any]:
    return {
        "name": name,
        "reporting_timezone": "UTC",
        "currency": "EUR",
        "sources": {platform: {"generation": SMALL, **more} for platform, more in sources.items()},
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("status") / "project")
    project.configure(
        {
            "acme": tenant("Acme", shopify={}, mixpanel={"objects": ["events"]}),
            "globex": tenant("Globex", woocommerce={}),
            "retired": {**tenant("Retired"), "status": "disabled"},
        }
    )
    return project


@pytest.fixture(scope="module")
def before(project: Project) -> dict[str, Result]:
    """Status before anything was landed or run."""
    return {
        "text": project.martlet("status"),
        "json": project.martlet("status", "--json"),
        "unknown": project.martlet("status", "--tenant", "acmee", check=False),
    }


@pytest.fixture(scope="module")
def good(project: Project, before: dict[str, Result]) -> dict[str, Any]:
    """Status after a run in which only Mixpanel of acme had not landed."""
    project.martlet("land", "acme", "--days", "2", "--platform", "shopify")
    project.martlet("land", "globex", "--days", "2")
    project.run()
    return by_tenant(project.martlet("status", "--json"))


@pytest.fixture(scope="module")
def bad(project: Project, good: dict[str, Any]) -> dict[str, Any]:
    """Status after acme's orders gained a column, and globex's lost their key and sent a bad row."""
    project.land_records("globex", "woocommerce", "products", [{"id": "no number"}])
    with project.open_landing() as landing:
        landing.execute("alter table acme.acme_shopify__orders add column surprise varchar")
        landing.execute("alter table globex.globex_woocommerce__orders drop column id")
    project.run(check=False)
    return by_tenant(project.martlet("status", "--json"))


def by_tenant(result: Result) -> dict[str, Any]:
    assert result.document["has_run"]
    return {status["tenant"]: status for status in result.document["tenants"]}


def test_before_the_first_run_it_says_so_and_is_no_error(before: dict[str, Result]) -> None:
    assert before["text"].code == before["json"].code == 0
    assert before["text"].stdout.startswith("nothing has run yet")
    assert before["json"].document["has_run"] is False
    acme = before["json"].document["tenants"][0]
    assert (acme["tenant"], acme["last_run"], acme["audit"]) == ("acme", None, None)
    assert {source["load_id"] for source in acme["sources"]} == {None}


def test_an_unknown_tenant_is_bad_input_with_the_nearest_one(before: dict[str, Result]) -> None:
    assert before["unknown"].code == 2
    assert "did you mean 'acme'?" in before["unknown"].stderr


def test_status_creates_no_database(before: dict[str, Result], tmp_path: Any) -> None:
    empty = new_project(tmp_path / "project")
    empty.configure({"acme": tenant("Acme", shopify={})})

    empty.martlet("status")

    assert not (empty.folder / "data").exists()


def test_after_a_good_run_rows_facts_and_audit_are_those_of_the_warehouse(
    project: Project, good: dict[str, Any]
) -> None:
    acme = good["acme"]

    assert acme["rows"]["pushed"] == acme["rows"]["landed"] > 0
    assert acme["facts"]["fct_acme__orders"] > 0
    for fact, rows in acme["facts"].items():
        assert rows == project.value(f"select count(*) from analytics.{fact}")
    assert acme["facts"]["fct_acme__ad_performance"] == 0  # no source, an empty fact
    assert acme["last_run"]["result"] == "success"
    assert acme["last_run"]["seconds"] > 0
    assert (acme["audit"]["by"], acme["audit"]["broken_promises"]) == ("run", 0)
    assert (acme["drift"], acme["quarantined_tables"], acme["quarantined_rows"]) == ([], [], 0)


def test_freshness_names_the_newest_load_of_each_source_and_those_that_never_landed(
    good: dict[str, Any],
) -> None:
    sources = {(s["platform"], s["object"]): s for s in good["acme"]["sources"]}

    assert set(sources) == {("shopify", "orders"), ("shopify", "products"), ("mixpanel", "events")}
    assert sources["shopify", "orders"]["extracted_at"]
    assert sources["shopify", "orders"]["load_id"]
    assert sources["mixpanel", "events"]["load_id"] is None


def test_a_disabled_tenant_is_shown_as_one(good: dict[str, Any]) -> None:
    assert good["retired"]["is_active"] is False
    assert good["retired"]["last_run"] is None


def test_drift_is_shown_for_the_tenant_whose_table_changed_and_no_other(
    bad: dict[str, Any],
) -> None:
    (drifted,) = bad["acme"]["drift"]

    assert drifted["table"] == "acme_shopify__orders"
    assert any("surprise" in difference for difference in drifted["differences"])
    assert bad["globex"]["drift"] == []
    assert bad["acme"]["quarantined_tables"] == []


def test_quarantined_tables_and_rows_are_shown_with_the_reason(bad: dict[str, Any]) -> None:
    (table,) = bad["globex"]["quarantined_tables"]

    assert table["table"] == "globex_woocommerce__orders"
    assert table["verdict"] == "key_changed"
    assert bad["globex"]["quarantined_rows"] == 1
    assert bad["acme"]["quarantined_rows"] == 0


def test_the_facts_of_a_tenant_with_a_quarantined_table_are_still_there(
    good: dict[str, Any], bad: dict[str, Any]
) -> None:
    assert bad["globex"]["facts"] == good["globex"]["facts"]


def test_the_screen_of_one_tenant_names_what_is_wrong_and_no_other_tenant(
    project: Project, bad: dict[str, Any]
) -> None:
    screen = project.martlet("status", "--tenant", "globex").stdout

    assert "globex_woocommerce__orders" in screen
    assert "key_changed" in screen
    assert "fct_globex__orders" in screen
    assert "acme" not in screen


def test_the_screen_of_all_has_one_line_a_tenant(project: Project, bad: dict[str, Any]) -> None:
    screen = project.martlet("status").stdout

    lines = [line for line in screen.splitlines() if any(t in line for t in bad)]
    assert len(lines) == 3
    assert "1 tables, 1 rows" in screen
