"""Routing: which master a landed table goes to, and why another one goes nowhere."""

from pathlib import Path

import pytest

from martlet.config.catalogue import load_catalogue
from martlet.registry.blueprints import Blueprint, learned_blueprint, published_blueprints
from martlet.registry.fingerprint import landed_shape
from martlet.registry.routing import Declaration, Route, route_table

ROOT = Path(__file__).parents[2]
KNOWN = published_blueprints(load_catalogue(ROOT / "supported_connectors.yaml"))
BOOKKEEPING = {"_dlt_load_id": "VARCHAR", "_martlet_row": "BIGINT"}


def name_of(blueprint: Blueprint) -> str:
    b = blueprint
    return f"{b.source_platform}-{b.object}-{b.loader}-v{b.version}"


each_published_shape = pytest.mark.parametrize("published", KNOWN, ids=name_of)


def columns_of(platform: str, object_: str, loader: str = "native") -> dict[str, str]:
    """Return the newest published columns."""
    found = [
        b for b in KNOWN if (b.source_platform, b.object, b.loader) == (platform, object_, loader)
    ]
    return dict(found[-1].columns)


def route(
    platform: str,
    object_: str,
    columns: dict[str, str],
    known: tuple[Blueprint, ...] = KNOWN,
) -> Route:
    declaration = Declaration("acme", platform, object_, "main", "acme", "whatever")
    return route_table(declaration, columns, known)


@each_published_shape
def test_a_published_shape_routes_exactly_to_its_own_object(published: Blueprint) -> None:
    found = route(published.source_platform, published.object, dict(published.columns))

    assert (found.verdict, found.blueprint, found.differences) == ("exact", published, ())
    assert found.is_routed
    assert not found.is_learned


@each_published_shape
def test_a_published_shape_with_a_column_more_is_compared_with_its_own_loaders_version(
    published: Blueprint,
) -> None:
    landed = {**dict(published.columns), "brand_new": "JSON"}

    found = route(published.source_platform, published.object, landed)

    assert found.verdict == "diff"
    assert found.blueprint is not None
    assert found.blueprint.loader == published.loader
    assert {d.change for d in found.differences} == {"added"}


def test_order_case_type_spelling_and_bookkeeping_leave_the_route_exact() -> None:
    columns = columns_of("shopify", "orders")
    landed = {name.upper(): kind for name, kind in reversed(columns.items())} | BOOKKEEPING
    landed["ID"] = "INT8"

    assert route("shopify", "orders", landed).verdict == "exact"


def test_the_table_that_facebook_and_instagram_share_goes_where_it_is_declared() -> None:
    columns = columns_of("facebook_ads", "facebook_insights")

    routes = [
        route(platform, "facebook_insights", columns)
        for platform in ("facebook_ads", "instagram_ads")
    ]

    assert [r.verdict for r in routes] == ["exact", "exact"]
    assert [r.blueprint.source_platform for r in routes if r.blueprint] == [
        "facebook_ads",
        "instagram_ads",
    ]
    assert len({r.blueprint.master_model for r in routes if r.blueprint}) == 1


def test_types_of_the_same_families_route_by_family_and_become_known() -> None:
    columns = columns_of("woocommerce", "orders")
    landed = {**columns, "id": "HUGEINT", "customer_id": "INTEGER"}

    found = route("woocommerce", "orders", landed)

    assert found.verdict == "family"
    assert found.is_routed
    assert found.is_learned
    assert {str(d) for d in found.differences} == {
        "customer_id: published BIGINT, landed INTEGER (narrowed)",
        "id: published BIGINT, landed HUGEINT (widened)",
    }


def test_a_learned_shape_routes_exactly_the_next_time() -> None:
    landed = {**columns_of("shopify", "orders"), "loyalty": "JSON"}
    first = route("shopify", "orders", landed)
    assert first.blueprint is not None
    assert first.shape is not None
    learned = learned_blueprint(first.blueprint, first.shape, version=9)

    second = route("shopify", "orders", landed, (*KNOWN, learned))

    assert (first.verdict, second.verdict) == ("diff", "exact")
    assert second.blueprint is not None
    assert (second.blueprint.status, second.blueprint.version) == ("learned", 9)
    assert second.blueprint.master_model == first.blueprint.master_model


def test_a_changed_shape_is_routed_with_its_differences() -> None:
    landed = columns_of("shopify", "orders")
    del landed["note"]
    landed |= {"loyalty": "JSON", "total_weight": "VARCHAR"}

    found = route("shopify", "orders", landed)

    assert found.verdict == "diff"
    assert found.is_learned
    assert [(d.column, d.change) for d in found.differences] == [
        ("total_weight", "type changed"),
        ("loyalty", "added"),
        ("note", "removed"),
    ]


