"""Erases persons: rows away, files written anew, and a keyed digest that keeps them away."""

import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.audit.landed import LandedTable
from martlet.config.catalogue import Catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.custody.accounts import note_moved_rows, settle_ledger, settle_loads
from martlet.custody.find import LANDED_QUARANTINE, Found, find_erased
from martlet.custody.texts import scrub_files, scrubbed_tables
from martlet.custody.versions import remove_versions
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.engines.engine import WAIT_SECONDS
from martlet.engines.rewriting import (
    LANDING,
    WAREHOUSE,
    Place,
    finish_rewriting,
    held_still,
    rewrite,
)
from martlet.engines.swap import finish_swap, swap_in
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError, MartletError
from martlet.landing.lock import landing_lock
from martlet.landing.pipeline import complete_pending
from martlet.pipeline.progress import Silence
from martlet.pipeline.run import Run
from martlet.settings import Settings
from martlet.suppression.ledger import (
    ErasedSubjects,
    ErasureLedger,
    changed_ledger,
    ledger_file,
    moment_now,
    read_ledger,
    refuse_unfit,
)

DRAFTS = ".rewriting"
HUB = ("platform", "hub_key_registry")
_RUN_STATES = ("ops", "run_states")
_LANDING_STATES = ("ops", "landing_states")
_QUARANTINE = ("ops", "platform_ops__quarantine_rows")


@dataclass
class Erasing:
    """What one erasure did, or would do. `places` are the rows that went, by relation.

    `broken_promises` and `findings` are those of the run that built the tenant's facts anew.
    """

    tenant: str
    identifiers: int
    is_dry_run: bool = False
    places: dict[str, int] = field(default_factory=dict)
    linked: int = 0
    files: list[str] = field(default_factory=list)
    versions_removed: int = 0
    published: str | None = None
    broken_promises: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(self.places.values())


def erase(
    settings: Settings,
    catalogue: Catalogue,
    tenants: TenantsFile,
    slug: str,
    values: Collection[str],
    *,
    linked: bool = False,
    dry_run: bool = False,
    wait_seconds: float = WAIT_SECONDS,
) -> Erasing:
    """Erase a person, known by any of `values`, from everything that holds the tenant's data.

    Killed in between, neither file is half rewritten, and the same call does the rest. With
    `linked`, the other identifiers in the person's records are erased too. Raises `BadInputError`,
    before anything is written, for values that identify nobody and for a target whose files cannot
    be rewritten.
    """
    refuse_shared_places(settings, "erase")
    refuse_unfit(values)
    tenant = tenants.tenant(slug)
    if dry_run:
        with held_still(settings, wait_seconds=wait_seconds) as connection:
            ledger = ErasureLedger().with_subjects(slug, values, moment_now())
            found = _found(settings, connection, tenant, tenants, catalogue, ledger.subjects(slug))
        return Erasing(slug, len(values), True, dict(found.places), len(found.linked))
    with changed_ledger(settings) as held:
        held[0] = held[0].with_subjects(slug, values, moment_now())
    done = erase_again(settings, catalogue, tenants, tenant, values, wait_seconds=wait_seconds)
    if linked and done.linked_values:
        more = done.linked_values
        with changed_ledger(settings) as held:
            held[0] = held[0].with_subjects(slug, more, moment_now())
        again = erase_again(settings, catalogue, tenants, tenant, more, wait_seconds=wait_seconds)
        done.found.places += again.found.places
        values = [*values, *more]
    report = Erasing(slug, len(values), places=dict(done.found.places))
    report.linked = len(done.found.linked)
    sought = {*values, *done.found.values}
    rebuild(settings, catalogue, tenants, tenant, sought, report, wait_seconds=wait_seconds)
    report.files = scrub_files(settings, sought)
    with changed_ledger(settings) as held:
        held[0] = held[0].finished(slug, values)
    return report


@dataclass
class Rewritten:
    """What was found and is gone now."""

    found: Found

    @property
    def linked_values(self) -> list[str]:
        """Return the other identifiers of the same records, but for those that are nobody's."""
        fit = []
        for value in sorted(self.found.linked):
            try:
                refuse_unfit([value])
            except BadInputError:
                continue
            fit.append(value)
        return fit


