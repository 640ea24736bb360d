"""What there is to know about the channels, without their secrets."""

from collections.abc import Mapping
from typing import Any

from martlet.alerts.channels import configured_channels
from martlet.alerts.delivery import open_service
from martlet.alerts.memory import ChannelMemory, read_memory
from martlet.alerts.send import memory_file
from martlet.config.tenants import TenantsFile
from martlet.settings import Settings


def describe_channels(
    settings: Settings, tenants: TenantsFile, environ: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return every channel: what goes there, its service, and what waits since when."""
    memories = read_memory(memory_file(settings))
    rows = []
    for channel in configured_channels(tenants):
        service = open_service(channel.config, environ)
        memory = memories.get(channel.name, ChannelMemory())
        rows.append(
            {
                "channel": channel.name,
                "tenants": channel.tenant or "all",
                "kinds": list(channel.config.kinds) or "all",
                "digest": channel.config.digest,
                "url_env": channel.config.url_env,
                "service": service if isinstance(service, str) else service.name,
                "usable": not isinstance(service, str),
                "waiting": len(memory.waiting()),
                "last_sent_at": memory.last_sent_at,
                "failing_since": memory.failing_since,
            }
        )
    return rows
