"""What `martlet land` does, one function for each way in."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq

from martlet import naming
from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenant import Source, Tenant
from martlet.config.tenants import TenantsFile, load_tenants_leniently
from martlet.contracts.base import LoadMode, ObjectContract
from martlet.contracts.library import object_contract
from martlet.engines.engine import WAIT_SECONDS
from martlet.errors import BadInputError, nearest
from martlet.landing.batches import LandedBatch, Loader, Progress, ProgressCallback
from martlet.landing.files import read_file
from martlet.landing.pipeline import LandingReport, land
from martlet.landing.simulated import DEFAULT_UNTIL, deliveries, planned
from martlet.landing.simulator.truth import truth as world_truth
from martlet.landing.simulator.world import build_world
from martlet.settings import Settings


def land_simulated(
    settings: Settings,
    tenant_slug: str,
    *,
    days: int,
    until: date = DEFAULT_UNTIL,
    seed: int = 0,
    scale: float = 1.0,
    truth: Path | None = None,
    platforms: Collection[str] = (),
    objects: Collection[str] = (),
    wait_seconds: float = WAIT_SECONDS,
    progress: ProgressCallback | None = None,
) -> LandingReport:
    """Land what the tenant's simulated sources answer on the day `until` for the last `days`.

    `truth` is a Parquet file to which the simulator's own facts of this landing are written.
    Raises `BadInputError` before anything is written.
    """
    tenant, catalogue, _ = _tenant(settings, tenant_slug)
    for platform in platforms:
        _source(tenant, platform, catalogue)
    _require_objects(tenant, platforms, objects)
    if truth is not None and not truth.absolute().parent.is_dir():
        raise BadInputError(
            f"there is no folder {str(truth.parent)!r}", where="--truth", remedy="create it first"
        )
    world = build_world(tenant, catalogue, days=days, until=until, seed=seed, scale=scale)
    batches = deliveries(world, tenant, platforms=platforms, objects=objects)
    report = _land_for_tenant(settings, tenant.slug, batches, wait_seconds, progress)
    if truth is not None:
        pq.write_table(world_truth(world, tenant, catalogue), truth)
    return report


def planned_landings(
    settings: Settings,
    tenant_slug: str,
    *,
    platforms: Collection[str] = (),
    objects: Collection[str] = (),
) -> list[tuple[str, str, str]]:
    """Return (platform, connection, object) of what `land_simulated` will land, for progress."""
    tenant, _, _ = _tenant(settings, tenant_slug)
    return [
        (source.platform, connection, object_)
        for source, connection, object_ in planned(tenant, platforms=platforms, objects=objects)
    ]


def land_file(
    settings: Settings,
    tenant_slug: str,
    platform: str,
    object_: str,
    file: Path,
    *,
    connection: str = naming.MAIN_CONNECTION,
    loader: Loader | None = None,
    mode: LoadMode = "upsert",
    extracted_at: datetime | None = None,
    scope_accounts: Collection[str] = (),
    scope_start: date | None = None,
    scope_end: date | None = None,
    wait_seconds: float = WAIT_SECONDS,
    progress: ProgressCallback | None = None,
) -> LandingReport:
    """Land a file of records that the user has; bad rows go to quarantine, good rows land.

    `mode` other than `upsert` states that the file is whole: what it lacks of its scope is gone.
    That is not believed of a file with bad rows. `extracted_at` is now unless given.
    """
    tenant, catalogue, _ = _tenant(settings, tenant_slug)
    source = _source(tenant, platform, catalogue)
    contract = _contract(source, object_)
    if connection not in source.connections:
        raise BadInputError(
            f"{tenant.slug} has no connection {connection!r} of {platform}; "
            f"{nearest(connection, source.connections)}",
            where=str(settings.tenants_file),
            remedy=f"declare it under tenants.{tenant.slug}.sources.{platform}.connections",
        )
    _require_scope(contract, mode, scope_start, scope_end)
    batch = read_file(
        file,
        platform=platform,
        connection=connection,
        contract=contract,
        loader=loader,
        extracted_at=_utc(extracted_at),
        folder=settings.dlt_dir,
    )
    batch = replace(
        batch,
        mode=mode,
        is_complete=mode != "upsert" and not batch.rejected,
        scope_accounts=tuple(scope_accounts),
        scope_start=scope_start,
        scope_end=scope_end,
    )
    return _land_for_tenant(settings, tenant.slug, [batch], wait_seconds, progress)


def land_shared_file(
    settings: Settings,
    table: str,
    file: Path,
    *,
    extracted_at: datetime | None = None,
    wait_seconds: float = WAIT_SECONDS,
    progress: ProgressCallback | None = None,
) -> LandingReport:
    """Land a file into one of the tables that hold the accounts of several tenants."""
    tenants, _ = _tenants(settings)
    declared = {landing.table: landing for landing in tenants.shared_landings}
    if table not in declared:
        raise BadInputError(
            f"unknown shared table {table!r}; {nearest(table, declared)}",
            where=str(settings.tenants_file),
            remedy="declare it under shared_landings",
        )
    landing = declared[table]
    batch = read_file(
        file,
        platform=landing.platform,
        connection=naming.MAIN_CONNECTION,
        contract=object_contract(landing.platform, landing.object),
        loader=landing.loader,
        extracted_at=_utc(extracted_at),
        folder=settings.dlt_dir,
    )
    return land(
        settings,
        naming.SHARED_SCHEMA,
        naming.SHARED_SCHEMA,
        _reported([batch], progress),
        table_namer=lambda _: table,
        wait_seconds=wait_seconds,
        progress=progress,
    )


def _land_for_tenant(
    settings: Settings,
    tenant: str,
    batches: Iterator[LandedBatch] | list[LandedBatch],
    wait_seconds: float,
    progress: ProgressCallback | None,
) -> LandingReport:
    return land(
        settings,
        naming.landed_schema(tenant),
        tenant,
        _reported(batches, progress),
        table_namer=lambda batch: naming.landed_table(
            tenant, batch.platform, batch.object, batch.connection
        ),
        wait_seconds=wait_seconds,
        progress=progress,
    )


def _reported(
    batches: Iterator[LandedBatch] | list[LandedBatch], progress: ProgressCallback | None
) -> Iterator[LandedBatch]:
    for batch in batches:
        if progress:
            progress(
                Progress("read", batch.platform, batch.connection, batch.object, batch.received)
            )
        yield batch


def _tenants(settings: Settings) -> tuple[TenantsFile, dict[str, BadInputError]]:
    catalogue = load_catalogue(settings.catalogue_file)
    return load_tenants_leniently(settings.tenants_file, catalogue)


def _tenant(settings: Settings, slug: str) -> tuple[Tenant, Catalogue, TenantsFile]:
    """Return the tenant; another tenant's mistakes in the file do not matter."""
    tenants, errors = _tenants(settings)
    if slug in errors:
        raise errors[slug]
    tenant = tenants.tenant(slug, require_active=True)
    return tenant, load_catalogue(settings.catalogue_file), tenants


