"""Commands for an installation as a whole: backup, restore, migrate."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from martlet.cli.app import AsJson, Wait, app, project
from martlet.config.tenants import load_tenants_leniently
from martlet.terminal import Terminal


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A folder that is empty, or is to be made.")],
    wait: Wait = 600.0,
    as_json: AsJson = False,
) -> None:
    """Copy databases, published versions, keys and configuration; runs wait meanwhile."""
    from martlet.custody.backup import back_up

    settings, _ = project()
    done = back_up(settings, folder.absolute(), wait_seconds=wait)
    Terminal(as_json=as_json).say(
        {"folder": done.folder, **asdict(done.manifest)},
        f"{len(done.manifest.files)} files, {done.manifest.size:,} bytes, in {done.folder}",
    )


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `martlet backup` has finished.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also in the place of what the home holds now.")
    ] = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Verify a backup and put it in place at once; who was erased since stays erased."""
    from martlet.custody.backup import restore as restore_backup

    settings, catalogue = project()
    done = restore_backup(settings, catalogue, folder.absolute(), force=force, wait_seconds=wait)
    lines = [f"restored what was backed up at {done.manifest.created_at}"]
    lines += [
        f"{slug}: {n:,} rows of erased persons were erased" for slug, n in done.erased.items()
    ]
    if done.kept_keys:
        lines.append("the keys are those that were here: none that was revoked is back")
    lines += [f"{name} is not as it was; {done.folder}/project has it" for name in done.differing]
    lines.append("then: martlet run, martlet audit")
    document = {
        "folder": done.folder,
        "created_at": done.manifest.created_at,
        "files": len(done.manifest.files),
        "erased": done.erased,
        "differing": done.differing,
        "kept_keys": done.kept_keys,
    }
    Terminal(as_json=as_json).say(document, "\n".join(lines))


@app.command()
def migrate(wait: Wait = 30.0, as_json: AsJson = False) -> None:
    """Bring an older warehouse to the layout of this program; refuse what it does not know."""
    from martlet.custody.migrate import migrate as migrate_warehouse

    settings, catalogue = project()
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    done = migrate_warehouse(settings, tenants, wait_seconds=wait)
    changed = f"; {len(done.masters)} masters got the columns that they lacked"
    Terminal(as_json=as_json).say(
        asdict(done),
        f"the warehouse has layout {done.after}, and had {done.before}"
        + (changed if done.masters else ""),
    )
