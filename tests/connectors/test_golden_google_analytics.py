"""Events of GA4, written by hand, and the sessions that a person reads in them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.connectors.harness import GoldenFacts, run_golden

# Shapes: BigQuery Export schema (event parameters, `ecommerce`, `collected_traffic_source`,
# `session_traffic_source_last_click`, `traffic_source`).
FOUR = 1710129600  # 2024-03-11 04:00:00 UTC
DAY = 86_400


def event(
    name: str, second: float, user: str | None = "ada", session: int | None = FOUR, **fields: Any
) -> dict[str, Any]:
    """Return an event; `params` are its texts beside the session, everything else is the record's.

    The user's first touch stands in every event, and is not the session's.
    """
    texts = fields.pop("params", {})
    params = [{"key": key, "value": {"string_value": text}} for key, text in texts.items()]
    if session is not None:
        params.append({"key": "ga_session_id", "value": {"int_value": session}})
        params.append({"key": "ga_session_number", "value": {"int_value": 3}})
    return {
        "event_date": "20240310",
        "event_timestamp": round(second * 1_000_000),
        "event_name": name,
        "event_params": params,
        "user_pseudo_id": user,
        "traffic_source": {"source": "first", "medium": "first", "name": "first"},
        **fields,
    }


def bought(transaction: str | None, revenue: float) -> dict[str, Any]:
    """Return what a purchase carries beside its parameters."""
    return {
        "transaction_id": transaction,
        "purchase_revenue": revenue,
        "purchase_revenue_in_usd": revenue * 1.1,
    }


OWN = {
    "manual_source": "bing",
    "manual_medium": "cpc",
    "manual_campaign_name": 'Ada\'s "best"',
}
LAST_CLICK = {
    "manual_campaign": {"source": "mail", "medium": "email", "campaign_name": "May"},
    "google_ads_campaign": None,
}
EVENTS = [
    # Ada comes with a campaign, buys, and reloads the page that thanks her.
    event("session_start", FOUR + 0.000001, params={"source": "(direct)", "medium": "(none)"}),
    event("view_item", FOUR + 1, collected_traffic_source=OWN),
    event(
        "purchase",
        FOUR + 60,
        params={"currency": "EUR"},
        ecommerce=bought("T-1", 25.1),
        collected_traffic_source={"manual_source": "later"},
    ),
    event("purchase", FOUR + 61, params={"currency": "EUR"}, ecommerce=bought("T-1", 25.1)),
    # Bob's session has the same number, and no campaign. What he looks at has a price in dollars.
    event("view_item", FOUR, "bob", params={"currency": "USD"}),
    # The reload a day later, and two purchases without a number, which are two.
    event("purchase", FOUR + DAY, session=FOUR + DAY, ecommerce=bought("T-1", 25.1)),
    event("purchase", FOUR + DAY + 1, session=FOUR + DAY, ecommerce=bought("(not set)", 2)),
    event("purchase", FOUR + DAY + 2, session=FOUR + DAY, ecommerce=bought("(not set)", 3)),
    # The session's own source by last click goes before what the event carried.
    event(
        "view_item",
        FOUR + DAY,
        "bob",
        FOUR + DAY,
        session_traffic_source_last_click=LAST_CLICK,
        collected_traffic_source=OWN,
    ),
    # The transaction as a parameter alone; two currencies make no sum.
    event(
        "purchase",
        FOUR,
        "eve",
        params={"transaction_id": "T-2", "currency": "EUR", "source": "news"},
        ecommerce=bought(None, 1),
    ),
    event("purchase", FOUR + 1, "eve", params={"currency": "USD"}, ecommerce=bought("T-3", 2)),
    # Nobody's: no consent, and an event outside any session.
    event("purchase", FOUR, None, ecommerce=bought("T-4", 99)),
    event("purchase", FOUR, "ada", None, ecommerce=bought("T-5", 99)),
]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> GoldenFacts:
    return run_golden(
        tmp_path_factory.mktemp("google_analytics"),
        "google_analytics",
        {"events": EVENTS},
        connections={"main": {"currency": "GBP"}, "second": {}},
        by_connection={"second": {"events": EVENTS[:2]}},
        tables={
            "events": {
                "conversion_events": ["purchase"],
                "funnel_steps": ["view_item", "add_to_cart", "purchase"],
            }
        },
        reporting_timezone="America/New_York",
    )


@pytest.fixture
def sessions(facts: GoldenFacts) -> dict[str, dict[str, Any]]:
    return {row["session_id"]: row for row in facts.rows("sessions", "connection = 'main'")}


ADAS, ADAS_NEXT = f"ada.{FOUR}", f"ada.{FOUR + DAY}"
BOBS, BOBS_NEXT = f"bob.{FOUR}", f"bob.{FOUR + DAY}"
EVES = f"eve.{FOUR}"


def test_a_session_is_a_visitor_and_a_number_and_needs_both(
    sessions: dict[str, dict[str, Any]],
) -> None:
    found = {key: (s["user_pseudo_id"], s["event_count"]) for key, s in sessions.items()}

    assert found == {
        ADAS: ("ada", 4),
        ADAS_NEXT: ("ada", 3),
        BOBS: ("bob", 1),
        BOBS_NEXT: ("bob", 1),
        EVES: ("eve", 2),
    }
    assert {session["session_number"] for session in sessions.values()} == {3}


def test_microseconds_are_utc_and_the_day_is_that_of_the_reporting_zone(
    sessions: dict[str, dict[str, Any]],
) -> None:
    session = sessions[ADAS]

    assert session["session_start_ts"] == datetime(2024, 3, 11, 4, 0, 0, 1)
    assert session["session_end_ts"] == datetime(2024, 3, 11, 4, 1, 1)
    # Summer time began the day before: it is midnight in New York, not eleven.
    assert session["business_date"] == date(2024, 3, 11)


def test_the_source_is_the_session_s_else_the_first_tagged_event_s_never_the_user_s(
    sessions: dict[str, dict[str, Any]],
) -> None:
    touches = {
        key: (s["traffic_source"], s["traffic_medium"], s["traffic_campaign"])
        for key, s in sessions.items()
    }

    assert touches == {
        ADAS: ("bing", "cpc", 'Ada\'s "best"'),
        ADAS_NEXT: (None, None, None),
        BOBS: (None, None, None),
        BOBS_NEXT: ("mail", "email", "May"),
        EVES: ("news", None, None),
    }


def test_a_transaction_counts_once_and_where_it_was_seen_first(
    sessions: dict[str, dict[str, Any]],
) -> None:
    revenues = {key: (s["session_revenue"], s["currency"]) for key, s in sessions.items()}

    assert revenues == {
        ADAS: (Decimal("25.10"), "EUR"),
        ADAS_NEXT: (Decimal("5"), "GBP"),
        BOBS: (Decimal("0"), "GBP"),
        BOBS_NEXT: (Decimal("0"), "GBP"),
        EVES: (Decimal("3"), None),
    }


def test_conversion_and_funnel_follow_the_events_that_the_tenant_names(
    sessions: dict[str, dict[str, Any]],
) -> None:
    reached = {
        key: (s["is_conversion_session"], s["funnel_step_reached"]) for key, s in sessions.items()
    }

    assert reached == {
        ADAS: (True, 3),
        ADAS_NEXT: (True, 3),
        BOBS: (False, 1),
        BOBS_NEXT: (False, 1),
        EVES: (True, 3),
    }


def test_another_property_keeps_its_own_sessions_of_the_same_number(facts: GoldenFacts) -> None:
    (session,) = facts.rows("sessions", "connection = 'second'")

    assert session["session_id"] == ADAS
    assert session["event_count"] == 2
    assert session["traffic_source"] == "bing"
    assert session["currency"] == "USD"
