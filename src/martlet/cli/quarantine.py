"""Commands that show what is held back, and take rows out of quarantine."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Any

import typer
from duckdb import DuckDBPyConnection

from martlet.cli.app import AsJson, DecidedBy, Reason, Wait, app, operator, project, stated_reason
from martlet.config.tenants import load_tenants_leniently
from martlet.errors import BadInputError
from martlet.registry import quarantine as held
from martlet.settings import Settings
from martlet.terminal import Terminal

quarantine = typer.Typer(
    help="Tables and rows that are held back.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(quarantine, name="quarantine")

Rows = Annotated[list[str], typer.Argument(help="Ids of rows, or their beginning.")]
OnlyTenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's.")]


@quarantine.command("list")
def list_held(
    tenant: OnlyTenant = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Also rows that were replayed or discarded.")
    ] = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """List the tables that may not be pushed, and the rows that were refused."""
    from martlet.registry.approvals import decisions

    with _warehouse(wait) as (warehouse, _):
        tables = held.quarantined_tables(warehouse, tenant)
        rows = held.quarantined_rows(warehouse, tenant)
        said = {(d.tenant, d.table): d for d in decisions(warehouse)}
    shown = [row for row in rows if all_ or row.status == "open"]
    listed_tables: list[dict[str, Any]] = []
    for table in tables:
        decision = said.get((table.tenant, table.table))
        listed_tables.append(
            {
                **asdict(table),
                "decision": f"{decision.decision} by {decision.decided_by}: {decision.reason}"
                if decision
                else None,
            }
        )
    terminal = Terminal(as_json=as_json)
    if as_json:
        terminal.say({"tables": listed_tables, "rows": [asdict(row) for row in shown]}, "")
        return
    terminal.rows("tables", listed_tables, none="no table is held back")
    terminal.rows(
        "rows",
        [
            {
                "id": row.id[:12],
                "tenant": row.tenant,
                "table": row.table,
                "load": row.load_id,
                "row": str(row.load_row),
                "error": f"{row.path}: {row.error}" if row.path else row.error,
                "status": row.status,
            }
            for row in shown
        ],
        none="no row is in quarantine",
    )


@quarantine.command()
def show(
    row: Annotated[str, typer.Argument(help="Id of a row, or its beginning.")],
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Show a refused row: why, where it came from, the record as it came, what was decided."""
    with _warehouse(wait) as (warehouse, _):
        found = held.find_row(held.quarantined_rows(warehouse), row)
        document = {**asdict(found), "raw_record": held.raw_record(warehouse, found)}
    stated = {name: value for name, value in document.items() if value is not None}
    sentence = "\n".join(f"{name}: {value}" for name, value in stated.items())
    Terminal(as_json=as_json).say(document, sentence)


@quarantine.command()
def replay(
    rows: Annotated[
        list[str] | None,
        typer.Argument(help="Ids of rows; without any, --tenant says which."),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option("--tenant", help="All open rows of this tenant.")
    ] = None,
    by: DecidedBy = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Land refused rows again, against their contract as it is now; then: martlet run.

    Rows that are refused still stay in quarantine, and the exit code is 1.
    """
    from martlet.landing.replay import Relanded, land_again

    if bool(rows) == (tenant is not None):
        raise BadInputError(
            "say which rows: their ids, or --tenant",
            where="martlet quarantine replay",
            remedy="martlet quarantine list",
        )
    with _warehouse(wait) as (warehouse, settings):
        chosen = _chosen(held.quarantined_rows(warehouse, tenant), rows)
        held.refuse_replayed(chosen)
        records = [_refused_record(warehouse, row) for row in chosen]
    _require_active(settings, chosen)
    by_id = {row.id: row for row in chosen}
    outcomes: list[Relanded] = []
    for landed in land_again(settings, records, wait_seconds=wait):
        again = [held.Replayed(by_id[o.id], o.load_id, o.load_row) for o in landed if o.load_id]
        with _warehouse(wait) as (warehouse, _):
            held.record_replay(warehouse, again, decided_by=operator(by))
        outcomes += landed
    _tell(Terminal(as_json=as_json), outcomes)
    if any(outcome.load_id is None for outcome in outcomes):
        raise typer.Exit(1)


@quarantine.command()
def discard(
    rows: Rows,
    reason: Reason,
    by: DecidedBy = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Give rows up: they are listed no more; the rows themselves and the ledger stay."""
    because = stated_reason(reason)
    with _warehouse(wait) as (warehouse, _):
        chosen = _chosen(held.quarantined_rows(warehouse), rows)
        held.discard(warehouse, chosen, reason=because, decided_by=operator(by))
    Terminal(as_json=as_json).say(
        {"discarded": [row.id for row in chosen]}, f"{len(chosen)} rows discarded"
    )


@contextmanager
def _warehouse(wait: float) -> Iterator[tuple[DuckDBPyConnection, Settings]]:
    from martlet.engines.engine import PLATFORM
    from martlet.engines.targets import engine_of
    from martlet.registry.blueprints import initialize_blueprints

    settings, catalogue = project()
    engine = engine_of(settings)
    with (
        engine.lease(PLATFORM, wait_seconds=wait),
        engine.open_warehouse(wait_seconds=wait) as warehouse,
    ):
        initialize_blueprints(warehouse, catalogue)
        yield warehouse, settings


def _chosen(
    rows: tuple[held.QuarantinedRow, ...], ids: list[str] | None
) -> tuple[held.QuarantinedRow, ...]:
    if ids:
        return tuple({row.id: row for row in (held.find_row(rows, i) for i in ids)}.values())
    return tuple(row for row in rows if row.status == "open")


def _require_active(settings: Settings, rows: Sequence[held.QuarantinedRow]) -> None:
    tenants, errors = load_tenants_leniently(settings.tenants_file, project()[1])
    for slug in dict.fromkeys(row.tenant for row in rows):
        if slug in errors:
            raise errors[slug]
        tenants.tenant(slug, require_active=True)


def _refused_record(warehouse: DuckDBPyConnection, row: held.QuarantinedRow) -> Any:
    from martlet.landing.replay import RefusedRecord

    return RefusedRecord(
        id=row.id,
        tenant=row.tenant,
        platform=row.platform,
        connection=row.connection,
        object=row.object,
        table=row.table,
        load_id=row.load_id,
        raw=held.raw_record(warehouse, row),
    )


def _tell(terminal: Terminal, outcomes: Sequence[Any]) -> None:
    rows = [
        {
            "id": outcome.id,
            "replayed": outcome.load_id is not None,
            "load_id": outcome.load_id,
            "error": f"{outcome.path}: {outcome.error}" if outcome.path else outcome.error,
        }
        for outcome in outcomes
    ]
    terminal.rows("rows", rows, none="no row is open: nothing to replay")
