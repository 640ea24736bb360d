"""What Martlet reads from Amplitude's events and users."""

from martlet.contracts.amplitude.airbyte import AirbyteEvent
from martlet.contracts.amplitude.native import Event, User
from martlet.contracts.base import Column, ObjectContract, Version


def _property(name: str) -> tuple[str, str]:
    """Return the paths of a property that may be sent with the event or kept on the user."""
    return (f"$.event_properties.{name}", f"$.user_properties.{name}")


_EVENT_COLUMNS = (
    Column("event_uuid", "varchar", ("$.uuid",)),
    Column("insert_id", "varchar", ('$."$insert_id"',)),
    Column("event_name", "varchar", ("$.event_type",)),
    Column("occurred_at", "timestamp", ("$.event_time",)),
    Column("client_occurred_at", "timestamp", ("$.client_event_time",)),
    Column("server_uploaded_at", "timestamp", ("$.server_upload_time",)),
    Column("amplitude_id", "varchar", ("$.amplitude_id",)),
    Column("user_id", "varchar", ("$.user_id",)),
    Column("device_id", "varchar", ("$.device_id",)),
    # A moment, not a name: a double after Airbyte, so text would give '1709650000000.0'.
    Column("session_start_ms", "bigint", ("$.session_id",)),
    # Not from user_properties: those keep the campaign of an earlier visit.
    Column("utm_source", "varchar", ("$.event_properties.utm_source",)),
    Column("utm_medium", "varchar", ("$.event_properties.utm_medium",)),
    Column("utm_campaign", "varchar", ("$.event_properties.utm_campaign",)),
    Column("referrer", "varchar", _property("referrer")),
    Column(
        "page_location",
        "varchar",
        ('$.event_properties."[Amplitude] Page URL"', "$.event_properties.page_location"),
    ),
    Column("revenue", "decimal", ('$.event_properties."$revenue"', "$.event_properties.revenue")),
    Column("unit_price", "decimal", ('$.event_properties."$price"', "$.event_properties.price")),
    Column(
        "quantity", "decimal", ('$.event_properties."$quantity"', "$.event_properties.quantity")
    ),
    Column(
        "currency", "varchar", ('$.event_properties."$currency"', "$.event_properties.currency")
    ),
    Column(
        "transaction_id",
        "varchar",
        ("$.event_properties.transaction_id", "$.event_properties.order_id"),
    ),
    Column("platform_name", "varchar", ("$.platform",)),
    Column("device_type", "varchar", ("$.device_type",)),
    Column("device_family", "varchar", ("$.device_family",)),
    Column("os_name", "varchar", ("$.os_name",)),
    Column("country", "varchar", ("$.country",)),
    Column("region", "varchar", ("$.region",)),
    Column("library", "varchar", ("$.library",)),
    Column("event_properties", "json", ("$.event_properties",)),
    Column("user_properties", "json", ("$.user_properties",)),
)

_USER_COLUMNS = (
    Column("amplitude_id", "varchar", ("$.amplitude_id",)),
    Column("user_id", "varchar", ("$.user_id",)),
    Column("device_id", "varchar", ("$.device_id",)),
    Column("user_created_at", "timestamp", ("$.user_creation_time",)),
    Column("country", "varchar", ("$.country",)),
    Column("region", "varchar", ("$.region",)),
    Column("city", "varchar", ("$.city",)),
    Column("language", "varchar", ("$.language",)),
    Column("platform_name", "varchar", ("$.platform",)),
    Column("os_name", "varchar", ("$.os_name",)),
    Column("device_family", "varchar", ("$.device_family",)),
    Column("device_type", "varchar", ("$.device_type",)),
    Column("start_version", "varchar", ("$.start_version",)),
    Column("is_paying", "boolean", ("$.paying",)),
    Column("user_properties", "json", ("$.user_properties",)),
)

CONTRACTS: tuple[ObjectContract, ...] = (
    ObjectContract(
        object="events",
        versions=(
            Version("native", Event),
            # Where no session has begun, only the spelling of moments tells the two apart.
            Version("airbyte", AirbyteEvent, signs=(("event_time", r"T.+[+-]\d\d:\d\d$"),)),
        ),
        columns=_EVENT_COLUMNS,
        cursor="server_uploaded_at",
        key=("event_uuid",),
        load_mode="upsert",
        needed=(
            "event_uuid",
            "event_name",
            "occurred_at",
            "amplitude_id",
            "session_start_ms",
            "event_properties",
        ),
    ),
    ObjectContract(
        object="users",
        versions=(Version("native", User),),
        columns=_USER_COLUMNS,
        cursor=None,
        key=("amplitude_id",),
        load_mode="upsert",
        needed=("amplitude_id",),
    ),
)
