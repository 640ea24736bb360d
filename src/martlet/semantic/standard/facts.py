"""The standard vocabulary of the facts and of campaigns."""

from martlet.semantic.standard.concepts import (
    Join,
    Measure,
    Ratio,
    StandardModel,
    dimensions,
)
from martlet.star_schema import AD_PERFORMANCE, CAMPAIGNS, ORDERS, SESSIONS

SHARED_LABELS = {
    "tenant_slug": "Tenant",
    "source_platform": "Platform",
    "connection": "Connection",
}
_ACCOUNT_LABELS = {"account_id": "Account", "campaign_id": "Campaign id"}

STANDARD_CAMPAIGNS = StandardModel(
    name="campaigns",
    description="Advertising campaigns as they are now.",
    grain=CAMPAIGNS.grain,
    columns=CAMPAIGNS.columns,
    table=CAMPAIGNS,
    dimensions=dimensions(
        CAMPAIGNS.columns,
        {
            **SHARED_LABELS,
            **_ACCOUNT_LABELS,
            "campaign_name": "Campaign",
            "status": "Campaign status",
            "objective": "Campaign objective",
            "start_date": "Campaign start",
            "end_date": "Campaign end",
            "daily_budget": "Daily budget",
            "currency": "Currency",
            "first_seen_at": "First seen",
            "last_seen_at": "Last seen",
        },
    ),
    measures=(
        Measure(
            "campaign_count", "Campaigns", "count", "_.count()", "How many campaigns there are."
        ),
    ),
)

AD_MEASURES = (
    Measure("spend", "Spend", "money", "_.spend.sum()", "What the ads cost.", "decimal"),
    Measure(
        "impressions", "Impressions", "count", "_.impressions.sum()", "How often ads were shown."
    ),
    Measure(
        "clicks",
        "Clicks",
        "count",
        "_.clicks.sum()",
        "Clicks on ads, as each platform counts them.",
    ),
    Measure(
        "conversions",
        "Claimed conversions",
        "count",
        "_.conversions.sum()",
        "Conversions that each platform claims for its ads. Two platforms may claim the same one, "
        "so compare platforms instead of adding them up.",
        "decimal",
    ),
    Measure(
        "conversion_value",
        "Claimed conversion value",
        "money",
        "_.conversion_value.sum()",
        "What the claimed conversions were worth, as each platform says. Two platforms may claim "
        "the same sale.",
        "decimal",
    ),
)

STANDARD_ADS = StandardModel(
    name="ad_performance",
    description="What ads cost and brought, as the advertising platforms report it.",
    grain=AD_PERFORMANCE.grain,
    columns=AD_PERFORMANCE.columns,
    table=AD_PERFORMANCE,
    day="report_date",
    dimensions=dimensions(
        AD_PERFORMANCE.columns,
        {
            **SHARED_LABELS,
            **_ACCOUNT_LABELS,
            "report_date": "Day",
            "ad_group_id": "Ad group id",
            "ad_id": "Ad id",
            "currency": "Currency",
            "grain": "Reported level",
            "account_timezone": "Account time zone",
            "attribution_setting": "Attribution window",
        },
    ),
    measures=(
        *AD_MEASURES,
        Measure("row_count", "Rows", "count", "_.count()", "Reported rows behind the numbers."),
    ),
    ratios=(
        Ratio(
            "ctr",
            "Click-through rate (CTR)",
            "clicks",
            "impressions",
            "Clicks per impression: how often an ad that was seen was clicked.",
        ),
        Ratio("cpc", "Cost per click (CPC)", "spend", "clicks", "What one click cost."),
        Ratio(
            "cpm",
            "Cost per 1,000 impressions (CPM)",
            "spend",
            "impressions",
            "What 1,000 impressions cost.",
            per=1000,
        ),
        Ratio(
            "cpa",
            "Cost per conversion (CPA)",
            "spend",
            "conversions",
            "What one claimed conversion cost.",
        ),
        Ratio(
            "roas",
            "Return on ad spend (ROAS)",
            "conversion_value",
            "spend",
            "Claimed conversion value per unit of spend: 4 means that 1 spent is said to have "
            "brought 4.",
        ),
        Ratio(
            "conversion_rate",
            "Conversion rate",
            "conversions",
            "clicks",
            "Claimed conversions per click.",
        ),
    ),
    joins=(
        Join(
            "campaigns",
            "campaign_key",
            ("source_platform", "connection", "account_id", "campaign_id"),
        ),
    ),
)

# Test and cancelled orders are no business; where a shop does not say, an order counts.
_COUNTED = "~_.is_test.coalesce(False) & ~_.is_cancelled.coalesce(False)"
# The same id means another person in another shop.
_CUSTOMER = (
    '_.customer_email.strip().lower().nullif("").coalesce('
    '_.source_platform + ":" + _.connection + ":" + _.customer_id)'
)


def _order_amount(name: str, label: str, amount: str, description: str) -> Measure:
    return Measure(
        name, label, "money", f"({amount}).sum(where={_COUNTED})", description, "decimal"
    )


