"""Landings of every awkward kind, pushed for real, against the oracle that replays them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.project import new_project
from tests.warehouse.oracle import Contents, Counts, Load, Record, Replay, Scope
from tests.warehouse.witness import (
    EVENTS,
    INSIGHTS,
    ORDERS,
    TENANT,
    TENANTS,
    Kind,
    Witness,
    event,
    insight,
    order,
)

FIELDS = ("account_id", "ad_id", "spend", "id", "total_price", "user_pseudo_id")
KINDS = (INSIGHTS, ORDERS, EVENTS)
WAVES = ("first", "incomplete", "two_at_once", "late", "restated", "nothing")
FIRST_DAYS = Scope(date(2024, 3, 1), date(2024, 3, 3))
BUT_STRANGER = frozenset({"flip", "twice", "vanish", "returns", "steady", "lost", "outside"})


def at(hours: float) -> datetime:
    """Return a moment of extraction."""
    return datetime(2024, 4, 1) + timedelta(hours=hours)


def whole(hours: float, *records: Record, scope: Scope = FIRST_DAYS) -> Load:
    """Return a delivery that states its scope whole."""
    return Load(records, at(hours), "replace_scope", scope)


# the records that never change
STEADY = (
    insight("twice", "2"),
    insight("vanish", "1"),
    insight("steady", "20"),
    insight("steady", "30", ad="ad2"),
)
GONE = insight("vanish", "9", ad="ad2")
ELSEWHERE = (insight("outside", "7", day=9), insight("stranger", "8"))
EVENING = event("ann"), event("ann"), event("ann", "purchase", second=1), event("bob", second=2)
SCOPED = Scope(FIRST_DAYS.start, FIRST_DAYS.end, BUT_STRANGER)
MARCH = Scope(date(2024, 3, 1), date(2024, 3, 31))
LATE_ORDERS = Load((order(1, "0.50"), order(3, "0.50")), at(0))
LATE_INSIGHTS = Load((insight("steady", "99"), insight("lost", "6", day=2)), at(2.5))
LATE_EVENTS = Load((event("bob", second=2), event("cleo", second=3)), at(2.5))
CSV = """id,created_at,currency,financial_status,total_price,gift_note
2,2024-03-01T12:00:00Z,USD,paid,2.00,
3,2024-03-01T12:00:00Z,USD,paid,3.00,
4,2024-03-01T12:00:00Z,USD,paid,4.00,
"""


def land(witness: Witness, wave: str) -> None:
    """Land a wave of deliveries."""
    if wave == "first":
        twice, flip = insight("twice", "1"), insight("flip", "1")
        rows = (flip, twice, *STEADY, GONE, insight("returns", "5"), *ELSEWHERE)
        witness.land(INSIGHTS, whole(1, *rows, scope=MARCH))
        numbered = [order(n, f"{n}.00") for n in (1, 3, 4, 5)]
        twice = order(2, "1.00"), order(2, "2.00")
        witness.land(ORDERS, Load((*numbered, *twice, order(None, "6.00")), at(1)))
        witness.land(EVENTS, Load(EVENING, at(1)))
    elif wave == "incomplete":
        keyless = insight("flip", "3", ad=None)
        witness.land(INSIGHTS, whole(2, insight("flip", "2"), *STEADY, keyless, scope=SCOPED))
        exported = tuple({**order(n, f"{n}.00"), "gift_note": None} for n in (2, 3, 4))
        witness.land(ORDERS, Load(exported, at(2)), text=CSV)
        witness.land(EVENTS, Load(tuple({**e, "consent_note": None} for e in EVENING), at(2)))
    elif wave == "two_at_once":
        rows = (insight("flip", "1"), *STEADY)
        witness.land(INSIGHTS, whole(3, *rows, scope=SCOPED))
        witness.land(INSIGHTS, whole(4, *rows, insight("returns", "5"), scope=SCOPED))
        witness.land(ORDERS, Load((order(1, "1.50"),), at(3)))
        witness.land(ORDERS, Load((order(1, "1.00"),), at(4)))
        witness.land(EVENTS, whole(3, *EVENING[1:]))
        witness.land(EVENTS, whole(4, *EVENING))
    elif wave == "late":
        snapshot = tuple(order(n, f"{n}.00") for n in (1, 2, 3, 4))
        witness.land(ORDERS, Load(snapshot, at(4.5), "snapshot"))
        for is_first in (True, False):
            witness.land(INSIGHTS, LATE_INSIGHTS)
            witness.land(ORDERS, LATE_ORDERS, as_command=is_first)
            witness.land(EVENTS, LATE_EVENTS)
    elif wave == "restated":
        rows = (insight("flip", "1"), *STEADY[:2], insight("steady", "21.5"), STEADY[3])
        witness.land(INSIGHTS, whole(5, *rows, insight("returns", "5"), scope=SCOPED))
        unchanged = tuple(order(n, f"{n}.00") for n in (1, 2, 3))
        witness.land(ORDERS, Load((*unchanged, order(4, "4.00", "partially_refunded")), at(5)))


@dataclass(frozen=True)
class Moment:
    """What the warehouse held after a run, and what it had to hold."""

    document: dict[str, Any]
    contents: dict[str, tuple[Contents, Contents]]
    facts: dict[str, Any]
    expected_facts: dict[str, Any]


@dataclass(frozen=True)
class History:
    """The witness after all waves, and the moments after each."""

    witness: Witness
    moments: dict[str, Moment]

    def master(self, kind: Kind, where: str, *columns: str) -> list[tuple[Any, ...]]:
        """Return versions in the order that makes the last one the newest."""
        fields = (f"raw_data_payload ->> '{name}' as {name}" for name in FIELDS)
        rows = self.witness.project.query(
            f"select {', '.join(columns)} "
            f"from (select *, {', '.join(fields)} from platform.{kind.master}) "
            f"where {where} order by extracted_at, load_id, load_row"
        )
        return [tuple(row.values()) for row in rows]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    project = new_project(tmp_path_factory.mktemp("push_oracle") / "project")
    project.configure(TENANTS)
    witness = Witness(project)
    moments = {}
    for wave in WAVES:
        land(witness, wave)
        document = witness.run()
        moments[wave] = Moment(
            document,
            {kind.object: (witness.contents(kind), witness.expected(kind)) for kind in KINDS},
            witness.facts(),
            witness.expected_facts(),
        )
    return History(witness, moments)


@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_after_every_run_masters_views_and_ledger_are_what_the_oracle_says(
    history: History, kind: Kind, wave: str
) -> None:
    found, expected = history.moments[wave].contents[kind.object]

    assert found.ledger == expected.ledger
    assert found.versions == expected.versions
    assert found.newest == expected.newest


@pytest.mark.parametrize("wave", WAVES)
def test_after_every_run_the_facts_are_the_newest_records_of_the_oracle(
    history: History, wave: str
) -> None:
    moment = history.moments[wave]

    assert moment.facts == moment.expected_facts


def test_a_value_that_changes_and_changes_back_is_three_versions(history: History) -> None:
    insights = history.master(INSIGHTS, "account_id = 'flip'", "spend")
    orders = history.master(ORDERS, "id = '1'", "total_price")

    assert insights == [("1",), ("2",), ("1",)]
    assert orders == [("0.50",), ("1.00",), ("1.50",), ("1.00",)]  # the first came last


def test_of_a_key_that_comes_twice_in_a_load_the_later_row_counts(history: History) -> None:
    versions = history.master(INSIGHTS, "account_id = 'twice'", "spend", "load_row")
    ledger = history.moments["first"].contents[ORDERS.object][0].ledger

    assert versions == [("1", 1), ("2", 2)]
    assert history.moments["first"].facts["orders"][1] == ("2", Decimal(2), "paid")
    assert ledger == [Counts(landed=7, pushed=6, known=0, quarantined=1, tombstoned=0)]


def test_a_row_that_vanishes_stays_while_loads_are_incomplete_and_then_gets_a_tombstone(
    history: History,
) -> None:
    where = "account_id = 'vanish' and ad_id = 'ad2'"
    versions = history.master(INSIGHTS, where, "is_deleted", "extracted_at", "load_row")

    assert versions == [(False, at(1), 6), (True, at(3), -1)]
    spends = {
        wave: [fact for fact in moment.facts["ad_performance"] if fact[0] == "vanish"]
        for wave, moment in history.moments.items()
    }
    assert len(spends["incomplete"]) == 2
    assert len(spends["two_at_once"]) == 1


def test_a_row_that_was_deleted_and_returns_is_there_again(history: History) -> None:
    versions = history.master(INSIGHTS, "account_id = 'returns'", "is_deleted")

    assert versions == [(False,), (True,), (False,)]


def test_what_lies_outside_of_a_scope_is_never_missed(history: History) -> None:
    versions = history.master(
        INSIGHTS, "account_id in ('outside', 'stranger')", "spend", "is_deleted"
    )

    assert versions == [("7", False), ("8", False)]


def test_a_snapshot_deletes_what_it_lacks(history: History) -> None:
    assert history.master(ORDERS, "id = '5'", "is_deleted") == [(False,), (True,)]
    assert [fact[0] for fact in history.moments["late"].facts["orders"]] == ["1", "2", "3", "4"]


def test_a_late_backfill_is_kept_as_history_and_a_second_delivery_of_it_adds_nothing(
    history: History,
) -> None:
    ledger = history.moments["late"].contents[ORDERS.object][0].ledger
    orders = history.master(ORDERS, "id = '3'", "extracted_at", "total_price")

    assert orders == [(at(0), "0.50"), (at(1), "3.00")]
    assert ledger[-2:] == [Counts(2, 2, 0, 0, 0), Counts(2, 0, 2, 0, 0)]
    assert ("3", Decimal(3), "paid") in history.moments["late"].facts["orders"]


def test_a_late_backfill_does_not_overwrite_what_later_loads_found_unchanged(
    history: History,
) -> None:
    where = "account_id = 'steady' and ad_id = 'ad1'"
    versions = history.master(INSIGHTS, where, "extracted_at", "spend", "load_row")

    assert versions[:3] == [(at(1), "20", 4), (at(2.5), "99", 0), (at(4), "20", -2)]
    late = [f for f in history.moments["late"].facts["ad_performance"] if f[0] == "steady"]
    assert [fact[2] for fact in late] == [Decimal(20), Decimal(30)]


def test_a_late_backfill_does_not_bring_back_what_later_loads_did_not_find(
    history: History,
) -> None:
    insights = history.master(INSIGHTS, "account_id = 'lost'", "extracted_at", "is_deleted")
    events = history.master(EVENTS, "user_pseudo_id = 'cleo'", "extracted_at", "is_deleted")

    assert insights == events == [(at(2.5), False), (at(4), True)]


@pytest.mark.parametrize("kind", [ORDERS, EVENTS], ids=lambda kind: kind.object)
def test_an_export_with_an_added_empty_column_is_known(history: History, kind: Kind) -> None:
    found, _ = history.moments["incomplete"].contents[kind.object]
    rows = len(EVENING) if kind is EVENTS else 3

    assert found.ledger[-1] == Counts(rows, 0, rows, 0, 0)


def test_the_same_event_twice_in_a_load_is_two_and_a_day_that_has_it_once_leaves_one(
    history: History,
) -> None:
    ann = {
        wave: next(count for user, count, _ in moment.facts["sessions"] if user == "ann")
        for wave, moment in history.moments.items()
    }
    ledger = history.moments["two_at_once"].contents[EVENTS.object][0].ledger

    assert ann["first"] == ann["incomplete"] == ann["two_at_once"] == 3
    assert ledger[2:] == [Counts(3, 0, 3, 0, 1), Counts(4, 1, 3, 0, 0)]


def test_restating_an_insight_and_an_order_adds_their_rows_and_changes_no_number_of_facts(
    history: History,
) -> None:
    before, after = history.moments["late"], history.moments["restated"]

    for kind in (INSIGHTS, ORDERS):
        versions = [
            sum(map(len, moment.contents[kind.object][0].versions)) for moment in (before, after)
        ]
        assert versions[1] == versions[0] + 1
    assert {name: len(rows) for name, rows in after.facts.items()} == {
        name: len(rows) for name, rows in before.facts.items()
    }
    changed = set(after.facts["ad_performance"]) - set(before.facts["ad_performance"])
    assert [fact[2] for fact in changed] == [Decimal("21.5")]
    assert set(after.facts["orders"]) - set(before.facts["orders"]) == {
        ("4", Decimal(4), "partially_refunded")
    }


def test_a_run_without_new_loads_pushes_nothing(history: History) -> None:
    moment = history.moments["nothing"]

    assert all(table["pushed"] == table["landed"] == 0 for table in moment.document["tables"])
    assert moment.contents == history.moments["restated"].contents
    assert moment.facts == history.moments["restated"].facts


def test_the_refused_row_stands_in_the_quarantine(history: History) -> None:
    rows = history.witness.project.query(
        f"select object, load_row from landing.{TENANT}._martlet_quarantine_rows order by object"
    )

    assert [tuple(row.values()) for row in rows] == [("facebook_insights", 5), ("orders", 6)]


@st.composite
def _loads(draw: st.DrawFn) -> Load:
    """A delivery of four records of two values, on three days, taken at one of six moments."""
    mode = draw(st.sampled_from(("upsert", "snapshot", "replace_scope")))
    days = sorted(draw(st.tuples(st.integers(0, 2), st.integers(0, 2))))
    chosen = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), max_size=4))
    records = tuple(
        {"id": number, "day": number % 3, "value": value}
        for number, value in chosen
        if mode != "replace_scope" or days[0] <= number % 3 <= days[1]
    )
    scope = Scope(*(FIRST_DAYS.start + timedelta(day) for day in days))
    scope_or_none = scope if mode == "replace_scope" else None
    return Load(records, at(draw(st.integers(0, 5))), mode, scope_or_none)


@pytest.mark.parametrize("has_key", [True, False], ids=["keyed", "keyless"])
@given(loads=st.lists(_loads(), max_size=6))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_newest_versions_are_the_truth_in_whatever_order_the_loads_arrive(
    has_key: bool, loads: list[Load]
) -> None:
    replay = Replay(
        identify=(lambda record: (record["id"],)) if has_key else None,
        place=lambda record: (None, FIRST_DAYS.start + timedelta(record["day"])),
    )
    for load in loads:
        replay.push(load)

    newest = {k: v.values for k, v in replay.newest().items() if not v.is_deleted}

    assert newest == replay.truth()
