"""Records that others have published, landed from files, routed, and read in the views and facts.

The records lie beside the repository (MARTLET_REAL_RECORDS says where else). What they hold was
read from the files by a person; the version that a table has is found out from the records alone.
"""

import json
import os
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from martlet.config.catalogue import load_catalogue
from martlet.contracts.library import object_contract
from martlet.landing.files import read_file
from tests.connectors.published_values import VIEWS
from tests.project import REPOSITORY, Project, new_project

FOLDER = Path(os.environ.get("MARTLET_REAL_RECORDS", REPOSITORY.parent / "shared" / "real_records"))
TENANT = "published"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no published records in {FOLDER}: set MARTLET_REAL_RECORDS"
)

# Lines of the files that do not land, by platform and object.
NOT_LANDED = {
    ("shopify", "refunds"): "no object of the catalogue: orders carry their refunds",
    ("shopify", "transactions"): "no object of the catalogue: refunds carry theirs",
    ("tiktok_ads", "ad_groups_reports_daily"): "no object of the catalogue: the ads' report is",
    (
        "tiktok_ads",
        "advertisers",
    ): "no object of the catalogue: connections state zone and currency",
}
# A table keeps one shape and an order has one state: these lines are landed as other shops.
OTHER_CONNECTIONS = {("shopify", "orders", 2): "older", ("woocommerce", "orders", 5): "airbyte"}
# Airbyte has passed this order on as the API sent it: nothing in it tells, so its user does.
STATED_LOADERS = {("woocommerce", "orders", "airbyte"): "airbyte"}
# Which published version each table is, as the records themselves tell, and its rows.
TABLES = {
    ("amplitude", "events", "main"): ("airbyte", 2),
    ("facebook_ads", "facebook_insights", "main"): ("airbyte", 2),
    ("google_ads", "ad_performance", "main"): ("airbyte", 2),
    ("shopify", "orders", "main"): ("native", 1),
    ("shopify", "orders", "older"): ("native", 1),
    ("shopify", "products", "main"): ("native", 5),
    ("tiktok_ads", "ads", "main"): ("airbyte", 1),
    ("tiktok_ads", "ads_reports_daily", "main"): ("airbyte", 1),
    ("woocommerce", "orders", "airbyte"): ("airbyte", 1),
    ("woocommerce", "orders", "main"): ("native", 2),
    ("woocommerce", "products", "main"): ("native", 2),
}
SOURCES: dict[str, Any] = {
    "facebook_ads": {"objects": ["facebook_insights"]},
    "google_ads": {"objects": ["ad_performance"]},
    "tiktok_ads": {"objects": ["ads", "ads_reports_daily"]},
    "amplitude": {"objects": ["events"]},
    "shopify": {"connections": {"main": {}, "older": {}}},
    "woocommerce": {"connections": {"main": {}, "airbyte": {}}},
}


def published_lines() -> list[tuple[str, str, int, dict[str, Any]]]:
    """Return platform, object, line number and record of every line of the files."""
    found = []
    for file in sorted(FOLDER.glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            entry = json.loads(line)
            found.append((file.stem, entry["object"], number, entry["data"]))
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("real_records") / "project")
    tenant = {"name": "Published", "reporting_timezone": "America/New_York", "currency": "EUR"}
    project.configure({TENANT: {**tenant, "sources": SOURCES}})
    tables: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for platform, object_, number, record in published_lines():
        if (platform, object_) not in NOT_LANDED:
            connection = OTHER_CONNECTIONS.get((platform, object_, number), "main")
            tables[platform, object_, connection].append(record)
    for (platform, object_, connection), records in tables.items():
        place = (platform, object_, connection)
        stated = ["--loader", STATED_LOADERS[place]] if place in STATED_LOADERS else []
        landed = project.land_records(
            TENANT, platform, object_, records, "--connection", connection, *stated
        )
        (table,) = landed["tables"]
        assert (table["accepted"], table["quarantined"]) == (len(records), 0), table
    project.run()
    return project


