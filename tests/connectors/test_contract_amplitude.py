"""The Amplitude contract reads exported events and the users derived from them."""

import json
import os
from pathlib import Path

import pytest

from martlet.contracts.amplitude.airbyte import AirbyteEvent
from martlet.contracts.amplitude.contract import CONTRACTS
from martlet.contracts.amplitude.native import Event, User

EVENT = {
    "$insert_id": "5f0adeff-6668-4427-8d02-57d803a2b841",
    "$schema": 12,
    "uuid": "37bcd2f0-2688-47d5-ba90-76b0bd13b0f8",
    "event_id": 41,
    "event_type": "Order Completed",
    "event_time": "2024-03-05 21:40:11.123000",
    "client_event_time": "2024-03-05 21:40:10.900000",
    "server_upload_time": "2024-03-05 21:40:12.000000",
    "amplitude_id": 9007199254740993,
    "user_id": "member-7",
    "device_id": "d-1",
    "session_id": 1709674800000,
    "platform": "Web",
    "device_type": "Apple iPhone",
    "device_family": "Apple iPhone",
    "os_name": "Mobile Safari",
    "country": "Germany",
    "region": "Berlin",
    "library": "amplitude-ts/1.0",
    "paying": None,
    "event_properties": {
        "$revenue": 59.9,
        "$price": 59.9,
        "$quantity": 1,
        "$currency": "EUR",
        "revenue": 59.9,
        "price": 59.9,
        "quantity": 1,
        "currency": "EUR",
        "transaction_id": "T-1001",
        "order_id": "T-1001",
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
        "referrer": "https://search.example/",
        "[Amplitude] Page URL": "https://shop.example/thanks",
        "page_location": "https://shop.example/thanks",
        "ad_metrics.cost": 0.5,
    },
    "user_properties": {
        "City": "Berlin",
        "city": "berlin",
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
        "referrer": "https://search.example/",
    },
}
AIRBYTE_EVENT = {**EVENT, "event_time": "2024-03-05T21:40:11.123000+00:00", "session_id": -1.0}
USER = {
    "amplitude_id": 9007199254740993,
    "user_id": "member-7",
    "device_id": "d-1",
    "user_creation_time": "2024-01-01 10:00:00.000000",
    "country": "Germany",
    "region": "Berlin",
    "city": "Berlin",
    "language": "German",
    "platform": "Web",
    "os_name": "Mobile Safari",
    "device_family": "Apple iPhone",
    "device_type": "Apple iPhone",
    "start_version": "1.0",
    "paying": True,
    "user_properties": {"plan": "gold"},
}


def test_an_exported_event_keeps_a_long_id_and_properties_that_differ_in_case() -> None:
    event = Event.model_validate(EVENT)

    assert event.uuid == "37bcd2f0-2688-47d5-ba90-76b0bd13b0f8"
    assert event.insert_id == "5f0adeff-6668-4427-8d02-57d803a2b841"
    assert event.amplitude_id == 9007199254740993
    assert event.user_properties is not None
    assert {"City", "city"} <= set(event.user_properties)


def test_an_airbyte_event_has_its_session_as_a_double() -> None:
    event = AirbyteEvent.model_validate(AIRBYTE_EVENT)

    assert event.session_id == -1.0
    assert event.uuid is not None


def test_a_user_validates() -> None:
    user = User.model_validate(USER)

    assert user.amplitude_id == 9007199254740993


def test_keys_and_needed_columns_exist() -> None:
    for contract in CONTRACTS:
        columns = {column.name for column in contract.columns}
        assert {*contract.key, *contract.needed} <= columns


def test_public_records_of_airbyte_validate() -> None:
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("MARTLET_REAL_RECORDS", root.parent / "shared" / "real_records"))
    path = folder / "amplitude.jsonl"
    if not path.exists():
        pytest.skip("no file of public records: set MARTLET_REAL_RECORDS")

    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    validated = [AirbyteEvent.model_validate(line["data"]) for line in lines]

    assert len(validated) > 0
    assert all(event.uuid and event.session_id == -1 for event in validated)
