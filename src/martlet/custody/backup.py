"""Copies an installation while nobody writes to it, and puts such a copy back."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from martlet.access.control import copy_control_file
from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import TenantsFile, load_tenants_leniently
from martlet.custody.erase import Erasing, erase_again, rebuild, refuse_shared_places
from martlet.custody.manifest import (
    CopiedFile,
    Manifest,
    copied,
    described,
    new_manifest,
    read_manifest,
    refuse_damaged,
    write_manifest,
)
from martlet.custody.versions import remove_versions
from martlet.engines.duckdb_engine import connect
from martlet.engines.engine import WAIT_SECONDS
from martlet.engines.layout import refuse_newer
from martlet.engines.rewriting import held_still
from martlet.engines.swap import finish_swap, swap_in
from martlet.errors import BadInputError, MartletError
from martlet.landing.lock import landing_lock
from martlet.marts.versions import VersionFolder
from martlet.settings import Settings
from martlet.suppression.ledger import ledger_file, read_ledger, write_ledger

HOME, PROJECT = "home", "project"
_STAGE = ".restoring"
_FILES = ("audits.json", "alerts.json", "erasures.json")
_FOLDERS = ("dlt", "pending_artifacts")
_PUBLISHED = ("marts", "ops")
# The landing before the warehouse: a warehouse knows no load that its landing lacks.
_DATABASES = ("landing.duckdb", "warehouse.duckdb")
_CONTROL = "control.sqlite"
# What a restored home has of the backup, or has not.
_REPLACED = (*_DATABASES, *_FILES, *_FOLDERS, *_PUBLISHED)


@dataclass(frozen=True)
class BackedUp:
    """A finished backup."""

    folder: str
    manifest: Manifest


@dataclass
class Restored:
    """What a restore did. `erased` are rows by tenant of persons who were erased since;
    `differing` are the project's files that are not those of the backup, and stay."""

    folder: str
    manifest: Manifest
    erased: dict[str, int] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)
    kept_keys: bool = False


