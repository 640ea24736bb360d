"""The facts that the star schema must show for one landing, computed without the pipeline."""

from datetime import timedelta

import pyarrow as pa

from martlet.config.catalogue import Catalogue
from martlet.config.tenant import Tenant
from martlet.landing.simulator.commerce import LOOK_BACK
from martlet.landing.simulator.spans import days_between, midnight
from martlet.landing.simulator.world import World

INSTAGRAM = "instagram_ads"
# The window that a report is read in where the connection names none.
WINDOWS_READ = {"amazon_ads": "14d"}


def truth(world: World, tenant: Tenant, catalogue: Catalogue) -> pa.Table:
    """Return all facts in one long table; `fact` names whose columns are filled.

    Ads of one account that two platforms deliver in full are counted once: by the publisher of
    each platform, where the tenant has both. Deleted orders are absent; sessions are those of the
    tenant's analytics source; what has no user has no session.
    """
    connection = world.connection
    connection.register("setting", _settings(tenant, catalogue))
    connection.register("local_day", _local_days(world, tenant.reporting_timezone))
    connection.register("chosen", pa.table({"platform": [tenant.analytics_source]}, _CHOSEN))
    table = connection.execute(_TRUTH_SQL, {"tenant": tenant.slug}).to_arrow_table()
    for name in ("setting", "local_day", "chosen"):
        connection.unregister(name)
    return table


def _settings(tenant: Tenant, catalogue: Catalogue) -> pa.Table:
    """Return per ad connection what it attributes by, and the one publisher that it counts."""
    rows = []
    shared_api = catalogue.connectors[INSTAGRAM].api if INSTAGRAM in catalogue.connectors else None
    sources = tenant.enabled_sources("paid_ads")
    has_instagram = any(source.platform == INSTAGRAM for source in sources)
    for source in sources:
        publisher = None
        if source.platform == INSTAGRAM:
            publisher = "instagram"
        elif has_instagram and catalogue.connector(source.platform).api == shared_api:
            publisher = "facebook"
        for slug, connection in source.connections.items():
            window = connection.attribution_window or WINDOWS_READ.get(source.platform)
            rows.append((source.platform, slug, window, publisher))
    names = ("platform", "connection", "attribution_setting", "counted_publisher")
    columns = [pa.array([row[n] for row in rows], pa.string()) for n in range(len(names))]
    return pa.table(dict(zip(names, columns, strict=True)))


def _local_days(world: World, zone: str) -> pa.Table:
    start, end = world.window
    days = days_between(start - timedelta(days=LOOK_BACK + 2), end + timedelta(days=2))
    opens = [midnight(day, zone) * 1_000_000 for day in days]
    moments = pa.array(opens, pa.int64()).cast(pa.timestamp("us"))
    return pa.table({"business_date": pa.array(days, pa.date32()), "opens_at": moments})


_CHOSEN = pa.schema([("platform", pa.string())])
_TRUTH_SQL = """
    with ad_fact as (
        select
            'ad_performance' as fact,
            $tenant as tenant_slug,
            ad_day.platform as source_platform,
            ad_day.connection,
            account_id,
            report_date,
            campaign_id,
            ad_group_id,
            ad_id,
            grain,
            cast(sum(spend) as decimal(18, 6)) as spend,
            cast(sum(impressions) as bigint) as impressions,
            cast(sum(clicks) as bigint) as clicks,
            cast(sum(conversions) as decimal(18, 6)) as conversions,
            cast(sum(conversion_value) as decimal(18, 6)) as conversion_value,
            any_value(account.currency) as currency,
            any_value(account.timezone) as account_timezone,
            any_value(setting.attribution_setting) as attribution_setting
        from ad_day
        join setting using (platform, connection)
        join account using (platform, connection, account_id)
        where publisher is null or counted_publisher is null or publisher = counted_publisher
        group by all
    ),
    order_fact as (
        select
            'orders' as fact,
            $tenant as tenant_slug,
            platform as source_platform,
            connection,
            order_id,
            ordered_at,
            business_date,
            business_date as order_date,
            total as total_price,
            subtotal,
            discount,
            tax,
            shipping,
            refunded,
            currency,
            status as financial_status,
            customer_email,
            customer_id,
            is_test,
            is_cancelled
        from orders
        asof join local_day on ordered_at >= opens_at
        where not is_deleted and platform <> '_none'
    ),
    session_fact as (
        select
            'sessions' as fact,
            $tenant as tenant_slug,
            platform as source_platform,
            connection,
            user_pseudo_id,
            session_start_ts,
            session_end_ts,
            business_date,
            utm_source as traffic_source,
            utm_medium as traffic_medium,
            utm_campaign as traffic_campaign,
            event_count,
            funnel_step as funnel_step_reached,
            session_number,
            is_conversion_session,
            revenue as session_revenue,
            currency
        from session
        asof join local_day on session_start_ts >= opens_at
        where platform in (from chosen)
    ),
    campaign_fact as (
        select
            'campaigns' as fact,
            $tenant as tenant_slug,
            campaign.platform as source_platform,
            campaign.connection,
            account_id,
            campaign_id,
            campaign_name,
            status,
            daily_budget,
            account.currency
        from campaign
        join account using (platform, connection, account_id)
    )
    from ad_fact
    union all by name
    from order_fact
    union all by name
    from session_fact
    union all by name
    from campaign_fact
    order by
        fact,
        source_platform,
        connection,
        account_id,
        report_date,
        campaign_id,
        ad_id,
        order_id,
        session_start_ts,
        user_pseudo_id
"""
