"""Where the project and its state lie, and what its databases may take, by the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from martlet.errors import BadInputError

PROJECT_MARKERS = ("dbt_project.yml", "supported_connectors.yaml")
_SIZE = re.compile(r"(\d{1,12})\s*([KMG]i?B|B)?", re.IGNORECASE)
_UNITS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}
TARGETS = ("duckdb", "ducklake", "motherduck")
_BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([A-Za-z0-9_./=-]*?))?/*")
_SECRET_IN_TEXT = re.compile(r"password\s*=|://[^/@]*:[^/@]*@", re.IGNORECASE)


@dataclass(frozen=True)
class ObjectStore:
    """How an S3-compatible store is reached; without keys, as nobody in particular."""

    endpoint: str | None = None  # host and port; none is Amazon's
    region: str = "us-east-1"
    use_tls: bool = True
    key_id: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Lake:
    """Where a lake keeps its catalogue and its files.

    `catalogue` is `postgres:` and libpq's keywords without a password, which libpq finds by itself
    (PGPASSWORD, PGPASSFILE, a service); or the path of a file, for one process at a time.
    """

    catalogue: str
    data: str  # a folder, or s3://bucket/prefix
    store: ObjectStore = ObjectStore()

    @property
    def postgres(self) -> str | None:
        """Return libpq's keywords, None where the catalogue is a file."""
        kind, colon, keywords = self.catalogue.partition(":")
        return keywords if colon and kind == "postgres" else None

    @property
    def is_remote(self) -> bool:
        """Say whether the files lie in an object store."""
        return self.data.startswith("s3://")


@dataclass(frozen=True)
class StoredMarts:
    """Where published versions lie for many machines; the home keeps copies of what is read."""

    bucket: str
    prefix: str
    store: ObjectStore
    check_seconds: float = 5.0
    cache_bytes: int = 20 * 2**30


@dataclass(frozen=True)
class ControlDatabase:
    """A PostgreSQL with the keys of several machines: libpq's keywords without a password."""

    keywords: str


@dataclass(frozen=True)
class Settings:
    """The absolute paths of one project."""

    project_dir: Path
    home: Path
    tenants_file: Path
    target: str = "duckdb"
    lake: Lake | None = None  # of the target ducklake
    motherduck_database: str = "martlet"
    stored_marts: StoredMarts | None = None
    control_database: ControlDatabase | None = None

    @property
    def catalogue_file(self) -> Path:
        return self.project_dir / "supported_connectors.yaml"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse.duckdb"

    @property
    def landing(self) -> Path:
        return self.home / "landing.duckdb"

    @property
    def dlt_dir(self) -> Path:
        return self.home / "dlt"

    @property
    def marts_dir(self) -> Path:
        """Return the folder of published marts: one folder a tenant, one file a version."""
        return self.home / "marts"

    @property
    def operations_dir(self) -> Path:
        """Return the folder of published operational snapshots, laid out like the marts."""
        return self.home / "ops"

    @property
    def control(self) -> Path | ControlDatabase:
        """Return where keys lie: a SQLite file, or a database that several machines share."""
        return self.control_database or self.home / "control.sqlite"

    def target_dir(self, tenant: str) -> Path:
        """Return the tenant's own dbt target folder, so that tenants never share a parse."""
        return self.home / "target" / tenant


def load_settings(environ: Mapping[str, str], working_dir: Path | None = None) -> Settings:
    """Return the settings that the variables MARTLET_* ask for.

    Relative paths in them start at the project; an empty variable counts as unset. Raises
    `BadInputError` when there is no project, or a target that there is not.
    """
    start = (working_dir or Path.cwd()).absolute()
    named = environ.get("MARTLET_PROJECT")
    project = _named_project(start, named) if named else _enclosing_project(start)
    home = _within(project, environ.get("MARTLET_HOME") or "data")
    target = environ.get("MARTLET_TARGET") or "duckdb"
    if target not in TARGETS:
        raise BadInputError(
            f"there is no target {target!r}; there are {', '.join(TARGETS)}",
            where="--target, or MARTLET_TARGET",
            remedy="name one of them",
        )
    return Settings(
        project_dir=project,
        home=home,
        tenants_file=_within(project, environ.get("MARTLET_TENANTS") or "tenants.yaml"),
        target=target,
        lake=_lake(environ, project, home) if target == "ducklake" else None,
        motherduck_database=environ.get("MARTLET_MOTHERDUCK_DATABASE") or "martlet",
        stored_marts=_stored_marts(environ),
        control_database=_control_database(environ),
    )


def stated_memory(environ: Mapping[str, str]) -> str | None:
    """Return what MARTLET_MEMORY allows a database; None where it is unset or empty."""
    stated = environ.get("MARTLET_MEMORY", "").strip()
    if not stated:
        return None
    if not size_in_bytes(stated):
        _refuse_size("MARTLET_MEMORY", stated)
    return stated


def size_in_bytes(stated: str) -> int | None:
    """Return the bytes of `262144`, `256KiB` or `1MB`; None for anything else."""
    found = _SIZE.fullmatch(stated.strip())
    return int(found[1]) * _UNITS[(found[2] or "").upper()] if found else None


