"""Golden records through the real landing and the real dbt, to the star schema."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.project import Project, new_project

TENANT = "golden"
_MODELS = {
    "ad_performance": "fct_golden__ad_performance",
    "orders": "fct_golden__orders",
    "sessions": "fct_golden__sessions",
    "campaigns": "dim_golden__campaigns",
}


@dataclass(frozen=True)
class GoldenFacts:
    """The star schema that the golden records became."""

    project: Project

    def rows(self, table: str, where: str = "true") -> list[dict[str, Any]]:
        """Return the rows of a fact or dimension, ordered by all their columns."""
        return self.project.query(
            f"select * from analytics.{_MODELS[table]} where {where} order by all"
        )

    def intermediate(self, platform: str, object_: str) -> list[dict[str, Any]]:
        """Return the rows of an intermediate view, ordered by their key."""
        return self.project.query(
            f"select * from intermediate.int_golden__{platform}_{object_} order by tenant_skey"
        )


def golden_tenant(
    sources: dict[str, Any], *, reporting_timezone: str = "UTC", currency: str = "USD", **more: Any
) -> dict[str, Any]:
    """Return a tenant's stanza for tenants.yaml."""
    return {
        "name": "Golden",
        "reporting_timezone": reporting_timezone,
        "currency": currency,
        "sources": sources,
        **more,
    }


def run_golden(
    folder: Path,
    platform: str,
    records: dict[str, list[dict[str, Any]]],
    *,
    connections: dict[str, Any] | None = None,
    tables: dict[str, Any] | None = None,
    other_sources: dict[str, Any] | None = None,
    loader: str = "native",
    by_connection: dict[str, dict[str, list[dict[str, Any]]]] | None = None,
    **tenant: Any,
) -> GoldenFacts:
    """Land wire records of a platform (object to records) and build the star schema of them.

    `by_connection` lands further records through other connections: connection to object to
    records. `tables` is the source's table logic (`conversion_events` and the like).
    """
    source: dict[str, Any] = {}
    if connections:
        source["connections"] = connections
    if tables:
        source["tables"] = tables
    project = new_project(folder / "project")
    project.configure(
        {TENANT: golden_tenant({platform: source, **(other_sources or {})}, **tenant)}
    )
    for connection, objects in {"main": records, **(by_connection or {})}.items():
        for object_, rows in objects.items():
            landed = project.land_records(
                TENANT, platform, object_, rows, "--loader", loader, "--connection", connection
            )
            bad = [t for t in landed["tables"] if t["quarantined"]]
            assert not bad, f"golden records were refused by their contract: {bad}"
    project.run()
    return GoldenFacts(project)
