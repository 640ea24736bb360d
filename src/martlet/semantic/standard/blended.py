"""The standard vocabulary of the blended model: ads, orders and sessions side by side, by day.

Its table exists only in a published mart, which makes it from its own facts.
"""

from martlet.semantic.standard.concepts import (
    MONEY,
    Measure,
    Ratio,
    StandardModel,
    dimensions,
)
from martlet.semantic.standard.facts import AD_MEASURES, SHARED_LABELS
from martlet.star_schema import CanonicalColumn

_C = CanonicalColumn
COLUMNS = (
    _C("tenant_slug", "varchar", "The tenant that the row belongs to."),
    _C("source_platform", "varchar", "The platform that reported the row."),
    _C("connection", "varchar", "The tenant's connection at that platform."),
    _C(
        "business_date",
        "date",
        "Of ads the day in the account's time zone, of orders and sessions the day in the tenant's "
        "reporting time zone.",
    ),
    _C("domain", "varchar", "What the row tells of: paid_ads, ecommerce or analytics."),
    _C(
        "campaign_name",
        "varchar",
        "Of ads the campaign; of sessions the campaign of that name, else the session's own word; "
        "orders have none.",
    ),
    _C("currency", "varchar", "ISO 4217 code of all amounts; null is unknown."),
    _C("account_timezone", "varchar", "IANA time zone that dates the row."),
    _C("spend", MONEY, "Cost of ads."),
    _C("impressions", "bigint", "How often ads were shown."),
    _C("clicks", "bigint", "Clicks on ads."),
    _C("conversions", MONEY, "Conversions that platforms claim."),
    _C("conversion_value", MONEY, "Value that platforms claim."),
    _C("orders_placed", "bigint", "Orders, without tests and cancelled ones."),
    _C("revenue", MONEY, "Revenue of these orders, less what was paid back."),
    _C("refunded_amount", MONEY, "What was paid back."),
    _C("customers_won", "bigint", "Customers whose first order it was."),
    _C("sessions_started", "bigint", "Sessions."),
    _C("sessions_converted", "bigint", "Sessions that converted."),
    _C("session_revenue", MONEY, "Revenue as analytics saw it."),
)
_DOMAINS = {
    "paid_ads": ("spend", "impressions", "clicks", "conversions", "conversion_value"),
    "ecommerce": ("orders_placed", "revenue", "refunded_amount", "customers_won"),
    "analytics": ("sessions_started", "sessions_converted", "session_revenue"),
}
_NO_CAMPAIGN = "Orders name no campaign, so by campaign there is none; ask session_roas there."

BLENDED = StandardModel(
    name="blended",
    description="Advertising, orders and sessions side by side, by business day and campaign.",
    grain="one row per domain, source platform, connection, day, campaign and currency",
    columns=COLUMNS,
    day="business_date",
    domains={column: domain for domain, columns in _DOMAINS.items() for column in columns},
    dimensions=dimensions(
        COLUMNS,
        {
            **SHARED_LABELS,
            "business_date": "Day",
            "domain": "Domain",
            "campaign_name": "Campaign",
            "currency": "Currency",
            "account_timezone": "Time zone",
        },
    ),
    measures=(
        *AD_MEASURES,
        Measure(
            "orders",
            "Orders",
            "count",
            "_.orders_placed.sum()",
            "Orders that count: neither a test nor cancelled.",
        ),
        Measure(
            "revenue",
            "Revenue",
            "money",
            "_.revenue.sum()",
            "The shops' revenue, less what was paid back so far.",
            "decimal",
        ),
        Measure(
            "refunded_amount",
            "Refunds",
            "money",
            "_.refunded_amount.sum()",
            "What was paid back so far.",
            "decimal",
        ),
        Measure(
            "new_customers",
            "New customers",
            "count",
            "_.customers_won.sum()",
            "Customers whose first order it was, as far back as the shops' data go.",
        ),
        Measure(
            "sessions", "Sessions", "count", "_.sessions_started.sum()", "Visits of known visitors."
        ),
        Measure(
            "conversion_sessions",
            "Converting sessions",
            "count",
            "_.sessions_converted.sum()",
            "Sessions in which one of the tenant's conversion events happened.",
        ),
        Measure(
            "session_revenue",
            "Session revenue",
            "money",
            "_.session_revenue.sum()",
            "Revenue of the purchases that analytics saw.",
            "decimal",
        ),
    ),
    ratios=(
        Ratio(
            "cac",
            "Customer acquisition cost (CAC)",
            "spend",
            "new_customers",
            "All ad spend per new customer, whichever platform claims that customer.",
        ),
        Ratio(
            "mer",
            "Marketing efficiency ratio (MER)",
            "revenue",
            "spend",
            f"All revenue per unit of all ad spend, nothing claimed. {_NO_CAMPAIGN}",
        ),
        Ratio(
            "blended_roas",
            "Blended ROAS",
            "revenue",
            "spend",
            f"The shops' revenue per unit of ad spend; the same as MER. {_NO_CAMPAIGN}",
        ),
        Ratio(
            "session_roas",
            "Session ROAS",
            "session_revenue",
            "spend",
            "Revenue that analytics saw per unit of ad spend; also by campaign, where campaigns of "
            "ads and sessions have the same name.",
        ),
        Ratio(
            "cost_per_session",
            "Cost per session",
            "spend",
            "sessions",
            "Ad spend per session, whatever brought the session.",
        ),
        Ratio(
            "cost_per_order",
            "Cost per order",
            "spend",
            "orders",
            "Ad spend per order, whatever brought the order.",
        ),
        Ratio("aov", "Average order value (AOV)", "revenue", "orders", "Revenue per order."),
        Ratio(
            "session_conversion_rate",
            "Session conversion rate",
            "conversion_sessions",
            "sessions",
            "The share of sessions that converted.",
        ),
    ),
)
