"""The command that erases a person."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from martlet.cli.app import AsJson, DryRun, Wait, app, project
from martlet.config.tenants import load_tenants_leniently
from martlet.errors import BadInputError
from martlet.terminal import Terminal


@app.command()
def erase(
    tenant: Annotated[str, typer.Argument(help="Slug of the tenant whose data names the person.")],
    subject: Annotated[
        list[str] | None,
        typer.Option(help="An identifier: e-mail, customer id, visitor id; may be repeated."),
    ] = None,
    subject_file: Annotated[
        Path | None,
        typer.Option(help="A text file of identifiers, one a line, so that no shell keeps them."),
    ] = None,
    linked: Annotated[
        bool, typer.Option("--linked", help="Also the other identifiers in the person's records.")
    ] = False,
    dry_run: DryRun = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Erase a person from landing, masters, facts and every published version, for good.

    Files are written anew, so that no byte stays; what brings the person again is dropped.
    """
    from martlet.custody.erase import erase as erase_person

    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    if tenant in errors:
        raise errors[tenant]
    done = erase_person(
        settings,
        catalogue,
        tenants,
        tenant,
        _identifiers(subject, subject_file),
        linked=linked,
        dry_run=dry_run,
        wait_seconds=wait,
    )
    verb = "would go" if done.is_dry_run else "are gone"
    lines = [f"{rows:,} rows of {place} {verb}" for place, rows in done.places.items()]
    lines = lines or ["nothing of this person is here"]
    if done.linked and not linked:
        lines.append(
            f"these records hold {done.linked} other identifiers; --linked erases by them too"
        )
    if not done.is_dry_run:
        lines.append(f"{done.versions_removed} published versions removed")
        lines.append(
            f"published now: {done.published}" if done.published else "nothing is published now"
        )
    terminal = Terminal(as_json=as_json)
    terminal.say({**asdict(done), "rows": done.rows}, "\n".join(lines))
    for finding in done.findings:
        terminal.warn(f"{tenant}: {finding}")
    if done.broken_promises:  # the person is gone; the facts are not there again
        raise typer.Exit(1)


def _identifiers(subjects: list[str] | None, file: Path | None) -> list[str]:
    found = list(subjects or ())
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise BadInputError(
                f"cannot be read: {error}", where=str(file), remedy="name a text file in UTF-8"
            ) from error
        found += [line.strip() for line in lines if line.strip()]
    if not found:
        raise BadInputError(
            "no identifier is given",
            where="martlet erase",
            remedy="give --subject VALUE, or --subject-file FILE",
        )
    return list(dict.fromkeys(found))
