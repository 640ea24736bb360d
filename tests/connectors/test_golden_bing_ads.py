"""Microsoft's records, written by hand, become the facts that a person reads in them.

Sources: Microsoft Advertising Reporting API v13 (AdPerformanceReportRequest, a file of texts) and
Campaign Management API v13; the records of `imported` are typed as Airbyte's source-bing-ads does.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

ACCOUNT = "1350000001"
OTHER_ACCOUNT = "1350000002"
CAMPAIGN = "353468743"
AD_GROUP = "1256940123456789"
AD = "78559123456789"

PHONE = {
    "TimePeriod": "2024-03-10",
    "AccountId": ACCOUNT,
    "CurrencyCode": "CAD",
    "CampaignId": CAMPAIGN,
    "AdGroupId": AD_GROUP,
    "AdId": AD,
    "DeviceType": "Smartphone",
    "DeviceOS": "iOS",
    "Network": "Bing and Yahoo! search",
    "TopVsOther": "Bing and Yahoo! search - Top",
    "DeliveredMatchType": "Exact",
    "Impressions": "1209",
    "Clicks": "37",
    "Ctr": "3.06%",
    "Spend": "41.87",
    "AverageCpc": "1.13",
    "Conversions": "2",
    "ConversionsQualified": "2.40",
    "AllConversions": "9",
    "Revenue": "180.05",
    "AllRevenue": "999.00",
}
AD_PERFORMANCE = [
    PHONE,
    # the same ad and day on another device
    {
        **PHONE,
        "DeviceType": "Computer",
        "DeviceOS": "Windows",
        "Impressions": "10",
        "Clicks": "0",
        "Spend": "0.00",
        "AverageCpc": "--",
        "Conversions": "1",
        "ConversionsQualified": "0.85",
        "Revenue": "20.00",
    },
    # the same device, lower on the page
    {
        **PHONE,
        "TopVsOther": "Bing and Yahoo! search - Other",
        "Impressions": "5",
        "Clicks": "1",
        "Spend": "0.13",
        "Conversions": "0",
        "ConversionsQualified": "0.00",
        "Revenue": "0.00",
    },
    # the night in which the account's clocks change is one day; no conversions in this report
    {
        "TimePeriod": "2024-03-11",
        "AccountId": ACCOUNT,
        "CampaignId": CAMPAIGN,
        "AdGroupId": AD_GROUP,
        "AdId": AD,
        "Impressions": "8",
        "Clicks": "1",
        "Spend": "0.07",
    },
]
CAMPAIGNS = [
    {
        "AccountId": ACCOUNT,
        "Id": CAMPAIGN,
        "Name": "Brand",
        "Status": "BudgetPaused",
        "CampaignType": "Search",
        "BudgetType": "DailyBudgetStandard",
        "DailyBudget": 25.5,
        "TimeZone": "PacificTimeUSCanadaTijuana",
        "UseCampaignLevelDates": True,
        "StartDate": "2024-03-01",
        "EndDate": "2024-04-30",
    },
    # its budget is a shared one
    {
        "AccountId": ACCOUNT,
        "Id": "353468744",
        "Name": "Generic",
        "Status": "Deleted",
        "CampaignType": "Audience",
        "DailyBudget": 100.0,
        "BudgetId": "8177543",
    },
]

AIRBYTE_REPORT = [
    {
        "TimePeriod": "2024-03-10",
        "AccountId": 1350000002,
        "CurrencyCode": "USD",
        "CampaignId": 353468743,
        "AdGroupId": 1256940123456789,
        "AdId": 78559123456789,
        "DeviceType": "Smartphone",
        "Impressions": 100,
        "Clicks": 3,
        "Spend": 4.1,
        "Conversions": 2.0,
        "Revenue": 12.34,
    }
]
# the account of a request that its loader did not add to the record
AIRBYTE_CAMPAIGN = {
    "Id": 353468743.0,
    "BudgetId": 0.0,
    "Name": "Brand",
    "Status": "Active",
    "CampaignType": "Search",
    "DailyBudget": 12.75,
}

LANDINGS = [
    ("main", "native", "ad_performance_report", AD_PERFORMANCE),
    ("main", "native", "campaigns", CAMPAIGNS),
    ("imported", "airbyte", "ad_performance_report", AIRBYTE_REPORT),
    ("imported", "airbyte", "campaigns", [AIRBYTE_CAMPAIGN]),
]
CONNECTIONS = {
    "main": {
        "accounts": [ACCOUNT],
        "timezone": "America/Vancouver",
        "currency": "EUR",
        "attribution_window": "30d_click",
    },
    "imported": {"accounts": [OTHER_ACCOUNT], "timezone": "America/Los_Angeles"},
}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("bing_ads") / "project")
    sources = {"bing_ads": {"connections": CONNECTIONS}}
    project.configure({TENANT: golden_tenant(sources, reporting_timezone="Australia/Sydney")})
    for connection, loader, object_, records in LANDINGS:
        landed = project.land_records(
            TENANT, "bing_ads", object_, records, "--loader", loader, "--connection", connection
        )
        assert not [table for table in landed["tables"] if table["quarantined"]]
    project.run()
    return GoldenFacts(project)


FIGURES = ("spend", "impressions", "clicks", "conversions", "conversion_value")


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in FIGURES)


def ad_day(facts: GoldenFacts, connection: str, day: str) -> dict[str, Any]:
    (row,) = facts.rows(
        "ad_performance", f"connection = '{connection}' and report_date = date '{day}'"
    )
    return row


def test_the_rows_of_devices_and_places_add_up_in_whole_units_of_money(facts: GoldenFacts) -> None:
    row = ad_day(facts, "main", "2024-03-10")

    assert (row["account_id"], row["campaign_id"]) == (ACCOUNT, CAMPAIGN)
    assert (row["ad_group_id"], row["ad_id"], row["grain"]) == (AD_GROUP, AD, "ad")
    assert figures(row) == (
        Decimal("42.000000"),
        1224,
        38,
        Decimal("3.250000"),
        Decimal("200.050000"),
    )


def test_a_report_without_conversions_saw_none(facts: GoldenFacts) -> None:
    row = ad_day(facts, "main", "2024-03-11")

    assert figures(row) == (Decimal("0.070000"), 8, 1, Decimal(0), Decimal(0))


def test_the_whole_number_of_conversions_counts_where_there_is_no_qualified_one(
    facts: GoldenFacts,
) -> None:
    row = ad_day(facts, "imported", "2024-03-10")

    assert figures(row) == (
        Decimal("4.100000"),
        100,
        3,
        Decimal("2.000000"),
        Decimal("12.340000"),
    )
    assert (row["ad_group_id"], row["ad_id"]) == (AD_GROUP, AD)


def test_currency_is_the_report_s_and_the_zone_is_the_connection_s(facts: GoldenFacts) -> None:
    described = [
        (row["report_date"], row["currency"], row["account_timezone"], row["attribution_setting"])
        for row in facts.rows("ad_performance", "connection = 'main'")
    ]

    assert described == [
        (date(2024, 3, 10), "CAD", "America/Vancouver", "30d_click"),
        # this report was landed without its currency
        (date(2024, 3, 11), "EUR", "America/Vancouver", "30d_click"),
    ]


def test_a_campaign_has_its_own_budget_in_units_and_a_status_of_three(facts: GoldenFacts) -> None:
    brand, generic = facts.rows("campaigns", "connection = 'main'")

    assert (brand["campaign_id"], brand["status"]) == (CAMPAIGN, "paused")
    assert (brand["daily_budget"], brand["currency"]) == (Decimal("25.500000"), "CAD")
    assert (brand["start_date"], brand["end_date"]) == (date(2024, 3, 1), date(2024, 4, 30))
    assert (generic["campaign_id"], generic["status"]) == ("353468744", "removed")
    assert generic["daily_budget"] is None


def test_an_id_that_a_loader_made_a_double_still_names_the_campaign(facts: GoldenFacts) -> None:
    (row,) = facts.rows("campaigns", "connection = 'imported'")

    assert (row["campaign_id"], row["account_id"]) == (CAMPAIGN, OTHER_ACCOUNT)
    assert (row["daily_budget"], row["status"]) == (Decimal("12.750000"), "active")
    assert row["campaign_id"] == ad_day(facts, "imported", "2024-03-10")["campaign_id"]
