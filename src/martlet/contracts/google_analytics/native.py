"""The GA4 event as the BigQuery export writes it; the Data API gives reports, never events."""

from pydantic import JsonValue

from martlet.contracts.base import LandedRecord, Nested, optional, personal


class ParameterValue(Nested):
    """The value of a parameter: exactly one of the members is set, by the type that was sent."""

    string_value: str | None = optional()
    int_value: int | None = optional()
    float_value: float | None = optional()
    double_value: float | None = optional()


class UserPropertyValue(ParameterValue):
    """The value of a user property: what sites store about a visitor, hence personal."""

    string_value: str | None = personal()
    set_timestamp_micros: int | None = optional(description="microseconds since 1970, UTC")


class EventParameter(Nested):
    """One entry of `event_params`."""

    key: str | None = optional()
    value: ParameterValue | None = optional()


class UserProperty(Nested):
    """One entry of `user_properties`."""

    key: str | None = optional()
    value: UserPropertyValue | None = optional()


class PrivacyInfo(Nested):
    """The consent that was in force when the event was sent."""

    analytics_storage: str | None = optional(description="'Yes' or 'No'")
    ads_storage: str | None = optional(description="'Yes' or 'No'")
    uses_transient_token: str | None = optional()


class LifetimeValue(Nested):
    """Revenue of the user so far: restated with every later purchase."""

    revenue: float | None = optional()
    currency: str | None = optional()


class WebInfo(Nested):
    """Browser and host of a web stream."""

    browser: str | None = optional()
    browser_version: str | None = optional()
    hostname: str | None = optional()


class Device(Nested):
    """The device; `browser` of a web stream stands in `web_info`."""

    category: str | None = optional()
    mobile_brand_name: str | None = optional()
    mobile_model_name: str | None = optional()
    mobile_marketing_name: str | None = optional()
    mobile_os_hardware_model: str | None = optional()
    operating_system: str | None = optional()
    operating_system_version: str | None = optional()
    vendor_id: str | None = personal()
    advertising_id: str | None = personal()
    language: str | None = optional()
    is_limited_ad_tracking: str | None = optional(description="'Yes' or 'No'")
    time_zone_offset_seconds: int | None = optional()
    browser: str | None = optional()
    browser_version: str | None = optional()
    web_info: WebInfo | None = optional()


class Geo(Nested):
    """Place, derived by Google from the address of the request."""

    continent: str | None = optional()
    country: str | None = optional()
    region: str | None = optional()
    city: str | None = optional()
    sub_continent: str | None = optional()
    metro: str | None = optional()


class AppInfo(Nested):
    """The app of an app stream."""

    id: str | None = optional()
    version: str | None = optional()
    install_store: str | None = optional()
    firebase_app_id: str | None = optional()
    install_source: str | None = optional()


class FirstUserSource(Nested):
    """What brought the *user* for the first time, however long ago; not the session's source."""

    name: str | None = optional(description="campaign name")
    medium: str | None = optional()
    source: str | None = optional()


class CollectedSource(Nested):
    """Campaign parameters that this very event carried; null on events further into a visit."""

    manual_campaign_id: str | None = optional()
    manual_campaign_name: str | None = optional()
    manual_source: str | None = optional()
    manual_medium: str | None = optional()
    manual_term: str | None = optional()
    manual_content: str | None = optional()
    manual_source_platform: str | None = optional()
    manual_creative_format: str | None = optional()
    manual_marketing_tactic: str | None = optional()
    gclid: str | None = optional()
    dclid: str | None = optional()
    srsltid: str | None = optional()


class ManualCampaign(Nested):
    """Last tagged campaign of the session."""

    campaign_id: str | None = optional()
    campaign_name: str | None = optional()
    source: str | None = optional()
    medium: str | None = optional()
    term: str | None = optional()
    content: str | None = optional()
    source_platform: str | None = optional()
    creative_format: str | None = optional()
    marketing_tactic: str | None = optional()


class GoogleAdsCampaign(Nested):
    """Last Google Ads click of the session, from the linked account."""

    customer_id: str | None = optional()
    account_name: str | None = optional()
    campaign_id: str | None = optional()
    campaign_name: str | None = optional()
    ad_group_id: str | None = optional()
    ad_group_name: str | None = optional()


class SessionSource(Nested):
    """Last-click source of the session; exported since July 2024 and filled late."""

    manual_campaign: ManualCampaign | None = optional()
    google_ads_campaign: GoogleAdsCampaign | None = optional()


class Ecommerce(Nested):
    """Totals of the transaction, major units; plain members in the event's own currency."""

    total_item_quantity: int | None = optional()
    purchase_revenue_in_usd: float | None = optional()
    purchase_revenue: float | None = optional()
    refund_value_in_usd: float | None = optional()
    refund_value: float | None = optional()
    shipping_value_in_usd: float | None = optional()
    shipping_value: float | None = optional()
    tax_value_in_usd: float | None = optional()
    tax_value: float | None = optional()
    unique_items: int | None = optional()
    transaction_id: str | None = optional(description="'(not set)' where the site sent none")


class Event(LandedRecord):
    """One row of `events_YYYYMMDD`.

    Source: the GA4 export to BigQuery. Moments are integers in microseconds UTC, `event_date` is
    a day of the property's time zone, money is in major units. There is no record id.
    """

    event_date: str | None = optional(description="YYYYMMDD in the property's time zone")
    event_timestamp: int | None = optional(description="microseconds since 1970, UTC")
    event_previous_timestamp: int | None = optional(description="microseconds since 1970, UTC")
    event_name: str | None = optional()
    event_params: list[EventParameter] | None = optional()
    event_value_in_usd: float | None = optional()
    event_bundle_sequence_id: int | None = optional()
    event_server_timestamp_offset: int | None = optional(description="microseconds")
    user_id: str | None = personal(subject=True)
    user_pseudo_id: str | None = personal(subject=True)
    privacy_info: PrivacyInfo | None = optional()
    user_properties: list[UserProperty] | None = personal()
    user_first_touch_timestamp: int | None = optional(description="microseconds since 1970, UTC")
    user_ltv: LifetimeValue | None = optional()
    device: Device | None = optional()
    geo: Geo | None = optional()
    app_info: AppInfo | None = optional()
    traffic_source: FirstUserSource | None = optional()
    collected_traffic_source: CollectedSource | None = optional()
    session_traffic_source_last_click: SessionSource | None = optional()
    stream_id: str | None = optional()
    platform: str | None = optional(description="WEB, IOS or ANDROID")
    ecommerce: Ecommerce | None = optional()
    items: list[dict[str, JsonValue]] | None = optional()
    is_active_user: bool | None = optional()
    batch_event_index: int | None = optional()
    batch_page_id: int | None = optional()
    batch_ordering_id: int | None = optional()
