"""What a user may rely on from run to run: nothing twice, nothing lost, nothing rewritten."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from tests.project import Project, Result, new_project
from tests.warehouse.state import Contents, accounted, facts, generated, ledger, masters, tenant

GENERATION = {
    "campaigns": 1,
    "ad_groups_per_campaign": 1,
    "ads_per_ad_group": 2,
    "orders_per_day": 3,
    "sessions_per_day": 5,
    "products": 3,
}
EVENTS = {"conversion_events": ["purchase"]}
SOURCES = {
    "tiktok_ads": {"generation": GENERATION},
    "shopify": {"generation": GENERATION},
    "google_analytics": {"generation": GENERATION, "tables": {"events": EVENTS}},
}
LAND = ("land", "acme", "--days", "3", "--seed", "5", "--json")


@dataclass(frozen=True)
class Moment:
    """What a run printed, and what was there when it had ended."""

    result: Result
    masters: Contents
    facts: Contents
    ledger: dict[str, int]

    @property
    def report(self) -> Any:
        return self.result.document

    def sum_of(self, count: str) -> int:
        return sum(table[count] for table in self.report["tables"])


@dataclass(frozen=True)
class History:
    """The moments of one project, in their order; `landings` are what `martlet land` printed."""

    project: Project
    landings: list[Result]
    first: Moment
    again: Moment
    landed_again: Moment


def _run(project: Project) -> Moment:
    result = project.martlet("run", "--json")
    return Moment(result, masters(project), facts(project, "acme"), ledger(project, "acme"))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    project = new_project(tmp_path_factory.mktemp("promises") / "project")
    project.configure({"acme": tenant(SOURCES)})
    landings = [project.martlet(*LAND)]
    first, again = _run(project), _run(project)
    landings.append(project.martlet(*LAND))
    return History(project, landings, first, again, _run(project))


def test_the_first_run_fills_every_fact_and_dimension(history: History) -> None:
    empty = [name for name, (rows, _) in history.first.facts.items() if rows == 0]

    assert len(history.first.facts) == 4
    assert not empty


def test_the_first_run_pushes_every_landed_row(history: History) -> None:
    landed = sum(table["accepted"] for table in history.landings[0].document["tables"])

    assert landed > 0
    assert history.first.sum_of("landed") == history.first.sum_of("pushed") == landed


def test_the_second_run_pushes_no_row_and_changes_nothing(history: History) -> None:
    assert history.again.sum_of("pushed") == history.again.sum_of("landed") == 0
    assert history.again.masters == history.first.masters
    assert history.again.facts == history.first.facts
    assert history.again.ledger == history.first.ledger


def test_the_same_days_landed_again_are_known_and_add_no_row_anywhere(history: History) -> None:
    landed = sum(table["accepted"] for table in history.landings[1].document["tables"])

    assert history.landed_again.sum_of("landed") == history.landed_again.sum_of("known") == landed
    assert history.landed_again.sum_of("pushed") == 0
    assert history.landed_again.masters == history.first.masters
    assert history.landed_again.facts == history.first.facts


def test_the_ledger_accounts_for_both_landings(history: History) -> None:
    landed = sum(
        table["received"] for landing in history.landings for table in landing.document["tables"]
    )

    sums = history.landed_again.ledger

    assert sums["landed"] == accounted(sums) == landed


def test_a_restated_insight_and_order_are_two_rows_more_in_masters_and_none_in_facts(
    history: History,
) -> None:
    project = history.project
    orders = "platform_mm__shopify_api_v1_orders"
    insights = "platform_mm__tiktok_ads_api_v1_ads_reports_daily"
    order = _payload(project, "int_acme__shopify_orders where deleted_at is null")
    insight = _payload(project, "int_acme__tiktok_ads_ads_reports_daily")
    before = history.landed_again

    order["total_price"] = "1234.56"
    insight["metrics"]["spend"] = "77.70"
    _land_later(project, "shopify", "orders", order)
    _land_later(project, "tiktok_ads", "ads_reports_daily", insight)
    after = _run(project)

    more = {
        name: rows - before.masters[name][0]
        for name, (rows, _) in after.masters.items()
        if rows != before.masters[name][0]
    }
    assert more == {orders: 1, insights: 1}
    assert after.sum_of("pushed") == 2
    assert _rows(after.facts) == _rows(before.facts)
    assert project.value(
        "select total_price from analytics.fct_acme__orders where order_id = ?", str(order["id"])
    ) == Decimal("1234.56")
    assert project.value(
        "select spend from analytics.fct_acme__ad_performance where ad_id = ? and report_date = ?",
        insight["dimensions"]["ad_id"],
        insight["dimensions"]["stat_time_day"][:10],
    ) == Decimal("77.70")


def test_a_master_has_the_specified_columns_first_and_in_their_order(history: History) -> None:
    columns = history.project.query(
        "select column_name from duckdb_columns() where database_name = 'warehouse' and "
        "table_name = 'platform_mm__shopify_api_v1_orders' order by column_index"
    )

    assert [column["column_name"] for column in columns] == [
        "tenant_slug", "source_platform", "tenant_skey", "source_schema_hash", "loaded_at",
        "raw_data_payload", "connection", "record_hash", "is_deleted", "extracted_at", "load_id",
        "load_row", "key_prefix",
    ]  # fmt: skip


def test_onboarding_again_changes_no_file(history: History) -> None:
    before = generated(history.project)

    result = history.project.martlet("onboard", "--json")

    assert before
    assert generated(history.project) == before
    assert result.document["files"]["acme"] == {
        "written": [], "removed": [], "kept_edited": [], "unmarked": [],
    }  # fmt: skip


COMMANDS: dict[str, Callable[[History], Result]] = {
    "check": lambda h: h.project.martlet("check", "--json"),
    "land": lambda h: h.landings[0],
    "land, a second time": lambda h: h.landings[1],
    "run": lambda h: h.first.result,
    "run, with nothing to do": lambda h: h.again.result,
    "onboard": lambda h: h.project.martlet("onboard", "acme", "--json"),
    "onboard --check": lambda h: h.project.martlet("onboard", "--check", "--json"),
    "onboard --dry-run": lambda h: h.project.martlet("onboard", "--dry-run", "--json"),
    "generate --check": lambda h: h.project.martlet("generate", "--check", "--json", check=False),
    "init-library": lambda h: h.project.martlet("init-library", "--json"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_standard_output_of_a_command_with_json_is_exactly_one_document(
    history: History, command: str
) -> None:
    result = COMMANDS[command](history)

    document, end = json.JSONDecoder().raw_decode(result.stdout)

    assert isinstance(document, dict)
    assert result.stdout[end:] == "\n"


def test_the_document_of_a_run_has_what_programs_read(history: History) -> None:
    document = history.first.report

    table = next(t for t in document["tables"] if t["object"] == "orders")
    fact = next(f for f in document["facts"] if f["fact"] == "fct_acme__orders")

    assert {"tenant", "platform", "object", "landed", "pushed", "known", "quarantined"} <= set(
        table
    )
    assert fact["tenant"] == "acme"
    assert fact["rows"] == history.first.facts["fct_acme__orders"][0]
    assert Decimal(fact["totals"]["EUR"]["total_price"]) == history.project.value(
        "select sum(cast(total_price as decimal(18, 6))) from landing.acme.acme_shopify__orders "
        "where deleted_at is null and _dlt_load_id = "
        "(select min(_dlt_load_id) from landing.acme.acme_shopify__orders)"
    )
    stages = [stage["stage"] for stage in document["stages"]]
    assert [s for s in stages if s in ("check", "route", "scaffold", "dbt", "audit")] == [
        "check", "route", "scaffold", "dbt", "audit",
    ]  # fmt: skip
    assert all(stage["seconds"] >= 0 for stage in document["stages"])


def _land_later(project: Project, platform: str, object_: str, record: Any) -> None:
    """Land one record as exported after the days that the simulator landed."""
    file = project.folder / f"{object_}.jsonl"
    file.write_text(json.dumps(record))
    project.martlet(
        "land", "acme", "--platform", platform, "--object", object_, "--file", str(file),
        "--extracted-at", "2026-07-05T00:00:00",
    )  # fmt: skip


def _payload(project: Project, view: str) -> Any:
    (row,) = project.query(
        f"select raw_data_payload from intermediate.{view} order by tenant_skey limit 1"
    )
    return json.loads(row["raw_data_payload"])


def _rows(contents: Contents) -> dict[str, int]:
    return {name: rows for name, (rows, _) in contents.items()}
