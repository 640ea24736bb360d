"""The application that all commands hang on, and the options that they share."""

import getpass
import os
from typing import Annotated

import typer

from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import Tenant, TenantsFile
from martlet.errors import BadInputError
from martlet.settings import TARGETS, Settings, load_settings

app = typer.Typer(
    name="martlet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _shared_options(
    target: Annotated[
        str | None,
        typer.Option(metavar="|".join(TARGETS), help="The engine; default MARTLET_TARGET."),
    ] = None,
) -> None:
    """One governed star schema per tenant, from whatever the loaders landed.

    Try: martlet land tyrell_corp --days 30, then: martlet run.
    """
    if target:  # where dbt's plugin reads it too
        os.environ["MARTLET_TARGET"] = target


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
Wait = Annotated[
    float, typer.Option("--wait", min=0, help="Seconds to wait for a database that is held.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change; write nothing.")]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; fail if a file would change.")]
Force = Annotated[bool, typer.Option("--force", help="Also overwrite files edited by hand.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the decision.")]
DecidedBy = Annotated[
    str | None, typer.Option("--by", help="Who decides; default the user of this machine.")
]


def operator(stated: str | None) -> str:
    """Return who decides: as stated, else the user of this machine."""
    if stated and stated.strip():
        return stated.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return f"user {os.getuid()}"


def stated_reason(reason: str) -> str:
    """Return the reason for a decision; raises `BadInputError` where it says nothing."""
    if not reason.strip():
        raise BadInputError("the reason is empty", where="--reason", remedy="say why in a sentence")
    return reason.strip()


def project() -> tuple[Settings, Catalogue]:
    """Return the settings of this working directory and the catalogue."""
    settings = load_settings(os.environ)
    return settings, load_catalogue(settings.catalogue_file)


def chosen_tenants(
    tenants: TenantsFile, errors: dict[str, BadInputError], slugs: list[str] | None
) -> tuple[Tenant, ...]:
    """Return the tenants to work on: the named ones, else all active ones.

    Raises `BadInputError` for a named tenant that is unknown, disabled or misconfigured.
    """
    if not slugs:
        if not tenants.active() and errors:
            raise BadInputError("\n".join(str(error) for error in errors.values()))
        return tenants.active()
    for slug in slugs:
        if slug in errors:
            raise errors[slug]
    return tuple(tenants.tenant(slug, require_active=True) for slug in dict.fromkeys(slugs))
