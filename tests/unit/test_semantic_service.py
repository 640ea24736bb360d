"""The service answers what is asked, refuses what has no answer, and says what must be known."""

import threading
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from martlet.marts.errors import MartTimeoutError
from martlet.marts.store import Mart, MartStore
from martlet.semantic.answers import Answer
from martlet.semantic.errors import (
    AnswerTooLargeError,
    CursorExpiredError,
    MartUnavailableError,
    PersonalFieldError,
    QueryRefusedError,
    QueryTimeoutError,
    TenantNotFoundError,
    TooBusyError,
    UnknownFieldError,
    UnknownModelError,
)
from martlet.semantic.requests import Comparison, Query, ValueSearch
from martlet.semantic.service import Limits, SemanticService
from tests.unit.mart_fixture import ADS, write_mart


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service") / "marts"
    write_mart(folder)
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[SemanticService]:
    store = MartStore(folder)
    yield SemanticService(store, pseudonym_key="secret")
    store.close()


def ask(service: SemanticService, may_see_personal: bool = False, **asked: Any) -> Answer:
    query = Query(**({"model": "ad_performance"} | asked))
    return service.query("acme", query, may_see_personal=may_see_personal)


def rows(answer: Answer) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in answer.table.to_pylist()]


def test_a_question_is_answered_in_exact_types(service: SemanticService) -> None:
    answer = ask(
        service,
        measures=["clicks", "spend", "cpc"],
        dimensions=["campaigns.campaign_name", "report_date"],
        filters=[["currency", "eq", "EUR"]],
    )

    assert rows(answer) == [
        ("Brand 100%_", date(2026, 5, 1), 5, Decimal("15.25"), 3.05),
        ("'; drop table x; --", date(2026, 5, 4), 0, Decimal("7.5"), None),
        (None, date(2026, 5, 12), 2, Decimal(1), 0.5),
        (None, date(2026, 6, 30), None, None, None),
    ]  # fmt: skip
    assert answer.table.schema.types == [
        pa.string(),
        pa.date32(),
        pa.int64(),
        pa.decimal128(38, 6),
        pa.float64(),
    ]
    assert [(c.name, c.type, c.role, c.unit) for c in answer.columns] == [
        ("campaigns.campaign_name", "varchar", "dimension", None),
        ("report_date", "date", "time", None),
        ("clicks", "bigint", "measure", "count"),
        ("spend", "decimal(38,6)", "measure", "EUR"),
        ("cpc", "double", "measure", "EUR"),
    ]
    assert answer.data_version == service.version("acme")
    assert not answer.truncated
    assert answer.next_cursor is None


def test_an_empty_answer_keeps_its_types(service: SemanticService) -> None:
    answer = ask(
        service,
        measures=["clicks", "spend", "cpc"],
        dimensions=["source_platform"],
        time={"start": "1999-01-01", "end": "1999-01-31", "grain": "month"},
    )

    assert len(answer.table) == 0
    assert [str(type_) for type_ in answer.table.schema.types] == [
        "date32[day]", "string", "string", "int64", "decimal128(38, 6)", "double",
    ]  # fmt: skip


def test_without_measures_the_distinct_values_are_told(service: SemanticService) -> None:
    assert rows(ask(service, dimensions=["campaigns.status", "source_platform"])) == [
        ("active", "google_ads"),
        ("paused", "google_ads"),
        (None, "facebook_ads"),
        (None, "google_ads"),
    ]


def test_a_range_of_moments_holds_its_whole_last_day(service: SemanticService) -> None:
    asked = {"model": "orders", "measures": ["order_count", "row_count"]}
    first = {"field": "ordered_at", "start": "2026-05-01", "end": "2026-05-01"}

    assert rows(ask(service, **asked, time=first)) == [(2, 2)]
    assert rows(ask(service, **asked, time=first | {"end": "2026-05-03"})) == [(2, 2)]
    assert rows(ask(service, **asked, time=first | {"end": "9999-12-31"})) == [(3, 5)]
    assert rows(ask(service, **asked, time={"end": "2026-05-04"})) == [(2, 4)]


