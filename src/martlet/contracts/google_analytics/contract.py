"""What Martlet reads from a GA4 event."""

from martlet.contracts.base import Column, ColumnType, ObjectContract, Scope, Version
from martlet.contracts.google_analytics.native import Event


def _parameter(name: str, kind: ColumnType, key: str, *members: str) -> Column:
    """Return the column of one event parameter, read from `members` in the order given."""
    return Column(name, kind, ("$.event_params",), list_key=key, list_value=members)


_SESSION = "$.session_traffic_source_last_click"

_EVENT_COLUMNS = (
    Column("event_date", "date", ("$.event_date",)),
    Column("occurred_at", "epoch_us", ("$.event_timestamp",)),
    Column("event_name", "varchar", ("$.event_name",)),
    Column("user_pseudo_id", "varchar", ("$.user_pseudo_id",)),
    Column("user_id", "varchar", ("$.user_id",)),
    _parameter("ga_session_id", "varchar", "ga_session_id", "int_value", "string_value"),
    _parameter("ga_session_number", "bigint", "ga_session_number", "int_value", "string_value"),
    _parameter("session_engaged", "varchar", "session_engaged", "string_value", "int_value"),
    _parameter(
        "engagement_time_msec", "bigint", "engagement_time_msec", "int_value", "string_value"
    ),
    _parameter("page_location", "varchar", "page_location", "string_value"),
    _parameter("page_referrer", "varchar", "page_referrer", "string_value"),
    Column("utm_source", "varchar", ("$.collected_traffic_source.manual_source",)),
    Column("utm_medium", "varchar", ("$.collected_traffic_source.manual_medium",)),
    Column("utm_campaign", "varchar", ("$.collected_traffic_source.manual_campaign_name",)),
    _parameter("param_source", "varchar", "source", "string_value"),
    _parameter("param_medium", "varchar", "medium", "string_value"),
    _parameter("param_campaign", "varchar", "campaign", "string_value"),
    Column("session_source", "varchar", (f"{_SESSION}.manual_campaign.source",)),
    Column("session_medium", "varchar", (f"{_SESSION}.manual_campaign.medium",)),
    Column(
        "session_campaign",
        "varchar",
        (
            f"{_SESSION}.google_ads_campaign.campaign_name",
            f"{_SESSION}.manual_campaign.campaign_name",
        ),
    ),
    Column("first_user_source", "varchar", ("$.traffic_source.source",)),
    Column("first_user_medium", "varchar", ("$.traffic_source.medium",)),
    Column("first_user_campaign", "varchar", ("$.traffic_source.name",)),
    Column("gclid", "varchar", ("$.collected_traffic_source.gclid",)),
    Column("transaction_id", "varchar", ("$.ecommerce.transaction_id",)),
    _parameter("param_transaction_id", "varchar", "transaction_id", "string_value", "int_value"),
    Column("purchase_revenue", "decimal", ("$.ecommerce.purchase_revenue",)),
    Column("purchase_revenue_usd", "decimal", ("$.ecommerce.purchase_revenue_in_usd",)),
    Column("refund_value", "decimal", ("$.ecommerce.refund_value",)),
    _parameter("currency", "varchar", "currency", "string_value"),
    Column("items", "json", ("$.items",)),
    Column("device_category", "varchar", ("$.device.category",)),
    Column("country", "varchar", ("$.geo.country",)),
    Column("platform_name", "varchar", ("$.platform",)),
    Column("stream_id", "varchar", ("$.stream_id",)),
)

CONTRACTS: tuple[ObjectContract, ...] = (
    ObjectContract(
        object="events",
        versions=(Version("native", Event),),
        columns=_EVENT_COLUMNS,
        cursor="occurred_at",
        load_mode="replace_scope",  # a day's export is restated for up to 72 hours
        scope=Scope(date="event_date"),
        needed=(
            "event_date",
            "occurred_at",
            "event_name",
            "user_pseudo_id",
            "ga_session_id",
            "transaction_id",
            "purchase_revenue",
        ),
    ),
)
