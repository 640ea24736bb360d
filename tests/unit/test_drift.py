"""The drift table: what each kind of change does to the push and to the publication."""

import pytest

from martlet.registry.blueprints import Blueprint
from martlet.registry.drift import Difference, differences
from martlet.registry.fingerprint import landed_shape

# Shopify's orders: the key is order_id (column `id`), needed are total_price, created_at and
# others; `note`, `total_weight` and `closed_at` no fact needs.
ORDERS = {
    "id": "BIGINT",
    "created_at": "TIMESTAMP",
    "total_price": "DECIMAL(12,2)",
    "total_tax": "DOUBLE",
    "refunds": "JSON",
    "note": "VARCHAR",
    "total_weight": "INTEGER",
    "closed_at": "TIMESTAMP",
}


def blueprint(
    columns: dict[str, str], platform: str = "shopify", object_: str = "orders"
) -> Blueprint:
    shape = landed_shape(columns)
    return Blueprint(
        source_platform=platform,
        object=object_,
        master_model=f"platform_mm__{platform}_api_v1_{object_}",
        api_version="v1",
        loader="native",
        version=1,
        source_schema_hash=shape.source_schema_hash,
        schema_family_hash=shape.schema_family_hash,
        columns=shape.columns,
    )


def drift(published: dict[str, str], landed: dict[str, str]) -> tuple[Difference, ...]:
    return differences(landed_shape(landed), blueprint(published))


def retyped(column: str, before: str, after: str) -> Difference:
    (difference,) = drift({**ORDERS, column: before}, {**ORDERS, column: after})
    assert (difference.column, difference.before, difference.after) == (column, before, after)
    return difference


def without(*columns: str) -> dict[str, str]:
    return {name: kind for name, kind in ORDERS.items() if name not in columns}


def test_an_added_column_is_routed_and_published() -> None:
    (added,) = drift(ORDERS, {**ORDERS, "loyalty": "JSON"})

    assert added == Difference("loyalty", "added", None, "JSON", "route", "yes")
    assert str(added) == "loyalty: added as JSON"


@pytest.mark.parametrize(
    ("column", "change", "push", "publication"),
    [
        ("note", "removed", "route", "yes"),
        ("total_weight", "removed", "route", "yes"),
        ("total_price", "needed column removed", "error", "hold"),
        ("created_at", "needed column removed", "error", "hold"),
        ("refunds", "needed column removed", "error", "hold"),
        ("id", "key removed", "quarantine", "hold"),
    ],
)
def test_a_removed_column_matters_as_far_as_facts_and_key_need_it(
    column: str, change: str, push: str, publication: str
) -> None:
    (removed,) = drift(ORDERS, without(column))

    assert removed == Difference(column, change, ORDERS[column], None, push, publication)
    assert str(removed) == f"{column}: {ORDERS[column]} removed"