def test_conditions_on_measures_choose_groups_and_need_not_be_asked_for(
    service: SemanticService,
) -> None:
    asked = {"measures": ["clicks"], "dimensions": ["campaign_id"]}

    assert rows(ask(service, **asked, filters=[["spend", "gt", 10], ["clicks", "lt", 25]])) == [
        ("1", "EUR", 5)
    ]
    assert rows(ask(service, **asked, filters=[["clicks", "gte", 4.5]])) == [("9", 25), ("1", 5)]
    assert rows(ask(service, **asked, filters=[["clicks", "is_null"]])) == [(None, None)]


def test_rows_are_sorted_as_asked_and_nulls_come_last_either_way(service: SemanticService) -> None:
    asked = {"measures": ["impressions"], "dimensions": ["campaign_id"]}

    up = [row[0] for row in rows(ask(service, **asked, order=["campaign_id"]))]
    down = [row[0] for row in rows(ask(service, **asked, order=["-campaign_id"]))]

    assert up == ["1", "2", "9", "lost", None]
    assert down == ["lost", "9", "2", "1", None]
    assert [row[0] for row in rows(ask(service, **asked))] == ["9", "1", "lost", "2", None]


def test_totals_are_over_all_rows_that_conditions_on_dimensions_choose(
    service: SemanticService,
) -> None:
    answer = ask(
        service,
        measures=["clicks", "ctr", "spend"],
        dimensions=["ad_id"],
        filters=[["source_platform", "eq", "google_ads"], ["currency", "in", ["EUR"]]],
        limit=1,
        totals=True,
    )

    assert answer.truncated
    assert answer.totals == {"clicks": 7, "ctr": 7 / 159, "spend": Decimal("23.75")}


def test_personal_values_are_pseudonyms_without_the_scope(service: SemanticService) -> None:
    asked = {"model": "orders", "measures": ["row_count"], "dimensions": ["customer_id"]}

    (disguised, _), (none, _) = sorted(rows(ask(service, **asked)), key=lambda row: row[0] is None)
    seen = rows(ask(service, may_see_personal=True, **asked))

    assert disguised.startswith("p_")
    assert len(disguised) == 18
    assert none is None
    assert ("7", 2) in seen
    assert disguised not in str(seen)


