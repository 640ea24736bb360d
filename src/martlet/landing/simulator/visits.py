"""Visits to a tenant's sites: users, their sessions, and the events that analytics records.

The unit that is drawn is a cohort: the users whose main session falls on one day. Their further
sessions lie up to four days around it, so any day follows from the few cohorts around it.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from martlet.config.tenant import Generation, TableLogic, Tenant
from martlet.landing.simulator.channels import ChannelMix
from martlet.landing.simulator.commerce import (
    EMAIL_SQL,
    NO_SHOP,
    WEEKDAY_ORDERS,
    Orders,
    Shop,
    customer_ids,
    moments_of_day,
    order_ids,
    person_names,
    scaled,
)
from martlet.landing.simulator.random_streams import scrambled, stable_number, stream
from martlet.landing.simulator.spans import (
    DAY,
    Flags,
    Floats,
    Ints,
    Scene,
    cumulative,
    day_number,
    days_between,
    labels,
    midnight,
    numbers,
    pick,
)
from martlet.landing.simulator.vocabulary import FIRST_NAMES, LAST_NAMES, PLACES, UNPAID_CHANNELS

COHORT_REACH = 6
SECOND = 1_000_000
LONGEST_SESSION = 150 * 60 * SECOND
LONGEST_GAP = 29 * 60 * SECOND
SESSIONS_PER_USER = 1.42
SLOTS = np.array([-3, -2, -1, 1, 2, 3, 4])
STEPS = ("view_item", "add_to_cart", "begin_checkout", "purchase")
EVENT_NAMES = ("session_start", "page_view", *STEPS)
DEVICES = ("mobile", "desktop", "tablet")
PAGES = (
    "/",
    "/",
    "/products/featured",
    "/cart",
    "/checkout",
    "/checkout/thank-you",
)
# of visits without purchase: the share that goes no further than each step of the funnel
DEPTHS = cumulative(np.array([0.42, 0.36, 0.15, 0.07]))
PURCHASE_DEPTH = 4


@dataclass(frozen=True)
class Site:
    """One site, and the analytics connections that record what happens on it."""

    place: int
    generation: Generation
    records: list[tuple[str, str, str]] = field(default_factory=list)  # platform, connection, zone

    def own_sales(self, tenant: Tenant) -> Shop:
        """Return the shop behind the site's purchases where no shop source delivers them."""
        return Shop(NO_SHOP, self.records[0][1], tenant.currency, self.generation)


def sites(tenant: Tenant, scale: float) -> list[Site]:
    """Return the tenant's sites: the n-th connections of its analytics platforms see the n-th."""
    found: list[Site] = []
    for source in tenant.enabled_sources("analytics"):
        for place, (slug, setting) in enumerate(source.connections.items()):
            if place == len(found):
                found.append(Site(place, scaled(source.generation, scale)))
            record = (source.platform, slug, setting.effective_timezone(tenant))
            found[place].records.append(record)
    return found


@dataclass(frozen=True)
class Sessions:
    """The sessions of one cohort as columns, and the offsets of their events."""

    columns: dict[str, Ints]
    offsets: Ints  # of each event from the start of its session, in microseconds
    noise: Floats  # one uniform number per event


def simulate_site(scene: Scene, site: Site, shop: Shop, orders: Orders, mix: ChannelMix) -> None:
    """Fill event, session and person of every analytics connection that records the site."""
    span, connection = scene.span, scene.connection
    opens = SECOND * min(span.opens_at(zone) for _, _, zone in site.records)
    closes = SECOND * max(span.closes_at(zone) for _, _, zone in site.records)
    sessions: list[dict[str, Ints]] = []
    events: list[dict[str, Ints]] = []
    counted = 0
    reach = timedelta(days=COHORT_REACH)
    for day in days_between(span.start - reach, span.until + reach):
        cohort = _draw_cohort(scene, site, orders, mix, day)
        start, duration = cohort.columns["start"], cohort.columns["duration"]
        shown = (start < closes) & (start + duration >= opens)
        if shown.any():
            made = _expand(cohort, shown)
            made["session"] += counted
            counted += int(shown.sum())
            sessions.append({name: values[shown] for name, values in cohort.columns.items()})
            events.append(made)
    if not sessions:
        return
    columns = {name: np.concatenate([part[name] for part in sessions]) for name in sessions[0]}
    happened = {name: np.concatenate([part[name] for part in events]) for name in events[0]}
    names = happened.pop("name")
    table = {name: numbers(values) for name, values in happened.items()}
    table |= {"event_name": labels(EVENT_NAMES, names), "page": labels(PAGES, names)}
    connection.register("made_event", pa.table(table))
    connection.register("made_session", _session_table(scene.tenant, site, shop, columns, mix))
    for record in site.records:
        _store(scene, record, shop.currency)
    connection.execute("drop table visitor_session")
    connection.unregister("made_session")
    connection.unregister("made_event")


