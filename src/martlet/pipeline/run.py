"""The run: check, route, scaffold, build, audit, tenant after tenant."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.duckdb_engine import (
    connect,
    connect_warehouse,
    create_landing,
    create_warehouse,
)
from martlet.errors import MartletError
from martlet.pipeline.artifacts import record_run
from martlet.pipeline.audit import audit_tenant
from martlet.pipeline.dbt_run import DbtOutcome, run_dbt, staging_models
from martlet.pipeline.findings import Finding, FindingKind
from martlet.pipeline.invocation import Invocation
from martlet.pipeline.progress import Listener
from martlet.pipeline.report import (
    RunReport,
    TableReport,
    fact_reports,
    ledger_length,
    pushed_since,
    quarantined_since,
    rows_held,
)
from martlet.pipeline.routes import RoutedTenant, declared_tables, route_tenant
from martlet.pipeline.shared_landings import account_for_unassigned
from martlet.registry.blueprints import initialize_blueprints
from martlet.registry.drift import likely_renames
from martlet.registry.routing import Declaration, Route
from martlet.scaffold.scaffold import scaffold_tenant
from martlet.semantic.definitions import store_definitions
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
        with self._stage("check"):
            self._prepare_files()
            with self._warehouse() as warehouse:
                initialize_blueprints(warehouse, self.catalogue)
        for tenant in chosen:
            try:
                self._run_tenant(tenant)
            except (MartletError, duckdb.Error) as error:
                self._tell_stopped(tenant, error)
        if self.tenants.shared_landings:
            with self._stage("audit"), self._warehouse() as warehouse:
                self.report.tables += account_for_unassigned(warehouse, self.tenants)
        return self.report

    def _prepare_files(self) -> None:
        """Create the databases where there are none; where one is broken, nothing is created."""
        for path in (self.settings.landing, self.settings.warehouse):
            if path.exists():
                with connect(path, read_only=True, wait_seconds=self.wait_seconds):
                    pass
        create_landing(self.settings.landing)
        create_warehouse(self.settings.warehouse)

    def run_as_of(self, chosen: tuple[Tenant, ...], as_of: datetime) -> RunReport:
        """Rebuild views and facts as they would have been at a past moment (UTC, if no zone).

        Nothing is pushed, and what is published stays: the result has a schema of its own. Raises
        `BadInputError` where nothing has been run yet; a tenant that fails does not stop the next.
        """
        if as_of.tzinfo:
            as_of = as_of.astimezone(UTC).replace(tzinfo=None)
        with self._warehouse():
            pass  # a missing database is said before dbt makes one
        for tenant in chosen:
            try:
                self._rebuild_as_of(tenant, as_of)
            except (MartletError, duckdb.Error) as error:
                self._tell_stopped(tenant, error)
        return self.report

    def _rebuild_as_of(self, tenant: Tenant, as_of: datetime) -> None:
        self.listener.tenant(tenant.slug)
        with self._recorded(tenant) as record, self._stage("dbt"):
            outcome = run_dbt(
                self.settings,
                tenant.slug,
                as_of=as_of,
                on_model=self.listener.model,
                on_end=record,
            )
        self._tell_failures(tenant, outcome)
        with self._warehouse() as warehouse:
            schema = naming.as_of_schema(as_of)
            self.report.facts += fact_reports(warehouse, tenant, schema)

    def _run_tenant(self, tenant: Tenant) -> None:
        self.listener.tenant(tenant.slug)
        with self._stage("route"), self._warehouse() as warehouse:
            routed = route_tenant(warehouse, tenant, self.tenants)
            ledger_before = ledger_length(warehouse)
        self._tell_routes(tenant, routed)
        with self._stage("scaffold"):
            changes = scaffold_tenant(self.settings, tenant, self.tenants, self.catalogue)
        for path in changes.kept_edited:
            what = f"{path} was edited by hand and kept; its generated form differs"
            self._find("scaffold", tenant, str(path), what, "martlet onboard --force overwrites it")
        for path in changes.unmarked:
            what = f"{path} has no generator's mark and was not touched; its generated form differs"
            self._find("scaffold", tenant, str(path), what, "move the file away")
        held = held_models(routed)
        with self._recorded(tenant) as record, self._stage("dbt"):
            outcome = run_dbt(
                self.settings,
                tenant.slug,
                exclude=held,
                on_model=self.listener.model,
                on_end=record,
            )
        self._tell_failures(tenant, outcome)
        with self._stage("audit"), self._warehouse() as warehouse:
            for broken in audit_tenant(
                warehouse, tenant.slug, routed, ledger_rows_before=ledger_before
            ):
                self.broken_promises += 1
                what = f"conservation is broken: load {broken.load_id} of {broken.table}: "
                self._find("audit", tenant, broken.table, what + broken.promise, "martlet audit")
            counts = pushed_since(warehouse, tenant.slug, ledger_before)
            self._tell_tables(tenant, routed, counts, rows_held(warehouse, routed))
            for row in quarantined_since(warehouse, tenant.slug, ledger_before)[:MAX_TOLD]:
                self._tell_quarantined(tenant, *row)
            store_definitions(warehouse, tenant.slug)
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

    @contextmanager
    def _recorded(self, tenant: Tenant) -> Iterator[Callable[[Invocation], None]]:
        """Record what dbt did, whether or not it came to its end."""
        ended: list[Invocation] = []
        try:
            yield ended.append
        finally:
            declared = declared_tables(tenant, self.tenants)
            with self._stage("record"):
                for invocation in ended:
                    self.report.warnings += record_run(
                        self.settings, invocation, declared, wait_seconds=self.wait_seconds
                    )

    def _warehouse(self) -> AbstractContextManager[DuckDBPyConnection]:
        return connect_warehouse(self.settings, wait_seconds=self.wait_seconds)

    def _find(
        self,
        kind: FindingKind,
        tenant: Tenant,
        subject: str,
        message: str,
        remedy: str | None = None,
        *,
        is_event: bool = False,
    ) -> None:
        self.report.findings.append(Finding(kind, tenant.slug, subject, message, remedy, is_event))

    def _tell_routes(self, tenant: Tenant, routed: RoutedTenant) -> None:
        for route in routed.routes:
            table = route.declaration.table
            if route.rejected_because:
                continue  # decided: the report lists the table, nobody is told again
            if not route.is_routed:
                self.broken_promises += self.strict
                self._find("quarantine", tenant, table, explain(route), route_remedy(route))
            elif route.is_learned:
                self._find("drift", tenant, table, explain_drift(route), is_event=True)
        for d in routed.not_landed:
            what = f"{d.platform} {d.object} is enabled but {d.schema}.{d.table} has never landed"
            remedy = (
                f"martlet land {tenant.slug} --platform {d.platform}, or disable it in tenants.yaml"
            )
            self._find("not_landed", tenant, d.table, what, remedy)
        for table in routed.undeclared:
            what = f"the landed table {table} belongs to no enabled source; left alone"
            self._find("undeclared", tenant, table, what, "enable its source in tenants.yaml")

    def _tell_stopped(self, tenant: Tenant, error: MartletError | duckdb.Error) -> None:
        self.broken_promises += 1
        if isinstance(error, MartletError):
            what, remedy = error.what, error.remedy
        else:
            what, remedy = f"the database refused a step: {error}", None
        self._find("failure", tenant, tenant.slug, what, remedy)

    def _tell_failures(self, tenant: Tenant, outcome: DbtOutcome) -> None:
        for node in outcome.failed:
            self.broken_promises += 1
            skipped = (
                "a model that it needs failed" if node.status == "skipped" else "no reason given"
            )
            what = f"{node.name}: {node.status}: {node.message or skipped}"
            self._find("failure", tenant, node.name, what)

    def _tell_quarantined(
        self, tenant: Tenant, table: str, load_id: str, reason: str, count: int
    ) -> None:
        what = f"{count:,} rows of load {load_id} of {table} are in quarantine: {reason}"
        remedy = (
            "correct them at the source and land them again; `martlet quarantine list` has them"
        )
        self._find("quarantine", tenant, table, what, remedy, is_event=True)

    def _tell_tables(
        self,
        tenant: Tenant,
        routed: RoutedTenant,
        counts: dict[tuple[str, str, str], tuple[int, int, int, int]],
        held: dict[str, int],
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
            found = routes.get(place)
            waiting = held.get(found.declaration.table, 0) if found else 0
            count = (waiting, 0, 0, waiting) if waiting else counts.get(place)
            self.report.tables.append(_table_report(declaration, found, count))


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


MAX_TOLD = 20


def route_remedy(route: Route) -> str:
    """Return what a person can do about a table that cannot be routed."""
    d = route.declaration
    if route.verdict == "identity_conflict":
        return (
            "correct the loader or the declaration in tenants.yaml; "
            f"`martlet registry diff {d.tenant} {d.table}` compares it with what is declared"
        )
    approve = f"martlet registry approve {d.tenant} {d.table} --reason TEXT"
    for landed, published in likely_renames(route.differences):
        approve += f" --alias {landed}={published}"
    return (
        "correct the loader or the declaration in tenants.yaml; if the source changed, "
        f"`{approve}`, or publish a new version: docs/cookbooks/version_a_connector.md"
    )


def explain(route: Route) -> str:
    """Return why a table cannot be routed, what it is nearest to and how it differs."""
    declaration = route.declaration
    fingerprint = route.shape.source_schema_hash[:8] if route.shape else "none"
    lines = [
        f"cannot route {declaration.schema}.{declaration.table} ({route.verdict}, fingerprint "
        f"{fingerprint}): {route.reason}"
    ]
    if route.blueprint:
        b = route.blueprint
        lines.append(f"  nearest: {b.source_platform} {b.object} ({b.loader} v{b.version})")
    return "\n".join(lines + _listed(route))


def explain_drift(route: Route) -> str:
    """Return how a routed table differs from the shape that it was routed by."""
    declaration = route.declaration
    head = f"{declaration.schema}.{declaration.table} has a new shape, routed by {route.verdict}"
    return "\n".join([head, *_listed(route)])


def _listed(route: Route) -> list[str]:
    # What a sparse table merely lacks says least.
    told = sorted(route.differences, key=lambda d: d.after is None and d.push == "route")
    lines = [
        f"    {d}{' - the facts need it' if d.change == 'needed column removed' else ''}"
        for d in told[:8]
    ]
    if len(route.differences) > 8:
        lines.append(f"    and {len(route.differences) - 8} more")
    lines += [
        f"    has {published} become {landed}? then: --alias {landed}={published}"
        for landed, published in likely_renames(route.differences)
    ]
    return lines


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
        detail="; ".join(filter(None, (route.reason, route.rejected_because))) if route else "",
    )
