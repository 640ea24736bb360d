"""Publishes what may be published of a tenant, and what operators look at while a run goes on."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import duckdb
from duckdb import DuckDBPyConnection

from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.targets import engine_of
from martlet.errors import MartletError
from martlet.marts.copies import trim_copies
from martlet.marts.folders import mart_folder
from martlet.marts.operations import publish_operations
from martlet.marts.publish import publish_mart
from martlet.pipeline.audit_record import newest_audits
from martlet.pipeline.dbt_run import NodeResult
from martlet.pipeline.findings import Finding
from martlet.pipeline.node_results import newest_results
from martlet.pipeline.publication import MART, Publication, decide_publication
from martlet.pipeline.report import MartReport
from martlet.pipeline.routes import routes_as_they_are
from martlet.pipeline.run_findings import stopped_finding
from martlet.registry.routing import Route
from martlet.semantic.definitions import store_definitions
from martlet.settings import Settings

# What one tenant's step may fail with: told, and no reason to stop the others.
FAILURES = (MartletError, duckdb.Error, OSError)


@dataclass
class Publisher:
    """Publishes tenant by tenant. `failed` says that something went wrong, not merely held.

    `force` publishes a mart that is held as a whole, or that was rolled back; a held platform
    stays held.
    """

    settings: Settings
    catalogue: Catalogue
    wait_seconds: float
    force: bool = False
    marts: list[MartReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failed: bool = False

    def publish_as_it_is(self, chosen: Sequence[Tenant], tenants: TenantsFile) -> None:
        """Publish from the warehouse as it is, without dbt; then the operational snapshots.

        Raises what opening the warehouse raises: where nothing was ever run, `BadInputError`.
        """
        engine = engine_of(self.settings)
        with engine.open_both(wait_seconds=self.wait_seconds) as warehouse:
            for tenant in chosen:
                try:
                    with engine.lease(tenant.slug, wait_seconds=self.wait_seconds):
                        self._publish_now(warehouse, tenant, tenants)
                except FAILURES as error:
                    self.findings.append(stopped_finding(tenant.slug, error))
                    self.stopped(tenant, error)
            self.publish_operations(warehouse, chosen, tenants)

    def _publish_now(
        self, warehouse: DuckDBPyConnection, tenant: Tenant, tenants: TenantsFile
    ) -> None:
        routes = routes_as_they_are(warehouse, tenant, tenants)
        self.publish(warehouse, tenant, routes, newest_results(warehouse, tenant.slug))

    def publish(
        self,
        warehouse: DuckDBPyConnection,
        tenant: Tenant,
        routes: Iterable[Route],
        results: Iterable[NodeResult],
    ) -> None:
        """Publish what is not held of a tenant; what goes wrong is a finding."""
        try:
            decided = decide_publication(
                warehouse,
                tenant,
                self.catalogue,
                routes=routes,
                results=results,
                audit=newest_audits(self.settings).get(tenant.slug),
            )
            self.findings += decided.findings()
            self.marts.append(self._published(warehouse, tenant, decided))
        except FAILURES as error:
            self.findings.append(stopped_finding(tenant.slug, error, MART))
            self.stopped(tenant, error)

    def publish_operations(
        self, warehouse: DuckDBPyConnection, chosen: Iterable[Tenant], tenants: TenantsFile
    ) -> None:
        """Publish the operational snapshots of the chosen tenants and of the operators."""
        try:
            publish_operations(
                self.settings,
                warehouse,
                chosen,
                audits=newest_audits(self.settings),
                names=tenants.tenants,
                wait_seconds=self.wait_seconds,
            )
            trim_copies(self.settings)
        except FAILURES as error:
            self.failed = True
            self.warnings.append(f"the operational snapshots could not be published: {error}")

    def stopped(self, tenant: Tenant, error: Exception) -> None:
        """Report a tenant of which nothing was published, because something went wrong."""
        self.failed = True
        why = error.what if isinstance(error, MartletError) else str(error)
        version = self._current_version(tenant.slug)
        self.marts.append(MartReport(tenant.slug, version, False, held=True, reason=why))

    def _published(
        self, warehouse: DuckDBPyConnection, tenant: Tenant, decided: Publication
    ) -> MartReport:
        definition, definition_version = store_definitions(warehouse, tenant)
        if decided.reason and not self.force:
            version = self._current_version(tenant.slug)
            return MartReport(
                tenant.slug, version, False, True, decided.reason, decided.held_platforms
            )
        rates = tenant.semantics.exchange_rates
        published = publish_mart(
            self.settings,
            warehouse,
            tenant,
            decided.held_platforms,
            definition=definition,
            definition_version=definition_version,
            force=self.force,
            rates_csv=self.settings.project_dir / rates if rates else None,
            wait_seconds=self.wait_seconds,
        )
        return MartReport(
            tenant.slug,
            published.version,
            published.is_new,
            reason=published.reason,
            held_platforms=decided.held_platforms,
        )

    def _current_version(self, slug: str) -> str | None:
        with suppress(MartletError):  # a pointer that is no name: `martlet marts list` tells
            return mart_folder(self.settings, slug).current()
        return None