def back_up(settings: Settings, folder: Path, *, wait_seconds: float = WAIT_SECONDS) -> BackedUp:
    """Copy everything that cannot be made anew into an empty folder.

    Landings and runs wait meanwhile, and it waits for them. Raises `BadInputError` where the folder
    holds something, or there is nothing to copy.
    """
    refuse_shared_places(settings, "backup")
    _refuse_used(folder)
    if not any((settings.home / name).exists() for name in (*_DATABASES, _CONTROL)):
        raise BadInputError(
            "there is nothing to back up", where=str(settings.home), remedy="check MARTLET_HOME"
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files: dict[str, CopiedFile] = {}
    with landing_lock(settings, wait_seconds):
        finish_swap(settings.home)
        with held_still(settings, wait_seconds=wait_seconds):
            _copy(settings, folder, files, wait_seconds)
        folders = _empty_folders(settings.home)
    manifest = new_manifest(files, folders)
    write_manifest(folder, manifest)
    return BackedUp(str(folder), manifest)


def restore(
    settings: Settings,
    catalogue: Catalogue,
    folder: Path,
    *,
    force: bool = False,
    wait_seconds: float = WAIT_SECONDS,
) -> Restored:
    """Put a backup in the place of what is in the home, at once, without who was erased since.

    Everything is verified and made ready beside first. Keys stay as they are where there are any: a
    backup must not bring back what was revoked. Raises `BadInputError` for a backup that is not
    whole or is a newer program's and, without `force`, for a home that holds data.
    """
    refuse_shared_places(settings, "restore")
    manifest = read_manifest(folder)
    home = settings.home
    finish_swap(home)
    held = [name for name in (*_DATABASES, *_PUBLISHED) if (home / name).exists()]
    if held and not force:
        raise BadInputError(
            f"the home holds {', '.join(held)}",
            where=str(home),
            remedy="back it up; then give --force, or set MARTLET_HOME to an empty folder",
        )
    refuse_damaged(folder, manifest)
    report = Restored(str(folder), manifest, kept_keys=(home / _CONTROL).exists())
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(landing_lock(settings, wait_seconds))
        stage = stack.enter_context(_staged(home, folder, manifest))
        staged = replace(settings, home=stage)
        _join_ledgers(settings, staged)
        if staged.warehouse.exists():
            with connect(staged.warehouse, read_only=True) as warehouse:
                refuse_newer(warehouse, str(folder))
        report.erased = _without_erased(staged, folder, wait_seconds)
        stack.enter_context(held_still(settings, wait_seconds=wait_seconds))
        names = [n for n in (*_REPLACED, _CONTROL) if (stage / n).exists()]
        if report.kept_keys and _CONTROL in names:
            names.remove(_CONTROL)
        gone = [n for n in _REPLACED if (home / n).exists() and n not in names]
        swap_in(home, {f"{_STAGE}/{name}": name for name in names}, [*gone, _STAGE])
    report.differing = _differing(settings, folder)
    _rebuild(settings, catalogue, report, wait_seconds)
    return report


def _copy(
    settings: Settings, folder: Path, files: dict[str, CopiedFile], wait_seconds: float
) -> None:
    """Copy all; the databases last, because to close a file ends this process's hold on it."""
    home = settings.home
    for name in _PUBLISHED:
        for published in sorted(path for path in (home / name).glob("*") if path.is_dir()):
            with VersionFolder(published).lock(wait_seconds):
                for path in sorted(published.iterdir()):
                    if path.is_file() and not path.name.startswith("."):
                        _copy_one(
                            path, folder, f"{HOME}/{name}/{published.name}/{path.name}", files
                        )
    for name in _FOLDERS:
        for path in sorted((home / name).rglob("*")):
            if path.is_file():
                _copy_one(path, folder, f"{HOME}/{path.relative_to(home).as_posix()}", files)
    for name in _FILES:
        _copy_one(home / name, folder, f"{HOME}/{name}", files)
    if (home / _CONTROL).exists():
        target = folder / HOME / _CONTROL
        copy_control_file(home / _CONTROL, target)
        files[f"{HOME}/{_CONTROL}"] = described(target)
    for path in (settings.tenants_file, settings.catalogue_file):
        _copy_one(path, folder, f"{PROJECT}/{path.name}", files)
    for name in _DATABASES:
        _copy_one(home / name, folder, f"{HOME}/{name}", files)


def _empty_folders(home: Path) -> list[str]:
    """Return the folders that dlt expects to find, though they hold nothing."""
    return [
        f"{HOME}/{path.relative_to(home).as_posix()}"
        for name in _FOLDERS
        for path in sorted((home / name).rglob("*"))
        if path.is_dir() and not any(path.iterdir())
    ]


def _copy_one(source: Path, folder: Path, name: str, files: dict[str, CopiedFile]) -> None:
    if source.exists():
        with _written(folder):
            files[name] = copied(source, folder / name)


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MartletError(
            f"cannot be written: {error}",
            where=str(folder),
            remedy="make room, or name another folder; the home is as it was",
        ) from error


@contextmanager
def _staged(home: Path, folder: Path, manifest: Manifest) -> Iterator[Path]:
    """Give a folder in the home with the backup's home in it."""
    stage = home / _STAGE
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(mode=0o700)
    try:
        for name in manifest.folders:
            (stage / name.removeprefix(f"{HOME}/")).mkdir(parents=True, exist_ok=True)
        for name in manifest.files:
            part, _, rest = name.partition("/")
            if part == HOME:
                with _written(stage):
                    copied(folder / name, stage / rest)
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _join_ledgers(settings: Settings, staged: Settings) -> None:
    here, there = read_ledger(ledger_file(settings)), read_ledger(ledger_file(staged))
    joined = here.joined(there)
    if joined.keys:
        write_ledger(ledger_file(staged), joined)


def _without_erased(staged: Settings, folder: Path, wait_seconds: float) -> dict[str, int]:
    """Erase from the copy who was erased since it was made; return rows by tenant."""
    slugs = read_ledger(ledger_file(staged)).tenants()
    if not slugs or not staged.landing.exists():
        return {}
    catalogue, tenants = _configured(staged, folder)
    gone = {}
    for tenant in tenants.tenants.values():
        if tenant.slug not in slugs:
            continue
        found = erase_again(staged, catalogue, tenants, tenant, wait_seconds=wait_seconds).found
        if found.rows:
            gone[tenant.slug] = found.rows
            remove_versions(
                staged, tenant.slug, found.values, keep_current=False, wait_seconds=wait_seconds
            )
    return gone


def _configured(staged: Settings, folder: Path) -> tuple[Catalogue, TenantsFile]:
    """Return the configuration that the backup's data was landed with."""
    catalogue = load_catalogue(folder / PROJECT / staged.catalogue_file.name)
    tenants, _ = load_tenants_leniently(folder / PROJECT / staged.tenants_file.name, catalogue)
    return catalogue, tenants


def _rebuild(
    settings: Settings, catalogue: Catalogue, report: Restored, wait_seconds: float
) -> None:
    """Publish again what was published of tenants with erased persons."""
    if not report.erased:
        return
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    for slug in report.erased:
        if slug in tenants.tenants:
            done = Erasing(slug, 0)
            tenant = tenants.tenants[slug]
            rebuild(settings, catalogue, tenants, tenant, (), done, wait_seconds=wait_seconds)


def _differing(settings: Settings, folder: Path) -> list[str]:
    return [
        path.name
        for path in (settings.tenants_file, settings.catalogue_file)
        if (folder / PROJECT / path.name).is_file()
        and (not path.is_file() or described(path) != described(folder / PROJECT / path.name))
    ]


def _refuse_used(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInputError(
            "this is no empty folder", where=str(folder), remedy="name a folder that is not there"
        )
