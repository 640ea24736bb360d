"""The tables of a mart: its star schema, and what it says about itself."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.config.tenant import Tenant, canonical_json
from martlet.engines.duckdb_engine import columns_of, quoted_name, quoted_text
from martlet.errors import MartletError
from martlet.marts import blended
from martlet.marts.errors import MartDamagedError
from martlet.star_schema import STAR_TABLES, StarTable, star_model

# The names under which a publisher attaches the mart that it writes and the one before.
DRAFT = "mart_draft"
PUBLISHED = "mart_published"
LEDGER = "ops.platform_ops__push_ledger"
# Part of every digest: raise it when a mart gets another layout, or it is not published anew.
LAYOUT = 1

CAMPAIGN_KEY = "campaign_key"
_CAMPAIGN_KEY = (
    "md5(cast(to_json([source_platform, connection, account_id, campaign_id]) as varchar))"
)
_KEYED = ("ad_performance", "campaigns")
_DAYS = {
    "ad_performance": "report_date",
    "orders": "business_date",
    "sessions": "business_date",
    blended.MODEL: "business_date",
}
_ORDER = {
    "ad_performance": "report_date, source_platform, connection, account_id, campaign_id, "
    "ad_group_id, ad_id",
    "orders": "business_date, source_platform, connection, ordered_at, order_id",
    "sessions": "business_date, source_platform, connection, session_start_ts, session_id",
    "campaigns": "source_platform, connection, account_id, campaign_id",
}
_ZONED = ("ad_performance", blended.MODEL)
_AMOUNTS = ("DECIMAL(18,6)", "BIGINT")
_NO_MONEY = {"conversions"}

_INFO = """
create table {catalog}.main.mart_info (
    tenant_slug varchar, version varchar, published_at timestamp, content_digest varchar,
    definition json, definition_version bigint, reporting_timezone varchar, currency varchar,
    previous_version varchar
)
"""
_FRESHNESS = """
create table {catalog}.main.mart_freshness (
    source_platform varchar, connection varchar, object varchar, extracted_at timestamp,
    pushed_at timestamp, load_id varchar, is_held boolean, held_because varchar
)
"""
_PROFILE = """
create table {catalog}.main.mart_profile (
    table_name varchar, row_count bigint, currencies varchar[], has_unknown_currency boolean,
    platforms varchar[], time_zones varchar[], first_day date, last_day date
)
"""


@dataclass(frozen=True)
class MartTable:
    """One table of the star schema; `columns` are names and types, as the warehouse has them."""

    model: str
    relation: str
    columns: tuple[tuple[str, str], ...]

    @property
    def amounts(self) -> tuple[str, ...]:
        """Return the columns that are added up to compare two copies."""
        return tuple(name for name, kind in self.columns if kind.upper() in _AMOUNTS)

    @property
    def money(self) -> tuple[str, ...]:
        """Return the columns that are amounts of `currency`."""
        return tuple(
            name
            for name, kind in self.columns
            if kind.upper() == _AMOUNTS[0] and name not in _NO_MONEY
        )

    @property
    def day(self) -> str | None:
        return _DAYS.get(self.model)

    def in_catalog(self, catalog: str) -> str:
        """Return the table's name in an attached mart, as SQL spells it."""
        return f"{catalog}.main.{quoted_name(self.relation)}"

    @property
    def in_warehouse(self) -> str:
        return f"analytics.{quoted_name(self.relation)}"


Group = tuple[str | None, str | None]  # platform and currency


@dataclass
class Summary:
    """What one scan of a table tells. `amounts` are row count and sums of each group."""

    row_count: int = 0
    content: int = 0
    amounts: dict[Group, tuple[Any, ...]] = field(default_factory=dict)
    time_zones: set[str] = field(default_factory=set)
    first_day: date | None = None
    last_day: date | None = None
    has_unknown_currency: bool = False
    foreign_rows: int = 0

    @property
    def platforms(self) -> list[str]:
        return sorted({platform for platform, _ in self.amounts if platform is not None})

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for _, currency in self.amounts if currency is not None})


def star_tables(warehouse: DuckDBPyConnection, tenant: str) -> tuple[MartTable, ...]:
    """Return the tenant's star schema as the warehouse has it.

    Raises `MartletError` when a table or a canonical column of it is missing.
    """
    return tuple(_star_table(warehouse, tenant, table) for table in STAR_TABLES)


def blended_table(tenant: str) -> MartTable:
    """Return the blended fact."""
    return MartTable(
        blended.MODEL,
        naming.fact_model(tenant, blended.MODEL),
        tuple((name, kind.upper()) for name, kind in blended.COLUMNS),
    )


