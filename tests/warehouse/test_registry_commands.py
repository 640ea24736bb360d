"""What the registry's commands say of a landed table, before any run has seen it."""

import re
from typing import Any

import duckdb
import pytest

from martlet.config.catalogue import load_catalogue
from martlet.errors import BadInputError
from martlet.registry.approvals import approve, decisions, stored_aliases, with_rejections
from martlet.registry.approvals import reject as reject_table
from martlet.registry.blueprints import initialize_blueprints, key_heads, stored_blueprints
from martlet.registry.routing import Declaration, route_table
from tests.project import REPOSITORY, Project, Result, new_project
from tests.warehouse.redelivery import changed_type
from tests.warehouse.state import tenant

SLUG = "nostromo"
ORDERS = Declaration(SLUG, "shopify", "orders", "main", SLUG, f"{SLUG}_shopify__orders")
WHO = {"reason": "renamed by the shop", "decided_by": "ripley"}


@pytest.fixture
def registry() -> Any:
    with duckdb.connect(":memory:") as warehouse:
        initialize_blueprints(warehouse, load_catalogue(REPOSITORY / "supported_connectors.yaml"))
        yield warehouse


def _published(warehouse: duckdb.DuckDBPyConnection, **renames: str | None) -> dict[str, str]:
    """Return the columns of published orders; a rename to none drops the column."""
    shape = next(
        b for b in stored_blueprints(warehouse) if b.identity == ("shopify", "orders")
        and b.loader == "native"
    )  # fmt: skip
    named = {renames.get(name, name): kind for name, kind in shape.columns}
    return {name: kind for name, kind in named.items() if name is not None}


def test_an_approved_alias_routes_the_shape_and_is_the_key(registry: Any) -> None:
    columns = _published(registry, id="order_id")

    approved = approve(registry, ORDERS, columns, aliases={"ORDER_ID": "ID"}, **WHO)

    assert approved.aliases == (("order_id", "id"),)
    (aliases,) = stored_aliases(registry).values()
    assert aliases.names == (("order_id", "id"),)
    assert aliases.approved_at == decisions(registry)[0].decided_at
    assert route_table(ORDERS, columns, stored_blueprints(registry)).verdict == "exact"
    assert key_heads(approved) == (frozenset({"order_id"}),)


def test_an_approved_shape_that_drifts_on_keeps_its_alias_and_its_key(registry: Any) -> None:
    columns = _published(registry, id="order_id")
    approve(registry, ORDERS, columns, aliases={"order_id": "id"}, **WHO)
    blueprints = stored_blueprints(registry)

    added = route_table(ORDERS, {**columns, "gift": "VARCHAR"}, blueprints)
    without = route_table(
        ORDERS, {name: kind for name, kind in columns.items() if name != "order_id"}, blueprints
    )

    assert added.verdict == "diff"
    assert added.blueprint is not None
    assert added.blueprint.aliases == (("order_id", "id"),)
    assert without.verdict == "key_changed"


def test_a_refused_approval_writes_nothing(registry: Any) -> None:
    before = stored_blueprints(registry)

    with pytest.raises(BadInputError, match="no column for 'order_id'"):
        approve(registry, ORDERS, _published(registry, id=None), aliases={}, **WHO)

    assert stored_blueprints(registry) == before
    assert decisions(registry) == ()


