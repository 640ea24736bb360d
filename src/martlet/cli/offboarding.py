"""The command that lets a tenant go."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from martlet.cli.app import AsJson, Wait, app, project
from martlet.config.tenants import load_tenants_leniently
from martlet.terminal import Terminal


@app.command()
def offboard(
    tenant: Annotated[str, typer.Argument(help="Slug of a tenant that is disabled or removed.")],
    export: Annotated[
        Path | None, typer.Option(help="First write all of its rows here, as Parquet.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, only say it.")] = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Take everything of a tenant away: landing, masters, facts, versions, keys, memories."""
    from martlet.custody.offboard import offboard as offboard_tenant

    settings, catalogue = project()
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    done = offboard_tenant(
        settings,
        tenants,
        tenant,
        export=export.absolute() if export else None,
        confirmed=yes,
        wait_seconds=wait,
    )
    verb = "are gone" if done.is_done else "would go"
    lines = [f"{rows:,} rows of {name} {verb}" for name, rows in done.rows.items() if rows]
    lines += [f"{folder} {'is gone' if done.is_done else 'would go'}" for folder in done.folders]
    if export:
        lines.append(f"{sum(done.exported.values()):,} rows are exported to {export}")
    if done.is_done:
        lines.append(f"{done.versions} published versions and {done.keys} keys are gone")
        lines += [f"left to you: {what}" for what in done.remains]
    else:
        lines.append("nothing was done; --yes does it")
    Terminal(as_json=as_json).say(asdict(done), "\n".join(lines))
