"""One coherent business for a tenant: the canonical facts that every wire format is made of."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

from martlet.config.catalogue import Catalogue
from martlet.config.tenant import Tenant
from martlet.errors import BadInputError, nearest
from martlet.landing.simulator import ads, commerce, visits
from martlet.landing.simulator.channels import channel_mix
from martlet.landing.simulator.spans import Scene, Span, days_between

_NAMED = "platform varchar, connection varchar"
_OWNED = f"{_NAMED}, account_id varchar, campaign_id varchar"
_CHANGED = "created_at timestamp, updated_at timestamp"
_UTM = "utm_source varchar, utm_medium varchar, utm_campaign varchar"
_MONEY = "decimal(18, 6)"
# each canonical relation: its columns, and the columns that order its rows
RELATIONS: dict[str, tuple[str, str]] = {
    "account": (
        f"{_NAMED}, account_id varchar, account_name varchar, currency varchar, timezone varchar",
        "account_id",
    ),
    "campaign": (
        f"{_OWNED}, campaign_name varchar, status varchar, objective varchar, channel varchar, "
        f"start_date date, end_date date, daily_budget {_MONEY}, {_CHANGED}",
        "account_id, campaign_id",
    ),
    "ad_group": (
        f"{_OWNED}, ad_group_id varchar, ad_group_name varchar, status varchar, "
        f"daily_budget {_MONEY}, {_CHANGED}",
        "account_id, ad_group_id",
    ),
    "ad": (
        f"{_OWNED}, ad_group_id varchar, ad_id varchar, ad_name varchar, status varchar, "
        f"{_CHANGED}",
        "account_id, ad_id",
    ),
    "ad_day": (
        f"{_NAMED}, account_id varchar, report_date date, campaign_id varchar, "
        "ad_group_id varchar, ad_id varchar, grain varchar, publisher varchar, "
        f"spend {_MONEY}, impressions bigint, clicks bigint, conversions {_MONEY}, "
        f"conversion_value {_MONEY}",
        "account_id, report_date, campaign_id, ad_id, publisher",
    ),
    "product": (
        f"{_NAMED}, product_id varchar, title varchar, sku varchar, price {_MONEY}, "
        f"status varchar, {_CHANGED}",
        "product_id",
    ),
    "orders": (
        f"{_NAMED}, order_id varchar, order_number bigint, ordered_at timestamp, "
        f"updated_at timestamp, status varchar, subtotal {_MONEY}, discount {_MONEY}, "
        f"tax {_MONEY}, shipping {_MONEY}, total {_MONEY}, refunded {_MONEY}, currency varchar, "
        "customer_id varchar, customer_email varchar, first_name varchar, last_name varchar, "
        "is_test boolean, is_cancelled boolean, cancelled_at timestamp, is_deleted boolean, "
        f"{_UTM}, landing_path varchar, refunded_at timestamp",
        "order_number",
    ),
    "order_line": (
        f"{_NAMED}, order_id varchar, line_id varchar, product_id varchar, sku varchar, "
        f"title varchar, quantity bigint, unit_price {_MONEY}, line_total {_MONEY}",
        "order_id, line_id",
    ),
    "event": (
        f"{_NAMED}, event_id varchar, occurred_at timestamp, event_name varchar, "
        "user_pseudo_id varchar, user_id varchar, session_number bigint, "
        f"session_started_at timestamp, session_id varchar, ga_session_id bigint, {_UTM}, "
        f"page_location varchar, transaction_id varchar, revenue {_MONEY}, currency varchar, "
        "device_category varchar, country varchar, person_key varchar",
        "occurred_at, event_id",
    ),
    "session": (
        f"{_NAMED}, session_key varchar, user_pseudo_id varchar, ga_session_id bigint, "
        f"session_start_ts timestamp, session_end_ts timestamp, {_UTM}, event_count bigint, "
        f"session_number bigint, is_conversion_session boolean, revenue {_MONEY}, "
        "currency varchar, funnel_step bigint",
        "session_start_ts, session_key",
    ),
    "person": (
        f"{_NAMED}, person_id varchar, user_pseudo_id varchar, email varchar, "
        "first_name varchar, last_name varchar, country varchar, city varchar, "
        "first_seen_at timestamp, last_seen_at timestamp",
        "person_id",
    ),
}
_AD_UNIT = (
    f"{_OWNED}, unit bigint, ad_group_id varchar, ad_id varchar, grain varchar, publisher varchar"
)


@dataclass(frozen=True)
class World:
    """What the sources of one tenant would answer at the end of the day `until`."""

    connection: duckdb.DuckDBPyConnection
    window: tuple[date, date]
    until: date

    @property
    def extracted_at(self) -> datetime:
        """The moment (UTC, naive) at which loaders say that they asked."""
        return datetime(self.until.year, self.until.month, self.until.day) + timedelta(hours=30)

    def select(self, relation: str, platform: str, connection: str) -> pa.Table:
        """Return the rows of one connection in a fixed order, with all columns of the relation."""
        if relation not in RELATIONS:
            raise BadInputError(f"unknown relation {relation!r}; {nearest(relation, RELATIONS)}")
        order = RELATIONS[relation][1]
        return self.connection.execute(
            f"select * from {relation} where platform = ? and connection = ? order by {order}",
            [platform, connection],
        ).to_arrow_table()


def build_world(
    tenant: Tenant, catalogue: Catalogue, *, days: int, until: date, seed: int, scale: float = 1.0
) -> World:
    """Return the tenant's world of the last `days` days, as known at the end of `until`.

    The same arguments give the same rows. A day's underlying facts do not depend on the window;
    what is known of them depends on `until`: conversions mature, orders are paid, refunded,
    deleted. `scale` multiplies campaigns, orders and sessions.
    """
    if days < 1:
        raise BadInputError(f"a window of {days} days is empty", remedy="ask for 1 day or more")
    if scale <= 0:
        raise BadInputError(f"scale {scale} is not positive", remedy="choose a number above 0")
    span = Span(until - timedelta(days=days - 1), until)
    connection = duckdb.connect(":memory:")
    connection.execute("set TimeZone = 'UTC'")
    for relation, (columns, _) in RELATIONS.items():
        connection.execute(f"create table {relation} ({columns})")
    connection.execute(f"create temp table ad_unit ({_AD_UNIT})")
    _fill(Scene(connection, tenant, span, seed, scale), catalogue)
    connection.execute("drop table ad_unit")
    return World(connection, (span.start, span.until), until)


def _fill(scene: Scene, catalogue: Catalogue) -> None:
    tenant, span = scene.tenant, scene.span
    apis = {name: connector.api for name, connector in catalogue.connectors.items()}
    accounts = ads.ad_accounts(tenant, apis)
    _store_accounts(scene.connection, tenant, accounts)
    first = span.start - timedelta(days=commerce.LOOK_BACK + 1)
    last = span.until + timedelta(days=visits.COHORT_REACH + 1)
    clicks = ads.simulate_ads(scene, accounts, (first, last))
    sites = visits.sites(tenant, scene.scale)
    shops = _shops(tenant, scene.scale)
    for place in range(max(len(sites), len(shops))):
        site = sites[place] if place < len(sites) else None
        shop = shops[place] if place < len(shops) else sites[place].own_sales(tenant)
        mix = channel_mix(clicks, (site or shop).generation.sessions_per_day)
        products = commerce.build_products(scene, shop)
        commerce.store_products(scene.connection, shop, products)
        orders = commerce.draw_orders(scene, shop, products, mix, days_between(first, last))
        commerce.store_orders(scene, shop, products, orders, mix)
        if site is not None:
            visits.simulate_site(scene, site, shop, orders, mix)


def _shops(tenant: Tenant, scale: float) -> list[commerce.Shop]:
    return [
        commerce.Shop(
            source.platform,
            slug,
            setting.effective_currency(tenant),
            commerce.scaled(source.generation, scale),
        )
        for source in tenant.enabled_sources("ecommerce")
        for slug, setting in source.connections.items()
    ]


def _store_accounts(
    connection: duckdb.DuckDBPyConnection, tenant: Tenant, accounts: list[ads.AdAccount]
) -> None:
    rows = [
        (platform, a.connection, a.account_id, a.name, a.currency, a.zone)
        for a in accounts
        for platform in a.platforms
    ]
    others = (*tenant.enabled_sources("ecommerce"), *tenant.enabled_sources("analytics"))
    for source in others:
        for slug, setting in source.connections.items():
            listed = setting.accounts or (
                ads.derived_account_id(tenant.slug, source.platform, slug),
            )
            rows += [
                (
                    source.platform,
                    slug,
                    account,
                    tenant.name,
                    setting.effective_currency(tenant),
                    setting.effective_timezone(tenant),
                )
                for account in listed
            ]
    if rows:
        connection.executemany("insert into account values (?, ?, ?, ?, ?, ?)", rows)
