"""The command line: arguments in, one call, a table or one JSON document out."""

import os
import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import Tenant, TenantsFile, load_tenants_leniently
from martlet.errors import BadInputError, MartletError
from martlet.settings import Settings, load_settings
from martlet.terminal import Terminal

app = typer.Typer(
    name="martlet",
    help="One governed star schema per tenant, from whatever the loaders landed.\n\n"
    "Try: martlet land tyrell_corp --days 30, then: martlet run.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Wait = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for a database that is held.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")]
Force = Annotated[bool, typer.Option("--force", help="Also overwrite files edited by hand.")]


class Mode(StrEnum):
    """How a landed file relates to what landed before."""

    upsert = "upsert"
    snapshot = "snapshot"
    replace_scope = "replace_scope"


class LoaderName(StrEnum):
    """Whose spelling of an object a file has."""

    native = "native"
    airbyte = "airbyte"


def main() -> None:
    """Run the command line; errors made on purpose are printed and give their exit code."""
    try:
        app()
    except MartletError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


@app.command()
def check(as_json: AsJson = False) -> None:
    """Read tenants.yaml and the catalogue and name every mistake in them."""
    settings, catalogue = _project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    if errors:
        raise BadInputError("\n".join(str(error) for error in errors.values()))
    Terminal(as_json=as_json).configuration(tenants, catalogue)


@app.command()
def land(
    tenant: Annotated[str, typer.Argument(help="Slug of a tenant of tenants.yaml.")],
    days: Annotated[int, typer.Option(min=1, max=3660, help="Days to simulate.")] = 30,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day simulated.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulator; same seed, same data.")] = 0,
    scale: Annotated[float, typer.Option(min=0.001, help="Multiplies the volume.")] = 1.0,
    truth: Annotated[
        Path | None, typer.Option(help="Parquet file for the simulator's own facts.")
    ] = None,
    platform: Annotated[
        list[str] | None, typer.Option(help="Only this platform; may be repeated.")
    ] = None,
    object_: Annotated[
        list[str] | None, typer.Option("--object", help="Only this object; may be repeated.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Land this JSONL, CSV or Parquet file, not the simulator.")
    ] = None,
    connection: Annotated[str, typer.Option(help="With --file: the connection.")] = "main",
    loader: Annotated[
        LoaderName | None, typer.Option(help="With --file: whose spelling it has; else found out.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="With --file: what a missing record means.")] = (
        Mode.upsert
    ),
    extracted_at: Annotated[
        datetime | None, typer.Option(help="With --file: when it was exported, UTC; default now.")
    ] = None,
    scope_account: Annotated[
        list[str] | None, typer.Option(help="With --mode replace_scope: an account fetched whole.")
    ] = None,
    scope_start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day fetched whole.")
    ] = None,
    scope_end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day fetched whole.")
    ] = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Land raw records: simulated ones in each API's own form, or a file that you have.

    Bad rows go to quarantine with their reason; good rows land. Then: martlet run.
    """
    from martlet.landing import command
    from martlet.landing.simulated import DEFAULT_UNTIL

    settings, _ = _project()
    terminal = Terminal(as_json=as_json)
    if file is None:
        with terminal.landing(
            command.planned_landings(
                settings, tenant, platforms=platform or (), objects=object_ or ()
            )
        ) as progress:
            report = command.land_simulated(
                settings,
                tenant,
                days=days,
                until=_day(until) or DEFAULT_UNTIL,
                seed=seed,
                scale=scale,
                truth=truth,
                platforms=platform or (),
                objects=object_ or (),
                wait_seconds=wait,
                progress=progress,
            )
    else:
        report = command.land_file(
            settings,
            tenant,
            _only_one(platform, "--platform"),
            _only_one(object_, "--object"),
            file,
            connection=connection,
            loader=loader.value if loader else None,
            mode=mode.value,
            extracted_at=extracted_at,
            scope_accounts=scope_account or (),
            scope_start=_day(scope_start),
            scope_end=_day(scope_end),
            wait_seconds=wait,
        )
    terminal.landed(report)


@app.command("land-shared")
def land_shared(
    table: Annotated[str, typer.Argument(help="A table of shared_landings in tenants.yaml.")],
    file: Annotated[Path, typer.Option(help="JSONL, CSV or Parquet file.")],
    extracted_at: Annotated[
        datetime | None, typer.Option(help="When it was exported, UTC; default now.")
    ] = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Land a file into a table that holds several tenants' accounts."""
    from martlet.landing import command

    settings, _ = _project()
    report = command.land_shared_file(
        settings, table, file, extracted_at=extracted_at, wait_seconds=wait
    )
    Terminal(as_json=as_json).landed(report)


