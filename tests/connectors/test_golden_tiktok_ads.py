"""Records of TikTok Ads, written by hand, and the facts that a person reads in them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes: Business API v1.3, /campaign/get/, /adgroup/get/, /ad/get/ and /report/integrated/get/
# (level AUCTION_AD); the Airbyte row is one that airbyte-source-tiktok-marketing publishes with its
# integration tests, and 7002238017842757633 an advertiser of them: as a double it ends in 632.
ADVERTISER = "7002238017842757633"
AD_GROUP = "7171700000000000113"


def campaign(campaign_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "advertiser_id": ADVERTISER,
        "campaign_name": f"Spark {campaign_id[-1]}",
        "operation_status": "ENABLE",
        "secondary_status": "CAMPAIGN_STATUS_ENABLE",
        "objective_type": "WEB_CONVERSIONS",
        "budget": 250.5,
        "budget_mode": "BUDGET_MODE_DAY",
        **fields,
    }


CAMPAIGNS = [
    campaign("7171700000000000001"),
    campaign(
        "7171700000000000003",
        operation_status="DISABLE",
        secondary_status="CAMPAIGN_STATUS_DISABLE",
        budget_mode="BUDGET_MODE_DYNAMIC_DAILY_BUDGET",
    ),
    # Deleted, although the switch still says on; its budget is for the whole run.
    campaign(
        "7171700000000000005",
        secondary_status="CAMPAIGN_STATUS_DELETE",
        budget_mode="BUDGET_MODE_TOTAL",
    ),
    campaign("7171700000000000007", budget=0.0, budget_mode="BUDGET_MODE_INFINITE"),
]
# Moments are UTC: the run begins at midnight of 1 March in Tokyo and closes with the 31st there.
# Without an end TikTok states one ten years on.
AD_GROUPS: list[dict[str, Any]] = [
    {
        "adgroup_id": AD_GROUP,
        "campaign_id": "7171700000000000001",
        "advertiser_id": ADVERTISER,
        "schedule_type": "SCHEDULE_START_END",
        "schedule_start_time": "2024-02-29 15:00:00",
        "schedule_end_time": "2024-03-31 15:00:00",
        "budget": 40.0,
        "budget_mode": "BUDGET_MODE_DAY",
    },
    {
        "adgroup_id": "7171700000000000115",
        "campaign_id": "7171700000000000001",
        "schedule_type": "SCHEDULE_START_END",
        "schedule_start_time": "2024-03-04 15:00:00",
        "schedule_end_time": "2024-03-20 15:00:00",
    },
    {
        "adgroup_id": "7171700000000000117",
        "campaign_id": "7171700000000000003",
        "schedule_type": "SCHEDULE_FROM_NOW",
        "schedule_start_time": "2024-03-01 02:00:00",
        "schedule_end_time": "2034-02-27 02:00:00",
    },
]
ADS = [
    {
        "ad_id": "7171700000000000211",
        "adgroup_id": AD_GROUP,
        "campaign_id": "7171700000000000001",
        "advertiser_id": ADVERTISER,
    }
]


def ad_day(ad_id: str, **metrics: str) -> dict[str, Any]:
    return {
        "dimensions": {"stat_time_day": "2024-03-05 00:00:00", "ad_id": ad_id},
        "metrics": metrics,
    }


REPORT = [
    # The row names neither campaign nor advertiser; the ad does. Value: 10.50 in the app, three
    # purchases of 14.33 on the website, 5.00 in TikTok's shop. The "rate" is none.
    ad_day(
        "7171700000000000211",
        spend="20.000",
        cash_spend="12.000",
        voucher_spend="8.000",
        currency="JPY",
        impressions="3977",
        clicks="45",
        ctr="1.13",
        reach="3134",
        conversion="3",
        real_time_conversion="4",
        result="5",
        total_purchase_value="10.50",
        complete_payment="3",
        value_per_complete_payment="14.33",
        total_complete_payment_rate="42.99",
        onsite_shopping="1",
        total_onsite_shopping_value="5.00",
    ),
    # '-' is not available.
    ad_day(
        "7171700000000000213",
        campaign_id="7171700000000000003",
        adgroup_id="7171700000000000117",
        advertiser_id=ADVERTISER,
        currency="-",
        spend="-",
        impressions="12",
        clicks="-",
        conversion="-",
        total_purchase_value="-",
        complete_payment="0",
        value_per_complete_payment="-",
    ),
    # In a currency of small units figures are large.
    ad_day(
        "7171700000000000215",
        campaign_id="7171700000000000003",
        adgroup_id="7171700000000000117",
        advertiser_id=ADVERTISER,
        spend="1234567.000",
        impressions="90000000",
        clicks="800000",
        conversion="2000",
        complete_payment="2000",
        value_per_complete_payment="61500.00",
    ),
]
NATIVE: dict[str, list[dict[str, Any]]] = {
    "campaigns": CAMPAIGNS,
    "ad_groups": AD_GROUPS,
    "ads": ADS,
    "ads_reports_daily": REPORT,
}
AIRBYTE: dict[str, list[dict[str, Any]]] = {
    "ads_reports_daily": [
        {
            "dimensions": {"stat_time_day": "2021-10-22 00:00:00", "ad_id": 1714073085256738},
            "metrics": {
                "conversion": "0",
                "tt_app_id": 0,
                "secondary_goal_result": None,
                "campaign_id": 1714073078669329,
                "adgroup_id": 1714073022392322,
                "reach": "0",
                "impressions": "0",
                "clicks": "0",
                "spend": "0.000",
            },
            "stat_time_day": "2021-10-22 00:00:00",
            "ad_id": 1714073085256738,
        }
    ],
    "campaigns": [{"campaign_id": 1714073078669329, "budget": 20.0, "budget_mode": "-"}],
}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("tiktok_ads") / "project")
    connections = {
        "main": {"timezone": "Asia/Tokyo", "currency": "KRW", "attribution_window": "7d_click"},
        "airbyte": {"accounts": [ADVERTISER]},
    }
    tenant = golden_tenant(
        {"tiktok_ads": {"connections": connections}}, reporting_timezone="America/Los_Angeles"
    )
    project.configure({TENANT: tenant})
    for connection, loader, objects in (
        ("main", "native", NATIVE),
        ("airbyte", "airbyte", AIRBYTE),
    ):
        for object_, rows in objects.items():
            project.land_records(
                TENANT, "tiktok_ads", object_, rows, "--loader", loader, "--connection", connection
            )
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def ads(facts: GoldenFacts) -> dict[str, dict[str, Any]]:
    return {row["ad_id"][-3:]: row for row in facts.rows("ad_performance", "connection = 'main'")}


def test_texts_become_numbers_in_major_units(ads: dict[str, dict[str, Any]]) -> None:
    columns = ("spend", "impressions", "clicks")

    assert tuple(ads["211"][name] for name in columns) == (Decimal("20.00"), 3977, 45)
    assert tuple(ads["215"][name] for name in columns) == (Decimal(1234567), 90_000_000, 800_000)


def test_what_tiktok_does_not_know_is_null_and_no_conversion_is_zero(
    ads: dict[str, dict[str, Any]],
) -> None:
    row = ads["213"]

    assert (row["spend"], row["impressions"], row["clicks"]) == (None, 12, None)
    assert (row["conversions"], row["conversion_value"]) == (Decimal(0), Decimal(0))


def test_conversions_are_counted_once_and_their_value_wherever_it_was_made(
    ads: dict[str, dict[str, Any]],
) -> None:
    assert ads["211"]["conversions"] == Decimal(3)
    assert ads["211"]["conversion_value"] == Decimal("58.49")
    assert ads["215"]["conversion_value"] == Decimal(123_000_000)


def test_ids_beyond_two_to_the_53_keep_their_last_digits(ads: dict[str, dict[str, Any]]) -> None:
    columns = ("account_id", "campaign_id", "ad_group_id", "ad_id")

    assert tuple(ads["213"][name] for name in columns) == (
        "7002238017842757633",
        "7171700000000000003",
        "7171700000000000117",
        "7171700000000000213",
    )


def test_a_row_that_names_only_its_ad_has_the_rest_from_the_ad(
    ads: dict[str, dict[str, Any]],
) -> None:
    columns = ("account_id", "campaign_id", "ad_group_id", "grain")

    assert tuple(ads["211"][name] for name in columns) == (
        "7002238017842757633",
        "7171700000000000001",
        "7171700000000000113",
        "ad",
    )


def test_the_day_is_the_advertisers_and_never_shifted(ads: dict[str, dict[str, Any]]) -> None:
    assert {row["report_date"] for row in ads.values()} == {date(2024, 3, 5)}
    assert {row["account_timezone"] for row in ads.values()} == {"Asia/Tokyo"}


def test_the_currency_is_the_rows_else_the_connections(ads: dict[str, dict[str, Any]]) -> None:
    assert {name: row["currency"] for name, row in ads.items()} == {
        "211": "JPY",
        "213": "KRW",
        "215": "KRW",
    }
    assert {row["attribution_setting"] for row in ads.values()} == {"7d_click"}


def test_airbytes_numbers_are_the_same_ids(facts: GoldenFacts) -> None:
    (row,) = facts.rows("ad_performance", "connection = 'airbyte'")

    assert row["report_date"] == date(2021, 10, 22)
    assert row["account_id"] == ADVERTISER
    assert (row["campaign_id"], row["ad_group_id"]) == ("1714073078669329", "1714073022392322")
    assert row["ad_id"] == "1714073085256738"
    assert (row["spend"], row["impressions"], row["currency"]) == (Decimal("0.000"), 0, "USD")


def test_only_a_daily_budget_is_a_daily_budget(facts: GoldenFacts) -> None:
    rows = facts.rows("campaigns")

    assert {row["campaign_id"][-2:]: row["daily_budget"] for row in rows} == {
        "01": Decimal("250.50"),
        "03": Decimal("250.50"),
        "05": None,
        "07": None,
        "29": None,
    }


def test_a_deleted_campaign_is_removed_whatever_its_switch_says(facts: GoldenFacts) -> None:
    rows = facts.rows("campaigns", "connection = 'main'")

    assert {row["campaign_id"][-2:]: row["status"] for row in rows} == {
        "01": "active",
        "03": "paused",
        "05": "removed",
        "07": "active",
    }


def test_a_campaign_runs_as_long_as_its_ad_groups_on_the_accounts_days(facts: GoldenFacts) -> None:
    rows = facts.rows("campaigns", "connection = 'main'")

    assert {row["campaign_id"][-2:]: (row["start_date"], row["end_date"]) for row in rows} == {
        "01": (date(2024, 3, 1), date(2024, 3, 31)),
        "03": (date(2024, 3, 1), None),
        "05": (None, None),
        "07": (None, None),
    }
