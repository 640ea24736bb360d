"""What an ad account planned: campaigns, ad groups and ads, for always or for one quarter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa

from martlet.landing.simulator.random_streams import stable_number, stream
from martlet.landing.simulator.spans import (
    DAY,
    NEVER,
    Flags,
    Floats,
    Ints,
    Scene,
    Span,
    cumulative,
    day_number,
    labels,
    numbers,
    pick,
)
from martlet.landing.simulator.vocabulary import AD_FORMATS, AUDIENCES, CAMPAIGN_THEMES

if TYPE_CHECKING:
    from martlet.landing.simulator.ads import AdAccount

SEASONAL_SHARE = 0.25
FIRST_DAY = day_number(date(2019, 1, 1))
STATUSES = ("active", "paused", "removed")
CHANNELS = ("search", "social", "display", "video", "performance_max")
RATES: Floats = np.array(
    # cost per click, clicks per impression, conversions per click: one row per channel
    [
        [1.10, 0.060, 0.050],
        [0.75, 0.014, 0.028],
        [0.45, 0.005, 0.012],
        [0.60, 0.009, 0.010],
        [0.80, 0.020, 0.040],
    ]
)
OBJECTIVES = ("sales", "leads", "traffic", "awareness")
# digits of account, campaign, ad group and ad ids, by the platform whose ids they are
ID_DIGITS = {
    "facebook_ads": (18, 18, 18),
    "instagram_ads": (18, 18, 18),
    "google_ads": (11, 12, 12),
    "bing_ads": (9, 16, 14),
    "linkedin_ads": (9, 9, 9),
    "amazon_ads": (15, 15, 15),
    "tiktok_ads": (19, 19, 19),
}
LOOK_OF_CHANNELS = {
    "google_ads": (0.70, 0.0, 0.20, 0.10),
    "bing_ads": (0.90, 0.0, 0.10, 0.0),
    "amazon_ads": (1.0, 0.0, 0.0, 0.0),
    "tiktok_ads": (0.0, 0.2, 0.0, 0.8),
}


@dataclass(frozen=True)
class Rhythm:
    """When entities pause: one week in every `period`, so that any day tells the last change."""

    period: Ints
    phase: Ints

    @classmethod
    def drawn(cls, random: np.random.Generator, size: int, share: float) -> Rhythm:
        uniform = random.random((2, size))
        rests = uniform[0] < share
        period = np.where(rests, 3 + np.floor(12 * uniform[0] / share), 10**9)
        phase = np.where(rests, np.floor(period * uniform[1]), 1)
        return cls(period.astype(np.int64), phase.astype(np.int64))

    def is_paused(self, day: int) -> Flags:
        return np.asarray(((day + 3) // 7 + self.phase) % self.period == 0)

    def last_change(self, day: int) -> Ints:
        """Return the Monday on which each entity last paused or resumed; long ago when it never."""
        week = (day + 3) // 7
        step = (week + self.phase) % self.period
        return np.asarray((week - np.maximum(step - 1, 0)) * 7 - 3)


@dataclass(frozen=True)
class Plan:
    """One block of an account. A unit is what gets a row a day: an ad, by publisher if any."""

    block: str
    start: Ints  # per campaign, day numbers
    end: Ints
    campaign_channel: Ints
    campaign_names: list[str]
    campaign_rhythm: Rhythm
    group_campaign: Ints  # per ad group
    group_paused: Flags
    ad_group: Ints  # per ad
    ad_removed: Ints
    ad_rhythm: Rhythm
    unit_campaign: Ints
    unit_ad: Ints  # -1 where the campaign itself is the unit
    unit_publishers: list[str | None]
    unit_id: Ints
    weight: Floats
    order_value: float

    @property
    def is_seasonal(self) -> bool:
        return self.block != "always"

    @property
    def rates(self) -> Floats:
        return np.asarray(RATES[self.campaign_channel[self.unit_campaign]])

    def active_on(self, day: int) -> Flags:
        """Return for each unit whether it could deliver on a day."""
        campaign = (self.start <= day) & (day <= self.end) & ~self.campaign_rhythm.is_paused(day)
        ad = ~self.group_paused[self.ad_group] & (day < self.ad_removed)
        ad &= ~self.ad_rhythm.is_paused(day)
        ad = np.append(ad, True)  # what -1 finds: a campaign that delivers by itself
        return np.asarray(campaign[self.unit_campaign] & ad[self.unit_ad])


def build_plan(scene: Scene, account: AdAccount, block: str) -> Plan | None:
    """Return the plan of one block, the same for whatever days are asked; None if it is empty."""
    wanted = max(1, round(account.generation.campaigns * scene.scale * account.share))
    seasonal = round(wanted * SEASONAL_SHARE)
    size = wanted - seasonal if block == "always" else seasonal
    if size == 0:
        return None
    random = stream(
        scene.seed + account.generation.seed_offset,
        scene.tenant.slug,
        "plan",
        account.origin,
        account.connection,
        f"{account.account_id}/{block}",
    )
    start, end = _flights(random, block, size)
    channel = _channels(random, account, block, size)
    campaigns_with_ads = np.flatnonzero(channel != CHANNELS.index("performance_max"))
    group_campaign = np.repeat(campaigns_with_ads, account.generation.ad_groups_per_campaign)
    ad_group = np.repeat(np.arange(len(group_campaign)), account.generation.ads_per_ad_group)
    uniform = random.random((2, len(ad_group)))
    ad_start = start[group_campaign[ad_group]]
    removed = np.where(uniform[0] < 0.05, ad_start + 40 + np.floor(700 * uniform[1]), NEVER)
    publishers: list[str | None] = ["facebook", "instagram"] if account.has_publishers else [None]
    unit_ad = np.repeat(np.arange(len(ad_group)), len(publishers))
    alone = np.flatnonzero(channel == CHANNELS.index("performance_max"))
    unit_campaign = np.concatenate([group_campaign[ad_group][unit_ad], alone])
    unit_ad = np.concatenate([unit_ad, np.full(len(alone), -1)])
    weight = random.lognormal(0.0, 0.8, len(unit_ad))
    weight[unit_ad < 0] = weight.sum() / 4
    return Plan(
        block=block,
        start=start,
        end=end,
        campaign_channel=channel,
        campaign_names=_campaign_names(random, block, size, account.ordinal),
        campaign_rhythm=Rhythm.drawn(random, size, 0.25),
        group_campaign=group_campaign,
        group_paused=random.random(len(group_campaign)) < 0.03,
        ad_group=ad_group,
        ad_removed=removed.astype(np.int64),
        ad_rhythm=Rhythm.drawn(random, len(ad_group), 0.40),
        unit_campaign=unit_campaign,
        unit_ad=unit_ad,
        unit_publishers=publishers * len(ad_group) + [None] * len(alone),
        unit_id=_block_ordinal(block) * 10_000_000 + np.arange(len(unit_ad)),
        weight=weight / weight.sum(),
        order_value=float(account.generation.average_order_value),
    )


def _flights(random: np.random.Generator, block: str, size: int) -> tuple[Ints, Ints]:
    uniform = random.random((2, size))
    if block == "always":
        start = FIRST_DAY + np.floor(700 * uniform[0])
        return start.astype(np.int64), np.full(size, NEVER)
    year, quarter = int(block[:4]), int(block[-1])
    first = day_number(date(year, 3 * quarter - 2, 1))
    start = first + np.floor(20 * uniform[0])
    return start.astype(np.int64), (first + 70 + np.floor(19 * uniform[1])).astype(np.int64)


def _channels(random: np.random.Generator, account: AdAccount, block: str, size: int) -> Ints:
    shares = LOOK_OF_CHANNELS.get(account.origin, (0.0, 0.85, 0.05, 0.10))
    channel = pick(cumulative(np.array(shares)), random.random(size))
    if account.origin == "google_ads" and block == "always" and size > 1:
        channel[-1] = CHANNELS.index("performance_max")
    return channel


def _campaign_names(random: np.random.Generator, block: str, size: int, account: int) -> list[str]:
    themes = random.permutation(size * len(CAMPAIGN_THEMES))[:size] % len(CAMPAIGN_THEMES)
    audiences = random.integers(0, len(AUDIENCES), size)
    season = "" if block == "always" else f" {block}"
    number = 100 * account + 1
    return [
        f"{CAMPAIGN_THEMES[theme]} — {AUDIENCES[audience]}{season} #{number + place}"
        for place, (theme, audience) in enumerate(zip(themes, audiences, strict=True))
    ]


def _block_ordinal(block: str) -> int:
    return 0 if block == "always" else (int(block[:4]) - 2015) * 4 + int(block[-1])


def _ids(tenant: str, account: AdAccount, kind: int, block: str, size: int) -> Ints:
    """Return ids of realistic length, unique in the tenant's platform, odd so that doubles lie."""
    digits = ID_DIGITS.get(account.origin, (12, 12, 12))[kind]
    low = 10 ** (digits - 1)
    origin = stable_number(tenant, account.origin, kind, below=low // 128) * 64 + low
    unit = 10 ** (digits - 9)
    first = origin + (_block_ordinal(block) % 100) * 7_000_000 // 64 * 64 * unit
    place = np.arange(size, dtype=np.int64)
    return np.asarray(first + place * 64 * unit + 2 * (account.ordinal % 32) + 1)


def plan_names(scene: Scene, account: AdAccount, plan: Plan) -> None:
    """Fill campaign, ad_group, ad and ad_unit with what the account lists at the span's end."""
    tenant, span = scene.tenant.slug, scene.span
    campaign_ids = _ids(tenant, account, 0, plan.block, len(plan.start))
    group_ids = _ids(tenant, account, 1, plan.block, len(plan.group_campaign))
    ad_ids = _ids(tenant, account, 2, plan.block, len(plan.ad_group))
    seconds = span.closes_at(account.zone)
    listed = plan.start <= day_number(span.until)
    budget = _budgets(account, plan)
    tables = {
        "campaign": _campaign_table(plan, campaign_ids, budget, span, seconds),
        "ad_group": _group_table(plan, group_ids, campaign_ids, budget),
        "ad": _ad_table(plan, ad_ids, group_ids, campaign_ids, span),
    }
    shown = {
        "campaign": listed,
        "ad_group": listed[plan.group_campaign],
        "ad": listed[plan.group_campaign[plan.ad_group]],
        "ad_unit": listed[plan.unit_campaign],
    }
    tables["ad_unit"] = _unit_table(plan, campaign_ids, group_ids, ad_ids)
    for relation, table in tables.items():
        _insert(scene.connection, relation, account, table.filter(pa.array(shown[relation])))


def _budgets(account: AdAccount, plan: Plan) -> Ints:
    target = float(account.generation.daily_spend) * account.share
    target *= SEASONAL_SHARE if plan.is_seasonal else 1.0
    by_campaign = np.bincount(plan.unit_campaign, plan.weight, len(plan.start))
    return (500 * np.maximum(1, np.ceil(by_campaign * target * 1.3 / 5))).astype(np.int64)


def _campaign_table(plan: Plan, ids: Ints, budget: Ints, span: Span, closes: int) -> pa.Table:
    today = day_number(span.until)
    created = (plan.start - 1) * DAY - (ids % 86_400)
    changed = plan.campaign_rhythm.last_change(today) * DAY + 3 * 3600
    paused = plan.campaign_rhythm.is_paused(today)
    status = np.where(paused, 1, 0)
    for days_later, code in ((1, 1), (15, 2)):
        over = plan.end + days_later <= today
        status = np.where(over, code, status)
        changed = np.where(over, (plan.end + days_later) * DAY + 900, changed)
    traffic = np.isin(plan.campaign_channel, (2, 3))
    objective = np.where(traffic, 2 + ids // 64 % 2, np.where(ids // 64 % 5 == 4, 1, 0))
    return pa.table(
        {
            "campaign_id": numbers(ids),
            "campaign_name": pa.array(plan.campaign_names, pa.string()),
            "status": labels(STATUSES, status),
            "objective": labels(OBJECTIVES, objective),
            "channel": labels(CHANNELS, plan.campaign_channel),
            "start_day": numbers(plan.start),
            "end_day": numbers(np.minimum(plan.end, 10**6), plan.end == NEVER),
            "budget_cents": numbers(budget),
            "created": numbers(created),
            "updated": numbers(np.minimum(np.maximum(created, changed), closes - 1)),
        }
    )


def _group_table(plan: Plan, ids: Ints, campaign_ids: Ints, budget: Ints) -> pa.Table:
    groups = max(1, len(ids) // max(1, len(np.unique(plan.group_campaign))))
    created = (plan.start[plan.group_campaign] - 1) * DAY + 3600 + ids // 64 % 3600
    names = [f"{AUDIENCES[place % len(AUDIENCES)]} {place + 1}" for place in range(len(ids))]
    return pa.table(
        {
            "campaign_id": numbers(campaign_ids[plan.group_campaign]),
            "ad_group_id": numbers(ids),
            "ad_group_name": pa.array(names, pa.string()),
            "status": labels(STATUSES, plan.group_paused.astype(np.int64)),
            "budget_cents": numbers(budget[plan.group_campaign] // groups // 100 * 100),
            "created": numbers(created),
            "updated": numbers(created + plan.group_paused * 5 * DAY),
        }
    )


def _ad_table(plan: Plan, ids: Ints, group_ids: Ints, campaign_ids: Ints, span: Span) -> pa.Table:
    today = day_number(span.until)
    created = (plan.start[plan.group_campaign[plan.ad_group]] - 1) * DAY + 7200 + ids // 64 % 3600
    removed = plan.ad_removed <= today
    paused = plan.ad_rhythm.is_paused(today)
    changed = plan.ad_rhythm.last_change(today) * DAY + 4 * 3600
    changed = np.where(removed, np.minimum(plan.ad_removed, today) * DAY + 600, changed)
    names = [f"{AD_FORMATS[place % len(AD_FORMATS)]} v{place + 1}" for place in range(len(ids))]
    return pa.table(
        {
            "campaign_id": numbers(campaign_ids[plan.group_campaign[plan.ad_group]]),
            "ad_group_id": numbers(group_ids[plan.ad_group]),
            "ad_id": numbers(ids),
            "ad_name": pa.array(names, pa.string()),
            "status": labels(STATUSES, np.where(removed, 2, np.where(paused, 1, 0))),
            "created": numbers(created),
            "updated": numbers(np.maximum(created, changed)),
        }
    )


def _unit_table(plan: Plan, campaign_ids: Ints, group_ids: Ints, ad_ids: Ints) -> pa.Table:
    by_itself = plan.unit_ad < 0
    group = plan.ad_group[plan.unit_ad] if len(plan.ad_group) else np.zeros(0, np.int64)
    safe_groups = group_ids[group] if len(group_ids) else np.zeros(len(plan.unit_ad), np.int64)
    safe_ads = ad_ids[plan.unit_ad] if len(ad_ids) else np.zeros(len(plan.unit_ad), np.int64)
    return pa.table(
        {
            "unit": numbers(plan.unit_id),
            "campaign_id": numbers(campaign_ids[plan.unit_campaign]),
            "ad_group_id": numbers(safe_groups, by_itself),
            "ad_id": numbers(safe_ads, by_itself),
            "grain": labels(("ad", "campaign"), by_itself.astype(np.int64)),
            "publisher": pa.array(plan.unit_publishers, pa.string()),
        }
    )


def _insert(
    connection: duckdb.DuckDBPyConnection, relation: str, account: AdAccount, table: pa.Table
) -> None:
    derived = {
        "start_day": "date '1970-01-01' + cast(start_day as integer) as start_date",
        "end_day": "date '1970-01-01' + cast(end_day as integer) as end_date",
        "budget_cents": "cast(budget_cents as decimal(18, 0)) * 0.01 as daily_budget",
        "created": "make_timestamp(created * 1000000) as created_at",
        "updated": "make_timestamp(updated * 1000000) as updated_at",
    }
    columns = ", ".join(derived.get(name, name) for name in table.column_names)
    connection.register("planned", table)
    for platform in account.platforms:
        connection.execute(
            f"insert into {relation} by name select ? as platform, ? as connection, "
            f"? as account_id, {columns} from planned",
            [platform, account.connection, account.account_id],
        )
    connection.unregister("planned")
