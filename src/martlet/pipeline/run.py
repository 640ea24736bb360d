"""The run: check, route, scaffold, build, audit, tenant after tenant."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from duckdb import DuckDBPyConnection

from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.duckdb_engine import connect_warehouse, create_landing, create_warehouse
from martlet.errors import MartletError
from martlet.pipeline.audit import audit_tenant
from martlet.pipeline.dbt_run import DbtOutcome, run_dbt, staging_models
from martlet.pipeline.progress import Listener
from martlet.pipeline.report import (
    RunReport,
    TableReport,
    fact_reports,
    ledger_length,
    pushed_since,
)
from martlet.pipeline.routes import RoutedTenant, declared_tables, route_tenant
from martlet.pipeline.shared_landings import account_for_unassigned
from martlet.registry.blueprints import initialize_blueprints
from martlet.registry.routing import Declaration, Route
from martlet.scaffold.scaffold import scaffold_tenant
from martlet.settings import Settings


@dataclass
class Run:
    """One run over some tenants. `wait_seconds` bounds the wait for a database that is held."""

    settings: Settings
    catalogue: Catalogue
    tenants: TenantsFile
    listener: Listener
    wait_seconds: float
    strict: bool = False
    report: RunReport = field(default_factory=RunReport)
    broken_promises: int = 0

    def run(self, chosen: tuple[Tenant, ...]) -> RunReport:
        """Run the chosen tenants; one that fails is told of and does not stop the next."""
        create_landing(self.settings.landing)
        create_warehouse(self.settings.warehouse)
        with self._stage("check"), self._warehouse() as warehouse:
            initialize_blueprints(warehouse, self.catalogue)
        for tenant in chosen:
            try:
                self._run_tenant(tenant)
            except MartletError as error:
                self.broken_promises += 1
                self.report.problems.append(f"{tenant.slug}: {error}")
        if self.tenants.shared_landings:
            with self._stage("audit"), self._warehouse() as warehouse:
                self.report.tables += account_for_unassigned(warehouse, self.tenants)
        return self.report

    def _run_tenant(self, tenant: Tenant) -> None:
        self.listener.tenant(tenant.slug)
        with self._stage("route"), self._warehouse() as warehouse:
            routed = route_tenant(warehouse, tenant, self.tenants)
            ledger_before = ledger_length(warehouse)
        self._tell_routes(tenant, routed)
        with self._stage("scaffold"):
            changes = scaffold_tenant(self.settings, tenant, self.tenants, self.catalogue)
        for path in changes.kept_edited:
            self.report.problems.append(
                f"{path} was edited by hand and kept; its generated form differs"
            )
        for path in changes.unmarked:
            self.report.problems.append(
                f"{path} has no generator's mark and was not touched; its generated form differs"
            )
        held = held_models(routed)
        with self._stage("dbt"):
            outcome = run_dbt(
                self.settings, tenant.slug, exclude=held, on_model=self.listener.model
            )
        self._tell_failures(tenant, outcome)
        with self._stage("audit"), self._warehouse() as warehouse:
            for broken in audit_tenant(warehouse, tenant.slug, routed):
                self.broken_promises += 1
                self.report.problems.append(f"conservation is broken: {broken}")
            self._tell_tables(tenant, routed, pushed_since(warehouse, tenant.slug, ledger_before))
            self.report.facts += fact_reports(warehouse, tenant)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.listener.stage(name)
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self.report.stages[name] = self.report.stages.get(name, 0.0) + spent

    def _warehouse(self) -> AbstractContextManager[DuckDBPyConnection]:
        return connect_warehouse(self.settings, wait_seconds=self.wait_seconds)

    def _tell_routes(self, tenant: Tenant, routed: RoutedTenant) -> None:
        for route in routed.unroutable:
            if self.strict:
                self.broken_promises += 1
            self.report.problems.append(f"{tenant.slug}: {explain(route)}")
        for declaration in routed.not_landed:
            self.report.problems.append(
                f"{tenant.slug}: {declaration.platform} {declaration.object} is enabled but "
                f"{declaration.schema}.{declaration.table} has never landed"
                f"\n  remedy: martlet land {tenant.slug} --platform {declaration.platform}, "
                "or disable it in tenants.yaml"
            )
        for table in routed.undeclared:
            self.report.problems.append(
                f"{tenant.slug}: the landed table {table} belongs to no enabled source; left alone"
            )

    def _tell_failures(self, tenant: Tenant, outcome: DbtOutcome) -> None:
        for node in outcome.failed:
            self.broken_promises += 1
            self.report.problems.append(
                f"{tenant.slug}: {node.name}: {node.status}: {node.message or 'no reason given'}"
            )

    def _tell_tables(
        self,
        tenant: Tenant,
        routed: RoutedTenant,
        counts: dict[tuple[str, str, str], tuple[int, int, int, int]],
    ) -> None:
        routes: dict[tuple[str, str, str], Route] = {}
        for route in sorted(routed.routes, key=lambda r: not r.is_routed):
            d = route.declaration
            routes[d.platform, d.object, d.connection] = route  # what cannot be routed shows
        told: set[tuple[str, str, str]] = set()
        for declaration in declared_tables(tenant, self.tenants):
            place = (declaration.platform, declaration.object, declaration.connection)
            if place in told:
                continue
            told.add(place)
            self.report.tables.append(
                _table_report(declaration, routes.get(place), counts.get(place))
            )


def held_models(routed: RoutedTenant) -> tuple[str, ...]:
    """Return the staging models to leave out: those with a table that may not be pushed.

    A failed staging model would skip every fact behind it; a held one leaves its view and its
    history in place, and the facts go on without the new rows.
    """
    return staging_models(
        [
            (r.declaration.tenant, r.declaration.platform, r.declaration.object)
            for r in routed.unroutable
        ]
    )


def explain(route: Route) -> str:
    """Return why a table cannot be routed, what it is nearest to, and what to do."""
    declaration = route.declaration
    fingerprint = route.shape.source_schema_hash[:8] if route.shape else "none"
    lines = [
        f"cannot route {declaration.schema}.{declaration.table} ({route.verdict}, fingerprint "
        f"{fingerprint}): {route.reason}"
    ]
    if route.blueprint:
        b = route.blueprint
        lines.append(f"  nearest: {b.source_platform} {b.object} ({b.loader} v{b.version})")
    lines += [f"    {difference}" for difference in route.differences[:8]]
    if len(route.differences) > 8:
        lines.append(f"    and {len(route.differences) - 8} more")
    lines.append(
        "  remedy: correct the loader or the declaration in tenants.yaml; if the source changed, "
        "publish a new version: docs/cookbooks/version_a_connector.md"
    )
    return "\n".join(lines)


def _table_report(
    declaration: Declaration, route: Route | None, counts: tuple[int, int, int, int] | None
) -> TableReport:
    landed, pushed, known, quarantined = counts or (0, 0, 0, 0)
    return TableReport(
        tenant=declaration.tenant,
        platform=declaration.platform,
        object=declaration.object,
        connection=declaration.connection,
        landed=landed,
        pushed=pushed,
        known=known,
        quarantined=quarantined,
        status=route.verdict if route else "not_landed",
        detail=route.reason if route else "",
    )