@pytest.mark.parametrize(
    ("aliases", "told"),
    [
        ({"order_id": "line_items"}, "column 'line_items' of its own"),
        ({"order_id": "id", "app": "id"}, "cannot both stand for 'id'"),
        ({"app": "refunds", "order_id": "id"}, "is a JSON document"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_alias_that_cannot_be_is_refused(
    registry: Any, aliases: dict[str, str], told: str
) -> None:
    columns = _published(registry, id="order_id", app_id="app", refunds=None)

    with pytest.raises(BadInputError, match=re.escape(told)):
        approve(registry, ORDERS, columns, aliases=aliases, **WHO)


def test_another_objects_shape_is_approved_only_when_the_object_is_named(registry: Any) -> None:
    products = next(
        dict(b.columns)
        for b in stored_blueprints(registry)
        if b.identity == ("shopify", "products")
    )

    with pytest.raises(BadInputError, match=r"--as shopify\.orders"):
        approve(registry, ORDERS, products, aliases={}, **WHO)
    approve(registry, ORDERS, products, aliases={}, is_confirmed=True, **WHO)

    assert route_table(ORDERS, products, stored_blueprints(registry)).verdict == "exact"


def test_a_rejection_counts_for_the_shape_that_was_rejected(registry: Any) -> None:
    columns = _published(registry, id=None)
    blueprints = stored_blueprints(registry)
    route = route_table(ORDERS, columns, blueprints)

    reject_table(registry, route, reason="a stray export", decided_by="ash")
    other = route_table(ORDERS, {**columns, "gift": "VARCHAR"}, blueprints)
    marked, unmarked = with_rejections(registry, [route, other])

    assert marked.rejected_because == "rejected by ash: a stray export"
    assert unmarked.rejected_because == ""


def test_an_approval_after_a_rejection_is_the_last_word(registry: Any) -> None:
    columns = _published(registry, id="order_id")
    route = route_table(ORDERS, columns, stored_blueprints(registry))
    reject_table(registry, route, reason="wait", decided_by="ash")

    approve(registry, ORDERS, columns, aliases={"order_id": "id"}, **WHO)
    (now,) = with_rejections(registry, [route_table(ORDERS, columns, stored_blueprints(registry))])

    assert now.is_routed
    assert now.rejected_because == ""
    assert [d.decision for d in decisions(registry)] == ["rejected", "approved"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("registry") / "project")
    project.configure({SLUG: tenant({"shopify": {"objects": ["orders", "products"]}})})
    order = {"id": 1, "created_at": "2026-05-01T10:00:00Z", "currency": "EUR", "note": "x"}
    project.land_records(SLUG, "shopify", "orders", [order])
    project.land_records(SLUG, "shopify", "products", [{"id": 1, "title": "x"}])
    with project.open_landing() as landing:
        table = f"{SLUG}.{ORDERS.table}"
        landing.execute(f"alter table {table} rename column total_price to total_price_now")
        landing.execute(changed_type(table, "order_number", "varchar"))
        landing.execute(f"create table {SLUG}.{SLUG}_stray (colour varchar)")
    return project


def _registry(project: Project, *arguments: str, check: bool = True) -> Result:
    return project.martlet("registry", *arguments, check=check)


def test_diff_gives_each_columns_verdict_for_push_and_publish(project: Project) -> None:
    document = _registry(project, "diff", SLUG, ORDERS.table, "--json").document

    verdicts = {d["column"]: (d["push"], d["publish"]) for d in document["differences"]}
    assert document["verdict"] == "diff"
    assert verdicts == {
        "total_price": ("error", "hold"),
        "order_number": ("error", "check"),
        "total_price_now": ("route", "yes"),
    }
    assert document["likely_renames"] == ["total_price_now=total_price"]


def test_diff_reads_well_without_json(project: Project) -> None:
    shown = _registry(project, "diff", SLUG, ORDERS.table).stdout

    assert "compared with shopify orders (native" in shown
    assert "--alias total_price_now=total_price" in shown


def test_show_lists_published_shapes_of_one_object(project: Project) -> None:
    shapes = _registry(
        project, "show", "--platform", "shopify", "--object", "products", "--json"
    ).document["shapes"]

    assert {(s["object"], s["status"]) for s in shapes} == {("products", "published")}
    assert all(len(s["fingerprint"]) == 32 for s in shapes)


BAD_INPUT: dict[str, tuple[tuple[str, ...], str]] = {
    "the table has not landed": (("diff", SLUG, f"{SLUG}_shopify__ordres"), ORDERS.table),
    "the tenant is unknown": (("diff", "nostrom", ORDERS.table), SLUG),
    "nothing declares the table": (("diff", SLUG, f"{SLUG}_stray"), "--as PLATFORM.OBJECT"),
    "the alias is no pair": (
        ("approve", SLUG, ORDERS.table, "--reason", "x", "--alias", "order_id"),
        "NEW=OLD",
    ),
    "the reason is empty": (("approve", SLUG, ORDERS.table, "--reason", " "), "reason is empty"),
    "the table is routed": (
        ("reject", SLUG, f"{SLUG}_shopify__products", "--reason", "x"),
        "nothing to reject",
    ),
}


@pytest.mark.parametrize("why", BAD_INPUT)
def test_bad_input_is_told_when(project: Project, why: str) -> None:
    arguments, told = BAD_INPUT[why]

    result = _registry(project, *arguments, check=False)

    assert result.code == 2
    assert told in result.stderr
