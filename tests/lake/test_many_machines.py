"""Machines with homes of their own run on one lake at the same time: disjoint tenants, and one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Variables
from tests.project import Project, new_project
from tests.warehouse.state import tenant

TENANTS = ("ada", "bea")
ORDERS = 120


@pytest.fixture
def machines(tmp_path: Path, new_lake: Callable[[], Variables]) -> list[Project]:
    variables = new_lake()
    made = []
    for number in range(3):
        project = new_project(tmp_path / f"machine_{number}", variables)
        project.configure({slug: tenant({"shopify": {}}) for slug in TENANTS})
        made.append(project)
    return made


def orders(count: int) -> list[dict[str, Any]]:
    made = {"created_at": "2026-06-01T10:00:00Z", "currency": "USD", "total_price": "10.00"}
    return [{"id": number, **made} for number in range(count)]


def start(project: Project, slug: str) -> subprocess.Popen[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    return subprocess.Popen(
        [sys.executable, "-m", "martlet", "run", "--tenant", slug, "--wait", "600", "--json"],
        cwd=project.folder,
        env=environ | project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_load_is_lost_and_none_is_pushed_twice(machines: list[Project]) -> None:
    """Its first build included: of the tables that all tenants share, nobody makes a second."""
    machines[0].martlet("init-library")
    for slug in TENANTS:
        machines[0].land_records(slug, "shopify", "orders", orders(ORDERS))

    running = [start(m, slug) for m, slug in zip(machines, ("ada", "bea", "ada"), strict=True)]
    told = [(process.communicate(timeout=1_200), process.returncode) for process in running]

    assert [code for _, code in told] == [0, 0, 0], told
    ledger = machines[0].query(
        "select tenant_slug, count(*) as loads, sum(rows_pushed)::bigint as pushed "
        "from ops.platform_ops__push_ledger group by 1 order by 1"
    )
    assert ledger == [{"tenant_slug": s, "loads": 1, "pushed": ORDERS} for s in TENANTS]
    for slug in TENANTS:
        assert machines[1].value(f"select count(*) from analytics.fct_{slug}__orders") == ORDERS
    assert machines[2].martlet("audit").code == 0
