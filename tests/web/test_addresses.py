"""The address is the question: it says all of it, and comes back unchanged."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from martlet.api.questions import read_question
from martlet.semantic.requests import Query
from martlet.web.addresses import question_address, question_of, read_address

TYPES = {
    "source_platform": "varchar",
    "campaigns.campaign_name": "varchar",
    "is_test": "boolean",
    "clicks": "bigint",
    "spend": "decimal",
    "ctr": "double",
    "report_date": "date",
}
_TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: text == text.strip() and not text.startswith("[")
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "varchar": _TEXTS,
    "boolean": st.booleans(),
    "bigint": st.integers(-(2**62), 2**62),
    "decimal": st.floats(-1e9, 1e9, allow_nan=False).map(lambda number: round(number, 3)),
    "double": st.floats(0, 1, allow_nan=False),
    "date": st.dates().map(str),
}


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    field = draw(st.sampled_from(sorted(TYPES)))
    op = draw(st.sampled_from(["eq", "ne", "gt", "in", "not_in", "is_null"]))
    values = _VALUES[TYPES[field]]
    if op == "is_null":
        return {"field": field, "op": op}
    value = draw(st.lists(values, min_size=1, max_size=4) if op in ("in", "not_in") else values)
    return {"field": field, "op": op, "value": value}


@st.composite
def questions(draw: st.DrawFn) -> Query:
    names = st.lists(st.sampled_from(sorted(TYPES)), unique=True, min_size=1, max_size=3)
    question: dict[str, Any] = {
        "model": "ad_performance",
        "measures": draw(names),
        "dimensions": draw(names),
        "filters": draw(st.lists(conditions(), max_size=3)),
        "order": draw(st.lists(st.sampled_from(["spend", "-clicks"]), unique=True)),
        "limit": draw(st.sampled_from([1, 100, 500, 100_000])),
        "totals": draw(st.booleans()),
    }
    if draw(st.booleans()):
        question["time"] = {"start": "2026-06-01", "end": "2026-06-30", "grain": "week"}
    if draw(st.booleans()):
        question["convert_to"] = "EUR"
    return Query.model_validate(question)


@given(questions())
def test_a_question_comes_back_from_its_address(query: Query) -> None:
    address = question_address("acme", query)

    stated = read_address(QueryParams(address.partition("?")[2]))

    assert read_question(Query, question_of(stated, TYPES)) == query
    assert address == question_address("acme", read_question(Query, question_of(stated, TYPES)))


@given(st.text(max_size=200))
def test_no_address_breaks_the_reading_of_it(text: str) -> None:
    stated = read_address(QueryParams(text))

    assert isinstance(question_of(stated, TYPES), dict)


def test_a_list_may_be_written_with_commas() -> None:
    stated = read_address(QueryParams("field=source_platform&op=in&value=google_ads, bing_ads"))

    (condition,) = question_of(stated, TYPES)["filters"]

    assert condition["value"] == ["google_ads", "bing_ads"]


def test_a_row_of_the_form_without_a_field_is_no_condition() -> None:
    stated = read_address(QueryParams("field=&op=eq&value=&field=clicks&op=gt&value=10"))

    assert question_of(stated, TYPES)["filters"] == [{"field": "clicks", "op": "gt", "value": 10}]