def test_a_needed_column_is_not_missed_where_another_that_may_hold_it_is_there() -> None:
    # An account's id stands in `dimensions`, in `metrics` or on its own.
    published = {"dimensions": "JSON", "metrics": "JSON", "stat_time_day": "VARCHAR"}
    report = blueprint({**published, "ad_id": "BIGINT"}, "tiktok_ads", "ads_reports_daily")

    found = differences(landed_shape({**published, "spend": "DOUBLE"}), report)
    bare = differences(landed_shape({"metrics": "JSON", "ad_id": "BIGINT"}), report)

    assert {d.column: d.push for d in found} == {"ad_id": "route", "spend": "route"}
    assert {d.column: d.push for d in bare} == {
        "dimensions": "quarantine",
        "stat_time_day": "quarantine",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("TINYINT", "SMALLINT"),
        ("INTEGER", "BIGINT"),
        ("BIGINT", "HUGEINT"),
        ("UINTEGER", "BIGINT"),
        ("UBIGINT", "UHUGEINT"),
        ("FLOAT", "DOUBLE"),
        ("DECIMAL(12,2)", "DECIMAL(18,2)"),
        ("INTEGER", "DOUBLE"),
        ("INTEGER", "DECIMAL(18,6)"),
        ("BIGINT", "DECIMAL(38,6)"),
        ("DOUBLE", "DECIMAL(18,6)"),
    ],
)
def test_a_wider_number_is_routed_and_published(before: str, after: str) -> None:
    difference = retyped("total_weight", before, after)

    assert (difference.change, difference.push, difference.publication) == (
        "widened",
        "route",
        "yes",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("BIGINT", "INTEGER"),
        ("BIGINT", "UBIGINT"),
        ("INTEGER", "UBIGINT"),  # a sign is lost
        ("BIGINT", "DOUBLE"),  # ids beyond 2^53 lose digits
        ("BIGINT", "DECIMAL(18,6)"),
        ("DOUBLE", "FLOAT"),
        ("DOUBLE", "BIGINT"),
        ("DECIMAL(18,2)", "DECIMAL(12,2)"),
        ("DECIMAL(18,2)", "DECIMAL(18,6)"),
        ("DECIMAL(12,2)", "DECIMAL(18,6)"),
        ("DECIMAL(18,2)", "DECIMAL(18,0)"),
        ("DECIMAL(18,2)", "DOUBLE"),
        ("DECIMAL(18,2)", "INTEGER"),
    ],
)
def test_a_narrower_number_or_another_scale_is_routed_with_a_warning_and_checked(
    before: str, after: str
) -> None:
    difference = retyped("total_weight", before, after)

    assert (difference.change, difference.push, difference.publication) == (
        "narrowed",
        "warning",
        "check",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DATE", "TIMESTAMP"),
        ("TIMESTAMP", "DATE"),
        ("TIMESTAMP", "TIMESTAMPTZ"),
        ("TIMESTAMPTZ", "TIMESTAMP"),
        ("DATE", "TIMESTAMPTZ"),
        ("TIMESTAMPTZ", "DATE"),
    ],
)
def test_another_kind_of_moment_is_routed_with_a_warning_and_checked(
    before: str, after: str
) -> None:
    difference = retyped("closed_at", before, after)

    assert (difference.change, difference.push, difference.publication) == (
        "date or zone changed",
        "warning",
        "check",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("DOUBLE", "VARCHAR"),
        ("BIGINT", "VARCHAR"),
        ("DECIMAL(18,2)", "VARCHAR"),
        ("VARCHAR", "DOUBLE"),
        ("VARCHAR", "TIMESTAMP"),
        ("TIMESTAMP", "VARCHAR"),
        ("TIMESTAMP", "BIGINT"),
        ("BOOLEAN", "INTEGER"),
        ("VARCHAR", "JSON"),
        ("JSON", "VARCHAR"),
        ("VARCHAR", "BLOB"),
        ("TIME", "TIMESTAMP"),
    ],
)
def test_another_kind_of_value_is_routed_as_an_error_and_the_data_decide(
    before: str, after: str
) -> None:
    difference = retyped("note", before, after)

    assert (difference.change, difference.push, difference.publication) == (
        "type changed",
        "error",
        "check",
    )


@pytest.mark.parametrize("after", ["VARCHAR", "DOUBLE", "DECIMAL(38,0)", "JSON", "UUID"])
def test_a_key_of_another_family_is_quarantined_and_held(after: str) -> None:
    difference = retyped("id", "BIGINT", after)

    assert (difference.change, difference.push, difference.publication) == (
        "key of another family",
        "quarantine",
        "hold",
    )


def test_a_key_of_the_same_family_is_not_another_key() -> None:
    assert retyped("id", "BIGINT", "HUGEINT").push == "route"
    assert retyped("id", "BIGINT", "INTEGER").push == "warning"


@pytest.mark.parametrize(
    ("column", "push", "publication"),
    [
        ("note", "route", "yes"),
        ("total_price", "error", "hold"),
        ("id", "quarantine", "hold"),
    ],
)
def test_a_renamed_column_is_one_removed_and_one_added(
    column: str, push: str, publication: str
) -> None:
    landed = {f"{name}_v2" if name == column else name: kind for name, kind in ORDERS.items()}

    removed, added = drift(ORDERS, landed)

    assert (removed.column, removed.push, removed.publication) == (column, push, publication)
    assert (added.column, added.change, added.push) == (f"{column}_v2", "added", "route")


def test_order_case_and_spelling_of_types_are_no_difference() -> None:
    landed = {name.upper(): kind for name, kind in reversed(ORDERS.items())}

    assert drift(ORDERS, landed) == ()
    assert drift(ORDERS, {**ORDERS, "note": "text", "id": "int8", "_dlt_id": "VARCHAR"}) == ()


def test_the_worst_difference_comes_first() -> None:
    landed = {**without("id", "total_price"), "closed_at": "DATE", "a_new_one": "JSON"}

    pushes = [difference.push for difference in drift(ORDERS, landed)]

    assert pushes == ["quarantine", "error", "warning", "route"]
