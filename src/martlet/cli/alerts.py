"""Commands that show and try the alert channels, and what other commands send through them."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from martlet.cli.app import AsJson, app, project
from martlet.config.tenants import Tenant, TenantsFile, load_tenants_leniently
from martlet.errors import BadInputError, MartletError
from martlet.pipeline.findings import Finding
from martlet.settings import Settings
from martlet.terminal import Terminal

alerts = typer.Typer(
    help="The channels that findings go to.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(alerts, name="alerts")


@alerts.command("list")
def list_channels(as_json: AsJson = False) -> None:
    """List the channels: whose they are, what goes there, and whether they work."""
    from martlet.alerts.report import describe_channels

    settings, catalogue = project()
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    Terminal(as_json=as_json).rows(
        "channels",
        describe_channels(settings, tenants, os.environ),
        none="no channel is configured; add one to `alerts` in tenants.yaml",
    )


@alerts.command("test")
def test_channel(
    channel: Annotated[str, typer.Argument(help="A channel: ops, or of a tenant: my_shop/team.")],
    as_json: AsJson = False,
) -> None:
    """Send a test message to a channel; exit code 1 when the service does not take it."""
    from martlet.alerts.channels import named_channel
    from martlet.alerts.delivery import open_service

    settings, catalogue = project()
    tenants, _ = load_tenants_leniently(settings.tenants_file, catalogue)
    chosen = named_channel(tenants, channel)
    service = open_service(chosen.config, os.environ)
    if isinstance(service, str):
        raise BadInputError(
            service,
            where=f"alert channel {channel}",
            remedy="set it to the channel's URL, see docs/cookbooks/alerts.md",
        )
    body = f"This is a test of the channel {channel}. Nothing happened."
    refused = service.send("Martlet: a test", body, is_urgent=False)
    if refused:
        raise MartletError(
            refused,
            where=f"alert channel {channel}",
            remedy=f"check the URL in {chosen.config.url_env} and that the service is up",
        )
    Terminal(as_json=as_json).say(
        {"channel": channel, "delivered": True}, f"{channel}: the service took the test message"
    )


def alert(
    settings: Settings,
    tenants: TenantsFile,
    findings: Iterable[Finding],
    terminal: Terminal,
    *,
    looked_at: Collection[str],
    source: str = "run",
) -> None:
    """Send what a command found; a channel that fails is a warning."""
    from martlet.alerts.send import send_alerts

    for warning in send_alerts(settings, tenants, findings, looked_at=looked_at, source=source):
        terminal.warn(warning)


def tell_of_run(
    settings: Settings,
    tenants: TenantsFile,
    chosen: tuple[Tenant, ...],
    findings: Sequence[Finding],
    terminal: Terminal,
) -> None:
    """Alert of what a run found.

    A tenant whose run stopped was not looked at whole: what it does not report may still be there.
    """
    stopped = {f.tenant for f in findings if (f.kind, f.subject) == ("failure", f.tenant)}
    looked_at = [tenant.slug for tenant in chosen if tenant.slug not in stopped]
    alert(settings, tenants, findings, terminal, looked_at=looked_at)


@contextmanager
def alerting_crashes(
    settings: Settings, tenants: TenantsFile, chosen: tuple[Tenant, ...], terminal: Terminal
) -> Iterator[None]:
    """Alert of a run that ends with an error before it could report; the error goes on."""
    try:
        yield
    except MartletError as error:
        findings = [
            Finding("failure", tenant.slug, "martlet run", error.what, error.remedy)
            for tenant in chosen
        ]
        alert(settings, tenants, findings, terminal, looked_at=())
        raise
