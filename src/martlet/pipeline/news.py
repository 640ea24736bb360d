"""Which tenants have news: what each was made from last is compared with what there is now.

One set of queries looks at all chosen tenants. What is in doubt counts as news.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.targets import engine_of
from martlet.marts.versions import OPERATORS
from martlet.pipeline.audit_record import newest_audits
from martlet.pipeline.inputs import (
    PUBLISH,
    REBUILD,
    SNAPSHOT,
    WarehouseInputs,
    code_digest,
    counted_tables,
    files_digest,
    published_inputs,
    read_row_decisions,
    snapshot_decisions,
    snapshot_input,
    stated_inputs,
    warehouse_inputs,
)
from martlet.pipeline.landing_news import is_known, landing_schemas, observe_landing
from martlet.pipeline.routes import RoutedTenant
from martlet.pipeline.run_states import (
    LandingState,
    RunState,
    create_states,
    forget_state,
    keep_landing,
    keep_state,
    read_landing,
    read_states,
)
from martlet.settings import Settings

_NEVER = ("no good run is recorded",)


@dataclass(frozen=True)
class News:
    """What has changed of one tenant since its last good run, by the names of `inputs`."""

    changed: tuple[str, ...]
    before: RunState | None

    @property
    def needs_run(self) -> bool:
        """Say whether the tenant has to be routed, pushed and built."""
        return self.before is None or bool({*self.changed} & {*REBUILD})

    @property
    def needs_publication(self) -> bool:
        """Say whether what was built has to be published anew."""
        return bool({*self.changed} & {*PUBLISH})

    @property
    def needs_snapshot(self) -> bool:
        """Say whether the tenant's operational snapshot has to be written anew."""
        return bool(self.changed)


