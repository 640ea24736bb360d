"""The simulator's canonical facts, through every connector's wire form and back."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.project import Project, new_project

ADS = ("facebook_ads", "google_ads", "bing_ads", "linkedin_ads", "amazon_ads", "tiktok_ads")
PURCHASE = ["purchase"]
FUNNEL = ["view_item", "add_to_cart", "begin_checkout", "purchase"]
GENERATION = {"campaigns": 3, "orders_per_day": 12, "sessions_per_day": 60, "products": 8}


def _analytics() -> dict[str, Any]:
    return {
        "generation": GENERATION,
        "tables": {"events": {"conversion_events": PURCHASE, "funnel_steps": FUNNEL}},
    }


def _ads(platform: str, **connection: Any) -> dict[str, Any]:
    return {"generation": GENERATION, "connections": {"main": connection}}


# All thirteen connectors over three tenants: a tenant has one analytics platform that counts.
TENANTS: dict[str, dict[str, Any]] = {
    "los_angeles": {
        "name": "Los Angeles",
        "reporting_timezone": "America/Los_Angeles",
        "currency": "USD",
        "sources": {
            **{platform: _ads(platform) for platform in ADS},
            "instagram_ads": _ads("instagram_ads"),
            "shopify": {"generation": GENERATION},
            "google_analytics": _analytics(),
        },
    },
    "sydney": {
        "name": "Sydney",
        "reporting_timezone": "Australia/Sydney",
        "currency": "AUD",
        "sources": {
            "google_ads": _ads("google_ads", timezone="America/Los_Angeles", currency="USD"),
            "facebook_ads": _ads("facebook_ads"),
            "woocommerce": {
                "generation": GENERATION,
                "connections": {"main": {}, "outlet": {"timezone": "America/Los_Angeles"}},
            },
            "amplitude": _analytics(),
        },
    },
    "berlin": {
        "name": "Berlin",
        "reporting_timezone": "Europe/Berlin",
        "currency": "EUR",
        "sources": {
            "instagram_ads": _ads("instagram_ads"),
            "tiktok_ads": _ads("tiktok_ads", timezone="America/Los_Angeles"),
            "bigcommerce": {"generation": GENERATION},
            "mixpanel": _analytics(),
        },
    },
}
# The last Sunday of March 2025 changes Berlin's clocks, 9 March Los Angeles', 6 April Sydney's.
UNTIL = {"los_angeles": "2025-03-12", "sydney": "2025-04-09", "berlin": "2025-04-02"}

KEYS = {
    "ad_performance": (
        "account_id",
        "report_date",
        "campaign_id",
        "ad_group_id",
        "ad_id",
        "grain",
    ),
    "orders": ("order_id",),
    "sessions": ("user_pseudo_id", "session_start_ts"),
    "campaigns": ("account_id", "campaign_id"),
}
VALUES = {
    "ad_performance": (
        "spend",
        "impressions",
        "clicks",
        "conversions",
        "conversion_value",
        "currency",
        "account_timezone",
        "attribution_setting",
    ),
    "orders": (
        "ordered_at",
        "business_date",
        "order_date",
        "total_price",
        "subtotal",
        "discount",
        "tax",
        "shipping",
        "refunded",
        "currency",
        "financial_status",
        "customer_email",
        "customer_id",
        "is_test",
        "is_cancelled",
    ),
    "sessions": (
        "session_end_ts",
        "business_date",
        "traffic_source",
        "traffic_medium",
        "traffic_campaign",
        "event_count",
        "funnel_step_reached",
        "is_conversion_session",
        "session_revenue",
    ),
    "campaigns": ("campaign_name", "status", "daily_budget", "currency"),
}


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("round_trip") / "project")
    project.configure(TENANTS)
    for tenant, until in UNTIL.items():
        project.martlet(
            "land",
            tenant,
            "--days",
            "8",
            "--until",
            until,
            "--seed",
            "11",
            "--truth",
            str(project.folder / f"{tenant}.parquet"),
        )
    project.run("--strict")
    return project


def _platforms(table: str) -> list[tuple[str, str]]:
    domain = {
        "ad_performance": "_ads",
        "campaigns": "_ads",
        "orders": ("shopify", "woocommerce", "bigcommerce"),
        "sessions": ("google_analytics", "amplitude", "mixpanel"),
    }[table]
    return [
        (tenant, platform)
        for tenant, stanza in TENANTS.items()
        for platform in stanza["sources"]
        if (platform.endswith(domain) if isinstance(domain, str) else platform in domain)
    ]


CASES = [(table, *place) for table in KEYS for place in _platforms(table)]


@pytest.mark.parametrize(("table", "tenant", "platform"), CASES)
def test_the_facts_are_the_simulators_to_the_cent_and_the_row(
    landed: Project, table: str, tenant: str, platform: str
) -> None:
    truth = _truth(landed.folder / f"{tenant}.parquet", table, platform)
    kind = "dim" if table == "campaigns" else "fct"
    columns = ("connection", *KEYS[table], *VALUES[table])
    rows = landed.query(
        f"select {', '.join(columns)} from analytics.{kind}_{tenant}__{table} "
        "where source_platform = ?",
        platform,
    )

    facts = {_key(row, table): _values(row, table) for row in rows}

    assert truth, "the simulator made no fact to compare with"
    assert len(facts) == len(rows), "a fact repeats its key"
    assert set(facts) == set(truth)
    wrong = {key: (facts[key], truth[key]) for key in truth if facts[key] != truth[key]}
    assert not wrong, f"{len(wrong)} of {len(truth)} differ, first: {next(iter(wrong.items()))}"


def _truth(file: Path, table: str, platform: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    columns = ", ".join(("connection", *KEYS[table], *VALUES[table]))
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        cursor = connection.execute(
            f"select {columns} from read_parquet(?) where fact = ? and source_platform = ?",
            [str(file), table, platform],
        )
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {_key(row, table): _values(row, table) for row in rows}


def _key(row: dict[str, Any], table: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("connection", *KEYS[table]))


def _values(row: dict[str, Any], table: str) -> dict[str, Any]:
    return {name: _comparable(row[name]) for name in VALUES[table]}


def _comparable(value: Any) -> Any:
    return value.normalize() if isinstance(value, Decimal) else value
