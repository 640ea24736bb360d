"""Measures what the service adds to the same SQL on a fact of a million rows.

The raw side is the SQL that the service itself explains, on a cursor of the same open mart. The
sides take turns in one run, so the ratio holds also on a busy machine.

    python bench/bench_serve.py --rows 1000000 --repeat 30
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import yaml
from rich.console import Console
from rich.table import Table
from soak_serve import serving

from martlet.access.keys import KeyStore
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.engines.duckdb_engine import connect, create_warehouse
from martlet.marts.publish import publish_mart
from martlet.marts.store import MartStore
from martlet.semantic.definitions import tenant_definitions
from martlet.semantic.requests import Query
from martlet.semantic.service import SemanticService
from martlet.settings import Settings, load_settings
from martlet.star_schema import STAR_TABLES, star_model

SLUG = "bench"
QUERY = Query(
    model="ad_performance",
    measures=["spend", "clicks", "ctr", "roas"],
    dimensions=["source_platform"],
    time={"grain": "day", "start": "2025-07-01", "end": "2026-06-30"},
    limit=10_000,
)
MANY = Query(
    model="ad_performance", measures=["spend", "clicks"], dimensions=["ad_id"], limit=50_000
)
FORMATS = {
    "JSON": "application/json",
    "Arrow stream": "application/vnd.apache.arrow.stream",
    "Parquet": "application/vnd.apache.parquet",
    "CSV": "text/csv",
}


def main() -> None:
    """Publish a mart of the asked size, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the ad fact")
    parser.add_argument("--repeat", type=int, default=30, help="rounds; each figure is a median")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = new_settings(Path(folder))
        began = time.perf_counter()
        publish(settings, asked.rows)
        told = [("generate and publish the mart", f"{time.perf_counter() - began:.1f} s")]
        told += in_process(settings, asked.repeat)
        token = KeyStore(settings.control).create(SLUG, ("query",)).text
        with serving(settings) as url:
            told += over_http(url, token, asked.repeat)
    table = Table(title=f"{asked.rows:,} rows, medians of {asked.repeat}")
    for heading in ("what", "figure"):
        table.add_column(heading)
    for row in told:
        table.add_row(*row)
    Console().print(table)


def new_settings(folder: Path) -> Settings:
    """Return the settings of a folder with one tenant."""
    repository = load_settings(os.environ).project_dir
    for name in ("supported_connectors.yaml", "dbt_project.yml"):
        (folder / name).write_text((repository / name).read_text())
    stanza = {"name": "Bench", "reporting_timezone": "UTC", "currency": "EUR"}
    sources = {"google_ads": {}, "facebook_ads": {}}
    document = {"version": 1, "tenants": {SLUG: {**stanza, "sources": sources}}}
    (folder / "tenants.yaml").write_text(yaml.safe_dump(document))
    return load_settings({}, folder)


def publish(settings: Settings, rows: int) -> None:
    """Fill the star schema of the tenant and publish it."""
    catalogue = load_catalogue(settings.catalogue_file)
    tenant = load_tenants(settings.tenants_file, catalogue).tenant(SLUG)
    create_warehouse(settings.warehouse)
    with connect(settings.warehouse) as warehouse:
        warehouse.execute("create schema analytics")
        for table in STAR_TABLES:
            columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
            warehouse.execute(f"create table analytics.{star_model(SLUG, table)} ({columns})")
        warehouse.execute(
            f"""
            insert into analytics.fct_{SLUG}__ad_performance (
                tenant_slug, source_platform, connection, account_id, report_date, campaign_id,
                ad_group_id, ad_id, spend, impressions, clicks, conversions, conversion_value,
                currency, grain, account_timezone)
            select '{SLUG}', if(i % 2 = 0, 'google_ads', 'facebook_ads'), 'main', 'a1',
                date '2025-07-01' + cast(i % 365 as integer), cast(i % 50 as varchar),
                cast(i % 500 as varchar), cast(i % 60000 as varchar), (i % 9000) / 100.0, i % 5000,
                i % 90, (i % 7) / 2.0, (i % 300) / 3.0, 'EUR', 'ad', 'UTC'
            from range({rows}) as numbers (i)
            """
        )
        definition = tenant_definitions(warehouse, tenant)
        publish_mart(settings, warehouse, tenant, {}, definition=definition, definition_version=1)