def _source(tenant: Tenant, platform: str, catalogue: Catalogue) -> Source:
    catalogue.connector(platform)
    enabled = {source.platform: source for source in tenant.enabled_sources()}
    if platform not in enabled:
        raise BadInputError(
            f"{platform!r} is no enabled source of {tenant.slug}; {nearest(platform, enabled)}",
            where="tenants.yaml",
            remedy=f"add it under tenants.{tenant.slug}.sources",
        )
    return enabled[platform]


def _contract(source: Source, object_: str) -> ObjectContract:
    if object_ not in source.objects:
        raise BadInputError(
            f"{source.platform} has no object {object_!r}; {nearest(object_, source.objects)}",
            where="--object",
            remedy="name an object that the tenant's source lists",
        )
    return object_contract(source.platform, object_)


def _require_objects(tenant: Tenant, platforms: Collection[str], objects: Collection[str]) -> None:
    known = {object_ for _, _, object_ in planned(tenant, platforms=platforms)}
    for object_ in objects:
        if object_ not in known:
            raise BadInputError(
                f"no source of {tenant.slug} has an object {object_!r}; {nearest(object_, known)}",
                where="--object",
                remedy="name an object of the chosen platforms",
            )


def _require_scope(
    contract: ObjectContract, mode: LoadMode, start: date | None, end: date | None
) -> None:
    if mode != "replace_scope":
        if start or end:
            raise BadInputError(
                f"the mode {mode!r} has no scope",
                where="--scope-start",
                remedy="give --mode replace_scope, or leave the scope out",
            )
        return
    if contract.scope is None:
        raise BadInputError(
            f"{contract.object!r} is no report: it has no days that a file could hold whole",
            where="--mode",
            remedy="give --mode upsert or --mode snapshot",
        )
    if start is None or end is None or start > end:
        raise BadInputError(
            f"the scope from {start} to {end} names no days",
            where="--scope-start",
            remedy="give --scope-start and --scope-end, both included",
        )


def _utc(moment: datetime | None) -> datetime:
    """Return the moment in UTC without a zone; one without a zone is UTC already."""
    if moment is None:
        return datetime.now(UTC).replace(tzinfo=None)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
