"""Where the project and its state lie, and what its databases may take, by the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Settings:
    """The absolute paths of one project."""

    project_dir: Path
    home: Path
    tenants_file: Path

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
    def control(self) -> Path:
        """Return the SQLite file of keys."""
        return self.home / "control.sqlite"

    def target_dir(self, tenant: str) -> Path:
        """Return the tenant's own dbt target folder, so that tenants never share a parse."""
        return self.home / "target" / tenant


def load_settings(environ: Mapping[str, str], working_dir: Path | None = None) -> Settings:
    """Return the settings that MARTLET_PROJECT, MARTLET_HOME and MARTLET_TENANTS ask for.

    Relative paths in MARTLET_HOME and MARTLET_TENANTS start at the project; an empty variable
    counts as unset. Raises `BadInputError` when there is no project.
    """
    start = (working_dir or Path.cwd()).absolute()
    named = environ.get("MARTLET_PROJECT")
    project = _named_project(start, named) if named else _enclosing_project(start)
    return Settings(
        project_dir=project,
        home=_within(project, environ.get("MARTLET_HOME") or "data"),
        tenants_file=_within(project, environ.get("MARTLET_TENANTS") or "tenants.yaml"),
    )


def stated_memory(environ: Mapping[str, str]) -> str | None:
    """Return what MARTLET_MEMORY allows a database; None where it is unset or empty."""
    stated = environ.get("MARTLET_MEMORY", "").strip()
    if not stated:
        return None
    if not size_in_bytes(stated):
        raise BadInputError(
            f"MARTLET_MEMORY is {stated!r}",
            where="environment",
            remedy="set it to a size such as 512MiB or 2GB, or unset it",
        )
    return stated


def size_in_bytes(stated: str) -> int | None:
    """Return the bytes of `262144`, `256KiB` or `1MB`; None for anything else."""
    found = _SIZE.fullmatch(stated.strip())
    return int(found[1]) * _UNITS[(found[2] or "").upper()] if found else None


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