STANDARD_ORDERS = StandardModel(
    name="orders",
    description="Orders of the shops. Test and cancelled orders are in none of the amounts.",
    grain=ORDERS.grain,
    columns=ORDERS.columns,
    table=ORDERS,
    day="business_date",
    dimensions=dimensions(
        ORDERS.columns,
        {
            **SHARED_LABELS,
            "order_id": "Order id",
            "order_date": "Order date",
            "business_date": "Day",
            "ordered_at": "Ordered at",
            "currency": "Currency",
            "financial_status": "Payment status",
            "customer_email": "Customer e-mail",
            "customer_id": "Customer id",
            "is_test": "Test order",
            "is_cancelled": "Cancelled",
        },
    ),
    measures=(
        Measure(
            "order_count",
            "Orders",
            "count",
            f"_.count(where={_COUNTED})",
            "Orders that count: neither a test nor cancelled.",
        ),
        _order_amount(
            "revenue",
            "Revenue",
            "_.total_price - _.refunded.coalesce(0)",
            "What customers were asked to pay, less what was paid back so far.",
        ),
        _order_amount(
            "gross_revenue", "Gross revenue", "_.total_price", "What customers were asked to pay."
        ),
        _order_amount("refunded_amount", "Refunds", "_.refunded", "What was paid back so far."),
        _order_amount("discount_amount", "Discounts", "_.discount", "Discounts given."),
        _order_amount("tax_amount", "Tax", "_.tax", "Tax in the orders' totals."),
        _order_amount("shipping_amount", "Shipping", "_.shipping", "Shipping in the totals."),
        _order_amount(
            "subtotal_amount",
            "Subtotal",
            "_.subtotal",
            "Sum of the order lines before discount, tax and shipping.",
        ),
        Measure(
            "customer_count",
            "Customers",
            "count",
            f"({_CUSTOMER}).nunique(where={_COUNTED})",
            "Different customers, told apart by e-mail, or by the shop's id where there is none. "
            "Orders that name neither have no customer.",
        ),
        Measure(
            "cancelled_order_count",
            "Cancelled orders",
            "count",
            "_.count(where=_.is_cancelled.coalesce(False) & ~_.is_test.coalesce(False))",
            "Orders that were cancelled, tests aside.",
        ),
        Measure(
            "test_order_count",
            "Test orders",
            "count",
            "_.count(where=_.is_test.coalesce(False))",
            "Orders that only tested the shop.",
        ),
        Measure(
            "row_count", "Rows", "count", "_.count()", "All orders, whether they count or not."
        ),
    ),
    ratios=(
        Ratio(
            "aov",
            "Average order value (AOV)",
            "revenue",
            "order_count",
            "Revenue per order.",
        ),
        Ratio(
            "refund_rate",
            "Refund rate",
            "refunded_amount",
            "gross_revenue",
            "The share of gross revenue that was paid back.",
        ),
    ),
)

STANDARD_SESSIONS = StandardModel(
    name="sessions",
    description="Visits to the site, as the analytics platform saw them.",
    grain=SESSIONS.grain,
    columns=SESSIONS.columns,
    table=SESSIONS,
    day="business_date",
    dimensions=dimensions(
        SESSIONS.columns,
        {
            **SHARED_LABELS,
            "session_id": "Session id",
            "user_pseudo_id": "Visitor id",
            "session_start_ts": "Session start",
            "session_end_ts": "Session end",
            "business_date": "Day",
            "traffic_source": "Traffic source",
            "traffic_medium": "Traffic medium",
            "traffic_campaign": "Traffic campaign",
            "funnel_step_reached": "Funnel step reached",
            "session_number": "Session number",
            "is_conversion_session": "Converted",
            "currency": "Currency",
        },
    ),
    measures=(
        Measure("session_count", "Sessions", "count", "_.count()", "Visits of known visitors."),
        Measure(
            "visitor_count",
            "Visitors",
            "count",
            "_.user_pseudo_id.nunique()",
            "Different visitors, by the id that analytics gives a browser or device.",
        ),
        Measure(
            "conversion_session_count",
            "Converting sessions",
            "count",
            "_.count(where=_.is_conversion_session.coalesce(False))",
            "Sessions in which one of the tenant's conversion events happened.",
        ),
        Measure("events_counted", "Events", "count", "_.event_count.sum()", "Events in sessions."),
        Measure(
            "session_revenue",
            "Session revenue",
            "money",
            "_.session_revenue.sum()",
            "Revenue of the purchases that analytics saw; the shop's own is in orders.",
            "decimal",
        ),
        Measure("row_count", "Rows", "count", "_.count()", "Sessions behind the numbers."),
    ),
    ratios=(
        Ratio(
            "session_conversion_rate",
            "Session conversion rate",
            "conversion_session_count",
            "session_count",
            "The share of sessions that converted.",
        ),
        Ratio(
            "revenue_per_session",
            "Revenue per session",
            "session_revenue",
            "session_count",
            "What one session brought, as analytics saw it.",
        ),
    ),
)
