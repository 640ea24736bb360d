"""Commands that check, run and show."""

from datetime import datetime
from typing import Annotated

import typer

from martlet.cli.alerts import alerting_crashes, tell_of_run
from martlet.cli.app import AsJson, Wait, app, chosen_tenants, project
from martlet.config.tenants import load_tenants_leniently
from martlet.errors import BadInputError
from martlet.terminal import Terminal


@app.command()
def check(as_json: AsJson = False) -> None:
    """Read tenants.yaml and the catalogue and name every mistake in them."""
    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    if errors:
        raise BadInputError("\n".join(str(error) for error in errors.values()))
    Terminal(as_json=as_json).configuration(tenants, catalogue)


@app.command()
def run(
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be repeated.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail when a table cannot be routed.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(help="Rebuild views and facts as of this past moment, UTC; push nothing."),
    ] = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Route what has landed, push it, and build every tenant's facts and dimensions."""
    from martlet.pipeline.findings import Finding
    from martlet.pipeline.run import Run

    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = chosen_tenants(tenants, errors, tenant)
    if tenant:
        errors = {}  # of tenants that nobody asked for
    terminal = Terminal(as_json=as_json)
    with (
        terminal.running(len(chosen)) as listener,
        alerting_crashes(settings, tenants, () if as_of else chosen, terminal),
    ):
        work = Run(settings, catalogue, tenants, listener, wait_seconds=wait, strict=strict)
        report = work.run_as_of(chosen, as_of) if as_of else work.run(chosen)
    report.findings += [
        Finding("configuration", slug, "tenants.yaml", str(error)) for slug, error in errors.items()
    ]
    terminal.ran(report)
    if not as_of:  # what a look into the past finds is no news
        tell_of_run(settings, tenants, chosen, report.findings, terminal)
    if work.broken_promises or errors:
        raise typer.Exit(1)


@app.command()
def demo(
    days: Annotated[int, typer.Option(min=1, max=365, help="Days to simulate.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of the simulator.")] = 7,
    wait: Wait = 30.0,
) -> None:
    """Land simulated data for every active tenant, run, and say what to try next."""
    from martlet.landing import command
    from martlet.pipeline.run import Run

    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = chosen_tenants(tenants, errors, None)
    terminal = Terminal(as_json=False)
    for tenant in chosen:
        with terminal.landing(command.planned_landings(settings, tenant.slug)) as progress:
            report = command.land_simulated(
                settings, tenant.slug, days=days, seed=seed, wait_seconds=wait, progress=progress
            )
        rows = sum(table.accepted for table in report.tables)
        terminal.say({}, f"landed {tenant.slug}: {rows:,} raw records of {days} days")
    with terminal.running(len(chosen)) as listener:
        work = Run(settings, catalogue, tenants, listener, wait_seconds=wait)
        run_report = work.run(chosen)
    terminal.ran(run_report)
    terminal.say({}, next_steps(chosen[0].slug))
    if work.broken_promises or errors:
        raise typer.Exit(1)


def next_steps(tenant: str) -> str:
    """Return the five lines that a newcomer can try after the demo."""
    return f"""
Try next, after: source .venv/bin/activate
  martlet run                        # again: nothing is new, so 0 rows are pushed
  martlet land {tenant} --seed 7 --days 3 --until 2026-07-01 && martlet run   # a day later
  less models/analytics/{tenant}/fct_{tenant}__orders.sql   # one line: what it is made of
  less docs/follow_a_record.md       # one row through every layer
  $EDITOR tenants.yaml               # add a tenant, then: martlet land SLUG && martlet run"""