def in_process(settings: Settings, repeat: int) -> list[tuple[str, str]]:
    """Compare the service with its own SQL on a cursor of the same mart."""
    store = MartStore(settings.marts_dir)
    service = new_service(store)
    explained = service.explain(SLUG, QUERY, may_see_personal=False)
    sql, parameters = explained.sql, explained.parameters
    fact = f"fct_{SLUG}__ad_performance"

    def raw() -> None:
        with store.open(SLUG) as mart:
            qualified = sql.replace(f'"{fact}"', f'"{mart.catalog}"."main"."{fact}"')
            mart.fetch_arrow(qualified, parameters, seconds=60, max_bytes=2**30)

    def cold() -> None:
        new_service(store).query(SLUG, QUERY, may_see_personal=False)

    def warm() -> None:
        service.query(SLUG, QUERY, may_see_personal=False)

    raw_ms, cold_ms, warm_ms = turns(repeat, raw, cold, warm)
    return [
        ("raw SQL, p50", f"{raw_ms:.2f} ms"),
        ("service, nothing compiled, p50", f"{cold_ms:.2f} ms (+{cold_ms - raw_ms:.2f} ms)"),
        ("service, compiled cached, p50", f"{warm_ms:.2f} ms (+{warm_ms - raw_ms:.2f} ms)"),
        ("service cached / raw", f"{warm_ms / raw_ms:.2f}"),
    ]


def new_service(store: MartStore) -> SemanticService:
    """Return a service that has compiled nothing yet."""
    return SemanticService(store, pseudonym_key="0" * 64)


def over_http(url: str, token: str, repeat: int) -> list[tuple[str, str]]:
    """Measure whole requests, an unchanged answer, and each format."""
    headers = {"Authorization": f"Bearer {token}"}
    body = QUERY.model_dump(mode="json", exclude_none=True)
    told: list[tuple[str, str]] = []
    with httpx.Client(base_url=f"{url}/v1/{SLUG}", headers=headers, timeout=60) as http:
        tag = http.post("/query", json=body).headers["etag"]

        def whole() -> None:
            http.post("/query", json=body).raise_for_status()

        def unchanged() -> None:
            status = http.post("/query", json=body, headers={"If-None-Match": tag}).status_code
            assert status == 304, status

        whole_ms, unchanged_ms = turns(repeat, whole, unchanged)
        told.append(("HTTP request, p50", f"{whole_ms:.2f} ms"))
        told.append(("HTTP 304, p50", f"{unchanged_ms:.2f} ms"))
        many = MANY.model_dump(mode="json", exclude_none=True)
        for name, media in FORMATS.items():
            size = len(http.post("/query", json=many, headers={"Accept": media}).content)

            def formatted(media: str = media) -> None:
                http.post("/query", json=many, headers={"Accept": media}).raise_for_status()

            (spent,) = turns(max(repeat // 3, 5), formatted)
            told.append((f"50,000 rows as {name}", f"{spent:.0f} ms, {size:,} bytes"))
    return told


def turns(repeat: int, *sides: Callable[[], None]) -> list[float]:
    """Return the median milliseconds of each side; the sides take turns."""
    for side in sides:
        side()
    spent: list[list[float]] = [[] for _ in sides]
    for _ in range(repeat):
        for number, side in enumerate(sides):
            began = time.perf_counter()
            side()
            spent[number].append((time.perf_counter() - began) * 1e3)
    return [statistics.median(times) for times in spent]


if __name__ == "__main__":
    main()
