"""The run: check, route, scaffold, build, audit, publish, tenant after tenant."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.engine import PLATFORM
from martlet.engines.kept_open import KeptOpen
from martlet.engines.targets import engine_of
from martlet.pipeline.artifacts import record_run
from martlet.pipeline.audit import Beginning, audit_tenant, ledger_length, run_beginning
from martlet.pipeline.audit_record import record_audits
from martlet.pipeline.dbt_run import DbtOutcome, run_dbt
from martlet.pipeline.invocation import Invocation
from martlet.pipeline.news import News, Watch
from martlet.pipeline.node_results import newest_results
from martlet.pipeline.progress import Listener
from martlet.pipeline.publication import model_platforms
from martlet.pipeline.publish import FAILURES, Publisher
from martlet.pipeline.report import (
    RunReport,
    fact_reports,
    pushed_since,
    quarantined_since,
    rows_held,
    table_reports,
)
from martlet.pipeline.retold import as_told, retold
from martlet.pipeline.routes import (
    RoutedTenant,
    declared_tables,
    route_tenant,
    routes_as_they_are,
)
from martlet.pipeline.run_findings import (
    MAX_TOLD,
    audit_findings,
    failure_findings,
    quarantine_findings,
    route_findings,
    scaffold_findings,
    stopped_finding,
)
from martlet.pipeline.run_states import RunState
from martlet.pipeline.shared_landings import account_for_unassigned
from martlet.registry.blueprints import initialize_blueprints
from martlet.registry.routing import Route
from martlet.scaffold.scaffold import scaffold_tenant
from martlet.settings import Settings

# Seconds before what met another writer is tried once more.
CONFLICT_PAUSES = (0.5, 1.5, 4.0)
# A first build makes the tables that all tenants share; others wait for it.
FIRST_BUILD_SECONDS = 900.0


@dataclass
class Run:
    """One run over some tenants. `wait_seconds` bounds the wait for a database that is held."""

    settings: Settings
    catalogue: Catalogue
    tenants: TenantsFile
    listener: Listener
    wait_seconds: float
    strict: bool = False
    full: bool = False  # run also the tenants without news
    report: RunReport = field(default_factory=RunReport)
    broken_promises: int = 0

    def __post_init__(self) -> None:
        self._engine = engine_of(self.settings)
        self._kept = KeptOpen(self._engine, self.wait_seconds)
        self._watch = Watch(self.settings, self.tenants, self.wait_seconds, self.full)

    def run(self, chosen: tuple[Tenant, ...]) -> RunReport:
        """Run the chosen tenants that have news, and tell again what holds of the others.

        A tenant that fails is told of and does not stop the next.
        """
        with self._kept:
            return self._run(chosen)

    def _run(self, chosen: tuple[Tenant, ...]) -> RunReport:
        with self._stage("check"):
            self._prepare_files()
            self._kept.open()
            with (
                self._lease(PLATFORM),
                self._engine.open_warehouse(wait_seconds=self.wait_seconds) as warehouse,
            ):
                initialize_blueprints(warehouse, self.catalogue)
                news = self._watch.look(warehouse, chosen)
        stale = [tenant for tenant in chosen if self._take(tenant, news[tenant.slug])]
        has_run = any(news[tenant.slug].needs_run for tenant in stale)
        if self.tenants.shared_landings:
            self._account_for_unassigned(news.get(naming.UNASSIGNED), has_run=has_run)
        if stale or self._watch.operators_have_none():
            self._publish_operations(stale)
        return self.report

    def _take(self, tenant: Tenant, news: News) -> bool:
        """Do what a tenant's news ask for; say whether its operational snapshot is stale now."""
        with self._part():
            try:
                self._renew(tenant, news)
            except FAILURES as error:
                self._kept.close()  # an instance that failed may refuse whatever comes next
                self._tell_stopped(tenant, error)
                with self._publisher() as publisher:
                    publisher.stopped(tenant, error)
        return news.needs_snapshot

    def _renew(self, tenant: Tenant, news: News) -> None:
        if news.before and not (news.needs_run or news.needs_publication):
            self._tell_again(tenant, news.before)
            return
        with self._lease(tenant.slug):
            if news.before is None or news.needs_run:
                self._kept.begin_tenant()
                self._run_tenant(tenant)
            else:
                self._publish_again(tenant, news.before)

    @contextmanager
    def _part(self) -> Iterator[None]:
        """Let `report` be that of one tenant for a while; then the whole takes it in."""
        whole = self.report
        self.report = RunReport(stages=whole.stages)
        try:
            yield
        finally:
            whole.add(self.report)
            self.report = whole

    def _tell_again(self, tenant: Tenant, before: RunState) -> None:
        self.report.add(retold(before.told))
        self.report.unchanged.append(tenant.slug)
        if self.strict:  # each table that cannot be routed, and that nobody has rejected
            self.broken_promises += sum(f.kind == "quarantine" for f in self.report.findings)

    def _publish_again(self, tenant: Tenant, before: RunState) -> None:
        """Publish anew what an earlier run has built: only words or holds have changed."""
        self.listener.tenant(tenant.slug)
        self._tell_again(tenant, before)
        problems = self.broken_promises
        held = [finding for finding in self.report.findings if finding.kind != "hold"]
        self.report.findings, self.report.marts, self.report.unchanged = held, [], []
        with self._stage("publish"), self._warehouse() as warehouse:
            self._watch.forget(warehouse, tenant.slug)
            with self._publisher() as publisher:
                routes = routes_as_they_are(warehouse, tenant, self.tenants)
                results = newest_results(warehouse, tenant.slug)
                publisher.publish(warehouse, tenant, routes, results)
            if self._is_good(problems):
                self._watch.republished(warehouse, before, as_told(self.report))

    def _is_good(self, problems_before: int) -> bool:
        """Say whether nothing went wrong with a tenant, and what it has is published."""
        is_published = bool(self.report.marts) and not self.report.marts[-1].held
        found_none = self.broken_promises == problems_before
        return found_none and is_published and not self.report.warnings

    def _publish_operations(self, stale: list[Tenant]) -> None:
        # Without the landing, which snapshots are not made of.
        with (
            self._stage("publish"),
            self._engine.open_warehouse(wait_seconds=self.wait_seconds) as warehouse,
        ):
            with self._publisher() as publisher:
                publisher.publish_operations(warehouse, stale, self.tenants)
            if not publisher.failed:
                self._watch.snapshots_published(warehouse, [tenant.slug for tenant in stale])

    def _account_for_unassigned(self, news: News | None, *, has_run: bool) -> None:
        """Account for the tables of several tenants, unless neither they nor a push has news."""
        if news and news.before and not news.changed and not has_run:
            self.report.add(retold(news.before.told))
            return
        with (
            self._stage("audit"),
            self._lease(naming.UNASSIGNED),
            self._warehouse() as warehouse,
        ):
            tables = account_for_unassigned(warehouse, self.tenants)
            self.report.tables += tables
            self._watch.unassigned_told(warehouse, as_told(RunReport(tables=tables)))

    def _prepare_files(self) -> None:
        """Create the databases where there are none; where one is broken, nothing is created."""
        self._engine.refuse_broken(wait_seconds=self.wait_seconds)
        self._engine.create_landing()
        self._engine.create_warehouse()

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
                with self._lease(tenant.slug), self._kept:
                    self._kept.begin_tenant()
                    self._rebuild_as_of(tenant, as_of)
            except FAILURES as error:
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
                wait_seconds=self.wait_seconds,
            )
        self._tell_failures(tenant, outcome)
        with self._warehouse() as warehouse:
            schema = naming.as_of_schema(as_of)
            self.report.facts += fact_reports(warehouse, tenant, schema)

    def _run_tenant(self, tenant: Tenant) -> None:
        self.listener.tenant(tenant.slug)
        with self._stage("route"), self._warehouse() as warehouse:
            seen = self._watch.begin(warehouse, tenant)
            routed = route_tenant(warehouse, tenant, self.tenants, seen)
            beginning = run_beginning(warehouse, tenant.slug)
        self.report.findings += route_findings(tenant.slug, routed)
        if self.strict:
            self.broken_promises += sum(not r.rejected_because for r in routed.unroutable)
        problems = self.broken_promises
        with self._stage("scaffold"):
            changes = scaffold_tenant(self.settings, tenant, self.tenants, self.catalogue)
        self.report.findings += scaffold_findings(tenant.slug, changes)
        self._watch.scaffolded(tenant.slug)
        with self._shared_tables(is_first=beginning.ledger_rows == 0):
            outcome = self._build(tenant, routed)
        self._tell_failures(tenant, outcome)
        with self._warehouse() as warehouse:
            with self._stage("audit"):
                self._audit(
                    warehouse, tenant, routed, beginning.without(_unpushed(routed, outcome))
                )
            with self._stage("publish"), self._publisher() as publisher:
                publisher.publish(warehouse, tenant, routed.routes, outcome.results)
            if self._is_good(problems):
                self._watch.ended(warehouse, tenant, routed, as_told(self.report))

    def _build(self, tenant: Tenant, routed: RoutedTenant) -> DbtOutcome:
        """Run dbt; and once more what did not run because a platform's own model failed.

        That platform is held; the facts go on with what is known of it, and the others advance.
        """
        with self._recorded(tenant) as record, self._stage("dbt"):
            outcome = self._dbt(tenant, record, exclude=held_models(routed))
            skipped = self._held_up(tenant, outcome)
            if skipped:
                outcome = outcome.then(self._dbt(tenant, record, select=skipped))
        return outcome

    def _dbt(
        self,
        tenant: Tenant,
        record: Callable[[Invocation], None],
        *,
        select: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
    ) -> DbtOutcome:
        """Run dbt, and once more what another writer of a shared warehouse was faster with."""
        outcome = run_dbt(
            self.settings,
            tenant.slug,
            select=select,
            exclude=exclude,
            on_model=self.listener.model,
            on_end=record,
            wait_seconds=self.wait_seconds,
        )
        for pause in CONFLICT_PAUSES:
            if not any(self._engine.is_conflict(node.message or "") for node in outcome.failed):
                break
            time.sleep(pause)
            again = tuple(node.name for node in outcome.failed if not node.is_test)
            outcome = outcome.then(
                run_dbt(
                    self.settings,
                    tenant.slug,
                    select=again,
                    on_model=self.listener.model,
                    on_end=record,
                    wait_seconds=self.wait_seconds,
                )
            )
        return outcome

    def _held_up(self, tenant: Tenant, outcome: DbtOutcome) -> tuple[str, ...]:
        """Return the models that were skipped, if it was a platform's own model that failed."""
        owned = model_platforms(tenant, self.catalogue).keys()
        failed = {
            name
            for node in outcome.failed
            if not node.is_skipped
            for name in (node.tested if node.is_test else (node.name,))
        }
        skipped = tuple(n.name for n in outcome.failed if n.is_skipped and not n.is_test)
        return skipped if failed & owned else ()

    def _audit(
        self,
        warehouse: DuckDBPyConnection,
        tenant: Tenant,
        routed: RoutedTenant,
        beginning: Beginning,
    ) -> None:
        slug, before = tenant.slug, beginning.ledger_rows
        broken = audit_tenant(warehouse, slug, routed, beginning)
        self.broken_promises += len(broken)
        self.report.findings += audit_findings(slug, broken)
        self.report.warnings += record_audits(self.settings, {slug: len(broken)}, by="run")
        self.report.tables += table_reports(
            declared_tables(tenant, self.tenants),
            routed,
            pushed_since(warehouse, slug, before),
            rows_held(warehouse, routed),
        )
        quarantined = quarantined_since(warehouse, slug, before)[:MAX_TOLD]
        self.report.findings += quarantine_findings(slug, quarantined)
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
    def _publisher(self) -> Iterator[Publisher]:
        """Give a publisher, and take what it tells into the report."""
        publisher = Publisher(self.settings, self.catalogue, self.wait_seconds)
        yield publisher
        self.report.marts += publisher.marts
        self.report.findings += publisher.findings
        self.report.warnings += publisher.warnings
        self.broken_promises += publisher.failed

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

    @contextmanager
    def _shared_tables(self, *, is_first: bool) -> Iterator[None]:
        """Let one process make the tables that all tenants share; the others wait for that."""
        with ExitStack() as held:
            if is_first:
                lease = self._engine.lease(PLATFORM, wait_seconds=FIRST_BUILD_SECONDS)
                held.enter_context(lease)
                with self._warehouse() as warehouse:
                    is_made = ledger_length(warehouse) > 0
                if is_made:
                    held.close()
            yield

    def _lease(self, subject: str) -> AbstractContextManager[None]:
        return self._engine.lease(subject, wait_seconds=self.wait_seconds)

    def _warehouse(self) -> AbstractContextManager[DuckDBPyConnection]:
        return self._engine.open_both(wait_seconds=self.wait_seconds)

    def _tell_stopped(self, tenant: Tenant, error: Exception) -> None:
        self.broken_promises += 1
        self.report.findings.append(stopped_finding(tenant.slug, error))

    def _tell_failures(self, tenant: Tenant, outcome: DbtOutcome) -> None:
        self.broken_promises += len(outcome.failed)
        self.report.findings += failure_findings(tenant.slug, outcome.failed)


def held_models(routed: RoutedTenant) -> tuple[str, ...]:
    """Return the staging models to leave out: those with a table that may not be pushed.

    A failed staging model would skip every fact behind it; a held one leaves its view and its
    history in place, and the facts go on without the new rows.
    """
    return tuple(dict.fromkeys(map(_staging_model, routed.unroutable)))


def _staging_model(route: Route) -> str:
    d = route.declaration
    return naming.staging_model(d.tenant, d.platform, d.object)


def _unpushed(routed: RoutedTenant, outcome: DbtOutcome) -> frozenset[str]:
    """Return the landed tables of which the push failed: their loads wait for the next run."""
    failed = {node.name for node in outcome.failed}
    return frozenset(r.declaration.table for r in routed.routes if _staging_model(r) in failed)