@app.command()
def run(
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be repeated.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail when a table cannot be routed.")
    ] = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Route what has landed, push it, and build every tenant's facts and dimensions."""
    from martlet.pipeline.run import Run

    settings, catalogue = _project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = _chosen(tenants, errors, tenant)
    terminal = Terminal(as_json=as_json)
    with terminal.running(len(chosen)) as listener:
        work = Run(settings, catalogue, tenants, listener, wait_seconds=wait, strict=strict)
        report = work.run(chosen)
    report.problems += [str(error) for error in errors.values()]
    terminal.ran(report)
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

    settings, catalogue = _project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = _chosen(tenants, errors, None)
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
  martlet land {tenant} --days 3 --until 2026-07-01 && martlet run    # a day later: restatements
  less models/analytics/{tenant}/fct_{tenant}__orders.sql   # one line: what it is made of
  less docs/follow_a_record.md       # one row through every layer
  $EDITOR tenants.yaml               # add a tenant, then: martlet land SLUG && martlet run"""


@app.command()
def onboard(
    tenant: Annotated[str | None, typer.Argument(help="Slug of the tenant; default all.")] = None,
    check_only: Check = False,
    dry_run: DryRun = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write a tenant's sources, staging, intermediate and analytics models."""
    from martlet.scaffold.scaffold import remove_orphans, scaffold_tenant

    settings, catalogue = _project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    if errors and (tenant is None or tenant in errors):
        raise BadInputError("\n".join(str(e) for s, e in errors.items() if tenant in (None, s)))
    chosen = [tenants.tenant(tenant)] if tenant else list(tenants.tenants.values())
    changes = {
        t.slug: scaffold_tenant(
            settings, t, tenants, catalogue, dry_run=dry_run or check_only, force=force
        )
        for t in chosen
    }
    if tenant is None:
        changes |= remove_orphans(
            settings, set(tenants.tenants), dry_run=dry_run or check_only, force=force
        )
    Terminal(as_json=as_json).scaffolded(changes, dry_run=dry_run or check_only)
    if any(c.kept_edited or c.unmarked for c in changes.values()):
        raise typer.Exit(1)
    if check_only and not all(c.none for c in changes.values()):
        raise typer.Exit(1)


@app.command()
def generate(check_only: Check = False, force: Force = False, as_json: AsJson = False) -> None:
    """Publish new contract shapes and write the library's generated files and all tenants'."""
    from martlet.contracts.lock import current_shapes, publish, published_shapes
    from martlet.scaffold.scaffold import remove_orphans, scaffold_library, scaffold_tenant

    settings, catalogue = _project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    if errors:
        raise BadInputError("\n".join(str(error) for error in errors.values()))
    unpublished = [
        f"{name} {shape.object} ({shape.loader} v{shape.version})"
        for name in catalogue.connectors
        for shape in (
            set(current_shapes(name)) - set(published_shapes(name)) if check_only else publish(name)
        )
    ]
    changes = {"library": scaffold_library(settings, catalogue, dry_run=check_only, force=force)}
    for tenant in tenants.tenants.values():
        changes[tenant.slug] = scaffold_tenant(
            settings, tenant, tenants, catalogue, dry_run=check_only, force=force
        )
    changes |= remove_orphans(settings, set(tenants.tenants), dry_run=check_only, force=force)
    Terminal(as_json=as_json).scaffolded(changes, dry_run=check_only, published=unpublished)
    if any(c.kept_edited or c.unmarked for c in changes.values()):
        raise typer.Exit(1)
    if check_only and (unpublished or not all(c.none for c in changes.values())):
        raise typer.Exit(1)


@app.command("init-library")
def init_library(wait: Wait = 30.0, as_json: AsJson = False) -> None:
    """Fill the registry's connector_blueprints with every published shape."""
    from martlet.engines.duckdb_engine import connect, create_warehouse
    from martlet.registry.blueprints import initialize_blueprints, stored_blueprints

    settings, catalogue = _project()
    create_warehouse(settings.warehouse)
    with connect(settings.warehouse, wait_seconds=wait) as warehouse:
        added = initialize_blueprints(warehouse, catalogue)
        total = len(stored_blueprints(warehouse))
    Terminal(as_json=as_json).say(
        {"added": added, "total": total}, f"{added} blueprints added, {total} known"
    )


def _project() -> tuple[Settings, Catalogue]:
    settings = load_settings(os.environ)
    return settings, load_catalogue(settings.catalogue_file)


def _chosen(
    tenants: TenantsFile, errors: dict[str, BadInputError], slugs: list[str] | None
) -> tuple[Tenant, ...]:
    if not slugs:
        if not tenants.active() and errors:
            raise BadInputError("\n".join(str(error) for error in errors.values()))
        return tenants.active()
    for slug in slugs:
        if slug in errors:
            raise errors[slug]
    return tuple(tenants.tenant(slug, require_active=True) for slug in dict.fromkeys(slugs))


def _only_one(values: list[str] | None, option: str) -> str:
    if not values or len(values) != 1:
        raise BadInputError(
            f"--file needs {option} exactly once",
            where="martlet land",
            remedy=f"say what the records are, e.g. {option} "
            + ("shopify" if option == "--platform" else "orders"),
        )
    return values[0]


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
