"""What the steps of a run find, in the words that a person reads."""

from collections.abc import Iterable, Iterator

import duckdb

from martlet.errors import MartletError
from martlet.pipeline.audit import BrokenLoad
from martlet.pipeline.dbt_run import NodeResult
from martlet.pipeline.findings import Finding
from martlet.pipeline.routes import RoutedTenant
from martlet.registry.drift import Difference, likely_renames
from martlet.registry.routing import Declaration, Route
from martlet.scaffold.files import Changes

MAX_TOLD = 20


def route_findings(tenant: str, routed: RoutedTenant) -> Iterator[Finding]:
    """Give what is to be said of a tenant's tables; what an operator rejected is known."""
    for route in routed.routes:
        table = route.declaration.table
        if route.rejected_because:
            continue
        if not route.is_routed:
            yield Finding("quarantine", tenant, table, explain(route), route_remedy(route))
        elif route.is_learned:
            yield Finding("drift", tenant, table, explain_drift(route), is_event=True)
    for d in routed.not_landed:
        what = f"{d.platform} {d.object} is enabled but {d.schema}.{d.table} has never landed"
        remedy = f"martlet land {tenant} --platform {d.platform}, or disable it in tenants.yaml"
        yield Finding("not_landed", tenant, d.table, what, remedy)
    for table in routed.undeclared:
        what = f"the landed table {table} belongs to no enabled source; left alone"
        yield Finding("undeclared", tenant, table, what, "enable its source in tenants.yaml")


def scaffold_findings(tenant: str, changes: Changes) -> Iterator[Finding]:
    """Give the generated files that could not be brought up to date."""
    for path in changes.kept_edited:
        what = f"{path} was edited by hand and kept; its generated form differs"
        remedy = "martlet onboard --force overwrites it"
        yield Finding("scaffold", tenant, str(path), what, remedy)
    for path in changes.unmarked:
        what = f"{path} has no generator's mark and was not touched; its generated form differs"
        yield Finding("scaffold", tenant, str(path), what, "move the file away")


def failure_findings(tenant: str, failed: Iterable[NodeResult]) -> Iterator[Finding]:
    """Give the models and tests that failed, or could not run because of one that did."""
    for node in failed:
        skipped = "a model that it needs failed" if node.is_skipped else "no reason given"
        what = f"{node.name}: {node.status}: {node.message or skipped}"
        yield Finding("failure", tenant, node.name, what)


def stopped_finding(tenant: str, error: Exception, subject: str | None = None) -> Finding:
    """Return why a tenant's run, or one step of it, could not go on."""
    if isinstance(error, MartletError):
        return Finding("failure", tenant, subject or tenant, error.what, error.remedy)
    refused = "the database refused a step" if isinstance(error, duckdb.Error) else "a step failed"
    return Finding("failure", tenant, subject or tenant, f"{refused}: {error}")


def audit_findings(tenant: str, broken: Iterable[BrokenLoad]) -> Iterator[Finding]:
    """Give the loads that break conservation."""
    for load in broken:
        what = f"conservation is broken: load {load.load_id} of {load.table}: {load.promise}"
        yield Finding("audit", tenant, load.table, what, "martlet audit")


def quarantine_findings(
    tenant: str, quarantined: Iterable[tuple[str, str, str, int]]
) -> Iterator[Finding]:
    """Give the rows that a run put into quarantine, by table, load and reason."""
    remedy = "correct them at the source and land them again; `martlet quarantine list` has them"
    for table, load_id, reason, count in quarantined:
        what = f"{count:,} rows of load {load_id} of {table} are in quarantine: {reason}"
        yield Finding("quarantine", tenant, table, what, remedy, is_event=True)


def route_remedy(route: Route) -> str:
    """Return what a person can do about a table that cannot be routed."""
    d = route.declaration
    if route.verdict == "identity_conflict":
        return (
            "correct the loader or the declaration in tenants.yaml; "
            f"`martlet registry diff {d.tenant} {d.table}` compares it with what is declared"
        )
    return (
        "correct the loader or the declaration in tenants.yaml; if the source changed, "
        f"`{approval(d, route.differences)}`, or publish a new version: "
        "docs/cookbooks/version_a_connector.md"
    )


def approval(declaration: Declaration, found: tuple[Difference, ...]) -> str:
    """Return the command that approves a table's shape, with the renames that it may hold."""
    command = f"martlet registry approve {declaration.tenant} {declaration.table} --reason TEXT"
    for landed, published in likely_renames(found):
        command += f" --alias {landed}={published}"
    return command


def explain(route: Route) -> str:
    """Return why a table cannot be routed, what it is nearest to and how it differs."""
    declaration = route.declaration
    fingerprint = route.shape.source_schema_hash[:8] if route.shape else "none"
    lines = [
        f"cannot route {declaration.schema}.{declaration.table} ({route.verdict}, fingerprint "
        f"{fingerprint}): {route.reason}"
    ]
    if route.blueprint:
        b = route.blueprint
        lines.append(f"  nearest: {b.source_platform} {b.object} ({b.loader} v{b.version})")
    return "\n".join(lines + _listed(route))


def explain_drift(route: Route) -> str:
    """Return how a routed table differs from the shape that it was routed by."""
    declaration = route.declaration
    head = f"{declaration.schema}.{declaration.table} has a new shape, routed by {route.verdict}"
    return "\n".join([head, *_listed(route)])


def _listed(route: Route) -> list[str]:
    # What a sparse table merely lacks says least.
    told = sorted(route.differences, key=lambda d: d.after is None and d.push == "route")
    lines = [
        f"    {d}{' - the facts need it' if d.change == 'needed column removed' else ''}"
        for d in told[:8]
    ]
    if len(route.differences) > 8:
        lines.append(f"    and {len(route.differences) - 8} more")
    lines += [
        f"    has {published} become {landed}? then: --alias {landed}={published}"
        for landed, published in likely_renames(route.differences)
    ]
    return lines
