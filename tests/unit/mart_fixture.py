"""A small published mart with literal rows: two platforms, two currencies, null keys, all that an
order can be. Written by the publisher itself, so it is what a real one is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from martlet.config.tenant import Connection, Source, Tenant
from martlet.marts.publish import publish_mart
from martlet.semantic.definitions import tenant_definitions
from martlet.settings import Settings
from martlet.star_schema import STAR_TABLES, star_model

Row = dict[str, Any]

# Units for one euro, on days around the rows'. 2026-05-05 and later take 2026-05-04's.
RATES = """date,currency,per_eur
2026-05-01,USD,1.25
2026-05-04,USD,1.20
"""

ADS: tuple[Row, ...] = (
    {"report_date": "2026-05-01", "campaign_id": "1", "ad_id": "a", "spend": 10, "clicks": 4, "impressions": 100, "conversions": 1.5, "conversion_value": 40},
    {"report_date": "2026-05-01", "campaign_id": "1", "ad_id": "b", "spend": 5.25, "clicks": 1, "impressions": 50, "conversions": 0, "conversion_value": 0},
    {"report_date": "2026-05-04", "campaign_id": "2", "ad_id": "c", "spend": 7.5, "clicks": 0, "impressions": 0, "conversions": 0, "conversion_value": None},
    {"report_date": "2026-05-12", "campaign_id": "lost", "ad_id": "d", "spend": 1, "clicks": 2, "impressions": 9, "conversions": 1, "conversion_value": 3},
    {"report_date": "2026-06-30", "campaign_id": None, "ad_id": "e", "spend": None, "clicks": None, "impressions": None, "conversions": None, "conversion_value": None},
    {"source_platform": "facebook_ads", "report_date": "2026-05-01", "campaign_id": "9", "ad_id": "f", "spend": 20, "clicks": 10, "impressions": 400, "conversions": 2, "conversion_value": 90, "currency": "USD", "account_timezone": "America/New_York"},
    {"source_platform": "facebook_ads", "report_date": "2026-05-04", "campaign_id": "9", "ad_id": "f", "spend": 30, "clicks": 15, "impressions": 500, "conversions": 0, "conversion_value": 0, "currency": "USD", "account_timezone": "America/New_York"},
)  # fmt: skip
CAMPAIGNS: tuple[Row, ...] = (
    {"campaign_id": "1", "campaign_name": "Brand 100%_", "status": "active", "start_date": "2026-04-01", "daily_budget": 50},
    {"campaign_id": "2", "campaign_name": "'; drop table x; --", "status": "paused"},
    {"source_platform": "facebook_ads", "campaign_id": "9", "campaign_name": None, "status": None, "currency": "USD"},
)  # fmt: skip
ORDERS: tuple[Row, ...] = (
    {"order_id": "1", "ordered_at": "2026-05-01 09:00:00", "total_price": 100, "customer_email": "Ann@example.com"},
    {"order_id": "2", "ordered_at": "2026-05-01 23:59:59.999999", "total_price": 80, "refunded": 30, "customer_email": " ann@example.com"},
    {"order_id": "3", "ordered_at": "2026-05-04 00:00:00", "total_price": 40, "is_test": True},
    {"order_id": "4", "ordered_at": "2026-05-04 12:00:00", "total_price": 60, "is_cancelled": True, "is_test": None, "customer_id": "7"},
    {"order_id": "5", "ordered_at": "2026-05-12 12:00:00", "total_price": 25.5, "is_test": None, "is_cancelled": None, "financial_status": None, "customer_id": "7"},
)  # fmt: skip
SESSIONS: tuple[Row, ...] = (
    {"session_id": "1", "user_pseudo_id": "u1", "session_start_ts": "2026-05-01 10:00:00", "traffic_campaign": "brand 100%_ ", "is_conversion_session": True, "session_revenue": 100, "currency": "EUR"},
    {"session_id": "2", "user_pseudo_id": "u1", "session_start_ts": "2026-05-04 10:00:00", "traffic_source": "google", "traffic_medium": "cpc"},
    {"session_id": "3", "user_pseudo_id": "u2", "session_start_ts": "2026-05-04 11:00:00", "traffic_campaign": "Newsletter"},
)  # fmt: skip

_COMMON = {
    "ad_performance": {"source_platform": "google_ads", "account_id": "a1", "currency": "EUR", "grain": "ad", "account_timezone": "Europe/Berlin"},
    "campaigns": {"source_platform": "google_ads", "account_id": "a1", "currency": "EUR"},
    "orders": {"source_platform": "shopify", "currency": "EUR", "financial_status": "paid", "is_test": False, "is_cancelled": False},
    "sessions": {"source_platform": "google_analytics", "is_conversion_session": False},
}  # fmt: skip
_SOURCES = (
    ("google_ads", "paid_ads", "ad_performance"),
    ("facebook_ads", "paid_ads", "facebook_insights"),
    ("shopify", "ecommerce", "orders"),
    ("google_analytics", "analytics", "events"),
)


@dataclass(frozen=True)
class Written:
    """What was written: the version's name and file, and its semantic definition."""

    version: str
    file: Path
    definition: dict[str, Any] = field(repr=False)


