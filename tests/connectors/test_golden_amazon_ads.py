"""Records of Amazon Ads, written by hand, and the facts that a person reads in them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes: Sponsored Products API v3 (/sp/campaigns/list: ids are strings, such as
# '135264288913079'), Reporting API v3 (spAdvertisedProduct: ids are numbers), and
# airbyte-source-amazon-ads (no profile in entities, `reportDate` in reports).
PROFILE = 3_602_288_899_547_879


def windows(name: str, *figures: float) -> dict[str, float]:
    return {f"{name}{days}d": figure for days, figure in zip((1, 7, 14, 30), figures, strict=True)}


def product_day(**fields: Any) -> dict[str, Any]:
    """Return a row of the advertised product report whose windows all differ, but for `fields`."""
    return {
        "profileId": PROFILE,
        "date": "2024-03-05",
        "campaignId": 135264288913079,
        "adGroupId": 183961953969922,
        "adId": 260429526193452,
        "impressions": 1830,
        "clicks": 21,
        "cost": 12.34,
        "campaignBudgetCurrencyCode": "GBP",
        "campaignBudgetAmount": 50.0,
        **windows("purchases", 1, 2, 4, 8),
        **windows("sales", 10.1, 20.2, 40.4, 80.8),
        **windows("purchasesSameSku", 1, 1, 3, 5),
        **windows("attributedSalesSameSku", 5.05, 10.1, 30.3, 50.5),
        **windows("unitsSoldClicks", 2, 3, 6, 12),
        **fields,
    }


def campaign(campaign_id: str, **fields: Any) -> dict[str, Any]:
    return {"campaignId": campaign_id, "name": f"SP {campaign_id}", "state": "ENABLED", **fields}


CAMPAIGNS = [
    # A budget rule raises the effective budget; the budget is what was set.
    campaign(
        "135264288913079",
        profileId=PROFILE,
        startDate="2024-03-01",
        endDate="2024-03-31",
        budget={"budget": 50.25, "budgetType": "DAILY", "effectiveBudget": 75.0},
    ),
    # Version 2 wrote states in lower case and dates without dashes.
    campaign("135264288913080", profileId=PROFILE, state="paused", startDate="20240229"),
    campaign("135264288913081", profileId=PROFILE, state="ARCHIVED"),
]
# Metrics do not stand in the product ads; one that does not advertise is no fact.
PRODUCT_ADS = [
    {
        "adId": "260429526193453",
        "campaignId": "135264288913079",
        "adGroupId": "183961953969922",
        "asin": "B09XYZ1234",
        "state": "ENABLED",
    }
]
REPORT = [
    product_day(),
    # Impressions only: nothing was bought, in whichever window.
    {
        "profileId": PROFILE,
        "date": "2024-03-06",
        "campaignId": 135264288913079,
        "adGroupId": 183961953969922,
        "adId": 260429526193452,
        "impressions": 7,
        "clicks": 0,
        "cost": 0.0,
        "campaignBudgetCurrencyCode": "GBP",
    },
]
NATIVE = {
    "sponsored_products_campaigns": CAMPAIGNS,
    "sponsored_products_product_ads": PRODUCT_ADS,
    "sponsored_products_advertised_product_report": REPORT,
}
AIRBYTE = {
    "sponsored_products_campaigns": [
        campaign("135264288913079", budget={"budget": 80.0, "budgetType": "DAILY"}),
        campaign("135264288913099"),
    ],
    "sponsored_products_advertised_product_report": [
        product_day(
            date=None,
            reportDate="20240307",
            profileId=PROFILE + 1,
            campaignBudgetCurrencyCode="EUR",
            cost=None,
            spend=3.21,
        )
    ],
}
MONTHLY = {
    "sponsored_products_advertised_product_report": [
        product_day(profileId=None, campaignBudgetCurrencyCode=None)
    ]
}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("amazon_ads") / "project")
    connections = {
        "main": {"timezone": "Europe/London", "attribution_window": "7d"},
        # without a window of its own
        "vendor": {"accounts": ["777"], "timezone": "Europe/Berlin"},
        "monthly": {"accounts": ["888"], "attribution_window": "30d", "currency": "JPY"},
    }
    tenant = golden_tenant(
        {"amazon_ads": {"connections": connections}}, reporting_timezone="America/Los_Angeles"
    )
    project.configure({TENANT: tenant})
    for connection, loader, objects in (
        ("main", "native", NATIVE),
        ("vendor", "airbyte", AIRBYTE),
        ("monthly", "native", MONTHLY),
    ):
        for object_, rows in objects.items():
            project.land_records(
                TENANT, "amazon_ads", object_, rows, "--loader", loader, "--connection", connection
            )
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def days(facts: GoldenFacts) -> dict[tuple[str, date], dict[str, Any]]:
    return {(row["connection"], row["report_date"]): row for row in facts.rows("ad_performance")}


MAIN = ("main", date(2024, 3, 5))
QUIET = ("main", date(2024, 3, 6))
VENDOR = ("vendor", date(2024, 3, 7))
MONTH = ("monthly", date(2024, 3, 5))


def test_every_fact_is_a_row_of_the_report_on_its_own_day(
    days: dict[tuple[str, date], dict[str, Any]],
) -> None:
    assert sorted(days) == sorted([MAIN, QUIET, VENDOR, MONTH])
    assert {row["grain"] for row in days.values()} == {"ad"}
    assert days[MAIN]["account_timezone"] == "Europe/London"


def test_money_is_in_major_units_of_the_marketplaces_currency(
    days: dict[tuple[str, date], dict[str, Any]],
) -> None:
    spend = {key: (row["spend"], row["currency"]) for key, row in days.items()}

    assert spend == {
        MAIN: (Decimal("12.34"), "GBP"),
        QUIET: (Decimal("0.00"), "GBP"),
        VENDOR: (Decimal("3.21"), "EUR"),
        MONTH: (Decimal("12.34"), "JPY"),
    }
    assert (days[MAIN]["impressions"], days[MAIN]["clicks"]) == (1830, 21)


def test_one_window_is_read_the_connections_or_fourteen_days(
    days: dict[tuple[str, date], dict[str, Any]],
) -> None:
    columns = ("attribution_setting", "conversions", "conversion_value")
    counted = {key: tuple(row[name] for name in columns) for key, row in days.items()}

    assert counted == {
        MAIN: ("7d", Decimal(2), Decimal("20.20")),
        QUIET: ("7d", Decimal(0), Decimal("0.00")),
        VENDOR: ("14d", Decimal(4), Decimal("40.40")),
        MONTH: ("30d", Decimal(8), Decimal("80.80")),
    }


def test_ids_are_texts_and_meet_those_of_the_entities(facts: GoldenFacts) -> None:
    (row,) = facts.project.query(
        "select f.ad_group_id, f.ad_id, f.account_id, c.campaign_name "
        "from analytics.fct_golden__ad_performance as f "
        "inner join analytics.dim_golden__campaigns as c "
        "using (connection, account_id, campaign_id) "
        "where f.connection = 'main' and f.report_date = date '2024-03-05'"
    )

    assert row == {
        "ad_group_id": "183961953969922",
        "ad_id": "260429526193452",
        "account_id": "3602288899547879",
        "campaign_name": "SP 135264288913079",
    }


def test_a_row_without_a_profile_belongs_to_the_connections_only_account(
    days: dict[tuple[str, date], dict[str, Any]],
) -> None:
    assert days[MONTH]["account_id"] == "888"
    assert days[VENDOR]["account_id"] == "3602288899547880"


def test_campaigns_have_the_budget_that_was_set_and_one_spelling_of_state(
    facts: GoldenFacts,
) -> None:
    columns = ("account_id", "status", "start_date", "end_date", "daily_budget", "currency")
    rows = {
        row["campaign_id"]: tuple(row[name] for name in columns)
        for row in facts.rows("campaigns", "connection = 'main'")
    }

    assert rows == {
        "135264288913079": (str(PROFILE), "active", date(2024, 3, 1), date(2024, 3, 31),
                            Decimal("50.25"), "GBP"),
        "135264288913080": (str(PROFILE), "paused", date(2024, 2, 29), None, None, "USD"),
        "135264288913081": (str(PROFILE), "removed", None, None, None, "USD"),
    }  # fmt: skip


def test_a_campaign_without_a_profile_has_that_of_its_report_else_the_connections(
    facts: GoldenFacts,
) -> None:
    rows = facts.rows("campaigns", "connection = 'vendor'")

    assert {row["campaign_id"]: (row["account_id"], row["currency"]) for row in rows} == {
        "135264288913079": ("3602288899547880", "EUR"),
        "135264288913099": ("777", "USD"),
    }
