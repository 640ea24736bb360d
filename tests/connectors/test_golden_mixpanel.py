"""Events of Mixpanel, written by hand, and the sessions that a person reads in them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes: raw event export (`/api/2.0/export`) and the identity properties of simplified ID merge;
# airbyte-source-mixpanel, stream `export`.
FOUR = 1710129600  # 2024-03-11 04:00:00 UTC
MINUTE = 60


def event(name: str, second: int, **properties: Any) -> dict[str, Any]:
    """Return an event of the visitor of device-a before the login, but for `properties`."""
    return {
        "event": name,
        "properties": {
            "time": second,
            "distinct_id": "$device:device-a",
            "$device_id": "device-a",
            "$insert_id": f"{name[:4]}{second % 10_000}",
            "$initial_referrer": "https://old.example/",
            **properties,
        },
    }


USER = {"distinct_id": "ada", "$user_id": "ada"}
BOB = {"distinct_id": "bob", "$device_id": ""}
EVENTS = [
    # Two events of one second; the second one has the campaign. Then a login, a purchase, and the
    # page that thanks for it once more.
    event("session_start", FOUR),
    event("view_item", FOUR, utm_source="bing", utm_medium="cpc", utm_campaign="Émile's"),
    event("view_item", FOUR + 29 * MINUTE + 59, utm_source="later"),
    event(
        "purchase",
        FOUR + 40 * MINUTE,
        revenue=25.1,
        currency="EUR",
        transaction_id=9007199254740993,
        **USER,
    ),
    event(
        "purchase", FOUR + 41 * MINUTE, revenue="25.1", transaction_id="9007199254740993", **USER
    ),
    # Sent twice: name, person, second and insert id are the same.
    event(
        "purchase", FOUR + 41 * MINUTE, revenue="25.1", transaction_id="9007199254740993", **USER
    ),
    # A pause of half an hour, then a session without any campaign, in which the page is reloaded.
    event("view_item", FOUR + 71 * MINUTE),
    event("purchase", FOUR + 72 * MINUTE, revenue=25.1, transaction_id="9007199254740993"),
    event("purchase", FOUR + 73 * MINUTE, revenue=3),
    # No device: the person stands in. A price in the cart is no revenue.
    event("add_to_cart", FOUR, revenue=500, utm_source="", **BOB),
    # The insert id of the day before, on another day.
    event("add_to_cart", FOUR + 86_400, **{**BOB, "$insert_id": f"add_{FOUR % 10_000}"}),
    # Nobody's.
    event("purchase", FOUR, revenue=99, distinct_id="", **{"$device_id": None}),
]
# Airbyte: flat, ISO moments, everything text, two names with capitals.
AIRBYTE_EVENTS = [
    {
        "event": "purchase",
        "distinct_id": "$device:device-a",
        "device_id": "device-a",
        "insert_id": "x1",
        "time": "2024-03-05T15:46:41+01:00",
        "UTM_source": "bing",
        "UTM_Medium": "cpc",
        "utm_campaign": "Sale",
        "revenue": "19.99",
        "currency": "USD",
        "order_id": "17",
    }
]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("mixpanel") / "project")
    source = {
        "connections": {"main": {"currency": "GBP"}, "second": {}},
        "tables": {
            "events": {
                "conversion_events": ["purchase"],
                "funnel_steps": ["view_item", "add_to_cart", "purchase"],
            }
        },
    }
    tenant = golden_tenant({"mixpanel": source}, reporting_timezone="America/New_York")
    project.configure({TENANT: tenant})
    for connection, loader, rows in (
        ("main", "native", EVENTS),
        ("second", "airbyte", AIRBYTE_EVENTS),
    ):
        project.land_records(
            TENANT, "mixpanel", "events", rows, "--loader", loader, "--connection", connection
        )
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def sessions(facts: GoldenFacts) -> dict[str, dict[str, Any]]:
    return {row["session_id"]: row for row in facts.rows("sessions", "connection = 'main'")}


FIRST, AFTER_THE_PAUSE = f"device-a.{FOUR}", f"device-a.{FOUR + 71 * MINUTE}"
BOBS, BOBS_NEXT = f"bob.{FOUR}", f"bob.{FOUR + 86_400}"


def test_half_an_hour_of_silence_ends_a_session_and_a_login_does_not(
    sessions: dict[str, dict[str, Any]],
) -> None:
    found = {key: (s["user_pseudo_id"], s["event_count"]) for key, s in sessions.items()}

    assert found == {
        FIRST: ("device-a", 5),
        AFTER_THE_PAUSE: ("device-a", 3),
        BOBS: ("bob", 1),
        BOBS_NEXT: ("bob", 1),
    }


def test_seconds_are_read_as_utc_and_the_day_is_that_of_the_reporting_zone(
    sessions: dict[str, dict[str, Any]],
) -> None:
    session = sessions[FIRST]

    assert session["session_start_ts"] == datetime(2024, 3, 11, 4)
    assert session["session_end_ts"] == datetime(2024, 3, 11, 4, 41)
    # Summer time began the day before: it is midnight in New York, not eleven.
    assert session["business_date"] == date(2024, 3, 11)


def test_the_source_is_that_of_the_first_tagged_event(sessions: dict[str, dict[str, Any]]) -> None:
    touches = {
        key: (s["traffic_source"], s["traffic_medium"], s["traffic_campaign"])
        for key, s in sessions.items()
    }

    assert touches == {
        FIRST: ("bing", "cpc", "Émile's"),
        AFTER_THE_PAUSE: (None, None, None),
        BOBS: (None, None, None),
        BOBS_NEXT: (None, None, None),
    }


def test_a_transaction_counts_once_and_where_it_was_seen_first(
    sessions: dict[str, dict[str, Any]],
) -> None:
    revenues = {key: (s["session_revenue"], s["currency"]) for key, s in sessions.items()}

    assert revenues == {
        FIRST: (Decimal("25.10"), "EUR"),
        AFTER_THE_PAUSE: (Decimal("3"), "GBP"),
        BOBS: (Decimal("0"), "GBP"),
        BOBS_NEXT: (Decimal("0"), "GBP"),
    }


def test_conversion_and_funnel_follow_the_events_that_the_tenant_names(
    sessions: dict[str, dict[str, Any]],
) -> None:
    reached = {
        key: (s["is_conversion_session"], s["funnel_step_reached"]) for key, s in sessions.items()
    }

    assert reached == {
        FIRST: (True, 3),
        AFTER_THE_PAUSE: (True, 3),
        BOBS: (False, 2),
        BOBS_NEXT: (False, 2),
    }


def test_a_flat_event_by_airbyte_becomes_the_same_session(facts: GoldenFacts) -> None:
    (session,) = facts.rows("sessions", "connection = 'second'")

    assert session["user_pseudo_id"] == "device-a"
    assert session["session_start_ts"] == datetime(2024, 3, 5, 14, 46, 41)
    assert session["traffic_source"] == "bing"
    assert session["traffic_medium"] == "cpc"
    assert session["traffic_campaign"] == "Sale"
    assert session["session_revenue"] == Decimal("19.99")
    assert session["currency"] == "USD"
