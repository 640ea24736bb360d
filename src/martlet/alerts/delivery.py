"""Hands a message to Apprise, which knows the services, and keeps the channel's URL out of logs."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from martlet.alerts.channels import Channel
from martlet.config.alerts import AlertChannel

if TYPE_CHECKING:
    from apprise import NotifyBase

SECONDS_PER_MESSAGE = 20.0
TITLE_ROOM = 80


class _Refusals(logging.Handler):
    """Keeps of Apprise's own log no more than why a service refused: it may hold the URL."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason = "the service did not take the message"

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        status = re.search(r"\berror=(\d{3})\b", text)
        if status:
            self.reason = f"the service answered with HTTP status {status[1]}"
        elif "onnection error" in text:
            self.reason = "the service cannot be reached"


@dataclass(frozen=True)
class Service:
    """The service behind a channel's URL, ready to take a message."""

    plugin: "NotifyBase"

    @property
    def name(self) -> str:
        """Return what people call the service, such as Slack."""
        return str(self.plugin.service_name)

    @property
    def max_length(self) -> int:
        """Return the longest body that the service takes; its title may have to stand in it."""
        longest = int(self.plugin.body_maxlen)
        return longest if self.plugin.title_maxlen > 0 else max(longest - TITLE_ROOM, TITLE_ROOM)

    def send(self, title: str, body: str, *, is_urgent: bool) -> str | None:
        """Send a plain text; return why it was not taken, or None when it was."""
        from apprise import Apprise, NotifyFormat, NotifyType

        kind = NotifyType.FAILURE if is_urgent else NotifyType.INFO
        with _captured_log() as refusals:
            sender = Apprise(asset=self.plugin.asset)
            sender.add(self.plugin)
            taken = sender.notify(
                body,
                title=title,
                notify_type=kind,
                body_format=NotifyFormat.TEXT,
                timeout=SECONDS_PER_MESSAGE,
            )
        return None if taken else refusals.reason


def open_service(channel: AlertChannel, environ: Mapping[str, str]) -> Service | str:
    """Return the service that the channel's variable names, or why there is none."""
    from apprise import Apprise, AppriseAsset

    url = environ.get(channel.url_env, "").strip()
    if not url:
        return f"the environment variable {channel.url_env} is not set"
    with _captured_log():
        asset = AppriseAsset(app_id="Martlet", app_desc="Martlet", allow_templates=False)
        plugin = Apprise.instantiate(url, asset=asset)
    if plugin is None:
        return f"{channel.url_env} does not hold a URL that Apprise understands"
    return Service(plugin)


def failure(channel: Channel, reason: str) -> str:
    """Return the warning for a channel that did not get its message."""
    return (
        f"alerts: channel {channel.name}: {reason}; the next run tries again\n"
        f"  remedy: correct {channel.config.url_env}, then: martlet alerts test {channel.name}"
    )


@contextmanager
def _captured_log() -> Iterator[_Refusals]:
    """Keep from every log what is logged meanwhile: the URL's host and path would be in it."""
    loggers = [logging.getLogger(name) for name in ("apprise", "urllib3", "requests")]
    before = [(logger.propagate, logger.level, list(logger.handlers)) for logger in loggers]
    refusals = _Refusals()
    for logger in loggers:
        logger.propagate, logger.handlers = False, [refusals]
        logger.setLevel(logging.WARNING)
    try:
        yield refusals
    finally:
        for logger, (propagate, level, handlers) in zip(loggers, before, strict=True):
            logger.propagate, logger.handlers = propagate, handlers
            logger.setLevel(level)
