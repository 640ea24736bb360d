"""Which representation a caller gets, by its Accept header (RFC 9110, section 12.5.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from martlet.errors import MartletError

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
TABULAR = (JSON, ARROW, PARQUET, CSV)
_MAX_RANGES = 64


class NotAcceptableError(MartletError):
    """None of what can be given is accepted."""

    def __init__(self, offers: Sequence[str]) -> None:
        super().__init__(f"this can be given as {', '.join(offers)}")
        self.offers = tuple(offers)


@dataclass(frozen=True)
class _Range:
    media: str
    quality: float

    def precedence(self, offer: str) -> int:
        """Return how exactly this range names an offer: 0 is not at all."""
        if self.media == offer:
            return 3
        if self.media == f"{offer.partition('/')[0]}/*":
            return 2
        return 1 if self.media == "*/*" else 0


def preferred(accept: str | None, offers: Sequence[str]) -> str:
    """Return the offer that the caller likes best; of those liked alike, the first.

    Without a header the first is given. Parameters of a media range other than `q` do not count,
    and neither does a range that cannot be read. Raises `NotAcceptableError`.
    """
    if accept is None or not accept.strip():
        return offers[0]
    ranges = [found for text in accept.split(",")[:_MAX_RANGES] if (found := _read(text))]
    qualities = {offer: _quality(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: qualities[offer])
    if qualities[best] <= 0:
        raise NotAcceptableError(offers)
    return best


def _quality(offer: str, ranges: list[_Range]) -> float:
    named = max(ranges, key=lambda found: found.precedence(offer), default=None)
    return named.quality if named and named.precedence(offer) else 0.0


def _read(text: str) -> _Range | None:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    if media.count("/") != 1:
        return None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value.strip())
            except ValueError:
                return None
            return _Range(media, quality) if 0 <= quality <= 1 else None
    return _Range(media, 1.0)
