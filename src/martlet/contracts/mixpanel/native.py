"""Mixpanel events and profiles as the export and engage APIs send them."""

from martlet.contracts.base import LandedRecord, Nested, optional, personal


class EventProperties(Nested):
    """What was sent with an event: the library's own names carry a `$`, custom ones do not."""

    time: int | None = optional(description="seconds since 1970; see the README on zones")
    distinct_id: str | None = personal(subject=True)
    insert_id: str | None = optional("$insert_id")
    device_id: str | None = personal("$device_id", subject=True)
    user_id: str | None = personal("$user_id", subject=True)
    browser: str | None = optional("$browser")
    browser_version: str | int | float | None = optional("$browser_version")
    os: str | None = optional("$os")
    device: str | None = optional("$device")
    screen_width: int | None = optional("$screen_width")
    screen_height: int | None = optional("$screen_height")
    city: str | None = optional("$city")
    region: str | None = optional("$region")
    mp_country_code: str | None = optional()
    current_url: str | None = optional("$current_url")
    referrer: str | None = optional("$referrer")
    referring_domain: str | None = optional("$referring_domain")
    initial_referrer: str | None = optional("$initial_referrer")
    initial_referring_domain: str | None = optional("$initial_referring_domain")
    utm_source: str | None = optional()
    utm_medium: str | None = optional()
    utm_campaign: str | None = optional()
    utm_content: str | None = optional()
    utm_term: str | None = optional()
    email: str | None = personal("$email", subject=True)
    ip: str | None = personal()
    revenue: float | str | None = optional()
    currency: str | None = optional()
    transaction_id: str | int | None = optional()
    order_id: str | int | None = optional()
    mp_lib: str | None = optional()
    mp_api_endpoint: str | None = optional("$mp_api_endpoint")
    mp_api_timestamp_ms: int | None = optional("$mp_api_timestamp_ms")
    mp_processing_time_ms: int | None = optional()


class Event(LandedRecord):
    """One line of an export.

    Source: raw event export (`/api/2.0/export`). Everything but the name lies in `properties`;
    `time` is in seconds, revenue a custom property in major units.
    """

    event: str | None = optional()
    properties: EventProperties | None = optional()


class ProfileProperties(Nested):
    """The properties of a profile; every project adds its own."""

    email: str | None = personal("$email", subject=True)
    name: str | None = personal("$name")
    first_name: str | None = personal("$first_name")
    last_name: str | None = personal("$last_name")
    phone: str | None = personal("$phone")
    id: str | int | None = personal("$id")
    last_seen: str | None = optional("$last_seen", description="UTC, without an offset")
    created: str | None = optional("$created")
    browser: str | None = optional("$browser")
    browser_version: str | int | float | None = optional("$browser_version")
    os: str | None = optional("$os")
    city: str | None = optional("$city")
    region: str | None = optional("$region")
    country_code: str | None = optional("$country_code")
    timezone: str | None = optional("$timezone")
    unblocked: bool | str | None = optional("$unblocked")


class Person(LandedRecord):
    """Wire form of a profile.

    Source: engage API. The profile is its latest state; only `$last_seen` says when it moved.
    """

    distinct_id: str | None = personal("$distinct_id", subject=True)
    properties: ProfileProperties | None = optional("$properties")
