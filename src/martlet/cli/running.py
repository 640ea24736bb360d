"""Commands that check and run."""

from datetime import datetime
from typing import Annotated

import typer

from martlet.cli.alerts import alerting_crashes, tell_of_run
from martlet.cli.app import AsJson, Wait, app, chosen_tenants, project
from martlet.config.shards import read_shard
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
    everyone: Annotated[
        bool, typer.Option("--all", help="All active tenants, which is also the default.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Only the tenants of the I-th of N shards of them all."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail when a table cannot be routed.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Run also the tenants of which nothing has changed.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(help="Rebuild views and facts as of this past moment, UTC; push nothing."),
    ] = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Route what has landed, push it, and build the facts of each tenant that has news."""
    from martlet.custody.erase import erased_again
    from martlet.pipeline.findings import Finding
    from martlet.pipeline.run import Run

    if tenant and (everyone or shard is not None):
        raise BadInputError(
            "names tenants beside " + ("--all" if everyone else "--shard"),
            where="--tenant",
            remedy="leave out one of the two",
        )
    part = None if shard is None else read_shard(shard)
    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = chosen_tenants(tenants, errors, tenant)
    if tenant:
        errors = {}  # of tenants that nobody asked for
    if part:
        chosen = tuple(one for one in chosen if part.has(one.slug))
        errors = {slug: error for slug, error in errors.items() if part.has(slug)}
    terminal = Terminal(as_json=as_json)
    with (
        terminal.running(len(chosen)) as listener,
        alerting_crashes(settings, tenants, () if as_of else chosen, terminal),
    ):
        if not as_of:
            for sentence in erased_again(settings, catalogue, tenants, chosen, wait_seconds=wait):
                terminal.warn(sentence)
        work = Run(settings, catalogue, tenants, listener, wait, strict=strict, full=full)
        report = work.run_as_of(chosen, as_of) if as_of else work.run(chosen)
    report.findings += [
        Finding("configuration", slug, "tenants.yaml", str(error)) for slug, error in errors.items()
    ]
    report.shard = str(part) if part else None
    terminal.ran(report)
    if not as_of:  # what a look into the past finds is no news
        tell_of_run(settings, tenants, chosen, report.findings, terminal)
    if work.broken_promises or errors:
        raise typer.Exit(1)
