"""The Mixpanel contract reads the wire form and Airbyte's flattened one."""

from martlet.contracts.mixpanel.airbyte import AirbyteEvent, AirbytePerson
from martlet.contracts.mixpanel.contract import CONTRACTS
from martlet.contracts.mixpanel.native import Event, Person

EVENT = {
    "event": "Order Completed",
    "properties": {
        "time": 1709674811,
        "distinct_id": "member-7",
        "$insert_id": "a1b2c3",
        "$device_id": "d-1",
        "$user_id": "member-7",
        "$browser": "Chrome",
        "$browser_version": 122,
        "$os": "Mac OS X",
        "$device": "iPhone",
        "$city": "Berlin",
        "$region": "Berlin",
        "mp_country_code": "DE",
        "$current_url": "https://shop.example/thanks",
        "$referrer": "https://search.example/",
        "$initial_referrer": "$direct",
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
        "utm_content": "cup",
        "utm_term": "cups",
        "revenue": 59.9,
        "currency": "EUR",
        "transaction_id": "T-1001",
        "order_id": 1001,
        "mp_lib": "web",
        "mp_processing_time_ms": 1709674812345,
    },
}
AIRBYTE_EVENT = {
    "event": "Order Completed",
    "time": "2024-03-05T21:40:11+00:00",
    "distinct_id": "member-7",
    "insert_id": "a1b2c3",
    "device_id": "d-1",
    "user_id": "member-7",
    "browser": "Chrome",
    "browser_version": "122",
    "os": "Mac OS X",
    "device": "iPhone",
    "city": "Berlin",
    "region": "Berlin",
    "mp_country_code": "DE",
    "current_url": "https://shop.example/thanks",
    "URL": "https://shop.example/thanks",
    "referrer": "https://search.example/",
    "initial_referrer": "$direct",
    "UTM_source": "google",
    "UTM_Medium": "cpc",
    "UTM_Term": "cups",
    "utm_campaign": "spring",
    "utm_content": "cup",
    "revenue": "59.9",
    "currency": "EUR",
    "transaction_id": "T-1001",
    "order_id": "1001",
    "mp_lib": "web",
    "mp_processing_time_ms": "1709674812345",
    "import": True,
}
PERSON = {
    "$distinct_id": "member-7",
    "$properties": {
        "$email": "ada@example.org",
        "$name": "Ada L.",
        "$first_name": "Ada",
        "$last_name": "L.",
        "$last_seen": "2024-03-05T21:40:11",
        "$country_code": "DE",
        "$region": "Berlin",
        "$city": "Berlin",
        "$timezone": "Europe/Berlin",
        "$browser": "Chrome",
        "123": "a key that is a number",
    },
}
AIRBYTE_PERSON = {
    "distinct_id": "member-7",
    "email": "ada@example.org",
    "name": "Ada L.",
    "first_name": "Ada",
    "last_name": "L.",
    "last_seen": "2024-03-05T21:40:11",
    "country_code": "DE",
    "region": "Berlin",
    "city": "Berlin",
    "timezone": "Europe/Berlin",
    "browser": "Chrome",
}


def test_a_wire_event_keeps_its_identity_below_properties() -> None:
    event = Event.model_validate(EVENT)

    assert event.event == "Order Completed"
    assert event.properties is not None
    assert event.properties.insert_id == "a1b2c3"
    assert event.properties.time == 1709674811


def test_a_flattened_event_keeps_its_identity_and_its_strings() -> None:
    event = AirbyteEvent.model_validate(AIRBYTE_EVENT)

    assert (event.distinct_id, event.insert_id) == ("member-7", "a1b2c3")
    assert event.revenue == "59.9"
    assert event.import_ is True
    assert event.utm_source == "google"


def test_a_profile_validates_in_both_shapes() -> None:
    wire = Person.model_validate(PERSON)
    flat = AirbytePerson.model_validate(AIRBYTE_PERSON)

    assert wire.distinct_id == flat.distinct_id == "member-7"
    assert wire.properties is not None
    assert wire.properties.email == flat.email


def test_keys_and_needed_columns_exist() -> None:
    for contract in CONTRACTS:
        columns = {column.name for column in contract.columns}
        assert {*contract.key, *contract.needed, contract.cursor} <= columns
