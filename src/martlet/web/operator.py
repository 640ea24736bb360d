"""All tenants at a glance, their keys, and how much this server does; for operators."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.responses import Response

from martlet.access.keys import Key
from martlet.errors import MartletError
from martlet.marts.versions import OPERATORS
from martlet.web.context import OLD_AFTER
from martlet.web.operations import Row, opened
from martlet.web.pipeline import RUN_WORDS
from martlet.web.visit import Visit
from martlet.web.words import SCOPES, counted, title_of

_RUNS = """
select tenant_slug, arg_max(status, started_at) as status, max(started_at) as started_at,
    arg_max(seconds, started_at) as seconds, arg_max(problem, started_at) as problem,
    count(*) filter (where status != 'success') as failures, count(*) as runs
from ops.runs where tenant_slug is not null group by all
"""
_FRESHNESS = """
select tenant_slug, min(newest_extracted_at) as as_of,
    count(*) filter (where newest_extracted_at is null) as never
from ops.freshness group by all
"""
_REFUSED = """
select tenant_slug, count(*) as count from ops.quarantine_rows where status = 'open' group by all
"""
_HELD = "select tenant_slug, count(*) as count from ops.quarantined_tables group by all"
_AUDITS = "select tenant_slug, audited_at, broken_promises from ops.audits"
_KEY_TONES = {"live": "good", "expired": "warn", "revoked": "bad"}


def all_tenants(visit: Visit) -> Response:
    """Show the health of all tenants on one page."""
    keys = visit.serving.keys.list()
    with opened(visit, OPERATORS) as snapshot:
        told: dict[str, dict[str, Row]] = {}
        if snapshot is not None:
            told = {
                name: {row["tenant_slug"]: row for row in snapshot.rows(sql)}
                for name, sql in (
                    ("run", _RUNS),
                    ("freshness", _FRESHNESS),
                    ("refused", _REFUSED),
                    ("held", _HELD),
                    ("audit", _AUDITS),
                )
            }
    slugs = {key.tenant for key in keys} | {*visit.serving.marts.names()}
    for rows in told.values():
        slugs |= set(rows)
    tenants = [_tenant(visit, slug, told, keys) for slug in sorted(slugs) if slug[:1] != "_"]
    tenants.sort(key=lambda tenant: (-len(tenant["troubles"]), tenant["slug"]))
    return visit.show(
        "operator.html",
        tenants=tenants,
        troubled=sum(bool(tenant["troubles"]) for tenant in tenants),
        has_run=bool(told),
        keys=[_key(key, visit.pages.sessions.counts()) for key in keys],
        usage=_usage(visit.serving.metrics.registry),
        running=visit.serving.queries.taken,
        places=visit.serving.queries.places,
        open_tenants=visit.serving.marts.open_count,
    )


def _tenant(
    visit: Visit, slug: str, told: Mapping[str, dict[str, Row]], keys: tuple[Key, ...]
) -> dict[str, Any]:
    def of(name: str) -> Row:
        return told.get(name, {}).get(slug, {})

    run, audit = of("run"), of("audit")
    words, tone = RUN_WORDS.get(run.get("status", ""), ("Never ran", "warn"))
    as_of = of("freshness").get("as_of")
    version, problem = _version(visit, slug)
    troubles = [problem] if problem else []
    if tone == "bad":
        troubles.append(f"the last run: {words.lower()}")
    if audit.get("broken_promises"):
        troubles.append(counted(audit["broken_promises"], "broken promise"))
    if of("held").get("count"):
        troubles.append(f"{counted(of('held')['count'], 'table')} held back")
    if of("refused").get("count"):
        troubles.append(f"{counted(of('refused')['count'], 'row')} refused")
    return {
        "slug": slug,
        "name": title_of(slug),
        "run": run,
        "run_words": words,
        "run_tone": tone,
        "as_of": as_of,
        "is_old": as_of is not None and _age(as_of) > OLD_AFTER,
        "audit": audit,
        "version": version,
        "troubles": troubles,
        "live_keys": sum(
            key.tenant == slug and key.status(datetime.now(UTC)) == "live" for key in keys
        ),
    }


def _age(moment: datetime) -> timedelta:
    return datetime.now(UTC).replace(tzinfo=None) - moment


def _version(visit: Visit, slug: str) -> tuple[str | None, str | None]:
    try:
        return visit.serving.service.version(slug), None
    except MartletError:
        return None, "nothing published"


def _key(key: Key, sessions: Mapping[str, int]) -> dict[str, Any]:
    status = key.status(datetime.now(UTC))
    return {
        "id": key.id,
        "tenant": title_of(key.tenant),
        "name": key.name,
        "scopes": [SCOPES.get(scope, scope) for scope in sorted(key.scopes)],
        "status": status,
        "tone": _KEY_TONES[status],
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "sessions": sessions.get(key.id, 0),
        "replaced_by": key.replaced_by,
    }


def _usage(registry: CollectorRegistry) -> dict[str, Any]:
    """Return what this process has counted since it began."""
    requests: dict[str, float] = {}
    problems: dict[str, float] = {}
    sent = 0.0
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name == "martlet_http_requests_total":
                route = sample.labels["route"]
                requests[route] = requests.get(route, 0) + sample.value
            elif sample.name == "martlet_http_problems_total":
                problems[sample.labels["code"]] = sample.value
            elif sample.name == "martlet_http_response_bytes_total":
                sent += sample.value
    busiest = sorted(requests.items(), key=lambda item: (-item[1], item[0]))[:12]
    return {
        "total": int(sum(requests.values())),
        "routes": [(route, int(count)) for route, count in busiest],
        "problems": sorted((code.replace("_", " "), int(n)) for code, n in problems.items()),
        "megabytes": sent / 1e6,
    }
