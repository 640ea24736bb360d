"""Ads, orders and sessions of a mart stacked by day and campaign, so that one can be set against
the other without a join that multiplies rows."""

from duckdb import DuckDBPyConnection

from martlet import naming
from martlet.engines.duckdb_engine import quoted_name, quoted_text

MODEL = "blended"
COLUMNS = (
    ("tenant_slug", "varchar"),
    ("source_platform", "varchar"),
    ("connection", "varchar"),
    ("business_date", "date"),
    ("domain", "varchar"),
    ("campaign_name", "varchar"),
    ("currency", "varchar"),
    ("account_timezone", "varchar"),
    ("spend", "decimal(18,6)"),
    ("impressions", "bigint"),
    ("clicks", "bigint"),
    ("conversions", "decimal(18,6)"),
    ("conversion_value", "decimal(18,6)"),
    ("orders_placed", "bigint"),
    ("revenue", "decimal(18,6)"),
    ("refunded_amount", "decimal(18,6)"),
    ("customers_won", "bigint"),
    ("sessions_started", "bigint"),
    ("sessions_converted", "bigint"),
    ("session_revenue", "decimal(18,6)"),
)
# Neither a test nor cancelled; unknown counts as no.
COUNTED = "not coalesce(is_test, false) and not coalesce(is_cancelled, false)"
NET_REVENUE = "total_price - coalesce(refunded, 0)"

_ADS = """
select
    f.tenant_slug,
    f.source_platform,
    f.connection,
    f.report_date as business_date,
    'paid_ads' as domain,
    c.campaign_name,
    f.currency,
    f.account_timezone,
    sum(f.spend) as spend,
    sum(f.impressions) as impressions,
    sum(f.clicks) as clicks,
    sum(f.conversions) as conversions,
    sum(f.conversion_value) as conversion_value,
from {ads} as f
left join {campaigns} as c on c.campaign_key = f.campaign_key
group by all
"""

# A customer is known by e-mail, or by the shop's own id within its connection; one without either
# is nobody's first. The same id means another person in another shop.
_ORDERS = """
with
counted as (
    select
        *,
        {net_revenue} as net_revenue,
        coalesce(
            lower(nullif(trim(customer_email), '')),
            cast(
                case
                    when customer_id is not null
                        then to_json([source_platform, connection, customer_id])
                end as varchar
            )
        ) as customer,
    from {orders}
    where {counted}
),
numbered as (
    select
        *,
        customer is not null
        and row_number() over (
            partition by customer
            order by ordered_at nulls last, business_date, source_platform, connection, order_id
        ) = 1 as is_first,
    from counted
)
select
    tenant_slug,
    source_platform,
    connection,
    business_date,
    'ecommerce' as domain,
    currency,
    {reporting_timezone} as account_timezone,
    count(*) as orders_placed,
    sum(net_revenue) as revenue,
    sum(refunded) as refunded_amount,
    count(*) filter (where is_first) as customers_won,
from numbered
group by all
"""

# A session's campaign takes the advertised name that it equals but for case and blanks; where that
# is written in several ways, it keeps its own.
_SESSIONS = """
with
names as (
    select lower(trim(campaign_name)) as folded_name, min(campaign_name) as campaign_name
    from {campaigns}
    where campaign_name is not null
    group by 1
    having count(distinct campaign_name) = 1
)
select
    s.tenant_slug,
    s.source_platform,
    s.connection,
    s.business_date,
    'analytics' as domain,
    coalesce(n.campaign_name, s.traffic_campaign) as campaign_name,
    s.currency,
    {reporting_timezone} as account_timezone,
    count(*) as sessions_started,
    count(*) filter (where s.is_conversion_session) as sessions_converted,
    sum(s.session_revenue) as session_revenue,
from {sessions} as s
left join names as n on n.folded_name = lower(trim(s.traffic_campaign))
group by all
"""


def write_blended(
    connection: DuckDBPyConnection, catalog: str, tenant: str, reporting_timezone: str
) -> None:
    """Create the blended fact in an attached mart, from the mart's own facts.

    Grain: one row per domain, platform, connection, day, campaign, currency and time zone. What a
    domain does not know is null in its rows.
    """
    place = f"{catalog}.main."
    names = {
        "ads": place + quoted_name(naming.fact_model(tenant, "ad_performance")),
        "campaigns": place + quoted_name(naming.dimension_model(tenant, "campaigns")),
        "orders": place + quoted_name(naming.fact_model(tenant, "orders")),
        "sessions": place + quoted_name(naming.fact_model(tenant, "sessions")),
        "reporting_timezone": quoted_text(reporting_timezone),
        "counted": COUNTED,
        "net_revenue": NET_REVENUE,
    }
    parts = " union all by name ".join(
        f"select * from ({part.format(**names)})" for part in (_ADS, _ORDERS, _SESSIONS)
    )
    typed = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in COLUMNS)
    connection.execute(
        f"create table {place}{quoted_name(naming.fact_model(tenant, MODEL))} as "
        f"select {typed} from ({parts}) "
        "order by business_date, domain, source_platform, connection, campaign_name, currency, "
        "account_timezone"
    )
