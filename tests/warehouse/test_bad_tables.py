"""Tables that some loader put into the landing file, and that are not what they are declared as."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.project import Project, Result, new_project
from tests.warehouse.state import Contents, facts, masters, tenant

SOURCES = {
    "woocommerce": {"objects": ["orders", "products"]},
    "tiktok_ads": {"objects": ["campaigns", "ads"]},
    "shopify": {"objects": ["orders"]},
    "amplitude": {"objects": ["events"]},
    "google_ads": {"objects": ["campaigns"], "connections": {"main": {"accounts": ["77"]}}},
}
SHARED = [
    {
        "table": "google_ads_campaigns",
        "platform": "google_ads",
        "object": "campaigns",
        "account_column": "customer_id",
    }
]
ORDER = {
    "id": 1,
    "status": "completed",
    "currency": "EUR",
    "date_created_gmt": "2026-05-01T10:00:00",
    "total": "5.00",
}
BY_HAND = """
create schema if not exists acme;
-- another type of key: a number that has become a text
create table acme.acme_woocommerce__products (id varchar, name varchar, price double);
insert into acme.acme_woocommerce__products values ('one', 'Mug', 9.5);
-- nothing that TikTok knows
create table acme.acme_tiktok_ads__campaigns (lorem integer, ipsum date);
insert into acme.acme_tiktok_ads__campaigns values (1, date '2026-05-01');
-- as published, but without a row
create table acme.acme_tiktok_ads__ads (ad_id varchar, adgroup_id varchar, campaign_id varchar);
-- the orders of another shop system
create table acme.acme_amplitude__events as from acme.acme_woocommerce__orders;
-- numbers for texts, and two that are none
create table acme.acme_shopify__orders (
    id bigint, total_price double, currency varchar, created_at date
);
insert into acme.acme_shopify__orders values
    (1, 'nan', 'EUR', date '2026-05-01'),
    (2, 20.25, 'EUR', date '2026-05-01'),
    (3, 'inf', 'EUR', date '2026-05-01');