@dataclass
class Watch:
    """Looks for news, and keeps what good runs were made from. `full`: everything is news."""

    settings: Settings
    tenants: TenantsFile
    wait_seconds: float
    full: bool = False
    _now: dict[str, dict[str, str]] = field(default_factory=dict)  # inputs by tenant
    _landing: LandingState | None = None

    def __post_init__(self) -> None:
        self._engine = engine_of(self.settings)

    def look(self, warehouse: DuckDBPyConnection, chosen: Sequence[Tenant]) -> dict[str, News]:
        """Return each chosen tenant's news; the landing is opened only if it was written to."""
        create_states(warehouse)
        slugs = [tenant.slug for tenant in chosen]
        # Before the landing is attached: to list a catalogue goes through all that is attached.
        found = WarehouseInputs() if self.full else warehouse_inputs(warehouse)
        self._landing = self._look_at_landing(warehouse, slugs)
        code = code_digest(self.settings)
        for tenant in chosen:
            self._now[tenant.slug] = {
                "code": code,
                "landed": self._landed(tenant.slug, self._landing),
                **stated_inputs(self.settings, tenant, self.tenants),
            }
        self._now[naming.UNASSIGNED] = {
            "code": code,
            "landed": self._landing.digests[naming.SHARED_SCHEMA],
            "configuration": str(sorted(self.tenants.digest(s) for s in self.tenants.tenants))
            if self.tenants.shared_landings
            else "",
        }
        if self.full:
            return {slug: News(("--full",), None) for slug in slugs}
        states = read_states(warehouse, [*slugs, naming.UNASSIGNED])
        audits = newest_audits(self.settings)
        news = {}
        for slug in slugs:
            state = states.get(slug)
            now = {**self._now[slug], "files": files_digest(self.settings, slug)}
            now |= found.of(slug, state.shapes if state else None)
            if state and now["built"] != state.inputs.get("built"):
                # A listed number may count rows that were deleted: only a count says what differs.
                own = replace(found, tables=counted_tables(warehouse, slug))
                now |= own.of(slug, state.shapes)
            now |= published_inputs(self.settings, slug, audits)
            now["decisions"] = snapshot_decisions(found.row_decisions, slug, audits.get(slug))
            now["snapshot"] = snapshot_input(self.settings, slug)
            news[slug] = _news(state, now)
        news[naming.UNASSIGNED] = _news(states.get(naming.UNASSIGNED), self._now[naming.UNASSIGNED])
        return news

    def begin(self, warehouse: DuckDBPyConnection, tenant: Tenant) -> Mapping[str, tuple[str, ...]]:
        """Note what a run of the tenant begins with, before it is routed, landing attached.

        Returns the landing's tables by schema, as far as this process has listed them. Until the
        run has ended well, what the tenant was made from is in doubt.
        """
        slug = tenant.slug
        self.forget(warehouse, slug)
        stamp = self._engine.landing_stamp()
        seen = observe_landing(warehouse, stamp, self._landing, landing_schemas([slug]))
        self._now[slug]["landed"] = self._landed(slug, seen)
        return seen.tables

    def forget(self, warehouse: DuckDBPyConnection, slug: str) -> None:
        """Note that what the tenant was made from is in doubt."""
        self._engine.retried(lambda: forget_state(warehouse, slug))

    def _keep(self, warehouse: DuckDBPyConnection, state: RunState) -> None:
        self._engine.retried(lambda: keep_state(warehouse, state))

    def scaffolded(self, slug: str) -> None:
        """Note the tenant's files, once they are as they are built."""
        self._now[slug]["files"] = files_digest(self.settings, slug)

    def ended(
        self,
        warehouse: DuckDBPyConnection,
        tenant: Tenant,
        routed: RoutedTenant,
        told: Mapping[str, Any],
    ) -> None:
        """Keep what a good run was made from; that its snapshot is published is yet to be said.

        Nothing is kept where a table has no load ids: that it has no news is never certain.
        """
        if not all(_has_load_ids(route.shape) for route in routed.routes):
            return
        shapes = (
            None
            if routed.unroutable
            else tuple(r.shape.source_schema_hash for r in routed.routes if r.shape)
        )
        found = warehouse_inputs(warehouse, tenant.slug)
        now = self._now[tenant.slug] | found.of(tenant.slug, shapes)
        now |= published_inputs(self.settings, tenant.slug, newest_audits(self.settings))
        self._keep(warehouse, RunState(tenant.slug, now, shapes, told))

    def republished(
        self, warehouse: DuckDBPyConnection, state: RunState, told: Mapping[str, Any]
    ) -> None:
        """Keep that what a good run has built was published anew."""
        audits = newest_audits(self.settings)
        now = {**state.inputs, "publication": self._now[state.tenant]["publication"]}
        now |= published_inputs(self.settings, state.tenant, audits)
        self._keep(warehouse, RunState(state.tenant, now, state.shapes, told))

    def unassigned_told(self, warehouse: DuckDBPyConnection, told: Mapping[str, Any]) -> None:
        """Keep what was found in the tables of several tenants."""
        now = self._now[naming.UNASSIGNED]
        self._keep(warehouse, RunState(naming.UNASSIGNED, now, (), told))

    def snapshots_published(self, warehouse: DuckDBPyConnection, slugs: Iterable[str]) -> None:
        """Keep that the tenants' operational snapshots show what there is now."""
        # Not all inputs: those list the whole catalogue.
        row_decisions, audits = read_row_decisions(warehouse), newest_audits(self.settings)
        for slug, state in read_states(warehouse, slugs).items():
            decided = snapshot_decisions(row_decisions, slug, audits.get(slug))
            now = {**state.inputs, "decisions": decided, "snapshot": "published"}
            self._keep(warehouse, RunState(slug, now, state.shapes, state.told))

    def operators_have_none(self) -> bool:
        """Say whether the operators have no snapshot to look at."""
        return snapshot_input(self.settings, OPERATORS) == "none"

    def _look_at_landing(self, warehouse: DuckDBPyConnection, slugs: list[str]) -> LandingState:
        before = read_landing(warehouse)
        stamp = self._engine.landing_stamp()
        schemas = landing_schemas(slugs)
        if before and is_known(stamp, before, schemas):
            return before
        # Attached to what the run keeps open: opened by itself, it would be read once more.
        with self._engine.open_both(wait_seconds=self.wait_seconds) as both:
            seen = observe_landing(both, stamp, before, schemas)
        self._engine.retried(lambda: keep_landing(warehouse, seen))
        return seen

    def _landed(self, slug: str, seen: LandingState) -> str:
        own = seen.digests[naming.landed_schema(slug)]
        return f"{own} {seen.digests[naming.SHARED_SCHEMA] if self.tenants.shared_landings else ''}"


def _news(state: RunState | None, now: Mapping[str, str]) -> News:
    if state is None:
        return News(_NEVER, None)
    names = (*REBUILD, *PUBLISH, *SNAPSHOT)
    changed = tuple(n for n in names if n in now and state.inputs.get(n) != now[n])
    return News(changed, state)


def _has_load_ids(shape: Any) -> bool:
    return shape is not None and "_dlt_load_id" in {name.lower() for name in shape.bookkeeping}
