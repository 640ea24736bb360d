"""The command that shows how things stand."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from martlet.cli.app import AsJson, Wait, app, project
from martlet.config.tenants import load_tenants_leniently
from martlet.pipeline.audit_record import AuditRecord
from martlet.pipeline.status import (
    LastRun,
    SourceStatus,
    TableStatus,
    TenantStatus,
    as_document,
    read_status,
)
from martlet.terminal import Terminal

NOTHING_RUN = "nothing has run yet: martlet land TENANT, then martlet run"


@app.command()
def status(
    tenant: Annotated[
        str | None, typer.Option(help="Only this tenant, in full; default all in short.")
    ] = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Show how things stand: last run, freshness, drift, quarantine, audit, rows."""
    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    terminal = Terminal(as_json=as_json)
    if tenant in errors:
        raise errors[tenant]
    chosen = [tenants.tenant(tenant)] if tenant else list(tenants.tenants.values())
    standing = read_status(settings, tenants, chosen, wait_seconds=wait)
    statuses = standing.tenants
    for slug in errors:
        terminal.warn(f"{slug}: its configuration cannot be used; martlet check says why")
    snapshot = _snapshot(standing.snapshot_at)
    if snapshot:
        terminal.warn(
            "another process holds the warehouse, such as a run: this is how things stood at "
            f"{_moment(standing.snapshot_at)} UTC, {snapshot['age_seconds']:,} seconds ago"
        )
    if as_json:
        has_run = any(s.last_run for s in statuses)
        document = {"has_run": has_run, "snapshot": snapshot, "tenants": as_document(statuses)}
        terminal.say(document, "")
        return
    if not any(s.last_run for s in statuses):
        terminal.say({}, NOTHING_RUN)
    if tenant:
        _show_tenant(terminal, statuses[0])
    else:
        terminal.rows("tenants", [_summary(s) for s in statuses], none="there is no tenant")


def _snapshot(moment: datetime | None) -> dict[str, Any] | None:
    """Return of when the answer is, where it is not of now."""
    if moment is None:
        return None
    age = datetime.now(UTC).replace(tzinfo=None) - moment
    return {"published_at": moment.isoformat(), "age_seconds": int(age.total_seconds())}


def _show_tenant(terminal: Terminal, shown: TenantStatus) -> None:
    terminal.rows("tenant", [_summary(shown)], none="")
    terminal.rows("sources", list(_sources(shown)), none="no source is enabled")
    for heading, tables in (
        ("drift: routed, though the shape is not one that was published", shown.drift),
        ("quarantined tables: not pushed; martlet quarantine list", shown.quarantined_tables),
    ):
        if tables:
            terminal.say({}, heading)
            terminal.rows("tables", [_table(table) for table in tables], none="")
    facts = [{"fact": fact, "rows": rows} for fact, rows in shown.facts.items()]
    terminal.rows("facts", facts, none="no fact has been built")
    if shown.last_run:
        counts = ", ".join(f"{count:,} {name}" for name, count in shown.rows.items())
        terminal.say({}, f"rows of all loads: {counts}")


def _summary(shown: TenantStatus) -> dict[str, Any]:
    oldest, lacking = _stalest(shown.sources)
    waiting = f" ({lacking} never pushed)" if oldest and lacking else ""
    return {
        "tenant": shown.tenant if shown.is_active else f"{shown.tenant} (disabled)",
        "last_run": _run(shown.last_run),
        "oldest_source": f"{_moment(oldest)}{waiting}",
        "drift": len(shown.drift),
        "quarantined": f"{len(shown.quarantined_tables)} tables, {shown.quarantined_rows:,} rows",
        "audit": _audit(shown.audit),
        "pushed": shown.rows["pushed"],
        "fact_rows": sum(shown.facts.values()),
    }


def _stalest(sources: list[SourceStatus]) -> tuple[datetime | None, int]:
    """Return the oldest of the newest loads, and how many objects have none."""
    moments = [source.extracted_at for source in sources if source.extracted_at]
    lacking = sum(source.pushed_at is None for source in sources)
    return min(moments, default=None), lacking


def _sources(shown: TenantStatus) -> Iterator[dict[str, Any]]:
    """Give one row a connection: its newest load, and the object that is furthest behind."""
    by_connection: dict[tuple[str, str], list[SourceStatus]] = defaultdict(list)
    for source in shown.sources:
        by_connection[source.platform, source.connection].append(source)
    for (platform, connection), sources in by_connection.items():
        dated = [(s.extracted_at, s) for s in sources if s.extracted_at]
        newest = max(dated, key=lambda pair: pair[0], default=(None, None))
        oldest = min(dated, key=lambda pair: pair[0], default=(None, None))
        yield {
            "platform": platform,
            "connection": connection,
            "objects": len(sources),
            "newest": _moment(newest[0]),
            "load": newest[1].load_id if newest[1] else None,
            "oldest": f"{oldest[1].object} {_moment(oldest[0])}" if oldest[1] else None,
            "never_pushed": [s.object for s in sources if s.pushed_at is None],
        }


def _table(table: TableStatus) -> dict[str, Any]:
    return {
        "table": table.table,
        "object": f"{table.platform} {table.object}",
        "verdict": table.verdict,
        "since": _moment(table.decided_at),
        "why": table.reason or "; ".join(table.differences),
    }


def _run(run: LastRun | None) -> str:
    if run is None:
        return "never"
    return f"{run.result} {_moment(run.at)}"


def _audit(audit: AuditRecord | None) -> str:
    if audit is None:
        return "none yet"
    result = f"{audit.broken_promises:,} BROKEN" if audit.broken_promises else "holds"
    moment = datetime.fromisoformat(audit.at).astimezone(UTC).replace(tzinfo=None)
    return f"{result} {_moment(moment)} ({audit.by})"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "never"