-- what nobody declared
create table acme.stray (a integer);
"""


@dataclass(frozen=True)
class Moment:
    """A run over the bad tables, and what it left."""

    project: Project
    result: Result
    masters: Contents

    def table(self, platform: str, object_: str) -> dict[str, Any]:
        tables = self.result.document["tables"]
        return next(t for t in tables if (t["platform"], t["object"]) == (platform, object_))

    def finding(self, subject: str) -> dict[str, Any]:
        (found,) = [
            f
            for f in self.result.document["findings"]
            if f["subject"] == subject and f["kind"] != "stale"
        ]
        return dict(found)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("bad_tables") / "project")
    project.configure({"acme": tenant(SOURCES)}, shared_landings=SHARED)
    project.land_records("acme", "woocommerce", "orders", [ORDER])
    campaign = {"customer": {"id": "77"}, "campaign": {"id": "5", "name": "Spring"}}
    (project.folder / "shared.jsonl").write_text(json.dumps(campaign))
    project.martlet("land-shared", "google_ads_campaigns", "--file", "shared.jsonl")
    with project.open_landing() as landing:
        landing.execute(BY_HAND)
    return project


@pytest.fixture(scope="module")
def moment(project: Project) -> Moment:
    return Moment(project, project.martlet("run", "--json"), masters(project))


@pytest.fixture(scope="module")
def strict(moment: Moment) -> Result:
    return moment.project.martlet("run", "--json", "--strict", check=False)


UNROUTABLE = {
    ("woocommerce", "products"): (
        "acme_woocommerce__products",
        "key_changed",
        "nearest: woocommerce products",
        "id: published BIGINT, landed VARCHAR (key of another family)",
        "price: published VARCHAR, landed DOUBLE (type changed)",
    ),
    ("tiktok_ads", "campaigns"): (
        "acme_tiktok_ads__campaigns",
        "unknown",
        "nearest: tiktok_ads campaigns",
        "most of its columns are unknown to tiktok_ads campaigns",
        "lorem: added as INTEGER",
    ),
    ("amplitude", "events"): (
        "acme_amplitude__events",
        "identity_conflict",
        "nearest: woocommerce orders",
        "it is declared as amplitude events, but has the shape of woocommerce orders",
    ),
    ("google_ads", "campaigns"): (
        "google_ads_campaigns",
        "unreadable",
        "nearest: google_ads campaigns",
        "it has no column for its account_column 'customer_id'; did you mean 'customer'?",
    ),
}


@pytest.mark.parametrize("place", UNROUTABLE)
def test_an_unroutable_table_is_reported_with_its_nearest_blueprint_and_what_differs(
    moment: Moment, place: tuple[str, str]
) -> None:
    table, verdict, *told = UNROUTABLE[place]

    finding = moment.finding(table)

    assert moment.table(*place)["status"] == verdict
    assert finding["kind"] == "quarantine"
    assert f".{table} ({verdict}, fingerprint " in finding["message"]
    for sentence in told:
        assert sentence in finding["message"]
        assert sentence in moment.result.stderr
    assert "correct the loader or the declaration in tenants.yaml" in finding["remedy"]


@pytest.mark.parametrize("place", UNROUTABLE)
def test_nothing_of_an_unroutable_table_is_pushed_and_nothing_of_it_is_lost(
    moment: Moment, place: tuple[str, str]
) -> None:
    table, *_ = UNROUTABLE[place]
    schema = "shared" if table == "google_ads_campaigns" else "acme"

    assert moment.table(*place)["pushed"] == 0
    assert moment.project.value(f"select count(*) from landing.{schema}.{table}") == 1
    in_ledger = moment.project.value(
        "select count(*) from ops.platform_ops__push_ledger "
        "where landed_table = ? and tenant_slug = 'acme'",
        table,
    )
    assert in_ledger == 0


def test_the_run_goes_on_for_everything_else_and_ends_with_0(moment: Moment) -> None:
    assert moment.result.code == 0
    assert moment.table("woocommerce", "orders")["pushed"] == 1
    assert {name: rows for name, (rows, _) in moment.masters.items() if rows} == {
        "platform_mm__woocommerce_api_v1_orders": 1,
        "platform_mm__shopify_api_v1_orders": 1,
    }
    assert len(facts(moment.project, "acme")) == 4


def test_with_strict_the_same_run_ends_with_1_and_pushes_no_more(
    moment: Moment, strict: Result
) -> None:
    assert strict.code == 1
    assert "cannot route acme.acme_tiktok_ads__campaigns" in strict.stderr
    assert masters(moment.project) == moment.masters


def test_an_empty_table_that_a_loader_made_is_routed(moment: Moment) -> None:
    ads = moment.table("tiktok_ads", "ads")

    assert (ads["status"], ads["landed"], ads["pushed"]) == ("diff", 0, 0)
    assert moment.finding("acme_tiktok_ads__ads")["kind"] == "drift"


def test_changed_types_are_told_and_nan_among_them_is_quarantined(moment: Moment) -> None:
    orders = moment.table("shopify", "orders")
    told = [f for f in moment.result.document["findings"] if f["subject"] == "acme_shopify__orders"]

    assert [f["kind"] for f in told] == ["drift", "quarantine"]
    assert "created_at: published " in told[0]["message"]
    assert "landed DATE" in told[0]["message"]
    assert "2 rows" in told[1]["message"]
    assert "total_price: NaN is no number" in told[1]["message"]
    assert (orders["landed"], orders["pushed"], orders["quarantined"]) == (3, 1, 2)
    assert moment.project.query(
        "select order_id, cast(total_price as varchar) as total from analytics.fct_acme__orders "
        "where source_platform = 'shopify'"
    ) == [{"order_id": "2", "total": "20.250000"}]


def test_an_undeclared_table_is_told_of_and_left_alone(moment: Moment) -> None:
    finding = moment.finding("stray")

    assert finding["kind"] == "undeclared"
    assert "the landed table stray belongs to no enabled source" in finding["message"]
    assert moment.project.value("select count(*) from landing.acme.stray") == 0


def test_a_corrected_table_is_pushed_by_the_next_run(moment: Moment, strict: Result) -> None:
    project = moment.project
    with project.open_landing() as landing:
        landing.execute("drop table acme.acme_woocommerce__products")
    project.land_records("acme", "woocommerce", "products", [{"id": 1, "name": "Mug"}])

    report = project.run()

    products = next(t for t in report["tables"] if t["object"] == "products")
    assert (products["status"], products["pushed"]) == ("exact", 1)
    assert project.value("select count(*) from intermediate.int_acme__woocommerce_products") == 1
