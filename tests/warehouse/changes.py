"""Random deliveries of records whose parts of a fact hang together in every way that there is."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.connectors import test_golden_amplitude as amplitude
from tests.connectors import test_golden_google_ads as google
from tests.connectors import test_golden_linkedin_ads as linkedin
from tests.connectors import test_golden_mixpanel as mixpanel
from tests.connectors import test_golden_tiktok_ads as tiktok

Record = dict[str, Any]
DAYS = 40
CONNECTIONS = ("main", "second")
_NIGHT = datetime(2024, 3, 1, 23, 40, tzinfo=UTC)  # sessions begin before midnight, anywhere


@dataclass(frozen=True)
class Delivery:
    """One file that lands; with `scope` it is whole for these days."""

    tenant: str
    platform: str
    object: str
    connection: str
    records: tuple[Record, ...]
    extracted_at: datetime
    mode: str = "upsert"
    scope: tuple[date, date] | None = None


@dataclass(frozen=True)
class _Kind:
    """How the records of an object are made for a day, and how a delivery of it may be whole."""

    tenant: str
    platform: str
    object: str
    make: Callable[[random.Random, int], Record]
    whole: str = "upsert"
    a_day: int = 4


def _day(number: int) -> date:
    return date(2024, 3, 1) + timedelta(days=number)


def _insight(dice: random.Random, day: int) -> Record:
    return {
        "date_start": f"{_day(day)}",
        "date_stop": f"{_day(day)}",
        "account_id": dice.choice("ab"),
        "account_currency": dice.choice(("USD", "USD", "EUR")),
        "campaign_id": "c1",
        "adset_id": "s1",
        "ad_id": dice.choice(("ad1", "ad2")),
        "publisher_platform": dice.choice(("facebook", "instagram", None)),
        "spend": str(dice.randrange(3)),
        "impressions": "100",
    }


def _google_ad(dice: random.Random, day: int) -> Record:
    device = dice.choice(("MOBILE", "DESKTOP"))
    row = google.ad_row("g1", "SEARCH", device, {"costMicros": f"{dice.randrange(3)}000000"})
    row["campaign"] = {"id": dice.choice("123")}
    row["segments"]["date"] = f"{_day(day)}"
    return row


def _google_campaign(dice: random.Random, day: int) -> Record:
    when = f"{_day(day)}" if dice.random() < 0.8 else None
    metrics = {"costMicros": f"{dice.randrange(5)}000000"}
    return google.campaign_row({"id": dice.choice("123")}, day=when, metrics=metrics)


def _google_customer(dice: random.Random, day: int) -> Record:
    row = {**google.customer(), "currencyCode": dice.choice(("USD", "EUR", None))}
    return {"customer": {**row, "optimizationScore": dice.random()}}


def _creative(dice: random.Random, day: int) -> Record:
    when = _day(day)
    row = linkedin.creative(
        dice.randrange(3), dice.randrange(3), 9, costInLocalCurrency=str(dice.randrange(3))
    )
    parts = {"year": when.year, "month": when.month, "day": when.day}
    return {**row, "dateRange": {"start": parts, "end": parts}}


def _linkedin_campaign_day(dice: random.Random, day: int) -> Record:
    row = _creative(dice, day)
    return {**row, "pivotValues": row["pivotValues"][1:]}


def _linkedin_campaign(dice: random.Random, day: int) -> Record:
    budget = {"amount": str(dice.randrange(9)), "currencyCode": dice.choice(("GBP", "USD"))}
    return {"id": dice.randrange(3), "account": linkedin.ACCOUNT, "dailyBudget": budget}


def _tiktok_day(dice: random.Random, day: int) -> Record:
    row = tiktok.ad_day(str(dice.randrange(6)), spend=f"{dice.randrange(3)}.00")
    row["dimensions"]["stat_time_day"] = f"{_day(day)} 00:00:00"
    return row


def _tiktok_ad(dice: random.Random, day: int) -> Record:
    group = str(dice.randrange(2))
    return {"ad_id": str(dice.randrange(6)), "adgroup_id": group, "campaign_id": f"c{group}"}


def _order(dice: random.Random, day: int) -> Record:
    refund = {"transactions": [{"kind": "refund", "status": "success", "amount": "1.00"}]}
    return {
        "id": day * 10 + dice.randrange(4),
        "created_at": f"{_day(day)}T23:30:00Z",
        "currency": "USD",
        "financial_status": dice.choice(("paid", "pending", "voided")),
        "total_price": f"{dice.randrange(3)}.00",
        "refunds": [refund] * dice.randrange(2),
    }


def _moment(dice: random.Random, day: int) -> int:
    return round((_NIGHT + timedelta(days=day, minutes=dice.randrange(60))).timestamp())


def _transaction(dice: random.Random, day: int) -> str:
    """Return one of a week's transactions: seen again in other sessions, and by other visitors."""
    return f"T{day // 7}-{dice.randrange(12)}"


def _ga_event(dice: random.Random, day: int) -> Record:
    second = _moment(dice, day)
    session = day + dice.randrange(2)
    event: Record = {
        "event_date": f"{datetime.fromtimestamp(second, UTC):%Y%m%d}",
        "event_timestamp": second * 1_000_000,
        "event_name": dice.choice(("page_view", "view_item", "purchase")),
        "event_params": [{"key": "ga_session_id", "value": {"int_value": session}}],
        "user_pseudo_id": dice.choice(("ada", "bob", "eve", f"u{day}", None)),
    }
    if dice.random() < 0.3:
        event["collected_traffic_source"] = {"manual_source": dice.choice(("bing", "mail"))}
    if event["event_name"] == "purchase":
        number = _transaction(dice, day) if dice.random() < 0.7 else None
        event["ecommerce"] = {"transaction_id": number, "purchase_revenue": dice.randrange(4)}
    return event


