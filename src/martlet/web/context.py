"""What every page of a tenant shows: how fresh its data are, and which currencies they are in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from martlet.marts.errors import NothingPublishedError
from martlet.marts.info import MartInfo
from martlet.semantic.answers import Caution, Freshness
from martlet.semantic.errors import TenantNotFoundError
from martlet.web.days import day_words
from martlet.web.numbers import currency_words
from martlet.web.problems import no_such_page
from martlet.web.visit import Visit
from martlet.web.words import platform_words

# A day's data are in by the next day; who sees older ones should know.
OLD_AFTER = timedelta(hours=48)


@dataclass(frozen=True)
class Notice:
    """Something that the reader of a page must know; `tone` is info, warn or bad."""

    text: str
    tone: str = "info"


@dataclass(frozen=True)
class Strip:
    """How fresh the data are; the line below the head of every page. Moments are UTC."""

    version: str
    published_at: datetime
    as_of: datetime | None
    is_old: bool
    held: tuple[str, ...]


def strip_of(freshness: Freshness, now: datetime | None = None) -> Strip:
    """Return the line for a version's freshness."""
    as_of = freshness.as_of
    moment = (now or datetime.now(UTC)).replace(tzinfo=None)
    held = {source.source_platform for source in freshness.sources if source.is_held}
    return Strip(
        version=freshness.data_version,
        published_at=freshness.published_at,
        as_of=as_of,
        is_old=as_of is not None and moment - as_of > OLD_AFTER,
        held=tuple(platform_words(platform) for platform in sorted(held)),
    )


def find_strip(visit: Visit) -> Strip | None:
    """Return the line of the tenant; None where nothing was ever published.

    Raises `PageError` as for a missing page where an operator asks for a tenant of whom nothing is
    known at all.
    """
    try:
        return strip_of(visit.serving.service.freshness(visit.slug))
    except TenantNotFoundError:
        assert visit.session is not None
        if visit.slug != visit.session.principal.tenant and not _is_known(visit):
            raise no_such_page() from None
        return None


def _is_known(visit: Visit) -> bool:
    try:
        visit.serving.operations.version(visit.slug)
    except NothingPublishedError:
        return bool(visit.serving.keys.list(visit.slug))
    return True


def info_of(visit: Visit) -> MartInfo:
    """Return what the current version says of itself."""
    with visit.serving.marts.open(visit.slug) as mart:
        return mart.info


def notices_of(
    cautions: Iterable[Caution], labels: Mapping[str, str], *, but: Iterable[str] = ()
) -> list[Notice]:
    """Return cautions as notices, in words, each kind's first where it says much the same again.

    Those with a code in `but` are left out, and what is held, which the head of the page says.
    """
    left_out = {*but, "stale_platform"}
    found: dict[str, Notice] = {}
    for caution in cautions:
        if caution.code in left_out:
            continue
        tone = "warn" if caution.code == "claimed_conversions" else "info"
        text = _IN_WORDS.get(caution.code) or _with_days(reworded(caution.message, labels))
        key = caution.code if caution.code in _SAID_ONCE else text
        found.setdefault(key, Notice(text, tone))
    return list(found.values())


_SAID_ONCE = frozenset({"converted", "split_by_currency", "time_zones_differ"})
_DAY = re.compile(r"\b(\d{4}-\d{2}-\d{2})\b")
_IN_WORDS = {
    "claimed_conversions": (
        "Each platform claims conversions for itself, and several may claim the same one: compare"
        " platforms, and do not rely on the sum."
    ),
}


def _with_days(text: str) -> str:
    return _DAY.sub(lambda found: day_words(date.fromisoformat(found[1])), text)


def reworded(text: str, labels: Mapping[str, str]) -> str:
    """Return a sentence with slugs and field names replaced by what people call them."""
    if not labels:
        return text
    names = "|".join(map(re.escape, sorted(labels, key=len, reverse=True)))
    return re.sub(rf"(?<![\w.]){_quoted(names)}(?![\w])", lambda m: labels[m[1]], text)


def _quoted(names: str) -> str:
    return rf"'?({names})'?"


def labels_of(info: MartInfo) -> dict[str, str]:
    """Return what the tenant's platforms and currencies are called, by their codes."""
    profiles = info.profiles.values()
    platforms = {name for profile in profiles for name in profile.platforms}
    currencies = {code for profile in profiles for code in profile.currencies}
    currencies |= {info.currency} if info.currency else set()
    return {name: platform_words(name) for name in platforms} | {
        code: currency_words(code) for code in currencies
    }