def _draw_cohort(scene: Scene, site: Site, orders: Orders, mix: ChannelMix, day: date) -> Sessions:
    tenant, seed = scene.tenant, scene.seed + site.generation.seed_offset
    random = stream(seed, tenant.slug, "visits", "_site", str(site.place), day)
    number = day_number(day)
    bought = orders.on_day(number)
    buyers = len(bought["number"])
    expected = site.generation.sessions_per_day * WEEKDAY_ORDERS[day.weekday()]
    users = max(buyers, int(random.poisson(expected / SESSIONS_PER_USER)))
    uniform = random.random((6, users))
    consent = uniform[0] >= float(site.generation.anonymous_share)
    user, kind, slot = _returns(consent, uniform[1:4])
    size = len(user)
    uniform_of_session = random.random((5, size))
    buys = (kind == 0) & (user < buyers)
    depth = np.where(buys, PURCHASE_DEPTH, pick(DEPTHS, uniform_of_session[0]))
    after = (buys & (uniform_of_session[1] < 0.5)).astype(np.int64)
    count = 2 + depth + after + np.minimum(random.geometric(0.35, size) - 1, 20)
    offsets, noise = _offsets(random, count)
    last = np.cumsum(count) - 1
    opens = midnight(day, tenant.reporting_timezone)
    closes = midnight(day + timedelta(days=1), tenant.reporting_timezone)
    anchor = opens * SECOND + moments_of_day(random, users, closes - opens)
    anchor[:buyers] = bought["ordered"] * SECOND + (uniform[4, :buyers] * SECOND).astype(np.int64)
    anchor[:buyers] -= offsets[(last - after)[:buyers]]
    _twin(anchor, buyers, uniform[5])
    start = _starts(anchor, offsets[last], (user, kind, slot), uniform_of_session[2])
    free = pick(cumulative(np.array([c[3] for c in UNPAID_CHANNELS])), uniform_of_session[3])
    channel = np.where(kind == 0, mix.pick(number, uniform_of_session[3]), free)
    channel[:buyers] = bought["channel"]
    nothing = np.full(size, -1)
    columns = {
        "user": number * 10_000_000 + user,
        "consent": consent[user].astype(np.int64),
        "start": start,
        "duration": offsets[last],
        "count": count,
        "depth": depth,
        "after": after,
        "channel": channel,
        "session_number": _ranks(user, start),
        "born": anchor[user] // SECOND,
        "order": nothing.copy(),
        "total": nothing.copy(),
        "person": nothing.copy(),
        "guest": nothing.copy(),
        "cohort": np.full(size, number),
        "first_event": last + 1 - count,
    }
    for name, values in (("order", "number"), ("total", "total"), ("guest", "guest")):
        columns[name][:buyers] = bought[values]
    columns["person"][:buyers] = np.where(bought["no_email"] == 1, -1, bought["person"])
    columns["customer"] = nothing.copy()
    columns["customer"][:buyers] = np.where(bought["guest"] == 1, -1, bought["person"])
    return Sessions(columns, offsets, noise)


def _returns(consent: Flags, uniform: Floats) -> tuple[Ints, Ints, Ints]:
    """Return user, kind (0 main, 1 soon after it, 2 another day) and slot of every session.

    Main sessions come first, in the order of the users. Who gave no consent is never recognised.
    """
    users = len(consent)
    soon = np.flatnonzero(consent & (uniform[0] < 0.08))
    more = np.searchsorted((0.72, 0.90, 0.97), uniform[1], side="right") * consent
    later = np.repeat(np.arange(users), more)
    turn = np.arange(len(later)) - np.searchsorted(later, later)
    slot = SLOTS[(np.floor(7 * uniform[2][later]).astype(np.int64) + 2 * turn) % 7]
    user = np.concatenate([np.arange(users), soon, later])
    kind = np.repeat([0, 1, 2], [users, len(soon), len(later)])
    return user, kind, np.concatenate([np.zeros(users + len(soon), np.int64), slot])


def _offsets(random: np.random.Generator, count: Ints) -> tuple[Ints, Floats]:
    """Return when each event follows the start of its session, never 30 minutes apart."""
    total = int(count.sum())
    first = np.cumsum(count) - count
    noise = random.random((2, total))
    gaps = random.lognormal(3.0, 1.1, total) * SECOND + 2_000
    pauses = noise[0] < 0.02
    gaps[pauses] = (10 + 19 * noise[0][pauses] / 0.02) * 60 * SECOND
    gaps = np.minimum(gaps, LONGEST_GAP)
    gaps[first + 1] = 3_000 + 200_000 * noise[1][first + 1]
    gaps[first] = 0
    offsets = np.cumsum(gaps)
    offsets -= np.repeat(offsets[first], count)
    longest = np.repeat(offsets[np.cumsum(count) - 1], count)
    shrink = np.minimum(1.0, LONGEST_SESSION / np.maximum(longest, 1.0))
    return np.floor(offsets * shrink).astype(np.int64), noise[1]


