"""Commands that publish, list and take back what a tenant's readers see."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from martlet import naming
from martlet.cli.app import AsJson, Wait, app, chosen_tenants, project
from martlet.config.tenants import TenantsFile, load_tenants_leniently
from martlet.marts.folders import MartVersion, list_versions, mart_folder, published_slugs, rollback
from martlet.pipeline.findings import Finding
from martlet.settings import Settings
from martlet.terminal import Terminal

marts = typer.Typer(
    help="The published versions of each tenant.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(marts, name="marts")


@app.command()
def publish(
    tenant: Annotated[
        list[str] | None, typer.Option(help="Only this tenant; may be repeated.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also a mart that is held as a whole, rolled back or unchanged."
        ),
    ] = False,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Publish each tenant's star schema from the warehouse as it is; run does so by itself."""
    from martlet.pipeline.publish import Publisher

    settings, catalogue = project()
    tenants, errors = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = chosen_tenants(tenants, errors, tenant)
    if tenant:
        errors = {}  # of tenants that nobody asked for
    publisher = Publisher(settings, catalogue, wait, force=force)
    publisher.publish_as_it_is(chosen, tenants)
    publisher.findings += [
        Finding("configuration", slug, "tenants.yaml", str(error)) for slug, error in errors.items()
    ]
    Terminal(as_json=as_json).published(publisher.marts, publisher.findings, publisher.warnings)
    if publisher.failed or errors or any(mart.held for mart in publisher.marts):
        raise typer.Exit(1)


@marts.command("list")
def list_marts(
    tenant: Annotated[str | None, typer.Argument(help="Slug of a tenant; default all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the published versions on disk, the oldest first, and which one is read."""
    settings, catalogue = project()
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    if tenant:
        _require_known(settings, tenants, tenant)
    listed = [
        (slug, version)
        for slug in ([tenant] if tenant else _published_slugs(settings, tenants))
        for version in list_versions(settings, slug)
    ]
    terminal = Terminal(as_json=as_json)
    if as_json:
        terminal.say({"marts": [{"tenant": s, **asdict(v)} for s, v in listed]}, "")
        return
    terminal.rows("marts", [_line(s, v) for s, v in listed], none="nothing is published yet")


@marts.command("rollback")
def roll_back(
    tenant: Annotated[str, typer.Argument(help="Slug of a tenant.")],
    to: Annotated[
        str | None, typer.Option(help="A version that is on disk; default the one before.")
    ] = None,
    wait: Wait = 30.0,
    as_json: AsJson = False,
) -> None:
    """Let readers see an earlier version again, from their next request on."""
    settings, catalogue = project()
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    _require_known(settings, tenants, tenant)
    version = rollback(mart_folder(settings, tenant), to, wait_seconds=wait)
    Terminal(as_json=as_json).say(
        {"tenant": tenant, "version": version},
        f"{tenant}: readers see {version} now; what is left is published again only once it has "
        f"changed, or by: martlet publish --tenant {tenant} --force",
    )


def _require_known(settings: Settings, tenants: TenantsFile, slug: str) -> None:
    """Raise `BadInputError` for a tenant that is neither configured nor published."""
    if not naming.tenant_slug_problem(slug) and mart_folder(settings, slug).versions():
        return
    tenants.tenant(slug)


def _published_slugs(settings: Settings, tenants: TenantsFile) -> list[str]:
    """Return the configured tenants, and those whose marts are still there."""
    return list(dict.fromkeys([*tenants.tenants, *published_slugs(settings)]))


def _line(tenant: str, version: MartVersion) -> dict[str, Any]:
    states = {
        "current": version.is_current,
        "rolled back": version.is_withdrawn,
        "damaged": version.is_damaged,
    }
    return {
        "tenant": tenant,
        "version": version.version,
        "published_at": f"{version.published_at:%Y-%m-%d %H:%M:%S}",
        "state": [state for state, is_so in states.items() if is_so],
        "bytes": version.size,
        "rows": ", ".join(f"{model} {count:,}" for model, count in version.rows.items()),
    }
