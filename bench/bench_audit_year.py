"""Audits a year of simulated data with restatements, and measures what the audit costs.

Every ad platform, a shop and an analytics source land in overlapping windows of 35 days with a
rising end; a run pushes them after each third. The audit must find no difference. Then a row is
deleted from a master behind the warehouse's back, and the audit must name its load.

    python bench/bench_audit_year.py --windows 53 --orders 20 --sessions 60
"""

import argparse
import os
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import yaml
from rich.console import Console
from rich.table import Table

from martlet.audit.tenant_audit import TenantAudit, audit_tenants
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.engines.duckdb_engine import connect_warehouse
from martlet.landing.command import land_simulated
from martlet.pipeline.progress import Silence
from martlet.pipeline.run import Run
from martlet.settings import Settings, load_settings

SLUG = "bench_year"
WINDOW_DAYS = 35
LAST_DAY = date(2026, 6, 30)
ADS = (
    "facebook_ads", "instagram_ads", "google_ads", "bing_ads", "linkedin_ads", "amazon_ads",
    "tiktok_ads",
)  # fmt: skip
VICTIM = "platform.platform_mm__tiktok_ads_api_v1_ads_reports_daily"
# What a project is made of beside the tenants and the state.
PARTS = ("macros", "models/platform", "data-tests", "dbt_project.yml", "profiles.yml")


def main() -> None:
    """Land, run, audit, meddle, audit again; print what each costs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--windows", type=int, default=13, help="landings over the year")
    parser.add_argument("--campaigns", type=int, default=1, help="campaigns a platform")
    parser.add_argument("--orders", type=int, default=2, help="orders a day")
    parser.add_argument("--sessions", type=int, default=3, help="sessions a day")
    parser.add_argument("--seed", type=int, default=3, help="the simulator's seed")
    asked = parser.parse_args()
    generation = {
        "campaigns": asked.campaigns,
        "ad_groups_per_campaign": 1,
        "ads_per_ad_group": 2,
        "orders_per_day": asked.orders,
        "sessions_per_day": asked.sessions,
        "products": 3,
    }
    with tempfile.TemporaryDirectory() as folder:
        settings = new_year(Path(folder), generation)
        seconds = {"land and run": land_year(settings, asked.windows, asked.seed)}
        began = time.perf_counter()
        audit = audited(settings)
        seconds["audit"] = time.perf_counter() - began
        show(audit, seconds)
        if audit.broken_promises:
            raise SystemExit("\n".join(str(finding) for finding in audit.findings()))
        meddle(settings)


def new_year(folder: Path, generation: dict[str, int]) -> Settings:
    """Return the settings of a project of its own, whose one tenant has all kinds of sources."""
    here = load_settings(os.environ)
    repository = here.catalogue_file.parent
    (folder / "models").mkdir()
    for part in PARTS:
        (folder / part).symlink_to(repository / part)
    shutil.copy(here.catalogue_file, folder)
    sources = {name: {"generation": generation} for name in (*ADS, "shopify", "google_analytics")}
    tenant = {
        "name": "A year",
        "reporting_timezone": "UTC",
        "currency": "EUR",
        "sources": sources,
    }
    document = {"version": 1, "tenants": {SLUG: tenant}}
    (folder / "tenants.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    os.chdir(folder)
    return replace(load_settings({}), home=folder / "data")


def land_year(settings: Settings, windows: int, seed: int) -> float:
    """Land the windows and run after each third; return the seconds."""
    began = time.perf_counter()
    first = LAST_DAY - timedelta(days=365 - WINDOW_DAYS)
    span = (LAST_DAY - first).days
    for window in range(windows):
        until = first + timedelta(days=round(span * window / max(windows - 1, 1)))
        land_simulated(settings, SLUG, days=WINDOW_DAYS, until=until, seed=seed)
        if (window + 1) % max(windows // 3, 1) == 0 or window == windows - 1:
            run(settings)
    return time.perf_counter() - began


def run(settings: Settings) -> None:
    """Run the tenant; raises `SystemExit` where the run breaks a promise."""
    catalogue = load_catalogue(settings.catalogue_file)
    tenants = load_tenants(settings.tenants_file, catalogue)
    work = Run(settings, catalogue, tenants, Silence(), wait_seconds=30.0)
    report = work.run(tenants.active())
    if work.broken_promises:
        raise SystemExit("\n".join(str(finding) for finding in report.findings))


def audited(settings: Settings) -> TenantAudit:
    """Return the audit of the tenant."""
    catalogue = load_catalogue(settings.catalogue_file)
    tenants = load_tenants(settings.tenants_file, catalogue)
    now = datetime.now(UTC).replace(tzinfo=None)
    with connect_warehouse(settings, read_only=True) as warehouse:
        (audit,) = audit_tenants(
            warehouse, tenants.active(), tenants, catalogue, now=now, stale_after_hours=36
        )
    return audit


def show(audit: TenantAudit, seconds: dict[str, float]) -> None:
    """Print what was compared."""
    table = Table("what", "number")
    table.columns[1].justify = "right"
    table.add_row("loads", f"{audit.loads:,}")
    table.add_row("landed rows", f"{audit.rows:,}")
    table.add_row("versions", f"{audit.versions:,}")
    table.add_row("differences", f"{audit.broken_promises:,}")
    for name, spent in seconds.items():
        table.add_row(f"seconds: {name}", f"{spent:.1f}")
    for total in audit.totals:
        what = f"{total.platform} {total.measure} {total.unit}"
        table.add_row(f"{what}: landed", f"{total.landed:,}")
        table.add_row(f"{what}: in the fact", f"{total.in_fact:,}")
    Console().print(table)


def meddle(settings: Settings) -> None:
    """Delete a row from a master; raises `SystemExit` where the audit does not name its load."""
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        row = warehouse.execute(f"select load_id, load_row from {VICTIM} limit 1").fetchone()
        assert row is not None
        warehouse.execute(f"delete from {VICTIM} where load_id = ? and load_row = ?", list(row))
    told = [str(finding) for finding in audited(settings).findings() if finding.kind == "audit"]
    if len(told) != 1 or row[0] not in told[0]:
        raise SystemExit(f"the deleted row of load {row[0]} was not found: {told}")
    Console().print(f"a row deleted from a master is found: {told[0]}", markup=False)


if __name__ == "__main__":
    main()
