"""Money and rows from the newest landed records to the facts, without master, view or engine.

`amounts.py` says where the real APIs put an amount; everything else follows from what landed. Spend
is compared by day, orders one by one, sessions by their number and their events.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.audit.amounts import VISITS
from martlet.config.tenants import Tenant
from martlet.engines.duckdb_engine import columns_of, quoted_name
from martlet.pipeline.audit import BrokenLoad

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Total:
    """One sum of a fact beside what the newest landed records give; `unit` is its currency."""

    fact: str
    platform: str
    connection: str
    measure: str
    unit: str
    landed: Decimal
    in_fact: Decimal


def uncompared(tenant: Tenant) -> dict[str, str]:
    """Return the platforms whose facts cannot be compared with what landed, and why."""
    found = {}
    for source in tenant.enabled_sources():
        filtered = [name for name, logic in source.tables.items() if logic.filters]
        if filtered:
            found[source.platform] = f"tenants.yaml filters {', '.join(filtered)}"
    return found


def compare_money(
    warehouse: DuckDBPyConnection, tenant: Tenant, skipped: Collection[str]
) -> tuple[list[Total], list[BrokenLoad]]:
    """Compare what was collected with the tenant's facts, but for the skipped platforms."""
    platforms: dict[str, list[str]] = defaultdict(list)
    for source in tenant.enabled_sources():
        if source.platform not in skipped:
            platforms[source.domain].append(source.platform)
    analytics = [p for p in platforms["analytics"] if p == tenant.analytics_source]
    totals: list[Total] = []
    broken: list[BrokenLoad] = []
    for compare, fact, chosen in (
        (_compare_spend, "ad_performance", platforms["paid_ads"]),
        (_compare_orders, "orders", platforms["ecommerce"]),
        (_compare_sessions, "sessions", analytics),
    ):
        model = naming.fact_model(tenant.slug, fact)
        if chosen and _exists(warehouse, model):
            found, wrong = compare(warehouse, tenant.slug, model, chosen)
            totals += found
            broken += wrong
    return totals, broken


def _compare_spend(
    warehouse: DuckDBPyConnection, tenant: str, model: str, platforms: list[str]
) -> tuple[list[Total], list[BrokenLoad]]:
    """Compare by platform, connection, currency and day, at the grain that counts."""
    landed: dict[_Key, Decimal] = {}
    last_load: dict[_Key, str] = {}
    for *key, amount, divisor, load_id in warehouse.execute(
        """
        with ranked as (
            select
                *,
                min(rank) over (partition by platform, connection, entity, day) as finest,
                max(rank) over (partition by platform, connection, day) as coarsest
            from audit_spend
        ),
        currencies as (
            select platform, connection, reference, max(currency) as currency
            from audit_currencies group by all
        )
        select
            r.platform, r.connection, coalesce(r.currency, c.currency, d.currency) as currency,
            r.day, sum(r.amount), r.divisor, max(r.load_id)
        from ranked as r
        left join currencies as c using (platform, connection, reference)
        left join audit_defaults as d using (platform, connection)
        where
            list_contains(?, r.platform)
            and case when r.entity is null then r.rank = r.coarsest else r.rank = r.finest end
        group by all
        """,
        [platforms],
    ).fetchall():
        landed[tuple(key)] = Decimal(amount or 0) / divisor
        last_load[tuple(key)] = load_id
    stored = {
        tuple(key): spend or Decimal(0)
        for *key, spend in warehouse.execute(
            "select source_platform, connection, currency, report_date, sum(spend) "
            f"from analytics.{quoted_name(model)} where list_contains(?, source_platform) "
            "group by all",
            [platforms],
        ).fetchall()
    }
    totals, broken = [], []
    for place in sorted({key[:3] for key in (*landed, *stored)}, key=str):
        days = sorted({k for k in (*landed, *stored) if k[:3] == place}, key=str)
        wrong = [k for k in days if landed.get(k, 0) != stored.get(k, 0)]
        total = Total(
            model, place[0], place[1], "spend", place[2] or "unknown",
            sum((landed.get(k, Decimal(0)) for k in days), Decimal(0)),
            sum((stored.get(k, Decimal(0)) for k in days), Decimal(0)),
        )  # fmt: skip
        totals.append(total)
        if wrong:
            days_told = ", ".join(str(k[3]) for k in wrong[:3])
            more = f" and {len(wrong) - 3} more days" if len(wrong) > 3 else ""
            load = max((last_load[k] for k in wrong if last_load.get(k)), default="(none)")
            where = f"{_place(total)} differs on {days_told}{more}"
            broken.append(BrokenLoad(tenant, model, load, f"{where}: {_difference(total)}"))
    return totals, broken


