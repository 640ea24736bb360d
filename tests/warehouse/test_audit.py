"""A year of restated windows holds to the row and the cent, and the audit catches who meddles."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from martlet.audit.tenant_audit import audit_tenants
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.engines.targets import engine_of
from martlet.landing.command import land_simulated
from martlet.pipeline.findings import Finding
from tests.project import Project, new_project
from tests.warehouse.state import tenant

SLUG = "acme"
GENERATION = {
    "campaigns": 1,
    "ad_groups_per_campaign": 1,
    "ads_per_ad_group": 1,
    "orders_per_day": 2,
    "sessions_per_day": 3,
    "products": 2,
}
SOURCES = {
    "google_ads": {
        "generation": GENERATION,
        "objects": ["customers", "campaigns", "ad_performance"],
    },
    "shopify": {"generation": GENERATION, "objects": ["orders"]},
    "google_analytics": {"generation": GENERATION},
}
FIRST_UNTIL = date(2025, 8, 4)
WINDOWS = 12
STEP = timedelta(days=30)
WINDOW_DAYS = 35
NOW = "2026-07-01T12:00:00"

REPORT = "platform.platform_mm__google_ads_api_v1_ad_performance"
ORDERS = "platform.platform_mm__shopify_api_v1_orders"
LEDGER = "ops.platform_ops__push_ledger"
SPEND = "analytics.fct_acme__ad_performance"


@dataclass(frozen=True)
class Year:
    """The project after the year, and what the audit says of it while nobody meddled."""

    project: Project
    document: dict[str, Any]

    def audit(self, *arguments: str, code: int = 0) -> Any:
        result = self.project.martlet("audit", "--json", "--now", NOW, *arguments, check=False)
        assert result.code == code, result.stdout + result.stderr
        return result.document

    def broken(self) -> list[Finding]:
        """Return the broken promises that an audit in this process finds."""
        settings = self.project.settings
        catalogue = load_catalogue(settings.catalogue_file)
        tenants = load_tenants(settings.tenants_file, catalogue)
        with engine_of(settings).open_both(read_only=True) as warehouse:
            (audited,) = audit_tenants(
                warehouse,
                tenants.active(),
                tenants,
                catalogue,
                now=datetime.fromisoformat(NOW),
                stale_after_hours=36,
            )
        assert audited.broken_promises == len(audited.findings())
        return audited.findings()

    def meddle(self, *statements: str) -> None:
        with self.project.open_warehouse() as warehouse:
            for statement in statements:
                warehouse.execute(statement)

    def load_of(self, where: str, relation: str = REPORT) -> str:
        return str(self.project.value(f"select load_id from {relation} where {where} limit 1"))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    project = new_project(tmp_path_factory.mktemp("audit") / "project")
    project.configure({SLUG: tenant(SOURCES)})
    settings = project.settings
    for window in range(WINDOWS):
        until = FIRST_UNTIL + window * STEP
        land_simulated(settings, SLUG, days=WINDOW_DAYS, until=until, seed=3)
        if window % (WINDOWS // 3) == WINDOWS // 3 - 1:
            project.run()
    document = project.martlet("audit", "--json", "--now", NOW).document
    return Year(project, document)


@pytest.fixture
def meddled(year: Year) -> Iterator[Year]:
    """Give the year to be meddled with, and put it back."""
    home = year.project.settings.home
    kept = home.with_name("kept")
    shutil.copytree(home, kept)
    yield year
    shutil.rmtree(home)
    kept.replace(home)


def broken(document: Any) -> list[dict[str, Any]]:
    return [f for f in document["findings"] if f["kind"] == "audit"]


def test_a_year_of_restated_windows_has_no_difference(year: Year) -> None:
    (audited,) = year.document["tenants"]

    assert broken(year.document) == []
    assert audited["broken_promises"] == audited["pending"] == 0
    assert audited["skipped"] == {}
    assert audited["loads"] == WINDOWS * 5
    assert audited["rows"] > audited["versions"] > 0


def test_the_year_restates_what_it_told_before(year: Year) -> None:
    restated = year.project.value(
        f"select count(*) from (select 1 from {REPORT} group by tenant_skey having count(*) > 1)"
    )
    known = year.project.value(f"select sum(rows_known) from {LEDGER}")

    assert restated > 20
    assert known > 100


def test_every_platforms_money_and_rows_are_compared_and_equal(year: Year) -> None:
    (audited,) = year.document["tenants"]
    totals = {(t["platform"], t["measure"]): t for t in audited["totals"]}

    assert set(totals) == {
        ("google_ads", "spend"),
        ("shopify", "orders"),
        ("shopify", "total_price"),
        ("google_analytics", "events"),
        ("google_analytics", "sessions"),
    }
    assert all(Decimal(t["landed"]) == Decimal(t["in_fact"]) > 0 for t in totals.values())
    stored = year.project.value(
        f"select sum(spend) from {SPEND} where source_platform = 'google_ads'"
    )
    assert Decimal(totals["google_ads", "spend"]["in_fact"]) == stored


def test_a_version_deleted_from_a_master_is_missed_with_its_load(meddled: Year) -> None:
    load = meddled.load_of("not is_deleted and load_row = 3")

    meddled.meddle(f"delete from {REPORT} where load_id = '{load}' and load_row = 3")

    (finding,) = broken(meddled.audit(code=1))
    assert load in finding["message"]
    assert "1 rows are missing" in finding["message"]
    assert finding["subject"] == "acme_google_ads__ad_performance"


def test_a_superseded_version_is_missed_too_although_no_fact_shows_it(meddled: Year) -> None:
    (old,) = meddled.project.query(
        f"select tenant_skey, min(load_id) as load_id from {ORDERS} "
        "group by tenant_skey having count(*) > 1 order by all limit 1"
    )

    meddled.meddle(
        f"delete from {ORDERS} where tenant_skey = '{old['tenant_skey']}' "
        f"and load_id = '{old['load_id']}'"
    )

    (finding,) = meddled.broken()
    assert old["load_id"] in finding.message
    assert old["tenant_skey"] in finding.message


def test_a_ledger_row_that_still_adds_up_is_found_wrong(meddled: Year) -> None:
    load = meddled.load_of("object = 'orders' and rows_known > 1", LEDGER)

    meddled.meddle(
        f"update {LEDGER} set rows_known = rows_known - 1, rows_pushed = rows_pushed + 1 "
        f"where load_id = '{load}' and object = 'orders'"
    )

    (finding,) = meddled.broken()
    assert re.search(rf"load {load} of acme_shopify__orders: .*pushed \d+", finding.message)


def test_a_ledger_row_that_is_gone_is_missed(meddled: Year) -> None:
    load = meddled.load_of("object = 'orders'", LEDGER)

    meddled.meddle(f"delete from {LEDGER} where load_id = '{load}' and object = 'orders'")

    (finding,) = meddled.broken()
    assert f"load {load}" in finding.message
    assert "no row for it although later loads have" in finding.message


def test_a_version_that_is_there_twice_is_found(meddled: Year) -> None:
    load = meddled.load_of("not is_deleted and load_row = 3")

    meddled.meddle(
        f"insert into {REPORT} select * from {REPORT} where load_id = '{load}' and load_row = 3"
    )

    (finding,) = meddled.broken()
    assert load in finding.message
    assert "more than once" in finding.message


def test_a_version_that_nothing_landed_for_is_found(meddled: Year) -> None:
    load = meddled.load_of("not is_deleted and load_row = 3")

    meddled.meddle(
        f"insert into {REPORT} select * replace ('invented' as tenant_skey) from {REPORT} "
        f"where load_id = '{load}' and load_row = 3"
    )

    (finding,) = meddled.broken()
    assert load in finding.message
    assert "come from no landed row" in finding.message


def test_a_payload_that_was_written_over_is_found_although_its_hash_is_right(meddled: Year) -> None:
    load = meddled.load_of("load_row = 0", ORDERS)

    meddled.meddle(
        f"update {ORDERS} set raw_data_payload = json_merge_patch(raw_data_payload, "
        f"'{{\"note\": \"x\"}}') where load_id = '{load}' and load_row = 0"
    )

    (finding,) = meddled.broken()
    assert load in finding.message
    assert "payloads" in finding.message


def test_a_hash_that_was_written_over_is_found(meddled: Year) -> None:
    load = meddled.load_of("load_row = 0", ORDERS)

    meddled.meddle(
        f"update {ORDERS} set record_hash = uuid() where load_id = '{load}' and load_row = 0"
    )

    (finding,) = meddled.broken()
    assert load in finding.message
    assert "another hash" in finding.message


def test_a_cent_in_a_fact_is_found_with_its_day_and_load(meddled: Year) -> None:
    meddled.meddle(
        f"update {SPEND} set spend = spend + 0.01 "
        "where source_platform = 'google_ads' and report_date = '2026-01-15'"
    )

    (finding,) = meddled.broken()
    assert "google_ads" in finding.message
    assert "2026-01-15" in finding.message
    loads = meddled.project.query(f"select distinct load_id from {LEDGER}")
    assert any(str(row["load_id"]) in finding.message for row in loads)


def test_money_moved_from_one_day_to_another_is_found(meddled: Year) -> None:
    meddled.meddle(
        f"update {SPEND} set spend = spend + case when report_date = '2026-01-15' then 1 else -1 end "
        "where source_platform = 'google_ads' and report_date in ('2026-01-15', '2026-01-16')"
    )

    (finding,) = meddled.broken()
    assert "differs on 2026-01-15, 2026-01-16" in finding.message


def test_an_order_and_a_session_that_a_fact_lacks_are_found(meddled: Year) -> None:
    order = meddled.project.value("select min(order_id) from analytics.fct_acme__orders")

    meddled.meddle(
        f"delete from analytics.fct_acme__orders where order_id = '{order}'",
        "delete from analytics.fct_acme__sessions where session_id = "
        "(select min(session_id) from analytics.fct_acme__sessions)",
    )

    messages = [finding.message for finding in meddled.broken()]
    assert sum(f"the first is {order}" in message for message in messages) == 1
    assert sum("sessions of google_analytics" in message for message in messages) == 1


def test_a_run_audits_its_own_loads_only_and_leaves_the_past_to_the_audit(meddled: Year) -> None:
    load = meddled.load_of("not is_deleted and load_row = 3")
    meddled.meddle(f"delete from {REPORT} where load_id = '{load}' and load_row = 3")

    assert broken(meddled.project.run()) == []


def test_sources_that_went_quiet_are_told_and_fail_only_when_strict(year: Year) -> None:
    late = ("--stale-after", "36.5", "--now", "2026-07-20T00:00:00")

    document = year.audit(*late)

    stale = [f for f in document["findings"] if f["kind"] == "stale"]
    assert {f["subject"] for f in stale} == {f"{platform} main" for platform in SOURCES}
    assert all("hours ago" in f["message"] and f["remedy"] for f in stale)
    year.audit(*late, "--strict", code=1)
    year.audit("--strict", "--stale-after", "1000000")
    assert not [f for f in year.document["findings"] if f["kind"] != "stale"]


def test_before_the_first_run_there_is_nothing_to_audit(tmp_path: Any) -> None:
    project = new_project(tmp_path / "project")
    project.configure({SLUG: tenant({"shopify": {"generation": GENERATION}})})

    result = project.martlet("audit", check=False)

    assert result.code == 2
    assert "martlet" in result.stderr
