"""Eight machines on one lake: nothing is lost or doubled, and without the lease it would be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Variables
from tests.lake.machines import MEETING, ended, machines, orders, start
from tests.project import Project
from tests.warehouse.state import tenant

pytestmark = pytest.mark.proof

MACHINES = 8
ORDERS = 150
SLUGS = tuple(f"tenant_{number}" for number in range(MACHINES))
WAIT = ("--wait", "3600", "--json")


@pytest.fixture(scope="module")
def fleet(
    tmp_path_factory: pytest.TempPathFactory, new_lake: Callable[[], Variables]
) -> list[Project]:
    stanzas = {slug: tenant({"shopify": {"objects": ["orders"]}}) for slug in SLUGS}
    folder: Path = tmp_path_factory.mktemp("fleet")
    fleet = machines(folder, new_lake(), stanzas, MACHINES)
    fleet[0].martlet("init-library")
    return fleet


def told(project: Project) -> list[dict[str, Any]]:
    """Return what each tenant has in its ledger, its share of the master, and its facts."""
    ledger = (
        "select tenant_slug as slug, count(*) as loads, sum(rows_pushed)::bigint as pushed, "
        "(select count(*) from platform.platform_mm__shopify_api_v1_orders as m "
        "where m.tenant_slug = l.tenant_slug) as master "
        "from ops.platform_ops__push_ledger as l group by 1 order by 1"
    )
    facts = {
        slug: project.value(f"select count(*) from analytics.fct_{slug}__orders") for slug in SLUGS
    }
    return [{**row, "facts": facts[row["slug"]]} for row in project.query(ledger)]


def expected(loads: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"slug": s, "loads": n, "pushed": n * ORDERS, "master": n * ORDERS, "facts": n * ORDERS}
        for s, n in sorted(loads.items())
    ]


def test_eight_machines_share_eight_tenants_out(fleet: list[Project]) -> None:
    for slug in SLUGS:
        fleet[0].land_records(slug, "shopify", "orders", orders(0, ORDERS))

    running = [
        start(machine, "run", "--all", "--shard", f"{number}/{MACHINES}", *WAIT)
        for number, machine in enumerate(fleet, start=1)
    ]
    codes = ended(running)

    assert [code for code, *_ in codes] == [0] * MACHINES, codes
    assert told(fleet[0]) == expected(dict.fromkeys(SLUGS, 1))


def test_eight_machines_that_want_one_tenant_push_it_once(
    fleet: list[Project], tmp_path: Path
) -> None:
    """All of them look before the first may write: only the lease keeps them apart."""
    slug = SLUGS[0]
    fleet[0].land_records(slug, "shopify", "orders", orders(ORDERS, ORDERS))

    meeting = ("-c", MEETING, str(tmp_path), str(MACHINES), "10", "leased")
    codes = ended([start(m, "run", "--tenant", slug, *WAIT, program=meeting) for m in fleet])

    assert [code for code, *_ in codes] == [0] * MACHINES, codes
    assert told(fleet[0]) == expected({**dict.fromkeys(SLUGS, 1), slug: 2})
    assert fleet[1].martlet("audit").code == 0


def test_without_the_lease_they_push_it_as_often_as_they_are(
    fleet: list[Project], tmp_path: Path
) -> None:
    """Or the test before would show nothing. The facts stay right; the audit says what happened."""
    slug, pushers = SLUGS[1], 3
    fleet[0].land_records(slug, "shopify", "orders", orders(ORDERS, ORDERS))

    meeting = ("-c", MEETING, str(tmp_path), str(pushers), "900", "unleased")
    ended([start(m, "run", "--tenant", slug, *WAIT, program=meeting) for m in fleet[:pushers]])

    (row,) = [row for row in told(fleet[0]) if row["slug"] == slug]
    assert row["loads"] == 1 + pushers
    assert row["master"] == (1 + pushers) * ORDERS
    audited = fleet[1].martlet("audit", check=False)
    assert audited.code == 1
    assert slug in audited.stderr
