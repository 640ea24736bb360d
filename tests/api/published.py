"""Marts and operational snapshots of the two demo tenants, published from a small warehouse."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb

from martlet.access.keys import KeyStore
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.engines.targets import engine_of
from martlet.marts.operations import publish_operations
from martlet.marts.publish import publish_mart
from martlet.semantic.definitions import tenant_definitions
from martlet.settings import Settings
from martlet.star_schema import STAR_TABLES, star_model
from tests.project import REPOSITORY, settings_at

OWN = "tyrell_corp"
OTHER = "wayne_enterprises"
E_MAIL = "roy.batty@nexus.example"
FORMULA = '=HYPERLINK("http://evil.example";"a, b")'
_TENANTS = load_tenants(
    REPOSITORY / "tenants.yaml", load_catalogue(REPOSITORY / "supported_connectors.yaml")
)


@dataclass(frozen=True)
class Installation:
    """A folder of state with both tenants published."""

    settings: Settings

    def key(self, tenant: str = OWN, *scopes: str, lifetime: timedelta | None = None) -> str:
        """Make a key and return its text."""
        granted = scopes or ("query", "observability")
        with KeyStore(self.settings.control) as keys:
            if lifetime is None:
                return keys.create(tenant, granted).text
            return keys.create(tenant, granted, lifetime=lifetime).text

    def publish(self, tenant: str, *statements: str) -> str | None:
        """Publish the tenant's mart again after changes in the warehouse."""
        with engine_of(self.settings).open_warehouse() as warehouse:
            for statement in statements:
                warehouse.execute(statement)
            return _publish(self.settings, warehouse, tenant)


def install(folder: Path, **places: Any) -> Installation:
    """Build and publish everything below a folder; `places` are further settings."""
    tenants = REPOSITORY / "tenants.yaml"
    settings = replace(settings_at(REPOSITORY, folder, tenants), **places)
    engine = engine_of(settings)
    engine.create_warehouse()
    with engine.open_warehouse() as warehouse:
        warehouse.execute("create schema if not exists analytics; create schema if not exists ops")
        warehouse.execute("create schema if not exists platform")
        _create_histories(warehouse)
        for tenant in (OWN, OTHER):
            _create_star_schema(warehouse, tenant)
            _publish(settings, warehouse, tenant)
        publish_operations(settings, warehouse, [_TENANTS.tenant(t) for t in (OWN, OTHER)])
    return Installation(settings)


def _publish(settings: Settings, warehouse: duckdb.DuckDBPyConnection, tenant: str) -> str | None:
    configured = _TENANTS.tenant(tenant)
    definition: Any = tenant_definitions(warehouse, configured)
    return publish_mart(
        settings, warehouse, configured, {}, definition=definition, definition_version=1
    ).version


def _create_star_schema(warehouse: duckdb.DuckDBPyConnection, tenant: str) -> None:
    for table in STAR_TABLES:
        columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
        warehouse.execute(f"create table analytics.{star_model(tenant, table)} ({columns})")
    factor = 1 if tenant == OWN else 1_000
    warehouse.execute(
        f"""
        insert into analytics.fct_{tenant}__ad_performance (
            tenant_slug, source_platform, connection, account_id, report_date, campaign_id, spend,
            impressions, clicks, conversions, conversion_value, currency, grain, account_timezone)
        select '{tenant}', if(n % 2 = 0, 'google_ads', 'facebook_ads'), 'main', 'a1',
            date '2026-06-01' + cast(n % 30 as integer), cast(n % 4 as varchar),
            (n % 7 + 0.1) * {factor}, 1000 + n, 10 + n % 5, n % 3, n % 50, 'USD', 'campaign', 'UTC'
        from range(240) as numbers (n);
        insert into analytics.dim_{tenant}__campaigns (
            tenant_slug, source_platform, connection, account_id, campaign_id, campaign_name,
            status, daily_budget, currency, first_seen_at, last_seen_at)
        select '{tenant}', if(n % 2 = 0, 'google_ads', 'facebook_ads'), 'main', 'a1',
            cast(n as varchar),
            ['=HYPERLINK("http://evil.example";"a, b")', 'Zürich, café', 'plain {tenant}', null][n + 1],
            'active', 12.5, 'USD', timestamp '2026-06-01 02:03:04', timestamp '2026-06-30 02:03:04.5'
        from range(4) as numbers (n);
        insert into analytics.fct_{tenant}__orders (
            tenant_slug, source_platform, connection, order_id, order_date, business_date,
            ordered_at, total_price, subtotal, refunded, currency, financial_status, customer_email,
            customer_id, is_test, is_cancelled)
        select '{tenant}', 'shopify', 'main', cast(n as varchar),
            date '2026-06-01' + cast(n % 30 as integer), date '2026-06-01' + cast(n % 30 as integer),
            timestamp '2026-06-01 10:00:00' + to_days(cast(n % 30 as integer)), 20.35 + n, 20 + n, 0,
            'USD', 'paid', if(n = 0, '{E_MAIL}', 'c' || n || '@example.com'), 'c' || n, false, false
        from range(90) as numbers (n);
        insert into analytics.fct_{tenant}__sessions (
            tenant_slug, source_platform, connection, session_id, user_pseudo_id, session_start_ts,
            session_end_ts, business_date, traffic_source, event_count, is_conversion_session,
            session_revenue, currency)
        select '{tenant}', 'google_analytics', 'main', cast(n as varchar), 'u' || (n % 60),
            timestamp '2026-06-01 10:00:00' + to_days(cast(n % 30 as integer)),
            timestamp '2026-06-01 10:05:00' + to_days(cast(n % 30 as integer)),
            date '2026-06-01' + cast(n % 30 as integer), ['google', 'newsletter', null][n % 3 + 1],
            n % 9, n % 5 = 0, n % 4, 'USD'
        from range(150) as numbers (n);
        """
    )


def _create_histories(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        f"""
        create table ops.invocations as
        select 'run' || n as invocation_id, ['{OWN}', '{OTHER}'][n % 2 + 1] as tenant_slug,
            'pipeline' as recorded_by, '["run"]'::json as arguments, '1' as code_version,
            timestamp '2026-06-01 10:00:00' + to_hours(cast(n // 2 as integer)) as started_at,
            1.5 as seconds, 1::bigint as peak_memory_bytes, 'success' as status,
            4::bigint as models_run, 0::bigint as models_failed, 0::bigint as models_skipped,
            null::varchar as problem
        from range(50) as numbers (n);
        create table platform.platform_sat__source_schema_history as
        select '{OWN}' as tenant_slug, 'shopify' as source_platform, 'main' as connection,
            'orders' as object, 'tyrell_corp_shopify__orders' as landed_table,
            1::bigint as version_number, 'abc' as source_schema_hash, 'def' as schema_family_hash,
            '[{{"name": "id", "type": "BIGINT"}}]'::json as columns, null::json as difference,
            'exact' as verdict, timestamp '2026-06-01' as seen_at;
        """
    )
