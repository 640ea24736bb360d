"""Commands that write generated files and the registry's published shapes."""

from typing import Annotated

import typer

from martlet.cli.app import AsJson, Check, DryRun, Force, Wait, app, project
from martlet.config.tenants import load_tenants_leniently
from martlet.errors import BadInputError
from martlet.terminal import Terminal


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

    settings, catalogue = project()
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

    settings, catalogue = project()
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
    from martlet.engines.targets import engine_of
    from martlet.registry.blueprints import initialize_blueprints, stored_blueprints

    settings, catalogue = project()
    engine = engine_of(settings)
    engine.create_warehouse()
    with engine.open_warehouse(wait_seconds=wait) as warehouse:
        added = initialize_blueprints(warehouse, catalogue)
        total = len(stored_blueprints(warehouse))
    Terminal(as_json=as_json).say(
        {"added": added, "total": total}, f"{added} blueprints added, {total} known"
    )
