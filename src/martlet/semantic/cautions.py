"""What the reader of an answer must know; each caution has a code that stays."""

from collections.abc import Iterable, Sequence
from datetime import date

from martlet.marts.info import MartInfo, Profile, SourceState
from martlet.semantic.answers import Caution
from martlet.semantic.money import Money, fixed_value
from martlet.semantic.requests import Condition
from martlet.semantic.vocabulary import MeasureTerm, ModelTerms

PLATFORM = "source_platform"
ADS = "ad_performance"
BLENDED = "blended"


def cautions_of(
    info: MartInfo,
    terms: ModelTerms,
    measures: Sequence[MeasureTerm],
    dimensions: Sequence[str],
    conditions: Sequence[Condition],
    money: Money,
) -> tuple[Caution, ...]:
    """Return what a question's answer will have to say, whatever its rows are."""
    profile = info.profiles.get(terms.name)
    if profile is None:
        return ()
    found: list[Caution] = []
    if money.is_split:
        found.append(_split(profile))
    only_platform = fixed_value(conditions, PLATFORM)
    if PLATFORM not in dimensions and only_platform is None:
        found += _claimed(info, terms, measures)
    if money.is_fixed and terms.name == BLENDED:
        found.append(
            Caution(
                "only_one_currency",
                "Only rows of one currency count: sessions and orders without an amount may have "
                "none, and are left out. With convert_to they are counted.",
            )
        )
    if terms.name == BLENDED and len(profile.time_zones) > 1:
        zones = ", ".join(profile.time_zones)
        found.append(
            Caution(
                "time_zones_differ",
                f"Days begin at different moments: what is put side by side is dated in {zones}.",
            )
        )
    platforms = [only_platform] if only_platform else profile.platforms
    found += _stale(state for state in info.freshness if state.source_platform in platforms)
    return tuple(found)


def converted(currency: str, source: str, first: date, last: date) -> Caution:
    """Return the caution of an answer in which amounts were converted."""
    quoted = f"quoted on {first}" if first == last else f"quoted from {first} to {last}"
    return Caution(
        "converted",
        f"Amounts were converted to {currency} at the rate of their day, or of the business day "
        f"before, {quoted}. Source: {source}.",
    )


def totals_without_money(fields: Iterable[str]) -> Caution:
    """Return the caution of totals that would add up several currencies."""
    return Caution(
        "totals_need_conversion",
        f"There is no total of {', '.join(fields)}: rows have different currencies. Name one in "
        "convert_to.",
    )


def _split(profile: Profile) -> Caution:
    known = ", ".join(profile.currencies)
    unknown = " and amounts of unknown currency" if profile.has_unknown_currency else ""
    return Caution(
        "split_by_currency",
        f"There is money in {known}{unknown}, which is never added up: rows are divided by "
        "currency. Name one in convert_to to have it in one.",
    )


def _claimed(
    info: MartInfo, terms: ModelTerms, measures: Sequence[MeasureTerm]
) -> Iterable[Caution]:
    advertising = info.profiles.get(ADS) if terms.name == BLENDED else info.profiles[terms.name]
    claimed = [measure.name for measure in measures if measure.is_claimed]
    if claimed and advertising and len(advertising.platforms) > 1:
        platforms = ", ".join(advertising.platforms)
        yield Caution(
            "claimed_conversions",
            f"{', '.join(claimed)}: each of {platforms} claims conversions for itself, and several "
            f"may claim the same one. Ask by {PLATFORM} to compare them.",
        )


def _stale(states: Iterable[SourceState]) -> Iterable[Caution]:
    held: dict[str, list[SourceState]] = {}
    for state in states:
        if state.is_held:
            held.setdefault(state.source_platform, []).append(state)
    for platform, those in sorted(held.items()):
        reasons = sorted({state.held_because for state in those if state.held_because})
        moments = [state.extracted_at for state in those if state.extracted_at]
        since = f" of {min(moments):%Y-%m-%d %H:%M} UTC" if moments else ""
        why = f": {'; '.join(reasons)}" if reasons else ""
        yield Caution(
            "stale_platform",
            f"Rows of {platform} are the last good ones{since}; newer ones are held{why}.",
        )
