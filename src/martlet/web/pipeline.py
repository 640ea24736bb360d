"""Pipeline: how the data came to be: runs, tests, loads, refused rows, the audit, freshness."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from martlet.web.charts import Chart, Series
from martlet.web.context import OLD_AFTER, find_strip
from martlet.web.days import moment_words, short_day
from martlet.web.numbers import Measured
from martlet.web.operations import Row, opened
from martlet.web.problems import no_such_page
from martlet.web.visit import Visit
from martlet.web.words import VERDICTS, counted, source_words

RECENT_RUNS = 30
RECENT_LOADS = 40
_LONGEST_MESSAGE = 600
RUN_WORDS = {
    "success": ("Succeeded", "good"),
    "failed": ("Some steps failed", "bad"),
    "error": ("Could not run", "bad"),
}
NODE_WORDS = {
    "success": ("done", "good"),
    "pass": ("passed", "good"),
    "warn": ("warned", "warn"),
    "fail": ("failed", "bad"),
    "error": ("failed", "bad"),
    "skipped": ("left out", "warn"),
}
_RUNS = """
select
    invocation_id, started_at, seconds, status, models_run, models_failed, models_skipped, problem
from ops.runs order by started_at desc nulls last, invocation_id limit $rows
"""
_TESTS = """
select r.name, r.status, r.failures, r.message, r.execution_seconds, t.severity
from ops.run_results as r left join ops.tests as t using (node_id)
where r.resource_type like '%test' and r.invocation_id = $run
order by r.status not in ('fail', 'error', 'warn'), r.name
"""
_SOURCES = """
with loads as (
    select
        source_platform, object, connection,
        max(pushed_at) as pushed_at,
        sum(rows_landed)::bigint as landed,
        sum(rows_pushed)::bigint as pushed,
        sum(rows_known)::bigint as known,
        sum(rows_quarantined)::bigint as quarantined,
        sum(rows_erased)::bigint as erased,
        count(distinct load_id) as loads
    from ops.ledger group by all
)
select
    coalesce(f.source_platform, l.source_platform) as source_platform,
    coalesce(f.object, l.object) as object,
    coalesce(f.connection, l.connection) as connection,
    f.newest_extracted_at as extracted_at,
    l.* exclude (source_platform, object, connection)
from ops.freshness as f
full join loads as l using (source_platform, object, connection)
order by all
"""
_LOADS = """
select
    source_platform, object, connection, load_id, load_mode, scope_start, scope_end, extracted_at,
    pushed_at, rows_landed, rows_pushed, rows_known, rows_quarantined, rows_erased, rows_tombstoned
from ops.ledger
order by pushed_at desc nulls last, source_platform, object, connection, load_id limit $rows
"""
_REFUSED = """
select
    source_platform, object, connection, error, path, count(*) as count,
    max(quarantined_at) as newest
from ops.quarantine_rows where status = 'open'
group by all order by count desc, source_platform, object, error limit 50
"""
_DECIDED = """
select status, count(*) as count from ops.quarantine_rows group by all order by all
"""
_HELD_TABLES = """
select source_platform, object, connection, landed_table, verdict, reason, decided_at
from ops.quarantined_tables order by decided_at desc nulls last, landed_table
"""
_AUDIT = "select audited_at, audited_by, broken_promises from ops.audits order by audited_at desc"
_RESULTS = """
select name, resource_type, status, rows_affected, failures, execution_seconds, message
from ops.run_results where invocation_id = $run
order by
    status not in ('fail', 'error'), status not in ('warn', 'skipped'),
    execution_seconds desc nulls last, name
