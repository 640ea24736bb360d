"""Pages of a question put together are the question's answer, whatever it asks and their size."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from martlet.marts.store import MartStore
from martlet.semantic.cursors import LONGEST
from martlet.semantic.errors import QueryRefusedError
from martlet.semantic.requests import Query
from martlet.semantic.service import SemanticService
from tests.unit.mart_fixture import SESSIONS, write_mart

LONG = ["x" * 9_000, "x" * 9_000 + "y", None]
FIELDS = {
    "ad_performance": (
        ["source_platform", "report_date", "ad_group_id", "campaigns.campaign_name", "campaigns.daily_budget", "currency"],
        ["clicks", "ctr", "conversions", "row_count"],
    ),
    "orders": (
        ["is_test", "is_cancelled", "ordered_at", "customer_email", "financial_status"],
        ["revenue", "aov", "row_count"],
    ),
    "sessions": (["traffic_campaign", "user_pseudo_id"], ["session_count", "session_revenue"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SemanticService]:
    folder = tmp_path_factory.mktemp("paging") / "marts"
    long = [
        SESSIONS[1] | {"session_id": f"long {n}", "traffic_campaign": text}
        for n, text in enumerate(LONG)
    ]
    write_mart(folder, sessions=(*SESSIONS, *long))
    store = MartStore(folder)
    yield SemanticService(store, pseudonym_key="secret")
    store.close()


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    model = draw(st.sampled_from(sorted(FIELDS)))
    dimensions, measures = FIELDS[model]
    asked: dict[str, Any] = {
        "model": model,
        "dimensions": draw(st.lists(st.sampled_from(dimensions), unique=True, min_size=1, max_size=3)),
        "measures": draw(st.lists(st.sampled_from(measures), unique=True, max_size=2)),
    }  # fmt: skip
    if draw(st.booleans()):
        asked["time"] = {"grain": draw(st.sampled_from(["day", "week", "month"]))}
    sortable = [*asked["dimensions"], *asked["measures"]]
    order = draw(st.lists(st.sampled_from(sortable), unique=True, max_size=2))
    asked["order"] = [f"{draw(st.sampled_from(['', '-']))}{field}" for field in order]
    if asked["measures"] and draw(st.booleans()):
        asked["filters"] = [[asked["measures"][0], "is_not_null"]]
    return asked


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    asked=questions(), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3), pii=st.booleans()
)
def test_pages_of_any_size_are_the_whole_answer(
    service: SemanticService, asked: dict[str, Any], sizes: list[int], pii: bool
) -> None:
    """Also with null keys, pseudonyms, ties, periods, and texts longer than a cursor may be."""
    model = asked.pop("model")
    if model == "sessions":
        asked.pop("time", None)

    def page(**more: Any) -> Any:
        return service.query("acme", Query(model=model, **asked, **more), may_see_personal=pii)

    whole = page(limit=1_000).table.to_pylist()
    got: list[dict[str, Any]] = []
    cursor = None
    for turn in range(len(whole) + 1):
        answer = page(limit=sizes[turn % len(sizes)], cursor=cursor)
        assert 0 < len(answer.table) <= sizes[turn % len(sizes)] or not whole
        got += answer.table.to_pylist()
        cursor = answer.next_cursor
        assert answer.truncated == (cursor is not None)
        if cursor is None:
            break
        assert len(cursor) <= LONGEST

    assert got == whole


def test_a_position_too_long_for_a_cursor_is_counted(service: SemanticService) -> None:
    asked = {
        "model": "sessions",
        "dimensions": ["traffic_campaign"],
        "order": ["-traffic_campaign"],
    }

    first = service.query("acme", Query(**asked, limit=2), may_see_personal=False)
    assert first.table.to_pylist()[-1]["traffic_campaign"] == LONG[0]
    second = service.query(
        "acme", Query(**asked, limit=2, cursor=first.next_cursor), may_see_personal=False
    )

    assert len(first.next_cursor or "") < 200
    assert [row["traffic_campaign"] for row in second.table.to_pylist()] == [
        "brand 100%_ ",
        "Newsletter",
    ]


def test_a_cursor_belongs_to_one_question_tenant_and_scope(service: SemanticService) -> None:
    asked = {"model": "orders", "measures": ["row_count"], "dimensions": ["customer_email"]}
    cursor = service.query("acme", Query(**asked, limit=1), may_see_personal=True).next_cursor

    for other in (asked | {"measures": ["revenue"]}, asked | {"order": ["-row_count"]}):
        with pytest.raises(QueryRefusedError, match="another question"):
            service.query("acme", Query(**other, cursor=cursor), may_see_personal=True)
    with pytest.raises(QueryRefusedError, match="another question"):
        service.query("acme", Query(**asked, cursor=cursor), may_see_personal=False)
    with pytest.raises(QueryRefusedError, match="another question"):
        service.query("umbrella", Query(**asked, cursor=cursor), may_see_personal=True)


def test_a_cursor_that_was_changed_or_made_up_is_refused(service: SemanticService) -> None:
    asked = {"model": "orders", "measures": ["row_count"], "dimensions": ["order_id"]}
    cursor = service.query("acme", Query(**asked, limit=1), may_see_personal=False).next_cursor
    assert cursor is not None
    packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    told = json.loads(packed[16:])
    forged = packed[:16] + json.dumps([*told[:2], 2, told[3]]).encode()

    for token in ("", "x", "é", "=" * 40, cursor[:-1], cursor + "A", "A" * 4_000,
                  base64.urlsafe_b64encode(forged).decode()):  # fmt: skip
        with pytest.raises(QueryRefusedError) as error:
            service.query("acme", Query(**asked, cursor=token), may_see_personal=False)
        assert error.value.field == "cursor"


def test_questions_that_mean_the_same_have_one_digest(service: SemanticService) -> None:
    first = Query(
        model="orders",
        measures=["revenue"],
        filters=[["currency", "in", ["EUR", "USD"]], ["is_test", "eq", False]],
    )
    same = Query(
        model="orders",
        measures=["revenue"],
        filters=[["is_test", "eq", False], ["currency", "in", ["USD", "EUR", "USD"]]],
        limit=1_000,
    )
    others = [
        first.model_copy(update={"limit": 5}),
        first.model_copy(update={"measures": ["aov"]}),
        Query(model="orders", measures=["revenue"], filters=[["is_test", "eq", 0]]),
    ]

    digests = {service.query_digest(each) for each in (first, same)}

    assert len(digests) == 1
    assert not digests & {service.query_digest(each) for each in others}
