"""The audit of one run: which loads it looks at, and which are the next run's."""

from collections.abc import Iterator

import duckdb
import pytest

from martlet.pipeline.audit import audit_tenant, run_beginning
from martlet.pipeline.routes import RoutedTenant
from martlet.registry.blueprints import Blueprint
from martlet.registry.routing import Declaration, Route

TABLE = "acme_shopify__orders"
MASTER = "platform_mm__shopify_api_v1_orders"
ROUTED = RoutedTenant(
    routes=(
        Route(
            Declaration("acme", "shopify", "orders", "main", "acme", TABLE),
            "exact",
            None,
            Blueprint("shopify", "orders", MASTER, "v1", "native", 1, "", "", ()),
        ),
    ),
    not_landed=(),
    undeclared=(),
)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A ledger that has one load of three rows, and a landing that has it, too."""
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            attach ':memory:' as landing;
            create schema landing.acme;
            create table landing.acme._dlt_loads (load_id varchar);
            create table landing.acme._martlet_loads (
                table_name varchar, _dlt_load_id varchar, rows_received bigint,
                rows_accepted bigint, rows_quarantined bigint
            );
            create table landing.acme.{TABLE} (id bigint, _dlt_load_id varchar);
            create schema ops;
            create table ops.platform_ops__push_ledger (
                tenant_slug varchar, source_platform varchar, connection varchar, object varchar,
                load_id varchar, landed_table varchar, rows_landed bigint, rows_pushed bigint,
                rows_known bigint, rows_quarantined bigint, rows_erased bigint,
                rows_tombstoned bigint
            );
            create schema platform;
            create table platform.{MASTER} (
                tenant_slug varchar, source_platform varchar, connection varchar, load_id varchar
            )
            """
        )
        land(connection, "1", 3)
        push(connection, "1", 3)
        yield connection


def land(warehouse: duckdb.DuckDBPyConnection, load_id: str, rows: int) -> None:
    warehouse.execute("insert into landing.acme._dlt_loads values (?)", [load_id])
    warehouse.execute(
        "insert into landing.acme._martlet_loads values (?, ?, ?, ?, 0)",
        [TABLE, load_id, rows, rows],
    )
    warehouse.execute(
        f"insert into landing.acme.{TABLE} select range, ? from range(?)", [load_id, rows]
    )


def push(warehouse: duckdb.DuckDBPyConnection, load_id: str, rows: int) -> None:
    warehouse.execute(
        "insert into ops.platform_ops__push_ledger values "
        "('acme', 'shopify', 'main', 'orders', ?, ?, ?, ?, 0, 0, 0, 0)",
        [load_id, TABLE, rows, rows],
    )
    warehouse.execute(
        f"insert into platform.{MASTER} select 'acme', 'shopify', 'main', ? from range(?)",
        [load_id, rows],
    )


def test_a_load_that_waited_and_was_not_pushed_is_broken(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    land(warehouse, "2", 5)
    beginning = run_beginning(warehouse, "acme")

    (broken,) = audit_tenant(warehouse, "acme", ROUTED, beginning)

    assert (broken.load_id, broken.table) == ("2", TABLE)


def test_a_load_that_landed_while_the_run_went_on_is_the_next_runs(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    land(warehouse, "2", 5)
    beginning = run_beginning(warehouse, "acme")
    push(warehouse, "2", 5)
    land(warehouse, "3", 7)

    assert audit_tenant(warehouse, "acme", ROUTED, beginning) == ()


def test_a_load_that_landed_before_the_push_is_looked_at(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    beginning = run_beginning(warehouse, "acme")
    land(warehouse, "2", 5)
    push(warehouse, "2", 4)

    (broken,) = audit_tenant(warehouse, "acme", ROUTED, beginning)

    assert broken.load_id == "2"


def test_a_load_of_which_the_push_failed_still_waits(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    land(warehouse, "2", 5)
    beginning = run_beginning(warehouse, "acme").without({TABLE})

    assert audit_tenant(warehouse, "acme", ROUTED, beginning) == ()
