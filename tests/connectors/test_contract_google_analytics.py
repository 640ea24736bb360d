"""The GA4 contract reads the event as the BigQuery export writes it."""

from martlet.contracts.google_analytics.contract import CONTRACTS
from martlet.contracts.google_analytics.native import Event

PURCHASE = {
    "event_date": "20240305",
    "event_timestamp": 1709650811123456,
    "event_name": "purchase",
    "event_params": [
        {"key": "ga_session_id", "value": {"int_value": 1709650000}},
        {"key": "session_engaged", "value": {"string_value": "1"}},
        {"key": "page_location", "value": {"string_value": "https://shop.example/thanks"}},
        {"key": "currency", "value": {"string_value": "EUR"}},
    ],
    "user_pseudo_id": "1234567890.1709650000",
    "user_id": "member-7",
    "privacy_info": {"analytics_storage": "Yes", "uses_transient_token": "No"},
    "device": {"category": "mobile", "web_info": {"browser": "Chrome"}},
    "geo": {"country": "Germany"},
    "traffic_source": {"name": "(direct)", "medium": "(none)", "source": "(direct)"},
    "collected_traffic_source": {
        "manual_source": "google",
        "manual_medium": "cpc",
        "manual_campaign_name": "spring",
        "gclid": "Cj0KCQ",
    },
    "session_traffic_source_last_click": {
        "manual_campaign": {"campaign_name": "spring", "source": "google", "medium": "cpc"},
        "google_ads_campaign": {"campaign_id": "17", "campaign_name": "Spring 2024"},
    },
    "ecommerce": {
        "purchase_revenue": 59.9,
        "purchase_revenue_in_usd": 65.0,
        "refund_value": 0.0,
        "transaction_id": "T-1001",
        "unique_items": 1,
    },
    "items": [{"item_id": "SKU-1", "price": 59.9, "quantity": 1}],
    "stream_id": "4242",
    "platform": "WEB",
}


def test_an_exported_purchase_validates_and_keeps_its_session_and_money() -> None:
    event = Event.model_validate(PURCHASE)

    assert event.event_timestamp == 1709650811123456
    assert event.ecommerce is not None
    assert event.ecommerce.transaction_id == "T-1001"
    assert event.event_params is not None
    assert event.event_params[0].value is not None
    assert event.event_params[0].value.int_value == 1709650000


def test_an_event_without_consent_validates_without_a_visitor() -> None:
    event = Event.model_validate({**PURCHASE, "user_pseudo_id": None})

    assert event.user_pseudo_id is None


def test_an_event_has_no_key_and_needs_what_makes_a_session() -> None:
    (events,) = CONTRACTS
    columns = {column.name for column in events.columns}

    assert events.key == ()
    assert {"user_pseudo_id", "ga_session_id", "occurred_at"} <= set(events.needed) <= columns
