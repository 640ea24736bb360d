"""The command that proves, beside the push, that nothing was lost."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from martlet.cli.alerts import alert
from martlet.cli.app import AsJson, Wait, app, chosen_tenants, project
from martlet.config.tenants import load_tenants_leniently
from martlet.terminal import Terminal


@app.command()
def audit(
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be repeated.")
    ] = None,
    stale_after: Annotated[
        float, typer.Option(min=0, help="Hours after which a source counts as stale.")
    ] = 36.0,
    now: Annotated[
        datetime | None, typer.Option(help="Measure freshness at this moment, UTC; default now.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail also on what is odd without being wrong.")
    ] = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Replay every landing and prove that ledger, masters and facts are what landed.

    Exit code 1 where rows or money are not where they must be; the load is named.
    """
    from martlet.audit.tenant_audit import audit_tenants
    from martlet.engines.targets import engine_of
    from martlet.pipeline.audit_record import record_audits

    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = chosen_tenants(tenants, errors, tenant)
    moment = now.astimezone(UTC) if now and now.tzinfo else now or datetime.now(UTC)
    terminal = Terminal(as_json=as_json)
    with engine_of(settings).open_both(read_only=True, wait_seconds=wait) as warehouse:
        audits = audit_tenants(
            warehouse,
            chosen,
            tenants,
            catalogue,
            now=moment.replace(tzinfo=None),
            stale_after_hours=stale_after,
        )
    findings = [finding for audited in audits for finding in audited.findings()]
    terminal.audited([audited.as_document() for audited in audits], findings)
    slugs = [t.slug for t in chosen]
    alert(settings, tenants, findings, terminal, looked_at=slugs, source="audit")
    broken = {audited.tenant: audited.broken_promises for audited in audits}
    for warning in record_audits(settings, broken, by="audit"):
        terminal.warn(warning)
    if any(broken.values()) or (strict and findings):
        raise typer.Exit(1)
