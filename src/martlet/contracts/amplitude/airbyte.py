"""Amplitude events as Airbyte types them; it has no stream of users."""

from pydantic import JsonValue

from martlet.contracts.base import LandedRecord, optional, personal


class AirbyteEvent(LandedRecord):
    """An event after Airbyte: moments in ISO 8601 with offset, `session_id` a double.

    Source: airbyte-source-amplitude. Revenue is a property, in major units.
    """

    server_received_time: str | None = optional()
    app: int | None = optional()
    device_carrier: str | None = optional()
    schema_version: int | None = optional("$schema")
    city: str | None = optional()
    user_id: str | None = personal(subject=True)
    uuid: str | None = optional()
    event_time: str | None = optional(description="UTC")
    platform: str | None = optional()
    os_version: str | None = optional()
    amplitude_id: int | None = personal(subject=True)
    processed_time: str | None = optional()
    user_creation_time: str | None = optional()
    version_name: str | None = optional()
    ip_address: str | None = personal()
    paying: bool | None = optional()
    dma: str | None = optional()
    group_properties: dict[str, JsonValue] | None = optional()
    user_properties: dict[str, JsonValue] | None = personal()
    client_upload_time: str | None = optional()
    insert_id: str | None = optional("$insert_id")
    event_type: str | None = optional()
    library: str | None = optional()
    amplitude_attribution_ids: str | None = optional()
    device_type: str | None = optional()
    device_manufacturer: str | None = optional()
    start_version: str | None = optional()
    location_lng: float | None = personal()
    server_upload_time: str | None = optional(description="UTC")
    event_id: int | None = optional()
    location_lat: float | None = personal()
    os_name: str | None = optional()
    amplitude_event_type: str | None = optional()
    device_brand: str | None = optional()
    groups: dict[str, JsonValue] | None = optional()
    event_properties: dict[str, JsonValue] | None = optional()
    data: dict[str, JsonValue] | None = optional()
    device_id: str | None = personal(subject=True)
    language: str | None = optional()
    device_model: str | None = optional()
    country: str | None = optional()
    region: str | None = optional()
    is_attribution_event: bool | None = optional()
    adid: str | None = personal()
    session_id: float | None = optional(
        description="milliseconds since 1970 at which the session began; -1: none"
    )
    device_family: str | None = optional()
    sample_rate: str | float | None = optional()
    idfa: str | None = personal()
    client_event_time: str | None = optional()
    insert_key: str | None = optional("$insert_key")
    data_type: str | None = optional()
    plan: dict[str, JsonValue] | None = optional()
    source_id: str | None = optional()
    partner_id: str | None = optional()
    global_user_properties: dict[str, JsonValue] | None = personal()