def _compare_orders(
    warehouse: DuckDBPyConnection, tenant: str, model: str, platforms: list[str]
) -> tuple[list[Total], list[BrokenLoad]]:
    """Compare order by order; an order that the fact repeats is compared as their sum."""
    rows = warehouse.execute(
        f"""
        with landed as (
            select
                o.platform, o.connection, o.order_id, count(*) as copies, sum(o.amount) as amount,
                max(coalesce(o.currency, d.currency)) as currency, max(load_id) as load_id
            from audit_orders as o
            left join audit_defaults as d using (platform, connection)
            where list_contains($platforms, o.platform)
            group by all
        ),
        stored as (
            select
                source_platform as platform, connection, order_id, count(*) as copies,
                sum(total_price) as amount, max(currency) as currency
            from analytics.{quoted_name(model)}
            where list_contains($platforms, source_platform)
            group by all
        )
        select
            platform, connection, coalesce(l.currency, s.currency, 'unknown') as currency,
            coalesce(sum(l.copies), 0), coalesce(sum(s.copies), 0),
            coalesce(sum(l.amount), 0), coalesce(sum(s.amount), 0),
            count(*) filter (is_wrong), min(order_id) filter (is_wrong),
            max(l.load_id) filter (is_wrong)
        from landed as l
        full join stored as s using (platform, connection, order_id),
        lateral (select
            l.copies is distinct from s.copies or l.amount is distinct from s.amount
            or l.currency is distinct from s.currency as is_wrong)
        group by all
        order by all
        """,
        {"platforms": platforms},
    ).fetchall()
    totals, broken = [], []
    for platform, connection, unit, landed, stored, due, total, wrong, order_id, load_id in rows:
        number = Total(
            model, platform, connection, "orders", unit, Decimal(landed), Decimal(stored)
        )
        money = Total(model, platform, connection, "total_price", unit, due, total)
        totals += [number, money]
        if wrong:
            what = f"{wrong} orders differ, the first is {order_id}: {_difference(number)} orders, "
            what += f"{_difference(money)} {unit}"
            broken.append(
                BrokenLoad(tenant, model, load_id or "(none)", f"{_place(money)}: {what}")
            )
    return totals, broken


def _compare_sessions(
    warehouse: DuckDBPyConnection, tenant: str, model: str, platforms: list[str]
) -> tuple[list[Total], list[BrokenLoad]]:
    """Compare events, and sessions where the source numbers them itself."""
    rows = warehouse.execute(
        f"""
        with landed as (
            select
                platform, connection, count(*) as events,
                count(distinct (visitor, session)) filter (session is not null) as sessions,
                max(load_id) as load_id
            from audit_visits
            where list_contains($platforms, platform)
            group by all
        ),
        stored as (
            select
                source_platform as platform, connection, count(*) as sessions,
                sum(event_count) as events
            from analytics.{quoted_name(model)}
            where list_contains($platforms, source_platform)
            group by all
        )
        select
            platform, connection, l.load_id, coalesce(l.events, 0), coalesce(s.events, 0),
            coalesce(l.sessions, 0), coalesce(s.sessions, 0)
        from landed as l
        full join stored as s using (platform, connection)
        order by all
        """,
        {"platforms": platforms},
    ).fetchall()
    totals, broken = [], []
    for platform, connection, load_id, events, told_events, sessions, told_sessions in rows:
        found = [
            Total(model, platform, connection, "events", "", Decimal(events), Decimal(told_events))
        ]
        if VISITS[platform].session:
            counts = Decimal(sessions), Decimal(told_sessions)
            found.append(Total(model, platform, connection, "sessions", "", *counts))
        totals += found
        broken += [
            BrokenLoad(tenant, model, load_id or "(none)", f"{_place(t)}: {_difference(t)}")
            for t in found
            if t.landed != t.in_fact
        ]
    return totals, broken


def _place(total: Total) -> str:
    named = ", ".join(part for part in (total.connection, total.unit) if part)
    return f"{total.measure} of {total.platform} ({named})"


def _difference(total: Total) -> str:
    return (
        f"the newest landed records give {_plain(total.landed)}, the fact {_plain(total.in_fact)}"
    )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _exists(warehouse: DuckDBPyConnection, model: str) -> bool:
    return bool(columns_of(warehouse, f"analytics.{quoted_name(model)}"))
