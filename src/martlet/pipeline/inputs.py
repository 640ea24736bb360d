"""What a tenant's warehouse, mart and snapshot are made from, each input as one comparable text.

Whatever could make another result is in here, or in the digest of the landing. Where a cheap text
cannot tell that two things are the same (a file with a new time, the same bytes), it says that
they differ: a run too many is no harm.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from importlib.metadata import version
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

import martlet
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.duckdb_engine import columns_of, quoted_name
from martlet.engines.listing import list_tables
from martlet.marts.errors import MartDamagedError, StoreUnreachableError
from martlet.marts.folders import mart_folder, operations_folder
from martlet.marts.versions import VersionFolder
from martlet.pipeline.audit import LEDGER
from martlet.pipeline.audit_record import AuditRecord
from martlet.registry.approvals import decisions
from martlet.registry.blueprints import stored_blueprints
from martlet.registry.quarantine import ROW_DECISIONS
from martlet.scaffold.tenant_files import LAYERS
from martlet.settings import Settings
from martlet.star_schema import STAR_TABLES, star_model

# A change of one of these needs all of a run; of these, a publication; of these, a snapshot.
REBUILD = ("code", "configuration", "files", "landed", "registry", "ledger", "built")
PUBLISH = ("publication", "audit", "mart")
SNAPSHOT = ("decisions", "snapshot")

_PROJECT = (
    "macros",
    "models/platform",
    "data-tests",
    "dbt_project.yml",
    "profiles.yml",
    "supported_connectors.yaml",
)
_DOORS = frozenset({"access", "alerts", "api", "cli", "mcp", "web", "__pycache__"})
_ENGINES = ("martlet", "dbt-core", "dbt-duckdb", "duckdb")


def code_digest(settings: Settings) -> str:
    """Return the digest of all code and versions that a result depends on."""
    digest = md5(usedforsecurity=False)
    for name in _ENGINES:
        digest.update(f"{name} {version(name)}\n".encode())
    package = Path(martlet.__file__).parent
    for root, folders, names in os.walk(package):
        folders[:] = sorted(set(folders) - _DOORS)
        for name in sorted(names):
            _add_file(digest, Path(root) / name, package)
    for part in _PROJECT:
        path = settings.project_dir / part
        for file in sorted(path.rglob("*")) if path.is_dir() else (path,):
            if file.is_file():
                _add_file(digest, file, settings.project_dir)
    return digest.hexdigest()


def files_digest(settings: Settings, slug: str) -> str:
    """Return what changes with each file of the tenant's models: names, sizes and times."""
    models = f"{settings.project_dir}/models"
    told = [entry for layer in LAYERS for entry in _entries(f"{models}/{layer}/{slug}")]
    return _digest(str(sorted(told)))


def stated_inputs(settings: Settings, tenant: Tenant, tenants: TenantsFile) -> dict[str, str]:
    """Return what the configuration says that shapes a tenant's tables and its mart."""
    rates = tenant.semantics.exchange_rates
    said = [tenant.name, tenant.semantics.model_dump_json()]
    if rates:
        said.append(_content(settings.project_dir / rates))
    return {"configuration": tenants.digest(tenant.slug), "publication": _digest(str(said))}


def published_inputs(
    settings: Settings, slug: str, audits: Mapping[str, AuditRecord]
) -> dict[str, str]:
    """Return what of a tenant is published, and what its audit says."""
    audit = audits.get(slug)
    return {
        "audit": str(audit.broken_promises if audit else 0),
        "mart": _current(mart_folder(settings, slug)),
    }


def snapshot_input(settings: Settings, slug: str) -> str:
    """Say whether the tenant, or the operators, have an operational snapshot."""
    return "none" if _current(operations_folder(settings, slug)) == "none" else "published"


@dataclass
class WarehouseInputs:
    """What the warehouse holds of each tenant, read at once for all of them."""

    ledger: dict[str, str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)  # by model
    row_decisions: dict[str, str] = field(default_factory=dict)
    shape_decisions: dict[str, str] = field(default_factory=dict)
    blueprints: dict[str, str] = field(default_factory=dict)  # by fingerprint

    def of(self, slug: str, shapes: tuple[str, ...] | None) -> dict[str, str]:
        """Return the inputs of one tenant whose landed tables have these shapes."""
        stars = [self.tables.get(star_model(slug, table)) for table in STAR_TABLES]
        # Any new shape might fit what cannot be routed.
        relevant = self.blueprints.keys() if shapes is None else {*shapes}
        known = [(shape, self.blueprints.get(shape)) for shape in sorted(relevant)]
        return {
            "registry": _digest(str((known, self.shape_decisions.get(slug)))),
            "ledger": self.ledger.get(slug, ""),
            "built": str((self.runs.get(slug), self.runs.get(""), stars)),
        }