def _twin(anchor: Ints, buyers: int, uniform: Floats) -> None:
    """Let a few users begin in the very second in which the user before them began."""
    same = np.flatnonzero(uniform < 0.01)
    same = same[same > buyers]
    anchor[same] = anchor[same - 1] // SECOND * SECOND + anchor[same] % SECOND


def _starts(
    anchor: Ints, duration: Ints, sessions: tuple[Ints, Ints, Ints], uniform: Floats
) -> Ints:
    """Return the start of each session, more than 31 minutes after its user's session before."""
    user, kind, slot = sessions
    main = anchor[user]
    soon = main + duration[user] + np.floor((31.2 + 59 * uniform) * 60 * SECOND).astype(np.int64)
    shift = np.floor((10 * uniform - 5) * 3_600 * SECOND).astype(np.int64)
    return np.where(kind == 0, main, np.where(kind == 1, soon, main + slot * DAY * SECOND + shift))


def _ranks(user: Ints, start: Ints) -> Ints:
    order = np.lexsort((start, user))
    in_order = user[order]
    ranks = np.empty(len(user), np.int64)
    ranks[order] = np.arange(len(user)) - np.searchsorted(in_order, in_order) + 1
    return ranks


def _expand(cohort: Sessions, shown: Flags) -> dict[str, Ints]:
    """Return the events of the shown sessions: which session, when, and what."""
    count = cohort.columns["count"]
    of_event = np.repeat(shown, count)
    count = count[shown]
    session = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(session)) - np.repeat(np.cumsum(count) - count, count)
    column = {name: values[shown][session] for name, values in cohort.columns.items()}
    browsing = np.where((column["depth"] > 0) & (cohort.noise[of_event] < 0.4), 2, 1)
    into_funnel = place - (column["count"] - column["after"] - column["depth"])
    inside = (into_funnel >= 0) & (into_funnel < column["depth"])
    name = np.where(inside, 2 + into_funnel, browsing)
    name = np.where(into_funnel >= column["depth"], 1, name)
    name = np.where(place < 2, place, name)
    return {
        "session": session,
        "place": place,
        "occurred": column["start"] + cohort.offsets[of_event],
        "name": name,
        "ordinal": column["first_event"] + place,
    }


def _session_table(
    tenant: Tenant, site: Site, shop: Shop, columns: dict[str, Ints], mix: ChannelMix
) -> pa.Table:
    salt = stable_number(tenant.slug, "visitors", site.place, below=2**62)
    bits = scrambled(columns["user"], salt)
    half = (bits >> np.uint64(33)).astype(np.int64)
    device = pick(cumulative(np.array([0.6, 0.34, 0.06])), half % 1000 / 1000)
    first, last = person_names(tenant.slug, columns["person"])
    no_person = columns["person"] < 0
    places = half // 1000 % len(PLACES)
    return pa.table(
        {
            "session": numbers(np.arange(len(bits))),
            "visitor": numbers(columns["user"]),
            "bits": pa.array(bits),
            "half": numbers(half),
            "born": numbers(columns["born"] - half % (200 * DAY)),
            "consent": pa.array(columns["consent"] == 1),
            "started": numbers(columns["start"]),
            "session_number": numbers(columns["session_number"]),
            "utm_source": labels(mix.sources, columns["channel"]),
            "utm_medium": labels(mix.mediums, columns["channel"]),
            "utm_campaign": labels(mix.campaigns, columns["channel"]),
            "utm_query": labels(mix.queries, columns["channel"]),
            "order_id": numbers(order_ids(shop.platform, columns["order"]), columns["order"] < 0),
            "total_cents": numbers(columns["total"], columns["order"] < 0),
            "user_id": numbers(
                customer_ids(shop.platform, columns["customer"]), columns["customer"] < 0
            ),
            "person": numbers(columns["person"], no_person),
            "first_name": labels(FIRST_NAMES, first, no_person),
            "last_name": labels(LAST_NAMES, last, no_person),
            "device": labels(DEVICES, device),
            "country": labels([country for country, _ in PLACES], places),
            "city": labels([city for _, city in PLACES], places),
            "event_base": numbers((columns["cohort"] * 10 + site.place) * 1_000_000_000),
        }
    )