def erase_again(
    settings: Settings,
    catalogue: Catalogue,
    tenants: TenantsFile,
    tenant: Tenant,
    values: Collection[str] = (),
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> Rewritten:
    """Take out of warehouse and landing all that the erasure ledger says was erased."""
    with ExitStack() as stack:
        stack.enter_context(landing_lock(settings, wait_seconds))
        finish_swap(settings.home)
        complete_pending(settings, naming.landed_schema(tenant.slug))
        subjects = read_ledger(ledger_file(settings)).subjects(tenant.slug)
        connection = stack.enter_context(held_still(settings, wait_seconds=wait_seconds))
        found = _found(settings, connection, tenant, tenants, catalogue, subjects)
        _rewrite(settings, connection, tenant, found, {*values, *found.values})
    return Rewritten(found)


def erased_again(
    settings: Settings,
    catalogue: Catalogue,
    tenants: TenantsFile,
    chosen: Iterable[Tenant],
    *,
    wait_seconds: float = WAIT_SECONDS,
) -> Iterator[str]:
    """Erase what other loaders than Martlet have landed of the erased; tell of it, and of erasures
    that were killed.

    A tenant of which this is impossible is told of, and does not stop the others.
    """
    ledger = read_ledger(ledger_file(settings))
    for tenant in chosen if settings.target == "duckdb" else ():
        if tenant.slug in ledger.unfinished():
            yield f"{tenant.slug}: an erasure was killed before its end; give its command again"
        if tenant.slug not in ledger.tenants():
            continue
        try:
            if not _has_foreign_tables(settings, tenant, wait_seconds):
                continue
            refuse_shared_places(settings, "erase")
            done = erase_again(settings, catalogue, tenants, tenant, wait_seconds=wait_seconds)
        except MartletError as error:
            yield f"{tenant.slug}: erased persons may have landed again: {error}"
            continue
        if done.found.rows:
            rows = done.found.rows
            yield f"{tenant.slug}: {rows:,} rows of erased persons had landed again; they are gone"


def _has_foreign_tables(settings: Settings, tenant: Tenant, wait_seconds: float) -> bool:
    """Say whether a loader other than Martlet fills tables of the tenant: nothing filters those."""
    if not settings.landing.exists():
        return False
    with engine_of(settings).open_landing(read_only=True, wait_seconds=wait_seconds) as landing:
        return bool(
            landing.execute(
                "select table_name from duckdb_columns() where schema_name = ? "
                "and not starts_with(table_name, '_') group by 1 "
                "having not bool_or(column_name = '_martlet_row')",
                [naming.landed_schema(tenant.slug)],
            ).fetchall()
        )


def rebuild(
    settings: Settings,
    catalogue: Catalogue,
    tenants: TenantsFile,
    tenant: Tenant,
    values: Collection[str],
    report: Erasing,
    *,
    wait_seconds: float,
) -> None:
    """Build and publish the tenant's facts anew, then remove every version that came before."""
    is_active = tenant in tenants.active()
    if is_active and settings.warehouse.exists():
        run = Run(settings, catalogue, tenants, Silence(), wait_seconds)
        outcome = run.run((tenant,))
        report.broken_promises = run.broken_promises
        report.findings = [finding.message for finding in outcome.findings]
    removed, current = remove_versions(
        settings, tenant.slug, values, keep_current=is_active, wait_seconds=wait_seconds
    )
    report.versions_removed, report.published = removed, current


def refuse_shared_places(settings: Settings, what: str) -> None:
    """Raise `BadInputError` where databases, marts or keys are no files of this home."""
    remedy = "docs/cookbooks/erase_a_person.md says what to do on a shared store"
    if settings.target != "duckdb":
        raise BadInputError(
            f"`martlet {what}` works on the files of the target duckdb; this is {settings.target}",
            where="--target, or MARTLET_TARGET",
            remedy=remedy,
        )
    shared = {
        "MARTLET_MARTS": settings.stored_marts,
        "MARTLET_CONTROL": settings.control_database,
    }
    for variable, place in shared.items():
        if place:
            raise BadInputError(
                f"`martlet {what}` works on files of one home, and {variable} names another place",
                where=variable,
                remedy=remedy,
            )


def _found(
    settings: Settings,
    connection: DuckDBPyConnection,
    tenant: Tenant,
    tenants: TenantsFile,
    catalogue: Catalogue,
    subjects: ErasedSubjects,
) -> Found:
    if not settings.landing.exists():
        raise BadInputError(
            "nothing has landed here",
            where=str(settings.landing),
            remedy="check MARTLET_HOME, or run `martlet land` first",
        )
    return find_erased(
        connection,
        tenant,
        tenants,
        catalogue,
        subjects,
        has_warehouse=settings.warehouse.exists(),
    )


def _rewrite(
    settings: Settings,
    connection: DuckDBPyConnection,
    tenant: Tenant,
    found: Found,
    values: Collection[str],
) -> None:
    """Write both files anew without what was found, and put them in place at once."""
    has_warehouse = settings.warehouse.exists()
    note_moved_rows(connection, found)
    selects = _warehouse_selects(tenant, found) if found.rows and has_warehouse else {}
    if has_warehouse:
        selects |= scrubbed_tables(connection, values, without=selects.keys())
    if not found.rows and not selects:
        return
    drafts = settings.home / DRAFTS
    shutil.rmtree(drafts, ignore_errors=True)
    moves = {}
    if has_warehouse:
        new = rewrite(
            connection,
            WAREHOUSE,
            drafts / settings.warehouse.name,
            selects=selects,
            dropped=derived_tables(connection, tenant.slug) if found.rows else frozenset(),
        )
        settle_ledger(connection, new, tenant.slug, found)
        finish_rewriting(connection, new)
        moves[f"{DRAFTS}/{settings.warehouse.name}"] = settings.warehouse.name
    if found.rows:
        new = rewrite(
            connection,
            LANDING,
            drafts / settings.landing.name,
            selects=_landing_selects(tenant, found),
        )
        settle_loads(connection, new, tenant.slug, found)
        finish_rewriting(connection, new)
        moves[f"{DRAFTS}/{settings.landing.name}"] = settings.landing.name
    swap_in(settings.home, moves, [DRAFTS])


def derived_tables(connection: DuckDBPyConnection, slug: str) -> frozenset[Place]:
    """Return the tables that are built from the masters for one tenant: a run builds them anew."""
    rows = connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = ? "
        "and schema_name not in ('ops', 'platform') and regexp_full_match(table_name, ?)",
        [WAREHOUSE, f"[a-z]+_{slug}__.*"],
    ).fetchall()
    return frozenset((schema, table) for schema, table in rows)


