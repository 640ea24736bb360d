"""Google's records, written by hand, become the facts that a person reads in them.

Sources: Google Ads API, `searchStream` rows of ad_group_ad, campaign and customer (64-bit integers
are strings, money is micros); the row of 2023-12-31 is one that Airbyte published with its
source-google-ads (stream ad_group_ad_legacy).
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

ACCOUNT = "4651612872"
SEARCH = "20643300404"
PERFORMANCE_MAX = "20999999999"
AD_GROUP = "155311392438"
OTHER_AD_GROUP = "155311392439"
AD = "676665180945"


def customer() -> dict[str, Any]:
    return {"resourceName": f"customers/{ACCOUNT}", "id": ACCOUNT}


def ad_row(ad_group: str, network: str, device: str, metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "customer": customer(),
        "campaign": {"id": SEARCH, "name": "mm_search_brand"},
        "adGroup": {"id": ad_group},
        "adGroupAd": {"ad": {"id": AD}},
        "metrics": metrics,
        "segments": {"date": "2024-03-01", "adNetworkType": network, "device": device},
    }


def campaign_row(
    campaign: dict[str, Any],
    *,
    day: str | None = None,
    network: str = "SEARCH",
    metrics: dict[str, Any] | None = None,
    budget: dict[str, Any] | None = None,
) -> dict[str, Any]:
    row = {
        "customer": customer(),
        "campaign": {"resourceName": f"customers/{ACCOUNT}/campaigns/{campaign['id']}", **campaign},
        "campaignBudget": budget or {"amountMicros": "25500000", "period": "DAILY"},
    }
    if day:
        row["segments"] = {"date": day, "adNetworkType": network}
        row["metrics"] = metrics
    return row


AD_PERFORMANCE = [
    ad_row(
        AD_GROUP,
        "SEARCH",
        "MOBILE",
        {
            "costMicros": "168080000",
            "impressions": "163",
            "clicks": "30",
            "conversions": 6.623899,
            "conversionsValue": 662.3899,
            "allConversions": 145.017621,
            "allConversionsValue": 800.783622,
            "viewThroughConversions": "5",
        },
    ),
    # the same ad and day on another device, for a cost of one micro
    ad_row(
        AD_GROUP,
        "SEARCH",
        "DESKTOP",
        {
            "costMicros": "1",
            "impressions": "37",
            "clicks": "1",
            "conversions": 0.376101,
            "conversionsValue": 37.6101,
        },
    ),
    # and on another network; a client that drops defaults left clicks and conversions out
    ad_row(AD_GROUP, "CONTENT", "MOBILE", {"costMicros": "2500000", "impressions": "800"}),
    # an ad's id is unique only in its ad group
    ad_row(
        OTHER_AD_GROUP,
        "SEARCH",
        "MOBILE",
        {"costMicros": "10000", "impressions": "1", "clicks": "0", "conversions": 0.0},
    ),
]

_SEARCH = {
    "id": SEARCH,
    "name": "mm_search_brand",
    "status": "ENABLED",
    "advertisingChannelType": "SEARCH",
    "startDateTime": "2024-02-28 00:00:00",
    "endDateTime": "2037-12-30 23:59:59",
}
_PERFORMANCE_MAX = {
    "id": PERFORMANCE_MAX,
    "name": "Everything",
    "status": "ENABLED",
    "advertisingChannelType": "PERFORMANCE_MAX",
    "startDate": "2024-01-15",
    "endDate": "2024-06-30",
}
CAMPAIGNS = [
    campaign_row(_SEARCH),
    # its day once more, at the grain of campaigns: all of it is in the ads' report
    campaign_row(
        _SEARCH,
        day="2024-03-01",
        metrics={"costMicros": "170590001", "impressions": "1001", "conversions": 7.0},
    ),
    campaign_row(
        _PERFORMANCE_MAX,
        day="2024-03-01",
        network="SEARCH",
        metrics={
            "costMicros": "40000000",
            "impressions": "900",
            "clicks": "9",
            "conversions": 1.25,
            "conversionsValue": 99.5,
        },
    ),
    campaign_row(
        _PERFORMANCE_MAX,
        day="2024-03-01",
        network="CONTENT",
        metrics={"costMicros": "2500000", "impressions": "100", "clicks": "1"},
    ),
    # the next day it is paused and has another name
    campaign_row(
        {**_PERFORMANCE_MAX, "name": "Everything, spring", "status": "PAUSED"},
        day="2024-03-02",
        metrics={"costMicros": "1000000", "impressions": "7", "clicks": "0"},
    ),
    campaign_row(
        {"id": "20777777777", "name": "Old", "status": "REMOVED"},
        budget={"amountMicros": "99000000", "period": "DAILY", "explicitlyShared": True},
    ),
]
CUSTOMERS = [
    {
        "customer": {
            **customer(),
            "descriptiveName": "Demo",
            "currencyCode": "EUR",
            "timeZone": "Europe/Berlin",
            "manager": False,
        }
    }
]

AIRBYTE_AD = {
    "ad_group.id": 155311392438,
    "customer.currency_code": "USD",
    "customer.time_zone": "America/Los_Angeles",
    "segments.ad_network_type": "SEARCH",
    "campaign.id": 20643300404,
    "campaign.status": "PAUSED",
    "customer.id": 4651612872,
    "ad_group_ad.ad.id": 676665180945,
    "metrics.view_through_conversions": 0,
    "metrics.all_conversions": 145.017621,
    "metrics.all_conversions_value": 800.783622,
    "metrics.average_cpc": 5602666.666666667,
    "metrics.clicks": 30,
    "metrics.conversions": 6.623899,
    "metrics.conversions_value": 662.3899,
    "metrics.cost_micros": 168080000,
    "metrics.impressions": 163,
    "segments.date": "2023-12-31",
}


def airbyte_campaign(hour: int, cost_micros: int, clicks: int) -> dict[str, Any]:
    """Return an hour of a campaign: the account stands in its resource name alone."""
    return {
        "campaign.id": 20999999999,
        "campaign.name": "Everything",
        "campaign.status": "ENABLED",
        "campaign.resource_name": f"customers/{ACCOUNT}/campaigns/20999999999",
        "campaign_budget.amount_micros": 12340000,
        "campaign.start_date_time": "2023-12-01 00:00:00",
        "metrics.cost_micros": cost_micros,
        "metrics.clicks": clicks,
        "metrics.impressions": 10,
        "metrics.conversions": 0.5,
        "metrics.conversions_value": 4.25,
        "segments.date": "2023-12-31",
        "segments.hour": hour,
        "segments.ad_network_type": "MIXED",
    }


LANDINGS = [
    ("main", "native", "customers", CUSTOMERS),
    ("main", "native", "campaigns", CAMPAIGNS),
    ("main", "native", "ad_performance", AD_PERFORMANCE),
    ("imported", "airbyte", "ad_performance", [AIRBYTE_AD]),
    (
        "imported",
        "airbyte",
        "campaigns",
        [airbyte_campaign(9, 1500000, 3), airbyte_campaign(10, 250000, 1)],
    ),
]
CONNECTIONS = {
    "main": {
        "accounts": [ACCOUNT],
        "timezone": "Europe/London",
        "currency": "GBP",
        "attribution_window": "30d_click",
    },
    "imported": {"accounts": ["1", "2"], "timezone": "Asia/Tokyo", "currency": "JPY"},
}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("google_ads") / "project")
    sources = {"google_ads": {"connections": CONNECTIONS}}
    project.configure({TENANT: golden_tenant(sources, reporting_timezone="America/Los_Angeles")})
    for connection, loader, object_, records in LANDINGS:
        landed = project.land_records(
            TENANT, "google_ads", object_, records, "--loader", loader, "--connection", connection
        )
        assert not [table for table in landed["tables"] if table["quarantined"]]
    project.run()
    return GoldenFacts(project)


def ad_days(facts: GoldenFacts, connection: str) -> list[dict[str, Any]]:
    return facts.rows("ad_performance", f"connection = '{connection}'")


FIGURES = ("spend", "impressions", "clicks", "conversions", "conversion_value")


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in FIGURES)


def test_the_rows_of_networks_and_devices_add_up_to_one_ad_and_day(facts: GoldenFacts) -> None:
    row, _ = (row for row in ad_days(facts, "main") if row["grain"] == "ad")

    assert (row["report_date"], row["campaign_id"]) == (date(2024, 3, 1), SEARCH)
    assert (row["ad_group_id"], row["ad_id"]) == (AD_GROUP, AD)
    assert figures(row) == (
        Decimal("170.580001"),
        1000,
        31,
        Decimal("7.000000"),
        Decimal("700.000000"),
    )


def test_one_ad_id_in_two_ad_groups_is_two_ads(facts: GoldenFacts) -> None:
    _, other = (row for row in ad_days(facts, "main") if row["grain"] == "ad")

    assert (other["ad_group_id"], other["ad_id"]) == (OTHER_AD_GROUP, AD)
    assert figures(other) == (Decimal("0.010000"), 1, 0, Decimal(0), Decimal(0))


def test_a_campaign_without_ads_counts_by_its_own_report_and_others_only_once(
    facts: GoldenFacts,
) -> None:
    rows = [row for row in ad_days(facts, "main") if row["grain"] == "campaign"]

    assert [(row["report_date"], row["campaign_id"]) for row in rows] == [
        (date(2024, 3, 1), PERFORMANCE_MAX),
        (date(2024, 3, 2), PERFORMANCE_MAX),
    ]
    assert figures(rows[0]) == (
        Decimal("42.500000"),
        1000,
        10,
        Decimal("1.250000"),
        Decimal("99.500000"),
    )
    assert figures(rows[1]) == (Decimal("1.000000"), 7, 0, Decimal(0), Decimal(0))
    assert {(row["ad_group_id"], row["ad_id"]) for row in rows} == {(None, None)}


def test_the_account_s_money_is_in_the_facts_once(facts: GoldenFacts) -> None:
    assert sum(row["spend"] for row in ad_days(facts, "main")) == Decimal("214.090001")


def test_currency_and_zone_are_the_customer_s_where_it_is_known(facts: GoldenFacts) -> None:
    described = {
        (row["account_id"], row["currency"], row["account_timezone"], row["attribution_setting"])
        for row in ad_days(facts, "main")
    }

    assert described == {(ACCOUNT, "EUR", "Europe/Berlin", "30d_click")}


def test_a_row_that_airbyte_published_gives_the_same_facts(facts: GoldenFacts) -> None:
    (row,) = (row for row in ad_days(facts, "imported") if row["grain"] == "ad")

    assert (row["account_id"], row["report_date"]) == (ACCOUNT, date(2023, 12, 31))
    assert (row["campaign_id"], row["ad_group_id"], row["ad_id"]) == (SEARCH, AD_GROUP, AD)
    assert figures(row) == (
        Decimal("168.080000"),
        163,
        30,
        Decimal("6.623899"),
        Decimal("662.389900"),
    )
    assert (row["currency"], row["account_timezone"]) == ("USD", "America/Los_Angeles")


def test_hours_add_up_and_the_account_is_read_from_the_resource_name(facts: GoldenFacts) -> None:
    (row,) = (row for row in ad_days(facts, "imported") if row["grain"] == "campaign")

    assert (row["account_id"], row["campaign_id"]) == (ACCOUNT, PERFORMANCE_MAX)
    assert figures(row) == (
        Decimal("1.750000"),
        20,
        4,
        Decimal("1.000000"),
        Decimal("8.500000"),
    )
    # this connection landed no customers
    assert (row["currency"], row["account_timezone"]) == ("JPY", "Asia/Tokyo")


def test_a_campaign_is_one_row_with_what_its_latest_day_says(facts: GoldenFacts) -> None:
    rows = facts.rows("campaigns", "connection = 'main'")

    described = ("campaign_id", "campaign_name", "status", "objective", "start_date", "end_date")
    assert [tuple(row[name] for name in described) for row in rows] == [
        (SEARCH, "mm_search_brand", "active", "SEARCH", date(2024, 2, 28), None),
        ("20777777777", "Old", "removed", None, None, None),
        (
            PERFORMANCE_MAX,
            "Everything, spring",
            "paused",
            "PERFORMANCE_MAX",
            date(2024, 1, 15),
            date(2024, 6, 30),
        ),
    ]


def test_budgets_are_micros_and_a_shared_one_is_no_campaign_s_own(facts: GoldenFacts) -> None:
    budgets = {
        (row["connection"], row["campaign_id"]): (row["daily_budget"], row["currency"])
        for row in facts.rows("campaigns")
    }

    assert budgets == {
        ("imported", PERFORMANCE_MAX): (Decimal("12.340000"), "JPY"),
        ("main", SEARCH): (Decimal("25.500000"), "EUR"),
        ("main", PERFORMANCE_MAX): (Decimal("25.500000"), "EUR"),
        ("main", "20777777777"): (None, "EUR"),
    }
    (imported,) = facts.rows("campaigns", "connection = 'imported'")
    assert imported["account_id"] == ACCOUNT
