"""The overview: its numbers are those of the service, in one currency or apart."""

import re
from datetime import date
from typing import Any

import httpx
import pytest

from martlet.web.numbers import Measured, written
from tests.api.published import OTHER, OWN, Installation
from tests.web.conftest import SignedIn
from tests.web.served import LONG, QUOTES, RIGHT_TO_LEFT, SCRIPT, words_of

JUNE = {"start": "2026-06-01", "end": "2026-06-30"}


@pytest.fixture
def ask(address: str, installation: Installation) -> Any:
    """Give a function that asks the API the same."""

    def question(tenant: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = httpx.post(
            f"{address}/v1/{tenant}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {installation.key(tenant)}"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        names = [column["name"] for column in found["columns"]]
        return found | {"rows": [dict(zip(names, row, strict=True)) for row in found["rows"]]}

    return question


def test_headline_numbers_are_those_of_the_api(signed_in: SignedIn, ask: Any) -> None:
    measures = ["spend", "revenue", "orders", "sessions", "cac"]
    answer = ask(OWN, "query", {"model": "blended", "measures": measures, "time": JUNE})
    (row,) = answer["rows"]

    page = signed_in().get(f"/ui/{OWN}?start=2026-06-01&end=2026-06-30")

    words = words_of(page.text)
    for measure in ("spend", "revenue", "cac"):
        assert written(row[measure], Measured("money", "USD"), short=True) in words
    for measure in ("orders", "sessions"):
        assert f"{row[measure]:,}" in words
    assert f"Version {answer['data_version']}" in words
    assert "Money in US dollars (USD)" in words


def test_each_number_is_told_against_the_period_before(signed_in: SignedIn, ask: Any) -> None:
    current, before = (
        {"start": "2026-06-16", "end": "2026-06-30"},
        {"start": "2026-06-01", "end": "2026-06-15"},
    )
    rows = [
        ask(OWN, "query", {"model": "blended", "measures": ["spend"], "time": time})["rows"][0]
        for time in (current, before)
    ]
    ratio = rows[0]["spend"] / rows[1]["spend"] - 1

    page = signed_in().get(f"/ui/{OWN}?start=2026-06-16&end=2026-06-30")

    way = "up" if ratio > 0 else "down"
    assert re.search(rf"{way} [\d.]+% against 1\N{{EN DASH}}15 June 2026", words_of(page.text))


@pytest.mark.parametrize(
    "query", ["", "?period=7d", "?period=year", "?trend=cac", "?start=2020-01-01&end=2026-06-30"]
)
def test_every_period_and_trend_has_a_page(signed_in: SignedIn, query: str) -> None:
    assert signed_in().get(f"/ui/{OWN}{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("?period=fortnight", "There is no such period"),
        ("?start=2026-06-30&end=2026-06-01", "is after the last"),
        ("?start=x&end=y", "Give both the first and the last day"),
        ("?start=2019-01-01&end=2019-01-31", "There are no data as early as this"),
        ("?trend=nonsense&currency=nonsense", "Overview"),
    ],
)
def test_a_period_that_is_none_is_told_on_the_page(
    signed_in: SignedIn, query: str, words: str
) -> None:
    answer = signed_in().get(f"/ui/{OWN}{query}")

    assert answer.status_code == 200
    assert words in words_of(answer.text)


def test_names_of_campaigns_are_text_whatever_they_hold(signed_in: SignedIn) -> None:
    page = signed_in().get(f"/ui/{OWN}").text

    assert SCRIPT not in page
    assert "<img" not in page
    words = words_of(page)
    assert SCRIPT in words
    assert QUOTES in words
    assert RIGHT_TO_LEFT in words
    assert LONG not in words
    assert "(10,000 characters)" in words


def test_several_currencies_are_converted_and_it_is_said_how(signed_in: SignedIn, ask: Any) -> None:
    answer = ask(
        OTHER,
        "query",
        {"model": "blended", "measures": ["spend"], "time": JUNE, "convert_to": "USD"},
    )

    page = signed_in(OTHER).get(f"/ui/{OTHER}?start=2026-06-01&end=2026-06-30")

    words = words_of(page.text)
    total = answer["rows"][0]["spend"]
    assert written(total, Measured("money", "USD"), short=True) in words
    assert "Amounts were converted to US dollars (USD)" in words
    assert "Days begin at different moments" in words
    assert words.count("Amounts were converted") == 1


def test_several_currencies_can_be_kept_apart(signed_in: SignedIn) -> None:
    page = signed_in(OTHER).get(f"/ui/{OTHER}?currency=apart")

    words = words_of(page.text)
    assert "Money, currency by currency" in words
    assert "Australian dollars (AUD)" in words
    assert "need one currency" in words
    assert "ROAS (blended)" not in words


def test_dates_are_words(signed_in: SignedIn) -> None:
    words = words_of(signed_in().get(f"/ui/{OWN}").text)

    assert "30 June 2026" in words
    assert not re.search(r"\d{4}-\d{2}-\d{2}(?!T)", words)
    assert date(2026, 6, 30).isoformat() not in words