def _lake(environ: Mapping[str, str], project: Path, home: Path) -> Lake:
    catalogue = environ.get("MARTLET_LAKE_CATALOGUE") or str(home / "lake.ducklake")
    data = environ.get("MARTLET_LAKE_DATA") or str(home / "lake")
    _refuse_password(catalogue, "MARTLET_LAKE_CATALOGUE")
    lake = Lake(catalogue=catalogue, data=data, store=_object_store(environ))
    if lake.postgres is None:
        lake = replace(lake, catalogue=str(_within(project, catalogue)))
    if not lake.is_remote:
        lake = replace(lake, data=str(_within(project, data)))
    return lake


def _object_store(environ: Mapping[str, str]) -> ObjectStore:
    endpoint = environ.get("MARTLET_S3_ENDPOINT") or None
    return ObjectStore(
        endpoint=re.sub(r"^https?://", "", endpoint).rstrip("/") if endpoint else None,
        region=environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        use_tls=not (endpoint or "").startswith("http://"),
        key_id=environ.get("AWS_ACCESS_KEY_ID") or None,
        secret=environ.get("AWS_SECRET_ACCESS_KEY") or None,
        session_token=environ.get("AWS_SESSION_TOKEN") or None,
    )


def _stored_marts(environ: Mapping[str, str]) -> StoredMarts | None:
    place = environ.get("MARTLET_MARTS", "").strip()
    if not place:
        return None
    found = _BUCKET.fullmatch(place)
    if not found:
        raise BadInputError(
            f"MARTLET_MARTS is {place!r}",
            where="environment",
            remedy="set it to s3://bucket/prefix, or unset it: then marts lie in MARTLET_HOME",
        )
    seconds, cache = StoredMarts.check_seconds, StoredMarts.cache_bytes
    if stated := environ.get("MARTLET_MARTS_CHECK_SECONDS", "").strip():
        seconds = _seconds("MARTLET_MARTS_CHECK_SECONDS", stated)
    if stated := environ.get("MARTLET_MARTS_CACHE", "").strip():
        cache = size_in_bytes(stated) or _refuse_size("MARTLET_MARTS_CACHE", stated)
    return StoredMarts(found[1], found[2] or "", _object_store(environ), seconds, cache)


def _control_database(environ: Mapping[str, str]) -> ControlDatabase | None:
    place = environ.get("MARTLET_CONTROL", "").strip()
    if not place:
        return None
    _refuse_password(place, "MARTLET_CONTROL")
    kind, colon, keywords = place.partition(":")
    if kind != "postgres" or not colon or "=" not in keywords:
        raise BadInputError(
            f"MARTLET_CONTROL is {place!r}",
            where="environment",
            remedy="set it to postgres: and libpq's keywords, such as "
            "'postgres:host=db dbname=lake user=martlet', or unset it: then keys lie in a file of "
            "MARTLET_HOME",
        )
    return ControlDatabase(keywords)


def _seconds(variable: str, stated: str) -> float:
    try:
        seconds = float(stated)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:  # so that NaN is refused too
        raise BadInputError(
            f"{variable} is {stated!r}",
            where="environment",
            remedy="set it to seconds from 0 to 86400, or unset it",
        )
    return seconds


def _refuse_size(variable: str, stated: str) -> NoReturn:
    raise BadInputError(
        f"{variable} is {stated!r}",
        where="environment",
        remedy="set it to a size such as 512MiB or 2GB, or unset it",
    )


def _refuse_password(address: str, variable: str) -> None:
    if _SECRET_IN_TEXT.search(address):
        raise BadInputError(
            f"{'the catalogue' if 'CATALOGUE' in variable else 'the database'}'s address holds a "
            "password",
            where=variable,
            remedy="leave it out and set PGPASSWORD, or name a file in PGPASSFILE",
        )


def _named_project(start: Path, named: str) -> Path:
    folder = _within(start, named)
    lacking = [name for name in PROJECT_MARKERS if not (folder / name).is_file()]
    if lacking:
        raise BadInputError(
            f"MARTLET_PROJECT names {str(folder)!r}, which has no {' and no '.join(lacking)}",
            where="environment",
            remedy="set MARTLET_PROJECT to the folder of a Martlet clone, or unset it",
        )
    return folder


def _enclosing_project(start: Path) -> Path:
    for folder in (start, *start.parents):
        if all((folder / name).is_file() for name in PROJECT_MARKERS):
            return folder.resolve()
    raise BadInputError(
        f"neither {str(start)!r} nor a folder above it holds {' and '.join(PROJECT_MARKERS)}",
        where="working directory",
        remedy="change into a Martlet clone, or set MARTLET_PROJECT to its folder",
    )


def _within(project: Path, path: str) -> Path:
    try:
        return (project / _expand(path)).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL
        raise BadInputError(
            f"cannot use {path!r}: {error}",
            where="environment",
            remedy="correct the variable MARTLET_PROJECT, MARTLET_HOME or MARTLET_TENANTS",
        ) from error


def _expand(path: str) -> Path:
    return Path(path).expanduser()
