"""How a tenant's pipeline stands, from its newest operational snapshot.

Messages of dbt and of the database stay out: they hold SQL and paths, and a model needs neither.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from martlet.api.observations import Bounds
from martlet.api.schemas import Document, Source
from martlet.marts.store import Mart, MartStore
from martlet.semantic.answers import SourceFreshness

RECENT_RUNS = 5
MOST_TOLD = 20
_GREEN = ("success", "pass", "warn", "no-op")


class RunDocument(Document):
    """One run of the pipeline."""

    started_at: datetime | None
    status: str | None
    seconds: float | None
    models_run: int | None
    models_failed: int | None
    models_skipped: int | None


class PipelineHealth(Document):
    """How the pipeline stands: what is wrong, and what to know of it."""

    status: Literal["healthy", "attention", "failing", "never_run"] = Field(
        description="failing: the last run failed or a promise is broken; attention: rows or "
        "tables wait in quarantine, or a shape is not the published one."
    )
    reasons: list[str] = Field(description="Why it is not healthy, the gravest first.")
    last_run: RunDocument | None
    recent_runs: list[RunDocument]
    failed: list[dict[str, Any]] = Field(description="Models and tests of the last run.")
    audit: dict[str, Any] | None = Field(
        description="The newest comparison of the facts with what was landed."
    )
    quarantined_rows: int
    quarantined_tables: list[dict[str, Any]]
    changed_shapes: list[dict[str, Any]] = Field(
        description="Tables whose columns differ from what was published of their source."
    )
    held_sources: list[Source] = Field(description="Sources of which the rows are not the newest.")
    loads: dict[str, Any] = Field(description="What the ledger counts over all loads.")
    snapshot_version: str
    published_at: datetime
    open_url: str


_RUNS = """
select started_at, status, seconds, models_run, models_failed, models_skipped
from {catalog}.runs order by started_at desc nulls last, invocation_id limit $rows
"""
_FAILED = """
select name, resource_type, status, failures, started_at
from {catalog}.run_results
where invocation_id = (
    select invocation_id from {catalog}.run_results
    order by captured_at desc nulls last, invocation_id limit 1
) and status not in (select unnest($green))
order by status, name limit $rows
"""
_AUDITS = """
select audited_at, broken_promises from {catalog}.audits
order by audited_at desc nulls last limit 1
"""
_ROWS_IN_QUARANTINE = "select count(*) as open from {catalog}.quarantine_rows where status = 'open'"
_TABLES_IN_QUARANTINE = """
select source_platform, connection, object, verdict, decided_at
from {catalog}.quarantined_tables
order by decided_at desc nulls last, source_platform, object, connection limit $rows
"""
_SHAPES = """
select source_platform, connection, object, verdict, decided_at
from (
    select *, row_number() over (
        partition by landed_table, object, connection order by decided_at desc nulls last, verdict
    ) as age
    from {catalog}.routing_decisions
)
where age = 1 and verdict in ('family', 'diff')
order by decided_at desc nulls last, source_platform, object limit $rows
"""
_LOADS = """
select count(*) as loads, max(pushed_at) as last_pushed_at, sum(rows_landed)::bigint as rows_landed,
    sum(rows_pushed)::bigint as rows_pushed, sum(rows_quarantined)::bigint as rows_quarantined
from {catalog}.ledger
"""
_INFO = "select version, published_at from {catalog}.snapshot_info"


def pipeline_health(
    store: MartStore,
    tenant: str,
    *,
    held: Sequence[SourceFreshness],
    bounds: Bounds,
    open_url: str,
) -> dict[str, Any]:
    """Return the document of `PipelineHealth`; raises the errors of the store."""
    with store.open(tenant) as snapshot:
        reader = _Reader(snapshot, bounds)
        runs = reader.rows(_RUNS, rows=RECENT_RUNS)
        found: dict[str, Any] = {
            "last_run": runs[0] if runs else None,
            "recent_runs": runs,
            "failed": reader.rows(_FAILED, green=list(_GREEN), rows=MOST_TOLD),
            "audit": next(iter(reader.rows(_AUDITS)), None),
            "quarantined_rows": reader.rows(_ROWS_IN_QUARANTINE)[0]["open"],
            "quarantined_tables": reader.rows(_TABLES_IN_QUARANTINE, rows=MOST_TOLD),
            "changed_shapes": reader.rows(_SHAPES, rows=MOST_TOLD),
            "held_sources": [asdict(source) for source in held],
            "loads": reader.rows(_LOADS)[0],
        }
        (info,) = reader.rows(_INFO)
    grave, light = list(_grave(found)), list(_light(found))
    status = "failing" if grave else "attention" if light else "healthy"
    return {
        "status": status if runs else "never_run",
        "reasons": [*grave, *light],
        **found,
        "snapshot_version": info["version"],
        "published_at": info["published_at"],
        "open_url": open_url,
    }


class _Reader:
    """Reads rows of one snapshot as documents."""

    def __init__(self, snapshot: Mart, bounds: Bounds) -> None:
        self._snapshot = snapshot
        self._bounds = bounds

    def rows(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        filled = sql.format(catalog=f'"{self._snapshot.catalog}"."main"')
        table = self._snapshot.fetch_arrow(
            filled, values, seconds=self._bounds.seconds, max_bytes=self._bounds.max_bytes
        )
        rows: list[dict[str, Any]] = table.to_pylist()
        return rows


def _grave(found: Mapping[str, Any]) -> Iterable[str]:
    last, audit = found["last_run"], found["audit"]
    if last and last["status"] not in _GREEN:
        yield f"the last run ended with {last['status']}"
    if found["failed"]:
        names = ", ".join(f"{each['name']} ({each['status']})" for each in found["failed"][:3])
        yield f"of the last run failed: {names}"
    if audit and audit["broken_promises"]:
        yield f"the newest audit found {audit['broken_promises']:,} broken promises"


def _light(found: Mapping[str, Any]) -> Iterable[str]:
    for what, places in (
        ("sources whose rows are the last good ones", found["held_sources"]),
        ("tables that are not pushed", found["quarantined_tables"]),
        ("tables of another shape than the published one", found["changed_shapes"]),
    ):
        if places:
            yield f"{what}: {_places(places)}"
    if found["quarantined_rows"]:
        yield f"rows that wait in quarantine: {found['quarantined_rows']:,}"


def _places(tables: Iterable[Mapping[str, Any]]) -> str:
    return ", ".join(sorted({f"{each['source_platform']} {each['object']}" for each in tables}))
