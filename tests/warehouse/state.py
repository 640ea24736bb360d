"""What a project holds, in a form in which two moments can be compared."""

from pathlib import Path
from typing import Any

from tests.project import Project

Contents = dict[str, tuple[int, int]]  # table to its number of rows, and a digest of them all

FACTS = ("fct_{}__ad_performance", "fct_{}__orders", "fct_{}__sessions", "dim_{}__campaigns")


def masters(project: Project) -> Contents:
    """Return the contents of every master, down to `loaded_at`."""
    return _contents(project, "platform", "platform_mm__")


def facts(project: Project, tenant: str) -> Contents:
    """Return the contents of a tenant's facts and dimensions."""
    return {
        name: content
        for name, content in _contents(project, "analytics", "").items()
        if name in [pattern.format(tenant) for pattern in FACTS]
    }


def ledger(project: Project, tenant: str) -> dict[str, int]:
    """Return the sums of a tenant's ledger."""
    (row,) = project.query(
        "select sum(rows_landed) as landed, sum(rows_pushed) as pushed, sum(rows_known) as known, "
        "sum(rows_quarantined) as quarantined, sum(rows_erased) as erased "
        "from ops.platform_ops__push_ledger where tenant_slug = ?",
        tenant,
    )
    return {name: int(value or 0) for name, value in row.items()}


def accounted(sums: dict[str, int]) -> int:
    """Return how many rows a ledger's sums account for."""
    return sums["pushed"] + sums["known"] + sums["quarantined"] + sums["erased"]


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def generated(project: Project) -> dict[str, tuple[bytes, int]]:
    """Return every generated file of the project's tenants: its bytes and when it was written."""
    return {
        str(path.relative_to(project.folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for layer in ("sources", "staging", "intermediate", "analytics")
        for path in sorted((project.folder / "models" / layer).rglob("*"))
        if path.is_file()
    }


def tenant(sources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a tenant's stanza for tenants.yaml."""
    return {
        "name": "A tenant",
        "reporting_timezone": "UTC",
        "currency": "EUR",
        "sources": sources,
        **more,
    }


def _contents(project: Project, schema: str, prefix: str) -> Contents:
    tables = project.query(
        "select table_name from duckdb_tables() where database_name = 'warehouse' "
        "and schema_name = ? and starts_with(table_name, ?) order by table_name",
        schema,
        prefix,
    )
    contents: Contents = {}
    for name in (str(row["table_name"]) for row in tables):
        (row,) = project.query(
            f'select count(*) as rows, coalesce(sum(hash(t)), 0) as digest from {schema}."{name}" t'
        )
        contents[name] = (int(row["rows"]), int(row["digest"]))
    return contents
