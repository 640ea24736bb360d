"""What brings visitors: the ads that were clicked that day, and everything that costs nothing."""

from dataclasses import dataclass, field
from urllib.parse import urlencode

import numpy as np

from martlet.landing.simulator.ads import Clicks
from martlet.landing.simulator.spans import Floats, Ints, cumulative, pick
from martlet.landing.simulator.vocabulary import PAID_SOURCES, UNPAID_CHANNELS

MOST_PAID = 0.55  # of all sessions, however many clicks there are
ARRIVING_CLICKS = 0.7  # clicks that become a session: the others bounce before a page is loaded


@dataclass
class ChannelMix:
    """The channels of a tenant by number, with their utm texts, and how often each is drawn."""

    sources: list[str | None]
    mediums: list[str | None]
    campaigns: list[str | None]
    queries: list[str]
    clicks: Clicks
    expected_sessions: float
    _choices: dict[int, tuple[Ints, Floats]] = field(default_factory=dict)

    def pick(self, day: int, uniform: Floats) -> Ints:
        """Return one channel for each uniform number, weighted by the clicks of `day`."""
        if day not in self._choices:
            self._choices[day] = self._weigh(day)
        channels, shares = self._choices[day]
        return channels[pick(shares, uniform)]

    def _weigh(self, day: int) -> tuple[Ints, Floats]:
        free = len(UNPAID_CHANNELS)
        unpaid = np.array([channel[3] for channel in UNPAID_CHANNELS])
        paid, clicks = self.clicks.of_day(day)
        total = clicks.sum()
        if total == 0:
            return np.arange(free), cumulative(unpaid)
        share = MOST_PAID
        if self.expected_sessions > 0:
            share = min(share, ARRIVING_CLICKS * float(total) / self.expected_sessions)
        weights = np.concatenate([unpaid / unpaid.sum() * (1 - share), clicks / total * share])
        return np.concatenate([np.arange(free), paid + free]), cumulative(weights)


def channel_mix(clicks: Clicks, expected_sessions: float) -> ChannelMix:
    """Return the channels of a tenant whose ads brought `clicks`."""
    utm: list[tuple[str | None, str | None, str | None]] = [c[:3] for c in UNPAID_CHANNELS]
    for origin, campaign in clicks.channels:
        source, medium = PAID_SOURCES.get(origin, (origin, "cpc"))
        utm.append((source, medium, campaign))
    return ChannelMix(
        sources=[source for source, _, _ in utm],
        mediums=[medium for _, medium, _ in utm],
        campaigns=[campaign for _, _, campaign in utm],
        queries=[_query(*texts) for texts in utm],
        clicks=clicks,
        expected_sessions=expected_sessions,
    )


def _query(source: str | None, medium: str | None, campaign: str | None) -> str:
    """Return the query of a landing address; search engines and other sites add none."""
    if medium not in {"cpc", "paid_social", "email"}:
        return ""
    texts = {"utm_source": source, "utm_medium": medium, "utm_campaign": campaign}
    return "?" + urlencode({name: text for name, text in texts.items() if text})