@pytest.mark.parametrize("op", ["eq", "contains", "is_null"])
def test_personal_values_can_be_neither_filtered_nor_searched_without_the_scope(
    service: SemanticService, op: str
) -> None:
    value = None if op == "is_null" else "ann@example.com"
    filters = [{"field": "customer_email", "op": op, "value": value}]
    search = ValueSearch(model="orders", dimension="customer_email", search="ann")

    with pytest.raises(PersonalFieldError, match="customer_email"):
        ask(service, model="orders", measures=["row_count"], filters=filters)
    with pytest.raises(PersonalFieldError):
        service.values("acme", search, may_see_personal=False)
    found = service.values("acme", search, may_see_personal=True)
    assert {row[0] for row in rows(found)} == {"Ann@example.com", " ann@example.com"}


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"model": "ad_performanc", "measures": ["spend"]}, UnknownModelError, "did you mean 'ad_performance'"),
        ({"measures": ["spendd"]}, UnknownFieldError, "did you mean 'spend'"),
        ({"measures": ["source_platform"]}, UnknownFieldError, "it is a dimension"),
        ({"dimensions": ["campaign_key"]}, UnknownFieldError, "did you mean 'campaign_id'"),
        ({"dimensions": ["martlet__row_count"]}, UnknownFieldError, "no dimension"),
        ({"dimensions": ["orders.order_id"]}, UnknownFieldError, "no dimension"),
        ({"measures": ["spend"], "filters": [["nothing", "eq", 1]]}, UnknownFieldError, "nothing"),
        ({"measures": ["spend"], "order": ["clicks"]}, QueryRefusedError, "not asked for"),
        ({"measures": ["spend"], "order": ["click"]}, UnknownFieldError, "did you mean 'clicks'"),
        ({"measures": ["spend"], "time": {"field": "campaign_id"}}, UnknownFieldError, "no time"),
        ({"model": "campaigns", "measures": ["campaign_count"], "time": {"grain": "week"}}, UnknownFieldError, "no day of its own"),
        ({"measures": ["spend"], "filters": [["report_date", "eq", "yesterday"]]}, QueryRefusedError, "report_date: the value 'yesterday'.*\n.*YYYY-MM-DD"),
        ({"measures": ["spend"], "filters": [["spend", "contains", "1"]]}, QueryRefusedError, "'contains' cannot be asked of a field of type decimal"),
        ({"model": "orders", "measures": ["row_count"], "filters": [["is_test", "gt", True]]}, QueryRefusedError, "'gt' cannot"),
    ],
)  # fmt: skip
def test_what_has_no_answer_is_refused_with_the_nearest_that_has(
    service: SemanticService, asked: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        ask(service, **asked)


ODD = [
    10**30, -(10**30), 10**5000, 2**63, 1e308, -1e-300, 0.1, True, "a" * 2000, "a\x00b", "\ud800", "",
    "'; drop table x; --", "$row00", "%", "__mart__", "9999-12-31", "0000-00-00", "0001-01-01",
    "2026-02-30", "2026-05-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "-0", "1e400", "nan", "٣", "\u202e\U0001f600",
]  # fmt: skip


def test_no_value_however_odd_is_an_internal_error(service: SemanticService) -> None:
    fields = {
        "ad_performance": ["source_platform", "report_date", "spend", "clicks", "cpc", "campaigns.daily_budget", "campaigns.first_seen_at"],
        "orders": ["is_test", "ordered_at", "revenue"],
    }  # fmt: skip
    answered = refused = 0
    for model, names in fields.items():
        for field in names:
            for value in ODD:
                for op in ("eq", "ne", "gt", "lte", "contains", "in"):
                    condition = {
                        "field": field,
                        "op": op,
                        "value": [value, value] if op == "in" else value,
                    }
                    try:
                        query = Query(model=model, measures=["row_count"], filters=[condition])
                    except ValueError:  # refused where requests are read
                        continue
                    assert service.query_digest(query)
                    try:
                        service.query("acme", query, may_see_personal=False)
                        answered += 1
                    except QueryRefusedError as error:
                        assert error.field == field
                        str(error).encode()
                        refused += 1

    assert answered > 200
    assert refused > 300


def test_a_text_is_looked_for_literally_whatever_the_case(service: SemanticService) -> None:
    def named(text: str) -> list[str]:
        filters = [["campaigns.campaign_name", "contains", text]]
        return [row[0] for row in rows(ask(service, dimensions=["ad_id"], filters=filters))]

    assert named("BRAND") == ["a", "b"]
    assert named("100%_") == ["a", "b"]
    assert named("b%d") == []
    assert named("'; DROP") == ["c"]


def test_values_are_found_the_most_frequent_first(service: SemanticService) -> None:
    def found(**asked: Any) -> list[tuple[Any, ...]]:
        search = ValueSearch(**({"model": "ad_performance"} | asked))
        return rows(service.values("acme", search, may_see_personal=False))

    assert found(dimension="source_platform") == [("google_ads", 5), ("facebook_ads", 2)]
    assert found(dimension="campaigns.campaign_name", search="brand") == [("Brand 100%_", 2)]
    assert found(dimension="report_date", search="-05-1") == [(date(2026, 5, 12), 1)]
    assert [row[1] for row in found(model="orders", dimension="customer_email")] == [1, 1]
    limited = ValueSearch(model="ad_performance", dimension="ad_id", limit=2)
    assert service.values("acme", limited, may_see_personal=False).truncated


def test_two_periods_are_put_side_by_side(service: SemanticService) -> None:
    answer = service.compare(
        "acme",
        Comparison(
            model="ad_performance",
            measures=["clicks", "cpc"],
            dimensions=["campaign_id"],
            filters=[["currency", "eq", "EUR"]],
            current={"start": "2026-05-04", "end": "2026-05-12"},
        ),
        may_see_personal=False,
    )

    assert answer.extra == {
        "current": {"start": date(2026, 5, 4), "end": date(2026, 5, 12)},
        "previous": {"start": date(2026, 4, 25), "end": date(2026, 5, 3)},
    }
    assert answer.table.column_names == [
        "campaign_id",
        "clicks", "clicks_previous", "clicks_change", "clicks_change_ratio",
        "cpc", "cpc_previous", "cpc_change", "cpc_change_ratio",
    ]  # fmt: skip
    assert rows(answer) == [
        ("lost", 2, None, None, None, 0.5, None, None, None),
        ("2", 0, None, None, None, None, None, None, None),
        ("1", None, 5, None, None, None, 3.05, None, None),
    ]


def test_a_comparison_matches_groups_without_a_value_and_needs_no_dimension(
    service: SemanticService,
) -> None:
    def compared(**asked: Any) -> list[tuple[Any, ...]]:
        comparison = Comparison(
            model="ad_performance",
            measures=["clicks"],
            current={"start": "2026-05-04", "end": "2026-05-04"},
            previous={"start": "2026-05-01", "end": "2026-05-01"},
            **asked,
        )
        return rows(service.compare("acme", comparison, may_see_personal=False))

    assert compared() == [(15, 15, 0, 0.0)]
    assert compared(dimensions=["ad_group_id", "campaigns.campaign_name"], filters=[["source_platform", "eq", "facebook_ads"]]) == [
        (None, None, 15, 10, 5, 0.5)
    ]  # fmt: skip
    assert compared(filters=[["clicks", "gt", 99]]) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"current": {"start": "0001-01-01", "end": "0001-01-02"}},
        {"current": {"field": "report_date", "start": "2026-01-01", "end": "2026-01-02"}, "previous": {"field": "campaigns.start_date", "start": "2026-01-01", "end": "2026-01-02"}},
    ],
)  # fmt: skip
def test_periods_that_cannot_be_compared_are_refused(
    service: SemanticService, asked: dict[str, Any]
) -> None:
    comparison = Comparison(model="ad_performance", measures=["clicks"], **asked)

    with pytest.raises(QueryRefusedError):
        service.compare("acme", comparison, may_see_personal=False)


