"""What a run tells: counts per table, totals per fact, seconds per stage, and what went wrong."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from duckdb import DuckDBPyConnection

from martlet.config.tenants import Tenant
from martlet.engines.duckdb_engine import columns_of, quoted_name
from martlet.pipeline.audit import LEDGER, ledger_length
from martlet.pipeline.findings import Finding
from martlet.pipeline.routes import RoutedTenant
from martlet.registry.routing import Declaration, Route
from martlet.star_schema import STAR_TABLES, StarTable, star_model

# What a fact adds up: by currency, because money of two currencies has no sum.
TOTALS = {
    "ad_performance": ("spend", "impressions", "clicks", "conversions", "conversion_value"),
    "orders": ("total_price", "refunded"),
    "sessions": ("session_revenue", "event_count"),
    "campaigns": (),
}


@dataclass(frozen=True)
class TableReport:
    """What one run did with one landed table; `status` is its routing verdict or `not_landed`."""

    tenant: str
    platform: str
    object: str
    connection: str
    landed: int
    pushed: int
    known: int
    quarantined: int
    status: str
    detail: str = ""


@dataclass(frozen=True)
class FactReport:
    """One fact or dimension after the run; `totals` by currency, money as exact texts."""

    tenant: str
    fact: str
    rows: int
    totals: dict[str, dict[str, str | int]]


@dataclass(frozen=True)
class MartReport:
    """What is published of a tenant, after the attempt to publish.

    `version` is the one that is read, none before the first. `held` says that it stays the last
    good one as a whole, for `reason`; `held_platforms` are those of which the rows do.
    """

    tenant: str
    version: str | None
    is_new: bool
    held: bool = False
    reason: str | None = None
    held_platforms: dict[str, str] = field(default_factory=dict)


@dataclass
class RunReport:
    """All that a run tells."""

    tables: list[TableReport] = field(default_factory=list)
    facts: list[FactReport] = field(default_factory=list)
    marts: list[MartReport] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # of the run itself, not of the data
    unchanged: list[str] = field(default_factory=list)  # the tenants without news
    shard: str | None = None  # which one of how many, if not all tenants were asked for

    def add(self, part: "RunReport") -> None:
        """Take in what is told of one tenant."""
        self.tables += part.tables
        self.facts += part.facts
        self.marts += part.marts
        self.findings += part.findings
        self.warnings += part.warnings
        self.unchanged += part.unchanged

    def without_unchanged(self) -> "RunReport":
        """Return what is told of tenants that had news."""
        skipped = {*self.unchanged}
        return RunReport(
            tables=[table for table in self.tables if table.tenant not in skipped],
            facts=[fact for fact in self.facts if fact.tenant not in skipped],
            marts=[mart for mart in self.marts if mart.tenant not in skipped],
        )

    def as_document(self) -> dict[str, Any]:
        """Return the report as JSON carries it."""
        return {
            "shard": self.shard,
            "unchanged": self.unchanged,
            "tables": [asdict(table) for table in self.tables],
            "facts": [asdict(fact) for fact in self.facts],
            "marts": [asdict(mart) for mart in self.marts],
            "stages": [
                {"stage": stage, "seconds": round(seconds, 3)}
                for stage, seconds in self.stages.items()
            ],
            "findings": [asdict(finding) for finding in self.findings],
            "warnings": self.warnings,
        }


def table_reports(
    declarations: Iterable[Declaration],
    routed: RoutedTenant,
    counts: Mapping[tuple[str, str, str], tuple[int, int, int, int]],
    held: Mapping[str, int],
) -> Iterator[TableReport]:
    """Give what a run did with each declared object of each connection, landed or not.

    `counts` are landed, pushed, known and quarantined, `held` the rows that wait, by landed table.
    """
    routes: dict[tuple[str, str, str], Route] = {}
    for route in sorted(routed.routes, key=lambda r: not r.is_routed):
        d = route.declaration
        routes[d.platform, d.object, d.connection] = route  # what cannot be routed shows
    for d in {(d.platform, d.object, d.connection): d for d in declarations}.values():
        place = (d.platform, d.object, d.connection)
        found = routes.get(place)
        waiting = held.get(found.declaration.table, 0) if found else 0
        count = (waiting, 0, 0, waiting) if waiting else counts.get(place, (0, 0, 0, 0))
        yield TableReport(
            d.tenant,
            *place,
            *count,
            status=found.verdict if found else "not_landed",
            detail="; ".join(filter(None, (found.reason, found.rejected_because))) if found else "",
        )


def rows_held(warehouse: DuckDBPyConnection, routed: RoutedTenant) -> dict[str, int]:
    """Return, for each landed table that may not be pushed, how many of its rows wait.

    Rows of loads that were pushed before the table became unroutable do not wait.
    """
    waiting = {}
    for route in routed.unroutable:
        d = route.declaration
        table = f"landing.{quoted_name(d.schema)}.{quoted_name(d.table)}"
        columns = {
            name
            for (name,) in warehouse.execute(
                f"select column_name from (describe {table})"
            ).fetchall()
        }
        known = (
            f"_dlt_load_id in (select load_id from {LEDGER} where tenant_slug = $tenant "
            "and landed_table = $table)"
            if "_dlt_load_id" in columns and ledger_length(warehouse)
            else "$tenant is null and $table is null"
        )
        counted = warehouse.execute(
            f"select count(*) from {table} where not coalesce({known}, false)",
            {"tenant": d.tenant, "table": d.table},
        ).fetchone()
        waiting[d.table] = int(counted[0]) if counted else 0
    return waiting


def pushed_since(
    warehouse: DuckDBPyConnection, tenant: str, ledger_rows_before: int
) -> dict[tuple[str, str, str], tuple[int, int, int, int]]:
    """Return landed, pushed, known, quarantined per (platform, object, connection) of this run.

    `ledger_rows_before` is how long the ledger was when the run began: it only grows.
    """
    rows = warehouse.execute(
        f"select source_platform, object, connection, sum(rows_landed), sum(rows_pushed), "
        f"sum(rows_known), sum(rows_quarantined) from "
        f"(select * from {LEDGER} where rowid >= ?) where tenant_slug = ? group by all",
        [ledger_rows_before, tenant],
    ).fetchall()
    return {
        (platform, object_, connection): (int(landed), int(pushed), int(known), int(quarantined))
        for platform, object_, connection, landed, pushed, known, quarantined in rows
    }


def quarantined_since(
    warehouse: DuckDBPyConnection, tenant: str, ledger_rows_before: int
) -> list[tuple[str, str, str, int]]:
    """Return landed table, load, reason and number of the rows that this run quarantined."""
    rows = warehouse.execute(
        f"""
        select
            l.landed_table,
            l.load_id,
            coalesce(q.path || ': ', '') || q.error as reason,
            count(*)
        from (select * from {LEDGER} where rowid >= $before) as l
        inner join ops.platform_ops__quarantine_rows as q
            using (tenant_slug, source_platform, connection, object, load_id)
        where l.tenant_slug = $tenant and l.rows_quarantined > 0
        group by all
        order by all
        """,
        {"before": ledger_rows_before, "tenant": tenant},
    ).fetchall()
    return [(table, load_id, reason, int(count)) for table, load_id, reason, count in rows]


def fact_reports(
    warehouse: DuckDBPyConnection, tenant: Tenant, schema: str = "analytics"
) -> list[FactReport]:
    """Return rows and totals of the tenant's facts and dimensions, as far as they exist."""
    return [
        _fact_report(warehouse, tenant, table, schema)
        for table in STAR_TABLES
        if columns_of(warehouse, f"{quoted_name(schema)}.{star_model(tenant.slug, table)}")
    ]


def _fact_report(
    warehouse: DuckDBPyConnection, tenant: Tenant, table: StarTable, schema: str
) -> FactReport:
    model = star_model(tenant.slug, table)
    sums = "".join(f", sum({name})" for name in TOTALS[table.name])
    rows = warehouse.execute(
        f"select coalesce(currency, 'unknown'), count(*){sums} "
        f"from {schema}.{model} group by 1 order by 1"
    ).fetchall()
    return FactReport(
        tenant=tenant.slug,
        fact=model,
        rows=sum(row[1] for row in rows),
        totals={
            row[0]: {
                name: _exact(value) for name, value in zip(TOTALS[table.name], row[2:], strict=True)
            }
            for row in rows
            if TOTALS[table.name]
        },
    )


def _exact(value: Decimal | int | None) -> str | int:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return int(value or 0)
