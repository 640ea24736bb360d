"""What Martlet reads from Mixpanel's events and profiles."""

from martlet.contracts.base import Column, ColumnType, ObjectContract, Version
from martlet.contracts.mixpanel.airbyte import AirbyteEvent, AirbytePerson
from martlet.contracts.mixpanel.native import Event, Person


def _reserved(column: str, kind: ColumnType, name: str, root: str = "$.properties") -> Column:
    """Return the column of a property that carries a `$` on the wire and none after Airbyte."""
    return Column(column, kind, (f'{root}."${name}"', f"$.{name}"))


def _plain(column: str, kind: ColumnType, name: str, *landed: str) -> Column:
    """Return the column of a property without `$`; `landed` are Airbyte's spellings of it."""
    spellings = tuple(f"$.{spelling}" for spelling in landed or (name,))
    return Column(column, kind, (f"$.properties.{name}", *spellings))


_PROFILE = '$."$properties"'

_EVENT_COLUMNS = (
    _reserved("insert_id", "varchar", "insert_id"),
    Column("event_name", "varchar", ("$.event",)),
    # Epoch seconds on the wire, ISO 8601 after Airbyte.
    _plain("occurred_at", "epoch_s", "time"),
    _plain("distinct_id", "varchar", "distinct_id"),
    _reserved("user_id", "varchar", "user_id"),
    _reserved("device_id", "varchar", "device_id"),
    _plain("utm_source", "varchar", "utm_source", "utm_source", "UTM_source"),
    _plain("utm_medium", "varchar", "utm_medium", "utm_medium", "UTM_Medium"),
    _plain("utm_campaign", "varchar", "utm_campaign"),
    _plain("utm_content", "varchar", "utm_content"),
    _plain("utm_term", "varchar", "utm_term", "utm_term", "UTM_Term"),
    _reserved("referrer", "varchar", "referrer"),
    _reserved("initial_referrer", "varchar", "initial_referrer"),
    Column(
        "page_location",
        "varchar",
        ('$.properties."$current_url"', "$.current_url", "$.URL"),
    ),
    _plain("revenue", "decimal", "revenue"),
    _plain("currency", "varchar", "currency"),
    Column(
        "transaction_id",
        "varchar",
        (
            "$.properties.transaction_id",
            "$.properties.order_id",
            "$.transaction_id",
            "$.order_id",
        ),
    ),
    _reserved("device_name", "varchar", "device"),
    _reserved("os_name", "varchar", "os"),
    _reserved("browser", "varchar", "browser"),
    _plain("country_code", "varchar", "mp_country_code"),
    _reserved("region", "varchar", "region"),
    _reserved("city", "varchar", "city"),
    _plain("library", "varchar", "mp_lib"),
    _plain("processed_at", "epoch_ms", "mp_processing_time_ms"),
)

_PERSON_COLUMNS = (
    Column("distinct_id", "varchar", ('$."$distinct_id"', "$.distinct_id")),
    _reserved("email", "varchar", "email", _PROFILE),
    _reserved("full_name", "varchar", "name", _PROFILE),
    _reserved("first_name", "varchar", "first_name", _PROFILE),
    _reserved("last_name", "varchar", "last_name", _PROFILE),
    _reserved("last_seen_at", "timestamp", "last_seen", _PROFILE),
    _reserved("country_code", "varchar", "country_code", _PROFILE),
    _reserved("region", "varchar", "region", _PROFILE),
    _reserved("city", "varchar", "city", _PROFILE),
    _reserved("timezone", "varchar", "timezone", _PROFILE),
    _reserved("browser", "varchar", "browser", _PROFILE),
    Column("profile_properties", "json", (_PROFILE,)),
)

CONTRACTS: tuple[ObjectContract, ...] = (
    ObjectContract(
        object="events",
        versions=(Version("native", Event), Version("airbyte", AirbyteEvent)),
        columns=_EVENT_COLUMNS,
        cursor="occurred_at",
        key=("event_name", "distinct_id", "occurred_at", "insert_id"),
        load_mode="upsert",
        needed=("insert_id", "event_name", "occurred_at", "distinct_id"),
    ),
    ObjectContract(
        object="people",
        versions=(Version("native", Person), Version("airbyte", AirbytePerson)),
        columns=_PERSON_COLUMNS,
        cursor="last_seen_at",
        key=("distinct_id",),
        load_mode="upsert",
        needed=("distinct_id",),
    ),
)
