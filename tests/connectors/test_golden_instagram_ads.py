"""Instagram is a slice of Meta's account: delivered twice in full, it still counts once.

Source: Marketing API, insights with the breakdown publisher_platform (facebook, instagram,
audience_network, messenger, threads), one row an ad, day and network.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import Project, new_project

ACCOUNT = "212551616838260"
CAMPAIGN = "23846765228240399"
ALONE = "alone"


def insight(publisher: str | None, spend: str, impressions: str, purchases: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "date_start": "2021-03-01",
        "date_stop": "2021-03-01",
        "account_id": ACCOUNT,
        "account_currency": "USD",
        "campaign_id": CAMPAIGN,
        "adset_id": "23846765228280399",
        "ad_id": "23846765228310399",
        "spend": spend,
        "impressions": impressions,
        "clicks": "1",
        "actions": [
            {"action_type": "offsite_conversion.fb_pixel_purchase", "value": purchases},
            {"action_type": "omni_purchase", "value": purchases},
        ],
        "action_values": [
            {"action_type": "offsite_conversion.fb_pixel_purchase", "value": f"{purchases}0.01"}
        ],
    }
    return {**row, "publisher_platform": publisher} if publisher else row


# the whole account, which both sources deliver
ACCOUNT_COPY = [
    insight("facebook", "10.01", "100", "1"),
    insight("instagram", "20.02", "200", "2"),
    insight("audience_network", "0.40", "7", "4"),
]
WITHOUT_BREAKDOWN = {**insight(None, "5.05", "50", "5"), "date_start": "2021-03-02"}
CAMPAIGNS = [
    {
        "id": CAMPAIGN,
        "account_id": ACCOUNT,
        "name": "Both networks",
        "status": "ACTIVE",
        "daily_budget": "4000",
    }
]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("instagram_ads") / "project")
    project.configure(
        {
            TENANT: golden_tenant({"facebook_ads": {}, "instagram_ads": {}}),
            ALONE: golden_tenant({"instagram_ads": {}}),
        }
    )
    for tenant, platform in (
        (TENANT, "facebook_ads"),
        (TENANT, "instagram_ads"),
        (ALONE, "instagram_ads"),
    ):
        insights = [*ACCOUNT_COPY, WITHOUT_BREAKDOWN]
        project.land_records(tenant, platform, "facebook_insights", insights)
        project.land_records(tenant, platform, "campaigns", CAMPAIGNS)
    project.run()
    return project


@pytest.fixture(scope="module")
def facts(project: Project) -> GoldenFacts:
    return GoldenFacts(project)


FIGURES = ("spend", "impressions", "clicks", "conversions", "conversion_value")


def figures(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in FIGURES)


def test_instagram_is_what_instagram_showed(facts: GoldenFacts) -> None:
    (row,) = facts.rows("ad_performance", "source_platform = 'instagram_ads'")

    assert row["report_date"] == date(2021, 3, 1)
    assert figures(row) == (
        Decimal("20.020000"),
        200,
        1,
        Decimal("2.000000"),
        Decimal("20.010000"),
    )


def test_facebook_is_everything_else_and_what_nobody_can_tell_apart(facts: GoldenFacts) -> None:
    broken_down, whole = facts.rows("ad_performance", "source_platform = 'facebook_ads'")

    assert figures(broken_down) == (
        Decimal("10.410000"),
        107,
        2,
        Decimal("5.000000"),
        Decimal("50.020000"),
    )
    assert whole["report_date"] == date(2021, 3, 2)
    assert whole["spend"] == Decimal("5.050000")


def test_an_account_delivered_twice_counts_once(facts: GoldenFacts) -> None:
    spend = sum(row["spend"] for row in facts.rows("ad_performance"))

    assert spend == Decimal("35.480000")


def test_a_tenant_with_instagram_alone_keeps_what_has_no_breakdown(project: Project) -> None:
    rows = project.query(
        f"select report_date, spend from analytics.fct_{ALONE}__ad_performance order by all"
    )

    assert rows == [
        {"report_date": date(2021, 3, 1), "spend": Decimal("20.020000")},
        {"report_date": date(2021, 3, 2), "spend": Decimal("5.050000")},
    ]


def test_a_campaign_is_listed_under_each_platform_with_one_and_the_same_budget(
    facts: GoldenFacts,
) -> None:
    listed = [
        (row["source_platform"], row["campaign_id"], row["daily_budget"])
        for row in facts.rows("campaigns")
    ]

    assert listed == [
        ("facebook_ads", CAMPAIGN, Decimal("40.000000")),
        ("instagram_ads", CAMPAIGN, Decimal("40.000000")),
    ]