def test_the_sql_is_explained_with_its_values_apart(service: SemanticService) -> None:
    query = Query(
        model="orders",
        measures=["revenue"],
        dimensions=["customer_email"],
        filters=[["financial_status", "in", ["paid", "it's"]]],
    )

    told = service.explain("acme", query, may_see_personal=False)

    assert '"fct_acme__orders"' in told.sql
    assert "__mart__" not in told.sql
    assert told.data_version not in told.sql
    assert told.parameters == {
        "pseudonymkey": "(secret)",
        "row00_0": "paid",
        "row00_1": "it's",
    }
    assert all(f"${name}" in told.sql for name in told.parameters)


def test_models_are_described_with_what_their_fields_mean(service: SemanticService) -> None:
    listed = service.models("acme")
    told = service.describe("acme", "ad_performance")

    assert [each["model"] for each in listed["models"]] == [
        "ad_performance", "orders", "sessions", "campaigns", "blended",
    ]  # fmt: skip
    assert told["time_dimension"] == "report_date"
    assert told["currencies"] == ["EUR", "USD"]
    assert (told["first_day"], told["last_day"], told["row_count"]) == (
        "2026-05-01",
        "2026-06-30",
        7,
    )
    measures = {each["name"]: each for each in told["measures"]}
    assert measures["conversions"]["claimed"]
    assert (measures["cpc"]["unit"], measures["cpc"]["type"]) == ("money_per_count", "double")
    dimensions = {each["name"]: each for each in told["dimensions"]}
    assert dimensions["campaigns.start_date"]["grains"] == [
        "day",
        "week",
        "month",
        "quarter",
        "year",
    ]
    assert "campaign_key" not in dimensions
    emails = {each["name"]: each for each in service.describe("acme", "orders")["dimensions"]}
    assert emails["customer_email"]["personal"]