def test_a_missing_fact_column_does_not_stop_the_push() -> None:
    landed = columns_of("shopify", "orders")
    del landed["total_price"]

    found = route("shopify", "orders", landed)

    assert found.is_routed
    assert [(d.push, d.publication) for d in found.differences] == [("error", "hold")]


@pytest.mark.parametrize(
    ("declared", "landed"),
    [
        (("shopify", "orders"), ("shopify", "products")),
        (("shopify", "products"), ("shopify", "orders")),
        (("facebook_ads", "facebook_insights"), ("google_ads", "ad_performance")),
        (("google_ads", "ad_performance"), ("facebook_ads", "facebook_insights")),
        (("shopify", "orders"), ("woocommerce", "orders")),
        (("amplitude", "events"), ("google_analytics", "events")),
        (("tiktok_ads", "ads"), ("tiktok_ads", "ads_reports_daily")),
    ],
)
@pytest.mark.parametrize("more", [{}, {"one_more": "JSON"}], ids=["exact", "nearly"])
def test_a_table_with_the_shape_of_another_object_is_quarantined_and_both_are_named(
    declared: tuple[str, str], landed: tuple[str, str], more: dict[str, str]
) -> None:
    found = route(*declared, {**columns_of(*landed), **more, **BOOKKEEPING})

    assert found.verdict == "identity_conflict"
    assert not found.is_routed
    assert found.reason == (
        f"it is declared as {' '.join(declared)}, but has the shape of {' '.join(landed)}"
    )


def test_a_table_without_its_key_is_quarantined() -> None:
    landed = columns_of("shopify", "orders")
    del landed["id"]

    found = route("shopify", "orders", landed)

    assert found.verdict == "key_changed"
    assert not found.is_routed
    assert found.reason == "the key of orders is not what it was: id: BIGINT removed"


def test_a_table_whose_key_has_become_text_is_quarantined() -> None:
    found = route("shopify", "orders", {**columns_of("shopify", "orders"), "id": "VARCHAR"})

    assert found.verdict == "key_changed"
    assert "id: published BIGINT, landed VARCHAR" in found.reason


@pytest.mark.parametrize("has_key", [True, False])
def test_a_table_of_mostly_unknown_columns_is_quarantined_with_the_nearest_version(
    has_key: bool,
) -> None:
    landed = {"flavour": "VARCHAR", "colour": "VARCHAR", "shape": "JSON", "size": "BIGINT"}

    found = route("shopify", "orders", {"id": "BIGINT", **landed} if has_key else landed)

    assert found.verdict == "unknown"
    assert not found.is_routed
    assert found.reason == "most of its columns are unknown to shopify orders"
    assert found.blueprint is not None
    assert found.blueprint.identity == ("shopify", "orders")


def test_likeness_alone_never_routes_a_table_that_nothing_is_known_of() -> None:
    others = tuple(b for b in KNOWN if b.identity != ("woocommerce", "orders"))
    columns = {**columns_of("woocommerce", "orders"), "one_more": "JSON"}

    found = route("woocommerce", "orders", columns, others)

    assert found.verdict == "unknown"
    assert found.reason == "no shape of woocommerce orders is known"


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({}, "the table has no column of its own"),
        (BOOKKEEPING, "the table has no column of its own"),
        ({"Id": "BIGINT", "ID": "BIGINT"}, "are both 'id' once folded"),
        ({"caf\u00e9": "DATE", "cafe\u0301": "DATE"}, "are both 'caf\u00e9' once folded"),
    ],
)
def test_a_table_whose_columns_cannot_be_told_apart_is_quarantined(
    columns: dict[str, str], reason: str
) -> None:
    found = route("shopify", "orders", columns)

    assert (found.verdict, found.shape, found.is_routed) == ("unreadable", None, False)
    assert reason in found.reason


def test_no_two_masters_publish_one_fingerprint_so_that_an_exact_route_is_never_ambiguous() -> None:
    masters: dict[str, set[str]] = {}
    for blueprint in KNOWN:
        masters.setdefault(blueprint.source_schema_hash, set()).add(blueprint.master_model)

    assert not {found for found in masters.values() if len(found) > 1}


def test_the_route_carries_the_hashes_of_the_landed_table() -> None:
    landed = {**columns_of("shopify", "orders"), "loyalty": "JSON"}

    assert route("shopify", "orders", landed).shape == landed_shape(landed)
