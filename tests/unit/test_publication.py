"""What holds a mart, decided from shapes, results and audits that are made by hand."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenants import Tenant, load_tenants
from martlet.pipeline.audit_record import AuditRecord, newest_audits, record_audits
from martlet.pipeline.dbt_run import NodeResult
from martlet.pipeline.node_results import newest_results
from martlet.pipeline.publication import (
    Publication,
    decide_publication,
    published_differences,
)
from martlet.registry.blueprints import Blueprint, learned_blueprint, published_blueprints
from martlet.registry.routing import Declaration, Route, route_table
from martlet.settings import load_settings
from martlet.star_schema import STAR_TABLES, grain_test, isolation_test, star_model
from tests.project import REPOSITORY

SLUG = "tyrell_corp"
STARS = [star_model(SLUG, table) for table in STAR_TABLES]
GREEN = [NodeResult(model, "success", 0.1, None) for model in STARS] + [
    NodeResult(name_of(model), "pass", 0.1, None, True, (model,))
    for model in STARS
    for name_of in (grain_test, isolation_test)
]
ORDERS = f"fct_{SLUG}__orders"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(REPOSITORY / "supported_connectors.yaml")


@pytest.fixture(scope="module")
def tenant(catalogue: Catalogue) -> Tenant:
    return load_tenants(REPOSITORY / "tenants.yaml", catalogue).tenant(SLUG)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def decide(
    warehouse: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    catalogue: Catalogue,
    *others: NodeResult,
    audit: AuditRecord | None = None,
) -> Publication:
    results = {node.name: node for node in (*GREEN, *others)}
    return decide_publication(
        warehouse, tenant, catalogue, routes=(), results=results.values(), audit=audit
    )


def test_what_is_built_and_tested_is_published(
    warehouse: duckdb.DuckDBPyConnection, tenant: Tenant, catalogue: Catalogue
) -> None:
    assert decide(warehouse, tenant, catalogue) == Publication(SLUG)


RESULTS = {
    "a fact failed": (NodeResult(ORDERS, "error", 0, "boom"), [], f"{ORDERS} ended with error"),
    "a fact was skipped": (NodeResult(ORDERS, "skipped", 0, None), [], "ended with skipped"),
    "its test failed": (
        NodeResult(grain_test(ORDERS), "fail", 0, "Got 1", True, (ORDERS,)),
        [],
        f"{grain_test(ORDERS)} ended with fail",
    ),
    "its test is older": (
        NodeResult(grain_test(ORDERS), "pass", 0, None, True, (ORDERS,), is_older=True),
        [],
        f"{ORDERS} was not tested since it was built",
    ),
    "an own test on it failed": (
        NodeResult("mine", "fail", 0, None, True, (ORDERS, f"int_{SLUG}__shopify_orders")),
        [],
        "mine ended with fail",
    ),
    "an own test only warns": (NodeResult("mine", "warn", 0, None, True, (ORDERS,)), [], None),
    "a staging model failed": (
        NodeResult(f"stg_{SLUG}__shopify_orders", "error", 0, "boom"),
        ["shopify"],
        None,
    ),
    "a test on a view failed": (
        NodeResult("seen", "fail", 0, None, True, (f"int_{SLUG}__google_ads_ads",)),
        ["google_ads"],
        None,
    ),
    "an own model failed": (NodeResult("my_model", "error", 0, "boom"), [], None),
}


@pytest.mark.parametrize("case", RESULTS)
def test_a_result_holds_its_platform_the_mart_or_nothing(
    case: str,
    warehouse: duckdb.DuckDBPyConnection,
    tenant: Tenant,
    catalogue: Catalogue,
) -> None:
    node, platforms, reason = RESULTS[case]

    decided = decide(warehouse, tenant, catalogue, node)

    assert list(decided.held_platforms) == platforms
    assert (decided.reason is None) == (reason is None)
    assert (reason or "") in (decided.reason or "")
    assert "boom" not in str(decided.held_platforms) + str(decided.reason)  # readers see reasons


def test_a_fact_that_was_never_built_holds_the_mart(
    warehouse: duckdb.DuckDBPyConnection, tenant: Tenant, catalogue: Catalogue
) -> None:
    decided = decide_publication(warehouse, tenant, catalogue, routes=(), results=(), audit=None)

    assert decided.reason is not None
    assert all(f"{model} was never built" in decided.reason for model in STARS)


def test_a_run_takes_back_nothing_that_an_audit_found_broken(tmp_path: Path) -> None:
    settings = replace(load_settings({}, REPOSITORY), home=tmp_path)

    broken = []
    for by, count in (("audit", 2), ("run", 0), ("run", 1), ("audit", 0), ("run", 0)):
        record_audits(settings, {"acme": count}, by=by)
        broken.append(newest_audits(settings)["acme"].broken_promises)

    assert broken == [2, 2, 1, 0, 0]


ORDERS_TABLE = Declaration("acme", "shopify", "orders", "main", "acme", "acme_shopify__orders")


@pytest.fixture(scope="module")
def published(catalogue: Catalogue) -> tuple[Blueprint, ...]:
    return published_blueprints(catalogue)


def native_orders(published: tuple[Blueprint, ...]) -> dict[str, str]:
    shapes = [b for b in published if (*b.identity, b.loader) == ("shopify", "orders", "native")]
    return dict(max(shapes, key=lambda b: b.version).columns)


def learn(route: Route, status: str = "learned", **aliases: str) -> Blueprint:
    assert route.blueprint and route.shape
    learned = learned_blueprint(route.blueprint, route.shape, 2)
    return replace(learned, status=status, aliases=tuple(aliases.items()) or learned.aliases)


def doubted(route: Route, blueprints: tuple[Blueprint, ...]) -> list[tuple[str, str]]:
    found = published_differences(route, blueprints)
    return [(d.column, d.publication) for d in found if d.publication != "yes"]


def test_a_learned_shape_is_still_compared_with_the_published_ones(
    published: tuple[Blueprint, ...],
) -> None:
    columns = native_orders(published)
    del columns["total_price"]
    learned = learn(route_table(ORDERS_TABLE, columns, published))
    again = route_table(ORDERS_TABLE, columns, (*published, learned))

    assert again.verdict == "exact"
    assert doubted(again, (*published, learned)) == [("total_price", "hold")]


def test_an_approved_shape_is_in_no_doubt_but_one_that_lacks_more_is(
    published: tuple[Blueprint, ...],
) -> None:
    columns = native_orders(published)
    del columns["total_price"]
    approved = learn(route_table(ORDERS_TABLE, columns, published), "approved")
    known = (*published, approved)

    assert doubted(route_table(ORDERS_TABLE, columns, known), known) == []
    del columns["po_number"]
    assert doubted(route_table(ORDERS_TABLE, columns, known), known) == [("total_price", "hold")]


def test_a_shape_that_inherits_an_alias_lacks_nothing(published: tuple[Blueprint, ...]) -> None:
    columns = native_orders(published)
    columns["price"] = columns.pop("total_price")
    route = route_table(ORDERS_TABLE, columns, published)
    known = (*published, learn(route, "approved", price="total_price"))
    columns["tier"] = "VARCHAR"
    newer = route_table(ORDERS_TABLE, columns, known)

    assert newer.verdict == "diff"
    assert doubted(newer, known) == []
    learned = (*known, learn(newer))
    assert doubted(route_table(ORDERS_TABLE, columns, learned), learned) == []


def history(warehouse: duckdb.DuckDBPyConnection, *calls: dict[str, tuple[str, int]]) -> None:
    """Store calls of dbt: by node its status and the second of 2026-01-01 at which it began."""
    warehouse.execute("create schema ops")
    warehouse.execute(
        "create table ops.run_results (invocation_id varchar, tenant_slug varchar, "
        "node_id varchar, name varchar, resource_type varchar, status varchar, message varchar, "
        "execution_seconds double, started_at timestamp, captured_at timestamp)"
    )
    warehouse.execute(
        "create table ops.test_artifacts (node_id varchar, target_models json, "
        "captured_at timestamp)"
    )
    for number, call in enumerate(calls):
        for name, (status, second) in call.items():
            kind = "model" if name in STARS else "test"
            warehouse.execute(
                "insert into ops.run_results values (?, ?, ?, ?, ?, ?, null, 0.1, "
                "timestamp '2026-01-01' + to_seconds(?), timestamp '2026-01-01' + to_minutes(?))",
                [str(number), SLUG, f"{kind}.martlet.{name}", name, kind, status, second, number],
            )
            if kind == "test":
                model = f"model.martlet.{name.rpartition('__')[0]}"
                warehouse.execute(
                    "insert into ops.test_artifacts values (?, json_array(?), "
                    "timestamp '2026-01-01')",
                    [f"test.martlet.{name}", model],
                )


def whole(second: int, **others: str) -> dict[str, tuple[str, int]]:
    """Return a call that built everything, and ran its tests a second later."""
    return {
        **{node.name: (node.status, second + node.is_test) for node in GREEN},
        **{name: (status, second + 1) for name, status in others.items()},
    }


def test_the_newest_result_of_each_node_counts(warehouse: duckdb.DuckDBPyConnection) -> None:
    history(warehouse, whole(0), {ORDERS: ("error", 9)})

    found = {node.name: node for node in newest_results(warehouse, SLUG)}

    assert found[ORDERS].status == "error"
    assert found[grain_test(ORDERS)].tested == (ORDERS,)
    assert len(found) == len(GREEN)


def test_a_test_that_ran_before_its_table_was_built_again_is_older(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    history(warehouse, whole(0), {ORDERS: ("success", 9)})

    older = {node.name for node in newest_results(warehouse, SLUG) if node.is_older}

    assert older == {grain_test(ORDERS), isolation_test(ORDERS)}


def test_a_failed_test_that_was_deleted_holds_nothing(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    history(warehouse, whole(0, **{f"{ORDERS}__mine": "fail"}), whole(100))

    assert f"{ORDERS}__mine" not in {node.name for node in newest_results(warehouse, SLUG)}


def test_before_the_first_run_there_are_no_results(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert newest_results(warehouse, SLUG) == ()