def copy_table(connection: DuckDBPyConnection, table: MartTable, held: Iterable[str]) -> MartTable:
    """Copy a table into the draft, held platforms' rows from the published mart where there is one.

    `held` is empty or the published mart is attached. Returns the table as the draft has it.
    """
    names = ", ".join(quoted_name(name) for name, _ in table.columns)
    rows = f"select {names} from {table.in_warehouse}"
    if held:
        platforms = ", ".join(quoted_text(platform) for platform in held)
        rows += f" where coalesce(source_platform, '') not in ({platforms})"
    if held and _is_attached(connection, PUBLISHED):
        rows += (
            f" union all select {_published_columns(connection, table)} "
            f"from {table.in_catalog(PUBLISHED)} where source_platform in ({platforms})"
        )
    keyed = table.model in _KEYED
    columns = f"*, {_CAMPAIGN_KEY} as {CAMPAIGN_KEY}" if keyed else "*"
    connection.execute(
        f"create table {table.in_catalog(DRAFT)} as "
        f"select {columns} from ({rows}) order by {_ORDER[table.model]}"
    )
    return MartTable(
        table.model,
        table.relation,
        (*table.columns, (CAMPAIGN_KEY, "VARCHAR")) if keyed else table.columns,
    )


def summarise(
    connection: DuckDBPyConnection,
    relation: str,
    table: MartTable,
    tenant: str,
    *,
    hashed: bool = False,
) -> Summary:
    """Return what a copy of the table holds, in one scan; `content` only when `hashed`."""
    columns = ", ".join(quoted_name(name) for name, _ in table.columns)
    unknown = " or ".join(f"coalesce({quoted_name(name)}, 0) != 0" for name in table.money)
    zones = "account_timezone" if table.model in _ZONED else "cast(null as varchar)"
    day = quoted_name(table.day) if table.day else "cast(null as date)"
    sums = "".join(f", sum({quoted_name(name)})" for name in table.amounts)
    rows = connection.execute(
        f"""
        select
            source_platform,
            currency,
            {f"sum(hash({columns}))" if hashed else "0"},
            list(distinct {zones}),
            min({day}),
            max({day}),
            currency is null and bool_or({unknown}),
            count(*) filter (where tenant_slug is distinct from $tenant),
            count(*)
            {sums}
        from {relation}
        group by source_platform, currency
        """,
        {"tenant": tenant},
    ).fetchall()
    summary = Summary()
    for platform, currency, content, time_zones, first, last, is_unknown, foreign, *told in rows:
        summary.amounts[platform, currency] = tuple(told)
        summary.row_count += told[0]
        summary.content += int(content)
        summary.time_zones |= {zone for zone in time_zones or () if zone is not None}
        summary.has_unknown_currency |= bool(is_unknown)
        summary.foreign_rows += foreign
        if first is not None:
            summary.first_day = min(summary.first_day or first, first)
            summary.last_day = max(summary.last_day or last, last)
    return summary


def freshness_rows(
    connection: DuckDBPyConnection, tenant: Tenant, holds: Mapping[str, str]
) -> list[tuple[Any, ...]]:
    """Return what `mart_freshness` holds: how new the mart's rows are, source by source.

    A held platform is as fresh as in the published mart, whatever has been pushed since.
    """
    declared = [
        (source.platform, connection_slug, object_)
        for source in tenant.enabled_sources()
        for connection_slug in source.connections
        for object_ in source.objects
    ]
    pushed = _ledger(connection, tenant.slug)
    published = _published_freshness(connection) if holds else {}
    rows: list[tuple[Any, ...]] = []
    for place in sorted(declared):
        reason = holds.get(place[0])
        if reason is not None:
            rows.append((*place, *published.get(place, (None, None, None)), True, reason))
        elif place in pushed:
            rows.append((*place, *pushed[place], False, None))
    return rows


def write_freshness(connection: DuckDBPyConnection, rows: list[tuple[Any, ...]]) -> None:
    """Create `mart_freshness` in the draft."""
    connection.execute(_FRESHNESS.format(catalog=DRAFT))
    _insert(connection, "mart_freshness", rows)


def write_profile(
    connection: DuckDBPyConnection, summaries: Mapping[str, Summary], tenant: Tenant
) -> None:
    """Create `mart_profile` in the draft."""
    connection.execute(_PROFILE.format(catalog=DRAFT))
    rows = []
    for model, summary in summaries.items():
        own = [tenant.reporting_timezone] if summary.row_count else []
        rows.append(
            (
                model,
                summary.row_count,
                summary.currencies,
                summary.has_unknown_currency,
                summary.platforms,
                sorted(summary.time_zones) if model in _ZONED else own,
                summary.first_day,
                summary.last_day,
            )
        )
    _insert(connection, "mart_profile", rows)


