"""Meta's records, written by hand, become the facts that a person reads in them.

Sources: Marketing API, edges insights (level=ad: every metric a string, a zero one left out,
`actions` a list of overlapping types), campaigns (budgets in the minor unit) and Currencies; the
records of `imported` are typed as Airbyte's source-facebook-marketing does.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

ACCOUNT = "212551616838260"
CAMPAIGN = "23846765228240398"
AD_SET = "23846765228280398"
AD = "23846765228310399"

INSIGHT = {
    "date_start": "2021-03-01",
    "date_stop": "2021-03-01",
    "account_id": ACCOUNT,
    "account_currency": "CHF",
    "campaign_id": CAMPAIGN,
    "adset_id": AD_SET,
    "ad_id": AD,
}


def actions(
    purchases: str, kind: str = "offsite_conversion.fb_pixel_purchase"
) -> list[dict[str, str]]:
    """Return one and the same purchase under the types that Meta repeats it under."""
    return [
        {"action_type": "link_click", "value": "31"},
        {"action_type": "purchase", "value": purchases},
        {"action_type": "omni_purchase", "value": purchases},
        {"action_type": kind, "value": purchases, "7d_click": purchases, "1d_view": "1"},
    ]


INSIGHTS = [
    {
        **INSIGHT,
        "publisher_platform": "facebook",
        "spend": "1.09",
        "impressions": "839",
        "clicks": "31",
        "reach": "512",
        "actions": actions("2"),
        "action_values": actions("59.90"),
        "conversions": [{"action_type": "contact_total", "value": "17"}],
        "attribution_setting": "7d_click_1d_view",
    },
    # the same ad and day on the other network, which is no source of this tenant
    {
        **INSIGHT,
        "publisher_platform": "instagram",
        "spend": "0.10",
        "impressions": "61",
        "clicks": "2",
        "actions": actions("1"),
        "action_values": actions("0.10"),
        "attribution_setting": "7d_click_1d_view",
    },
    # shown, and nothing else: zeros and empty lists are left out of the row
    {**INSIGHT, "ad_id": "23846765228310400", "impressions": "3", "date_start": "2021-03-02"},
]
CAMPAIGNS = [
    # begins at half past eleven at night in Los Angeles: the next day in UTC
    {
        "id": CAMPAIGN,
        "account_id": ACCOUNT,
        "name": "Spring — Founders' Circle",
        "status": "ACTIVE",
        "effective_status": "WITH_ISSUES",
        "objective": "OUTCOME_SALES",
        "daily_budget": "10050",
        "start_time": "2021-02-09T23:30:00-0800",
        "stop_time": "2021-03-09T23:59:59-0800",
    },
    # its ad sets hold the budget
    {
        "id": "23846765228240399",
        "account_id": ACCOUNT,
        "name": "Old",
        "status": "ARCHIVED",
        "daily_budget": "0",
        "lifetime_budget": "500000",
        "start_time": "2020-02-09T12:00:00-0800",
    },
]

JAPAN = {**INSIGHT, "account_id": "312551616838261", "account_currency": "JPY"}
JAPAN_INSIGHTS = [
    {
        **JAPAN,
        "date_start": "2021-03-03",
        "spend": "1234",
        "impressions": "10",
        "clicks": "1",
        "actions": [
            {"action_type": "lead", "value": "3"},
            {"action_type": "onsite_conversion.lead_grouped", "value": "2"},
            {"action_type": "offsite_conversion.fb_pixel_purchase", "value": "50"},
        ],
    }
]
JAPAN_CAMPAIGNS = [
    {
        "id": "23846765228240500",
        "account_id": "312551616838261",
        "name": "新商品",
        "status": "PAUSED",
        "daily_budget": "5000",
        # the 9th in UTC and in Los Angeles
        "start_time": "2021-02-10T08:30:00+0900",
    }
]

AIRBYTE_INSIGHT = {
    **INSIGHT,
    "date_start": "2021-03-04",
    "spend": 0.1,
    "impressions": 9007199254740993,
    "clicks": 4,
    "actions": [
        {"action_type": "purchase", "value": 2.0},
        {"action_type": "offsite_conversion.fb_pixel_purchase", "value": 2.0, "7d_click": 1.0},
    ],
    "action_values": [{"action_type": "offsite_conversion.fb_pixel_purchase", "value": 19.99}],
}
AIRBYTE_CAMPAIGN = {
    "id": CAMPAIGN,
    "account_id": ACCOUNT,
    "name": "Spring",
    "status": "PAUSED",
    "daily_budget": 7500.0,
}

LANDINGS = [
    ("main", "native", "facebook_insights", INSIGHTS),
    ("main", "native", "campaigns", CAMPAIGNS),
    ("japan", "native", "facebook_insights", JAPAN_INSIGHTS),
    ("japan", "native", "campaigns", JAPAN_CAMPAIGNS),
    ("imported", "airbyte", "facebook_insights", [AIRBYTE_INSIGHT]),
    ("imported", "airbyte", "campaigns", [AIRBYTE_CAMPAIGN]),
]
CONNECTIONS = {
    "main": {"accounts": [ACCOUNT], "timezone": "America/Los_Angeles", "currency": "USD"},
    "japan": {
        "timezone": "Asia/Tokyo",
        "attribution_window": "28d_click",
        "conversion_actions": ["lead", "onsite_conversion.lead_grouped"],
    },
    "imported": {"timezone": "America/Los_Angeles"},
}


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("facebook_ads") / "project")
    sources = {"facebook_ads": {"connections": CONNECTIONS}}
    project.configure({TENANT: golden_tenant(sources, reporting_timezone="Australia/Sydney")})
    for connection, loader, object_, records in LANDINGS:
        landed = project.land_records(
            TENANT, "facebook_ads", object_, records, "--loader", loader, "--connection", connection
        )
        assert not [table for table in landed["tables"] if table["quarantined"]]
    project.run()
    return GoldenFacts(project)


FIGURES = ("spend", "impressions", "clicks", "conversions", "conversion_value")


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in FIGURES)


def ad_day(facts: GoldenFacts, day: str) -> dict[str, Any]:
    (row,) = facts.rows("ad_performance", f"report_date = date '{day}'")
    return row


def test_one_purchase_under_three_types_counts_once(facts: GoldenFacts) -> None:
    row = ad_day(facts, "2021-03-01")

    assert figures(row) == (
        Decimal("1.190000"),
        900,
        33,
        Decimal("3.000000"),
        Decimal("60.000000"),
    )


def test_long_ids_keep_their_last_digit_and_an_ad_set_is_the_ad_group(facts: GoldenFacts) -> None:
    row = ad_day(facts, "2021-03-01")

    assert (row["account_id"], row["campaign_id"]) == (ACCOUNT, CAMPAIGN)
    assert (row["ad_group_id"], row["ad_id"], row["grain"]) == (AD_SET, AD, "ad")


def test_a_metric_that_was_left_out_is_zero(facts: GoldenFacts) -> None:
    row = ad_day(facts, "2021-03-02")

    assert row["ad_id"] == "23846765228310400"
    assert figures(row) == (Decimal(0), 3, 0, Decimal(0), Decimal(0))


def test_the_connection_names_the_actions_that_convert(facts: GoldenFacts) -> None:
    row = ad_day(facts, "2021-03-03")

    assert figures(row) == (Decimal("1234.000000"), 10, 1, Decimal("5.000000"), Decimal(0))


def test_the_day_is_the_account_s_and_currency_and_window_are_the_record_s(
    facts: GoldenFacts,
) -> None:
    described = [
        (row["connection"], row["currency"], row["account_timezone"], row["attribution_setting"])
        for row in (ad_day(facts, "2021-03-01"), ad_day(facts, "2021-03-03"))
    ]

    assert described == [
        ("main", "CHF", "America/Los_Angeles", "7d_click_1d_view"),
        ("japan", "JPY", "Asia/Tokyo", "28d_click"),
    ]


def test_numbers_that_airbyte_typed_lose_no_digit(facts: GoldenFacts) -> None:
    row = ad_day(facts, "2021-03-04")

    assert figures(row) == (
        Decimal("0.100000"),
        9007199254740993,
        4,
        Decimal("2.000000"),
        Decimal("19.990000"),
    )


def test_a_budget_is_in_the_minor_unit_of_currencies_that_have_one(facts: GoldenFacts) -> None:
    budgets = {
        (row["connection"], row["campaign_name"]): (row["daily_budget"], row["currency"])
        for row in facts.rows("campaigns")
    }

    assert budgets == {
        ("main", "Spring — Founders' Circle"): (Decimal("100.500000"), "CHF"),
        ("main", "Old"): (None, "CHF"),
        ("japan", "新商品"): (Decimal("5000.000000"), "JPY"),
        ("imported", "Spring"): (Decimal("75.000000"), "CHF"),
    }


def test_a_campaign_starts_on_a_day_of_its_account(facts: GoldenFacts) -> None:
    days = {
        row["campaign_name"]: (row["status"], row["start_date"], row["end_date"])
        for row in facts.rows("campaigns", "connection <> 'imported'")
    }

    assert days == {
        "Spring — Founders' Circle": ("active", date(2021, 2, 9), date(2021, 3, 9)),
        "Old": ("removed", date(2020, 2, 9), None),
        "新商品": ("paused", date(2021, 2, 10), None),
    }
