"""Events of Amplitude, written by hand, and the sessions that a person reads in them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import TENANT, GoldenFacts, golden_tenant
from tests.project import new_project

# Shapes: Export API (event fields); HTTP API v2 (`revenue_amount`, `$revenue`, `$price`,
# `$quantity`); airbyte-source-amplitude, `events`.
ADA, BOB = 9007199254740993, 9007199254740992  # one apart, and equal as doubles
FOUR = 1710129600123  # 2024-03-11 04:00:00.123 UTC
NEXT_DAY = 1710216000000
EARLIER_VISIT = {"utm_source": "old", "utm_medium": "old", "utm_campaign": "old", "City": "A"}


def event(uuid: str, person: int, session: int, moment: str, **fields: Any) -> dict[str, Any]:
    """Return an event that was seen at `moment` (the device's clock says otherwise)."""
    return {
        "uuid": uuid,
        "$insert_id": f"i-{uuid}",
        "event_type": "page_view",
        "event_time": f"2024-03-{moment}",
        "client_event_time": "2024-03-20 00:00:00.000000",
        "server_upload_time": "2024-03-20 00:00:00.000000",
        "amplitude_id": person,
        "device_id": "device-ada" if person == ADA else None,
        "session_id": session,
        "event_properties": {},
        "user_properties": EARLIER_VISIT,
        **fields,
    }


def paid(revenue: float, **properties: Any) -> dict[str, Any]:
    """Return a purchase; price times quantity is not what was paid."""
    return {
        "event_type": "purchase",
        "event_properties": {"$revenue": revenue, "$price": 7, "$quantity": 9, **properties},
    }


OWN = {"utm_source": "bing", "utm_medium": "cpc", "utm_campaign": 'Bob\'s "best"'}
EVENTS = [
    # Ada comes with a campaign, buys, and reloads the page that thanks her.
    event("a1", ADA, FOUR, "11 04:00:00.123000", event_type="session_start"),
    event("a2", ADA, FOUR, "11 04:00:00.123001", event_type="view_item", event_properties=OWN),
    event(
        "a3",
        ADA,
        FOUR,
        "11 04:10:00.500000",
        **paid(25.1, transaction_id="T-1", **{"$currency": "EUR", "utm_source": "later"}),
    ),
    event("a4", ADA, FOUR, "11 04:11:00.000000", **paid(25.1, transaction_id="T-1")),
    # The same line of an export file, delivered again.
    event("a4", ADA, FOUR, "11 04:11:00.000000", **paid(25.1, transaction_id="T-1")),
    # Bob begins in the same millisecond, without campaign and without device.
    event("b1", BOB, FOUR, "11 04:00:00.123000", event_type="view_item"),
    event(
        "b2",
        BOB,
        FOUR,
        "11 04:40:00.000000",
        event_type="add_to_cart",
        **{
            "event_properties": {"$price": 10, "$quantity": 1},
        },
    ),
    # Ada opens the old thank-you page a day later, then pays twice in the app.
    event(
        "c1",
        ADA,
        NEXT_DAY,
        "12 04:00:00.000000",
        event_type="purchase",
        event_properties={
            "[Amplitude] Page URL": "https://x.example/?utm_source=mail&utm_campaign=May%20day",
            "transaction_id": "T-1",
            "$revenue": 25.1,
        },
    ),
    event(
        "c2",
        ADA,
        NEXT_DAY,
        "12 04:01:00.000000",
        event_type="revenue_amount",
        event_properties={"$price": 4.5, "$quantity": 2},
    ),
    event("c3", ADA, NEXT_DAY, "12 04:02:00.000000", **paid(1.25)),
    # Two currencies make no sum.
    event("d1", BOB, NEXT_DAY, "12 04:00:00.000000", **paid(1, **{"$currency": "EUR"})),
    event("d2", BOB, NEXT_DAY, "12 04:00:01.000000", **paid(2, **{"$currency": "USD"})),
    # Nobody's: an advertising report, and a visitor without consent.
    event("e1", ADA, -1, "11 04:00:00.000000", event_type="Daily Ad Metrics"),
    event("e2", 77, -1, "11 04:00:00.000000", **paid(99)),
]
# Airbyte: moments with an offset, the session a double.
AIRBYTE_EVENTS = [
    {
        "uuid": "a1",
        "event_type": "view_item",
        "event_time": "2024-03-05T15:46:41.250000+01:00",
        "amplitude_id": ADA,
        "device_id": "device-ada",
        "session_id": 1709650000000.0,
        "event_properties": {"utm_source": "bing"},
    }
]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    project = new_project(tmp_path_factory.mktemp("amplitude") / "project")
    source = {
        "connections": {"main": {"currency": "GBP"}, "app": {}},
        "tables": {
            "events": {
                "conversion_events": ["purchase"],
                "funnel_steps": ["view_item", "add_to_cart", "purchase"],
            }
        },
    }
    tenant = golden_tenant({"amplitude": source}, reporting_timezone="America/New_York")
    project.configure({TENANT: tenant})
    for connection, loader, rows in (
        ("main", "native", EVENTS),
        ("app", "airbyte", AIRBYTE_EVENTS),
    ):
        project.land_records(
            TENANT, "amplitude", "events", rows, "--loader", loader, "--connection", connection
        )
    project.run()
    return GoldenFacts(project)


@pytest.fixture
def sessions(facts: GoldenFacts) -> dict[str, dict[str, Any]]:
    return {row["session_id"]: row for row in facts.rows("sessions", "connection = 'main'")}


def test_a_session_is_a_person_and_a_start_and_minus_one_is_none(
    sessions: dict[str, dict[str, Any]],
) -> None:
    people = {key: (s["user_pseudo_id"], s["event_count"]) for key, s in sessions.items()}

    assert people == {
        "9007199254740993.1710129600123": ("device-ada", 4),
        "9007199254740992.1710129600123": ("9007199254740992", 2),
        "9007199254740993.1710216000000": ("device-ada", 3),
        "9007199254740992.1710216000000": ("9007199254740992", 2),
    }


def test_moments_are_the_corrected_ones_and_the_day_that_of_the_reporting_zone(
    sessions: dict[str, dict[str, Any]],
) -> None:
    session = sessions[f"{ADA}.{FOUR}"]

    assert session["session_start_ts"] == datetime(2024, 3, 11, 4, 0, 0, 123000)
    assert session["session_end_ts"] == datetime(2024, 3, 11, 4, 11)
    # Summer time began the day before: it is midnight in New York, not eleven.
    assert session["business_date"] == date(2024, 3, 11)


def test_the_source_is_that_of_the_first_tagged_event_and_never_that_of_an_earlier_visit(
    sessions: dict[str, dict[str, Any]],
) -> None:
    touches = {
        key: (s["traffic_source"], s["traffic_medium"], s["traffic_campaign"])
        for key, s in sessions.items()
    }

    assert touches == {
        f"{ADA}.{FOUR}": ("bing", "cpc", 'Bob\'s "best"'),
        f"{BOB}.{FOUR}": (None, None, None),
        f"{ADA}.{NEXT_DAY}": ("mail", None, "May day"),
        f"{BOB}.{NEXT_DAY}": (None, None, None),
    }


def test_a_transaction_counts_once_and_where_it_was_seen_first(
    sessions: dict[str, dict[str, Any]],
) -> None:
    revenues = {key: (s["session_revenue"], s["currency"]) for key, s in sessions.items()}

    assert revenues == {
        f"{ADA}.{FOUR}": (Decimal("25.10"), "EUR"),
        f"{BOB}.{FOUR}": (Decimal("0"), "GBP"),
        # 4.50 twice by price and quantity, and 1.25 as stated
        f"{ADA}.{NEXT_DAY}": (Decimal("10.25"), "GBP"),
        f"{BOB}.{NEXT_DAY}": (Decimal("3"), None),
    }


def test_conversion_and_funnel_follow_the_events_that_the_tenant_names(
    sessions: dict[str, dict[str, Any]],
) -> None:
    reached = {
        key: (s["is_conversion_session"], s["funnel_step_reached"]) for key, s in sessions.items()
    }

    assert reached == {
        f"{ADA}.{FOUR}": (True, 3),
        f"{BOB}.{FOUR}": (False, 2),
        f"{ADA}.{NEXT_DAY}": (True, 3),
        f"{BOB}.{NEXT_DAY}": (True, 3),
    }


def test_events_by_airbyte_become_the_same_session(facts: GoldenFacts) -> None:
    (session,) = facts.rows("sessions", "connection = 'app'")

    assert session["session_id"] == "9007199254740993.1709650000000"
    assert session["session_start_ts"] == datetime(2024, 3, 5, 14, 46, 41, 250000)
    assert session["traffic_source"] == "bing"
    assert session["currency"] == "USD"