def write_info(
    connection: DuckDBPyConnection,
    tenant: Tenant,
    *,
    version: str,
    published_at: datetime,
    content_digest: str,
    definition: Mapping[str, Any],
    definition_version: int,
    previous: str | None,
) -> None:
    """Create `mart_info` in the draft; `published_at` is in UTC, without a zone."""
    connection.execute(_INFO.format(catalog=DRAFT))
    row = (
        tenant.slug,
        version,
        published_at,
        content_digest,
        json.dumps(definition, ensure_ascii=False),
        definition_version,
        tenant.reporting_timezone,
        tenant.currency,
        previous,
    )
    _insert(connection, "mart_info", [row])


def content_digest(
    connection: DuckDBPyConnection,
    tables: Iterable[tuple[MartTable, Summary]],
    tenant: Tenant,
    definition: Mapping[str, Any],
    freshness: list[tuple[Any, ...]],
    holds: Mapping[str, str],
) -> str:
    """Return the SHA-256 of all that a reader of the draft can see, but for version and moment.

    The engine's version is part of it, because its hashes are its own affair.
    """
    ((engine, rate_count, rates),) = connection.execute(
        "select version(), count(*), coalesce(sum(hash(r)), 0) "
        f"from {DRAFT}.main.exchange_rates as r"
    ).fetchall()
    document = {
        "layout": LAYOUT,
        "engine": engine,
        "tenant": [tenant.slug, tenant.reporting_timezone, tenant.currency],
        "tables": [
            [table.relation, table.columns, summary.row_count, str(summary.content)]
            for table, summary in tables
        ],
        "exchange_rates": [rate_count, str(rates)],
        "definition": json.dumps(definition, ensure_ascii=False),
        "freshness": json.loads(json.dumps(freshness, default=datetime.isoformat)),
        "holds": dict(holds),
    }
    return hashlib.sha256(canonical_json(document).encode()).hexdigest()


def _star_table(warehouse: DuckDBPyConnection, tenant: str, table: StarTable) -> MartTable:
    relation = star_model(tenant, table)
    columns = columns_of(warehouse, f"analytics.{relation}")
    lacking = [column.name for column in table.columns if column.name not in columns]
    if lacking:
        what = f"has no column {', '.join(lacking)}" if columns else "is missing"
        raise MartletError(
            f"the table analytics.{relation} {what}, so nothing can be published",
            where=tenant,
            remedy=f"martlet run {tenant}",
        )
    columns.pop(CAMPAIGN_KEY, None)
    return MartTable(table.name, relation, tuple(columns.items()))


def _published_columns(connection: DuckDBPyConnection, table: MartTable) -> str:
    """Return the table's columns as the published mart can give them: what it lacks is null."""
    present = columns_of(connection, table.in_catalog(PUBLISHED))
    if not present:
        raise MartDamagedError(
            f"the published mart has no table {table.relation}, whose rows a hold would keep",
            remedy="`martlet marts rollback TENANT` goes to another version",
        )
    return ", ".join(
        f"cast({quoted_name(name) if name in present else 'null'} as {kind}) as {quoted_name(name)}"
        for name, kind in table.columns
    )


def _is_attached(connection: DuckDBPyConnection, name: str) -> bool:
    rows = connection.execute(
        "select 1 from duckdb_databases() where database_name = ?", [name]
    ).fetchall()
    return bool(rows)


Place = tuple[str, str, str]  # platform, connection, object
Newest = tuple[datetime | None, datetime | None, str | None]  # extracted_at, pushed_at, load_id


def _ledger(connection: DuckDBPyConnection, tenant: str) -> dict[Place, Newest]:
    if not columns_of(connection, LEDGER):
        return {}
    rows = connection.execute(
        f"""
        select
            source_platform, connection, object, max(extracted_at), max(pushed_at),
            arg_max(load_id, (extracted_at, load_id)) filter (where extracted_at is not null)
        from {LEDGER}
        where tenant_slug = ?
        group by 1, 2, 3
        """,
        [tenant],
    ).fetchall()
    return {(platform, slug, object_): tuple(newest) for platform, slug, object_, *newest in rows}


def _published_freshness(connection: DuckDBPyConnection) -> dict[Place, Newest]:
    if not _is_attached(connection, PUBLISHED):
        return {}
    rows = connection.execute(
        "select source_platform, connection, object, extracted_at, pushed_at, load_id "
        f"from {PUBLISHED}.main.mart_freshness"
    ).fetchall()
    return {(platform, slug, object_): tuple(newest) for platform, slug, object_, *newest in rows}


def _insert(connection: DuckDBPyConnection, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        places = ", ".join("?" * len(rows[0]))
        connection.executemany(f"insert into {DRAFT}.main.{table} values ({places})", rows)