def test_unknown_and_forbidden_tenants_are_told_alike(service: SemanticService) -> None:
    told = set()
    for tenant in ("nobody", "acme_", "../acme", "Acme", "", "acme\x00"):
        with pytest.raises(TenantNotFoundError) as error:
            service.models(tenant)
        told.add(str(error.value))

    assert len(told) == 1


def test_a_full_pool_refuses_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service = SemanticService(MartStore(folder), Limits(slots=1), pseudonym_key="k")
    is_running, may_end = threading.Event(), threading.Event()
    fetch = Mart.fetch_arrow

    def slow(self: Mart, *args: Any, **kwargs: Any) -> pa.Table:
        is_running.set()
        assert may_end.wait(20)
        return fetch(self, *args, **kwargs)

    monkeypatch.setattr(Mart, "fetch_arrow", slow)
    first = threading.Thread(target=ask, args=(service,), kwargs={"measures": ["clicks"]})
    first.start()
    assert is_running.wait(20)

    with pytest.raises(TooBusyError) as error:
        ask(service, measures=["clicks"])

    may_end.set()
    first.join()
    assert error.value.retry_after_seconds >= 1
    assert rows(ask(service, measures=["clicks"])) == [(32,)]


def test_what_goes_wrong_with_a_mart_is_told_without_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "marts"
    written = write_mart(folder)
    small = SemanticService(MartStore(folder), Limits(max_bytes=10), pseudonym_key="k")
    with pytest.raises(AnswerTooLargeError):
        ask(small, measures=["clicks"], dimensions=["ad_id"])

    def overdue(*_: Any, **__: Any) -> None:
        raise MartTimeoutError("the query took longer than 1 s")

    with monkeypatch.context() as patched, pytest.raises(QueryTimeoutError):
        patched.setattr(Mart, "fetch_arrow", overdue)
        ask(small, measures=["clicks"])
    written.file.write_bytes(b"no database" * 1_000)
    fresh = SemanticService(MartStore(folder), pseudonym_key="k")
    with pytest.raises(MartUnavailableError) as error:
        ask(fresh, measures=["clicks"])
    assert str(tmp_path) not in str(error.value)


def test_pages_stay_in_the_version_of_the_first_until_it_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "marts"
    write_mart(folder)
    service = SemanticService(MartStore(folder), pseudonym_key="k")
    asked = {"measures": ["clicks"], "dimensions": ["ad_id"], "limit": 4}
    first = ask(service, **asked)
    write_mart(folder, ads=ADS[:1])

    second = ask(service, **asked, cursor=first.next_cursor)
    newest = ask(service, **asked)
    for _ in range(2):
        write_mart(folder, ads=ADS[:2], keep=1)

    assert second.data_version == first.data_version
    assert second.data_version != newest.data_version
    assert len(rows(first)) + len(rows(second)) == 6
    assert rows(newest) == [("a", 4)]
    with pytest.raises(CursorExpiredError):
        ask(service, **asked, cursor=first.next_cursor)


def test_freshness_is_told_source_by_source(service: SemanticService) -> None:
    told = service.freshness("acme")

    assert told.data_version == service.version("acme")
    assert isinstance(told.published_at, datetime)


def test_a_first_question_finds_everything_warm(folder: Path) -> None:
    service = SemanticService(MartStore(folder), pseudonym_key="k")

    service.warm("acme")

    assert rows(ask(service, measures=["clicks"])) == [(32,)]
