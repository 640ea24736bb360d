"""Tenants whose slugs look alike, with records of equal ids: none sees a byte of another."""

from typing import Any

import pytest

from tests.project import Project, new_project
from tests.warehouse.state import facts, tenant

SHOP = {"woocommerce": {"objects": ["orders"]}}
TWO_SHOPS = {"woocommerce": {"objects": ["orders"], "connections": {"main": {}, "outlet": {}}}}
OTHERS = {
    "tiktok_ads": {"objects": ["campaigns", "ads_reports_daily"]},
    "amplitude": {"objects": ["events"]},
}
# In a pattern of LIKE, the underscore of `acme_2` would match the x of `acmex2`.
TENANTS = {
    "acme": {**TWO_SHOPS, **OTHERS},
    "acme_2": {**SHOP, **OTHERS},
    "acmex2": SHOP,
}


def _marker(slug: str) -> str:
    return f"<{slug}>"


def _order(order_id: int, total: str, marker: str) -> dict[str, Any]:
    return {
        "id": order_id,
        "number": str(order_id),
        "status": "completed",
        "currency": "EUR",
        "date_created_gmt": "2026-05-01T10:00:00",
        "total": total,
        "billing": {"email": f"{marker}@example.com"},
        "line_items": [],
    }


def _ads(slug: str) -> dict[str, list[dict[str, Any]]]:
    campaign = {
        "campaign_id": "7171700000000000001",
        "advertiser_id": "7002238017842757633",
        "campaign_name": _marker(slug),
    }
    day = {
        "dimensions": {"stat_time_day": "2026-05-01 00:00:00", "ad_id": f"7{_marker(slug)}"},
        "metrics": {"spend": "10.00", "campaign_id": "7171700000000000001"},
    }
    return {"campaigns": [campaign], "ads_reports_daily": [day]}


def _event(slug: str) -> dict[str, Any]:
    return {
        "uuid": "u-1",
        "event_type": "page_view",
        "event_time": "2026-05-01 10:00:00.000000",
        "amplitude_id": 1,
        "session_id": 1777629600000,
        "event_properties": {"utm_source": _marker(slug)},
    }


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("isolation") / "project")
    project.configure({slug: tenant(sources) for slug, sources in TENANTS.items()})
    for slug, sources in TENANTS.items():
        marker = _marker(slug)
        orders = [_order(100, "10.00", marker), _order(101, "20.00", marker)]
        project.land_records(slug, "woocommerce", "orders", orders)
        if "connections" in sources["woocommerce"]:
            outlet = [_order(100, "70.00", marker)]
            project.land_records(slug, "woocommerce", "orders", outlet, "--connection", "outlet")
        if "tiktok_ads" in sources:
            for object_, records in _ads(slug).items():
                project.land_records(slug, "tiktok_ads", object_, records)
            project.land_records(slug, "amplitude", "events", [_event(slug)])
    project.run("--strict")
    return project


def _relations(project: Project, slug: str) -> list[str]:
    prefixes = [f"{layer}_{slug}__" for layer in ("stg", "int", "fct", "dim")]
    rows = project.query(
        "select table_schema || '.' || table_name as name from information_schema.tables "
        "where table_catalog = 'warehouse' order by name"
    )
    return [r["name"] for r in rows if r["name"].partition(".")[2].startswith(tuple(prefixes))]


def _rows_with(project: Project, relation: str, text: str) -> int:
    return int(
        project.value(
            f"select count(*) from {relation} as t where contains(cast(t as varchar), ?)", text
        )
    )


@pytest.mark.parametrize("slug", TENANTS)
def test_no_view_or_fact_of_a_tenant_holds_a_row_of_another(project: Project, slug: str) -> None:
    relations = _relations(project, slug)

    objects = sum(len(source["objects"]) for source in TENANTS[slug].values())
    assert len(relations) >= 2 * objects + 4
    for relation in relations:
        if not relation.startswith("refresh."):  # what serves one fact names no tenant
            strangers = project.query(f"select distinct tenant_slug from {relation}")
            assert {row["tenant_slug"] for row in strangers} <= {slug}, relation
        for other in TENANTS.keys() - {slug}:
            assert _rows_with(project, relation, _marker(other)) == 0, f"{other} in {relation}"


@pytest.mark.parametrize(("slug", "orders"), [("acme", 3), ("acme_2", 2)])
def test_every_fact_of_a_tenant_holds_its_own_rows(
    project: Project, slug: str, orders: int
) -> None:
    filled = {name: rows for name, (rows, _) in facts(project, slug).items()}

    assert filled == {
        f"fct_{slug}__ad_performance": 1,
        f"fct_{slug}__orders": orders,
        f"fct_{slug}__sessions": 1,
        f"dim_{slug}__campaigns": 1,
    }
    for name, rows in filled.items():
        assert _rows_with(project, f"analytics.{name}", _marker(slug)) == rows, name


def test_the_tenants_share_masters_but_no_key(project: Project) -> None:
    master = "platform.platform_mm__woocommerce_api_v1_orders"

    versions = project.query(f"select tenant_slug, tenant_skey, raw_data_payload from {master}")

    assert {row["tenant_slug"] for row in versions} == set(TENANTS)
    assert len({row["tenant_skey"] for row in versions}) == len(versions) == 7
    for row in versions:
        assert _marker(row["tenant_slug"]) in row["raw_data_payload"]


def test_two_shops_of_one_tenant_keep_the_orders_that_have_one_number(project: Project) -> None:
    orders = project.query(
        "select connection, order_id, cast(total_price as integer) as total "
        "from analytics.fct_acme__orders order by all"
    )

    assert [tuple(row.values()) for row in orders] == [
        ("main", "100", 10),
        ("main", "101", 20),
        ("outlet", "100", 70),
    ]
