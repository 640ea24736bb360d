"""The whole audit of one tenant: replay, money and what is odd, in one read-only pass."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.audit.differences import replay_object, shared_table_losses
from martlet.audit.health import Freshness, Volume, freshness, volumes
from martlet.audit.landed import LandedTable, landed_tables, missing_keys
from martlet.audit.money import Total, compare_money, uncompared
from martlet.audit.newest import begin_money, collect_money
from martlet.audit.replay import prepare_landed
from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.engines.listing import list_tables
from martlet.errors import BadInputError
from martlet.pipeline.audit import BrokenLoad, ledger_length
from martlet.pipeline.cast_nulls import CastNulls, cast_nulls
from martlet.pipeline.findings import Finding

_REMEDY_MASTER = (
    "something wrote to the warehouse beside the push: put back the warehouse file of a backup, or "
    "move it away and run: the landings hold every row"
)
_REMEDY_SHARED = "martlet run, without --tenant, accounts for the shared tables again"
_REMEDY_FACT = "martlet run --tenant {tenant} builds the facts anew; then audit again"
_REMEDY_STALE = "run the loader of this source, or disable the source in tenants.yaml"
_REMEDY_VOLUME = "compare the source with what landed; if it is right, nothing is to be done"
_REMEDY_CAST = "look at the values that the source sends: the facts read them as null"


@dataclass
class TenantAudit:
    """What the audit of one tenant found; `skipped` says what could not be compared, and why."""

    tenant: str
    loads: int = 0
    pending: int = 0
    rows: int = 0
    versions: int = 0
    broken: list[BrokenLoad] = field(default_factory=list)
    broken_facts: list[BrokenLoad] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    freshness: list[Freshness] = field(default_factory=list)
    volumes: list[Volume] = field(default_factory=list)
    cast_nulls: list[CastNulls] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def broken_promises(self) -> int:
        return len(self.broken) + len(self.broken_facts)

    def findings(self) -> list[Finding]:
        """Return what a person should know: broken promises first."""
        rebuild = _REMEDY_FACT.format(tenant=self.tenant)
        found = [
            *(
                _broken(
                    b,
                    "conservation is broken",
                    _REMEDY_SHARED if b.tenant == naming.UNASSIGNED else _REMEDY_MASTER,
                )
                for b in self.broken
            ),
            *(_broken(b, "the fact is not what landed", rebuild) for b in self.broken_facts),
        ]
        for (platform, connection), sources in groupby(
            self.freshness, key=lambda s: (s.platform, s.connection)
        ):
            stale = [source for source in sources if source.is_stale]
            if stale:
                objects = ", ".join(source.object for source in stale)
                hours = min(source.hours for source in stale)
                what = f"{platform} ({connection}) was extracted {hours:.0f} hours ago: {objects}"
                subject = f"{platform} {connection}"
                found.append(Finding("stale", self.tenant, subject, what, _REMEDY_STALE))
        for v in self.volumes:
            if v.is_anomaly:
                what = f"{v.table} landed {v.rows} rows on {v.day}; usual are {v.usual:g}"
                found.append(Finding("anomaly", self.tenant, v.table, what, _REMEDY_VOLUME))
        for c in self.cast_nulls:
            if c.is_too_many:
                what = f"{c.nulls} of {c.stated} values of {c.view}.{c.column} cannot be read"
                subject = f"{c.view}.{c.column}"
                found.append(Finding("anomaly", self.tenant, subject, what, _REMEDY_CAST))
        return found

    def as_document(self) -> dict[str, Any]:
        """Return the audit as JSON carries it; money as exact texts."""
        return {
            **asdict(self),
            "totals": [
                {**asdict(t), "landed": f"{t.landed:f}", "in_fact": f"{t.in_fact:f}"}
                for t in self.totals
            ],
            "volumes": [{**asdict(v), "is_anomaly": v.is_anomaly} for v in self.volumes],
            "cast_nulls": [
                {**asdict(c), "share": c.share, "is_too_many": c.is_too_many}
                for c in self.cast_nulls
            ],
            "broken_promises": self.broken_promises,
        }


def audit_tenants(
    warehouse: DuckDBPyConnection,
    chosen: Iterable[Tenant],
    tenants: TenantsFile,
    catalogue: Catalogue,
    *,
    now: datetime,
    stale_after_hours: float,
) -> list[TenantAudit]:
    """Audit the chosen tenants; nothing is written, so that the connection may be read-only.

    `now` is UTC without a zone. Raises `BadInputError` where nothing was ever run.
    """
    if not ledger_length(warehouse):
        raise BadInputError(
            "there is nothing to audit: the ledger is empty",
            where="ops.platform_ops__push_ledger",
            remedy="martlet run",
        )
    audits = []
    shared: dict[str, LandedTable] = {}
    for tenant in chosen:
        tables = landed_tables(warehouse, tenant, tenants)
        audit = TenantAudit(tenant.slug)
        _audit_rows_and_money(warehouse, tenant, catalogue, tables, audit)
        audit.freshness = freshness(warehouse, tables, now=now, stale_after_hours=stale_after_hours)
        audit.volumes = volumes(warehouse, tables)
        audit.cast_nulls = cast_nulls(warehouse, tenant)
        for table in tables:
            if table.accounts is not None and table.has_loads and table.table not in shared:
                shared[table.table] = table
                audit.broken += shared_table_losses(warehouse, table)
        audits.append(audit)
    return audits


def _audit_rows_and_money(
    warehouse: DuckDBPyConnection,
    tenant: Tenant,
    catalogue: Catalogue,
    tables: list[LandedTable],
    audit: TenantAudit,
) -> None:
    masters = {table.name for table in list_tables(warehouse, "platform")}
    skipped_platforms = uncompared(tenant)
    begin_money(warehouse, tenant)
    for (platform, object_, connection), group in groupby(sorted(tables, key=_place), key=_place):
        together = list(group)
        name = f"{platform} {object_} ({connection})"
        master_id = catalogue.connector(platform).master_model_id
        master = naming.master_model(master_id, object_)
        if master not in masters:
            continue  # nothing of it was ever pushed
        missing = [f"{t.table} has no {key}" for t in together for key in missing_keys(t)]
        if missing:
            audit.skipped[name] = f"no key can be made: {', '.join(missing)}"
            skipped_platforms[platform] = audit.skipped[name]
            continue
        pending = prepare_landed(warehouse, together)
        replayed = replay_object(warehouse, together, master, pending)
        audit.loads += replayed.loads
        audit.pending += replayed.pending
        audit.rows += replayed.rows
        audit.versions += replayed.versions
        audit.broken += replayed.broken
        if replayed.is_other_claim:
            audit.skipped[name] = "accounts of a shared table were claimed or given up since"
            skipped_platforms[platform] = audit.skipped[name]
        else:
            collect_money(warehouse, tenant, together)
    audit.totals, audit.broken_facts = compare_money(warehouse, tenant, set(skipped_platforms))
    audit.skipped |= skipped_platforms


def _place(table: LandedTable) -> tuple[str, str, str]:
    return table.platform, table.object, table.connection


def _broken(broken: BrokenLoad, what: str, remedy: str) -> Finding:
    told = f"{what}: load {broken.load_id} of {broken.table}: {broken.promise}"
    return Finding("audit", broken.tenant, broken.table, told, remedy)
