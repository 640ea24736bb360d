"""Makes star schemas of any number of rows in the warehouse, and publishes them without a run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from projects import configure, repository

from martlet.config.catalogue import load_catalogue
from martlet.config.tenant import Tenant
from martlet.config.tenants import load_tenants
from martlet.engines.duckdb_engine import connect, create_warehouse
from martlet.marts.publish import Published, publish_mart
from martlet.semantic.definitions import tenant_definitions
from martlet.settings import Settings, load_settings
from martlet.star_schema import STAR_TABLES, star_model

SOURCES: dict[str, Any] = {"google_ads": {}, "facebook_ads": {}}
FACT = "ad_performance"


def new_store(folder: Path, slugs: Iterable[str]) -> Settings:
    """Return the settings of a folder with tenants and an empty warehouse."""
    folder.mkdir(parents=True)
    for name in ("supported_connectors.yaml", "dbt_project.yml"):
        (folder / name).write_text((repository() / name).read_text())
    configure(folder, dict.fromkeys(slugs, SOURCES))
    settings = load_settings({}, folder)
    create_warehouse(settings.warehouse)
    with connect(settings.warehouse) as warehouse:
        warehouse.execute("create schema analytics")
    return settings


def fact(slug: str) -> str:
    """Return the name of the tenant's ad fact."""
    return f"fct_{slug}__{FACT}"


def fill(settings: Settings, slug: str, rows: int) -> None:
    """Make a tenant's star schema, with a year of ads on two platforms as its fact."""
    with connect(settings.warehouse) as warehouse:
        for table in STAR_TABLES:
            columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
            relation = f"analytics.{star_model(slug, table)}"
            warehouse.execute(f"create or replace table {relation} ({columns})")
        warehouse.execute(
            f"""
            insert into analytics.{fact(slug)} (
                tenant_slug, source_platform, connection, account_id, report_date, campaign_id,
                ad_group_id, ad_id, spend, impressions, clicks, conversions, conversion_value,
                currency, grain, account_timezone)
            select '{slug}', if(i % 2 = 0, 'google_ads', 'facebook_ads'), 'main', 'a1',
                date '2025-07-01' + cast(i % 365 as integer), cast(i % 50 as varchar),
                cast(i % 500 as varchar), cast(i % 60000 as varchar), (i % 9000) / 100.0, i % 5000,
                i % 90, (i % 7) / 2.0, (i % 300) / 3.0, 'EUR', 'ad', 'UTC'
            from range({rows}) as numbers (i)
            """
        )


def tenant_of(settings: Settings, slug: str) -> Tenant:
    """Return a tenant as tenants.yaml describes it."""
    return load_tenants(settings.tenants_file, load_catalogue(settings.catalogue_file)).tenant(slug)


def publish(settings: Settings, tenant: Tenant, *, force: bool = False) -> Published:
    """Publish a tenant's star schema as it lies in the warehouse."""
    with connect(settings.warehouse) as warehouse:
        definition = tenant_definitions(warehouse, tenant)
        return publish_mart(
            settings,
            warehouse,
            tenant,
            {},
            definition=definition,
            definition_version=1,
            force=force,
            keep=1,
        )
