"""The canonical columns of facts and dimensions: one list for SQL, contracts and documents."""

from dataclasses import dataclass
from typing import Literal

from martlet import naming


@dataclass(frozen=True)
class CanonicalColumn:
    """One column of a fact or dimension; `type` is the engine's spelling."""

    name: str
    type: str
    description: str
    personal: bool = False


@dataclass(frozen=True)
class StarTable:
    """One fact or dimension; `grain` says what a row is.

    `key` and `optional_key` are the columns that the grain names: no two rows agree in all of
    them, and only those of `optional_key` may be null.
    """

    name: str
    kind: Literal["fact", "dimension"]
    domain: Literal["paid_ads", "ecommerce", "analytics"]
    grain: str
    columns: tuple[CanonicalColumn, ...]
    key: tuple[str, ...]
    optional_key: tuple[str, ...] = ()

    @property
    def factory(self) -> str:
        """Return the macro that builds it."""
        return f"build_{'fct' if self.kind == 'fact' else 'dim'}_{self.name}"


_C = CanonicalColumn
_MONEY = "decimal(18,6)"
_TENANT = (
    _C("tenant_slug", "varchar", "The tenant that the row belongs to."),
    _C("source_platform", "varchar", "The connector that reported the row."),
    _C("connection", "varchar", "The tenant's connection at that platform; `main` unless named."),
)

AD_PERFORMANCE = StarTable(
    name="ad_performance",
    kind="fact",
    domain="paid_ads",
    grain="one row per connection, account, day, campaign, ad group and ad",
    columns=(
        *_TENANT,
        _C("account_id", "varchar", "The advertising account."),
        _C("report_date", "date", "The day in the account's own time zone; never shifted."),
        _C("campaign_id", "varchar", "The campaign; at LinkedIn the campaign group."),
        _C("ad_group_id", "varchar", "The ad group; null where only the campaign was reported."),
        _C("ad_id", "varchar", "The ad; null where only campaign or ad group was reported."),
        _C("spend", _MONEY, "Cost in `currency`."),
        _C("impressions", "bigint", "How often the ad was shown."),
        _C("clicks", "bigint", "Clicks as the platform counts them."),
        _C("conversions", _MONEY, "Conversions that the platform claims; may be fractional."),
        _C("conversion_value", _MONEY, "Value that the platform claims, in `currency`."),
        _C("currency", "varchar", "ISO 4217 code; null is unknown and refuses to be summed."),
        _C(
            "grain",
            "varchar",
            "The entity level that the source reported: ad, ad_group or campaign. The finest "
            "report of a campaign's day is the one that counts, so that sums hold.",
        ),
        _C("account_timezone", "varchar", "IANA time zone that dates `report_date`."),
        _C("attribution_setting", "varchar", "The window in which conversions were counted."),
    ),
    key=("source_platform", "connection", "report_date"),
    optional_key=("account_id", "campaign_id", "ad_group_id", "ad_id"),
)

ORDERS = StarTable(
    name="orders",
    kind="fact",
    domain="ecommerce",
    grain="one row per connection and order",
    columns=(
        *_TENANT,
        _C("order_id", "varchar", "The shop's id of the order."),
        _C("order_date", "date", "The day of the order in the tenant's reporting time zone."),
        _C("business_date", "date", "The same day, under the name that facts are joined on."),
        _C("ordered_at", "timestamp", "When the order was placed, UTC."),
        _C("total_price", _MONEY, "What the customer was asked to pay when ordering."),
        _C("subtotal", _MONEY, "Sum of the lines before discount, tax and shipping."),
        _C("discount", _MONEY, "Discount on the order."),
        _C("tax", _MONEY, "Tax in the total."),
        _C("shipping", _MONEY, "Shipping in the total."),
        _C("refunded", _MONEY, "What has been paid back so far."),
        _C("currency", "varchar", "ISO 4217 code of all amounts."),
        _C(
            "financial_status",
            "varchar",
            "pending, paid, partially_refunded, refunded, cancelled, or the shop's own word.",
        ),
        _C("customer_email", "varchar", "E-mail given with the order.", personal=True),
        _C(
            "customer_id",
            "varchar",
            "The shop's id of the customer; null for guests.",
            personal=True,
        ),
        _C("line_items_json", "json", "The lines as the shop sent them."),
        _C("is_test", "boolean", "A test order: no revenue."),
        _C("is_cancelled", "boolean", "A cancelled order: no revenue."),
    ),
    key=("source_platform", "connection", "order_id"),
)

SESSIONS = StarTable(
    name="sessions",
    kind="fact",
    domain="analytics",
    grain="one row per connection and session of a known visitor",
    columns=(
        *_TENANT,
        _C(
            "session_id",
            "varchar",
            "Identifies the session within the connection; holds the visitor's id.",
            personal=True,
        ),
        _C("user_pseudo_id", "varchar", "The visitor's device or cookie id.", personal=True),
        _C("session_start_ts", "timestamp", "First event, UTC."),
        _C("session_end_ts", "timestamp", "Last event, UTC."),
        _C("business_date", "date", "The day of its start in the tenant's reporting time zone."),
        _C("traffic_source", "varchar", "Source of the session; null is direct."),
        _C("traffic_medium", "varchar", "Medium of the session."),
        _C("traffic_campaign", "varchar", "Campaign of the session."),
        _C("event_count", "bigint", "Events in the session."),
        _C("funnel_step_reached", "bigint", "Furthest step of the tenant's funnel; 0 is none."),
        _C("session_number", "bigint", "Which session of this visitor it is, where known."),
        _C("is_conversion_session", "boolean", "Whether a conversion event happened in it."),
        _C("session_revenue", _MONEY, "Revenue of its purchases, each transaction once."),
        _C("currency", "varchar", "ISO 4217 code of the revenue."),
    ),
    key=("source_platform", "connection", "session_id"),
)

CAMPAIGNS = StarTable(
    name="campaigns",
    kind="dimension",
    domain="paid_ads",
    grain="one row per connection, account and campaign",
    columns=(
        *_TENANT,
        _C("account_id", "varchar", "The advertising account."),
        _C("campaign_id", "varchar", "The campaign; at LinkedIn the campaign group."),
        _C("campaign_name", "varchar", "Its newest name."),
        _C("status", "varchar", "active, paused, removed, or the platform's own word."),
        _C("objective", "varchar", "What the campaign is for, in the platform's words."),
        _C("start_date", "date", "First day planned."),
        _C("end_date", "date", "Last day planned; null runs on."),
        _C("daily_budget", _MONEY, "Budget a day in `currency`, where the campaign holds it."),
        _C("currency", "varchar", "ISO 4217 code of the budget."),
        _C("first_seen_at", "timestamp", "When the campaign was first extracted, UTC."),
        _C("last_seen_at", "timestamp", "When its newest version was extracted, UTC."),
    ),
    key=("source_platform", "connection", "campaign_id"),
    optional_key=("account_id",),
)

STAR_TABLES = (AD_PERFORMANCE, ORDERS, SESSIONS, CAMPAIGNS)


def star_model(tenant: str, table: StarTable) -> str:
    """Return the dbt model of a fact or dimension."""
    build = naming.fact_model if table.kind == "fact" else naming.dimension_model
    return build(tenant, table.name)


def grain_test(model: str) -> str:
    """Return the dbt test that a fact's or dimension's rows are what its grain says."""
    return f"{model}__one_row_per_grain"


def isolation_test(model: str) -> str:
    """Return the dbt test that a fact or dimension holds no other tenant's row."""
    return f"{model}__only_rows_of_tenant"
