"""Compiled SQL has a place for every value and none of the values, and is made once a structure."""

import re
import threading
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from martlet.semantic.compile import Compiler, Defined
from martlet.semantic.marks import Marks, Slot, Template
from martlet.semantic.structure import (
    Aggregate,
    Days,
    Grouping,
    Predicate,
    Sorting,
    Structure,
)

TEXT = {"type": "varchar"}
DEFINITION: dict[str, Any] = {
    "ads": {
        "table": "fct_acme__ads",
        "dimensions": {
            "day": {"expr": "_.day", "metadata": {"type": "date", "default_time": True}},
            "platform": {"expr": "_.platform", "metadata": TEXT},
            "currency": {"expr": "_.currency", "metadata": TEXT},
        },
        "measures": {
            "spend": {"expr": "_.spend.sum()", "metadata": {"type": "decimal"}},
            "clicks": {"expr": "_.clicks.sum()", "metadata": {"type": "bigint"}},
        },
        "calculated_measures": {
            "cpc": {"expr": "_.spend / _.clicks.nullif(0)", "metadata": {"type": "double"}}
        },
        "joins": {"of": {"model": "campaigns", "left_on": "key", "right_on": "key"}},
    },
    "campaigns": {
        "table": "dim_acme__campaigns",
        "dimensions": {
            "platform": {"expr": "_.platform", "metadata": TEXT},
            "name": {"expr": "_.name", "metadata": TEXT},
            "begin": {"expr": "_.begin", "metadata": {"type": "date"}},
        },
        "measures": {"campaign_count": {"expr": "_.count()", "metadata": {"type": "bigint"}}},
    },
}
COLUMNS = {
    "fct_acme__ads": {
        "day": "DATE",
        "key": "VARCHAR",
        "platform": "VARCHAR",
        "currency": "VARCHAR",
        "spend": "DECIMAL(18,6)",
        "clicks": "BIGINT",
    },
    "dim_acme__campaigns": {
        "key": "VARCHAR",
        "platform": "VARCHAR",
        "name": "VARCHAR",
        "begin": "DATE",
    },
}
SPEND = Aggregate("spend", "decimal")
CLICKS = Aggregate("clicks", "integer")
CPC = Aggregate("cpc", "double")
DEFINED = Defined(DEFINITION, COLUMNS)


@pytest.fixture(scope="module")
def compiler() -> Compiler:
    return Compiler()


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as v1")
    for table, columns in COLUMNS.items():
        typed = ", ".join(f"{name} {type_}" for name, type_ in columns.items())
        connection.execute(f"create table v1.{table} ({typed})")
    connection.execute(
        """
        insert into v1.fct_acme__ads values
            ('2026-01-01', 'k1', 'google', 'EUR', 1.5, 1), ('2026-01-04', 'k1', 'google', 'EUR', 2, 0),
            ('2026-01-05', 'k2', 'meta', 'USD', 4, 2), ('2026-03-31', 'lost', 'meta', null, 8, 4),
            ('2026-04-01', null, null, 'EUR', null, null);
        insert into v1.dim_acme__campaigns values
            ('k1', 'of the campaign', 'One', '2025-12-31'), ('k2', null, null, null)
        """
    )
    return connection


def rows(
    compiler: Compiler,
    database: duckdb.DuckDBPyConnection,
    structure: Structure,
    **values: Any,
) -> list[tuple[Any, ...]]:
    sql, bound = compiler.template(DEFINED, structure).filled(values, catalog="v1", limit=100)
    return database.execute(sql, bound).fetchall()


@pytest.mark.parametrize(
    ("grain", "first_days"),
    [
        ("day", ["2026-01-01", "2026-01-04", "2026-01-05", "2026-03-31", "2026-04-01"]),
        ("week", ["2025-12-29", "2026-01-05", "2026-03-30"]),
        ("month", ["2026-01-01", "2026-03-01", "2026-04-01"]),
        ("quarter", ["2026-01-01", "2026-04-01"]),
        ("year", ["2026-01-01"]),
    ],
)
def test_a_period_begins_on_its_first_day_and_weeks_on_monday(
    compiler: Compiler, database: duckdb.DuckDBPyConnection, grain: str, first_days: list[str]
) -> None:
    structure = Structure(
        "ads",
        dimensions=(Grouping("day", "date", grain),),
        measures=(SPEND,),
        order=(Sorting("day", "date"),),
    )

    got = rows(compiler, database, structure)

    assert [str(row[0]) for row in got] == first_days
    assert sum(row[1] or 0 for row in got) == Decimal("15.5")


def test_a_range_of_days_sees_the_day_and_not_the_period_it_is_cut_to(
    compiler: Compiler, database: duckdb.DuckDBPyConnection
) -> None:
    structure = Structure(
        "ads",
        dimensions=(Grouping("day", "date", "week"), Grouping("of.name", "text")),
        measures=(SPEND,),
        days=Days("day", "date", has_start=True, has_end=True),
    )

    got = rows(compiler, database, structure, start=date(2026, 1, 2), end=date(2026, 1, 4))

    assert got == [(date(2025, 12, 29), "One", Decimal(2))]


