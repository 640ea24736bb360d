"""What a published mart says about itself."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from martlet.engines.duckdb_engine import quoted_name
from martlet.marts.errors import MartDamagedError

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Profile:
    """What the rows of one semantic model span; currencies are sorted."""

    row_count: int
    currencies: tuple[str, ...]
    has_unknown_currency: bool
    platforms: tuple[str, ...]
    time_zones: tuple[str, ...]
    first_day: date | None
    last_day: date | None


@dataclass(frozen=True)
class SourceState:
    """How fresh one object of a connection is; a held one shows the last good rows."""

    source_platform: str
    connection: str
    object: str
    extracted_at: datetime | None
    pushed_at: datetime | None
    load_id: str | None
    is_held: bool
    held_because: str | None


@dataclass(frozen=True)
class MartInfo:
    """One version of a tenant's mart. All requests share it: `definition` is not to be changed."""

    tenant: str
    version: str
    previous_version: str | None
    published_at: datetime
    content_digest: str
    definition: dict[str, Any]
    definition_version: int
    reporting_timezone: str
    currency: str | None
    profiles: dict[str, Profile]
    freshness: tuple[SourceState, ...]


def read_info(rows_of: Callable[[str], Rows], tenant: str, version: str) -> MartInfo:
    """Read what version `version` says of itself; `rows_of` runs a SELECT on it.

    Raises `MartDamagedError` when it says nothing, or that it is another tenant's or another
    version.
    """

    def table(name: str) -> str:
        return f"{quoted_name(version)}.main.{name}"

    stated = rows_of(
        "select tenant_slug, version, previous_version, published_at, content_digest, "
        "cast(definition as varchar), definition_version, reporting_timezone, currency "
        f"from {table('mart_info')}"
    )
    if len(stated) != 1 or stated[0][:2] != (tenant, version):
        raise MartDamagedError(f"the published version {version} does not say that it is this one")
    profiles = rows_of(
        "select table_name, row_count, currencies, has_unknown_currency, platforms, time_zones, "
        f"first_day, last_day from {table('mart_profile')} order by all"
    )
    freshness = rows_of(
        "select source_platform, connection, object, extracted_at, pushed_at, load_id, is_held, "
        f"held_because from {table('mart_freshness')} order by all"
    )
    _, _, previous, published_at, digest, definition, number, timezone, currency = stated[0]
    return MartInfo(
        tenant=tenant,
        version=version,
        previous_version=previous,
        published_at=published_at,
        content_digest=digest,
        definition=_definition(definition, version),
        definition_version=number,
        reporting_timezone=timezone,
        currency=currency,
        profiles={name: _profile(*values) for name, *values in profiles},
        freshness=tuple(SourceState(*row) for row in freshness),
    )


def _definition(text: str | None, version: str) -> dict[str, Any]:
    try:
        definition = json.loads(text or "")
    except json.JSONDecodeError as error:
        raise MartDamagedError(f"the definition in version {version} is no JSON") from error
    if not isinstance(definition, dict):
        raise MartDamagedError(f"the definition in version {version} is no mapping of models")
    return definition


def _profile(
    row_count: int,
    currencies: list[str] | None,
    has_unknown_currency: bool | None,
    platforms: list[str] | None,
    time_zones: list[str] | None,
    first_day: date | None,
    last_day: date | None,
) -> Profile:
    return Profile(
        row_count=row_count,
        currencies=tuple(sorted(currencies or ())),
        has_unknown_currency=bool(has_unknown_currency),
        platforms=tuple(sorted(platforms or ())),
        time_zones=tuple(sorted(time_zones or ())),
        first_day=first_day,
        last_day=last_day,
    )