def write_mart(
    folder: Path,
    tenant: str = "acme",
    *,
    ads: Sequence[Row] = ADS,
    campaigns: Sequence[Row] = CAMPAIGNS,
    orders: Sequence[Row] = ORDERS,
    sessions: Sequence[Row] = SESSIONS,
    rates: str = RATES,
    held: Mapping[str, str] | None = None,
    keep: int = 5,
) -> Written:
    """Publish a version of a tenant's mart below `folder`, which is that of all marts.

    Rows name what differs from the usual. `held` platforms keep the rows of the version before.
    """
    rows = {"ad_performance": ads, "campaigns": campaigns, "orders": orders, "sessions": sessions}
    settings = Settings(folder.parent, folder.parent, folder.parent / "tenants.yaml")
    assert settings.marts_dir == folder, "marts lie in a folder of that name"
    folder.parent.mkdir(parents=True, exist_ok=True)
    csv = folder.parent / "rates.csv"
    csv.write_text(rates)
    who = _tenant(tenant)
    with duckdb.connect() as warehouse:
        warehouse.execute("set TimeZone = 'UTC'; create schema analytics; create schema ops")
        for table in STAR_TABLES:
            relation = f"analytics.{star_model(tenant, table)}"
            columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
            warehouse.execute(f"create table {relation} ({columns})")
            for given in rows[table.name]:
                row = _whole(table.name, tenant, given)
                warehouse.execute(
                    f"insert into {relation} ({', '.join(row)}) values "
                    f"({', '.join('?' * len(row))})",
                    list(row.values()),
                )
        definition = tenant_definitions(warehouse, who)
        published = publish_mart(
            settings,
            warehouse,
            who,
            held or {},
            definition=definition,
            definition_version=1,
            rates_csv=csv,
            keep=keep,
            force=True,
        )
    assert published.version
    return Written(published.version, folder / tenant / f"{published.version}.duckdb", definition)


def _whole(table: str, tenant: str, given: Row) -> Row:
    row = {"tenant_slug": tenant, "connection": "main"} | _COMMON[table] | given
    moment = row.get("ordered_at") or row.get("session_start_ts")
    if moment:
        row.setdefault("business_date", moment[:10])
    if "ordered_at" in row:
        row.setdefault("order_date", row["business_date"])
    return row


def _tenant(slug: str) -> Tenant:
    return Tenant(
        slug=slug,
        name=slug.capitalize(),
        reporting_timezone="Europe/Berlin",
        currency="EUR",
        sources={
            platform: Source(
                platform=platform,
                domain=domain,
                objects=(object_,),
                connections={"main": Connection()},
            )
            for platform, domain, object_ in _SOURCES
        },
    )
