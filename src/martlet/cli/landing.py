"""Commands that land raw records."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from martlet.cli.app import AsJson, Wait, app, project
from martlet.errors import BadInputError
from martlet.terminal import Terminal


class Mode(StrEnum):
    """How a landed file relates to what landed before."""

    upsert = "upsert"
    snapshot = "snapshot"
    replace_scope = "replace_scope"


class LoaderName(StrEnum):
    """Whose spelling of an object a file has."""

    native = "native"
    airbyte = "airbyte"


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

    settings, _ = project()
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

    settings, _ = project()
    report = command.land_shared_file(
        settings, table, file, extracted_at=extracted_at, wait_seconds=wait
    )
    Terminal(as_json=as_json).landed(report)


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
