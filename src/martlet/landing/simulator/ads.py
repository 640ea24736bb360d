"""Ad accounts: what was planned (campaigns, ad groups, ads) and what each day delivered."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from martlet.config.tenant import Generation, Tenant
from martlet.landing.simulator.plans import SEASONAL_SHARE, Plan, build_plan, plan_names
from martlet.landing.simulator.random_streams import stable_number, stream
from martlet.landing.simulator.spans import Flags, Floats, Ints, Scene, day_number, days_between

MATURES_AFTER = 7
# Platforms that date their reports in one zone, whatever the account's own is.
REPORT_ZONES = {"linkedin_ads": "UTC"}
# share of a day's conversions that the platform knows, by the row's age in days
KNOWN_SHARE = np.array([0.55, 0.72, 0.82, 0.89, 0.94, 0.97, 0.99, 1.0])
WEEKDAY_SPEND = (1.0, 1.02, 1.04, 1.03, 1.0, 0.92, 0.94)


@dataclass(frozen=True)
class AdAccount:
    """One ad account and the platforms as which a tenant's connection delivers it."""

    platforms: tuple[str, ...]
    connection: str
    account_id: str
    ordinal: int
    name: str
    zone: str
    currency: str
    generation: Generation
    share: float  # of the connection's campaigns and spend

    @property
    def has_publishers(self) -> bool:
        return bool({"facebook_ads", "instagram_ads"} & set(self.platforms))

    @property
    def origin(self) -> str:
        return self.platforms[0]


@dataclass
class Clicks:
    """How many clicks each channel of the tenant brought on each day (before any restatement)."""

    channels: dict[tuple[str, str], int] = field(default_factory=dict)
    by_day: dict[int, list[tuple[Ints, Ints]]] = field(default_factory=lambda: defaultdict(list))

    def channel(self, origin: str, campaign_name: str) -> int:
        """Return the number of a channel: who showed the ad, and for which campaign."""
        return self.channels.setdefault((origin, campaign_name), len(self.channels))

    def of_day(self, day: int) -> tuple[Ints, Ints]:
        """Return channel numbers and their clicks, in an order that does not depend on the span."""
        parts = self.by_day.get(day)
        if not parts:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def ad_accounts(tenant: Tenant, apis: dict[str, str]) -> list[AdAccount]:
    """Return the tenant's ad accounts; platforms of one API share the accounts of a connection."""
    shared: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in tenant.enabled_sources("paid_ads"):
        for slug in source.connections:
            shared[apis[source.platform], slug].append(source.platform)
    accounts: list[AdAccount] = []
    for (api, slug), platforms in shared.items():
        connections = [tenant.sources[name].connections[slug] for name in platforms]
        listed = list(dict.fromkeys(a for c in connections for a in c.accounts))
        if not listed:
            listed = [derived_account_id(tenant.slug, api, slug)]
        generation = _added([tenant.sources[name].generation for name in platforms])
        for ordinal, account_id in enumerate(listed):
            accounts.append(
                AdAccount(
                    platforms=tuple(platforms),
                    connection=slug,
                    account_id=account_id,
                    ordinal=sum(a.origin == platforms[0] for a in accounts),
                    name=f"{tenant.name} — {slug}" + (f" {ordinal + 1}" if ordinal else ""),
                    zone=REPORT_ZONES.get(platforms[0], connections[0].effective_timezone(tenant)),
                    currency=connections[0].effective_currency(tenant),
                    generation=generation,
                    share=1 / len(listed),
                )
            )
    return accounts


def derived_account_id(tenant: str, api: str, connection: str) -> str:
    """Return an account id for a connection that lists none, as long as the platform's are."""
    digits = {"facebook_ads": 17, "tiktok_ads": 19, "google_ads": 10, "amazon_ads": 16}.get(api, 9)
    low = 10 ** (digits - 1)
    return str(low + stable_number(tenant, api, connection, "account", below=low * 4) * 2 + 1)


def _added(generations: list[Generation]) -> Generation:
    """Return one account's parameters: each platform that it serves brings campaigns and spend."""
    first = generations[0]
    return first.model_copy(
        update={
            "campaigns": sum(g.campaigns for g in generations),
            "daily_spend": sum(g.daily_spend for g in generations),
        }
    )


def simulate_ads(scene: Scene, accounts: list[AdAccount], click_days: tuple[date, date]) -> Clicks:
    """Fill the relations of the ad accounts; return the clicks of all of `click_days`."""
    clicks = Clicks()
    for account in accounts:
        for block in blocks(click_days[0], scene.span.until, click_days[1]):
            plan = build_plan(scene, account, block)
            if plan is not None:
                plan_names(scene, account, plan)
                _simulate_block(scene, account, plan, click_days, clicks)
    return clicks


def blocks(first: date, until: date, last: date) -> list[str]:
    """Return the plans in force: one for always, and one for each quarter not yet archived."""
    opening = min(first, until - timedelta(days=365))
    quarters = range(_quarter(opening), _quarter(max(last, until)) + 1)
    return ["always", *(f"{q // 4}-Q{q % 4 + 1}" for q in quarters)]


def _quarter(day: date) -> int:
    return day.year * 4 + (day.month - 1) // 3


