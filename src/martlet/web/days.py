"""Days and moments in words, and the periods that a page can be about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DASH = "\N{EN DASH}"
MAX_DAYS = 3_700
DEFAULT_PERIOD = "30d"
PERIODS: Mapping[str, str] = {
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "month": "This month",
    "last_month": "Last month",
    "year": "This year",
}
_LENGTHS = {"7d": 7, "30d": 30, "90d": 90}


@dataclass(frozen=True)
class Period:
    """Days from `start` to `end`, both included; `name` is a key of `PERIODS`, or `custom`."""

    name: str
    start: date
    end: date

    @property
    def length(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def before(self) -> "Period":
        """Return the period that this one is compared with: as many days just before.

        A whole month has the whole month before it, unless a number of days was asked for.
        """
        last = self.start - timedelta(days=1)
        is_whole_month = self.start.day == 1 and (self.end + timedelta(days=1)).day == 1
        if is_whole_month and self.length <= 31 and self.name not in _LENGTHS:
            return Period("custom", last.replace(day=1), last)
        return Period("custom", last - timedelta(days=self.length - 1), last)

    @property
    def words(self) -> str:
        return span_words(self.start, self.end)


def period_of(name: str | None, start: str, end: str, newest: date) -> tuple[Period, str | None]:
    """Return the period that was asked for and, where it was refused, why.

    The named ones end with the newest day that there are data of.
    """
    if start or end:
        found, problem = _custom(start, end)
        return (found, None) if found else (_named(DEFAULT_PERIOD, newest), problem)
    if name is None or name in PERIODS:
        return _named(name or DEFAULT_PERIOD, newest), None
    return _named(DEFAULT_PERIOD, newest), "There is no such period; these are the last 30 days."


def _custom(start: str, end: str) -> tuple[Period | None, str]:
    try:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
    except ValueError:
        return None, "Give both the first and the last day, as in 2025-06-30."
    if first > last:
        return None, f"The first day, {day_words(first)}, is after the last, {day_words(last)}."
    if (last - first).days >= MAX_DAYS or first.year < 1900 or last.year > 2200:
        return None, f"A period may have {MAX_DAYS:,} days."
    return Period("custom", first, last), ""


def _named(name: str, newest: date) -> Period:
    if name in _LENGTHS:
        return Period(name, newest - timedelta(days=_LENGTHS[name] - 1), newest)
    if name == "year":
        return Period(name, newest.replace(month=1, day=1), newest)
    first = newest.replace(day=1)
    if name == "month":
        return Period(name, first, newest)
    last = first - timedelta(days=1)
    return Period(name, last.replace(day=1), last)


def day_words(day: date) -> str:
    """Return `30 June 2025`."""
    return f"{day.day} {day:%B} {day.year}"


def short_day(day: date) -> str:
    """Return `30 Jun`."""
    return f"{day.day} {day:%b}"


def span_words(start: date, end: date) -> str:
    """Return `1-30 June 2025`, saying month and year once where they are the same."""
    if start == end:
        return day_words(start)
    if (start.year, start.month) == (end.year, end.month):
        return f"{start.day}{DASH}{day_words(end)}"
    if start.year == end.year:
        return f"{start.day} {start:%B} {DASH} {day_words(end)}"
    return f"{day_words(start)} {DASH} {day_words(end)}"


def moment_words(moment: datetime) -> str:
    """Return `30 June 2025, 14:05 UTC`; a moment without a zone is UTC."""
    return f"{day_words(moment.date())}, {moment:%H:%M} UTC"


def grain_words(day: date, grain: str) -> str:
    """Return what begins with a day: `week from 23 June 2025`, `June 2025`, `Q2 2025`."""
    if grain == "week":
        return f"week from {day_words(day)}"
    if grain == "month":
        return f"{day:%B} {day.year}"
    if grain == "quarter":
        return f"Q{(day.month + 2) // 3} {day.year}"
    return str(day.year) if grain == "year" else day_words(day)


def ago_words(moment: datetime, now: datetime) -> str:
    """Return how long ago, roughly: `3 hours ago`."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return "just now"
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        count = int(seconds // size)
        if count:
            return f"{count:,} {name}{'' if count == 1 else 's'} ago"
    return "just now"


def duration_words(seconds: float | None) -> str:
    """Return `4.2 s` or `3 min 5 s`."""
    if seconds is None:
        return DASH
    if seconds < 0.995:
        return f"{seconds * 1000:,.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest} s"
