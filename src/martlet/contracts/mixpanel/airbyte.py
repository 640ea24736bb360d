"""Mixpanel events and profiles as Airbyte types them: flat, and nearly everything a string."""

from martlet.contracts.base import LandedRecord, optional, personal


class AirbyteEvent(LandedRecord):
    """An event after Airbyte: properties hoisted, a leading `$` stripped, values as strings.

    Source: airbyte-source-mixpanel, stream `export`. `time` is ISO 8601. Names that differ in
    case alone get a leading underscore; what a project adds lands as further columns.
    """

    event: str | None = optional()
    distinct_id: str | None = personal(subject=True)
    insert_id: str | None = optional()
    time: str | None = optional(description="ISO 8601 with offset")
    device_id: str | None = personal(subject=True)
    user_id: str | None = personal(subject=True)
    browser: str | None = optional()
    browser_version: str | None = optional()
    created: str | None = optional()
    email: str | None = personal(subject=True)
    first_name: str | None = personal()
    last_name: str | None = personal()
    initial_referrer: str | None = optional()
    os: str | None = optional()
    device: str | None = optional()
    screen_width: str | None = optional()
    city: str | None = optional()
    region: str | None = optional()
    mp_country_code: str | None = optional()
    current_url: str | None = optional()
    referrer: str | None = optional()
    utm_medium: str | None = optional("UTM_Medium")
    utm_term: str | None = optional("UTM_Term")
    utm_source: str | None = optional("UTM_source")
    utm_campaign: str | None = optional()
    utm_content: str | None = optional()
    revenue: str | None = optional(description="custom property, major units")
    currency: str | None = optional()
    transaction_id: str | None = optional()
    order_id: str | None = optional()
    mp_lib: str | None = optional()
    labels: list[str] | None = optional()
    sampling_factor: int | None = optional()
    dataset: str | None = optional()
    import_: bool | None = optional("import")
    url: str | None = optional("URL")
    mp_api_timestamp_ms: str | None = optional()
    mp_api_endpoint: str | None = optional()
    mp_processing_time_ms: str | None = optional()


class AirbytePerson(LandedRecord):
    """A profile after Airbyte: properties hoisted, a leading `$` stripped.

    Source: airbyte-source-mixpanel, stream `engage`. What a project adds lands as further columns.
    """

    distinct_id: str | None = personal(subject=True)
    browser: str | None = optional()
    browser_version: str | None = optional()
    city: str | None = optional()
    country_code: str | None = optional()
    region: str | None = optional()
    timezone: str | None = optional()
    last_seen: str | None = optional(description="UTC")
    email: str | None = personal(subject=True)
    name: str | None = personal()
    first_name: str | None = personal()
    last_name: str | None = personal()
    id: str | None = personal()
    unblocked: str | None = optional()
