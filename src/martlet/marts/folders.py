"""The folders of versions there are, in a home or in an object store, and what is asked of one."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from martlet import naming
from martlet.errors import BadInputError
from martlet.marts.errors import MartDamagedError, NothingPublishedError, VersionGoneError
from martlet.marts.versions import OPERATORS, WAIT_SECONDS, VersionFolder, content_digest
from martlet.settings import Settings


@dataclass(frozen=True)
class MartVersion:
    """One published version. `size` is in bytes; `rows` by semantic model, empty when damaged."""

    version: str
    published_at: datetime
    is_current: bool
    size: int
    rows: dict[str, int] = field(default_factory=dict)
    is_withdrawn: bool = False
    is_damaged: bool = False


def mart_folder(settings: Settings, tenant: str) -> VersionFolder:
    """Return the folder of a tenant's marts; raises `BadInputError` for what names no tenant."""
    return _folder(settings, settings.marts_dir, _tenant_name(tenant))


def operations_folder(settings: Settings, tenant: str) -> VersionFolder:
    """Return the folder of operational snapshots, of a tenant or `OPERATORS`; see `mart_folder`."""
    name = tenant if tenant == OPERATORS else _tenant_name(tenant)
    return _folder(settings, settings.operations_dir, name)


def published_slugs(settings: Settings) -> list[str]:
    """Return the tenants that have published marts."""
    if settings.stored_marts:
        from martlet.marts.bucket import bucket_of

        names = bucket_of(settings.stored_marts).folders(settings.marts_dir.name)
    else:
        there = settings.marts_dir.iterdir() if settings.marts_dir.is_dir() else ()
        names = sorted(folder.name for folder in there if folder.is_dir())
    return [name for name in names if not naming.tenant_slug_problem(name)]


def _folder(settings: Settings, place: Path, name: str) -> VersionFolder:
    if not settings.stored_marts:
        return VersionFolder(place / name)
    from martlet.marts.bucket import bucket_of  # its client is installed where it is needed only
    from martlet.marts.shelf import Shelf
    from martlet.marts.stored_folder import StoredFolder

    here = VersionFolder(place / name)
    shelf = Shelf(bucket_of(settings.stored_marts), f"{place.name}/{name}", here)
    return StoredFolder(here.path, shelf)


def list_versions(settings: Settings, tenant: str) -> list[MartVersion]:
    """Return the tenant's published versions, the oldest first; a damaged one is said to be so."""
    folder = mart_folder(settings, tenant)
    withdrawn = folder.withdrawn()
    current = None
    with suppress(MartDamagedError):
        current = folder.current()
    return [
        MartVersion(
            version,
            told.published_at,
            is_current=version == current,
            size=told.size,
            rows=told.rows,
            is_withdrawn=version in withdrawn,
            is_damaged=told.is_damaged,
        )
        for version, told in folder.tell().items()
    ]


def rollback(
    folder: VersionFolder, to: str | None = None, *, wait_seconds: float = WAIT_SECONDS
) -> str:
    """Make the version before the current one, or the named one, current; return it.

    What the version that is left holds is not published again unless forced. Going to a later
    version takes its withdrawal back. Raises `BadInputError` naming the versions that can be named.
    """
    if not folder.versions():
        raise NothingPublishedError(
            "nothing is published here", where=str(folder.path), remedy="martlet run publishes"
        )
    with folder.lock(wait_seconds):
        try:
            current = folder.current()
        except MartDamagedError:
            if to is None:
                raise
            current = None
        target = _target(folder, current, to)
        digest = content_digest(folder, target)
        if current and target < current:
            with suppress(MartDamagedError, VersionGoneError):
                folder.withdraw(current, content_digest(folder, current))
        folder.restore(digest)
        folder.swap(target)
    return target


def _target(folder: VersionFolder, current: str | None, to: str | None) -> str:
    others = [version for version in folder.versions() if version != current]
    choices = f"valid: {', '.join(others)}" if others else "there is no other version"
    remedy = "`martlet marts list TENANT` shows the versions"
    if to is not None:
        if to not in others:
            what = "is current already" if to == current else "does not exist"
            raise BadInputError(
                f"version {to!r} {what}; {choices}", where=str(folder.path), remedy=remedy
            )
        return to
    earlier = [version for version in others if current and version < current]
    if not earlier:
        raise BadInputError(
            f"there is no version before {current}; {choices}",
            where=str(folder.path),
            remedy="publish again, or name a version with --to" if others else remedy,
        )
    return earlier[-1]


def _tenant_name(tenant: str) -> str:
    problem = naming.tenant_slug_problem(tenant)
    if problem:
        raise BadInputError(
            f"{tenant!r} is no tenant: {problem}", remedy="`martlet status` shows the tenants"
        )
    return tenant
