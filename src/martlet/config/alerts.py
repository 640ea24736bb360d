"""The channels that alerts go to; a channel's URL is a secret, so a file only says where it is."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict, ValidationError

from martlet.config.problems import ConfigModel, Location, Problem, problems_of, refuse
from martlet.config.text import Slug

# The same words as `pipeline.findings.FindingKind`, which configuration may not import.
AlertKind = Literal[
    "drift",
    "quarantine",
    "not_landed",
    "undeclared",
    "scaffold",
    "configuration",
    "failure",
    "audit",
    "stale",
    "anomaly",
    "hold",
]
URL_PREFIX = "MARTLET_ALERT_URL_"


def _check_kinds(kinds: tuple[AlertKind, ...]) -> tuple[AlertKind, ...]:
    if not kinds:
        raise refuse("the list is empty; remove the key to get all kinds")
    if len(set(kinds)) < len(kinds):
        raise refuse("a kind is listed twice")
    return kinds


class AlertChannel(ConfigModel):
    """Where alerts go. No `kinds` means all; `digest: daily` means one message a day at most."""

    channel: Slug
    # The prefix keeps a file from naming another secret of the environment.
    url_env: Annotated[str, Strict(), Field(pattern=rf"^{URL_PREFIX}[A-Z0-9_]+$", max_length=100)]
    kinds: Annotated[tuple[AlertKind, ...], AfterValidator(_check_kinds)] = ()
    digest: Literal["run", "daily"] = "run"

    def wants(self, kind: str) -> bool:
        """Say whether findings of a kind go here."""
        return not self.kinds or kind in self.kinds


def repeated_channels(channels: Sequence[AlertChannel], at: Location) -> list[Problem]:
    """Return a problem for every channel whose name another one above it has."""
    names = [channel.channel for channel in channels]
    return [
        Problem((*at, position, "channel"), "another channel above has this name", name)
        for position, name in enumerate(names)
        if name in names[:position]
    ]


def read_alerts(entries: Any, problems: list[Problem]) -> tuple[AlertChannel, ...]:
    """Return the operators' channels, those of the top level of tenants.yaml."""
    if entries is None:
        return ()
    if not isinstance(entries, list):
        problems.append(Problem(("alerts",), "must be a list of channels", entries))
        return ()
    channels: list[AlertChannel] = []
    for position, entry in enumerate(entries):
        try:
            channels.append(AlertChannel.model_validate(entry))
        except ValidationError as error:
            problems += problems_of(error, AlertChannel, ("alerts", position))
    problems += repeated_channels(channels, ("alerts",))
    return tuple(channels)
