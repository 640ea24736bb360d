"""A lake's tables are listed as the engine lists them, without a question for each of them."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from bench.servers.postgres import PASSWORD

from martlet.engines.engine import Engine
from martlet.engines.listing import list_tables
from martlet.engines.targets import engine_of
from martlet.settings import load_settings
from tests.conftest import Variables
from tests.project import new_project

OWN = "select schema_name, table_name, estimated_size from duckdb_tables() where database_name = 'warehouse' order by all"


@pytest.fixture(params=["postgres", "catalogue in a file", "file"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, new_lake: Callable[[], Variables]
) -> Engine:
    variables = {
        "postgres": new_lake,
        "catalogue in a file": lambda: {"MARTLET_TARGET": "ducklake"},
        "file": dict,
    }[request.param]()
    engine = engine_of(load_settings(variables, new_project(tmp_path / "project", {}).folder))
    engine.create_warehouse()
    return engine


def test_what_is_listed_is_what_there_is(engine: Engine) -> None:
    with engine.open_warehouse() as warehouse:
        for statement in (
            "create schema ada",
            "create table ada.orders (id int)",
            "insert into ada.orders select i from range(500) as r(i)",
            "create table ada.gone (id int)",
            "drop table ada.gone",
            "create table main.other (id int)",
            "create view ada.view_of_orders as select * from ada.orders",
        ):
            warehouse.execute(statement)
        before = list_tables(warehouse, "ada")
        everywhere = list_tables(warehouse)
        own = warehouse.execute(OWN).fetchall()
        warehouse.execute("alter table ada.orders add column price varchar")
        (altered,) = list_tables(warehouse, "ada")

    assert [(t.schema, t.name, t.rows) for t in before] == [("ada", "orders", 500)]
    assert [(t.schema, t.name, t.rows) for t in everywhere] == own
    assert altered.definition != before[0].definition


def test_a_reader_is_listed_the_state_that_it_reads(
    tmp_path: Path, new_lake: Callable[[], Variables]
) -> None:
    engine = engine_of(load_settings(new_lake(), new_project(tmp_path / "project", {}).folder))
    engine.create_warehouse()
    with engine.open_warehouse() as writer:
        writer.execute("create table early (id int)")
        with engine.open_warehouse(read_only=True) as reader:
            writer.execute("drop table early")
            writer.execute("create table late (id int)")
            seen = [table.name for table in list_tables(reader)]

    assert seen == ["early"]


def test_a_listing_asks_as_much_of_a_hundred_tables_as_of_one(
    tmp_path: Path, new_lake: Callable[[], Variables]
) -> None:
    """DuckDB's own asks twice for each of them."""
    lake = new_lake()
    engine = engine_of(load_settings(lake, new_project(tmp_path / "project", {}).folder))
    engine.create_warehouse()
    with engine.open_warehouse() as warehouse:
        warehouse.begin()
        for number in range(100):
            warehouse.execute(f"create table t{number} (id int)")
        warehouse.commit()
    keywords = lake["MARTLET_LAKE_CATALOGUE"].removeprefix("postgres:")

    def scans() -> int:
        with psycopg.connect(keywords, password=PASSWORD) as connection:
            connection.execute("select pg_stat_force_next_flush()")
            row = connection.execute(
                "select sum(seq_scan + coalesce(idx_scan, 0)) from pg_stat_user_tables "
                "where relname like 'ducklake_table%stats'"
            ).fetchone()
        return int(row[0] or 0) if row else 0

    before = scans()
    with engine.open_warehouse() as warehouse:
        assert len(list_tables(warehouse)) == 100

    assert scans() - before < 20
