"""What another loader than Martlet wrote is erased too, and erased again when it comes back."""

from dataclasses import dataclass
from typing import Any

import duckdb
import pytest

from tests.project import Project, new_project
from tests.warehouse.here import command
from tests.warehouse.state import ledger, tenant

MAIL = "canary.quill@example.org"
MASTER = "platform.platform_mm__shopify_api_v1_orders"
TABLE = "gamma.gamma_shopify__orders"


def _order(number: int, mail: str) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2026-05-01T10:00:00Z",
        "updated_at": "2026-05-01T10:00:00Z",
        "currency": "EUR",
        "total_price": "10.00",
        "test": False,
        "email": mail,
    }


@dataclass
class Story:
    project: Project
    erased: dict[str, Any]

    def is_named(self) -> bool:
        home = self.project.folder / "data"
        files = (path for path in home.rglob("*") if path.is_file())
        return any(MAIL.encode() in path.read_bytes().lower() for path in files)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The loader numbers no rows, keeps no record of its loads, and fills a table of its own."""
    project = new_project(tmp_path_factory.mktemp("foreign") / "project", {})
    shop = tenant({"shopify": {"objects": ["orders"]}})
    project.configure({"beta": shop})
    orders = [_order(1, "a@x.org"), _order(2, MAIL), _order(3, "c@x.org"), _order(4, "d@x.org")]
    project.land_records("beta", "shopify", "orders", orders)
    with duckdb.connect(str(project.landing)) as landing:
        landing.execute("create schema gamma")
        landing.execute("create table gamma._dlt_loads as select * from beta._dlt_loads")
        landing.execute(
            f"create table {TABLE} as select * exclude (_martlet_row, _martlet_extracted_at) "
            "from beta.beta_shopify__orders"
        )
        landing.execute(
            f"create table gamma.leads as select 1 as id, upper('{MAIL}') as contact "
            "union all select 2, 'z@x.org'"
        )
        landing.execute("drop schema beta cascade")
    project.configure({"gamma": shop})
    command(project, "run")
    return Story(project, command(project, "erase", "gamma", "--subject", MAIL))


def test_undeclared_tables_are_searched_and_places_of_rows_stay_theirs(story: Story) -> None:
    assert story.erased["places"] == {
        f"landing.{TABLE}": 1,
        MASTER: 1,
        "landing.gamma.leads": 1,
    }
    assert not story.is_named()
    assert ledger(story.project, "gamma")["erased"] == 1
    places = story.project.query(f"select load_row from {MASTER} order by 1")
    assert [row["load_row"] for row in places] == [0, 1, 2]
    assert command(story.project, "audit")


def test_what_the_loader_writes_of_the_person_is_gone_before_it_is_pushed(story: Story) -> None:
    with duckdb.connect(str(story.project.landing)) as landing:
        landing.execute(
            "insert into gamma._dlt_loads select * replace ('1800000000.5' as load_id) "
            "from gamma._dlt_loads limit 1"
        )
        for number, mail in ((9, MAIL.upper()), (10, "new@x.org")):
            landing.execute(
                f"insert into {TABLE} select * replace ('1800000000.5' as _dlt_load_id, "
                f"{number} as id, '{mail}' as email) from {TABLE} limit 1"
            )

    command(story.project, "run")

    orders = story.project.query(f"select raw_data_payload ->> '$.id' as id from {MASTER}")
    assert sorted(int(row["id"]) for row in orders) == [1, 3, 4, 10]
    assert not story.is_named()
    assert command(story.project, "audit")
