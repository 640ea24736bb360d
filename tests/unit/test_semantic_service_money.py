"""Money is never added up over currencies unnoticed, and never converted without a rate."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from martlet.marts.store import MartStore
from martlet.semantic.answers import Answer
from martlet.semantic.errors import ConversionNeededError, RateMissingError
from martlet.semantic.requests import Comparison, Query
from martlet.semantic.service import SemanticService
from tests.unit.mart_fixture import ADS, ORDERS, SESSIONS, Row, write_mart

EARLY_MAY = {"start": "2026-05-01", "end": "2026-05-04"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SemanticService]:
    yield from serving(tmp_path_factory.mktemp("money"))


def serving(home: Path, **written: Any) -> Iterator[SemanticService]:
    write_mart(home / "marts", **written)
    store = MartStore(home / "marts")
    yield SemanticService(store, pseudonym_key="secret")
    store.close()


def ask(service: SemanticService, **asked: Any) -> Answer:
    query = Query(**({"model": "ad_performance"} | asked))
    return service.query("acme", query, may_see_personal=False)


def rows(answer: Answer) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in answer.table.to_pylist()]


def codes(answer: Answer) -> list[str]:
    return [caution.code for caution in answer.warnings]


def units(answer: Answer) -> dict[str, tuple[str | None, str | None]]:
    return {column.name: (column.unit, column.unit_column) for column in answer.columns}


def test_money_of_several_currencies_is_split_and_said_so(service: SemanticService) -> None:
    answer = ask(service, measures=["spend", "cpc", "clicks"], totals=True)

    assert rows(answer) == [
        ("USD", Decimal(50), 2.0, 25),
        ("EUR", Decimal("23.75"), 23.75 / 7, 7),
    ]
    assert codes(answer) == ["split_by_currency", "totals_need_conversion"]
    assert units(answer)["spend"] == units(answer)["cpc"] == (None, "currency")
    assert answer.totals == {"spend": None, "cpc": None, "clicks": 32}


@pytest.mark.parametrize(
    "asked",
    [
        {"measures": ["clicks", "ctr"]},
        {"measures": ["spend"], "dimensions": ["currency"]},
        {"measures": ["spend"], "filters": [["currency", "eq", "EUR"]]},
        {"measures": ["spend"], "convert_to": "EUR", "time": EARLY_MAY},
        {"model": "orders", "measures": ["revenue", "aov"]},
    ],
)
def test_nothing_is_split_where_currencies_cannot_mix(
    service: SemanticService, asked: dict[str, Any]
) -> None:
    answer = ask(service, **asked)

    assert "split_by_currency" not in codes(answer)
    assert answer.table.column_names == [*asked.get("dimensions", []), *asked["measures"]]


def test_a_condition_on_money_splits_as_well(service: SemanticService) -> None:
    answer = ask(service, measures=["clicks"], filters=[["spend", "gt", 40]])

    assert rows(answer) == [("USD", 25)]
    assert codes(answer) == ["split_by_currency"]


def test_the_one_currency_of_all_rows_is_the_unit(service: SemanticService) -> None:
    answer = ask(service, model="orders", measures=["revenue", "aov", "refund_rate"])

    assert rows(answer) == [(Decimal("175.5"), 58.5, 30 / 205.5)]
    assert units(answer) == {
        "revenue": ("EUR", None),
        "aov": ("EUR", None),
        "refund_rate": ("ratio", None),
    }


def test_money_of_unknown_currency_is_never_added_to_known(tmp_path: Path) -> None:
    unknown: Row = {"report_date": "2026-05-01", "spend": 1, "currency": None}
    for service in serving(tmp_path, ads=[ADS[0], unknown]):
        answer = ask(service, measures=["spend"])

        assert rows(answer) == [("EUR", Decimal(10)), (None, Decimal(1))]
        with pytest.raises(RateMissingError, match="unknown currency on 2026-05-01"):
            ask(service, measures=["spend"], convert_to="EUR")
        assert rows(ask(service, measures=["conversion_value"], convert_to="EUR")) == [
            (Decimal(40),)
        ], "what has no amount needs no rate"


def test_each_row_is_converted_at_the_rate_of_its_day(service: SemanticService) -> None:
    answer = ask(
        service, measures=["spend", "cpc"], time=EARLY_MAY | {"grain": "day"},
        convert_to="EUR", totals=True,
    )  # fmt: skip

    # 2026-05-01: 15.25 + 20 / 1.25; 2026-05-04: 7.5 + 30 / 1.20
    assert rows(answer) == [
        (date(2026, 5, 1), Decimal("31.25"), 31.25 / 15),
        (date(2026, 5, 4), Decimal("32.5"), 32.5 / 15),
    ]
    assert answer.totals == {"spend": Decimal("63.75"), "cpc": 2.125}
    assert units(answer)["spend"] == ("EUR", None)
    (caution,) = answer.warnings
    assert caution.code == "converted"
    assert "rates.csv" in caution.message
    assert "from 2026-05-01 to 2026-05-04" in caution.message


def test_two_foreign_currencies_are_converted_over_the_euro(tmp_path: Path) -> None:
    rates = "date,currency,per_eur\n2026-05-01,USD,1.25\n2026-05-01,JPY,160\n"
    ads = [ADS[0] | {"currency": currency} for currency in ("USD", "EUR", "JPY")]
    for service in serving(tmp_path, ads=ads, rates=rates):
        answer = ask(service, measures=["spend"], dimensions=["currency"], convert_to="JPY")

        assert rows(answer) == [
            ("EUR", Decimal(1600)),
            ("USD", Decimal(1280)),
            ("JPY", Decimal(10)),
        ]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"time": {"start": "2026-05-05"}}, "of USD on 2026-05-12"),
        ({"convert_to": "ZZZ", "time": EARLY_MAY}, "of ZZZ on 2026-05-01"),
    ],
)
def test_a_rate_that_is_lacking_is_named_with_its_day(
    service: SemanticService, asked: dict[str, Any], told: str
) -> None:
    with pytest.raises(RateMissingError, match=told):
        ask(service, **({"measures": ["spend"], "convert_to": "USD"} | asked))


def test_what_needs_no_rate_is_not_refused_for_one(service: SemanticService) -> None:
    filters = [["currency", "eq", "EUR"]]

    answer = ask(service, measures=["spend"], filters=filters, convert_to="EUR")

    assert rows(answer) == [(Decimal("23.75"),)]
    assert codes(answer) == []
    assert rows(ask(service, measures=["clicks"], convert_to="ZZZ")) == [(32,)]


def test_money_without_a_day_cannot_be_converted(service: SemanticService) -> None:
    answer = ask(service, model="campaigns", measures=["campaign_count"], convert_to="EUR")

    assert rows(answer) == [(3,)], "there is no money in it"


def test_a_comparison_is_converted_like_a_query(service: SemanticService) -> None:
    comparison = Comparison(
        model="ad_performance",
        measures=["spend"],
        current={"start": "2026-05-04", "end": "2026-05-04"},
        previous={"start": "2026-05-01", "end": "2026-05-01"},
        convert_to="EUR",
    )

    answer = service.compare("acme", comparison, may_see_personal=False)

    assert rows(answer) == [(Decimal("32.5"), Decimal("31.25"), Decimal("1.25"), 0.04)]
    assert codes(answer) == ["converted"]


def test_blended_ratios_over_several_currencies_need_one(service: SemanticService) -> None:
    asked = {"model": "blended", "measures": ["mer", "cac"], "time": EARLY_MAY}

    for dimensions in ([], ["currency"]):
        with pytest.raises(ConversionNeededError, match="convert_to"):
            ask(service, **asked, dimensions=dimensions)
    converted = ask(service, **asked, convert_to="EUR")
    fixed = ask(service, **asked, filters=[["currency", "eq", "EUR"]])

    # Revenue 150 of one customer; spend 63.75, of which 22.75 in EUR.
    assert rows(converted) == [(150 / 63.75, 63.75)]
    assert codes(converted) == ["time_zones_differ", "converted"]
    assert rows(fixed) == [(150 / 22.75, 22.75)]
    assert codes(fixed) == ["only_one_currency", "time_zones_differ"]


def test_a_campaign_of_ads_and_sessions_is_one_row(service: SemanticService) -> None:
    answer = ask(
        service,
        model="blended",
        measures=["session_roas", "sessions"],
        dimensions=["campaign_name"],
        filters=[["campaign_name", "is_not_null"]],
        convert_to="EUR",
        time=EARLY_MAY,
    )

    assert rows(answer) == [
        ("Brand 100%_", 100 / 15.25, 1),
        ("'; drop table x; --", None, None),
        ("Newsletter", None, 1),
    ]


def test_conversions_of_several_platforms_are_not_added_up_silently(
    service: SemanticService,
) -> None:
    asked = {"measures": ["conversions"]}

    assert codes(ask(service, **asked)) == ["claimed_conversions"]
    assert codes(ask(service, **asked, dimensions=["source_platform"])) == []
    assert codes(ask(service, **asked, filters=[["source_platform", "eq", "google_ads"]])) == []
    blended = ask(service, model="blended", measures=["conversions"])
    assert codes(blended) == ["claimed_conversions", "time_zones_differ"]


def test_a_held_platform_is_stale_where_its_rows_count(tmp_path: Path) -> None:
    home = tmp_path
    write_mart(home / "marts")
    held = {"facebook_ads": "spend was removed"}
    for service in serving(home, ads=ADS[:1], orders=ORDERS[:1], held=held):
        answer = ask(service, measures=["clicks"], dimensions=["source_platform"])
        google = ask(
            service, measures=["clicks"], filters=[["source_platform", "eq", "google_ads"]]
        )

        assert rows(answer) == [("facebook_ads", 25), ("google_ads", 4)]
        assert codes(answer) == ["stale_platform"]
        assert "spend was removed" in answer.warnings[0].message
        assert codes(google) == codes(ask(service, model="orders", measures=["row_count"])) == []
        states = service.freshness("acme").sources
        assert [each.source_platform for each in states if each.is_held] == ["facebook_ads"]


def test_days_of_one_zone_need_no_caution(tmp_path: Path) -> None:
    for service in serving(tmp_path, ads=ADS[:2], sessions=SESSIONS[:1]):
        assert codes(ask(service, model="blended", measures=["spend", "sessions"])) == []