def _store(scene: Scene, record: tuple[str, str, str], currency: str) -> None:
    """Let one analytics connection record the site's events, in its own zone and precision."""
    platform, slug, zone = record
    scene.connection.execute(_visitor_sql(platform))
    scene.connection.execute(
        _EVENTS_SQL,
        {
            "platform": platform,
            "connection": slug,
            # Mixpanel exports whole seconds
            "unit": SECOND if platform == "mixpanel" else 1,
            "host": f"https://www.{scene.tenant.slug.replace('_', '-')}.example",
            "currency": currency,
            "opens": SECOND * scene.span.opens_at(zone),
            "closes": SECOND * scene.span.closes_at(zone),
        },
    )
    logic = scene.tenant.sources[platform].tables.get("events", TableLogic())
    _store_sessions(scene.connection, platform, slug, logic)
    scene.connection.execute(_PERSONS_SQL, [platform, slug])


def _store_sessions(
    connection: duckdb.DuckDBPyConnection, platform: str, slug: str, logic: TableLogic
) -> None:
    steps = {name: step for step, name in enumerate(logic.funnel_steps, start=1)}
    meanings = pa.table(
        {
            "event_name": pa.array(EVENT_NAMES, pa.string()),
            "step": pa.array([steps.get(name, 0) for name in EVENT_NAMES], pa.int64()),
            "converts": pa.array([name in logic.conversion_events for name in EVENT_NAMES]),
        }
    )
    connection.register("meaning", meanings)
    connection.execute(_SESSIONS_SQL, [platform, slug])
    connection.unregister("meaning")


def _visitor_sql(platform: str) -> str:
    """Return the statement that gives every session its user's id, in the platform's own style."""
    google = "half || '.' || born"
    digest = "cast(cast(md5(cast(bits as varchar)) as uuid) as varchar)"
    identity = google if platform == "google_analytics" else digest
    return f"""
        create or replace temp table visitor_session as
        select *, case when consent then {identity} end as user_pseudo_id
        from made_session
    """


_EVENTS_SQL = """
    insert into event by name
    select
        $platform as platform,
        $connection as connection,
        event_base + ordinal as event_id,
        make_timestamp(occurred // $unit * $unit) as occurred_at,
        event_name,
        user_pseudo_id,
        case when consent then user_id end as user_id,
        case when consent then session_number end as session_number,
        case when consent then make_timestamp(started // $unit * $unit) end as session_started_at,
        user_pseudo_id || '-' || (started // 1000000) as session_id,
        case when consent then started // 1000000 end as ga_session_id,
        utm_source,
        utm_medium,
        utm_campaign,
        $host || page || case when place < 2 then utm_query else '' end as page_location,
        case when event_name = 'purchase' then order_id end as transaction_id,
        case
            when event_name = 'purchase' then cast(total_cents as decimal(18, 0)) * 0.01
        end as revenue,
        case when event_name = 'purchase' then $currency end as currency,
        device as device_category,
        country,
        visitor as person_key
    from made_event
    join visitor_session using (session)
    where occurred >= $opens and occurred < $closes
"""
_SESSIONS_SQL = """
    insert into session by name
    select
        platform,
        connection,
        user_pseudo_id || '-' || ga_session_id as session_key,
        user_pseudo_id,
        ga_session_id,
        min(occurred_at) as session_start_ts,
        max(occurred_at) as session_end_ts,
        any_value(utm_source) as utm_source,
        any_value(utm_medium) as utm_medium,
        any_value(utm_campaign) as utm_campaign,
        count(*) as event_count,
        min(session_number) as session_number,
        coalesce(bool_or(converts), false) as is_conversion_session,
        coalesce(sum(revenue), 0) as revenue,
        max(currency) as currency,
        coalesce(max(step), 0) as funnel_step
    from event
    left join meaning using (event_name)
    where platform = ? and connection = ? and user_pseudo_id is not null
    group by platform, connection, user_pseudo_id, ga_session_id
"""
_PERSONS_SQL = f"""
    insert into person by name
    with visitor as (
        select
            user_pseudo_id,
            min(visitor) as visitor,
            max(person) as person,
            max(first_name) as first_name,
            max(last_name) as last_name,
            min(country) as country,
            min(city) as city
        from visitor_session
        where user_pseudo_id is not null
        group by user_pseudo_id
    ),
    seen as (
        select platform, connection, user_pseudo_id, min(occurred_at) as first_seen_at,
            max(occurred_at) as last_seen_at
        from event
        where platform = ? and connection = ? and user_pseudo_id is not null
        group by platform, connection, user_pseudo_id
    )
    select
        platform,
        connection,
        visitor as person_id,
        user_pseudo_id,
        {EMAIL_SQL} as email,
        first_name,
        last_name,
        country,
        city,
        first_seen_at,
        last_seen_at
    from seen
    join visitor using (user_pseudo_id)
"""
