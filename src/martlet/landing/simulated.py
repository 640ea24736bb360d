"""Lands what the simulator's sources would answer."""

from collections.abc import Collection, Iterator
from datetime import date

from martlet.config.catalogue import Catalogue
from martlet.config.tenant import Source, Tenant
from martlet.contracts.library import object_contract
from martlet.landing.batches import LandedBatch
from martlet.landing.checks import check_table
from martlet.landing.simulator.wire import scope_accounts, wire_parts
from martlet.landing.simulator.world import World, build_world

DEFAULT_UNTIL = date(2026, 6, 30)


def simulate(
    tenant: Tenant,
    catalogue: Catalogue,
    *,
    days: int,
    until: date = DEFAULT_UNTIL,
    seed: int,
    scale: float = 1.0,
    platforms: Collection[str] = (),
    objects: Collection[str] = (),
) -> Iterator[LandedBatch]:
    """Yield what each connection of the tenant's enabled sources delivers; see `deliveries`."""
    world = build_world(tenant, catalogue, days=days, until=until, seed=seed, scale=scale)
    yield from deliveries(world, tenant, platforms=platforms, objects=objects)


def deliveries(
    world: World,
    tenant: Tenant,
    *,
    platforms: Collection[str] = (),
    objects: Collection[str] = (),
) -> Iterator[LandedBatch]:
    """Yield a world's batches, connection by connection; empty `platforms` or `objects` mean all.

    Reports come complete for their accounts and the window, everything else as changes. A large
    object comes in several batches.
    """
    for source, connection, object_ in planned(tenant, platforms=platforms, objects=objects):
        yield from _delivered(world, tenant, source, connection, object_)


def planned(
    tenant: Tenant, *, platforms: Collection[str] = (), objects: Collection[str] = ()
) -> list[tuple[Source, str, str]]:
    """Return (source, connection, object) of everything to be delivered, in order."""
    return [
        (source, connection, object_)
        for source in tenant.enabled_sources()
        if not platforms or source.platform in platforms
        for connection in source.connections
        for object_ in source.objects
        if not objects or object_ in objects
    ]


def _delivered(
    world: World, tenant: Tenant, source: Source, connection: str, object_: str
) -> Iterator[LandedBatch]:
    contract = object_contract(source.platform, object_)
    is_report = contract.load_mode == "replace_scope"
    for part in wire_parts(world, tenant, source, connection, object_):
        records = part.records
        accepted, rejected = check_table(records, contract, "native")
        yield LandedBatch(
            platform=source.platform,
            connection=connection,
            object=object_,
            loader="native",
            rows=accepted,
            rejected=rejected,
            mode=contract.load_mode,
            is_complete=is_report and not rejected,
            scope_accounts=scope_accounts(world, contract, source.platform, connection, records),
            scope_start=part.scope_start,
            scope_end=part.scope_end,
            extracted_at=world.extracted_at,
        )