def _warehouse_selects(tenant: Tenant, found: Found) -> dict[Place, str]:
    mine = f"tenant_slug = {quoted_text(tenant.slug)}"
    selects = {
        HUB: f"select * from warehouse.platform.hub_key_registry where not ({mine} and "
        "(source_platform, object, cast(tenant_skey as varchar)) in "
        "(select (platform, object, skey) from gone_keys))",
        _QUARANTINE: "select * from warehouse.ops.platform_ops__quarantine_rows "
        "where rowid not in (select row_id from gone_quarantined)",
        _RUN_STATES: f"select * from warehouse.ops.run_states where not ({mine})",
        _LANDING_STATES: "select * from warehouse.ops.landing_states where false",
    }
    renumbered = {t.table for t in found.tables if is_renumbered(t)}
    for place in found.places:
        schema, _, master = place.partition(".")
        if schema == "platform":
            selects[schema, master] = _master_select(master, is_renumbered=bool(renumbered))
    return selects


def is_renumbered(table: LandedTable) -> bool:
    """Say whether the place of a row is its number in the file, which a rewritten file changes."""
    return table.has_loads and "_martlet_row" not in table.folded


def _master_select(master: str, *, is_renumbered: bool) -> str:
    relation = f"warehouse.platform.{quoted_name(master)}"
    kept = f"rowid not in (select row_id from gone_master where master = {quoted_text(master)})"
    if not is_renumbered:
        return f"select * from {relation} where {kept}"
    return (
        f"select m.* replace (coalesce(v.new_row, m.load_row) as load_row) "
        f"from (select *, rowid as place from {relation} where {kept}) as m "
        "left join moved_rows as v on v.platform = m.source_platform "
        "and v.connection = m.connection and v.load_id = m.load_id and v.old_row = m.load_row "
        "order by m.place"
    ).replace("m.* replace", "m.* exclude (place) replace")


def _landing_selects(tenant: Tenant, found: Found) -> dict[Place, str]:
    schema = naming.landed_schema(tenant.slug)
    selects = {
        (table.schema, table.table): f"select * from {table.relation} where rowid not in "
        f"(select row_id from gone_landed where table_number = {number})"
        for number, table in enumerate(found.tables)
    }
    for name in found.unknown:
        selects[schema, name] = (
            f"select * from landing.{quoted_name(schema)}.{quoted_name(name)} where rowid not in "
            f"(select row_id from gone_unknown where table_name = {quoted_text(name)})"
        )
    selects[schema, LANDED_QUARANTINE] = (
        f"select * from landing.{quoted_name(schema)}.{LANDED_QUARANTINE} "
        "where rowid not in (select row_id from gone_refused)"
    )
    return selects