def _mixpanel_event(dice: random.Random, day: int) -> Record:
    device = dice.choice(("ada", f"d{day}", f"d{day + 1}", f"d{day + 2}", ""))
    bought = dice.random() < 0.4
    more: Record = {"$device_id": device, "distinct_id": dice.choice((device, "user", "zed"))}
    if bought:
        more |= {"revenue": dice.randrange(4), "transaction_id": _transaction(dice, day)}
    return mixpanel.event("purchase" if bought else "view_item", _moment(dice, day), **more)


def _amplitude_event(dice: random.Random, day: int) -> Record:
    """Return an event whose uuid may come again with another session or another purchase."""
    more: Record = {}
    if dice.random() < 0.4:
        more = amplitude.paid(dice.randrange(4), transaction_id=_transaction(dice, day))
    person, session = dice.choice((1, 2, 100 + day)), dice.choice((-1, day + 1, day + 2))
    event = amplitude.event(f"e{day}-{dice.randrange(6)}", person, session, "", **more)
    moment = datetime.fromtimestamp(_moment(dice, day), UTC)
    return {**event, "event_time": f"{moment:%Y-%m-%d %H:%M:%S.000000}"}


KINDS = (
    _Kind("ada", "facebook_ads", "facebook_insights", _insight, "replace_scope"),
    _Kind("ada", "google_ads", "ad_performance", _google_ad, "replace_scope", 2),
    _Kind("ada", "google_ads", "campaigns", _google_campaign, "replace_scope", 2),
    _Kind("ada", "google_ads", "customers", _google_customer, a_day=1),
    _Kind("ada", "linkedin_ads", "ad_analytics", _creative, "replace_scope", 2),
    _Kind("ada", "linkedin_ads", "ad_analytics_by_campaign", _linkedin_campaign_day, a_day=2),
    _Kind("ada", "linkedin_ads", "campaigns", _linkedin_campaign, a_day=1),
    _Kind("ada", "tiktok_ads", "ads_reports_daily", _tiktok_day, "replace_scope", 2),
    _Kind("ada", "tiktok_ads", "ads", _tiktok_ad, a_day=1),
    _Kind("ada", "shopify", "orders", _order),
    _Kind("ada", "google_analytics", "events", _ga_event, "replace_scope", 12),
    _Kind("bea", "mixpanel", "events", _mixpanel_event, a_day=12),
    _Kind("cleo", "amplitude", "events", _amplitude_event, a_day=8),
)


def tenants() -> dict[str, Any]:
    """Return the tenants that the deliveries are for."""
    zones = {"ada": "Asia/Tokyo", "bea": "America/New_York", "cleo": "UTC"}
    events = {"events": {"conversion_events": ["purchase"], "funnel_steps": ["view_item"]}}
    stanzas: dict[str, Any] = {}
    for kind in KINDS:
        stanza = stanzas.setdefault(
            kind.tenant,
            {
                "name": kind.tenant,
                "reporting_timezone": zones[kind.tenant],
                "currency": "USD",
                "sources": {},
            },
        )
        source = stanza["sources"].setdefault(
            kind.platform, {"objects": [], "connections": {name: {} for name in CONNECTIONS}}
        )
        source["objects"].append(kind.object)
        if kind.object == "events":
            source["tables"] = events
    return stanzas


def history(dice: random.Random) -> list[Delivery]:
    """Return what every object and connection begins with."""
    return [
        _delivery(dice, kind, connection, range(DAYS), datetime(2024, 5, 1), is_whole=False)
        for kind in KINDS
        for connection in CONNECTIONS
    ]


def changes(dice: random.Random, number: int) -> Iterator[Delivery]:
    """Give some deliveries of a few days each: new, restated, gone again, or taken long ago."""
    for kind in KINDS:
        if dice.random() < 0.1:
            continue
        first = dice.randrange(DAYS + number)
        days = range(first, first + dice.randint(1, 2))
        taken = datetime(2024, 5, 2 + number, dice.randrange(24))
        if dice.random() < 0.2:
            taken = datetime(2024, 4, 1, number)
        is_whole = dice.random() < 0.5
        yield _delivery(dice, kind, dice.choice(CONNECTIONS), days, taken, is_whole=is_whole)


def _delivery(
    dice: random.Random,
    kind: _Kind,
    connection: str,
    days: range,
    taken: datetime,
    *,
    is_whole: bool,
) -> Delivery:
    records = tuple(
        kind.make(dice, day) for day in days for _ in range(dice.randint(1, kind.a_day))
    )
    mode = kind.whole if is_whole else "upsert"
    scope = (_day(days[0]), _day(days[-1])) if mode == "replace_scope" else None
    if kind.object == "events" and scope:
        records = tuple(
            r for r in records if f"{scope[0]:%Y%m%d}" <= r["event_date"] <= f"{scope[1]:%Y%m%d}"
        )
    return Delivery(
        kind.tenant, kind.platform, kind.object, connection, records, taken, mode, scope
    )
