"""Records of LinkedIn Ads, written by hand, and the facts that a person reads in them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes and figures: Marketing API, adCampaignGroups, adCampaigns and adAnalytics (pivots CREATIVE,
# CAMPAIGN, CAMPAIGN_GROUP); airbyte-source-linkedin-ads 5.4.1, whose published records have the
# ids 252074216 and 508720451 and the costs 99.99999999999996 and -2e-18.
ACCOUNT = "urn:li:sponsoredAccount:508720451"
DAY = {"year": 2024, "month": 3, "day": 5}


def amount(value: str) -> dict[str, str]:
    return {"amount": value, "currencyCode": "GBP"}


def urn(kind: str, entity: int) -> str:
    return f"urn:li:sponsored{kind}:{entity}"


def native_row(pivots: list[str], day: dict[str, int] = DAY, **metrics: Any) -> dict[str, Any]:
    return {
        "dateRange": {"start": day, "end": day},
        "pivotValues": pivots,
        "sponsoredAccount": ACCOUNT,
        **metrics,
    }


def creative(entity: int, campaign: int, group: int, **metrics: Any) -> dict[str, Any]:
    pivots = [urn("Creative", entity), urn("Campaign", campaign), urn("CampaignGroup", group)]
    return native_row(pivots, **metrics)


def campaign(entity: int, group: int, **metrics: Any) -> dict[str, Any]:
    return native_row([urn("Campaign", entity), urn("CampaignGroup", group)], **metrics)


CAMPAIGN_GROUPS = [
    # The end is the first moment after the last day. The budget of the whole run is no daily one.
    {
        "id": 601234567,
        "account": ACCOUNT,
        "name": 'Brand\'s "Größe" — Q1',
        "status": "ACTIVE",
        "objectiveType": "LEAD_GENERATION",
        "runSchedule": {"start": 1709251200000, "end": 1711929600000},
        "dailyBudget": amount("75.50"),
        "totalBudget": amount("2000.00"),
    },
    {
        "id": 601234568,
        "account": ACCOUNT,
        "name": "Old",
        "status": "PENDING_DELETION",
        "runSchedule": {"start": 1709251200000},
        "totalBudget": amount("500"),
    },
    {"id": 601234569, "account": ACCOUNT, "name": "New", "status": "DRAFT"},
]
CAMPAIGNS = [
    {
        "id": entity,
        "campaignGroup": urn("CampaignGroup", group),
        "account": ACCOUNT,
        "dailyBudget": amount("25.00"),
    }
    for entity, group in ((252074216, 601234567), (252074217, 601234567), (252074218, 601234568))
]
AD_ANALYTICS = [
    # US dollars are LinkedIn's conversion, post-click and post-view parts of the conversions.
    creative(
        131,
        252074216,
        601234567,
        costInLocalCurrency="99.99999999999996",
        costInUsd="126.40",
        impressions=4000,
        clicks=40,
        landingPageClicks=31,
        externalWebsiteConversions=5,
        externalWebsitePostClickConversions=3,
        externalWebsitePostViewConversions=2,
        oneClickLeads=2,
        conversionValueInLocalCurrency="350.10",
        viralImpressions=900,
    ),
    # What did not happen is missing, and a cost of nothing is noise below zero.
    creative(132, 252074216, 601234567, costInLocalCurrency="-2e-18", impressions=12),
    creative(
        131,
        252074216,
        601234567,
        day={"year": 2024, "month": 12, "day": 31},
        costInLocalCurrency="12.5",
        impressions=100,
        clicks=1,
    ),
]
BY_CAMPAIGN = [
    # The money of the two creatives above once more.
    campaign(
        252074216,
        601234567,
        costInLocalCurrency="99.99999999999996",
        impressions=4012,
        clicks=40,
        externalWebsiteConversions=5,
        oneClickLeads=2,
        conversionValueInLocalCurrency="350.10",
    ),
    # Campaigns whose creatives LinkedIn no longer returns: one beside them, one in another group.
    campaign(252074217, 601234567, costInLocalCurrency="8.40", impressions=84, clicks=2),
    campaign(252074218, 601234568, costInLocalCurrency="30.25", impressions=300, oneClickLeads=1),
]


def airbyte_row(pivot: str, day: str = "2024-03-05", **metrics: float) -> dict[str, Any]:
    return {
        "start_date": day,
        "end_date": day,
        "pivotValues": [pivot],
        "string_of_pivot_values": pivot,
        **metrics,
    }


# Airbyte asks for one pivot, makes every metric a float and leaves the account out.
AIRBYTE = {
    "campaigns": [
        {
            "id": 352074216,
            "campaignGroup": urn("CampaignGroup", 701234567),
            "created": "2023-01-02T03:04:05+00:00",
            "dailyBudget": {"amount": "25.00", "currencyCode": "CHF"},
        }
    ],
    "ad_analytics": [
        airbyte_row(urn("Creative", 231), costInLocalCurrency=70.0, impressions=700.0),
        airbyte_row(urn("Creative", 232), costInLocalCurrency=29.99999999999996),
        airbyte_row(urn("Creative", 231), "2024-03-06", costInLocalCurrency=11.5, clicks=4.0),
    ],
    "ad_analytics_by_campaign": [
        airbyte_row(
            urn("Campaign", 352074216),
            costInLocalCurrency=99.99999999999996,
            impressions=900.0,
            externalWebsiteConversions=3.0,
        )
    ],
}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("linkedin_ads") / "project")
    connections = {
        "main": {"timezone": "UTC", "currency": "USD", "attribution_window": "30d_click"},
        "airbyte": {"accounts": ["508720452"], "timezone": "UTC", "currency": "SEK"},
    }
    tenant = golden_tenant(
        {"linkedin_ads": {"connections": connections}}, reporting_timezone="Asia/Tokyo"
    )
    project.configure({TENANT: tenant})
    native = {
        "campaign_groups": CAMPAIGN_GROUPS,
        "campaigns": CAMPAIGNS,
        "ad_analytics": AD_ANALYTICS,
        "ad_analytics_by_campaign": BY_CAMPAIGN,
    }
    for connection, loader, objects in (
        ("main", "native", native),
        ("airbyte", "airbyte", AIRBYTE),
    ):
        for object_, rows in objects.items():
            project.land_records(
                TENANT, "linkedin_ads", object_, rows,
                "--loader", loader, "--connection", connection,
            )  # fmt: skip
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def ads(facts: GoldenFacts) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = facts.rows("ad_performance", "connection = 'main'")
    return {(row["report_date"], row["ad_group_id"], row["ad_id"]): row for row in rows}


MARCH_5 = date(2024, 3, 5)


def test_a_group_is_a_campaign_a_campaign_an_ad_group_and_a_creative_an_ad(
    ads: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    row = ads[MARCH_5, "252074216", "131"]

    assert (row["campaign_id"], row["ad_group_id"], row["ad_id"]) == (
        "601234567",
        "252074216",
        "131",
    )
    assert row["account_id"] == "508720451"
    assert row["grain"] == "ad"


def test_cost_is_local_and_rounded_to_what_it_means(
    ads: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    spend = {ad: ads[MARCH_5, "252074216", ad]["spend"] for ad in ("131", "132")}

    assert spend == {"131": Decimal("100.00"), "132": Decimal("0.00")}


def test_conversions_are_those_of_the_website_and_of_forms_each_once(
    ads: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    row = ads[MARCH_5, "252074216", "131"]

    assert row["conversions"] == Decimal(7)
    assert row["conversion_value"] == Decimal("350.10")
    assert (row["impressions"], row["clicks"]) == (4000, 40)


def test_a_metric_that_a_row_leaves_out_did_not_happen(
    ads: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    row = ads[MARCH_5, "252074216", "132"]

    assert (row["impressions"], row["clicks"]) == (12, 0)
    assert (row["conversions"], row["conversion_value"]) == (Decimal(0), Decimal(0))


def test_the_report_by_campaign_counts_only_where_no_creative_is_reported(
    ads: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    of_the_day = {key[1:]: row for key, row in ads.items() if key[0] == MARCH_5}

    assert {key: (row["grain"], row["spend"]) for key, row in of_the_day.items()} == {
        ("252074216", "131"): ("ad", Decimal("100.00")),
        ("252074216", "132"): ("ad", Decimal("0.00")),
        ("252074217", None): ("ad_group", Decimal("8.40")),
        ("252074218", None): ("ad_group", Decimal("30.25")),
    }
    assert of_the_day["252074218", None]["campaign_id"] == "601234568"
    assert of_the_day["252074218", None]["conversions"] == Decimal(1)


def test_a_day_is_linkedins_own_and_never_shifted(
    ads: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    assert sorted({key[0] for key in ads}) == [MARCH_5, date(2024, 12, 31)]
    assert {row["account_timezone"] for row in ads.values()} == {"UTC"}


def test_the_currency_is_that_of_the_campaigns(
    ads: dict[tuple[Any, ...], dict[str, Any]],
) -> None:
    assert {row["currency"] for row in ads.values()} == {"GBP"}
    assert {row["attribution_setting"] for row in ads.values()} == {"30d_click"}


def test_airbytes_creatives_count_only_on_days_without_a_report_by_campaign(
    facts: GoldenFacts,
) -> None:
    columns = (
        "account_id", "report_date", "campaign_id", "ad_group_id", "ad_id", "grain", "spend",
        "impressions", "clicks", "conversions", "currency",
    )  # fmt: skip
    rows = facts.rows("ad_performance", "connection = 'airbyte'")

    assert sorted([tuple(row[name] for name in columns) for row in rows], key=lambda r: r[1]) == [
        ("508720452", MARCH_5, "701234567", "352074216", None, "ad_group",
         Decimal("100.00"), 900, 0, Decimal(3), "CHF"),
        ("508720452", date(2024, 3, 6), None, None, "231", "ad",
         Decimal("11.50"), 0, 4, Decimal(0), "SEK"),
    ]  # fmt: skip


def test_campaigns_are_the_groups_with_their_daily_budget_and_last_day(facts: GoldenFacts) -> None:
    columns = ("account_id", "campaign_name", "status", "start_date", "end_date", "daily_budget")
    rows = {row["campaign_id"]: row for row in facts.rows("campaigns")}

    assert {number: tuple(row[name] for name in columns) for number, row in rows.items()} == {
        "601234567": ("508720451", "Brand's \"Größe\" — Q1", "active",
                      date(2024, 3, 1), date(2024, 3, 31), Decimal("75.50")),
        "601234568": ("508720451", "Old", "removed", date(2024, 3, 1), None, None),
        "601234569": ("508720451", "New", "draft", None, None, None),
    }  # fmt: skip
    assert rows["601234567"]["objective"] == "LEAD_GENERATION"
    assert (rows["601234568"]["currency"], rows["601234569"]["currency"]) == ("GBP", "USD")