def snapshot_decisions(
    row_decisions: Mapping[str, str], slug: str, audit: AuditRecord | None
) -> str:
    """Return what only the operational snapshot shows: decisions on rows, and the audit."""
    return str((row_decisions.get(slug), audit))


def read_row_decisions(warehouse: DuckDBPyConnection) -> dict[str, str]:
    """Return what was decided on rows, by tenant."""
    if not columns_of(warehouse, ROW_DECISIONS):
        return {}
    return _by_slug(warehouse, "count(*), max(decided_at)", ROW_DECISIONS)


def warehouse_inputs(warehouse: DuckDBPyConnection, slug: str | None = None) -> WarehouseInputs:
    """Read what the warehouse holds of all tenants; with `slug`, the built tables of one alone.

    The landing is better not attached yet when all are read: a listing goes through it as well.
    """
    inputs = WarehouseInputs()
    if columns_of(warehouse, LEDGER):
        inputs.ledger = _by_slug(
            warehouse,
            "count(*), sum(rows_landed), sum(rows_pushed), sum(rows_quarantined), max(pushed_at)",
            LEDGER,
        )
    inputs.row_decisions = read_row_decisions(warehouse)
    if columns_of(warehouse, "ops.invocations"):
        inputs.runs = _by_slug(
            warehouse,
            "count(*), max(started_at)",
            "ops.invocations where not contains(cast(arguments as varchar), 'as_of')",
        )
    inputs.tables = counted_tables(warehouse, slug) if slug else _listed_tables(warehouse)
    told: dict[str, list[str]] = defaultdict(list)
    for decision in decisions(warehouse):
        told[decision.tenant].append(str(decision))
    inputs.shape_decisions = {slug: _digest(str(listed)) for slug, listed in told.items()}
    versions: dict[str, list[str]] = defaultdict(list)
    for blueprint in stored_blueprints(warehouse):
        versions[blueprint.source_schema_hash].append(str(blueprint))
    inputs.blueprints = {shape: _digest(str(sorted(v))) for shape, v in versions.items()}
    return inputs


def _by_slug(warehouse: DuckDBPyConnection, columns: str, source: str) -> dict[str, str]:
    """Return a text by tenant; what names no tenant stands under the empty one."""
    rows = warehouse.execute(f"select tenant_slug, {columns} from {source} group by 1").fetchall()
    return {slug or "": " ".join(map(str, told)) for slug, *told in rows}


def counted_tables(warehouse: DuckDBPyConnection, slug: str) -> dict[str, str]:
    """Return the tenant's built tables that there are, each with its number of rows."""
    counted = {}
    for model in (star_model(slug, table) for table in STAR_TABLES):
        relation = f"analytics.{quoted_name(model)}"
        if columns_of(warehouse, relation):
            ((rows,),) = warehouse.execute(f"select count(*) from {relation}").fetchall()
            counted[model] = str(rows)
    return counted


def _listed_tables(warehouse: DuckDBPyConnection) -> dict[str, str]:
    """Return all built tables with their numbers of rows, deleted ones that are still there too."""
    return {table.name: str(table.rows) for table in list_tables(warehouse, "analytics")}


def _current(folder: VersionFolder) -> str:
    """Return the version that is read, `none` where it or its file is missing."""
    try:
        current = folder.current()
        return current if current and folder.has(current) else "none"
    except (MartDamagedError, StoreUnreachableError) as error:
        return str(error)


def _entries(folder: str) -> Iterator[str]:
    try:
        found = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in found:
        if entry.is_dir():
            yield from _entries(entry.path)
        else:
            stat = entry.stat()
            yield f"{entry.path} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def _content(path: Path) -> str:
    try:
        return md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    except OSError as error:
        return str(error)


def _add_file(digest: Any, path: Path, root: Path) -> None:
    content = md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())


def _digest(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