def _simulate_block(
    scene: Scene, account: AdAccount, plan: Plan, click_days: tuple[date, date], clicks: Clicks
) -> None:
    span = scene.span
    channel = np.array(
        [
            clicks.channel(
                publisher or account.origin, plan.campaign_names[plan.unit_campaign[unit]]
            )
            for unit, publisher in enumerate(plan.unit_publishers)
        ],
        np.int64,
    )
    codes, position = np.unique(channel, return_inverse=True)
    delivered: list[dict[str, Ints]] = []
    for day in days_between(*click_days):
        number = day_number(day)
        active = plan.active_on(number)
        if not active.any():
            continue
        random = stream(
            scene.seed + account.generation.seed_offset,
            scene.tenant.slug,
            "ads",
            account.origin,
            account.connection,
            f"{account.account_id}/{plan.block}/{day}",
        )
        rows = _deliver(random, plan, account, active, day)
        total = np.bincount(position[rows["unit"]], rows["clicks"], len(codes)).astype(np.int64)
        clicks.by_day[number].append((codes, total))
        if span.start <= day <= span.until:
            rows["day"] = np.full(len(rows["unit"]), number)
            delivered.append(rows)
    if delivered:
        columns = {name: np.concatenate([d[name] for d in delivered]) for name in delivered[0]}
        _store(scene.connection, account, _as_of(columns, day_number(span.until), account.origin))


def _deliver(
    random: np.random.Generator, plan: Plan, account: AdAccount, active: Flags, day: date
) -> dict[str, Ints]:
    """Draw one day of one plan; every unit takes part, so that a pause shifts no other row."""
    size = len(plan.unit_campaign)
    normal = random.standard_normal((2, size))
    uniform = random.random((6, size))
    target = float(account.generation.daily_spend) * account.share
    target *= SEASONAL_SHARE if plan.is_seasonal else 1.0
    target *= WEEKDAY_SPEND[day.weekday()]
    spend: Floats = target * plan.weight * np.exp(0.30 * normal[0] - 0.045)
    cost_per_click, click_rate, conversion_rate = plan.rates.T
    expected = spend / cost_per_click
    visits = random.poisson(expected * np.exp(0.12 * normal[1]))
    impressions = visits + random.poisson(expected / click_rate)
    conversions = random.binomial(visits, conversion_rate)
    value = np.rint(100 * conversions * plan.order_value * (0.7 + 0.6 * uniform[0]))
    vanishes = np.where(uniform[1] < 0.006, 2 + np.floor(uniform[2] * 5), 10_000)
    returns = np.where(uniform[3] < 0.5, vanishes + 1 + np.floor(4 * uniform[4]), 20_000)
    kept = np.flatnonzero(active & (impressions > 0))
    columns = {
        "unit": np.arange(size),
        "spend": np.rint(100 * spend),
        "impressions": impressions,
        "clicks": visits,
        "conversions": conversions,
        "value": value,
        "phase": np.floor(1e6 * uniform[5]),
        "vanishes": vanishes,
        "returns": returns,
        "identity": plan.unit_id,
    }
    return {name: values[kept].astype(np.int64) for name, values in columns.items()}


def _as_of(rows: dict[str, Ints], until: int, platform: str) -> dict[str, Ints]:
    """Return the rows as the platform tells them on day `until`: money is final late."""
    age = until - rows["day"]
    there = (age < rows["vanishes"]) | (age >= rows["returns"])
    rows = {name: values[there] for name, values in rows.items()}
    age = age[there]
    known = KNOWN_SHARE[np.minimum(age, MATURES_AFTER)]
    phase = rows["phase"] / 1e6
    final = rows["conversions"]
    if platform == "google_ads":  # attribution splits one conversion between several clicks
        micros = np.rint(final * (0.55 + 0.45 * phase) * 1e6)
        rows["conversions"] = np.rint(micros * known).astype(np.int64)
        ratio = np.divide(rows["conversions"], micros, out=np.zeros(len(final)), where=micros > 0)
    else:
        visible = np.floor(final * known + phase * (known < 1)).astype(np.int64)
        visible = np.minimum(visible, final)
        rows["conversions"] = visible * 1_000_000
        ratio = np.divide(visible, final, out=np.zeros(len(final)), where=final > 0)
    rows["value"] = np.rint(rows["value"] * ratio).astype(np.int64)
    # clicks that turn out invalid are credited after the second day
    uncredited = (age < 2) & (rows["phase"] % 100 < 3)
    rows["spend"] = rows["spend"] + uncredited * (rows["spend"] // 50)
    return rows


def _store(
    connection: duckdb.DuckDBPyConnection, account: AdAccount, rows: dict[str, Ints]
) -> None:
    wanted = ("day", "identity", "spend", "impressions", "clicks", "conversions", "value")
    connection.register("delivered", pa.table({name: rows[name] for name in wanted}))
    for platform in account.platforms:
        connection.execute(
            """
            insert into ad_day by name
            select
                unit.platform,
                unit.connection,
                unit.account_id,
                date '1970-01-01' + cast(delivered.day as integer) as report_date,
                unit.campaign_id,
                unit.ad_group_id,
                unit.ad_id,
                unit.grain,
                unit.publisher,
                cast(delivered.spend as decimal(18, 0)) * 0.01 as spend,
                delivered.impressions,
                delivered.clicks,
                cast(delivered.conversions as decimal(18, 0)) * 0.000001 as conversions,
                cast(delivered.value as decimal(18, 0)) * 0.01 as conversion_value
            from delivered
            join ad_unit as unit
                on unit.unit = delivered.identity
                and unit.platform = ?
                and unit.connection = ?
                and unit.account_id = ?
            """,
            [platform, account.connection, account.account_id],
        )
    connection.unregister("delivered")
