"""The channels of tenants.yaml, each with the findings that may go there."""

from collections.abc import Iterable
from dataclasses import dataclass

from martlet.config.alerts import AlertChannel
from martlet.config.tenants import TenantsFile
from martlet.errors import BadInputError, nearest
from martlet.pipeline.findings import Finding


@dataclass(frozen=True)
class Channel:
    """One channel. `tenant` is None for the operators', who get the findings of all tenants."""

    config: AlertChannel
    tenant: str | None = None

    @property
    def name(self) -> str:
        """Return what names the channel among all: `ops`, or `tyrell_corp/ops`."""
        return f"{self.tenant}/{self.config.channel}" if self.tenant else self.config.channel

    def takes(self, finding: Finding) -> bool:
        """Say whether a finding goes here; another tenant's never does."""
        return self.tenant in (None, finding.tenant) and self.config.wants(finding.kind)

    def of(self, findings: Iterable[Finding]) -> list[Finding]:
        """Return the findings that go here."""
        return [finding for finding in findings if self.takes(finding)]


def configured_channels(tenants: TenantsFile) -> tuple[Channel, ...]:
    """Return all channels: the operators', then each active tenant's."""
    return (
        *(Channel(config) for config in tenants.alerts),
        *(Channel(config, tenant.slug) for tenant in tenants.active() for config in tenant.alerts),
    )


def named_channel(tenants: TenantsFile, name: str) -> Channel:
    """Return the channel of that name; raises `BadInputError` with the nearest one."""
    channels = {channel.name: channel for channel in configured_channels(tenants)}
    if name not in channels:
        raise BadInputError(
            f"unknown alert channel {name!r}; {nearest(name, channels)}",
            where=str(tenants.path),
            remedy="add it to `alerts` there, see docs/cookbooks/alerts.md",
        )
    return channels[name]
