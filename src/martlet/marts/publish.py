"""Publishes a tenant's star schema: written beside, audited, swapped in; or nothing changes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from duckdb import DuckDBPyConnection

from martlet.config.tenant import Tenant
from martlet.engines.duckdb_engine import WAREHOUSE_STORAGE_VERSION, columns_of, quoted_text
from martlet.errors import BadInputError, BrokenPromiseError
from martlet.marts.blended import COUNTED, MODEL, NET_REVENUE, write_blended
from martlet.marts.errors import MartDamagedError, VersionGoneError
from martlet.marts.exchange_rates import Quotations, read_quotations, write_exchange_rates
from martlet.marts.folders import mart_folder
from martlet.marts.tables import (
    CAMPAIGN_KEY,
    DRAFT,
    PUBLISHED,
    Group,
    MartTable,
    Summary,
    blended_table,
    content_digest,
    copy_table,
    freshness_rows,
    star_tables,
    summarise,
    write_freshness,
    write_info,
    write_profile,
)
from martlet.marts.versions import WAIT_SECONDS, VersionFolder
from martlet.settings import Settings

KEPT_VERSIONS = 5
MAX_TOLD = 5


@dataclass(frozen=True)
class Published:
    """How a publication ended. `version` is the one that is current now, None where none ever was.

    `rows` are counts by semantic model in what was written and audited, also where it was not
    published; `reason` says why there is no new version.
    """

    tenant: str
    version: str | None
    previous: str | None
    is_new: bool
    rows: dict[str, int] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True)
class _Before:
    """The current version: attached as `PUBLISHED`, if there is one that can be read."""

    version: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class _Draft:
    """What was written: its tables by model, each with what a scan of it told."""

    tables: dict[str, tuple[MartTable, Summary]]
    digest: str

    @property
    def rows(self) -> dict[str, int]:
        return {model: summary.row_count for model, (_, summary) in self.tables.items()}


def publish_mart(
    settings: Settings,
    warehouse: DuckDBPyConnection,
    tenant: Tenant,
    holds: Mapping[str, str],
    *,
    definition: Mapping[str, Any],
    definition_version: int,
    force: bool = False,
    keep: int = KEPT_VERSIONS,
    rates_csv: Path | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Published:
    """Publish the tenant's star schema as it is in the warehouse, unless nothing has changed.

    `holds` maps a platform to why its rows stay those of the current version. What was rolled back
    is not published again. `force` publishes in both cases. `rates_csv` replaces the European
    Central Bank's rates. `warehouse` may be open read-only; it is in no transaction.

    Raises `BrokenPromiseError` when the mart differs from what it was made of, or holds a row of
    another tenant; `MartDamagedError` when a hold needs rows of a version that cannot be read. In
    both cases the current version stays.
    """
    if keep < 1:
        raise BadInputError(f"{keep} versions cannot be kept", remedy="keep at least 1")
    quotations = read_quotations(rates_csv) if rates_csv else None
    tables = star_tables(warehouse, tenant.slug)
    folder = mart_folder(settings, tenant.slug)
    with folder.lock(wait_seconds), _published(warehouse, folder, holds) as before:
        folder.remove_leftovers()
        if before.digest:
            folder.restore(before.digest)  # a rollback was killed before it went through
        now = datetime.now(UTC)
        version = folder.next_version(now)
        with draft_file(folder, version) as path:
            with attached(warehouse, path, DRAFT, f"storage_version '{WAREHOUSE_STORAGE_VERSION}'"):
                draft = _write(
                    warehouse, tables, tenant, holds, definition=definition, quotations=quotations
                )
                _audit(warehouse, tables, draft, tenant.slug, holds)
                refusal = None if force else _reason_to_stay(folder, before, draft.digest)
                if refusal is None:
                    write_info(
                        warehouse,
                        tenant,
                        version=version,
                        published_at=now.replace(tzinfo=None),
                        content_digest=draft.digest,
                        definition=definition,
                        definition_version=definition_version,
                        previous=before.version,
                    )
                    warehouse.execute(f"checkpoint {DRAFT}")
            if refusal is None:
                folder.promote(path, version)
                folder.swap(version)
                folder.restore(draft.digest)
        folder.prune(keep)
    return Published(
        tenant=tenant.slug,
        version=version if refusal is None else before.version,
        previous=before.version,
        is_new=refusal is None,
        rows=draft.rows,
        held=dict(holds),
        reason=refusal,
    )


@contextmanager
def attached(
    connection: DuckDBPyConnection, path: Path, name: str, option: str = "read_only"
) -> Iterator[None]:
    """Attach a database file to the connection for a while; with other options, to be written."""
    mode = option if option == "read_only" else f"read_write, {option}"
    connection.execute(f"attach {quoted_text(str(path))} as {name} ({mode})")
    try:
        yield
    finally:
        connection.execute(f"detach {name}")


@contextmanager
def draft_file(folder: VersionFolder, version: str) -> Iterator[Path]:
    """Give the path of a draft; what is left of it at the end is deleted."""
    path = folder.draft_path(version)
    try:
        yield path
    finally:
        for leftover in (path, path.with_name(f"{path.name}.wal")):
            leftover.unlink(missing_ok=True)


@contextmanager
def _published(
    connection: DuckDBPyConnection, folder: VersionFolder, holds: Mapping[str, str]
) -> Iterator[_Before]:
    """Attach the current version; one that cannot be read counts as none, unless it is needed."""
    try:
        yield _attach_published(connection, folder, holds)
    finally:
        connection.execute(f"detach database if exists {PUBLISHED}")


def _attach_published(
    connection: DuckDBPyConnection, folder: VersionFolder, holds: Mapping[str, str]
) -> _Before:
    version = None
    try:
        version = folder.current()
        if version is None:
            return _Before()
        path = quoted_text(str(folder.fetch(version)))
        connection.execute(f"attach {path} as {PUBLISHED} (read_only)")
        ((digest,),) = connection.execute(
            f"select content_digest from {PUBLISHED}.main.mart_info"
        ).fetchall()
    except (MartDamagedError, VersionGoneError, duckdb.Error, ValueError) as error:
        if holds:
            raise MartDamagedError(
                f"{', '.join(holds)} cannot be held, for the current mart is damaged: {error}",
                where=str(folder.path),
                remedy="`martlet marts rollback TENANT --to VERSION` goes to a whole one",
            ) from error
        return _Before(version)
    return _Before(version, digest)


def _write(
    connection: DuckDBPyConnection,
    tables: tuple[MartTable, ...],
    tenant: Tenant,
    holds: Mapping[str, str],
    *,
    definition: Mapping[str, Any],
    quotations: Quotations | None,
) -> _Draft:
    """Write all of the draft but `mart_info`."""
    written = {table.model: copy_table(connection, table, sorted(holds)) for table in tables}
    write_blended(connection, DRAFT, tenant.slug, tenant.reporting_timezone)
    written[MODEL] = blended_table(tenant.slug)
    summaries = {
        model: summarise(connection, table.in_catalog(DRAFT), table, tenant.slug, hashed=True)
        for model, table in written.items()
    }
    write_profile(connection, summaries, tenant)
    first = [summary.first_day for summary in summaries.values() if summary.first_day]
    last = [summary.last_day for summary in summaries.values() if summary.last_day]
    write_exchange_rates(
        connection, DRAFT, quotations, min(first, default=None), max(last, default=None)
    )
    freshness = freshness_rows(connection, tenant, holds)
    write_freshness(connection, freshness)
    copies = {model: (table, summaries[model]) for model, table in written.items()}
    digest = content_digest(connection, copies.values(), tenant, definition, freshness, holds)
    return _Draft(copies, digest)


def _reason_to_stay(folder: VersionFolder, before: _Before, digest: str) -> str | None:
    if digest == before.digest:
        return f"nothing has changed since {before.version}"
    for version, withdrawn in folder.withdrawn().items():
        if digest == withdrawn:
            return f"this is what {version} held, which was rolled back; --force publishes it again"
    return None


def _audit(
    connection: DuckDBPyConnection,
    tables: tuple[MartTable, ...],
    draft: _Draft,
    tenant: str,
    holds: Mapping[str, str],
) -> None:
    """Compare the draft with what it was made of; raises `BrokenPromiseError` for a difference."""
    problems = [
        f"{table.relation}: {summary.foreign_rows:,} rows are not of this tenant"
        for table, summary in draft.tables.values()
        if summary.foreign_rows
    ]
    has_published = bool(holds) and _has_database(connection, PUBLISHED)
    for table in tables:
        expected = summarise(connection, table.in_warehouse, table, tenant).amounts
        truth = {group: told for group, told in expected.items() if group[0] not in holds}
        if has_published:
            truth |= _held_amounts(connection, table, tenant, holds)
        copied = draft.tables[table.model][1].amounts
        problems += _differences(table.relation, ("rows", *table.amounts), truth, copied)
    problems += _doubled_campaigns(connection, draft.tables["campaigns"][0])
    problems += _blended_differences(connection, draft)
    if problems:
        shown = "\n".join(f"  {problem}" for problem in problems[:MAX_TOLD])
        more = f"\n  and {len(problems) - MAX_TOLD} more" if len(problems) > MAX_TOLD else ""
        raise BrokenPromiseError(
            f"the mart is not what it was made of; nothing is published:\n{shown}{more}",
            where=tenant,
            remedy=f"`martlet audit {tenant}` compares the facts with what was landed",
        )


def _held_amounts(
    connection: DuckDBPyConnection, table: MartTable, tenant: str, holds: Mapping[str, str]
) -> dict[Group, tuple[Any, ...]]:
    """Return what the published mart has of the held platforms; a column it lacks sums to null."""
    present = columns_of(connection, table.in_catalog(PUBLISHED))
    known = tuple((name, kind) for name, kind in table.columns if name in present)
    older = MartTable(table.model, table.relation, known)
    summary = summarise(connection, older.in_catalog(PUBLISHED), older, tenant)
    amounts = {}
    for group, (count, *sums) in summary.amounts.items():
        if group[0] in holds:
            told = dict(zip(older.amounts, sums, strict=True))
            amounts[group] = (count, *(told.get(name) for name in table.amounts))
    return amounts


def _doubled_campaigns(connection: DuckDBPyConnection, table: MartTable) -> list[str]:
    ((doubled,),) = connection.execute(
        f"select count(*) - count(distinct {CAMPAIGN_KEY}) from {table.in_catalog(DRAFT)}"
    ).fetchall()
    return [f"{table.relation}: {doubled:,} campaigns are there twice"] if doubled else []


def _blended_differences(connection: DuckDBPyConnection, draft: _Draft) -> list[str]:
    """Compare the blended fact with the facts that it stacks: totals in are totals out."""
    sides = {
        "ad_performance": (
            "paid_ads",
            {
                "spend": "sum(spend)",
                "impressions": "sum(impressions)",
                "clicks": "sum(clicks)",
                "conversions": "sum(conversions)",
                "conversion_value": "sum(conversion_value)",
            },
        ),
        "orders": (
            "ecommerce",
            {
                "orders_placed": f"nullif(count(*) filter (where {COUNTED}), 0)",
                "revenue": f"sum({NET_REVENUE}) filter (where {COUNTED})",
                "refunded_amount": f"sum(refunded) filter (where {COUNTED})",
            },
        ),
        "sessions": (
            "analytics",
            {
                "sessions_started": "count(*)",
                "sessions_converted": "count(*) filter (where is_conversion_session)",
                "session_revenue": "sum(session_revenue)",
            },
        ),
    }
    blended, _ = draft.tables[MODEL]
    problems = []
    for model, (domain, measures) in sides.items():
        fact = draft.tables[model][0].in_catalog(DRAFT)
        sums = ", ".join(f"sum({name})" for name in measures)
        truth = _grouped(connection, f"{', '.join(measures.values())} from {fact}")
        stacked = _grouped(
            connection, f"{sums} from {blended.in_catalog(DRAFT)} where domain = '{domain}'"
        )
        has_rows = {group: told for group, told in truth.items() if any(told)}
        stacked = {group: told for group, told in stacked.items() if any(told)}
        problems += _differences(blended.relation, tuple(measures), has_rows, stacked)
    return problems


def _grouped(
    connection: DuckDBPyConnection, measures_and_source: str
) -> dict[Group, tuple[Any, ...]]:
    rows = connection.execute(
        f"select source_platform, currency, {measures_and_source} group by all"
    ).fetchall()
    return {(platform, currency): tuple(told) for platform, currency, *told in rows}


def _differences(
    relation: str,
    names: tuple[str, ...],
    truth: Mapping[Group, tuple[Any, ...]],
    copied: Mapping[Group, tuple[Any, ...]],
) -> list[str]:
    nothing: tuple[Any, ...] = (None,) * len(names)
    problems = []
    for group in sorted({*truth, *copied}, key=str):
        expected, found = truth.get(group, nothing), copied.get(group, nothing)
        where = f"{relation}, {group[0]}, {group[1] or 'currency unknown'}"
        problems += [
            f"{where}: {name} is {has}, not {should}"
            for name, should, has in zip(names, expected, found, strict=True)
            if should != has
        ]
    return problems


def _has_database(connection: DuckDBPyConnection, name: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from duckdb_databases() where database_name = ?", [name]
        ).fetchall()
    )