def test_every_line_of_an_object_of_the_catalogue_lands(project: Project) -> None:
    catalogue = load_catalogue(REPOSITORY / "supported_connectors.yaml")
    loads = project.query(
        "select platform, object, connection, loader, rows_accepted, rows_quarantined "
        "from landing.published._martlet_loads"
    )

    objects = {(platform, object_) for platform, object_, _, _ in published_lines()}
    of_catalogue = {(p, o) for p, o in objects if o in catalogue.connector(p).objects}
    assert objects - of_catalogue == set(NOT_LANDED)
    assert {(platform, object_) for platform, object_, _ in TABLES} == of_catalogue
    assert {
        (load["platform"], load["object"], load["connection"]): (
            load["loader"],
            load["rows_accepted"],
        )
        for load in loads
    } == TABLES


def test_every_table_routes_to_a_published_version_of_the_loader_that_its_records_show(
    project: Project,
) -> None:
    routes = project.query(
        "select r.source_platform, r.object, r.connection, r.verdict, b.loader, b.status "
        "from platform.routing_decisions as r left join platform.connector_blueprints as b "
        "using (source_platform, object, source_schema_hash)"
    )

    assert {(r["source_platform"], r["object"], r["connection"]): r["loader"] for r in routes} == {
        place: loader for place, (loader, _) in TABLES.items()
    }
    assert {(r["verdict"], r["status"]) for r in routes} <= {
        ("exact", "published"),
        ("family", "learned"),
    }


def test_an_order_that_airbyte_passed_on_unchanged_is_taken_for_the_shops_own(
    tmp_path: Path,
) -> None:
    file = tmp_path / "orders.jsonl"
    records = {place[:3]: place[3] for place in published_lines()}
    file.write_text(json.dumps(records["woocommerce", "orders", 5]))

    batch = read_file(
        file,
        platform="woocommerce",
        connection="main",
        contract=object_contract("woocommerce", "orders"),
        loader=None,
        extracted_at=datetime(2026, 1, 1),
    )

    assert (batch.loader, batch.rows.num_rows, batch.rejected) == ("native", 1, ())


def test_every_row_is_pushed_once_and_its_payload_is_the_record(project: Project) -> None:
    records: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for platform, object_, _, record in published_lines():
        if (platform, object_) not in NOT_LANDED:
            stated = {name: value for name, value in record.items() if value is not None}
            records[platform, object_].append(stated)

    for (platform, object_), expected in records.items():
        rows = project.query(
            f"select raw_data_payload from intermediate.int_published__{platform}_{object_}"
        )
        payloads = [json.loads(row["raw_data_payload"]) for row in rows]
        assert sorted(payloads, key=sorted_text) == sorted(expected, key=sorted_text)


def sorted_text(record: dict[str, Any]) -> str:
    return json.dumps(record, sort_keys=True)


@pytest.mark.parametrize(
    ("view", "connection", "key", "expected"),
    VIEWS,
    ids=[f"{v[0]}-{v[1]}-{v[2][1]}" for v in VIEWS],
)
def test_the_view_shows_what_a_person_reads_in_the_record(
    project: Project, view: str, connection: str, key: tuple[str, str], expected: dict[str, Any]
) -> None:
    (row,) = project.query(
        f"select {', '.join(expected)} from intermediate.int_published__{view} "
        f"where connection = ? and cast({key[0]} as varchar) = ? and not is_deleted",
        connection,
        key[1],
    )

    assert row == expected


def nested(project: Project, view: str, column: str, key: str, connection: str = "main") -> Any:
    key_column = "order_id" if view.endswith("orders") else "product_id"
    value = project.value(
        f"select {column} from intermediate.int_published__{view} "
        f"where connection = ? and {key_column} = ?",
        connection,
        key,
    )
    return json.loads(value)


def test_the_lines_of_an_order_keep_their_numbers_texts_and_lists(project: Project) -> None:
    ipods = nested(project, "shopify_orders", "line_items", "450789469", "older")
    album, ninja = nested(project, "woocommerce_orders", "line_items", "723")
    _, idea = nested(project, "woocommerce_orders", "line_items", "727")

    assert [(i["sku"], i["price"], i["variant_id"]) for i in ipods] == [
        ("IPOD2008GREEN", "199.00", 39072856),
        ("IPOD2008RED", "199.00", 49148385),
        ("IPOD2008BLACK", "199.00", 457924702),
    ]
    assert ipods[0]["properties"] == [{"name": "Custom Engraving", "value": "Happy Birthday"}]
    assert (album["name"], album["subtotal"], ninja["price"]) == ("Woo Album #2", "9.00", 20)
    assert idea["name"] == "Ship Your Idea &ndash; Color: Black, Size: M Test"
    assert idea["meta_data"][0] == {"id": 2095, "key": "pa_color", "value": "black"}


