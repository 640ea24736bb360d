"""Makes projects of their own to measure in, and lands rows into them without a simulator."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from martlet import naming
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.landing.batches import LandedBatch
from martlet.landing.pipeline import land
from martlet.pipeline.progress import Silence
from martlet.pipeline.run import Run
from martlet.settings import Settings, load_settings

PARTS = ("macros", "models/platform", "data-tests", "dbt_project.yml", "profiles.yml")
LAYERS = ("sources", "staging", "intermediate", "analytics")
STANZA = {"reporting_timezone": "UTC", "currency": "EUR"}
# What the benchmarks' tenant means, so that its facts have conversions and a funnel.
META = {"connections": {"main": {"accounts": ["1029384756"]}}}
ANALYTICS = {"tables": {"events": {"conversion_events": ["purchase"]}}}


def repository() -> Path:
    """Return the folder of the code that is measured."""
    return load_settings(os.environ).project_dir


def new_project(folder: Path, tenants: dict[str, dict[str, Any]]) -> Settings:
    """Return the settings of a new project; `tenants` maps slug to sources."""
    (folder / "models").mkdir(parents=True)
    for part in PARTS:
        (folder / part).symlink_to(repository() / part)
    for layer in LAYERS:
        (folder / "models" / layer).mkdir()
    catalogue = repository() / "supported_connectors.yaml"
    (folder / catalogue.name).write_text(catalogue.read_text())
    configure(folder, tenants)
    return load_settings({}, folder)


def copy_project(settings: Settings, folder: Path) -> Settings:
    """Return the settings of a copy of a project with its state; nobody may hold its databases."""
    shutil.copytree(settings.project_dir, folder, symlinks=True)
    return load_settings({}, folder)


def configure(folder: Path, tenants: dict[str, dict[str, Any]]) -> None:
    """Write the project's tenants.yaml."""
    document = {
        "version": 1,
        "tenants": {
            slug: {"name": slug, **STANZA, "sources": sources} for slug, sources in tenants.items()
        },
    }
    (folder / "tenants.yaml").write_text(yaml.safe_dump(document, sort_keys=False))


def land_batches(settings: Settings, slug: str, batches: Iterable[LandedBatch]) -> None:
    """Land batches for a tenant, as `martlet land` does with those of its files."""
    land(
        settings,
        naming.landed_schema(slug),
        slug,
        batches,
        table_namer=lambda b: naming.landed_table(slug, b.platform, b.object, b.connection),
    )


def run_tenants(settings: Settings, slugs: Iterable[str]) -> Run:
    """Run tenants; raises `SystemExit` where the run breaks a promise."""
    catalogue = load_catalogue(settings.catalogue_file)
    tenants = load_tenants(settings.tenants_file, catalogue)
    work = Run(settings, catalogue, tenants, Silence(), wait_seconds=60)
    work.run(tuple(tenants.tenant(slug) for slug in slugs))
    if work.broken_promises:
        raise SystemExit("\n".join(str(finding) for finding in work.report.findings))
    return work