"""


def pipeline(visit: Visit) -> Response:
    """Show how the tenant's data came to be."""
    strip = find_strip(visit)
    with opened(visit) as snapshot:
        if snapshot is None:
            return visit.show("nothing_ran.html", strip=strip)
        runs = [_told(row) for row in snapshot.rows(_RUNS, rows=RECENT_RUNS)]
        sources = [_source(row, strip) for row in snapshot.rows(_SOURCES)]
        decided = {row["status"]: row["count"] for row in snapshot.rows(_DECIDED)}
        tests = snapshot.rows(_TESTS, run=runs[0]["invocation_id"]) if runs else []
        held = [_held_table(row) for row in snapshot.rows(_HELD_TABLES)]
        refused = [_named(row) for row in snapshot.rows(_REFUSED)]
        audit = snapshot.row(_AUDIT)
        loads = [_named(row) for row in snapshot.rows(_LOADS, rows=RECENT_LOADS)]
    return visit.show(
        "pipeline.html",
        strip=strip,
        runs=runs,
        sources=sources,
        totals={
            name: sum(source[name] or 0 for source in sources)
            for name in ("landed", "pushed", "known", "quarantined", "erased")
        },
        tests=[_test(row) for row in tests],
        failed_tests=sum(row["status"] in ("fail", "error") for row in tests),
        held=held,
        refused=refused,
        open_rows=decided.get("open", 0),
        decided=[(status, n) for status, n in decided.items() if status != "open"],
        audit=audit,
        loads=loads,
        chart=_durations(runs),
    )


def one_run(visit: Visit) -> Response:
    """Show what one run did, the failed steps first."""
    run = visit.request.path_params["run"]
    strip = find_strip(visit)
    with opened(visit) as snapshot:
        if snapshot is None:
            raise no_such_page()
        found = snapshot.row(
            _RUNS.replace("order by", "where invocation_id = $run order by"), run=run, rows=1
        )
        if not found:
            raise no_such_page()
        steps = [_step(row) for row in snapshot.rows(_RESULTS, run=run)]
    return visit.show("run.html", strip=strip, run=_told(found), steps=steps)


def _told(run: Row) -> Row:
    words, tone = RUN_WORDS.get(run["status"], (str(run["status"]), "warn"))
    return run | {"words": words, "tone": tone, "problem": _short(run["problem"])}


def _named(row: Row) -> Row:
    name = source_words(row["source_platform"], row["object"], row["connection"])
    return row | {"name": name, "error": _short(row.get("error"))}


def _source(row: Row, strip: Any) -> Row:
    moment = row["extracted_at"]
    held = strip.held if strip else ()
    named = _named(row)
    if moment is None:
        state = ("never landed", "warn")
    elif named["name"].partition(",")[0] in held:
        state = ("held back", "bad")
    elif datetime.now(UTC).replace(tzinfo=None) - moment > OLD_AFTER:
        state = ("old", "warn")
    else:
        state = ("fresh", "good")
    return named | {"state": state[0], "tone": state[1]}


def _held_table(row: Row) -> Row:
    words, tone = VERDICTS.get(row["verdict"], (str(row["verdict"]), "warn"))
    return _named(row) | {"words": words, "tone": tone, "reason": _short(row["reason"])}


def _test(row: Row) -> Row:
    model, _, rule = row["name"].rpartition("__")
    words, tone = NODE_WORDS.get(row["status"], (str(row["status"]), "warn"))
    return row | {
        "rule": (rule or row["name"]).replace("_", " "),
        "model": model,
        "words": words,
        "tone": tone,
        "message": _short(row["message"]) if tone == "bad" else None,
    }


def _step(row: Row) -> Row:
    words, tone = NODE_WORDS.get(row["status"], (str(row["status"]), "warn"))
    return row | {
        "words": words,
        "tone": tone,
        "message": _short(row["message"]) if tone != "good" else None,
    }


def _durations(runs: Sequence[Row]) -> Chart | None:
    timed = [run for run in reversed(runs) if run["started_at"] and run["seconds"] is not None]
    if len(timed) < 2:
        return None
    return Chart(
        title=f"How long the last {counted(len(timed), 'run')} took, in seconds",
        kind="line",
        labels=[
            f"{short_day(run['started_at'].date())}, {run['started_at']:%H:%M}" for run in timed
        ],
        long_labels=[moment_words(run["started_at"]) for run in timed],
        series=[Series("Seconds", [run["seconds"] for run in timed])],
        how=Measured("plain"),
        first="Run",
    )


def _short_moment(moment: datetime) -> str:
    return f"{short_day(moment.date())}, {moment:%H:%M}"


def _short(text: str | None) -> str | None:
    if text is None or len(text) <= _LONGEST_MESSAGE:
        return text
    return f"{text[:_LONGEST_MESSAGE]}…"