def test_the_variants_and_categories_of_a_product_are_lists(project: Project) -> None:
    variants = nested(project, "shopify_products", "variants", "632910392")
    categories = nested(project, "woocommerce_products", "categories", "794")

    assert [(v["title"], v["inventory_quantity"]) for v in variants] == [
        ("Pink", 10),
        ("Red", 20),
        ("Green", 30),
        ("Black", 40),
    ]
    assert [category["name"] for category in categories] == ["Clothing", "T-shirts"]


def test_properties_keep_keys_with_dots_and_keys_that_differ_in_case_alone(
    project: Project,
) -> None:
    (row,) = project.query(
        "select event_properties, user_properties from intermediate.int_published__amplitude_events "
        "where amplitude_id = '550106004607'"
    )
    event, user = json.loads(row["event_properties"]), json.loads(row["user_properties"])

    assert event["ad_metrics.cost"] == 0.528957
    assert event["ad_id"] == 643022056303
    assert (user["city"], user["City"]) == ("test", "London")


def test_spend_is_in_currency_units_and_fractions_of_conversions_stay(project: Project) -> None:
    rows = project.query(
        "select source_platform, report_date, account_id, campaign_id, ad_group_id, ad_id, spend, "
        "impressions, clicks, conversions, conversion_value, currency, grain, account_timezone "
        "from analytics.fct_published__ad_performance order by source_platform, report_date"
    )

    facebook = "212551616838260 23846765228240398 23846765228280398"
    google = "4651612872 20643300404 155311392438 676665180945"
    tiktok = "None 1714073078669329 1714073022392322 1714073085256738"
    new_york, los_angeles = "America/New_York", "America/Los_Angeles"
    assert [as_text(row) for row in rows] == [
        f"facebook_ads 2021-02-21 {facebook} 23846784938030398 0.95 725 0 0 0 USD ad {new_york}",
        f"facebook_ads 2021-03-01 {facebook} 23846765228310398 1.09 839 1 0 0 USD ad {new_york}",
        f"google_ads 2023-12-31 {google} 168.08 163 30 6.623899 662.3899 USD ad {los_angeles}",
        f"google_ads 2024-01-01 {google} 328.93 257 37 12.795535 1079.5535 USD ad {los_angeles}",
        # TikTok's report names neither advertiser nor currency; the connection's is EUR.
        f"tiktok_ads 2021-10-22 {tiktok} 0 0 0 0 0 EUR ad {new_york}",
    ]


def test_orders_are_dated_in_the_reporting_zone_and_refunds_do_not_reduce_them(
    project: Project,
) -> None:
    rows = project.query(
        "select source_platform, connection, order_id, business_date, total_price, "
        "subtotal, discount, tax, shipping, refunded, currency, financial_status "
        "from analytics.fct_published__orders order by source_platform, connection, order_id"
    )

    assert [as_text(row) for row in rows] == [
        # Refunded in part, it says, without the list that says how much: unknown, not zero.
        "shopify main 450789469 2008-01-10 598.94 597 10 11.94 0 None USD partially_refunded",
        "shopify older 450789469 2008-01-10 409.94 398 0 11.94 0 0 USD authorized",
        "woocommerce airbyte 45 2022-11-30 90 90 0 0 0 10 USD partially_refunded",
        "woocommerce main 723 2017-03-21 39 29 0 0 10 19 USD partially_refunded",
        "woocommerce main 727 2017-03-22 29.35 18 0 1.35 10 0 USD paid",
    ]


def as_text(row: dict[str, Any]) -> str:
    """Return the values as a person writes them: no zeros at the end of an amount."""
    return " ".join(
        f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
        for value in row.values()
    )


def test_a_guest_of_the_shop_has_no_id_in_the_facts(project: Project) -> None:
    rows = project.query("select order_id, customer_id from analytics.fct_published__orders")

    assert {row["order_id"]: row["customer_id"] for row in rows} == {
        "450789469": "207119551",
        "45": "210684523",
        "723": "26",
        "727": None,
    }


def test_an_advertising_report_in_the_events_is_nobodys_session(project: Project) -> None:
    assert project.value("select count(*) from intermediate.int_published__amplitude_events") == 2
    assert project.value("select count(*) from analytics.fct_published__sessions") == 0
