"""Which prefixes of keys may be of a record in the days of a load's scope."""

from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from tests.macros import Macros

MACROS = Macros()
CONTRACT: dict[str, Any] = {
    "key": ["day", "id"],
    "columns": [{"name": "id", "type": "varchar"}, {"name": "day", "type": "date"}],
    "scope": {"date": "day"},
}
KEYS = ("0" * 32, "f" * 32)


def _is_kept(day: date, key: str, start: date, end: date) -> bool:
    prefix = MACROS["key_prefix"](f"'{key}'", MACROS["key_day"](f"date '{day}'"))
    condition = MACROS["prefix_in_days"](
        f"({prefix})", CONTRACT, {"scope_start": start, "scope_end": end}
    )
    ((kept,),) = duckdb.sql(f"select {condition}").fetchall()
    return bool(kept)


@pytest.mark.parametrize("key", KEYS)
def test_the_first_and_the_last_day_of_a_scope_are_in_it_and_their_neighbours_are_not(
    key: str,
) -> None:
    start, end, one = date(2024, 2, 28), date(2024, 3, 1), timedelta(days=1)

    kept = [
        _is_kept(day, key, start, end) for day in (start - one, start, start + one, end, end + one)
    ]

    assert kept == [False, True, True, True, False]


@pytest.mark.parametrize(
    "scope",
    [
        (date(1970, 1, 1), date(1970, 1, 2)),  # the day that also stands for no day
        (date(1969, 12, 31), date(2024, 1, 1)),
        (date(2149, 6, 4), date(2149, 6, 5)),
        (date(2024, 1, 2), date(2024, 1, 1)),
    ],
)
def test_a_scope_whose_days_have_no_number_keeps_every_prefix(scope: tuple[date, date]) -> None:
    assert all(_is_kept(date(2024, 1, 1), key, *scope) for key in KEYS)


def test_a_key_of_which_another_column_fixes_the_day_keeps_every_prefix() -> None:
    other = CONTRACT | {"scope": {"date": "reported_on"}}
    load = {"scope_start": date(2024, 1, 1), "scope_end": date(2024, 1, 1)}

    assert MACROS["prefix_in_days"]("p", other, load) == "true"
