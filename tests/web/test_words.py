"""Numbers, days and changes as a marketer reads them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from martlet.web.charts import Chart, Series, sparkline
from martlet.web.context import reworded
from martlet.web.days import Period, ago_words, duration_words, period_of, span_words
from martlet.web.numbers import Measured, change, measured, written
from martlet.web.rendering import short_name

USD, JPY, CHF = (Measured("money", code) for code in ("USD", "JPY", "CHF"))
NEWEST = date(2026, 6, 30)


@pytest.mark.parametrize(
    ("value", "how", "expected"),
    [
        (Decimal("1234567.891"), USD, "$1,234,567.89"),
        (Decimal("-0.004"), USD, "$0.00"),
        (Decimal("-12.5"), USD, "\N{MINUS SIGN}$12.50"),
        (1234.5, JPY, "¥1,234"),
        (Decimal("1234.50"), CHF, "CHF\N{NO-BREAK SPACE}1,234.50"),
        (1234, Measured("count"), "1,234"),
        (Decimal("12.25"), Measured("count"), "12.2"),
        (0.0342, Measured("percent"), "3.42%"),
        (0.342, Measured("percent"), "34.2%"),
        (2.684, Measured("times"), "2.68\N{MULTIPLICATION SIGN}"),
        (None, USD, "\N{EN DASH}"),
        (float("nan"), USD, "\N{EN DASH}"),
    ],
)
def test_a_number_is_written_with_its_unit(
    value: float | Decimal | None, how: Measured, expected: str
) -> None:
    assert written(value, how) == expected


def test_a_headline_leaves_out_the_cents_of_large_amounts_only() -> None:
    assert written(1234.56, USD, short=True) == "$1,235"
    assert written(12.34, USD, short=True) == "$12.34"


def test_an_amount_whose_currency_is_in_its_row_is_written_in_that_one() -> None:
    assert written(5, measured("spend", None, is_by_row=True), currency="AUD") == "A$5.00"
    assert written(5, measured("spend", None, is_by_row=True), currency=None) == "5.00"


@pytest.mark.parametrize(
    ("name", "unit", "style"),
    [
        ("ctr", "ratio", "percent"),
        ("refund_rate", "ratio", "percent"),
        ("blended_roas", "ratio", "times"),
        ("mer", "ratio", "times"),
        ("my_own", "ratio", "plain"),
        ("clicks", "count", "count"),
        ("spend", "EUR", "money"),
    ],
)
def test_the_unit_decides_how_a_measure_is_written(name: str, unit: str, style: str) -> None:
    assert measured(name, unit).style == style


@pytest.mark.parametrize(
    ("now", "then", "better", "words", "tone"),
    [
        (112, 100, "up", "up 12% against B", "good"),
        (112, 100, "down", "up 12% against B", "bad"),
        (98.5, 100, "up", "down 1.5% against B", "bad"),
        (3000, 100, "neither", "up 30 times against B", "even"),
        (100, 100, "up", "as in B", "even"),
        (5, 0, "up", "none in B", "even"),
        (5, None, "up", "no value in B to compare with", "even"),
        (None, 5, "up", "no value now, but in B", "even"),
        (None, None, "up", "no value here nor in B", "even"),
    ],
)
def test_a_change_is_told_in_words(
    now: float | None, then: float | None, better: str, words: str, tone: str
) -> None:
    told = change(now, then, "B", better=better)

    assert (told.words, told.tone) == (words, tone)


def test_days_say_month_and_year_once() -> None:
    assert span_words(date(2026, 6, 1), date(2026, 6, 30)) == "1\N{EN DASH}30 June 2026"
    assert span_words(date(2026, 5, 2), date(2026, 6, 1)) == "2 May \N{EN DASH} 1 June 2026"
    assert span_words(NEWEST, NEWEST) == "30 June 2026"
    assert (
        span_words(date(2025, 12, 3), date(2026, 1, 2))
        == "3 December 2025 \N{EN DASH} 2 January 2026"
    )


@pytest.mark.parametrize(
    ("name", "first", "before"),
    [
        ("7d", date(2026, 6, 24), (date(2026, 6, 17), date(2026, 6, 23))),
        ("30d", date(2026, 6, 1), (date(2026, 5, 2), date(2026, 5, 31))),
        ("month", date(2026, 6, 1), (date(2026, 5, 1), date(2026, 5, 31))),
    ],
)
def test_a_named_period_ends_with_the_newest_day_and_is_compared_with_the_one_before(
    name: str, first: date, before: tuple[date, date]
) -> None:
    period, problem = period_of(name, "", "", NEWEST)

    assert problem is None
    assert (period.start, period.end) == (first, NEWEST)
    assert (period.before.start, period.before.end) == before


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("fortnight", "", ""),
        (None, "2026-06-30", ""),
        (None, "2026-06-30", "2026-06-01"),
        (None, "0001-01-01", "0001-01-02"),
        (None, "1900-01-01", "2026-06-30"),
        (None, "30.6.2026", "1.7.2026"),
    ],
)
def test_a_period_that_is_none_is_replaced_and_told(name: str | None, start: str, end: str) -> None:
    period, problem = period_of(name, start, end, NEWEST)

    assert problem
    assert period == Period("30d", date(2026, 6, 1), NEWEST)


def test_ages_and_durations_are_rough() -> None:
    now = datetime(2026, 6, 30, 12, tzinfo=UTC)

    assert ago_words(now - timedelta(seconds=5), now) == "just now"
    assert ago_words(now - timedelta(hours=1), now) == "1 hour ago"
    assert ago_words((now - timedelta(days=3)).replace(tzinfo=None), now) == "3 days ago"
    assert [duration_words(s) for s in (None, 0.02, 4.25, 185)] == [
        "\N{EN DASH}",
        "20 ms",
        "4.2 s",
        "3 min 5 s",
    ]


def test_codes_in_a_sentence_become_names() -> None:
    labels = {"google_ads": "Google Ads", "ads": "Ads", "spend": "Spend"}

    assert reworded("each of google_ads, ads: 'spend'", labels) == "each of Google Ads, Ads: Spend"
    assert reworded("campaigns.spend and spendings", labels) == "campaigns.spend and spendings"
    assert reworded("as it is", {}) == "as it is"


def test_a_name_is_cut_where_it_is_longer_than_a_page_can_show() -> None:
    cut = short_name("x" * 10_000)

    assert len(cut) < 300
    assert cut.endswith("(10,000 characters)")


def test_a_chart_says_what_it_shows() -> None:
    chart = Chart(
        "Spend by day", "line", ["1 Jun", "2 Jun"], [Series("now", [Decimal(3), None])], USD
    )

    assert chart.summary == "Spend by day. now: $3.00 throughout."
    assert chart.rows == [("1 Jun", ["$3.00"]), ("2 Jun", ["\N{EN DASH}"])]
    assert chart.drawn["series"][0]["values"] == [3.0, None]


def test_a_sparkline_stays_in_its_box() -> None:
    points = [tuple(map(float, p.split(","))) for p in sparkline([1, None, 5, 3]).split()]

    assert [x for x, _ in points] == [0, 80, 120]
    assert all(0 <= y <= 28 for _, y in points)
    assert sparkline([1]) == ""
    assert sparkline([2, 2]) != ""