def test_a_joined_field_is_not_the_facts_field_of_the_same_name(
    compiler: Compiler, database: duckdb.DuckDBPyConnection
) -> None:
    structure = Structure(
        "ads",
        dimensions=(Grouping("platform", "text"), Grouping("of.platform", "text")),
        measures=(SPEND, CPC),
        rows=(Predicate("of.name", "text", "eq", "row00"),),
    )

    assert rows(compiler, database, structure, row00="One") == [
        ("google", "of the campaign", Decimal("3.5"), 3.5)
    ]


def test_a_join_doubles_no_row_and_loses_none(
    compiler: Compiler, database: duckdb.DuckDBPyConnection
) -> None:
    structure = Structure(
        "ads",
        dimensions=(Grouping("of.name", "text"), Grouping("of.begin", "date", "year")),
        measures=(CLICKS,),
        order=(Sorting("of.name", "text", is_descending=True),),
    )

    assert rows(compiler, database, structure) == [("One", date(2025, 1, 1), 1), (None, None, 6)]


@pytest.mark.parametrize(
    ("op", "value", "days"),
    [
        ("eq", "google", [1, 4]),
        ("ne", "google", [1, 5, 31]),
        ("in", ["google", "x"], [1, 4]),
        ("not_in", ["google", "x"], [1, 5, 31]),
        ("gt", "google", [5, 31]),
        ("gte", "google", [1, 4, 5, 31]),
        ("lt", "meta", [1, 4]),
        ("lte", "google", [1, 4]),
        ("contains", "OOG", [1, 4]),
        ("contains", "%", []),
        ("not_contains", "OOG", [1, 5, 31]),
        ("is_null", None, [1]),
        ("is_not_null", None, [1, 4, 5, 31]),
    ],
)
def test_what_a_value_is_not_keeps_rows_without_one(
    compiler: Compiler, database: duckdb.DuckDBPyConnection, op: str, value: Any, days: list[int]
) -> None:
    structure = Structure(
        "ads",
        dimensions=(Grouping("day", "date"),),
        rows=(Predicate("platform", "text", op, "row00"),),
    )

    got = rows(compiler, database, structure, row00=value)

    assert sorted(row[0].day for row in got) == days


def test_no_value_is_in_the_sql_and_every_value_is_bound(compiler: Compiler) -> None:
    structure = Structure(
        "ads",
        dimensions=(Grouping("platform", "text"),),
        measures=(SPEND,),
        rows=(
            Predicate("platform", "text", "eq", "row00"),
            Predicate("day", "date", "in", "row01"),
        ),
        groups=(Predicate("spend", "decimal", "gt", "group00"),),
        days=Days("day", "date", has_start=True, has_end=False),
    )
    values = {
        "row00": "'; drop table x; --",
        "row01": [date(2026, 1, 1), date(2026, 1, 2)],
        "group00": Decimal("123456.789"),
        "start": date(1999, 9, 9),
    }

    sql, bound = compiler.template(DEFINED, structure).filled(values, catalog="v1", limit=7)

    assert set(re.findall(r"\$(\w+)", sql)) == set(bound)
    assert bound == {
        "row00": "'; drop table x; --",
        "row01_0": date(2026, 1, 1),
        "row01_1": date(2026, 1, 2),
        "group00": Decimal("123456.789"),
        "start": date(1999, 9, 9),
    }
    assert not re.search(r"drop table|2026|1999|123456", sql)
    assert "LIMIT 7" in sql


def test_a_structure_is_compiled_once_and_another_definition_anew(compiler: Compiler) -> None:
    structure = Structure("ads", measures=(SPEND,))
    changed = Defined({**DEFINITION, "more": DEFINITION["campaigns"]}, COLUMNS)

    first = compiler.template(DEFINED, structure)

    assert compiler.template(Defined(DEFINITION, COLUMNS), structure) is first
    assert compiler.template(changed, structure) is not first


def test_many_threads_compile_at_once_and_each_gets_its_own(
    database: duckdb.DuckDBPyConnection,
) -> None:
    names = ["platform", "currency", "of.name", "of.platform"]
    structures = [
        Structure(
            "ads",
            dimensions=tuple(Grouping(name, "text") for name in names[: number % 5]),
            measures=(CLICKS,),
        )
        for number in range(12)
    ]
    found: dict[int, Template] = {}
    shared = Compiler()

    def compile_one(number: int) -> None:
        found[number] = shared.template(DEFINED, structures[number])

    threads = [threading.Thread(target=compile_one, args=(n,)) for n in range(len(structures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number, structure in enumerate(structures):
        sql, _ = found[number].filled({}, catalog="v1", limit=9)
        got = database.cursor().execute(sql).fetchall()
        assert sum(row[-1] or 0 for row in got) == 7
        assert len(got[0]) == len(structure.fields)


def test_a_mark_that_is_missing_or_left_over_is_noticed() -> None:
    marks = Marks()

    with pytest.raises(RuntimeError, match="not where expected"):
        marks.template("select 1", frozenset({"row00"}))
    with pytest.raises(RuntimeError, match="a mark is left"):
        marks.template(f"select '{marks.catalog[:-1]}'", frozenset())


def test_text_that_looks_like_a_place_for_a_value_stays_text() -> None:
    template = Marks().template("select '$row00', '__mart__'", frozenset())

    assert not any(isinstance(piece, Slot) for piece in template.pieces)
