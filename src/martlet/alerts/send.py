"""Sends what a command found to the channels that want it."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from martlet.alerts.channels import Channel, configured_channels
from martlet.alerts.delivery import failure, open_service
from martlet.alerts.memory import ChannelMemory, read_memory, write_memory
from martlet.alerts.message import compose
from martlet.config.tenants import TenantsFile
from martlet.errors import MartletError
from martlet.pipeline.findings import Finding
from martlet.settings import Settings

LOCK_SECONDS = 30.0


def memory_file(settings: Settings) -> Path:
    """Return where it is kept what each channel was told."""
    return settings.home / "alerts.json"


def send_alerts(
    settings: Settings,
    tenants: TenantsFile,
    findings: Iterable[Finding],
    *,
    looked_at: Collection[str],
    source: str = "run",
    environ: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> list[str]:
    """Tell every channel what is new and what is gone; return a warning for each that failed.

    `looked_at` are the tenants that the command looked at whole: what `source` found of them before
    and not now is gone. What a command could not look at is left as it was. `source` keeps apart
    commands that look for different things: a run without an audit's finding resolves nothing.

    Findings are on disk before anything is sent; a channel that fails gets them with the next call.
    Raises nothing for a channel, a lock or a file that fails: alerts must not turn a run red.
    """
    channels = configured_channels(tenants)
    if not channels:
        return []
    found = list(findings)
    moment = now or datetime.now(UTC)
    path = memory_file(settings)
    warnings: list[str] = []
    try:
        with _memory(path) as memories:
            for channel in channels:
                memory = memories.setdefault(channel.name, ChannelMemory())
                memory.forget_unwanted(channel.takes)
                memory.note(channel.of(found), source=source, looked_at=looked_at)
        # One sender at a time: two would tell the same thing twice.
        with FileLock(path.with_suffix(".sending.lock"), timeout=LOCK_SECONDS):
            for channel in channels:
                reason = _tell(path, channel, environ or os.environ, moment)
                if reason:
                    warnings.append(failure(channel, reason))
    except Timeout:
        warnings.append("alerts: another process is sending them; the rest goes with the next run")
    except (MartletError, OSError) as error:
        warnings.append(f"alerts: not sent: {error}")
    return warnings


def forget_tenant(settings: Settings, tenant: str) -> None:
    """Forget what channels were told, or are to be told, of a tenant."""
    path = memory_file(settings)
    if not path.exists():
        return
    with _memory(path) as memories:
        for memory in memories.values():
            memory.forget_unwanted(lambda finding: finding.tenant != tenant)


def _tell(path: Path, channel: Channel, environ: Mapping[str, str], now: datetime) -> str | None:
    """Send a channel what waits for it; return why it failed."""
    memory = read_memory(path)[channel.name]
    if not memory.is_due(now, daily=channel.config.digest == "daily"):
        return None
    service = open_service(channel.config, environ)
    if isinstance(service, str):
        _remember_failure(path, channel, now)
        return service
    message = compose(memory.waiting(), memory.over(), max_length=service.max_length)
    reason = service.send(message.title, message.body, is_urgent=message.is_urgent)
    if reason:
        _remember_failure(path, channel, now)
        return reason
    with _memory(path) as memories:
        kept = memories[channel.name]
        kept.failing_since, kept.last_sent_at = None, now.isoformat(timespec="seconds")
        kept.mark_told(message.keys, told_as_gone=message.told_as_gone)
    return None


def _remember_failure(path: Path, channel: Channel, now: datetime) -> None:
    with _memory(path) as memories:
        kept = memories[channel.name]
        kept.failing_since = kept.failing_since or now.isoformat(timespec="seconds")


@contextmanager
def _memory(path: Path) -> Iterator[dict[str, ChannelMemory]]:
    """Read, let the caller change, and write, with no other process in between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=LOCK_SECONDS):
        memories = read_memory(path)
        yield memories
        write_memory(path, memories)
