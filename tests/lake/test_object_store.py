"""A lake with its files in an S3-compatible store, which may be gone for a while."""

from collections.abc import Callable
from typing import Any

import pytest
from bench.servers.object_store import KEY, SECRET, Store

from tests.conftest import Variables
from tests.project import Project, new_project
from tests.warehouse.state import tenant

# More than what a catalogue keeps in itself.
ORDERS = 150


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, new_stored_lake: Callable[[], Variables]
) -> Project:
    project = new_project(tmp_path_factory.mktemp("stored") / "project", new_stored_lake())
    project.configure({"ada": tenant({"shopify": {}})})
    return project


def orders(first: int) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "created_at": "2026-06-01T10:00:00Z",
            "currency": "USD",
            "total_price": "10.00",
        }
        for number in range(first, first + ORDERS)
    ]


def told(project: Project) -> dict[str, Any]:
    (row,) = project.query(
        "select count(*) as facts, count(distinct order_id) as orders, sum(total_price)::varchar "
        "as money, (select sum(rows_pushed) from ops.platform_ops__push_ledger)::bigint as pushed "
        "from analytics.fct_ada__orders"
    )
    return row


def expected(count: int) -> dict[str, Any]:
    return {"facts": count, "orders": count, "money": f"{count * 10}.000000", "pushed": count}


def test_what_is_landed_and_built_lies_in_the_store(project: Project) -> None:
    project.land_records("ada", "shopify", "orders", orders(1))
    project.run()

    assert told(project) == expected(ORDERS)
    files = project.query(
        "select data_file from ducklake_list_files('warehouse', "
        "'platform_mm__shopify_api_v1_orders', schema => 'platform')"
    )
    assert files
    assert all(f["data_file"].startswith("s3://") for f in files)
    assert all("/tenant_slug=ada/source_platform=shopify/" in f["data_file"] for f in files)


def test_a_store_that_is_gone_is_a_clean_error_and_nothing_is_lost(
    project: Project, store: Store
) -> None:
    project.land_records("ada", "shopify", "orders", orders(1_000))
    store.stop()
    try:
        failed = project.martlet("run", "--json", check=False)
    finally:
        store.start()

    assert failed.code == 1
    assert "Traceback" not in failed.stderr
    assert SECRET not in failed.stdout + failed.stderr
    assert told(project) == expected(ORDERS)

    project.run()
    assert told(project) == expected(2 * ORDERS)
    assert project.martlet("audit").code == 0


def test_maintenance_changes_nothing_that_is_read(project: Project) -> None:
    before = told(project)
    maintained = project.martlet("maintain", "--keep-days", "0.05", "--json").document["databases"]

    assert [done["database"] for done in maintained] == ["warehouse", "landing"]
    assert maintained[0]["rows_flushed"] > 0
    assert told(project) == before
    assert project.run()["unchanged"] == ["ada"]
    assert project.martlet("audit").code == 0


def test_no_key_is_kept_or_told(project: Project) -> None:
    told = project.martlet("status", "--json")
    texts = [told.stdout, told.stderr] + [
        path.read_text(errors="ignore") for path in project.folder.rglob("*") if path.is_file()
    ]

    assert not any(secret in text for text in texts for secret in (KEY, SECRET))
