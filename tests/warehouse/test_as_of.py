"""A run as of a past moment gives the truth that was known then, beside the one known now."""

import time
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.connectors.harness import golden_tenant
from tests.project import Project, new_project

FACT = "fct_golden__orders"


def _order(total: str, status: str, updated_at: str) -> dict[str, Any]:
    return {
        "id": 1,
        "created_at": "2026-06-01T10:00:00Z",
        "updated_at": updated_at,
        "financial_status": status,
        "currency": "USD",
        "total_price": total,
    }


@pytest.fixture(scope="module")
def restated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    project = new_project(tmp_path_factory.mktemp("as_of") / "project")
    project.configure({"golden": golden_tenant({"shopify": {}})})
    first = _order("10.00", "pending", "2026-06-01T10:00:00Z")
    project.land_records("golden", "shopify", "orders", [first])
    project.run()
    time.sleep(1.1)  # as-of moments have whole seconds here
    between = project.value("select cast(current_timestamp at time zone 'UTC' as timestamp)")
    time.sleep(0.1)
    later = [_order("12.50", "paid", "2026-06-02T10:00:00Z"), first | {"id": 2}]
    project.land_records("golden", "shopify", "orders", later)
    project.run()
    assert isinstance(between, datetime)
    return project, between.isoformat(timespec="seconds")


def test_an_as_of_run_shows_the_order_before_it_was_restated(
    restated: tuple[Project, str],
) -> None:
    project, moment = restated

    report = project.run("--as-of", moment)

    schema = f"as_of_{datetime.fromisoformat(moment):%Y%m%d_%H%M%S}"
    then = project.query(f"select order_id, total_price, financial_status from {schema}.{FACT}")
    assert [tuple(row.values()) for row in then] == [("1", Decimal("10"), "pending")]
    assert {fact["fact"]: fact["rows"] for fact in report["facts"]}[FACT] == 1


def test_the_facts_of_now_stay_what_they_are(restated: tuple[Project, str]) -> None:
    project, _ = restated

    now = project.query(
        f"select order_id, total_price, financial_status from analytics.{FACT} order by 1"
    )

    assert [tuple(row.values()) for row in now] == [
        ("1", Decimal("12.5"), "paid"),
        ("2", Decimal("10"), "pending"),
    ]


def test_before_the_first_run_there_is_no_past_and_nothing_is_written(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project")
    project.configure({"golden": golden_tenant({"shopify": {}})})

    result = project.martlet("run", "--as-of", "2026-06-01T00:00:00", check=False)

    assert result.code == 2
    assert "there is no such database" in result.stderr
    assert "martlet land" in result.stderr
    assert not (project.folder / "data").exists()


def test_a_moment_with_a_zone_is_the_same_moment_in_utc(restated: tuple[Project, str]) -> None:
    project, moment = restated
    in_berlin = datetime.fromisoformat(f"{moment}+00:00").astimezone(ZoneInfo("Europe/Berlin"))

    report = project.run("--as-of", in_berlin.isoformat())

    assert {fact["fact"]: fact["rows"] for fact in report["facts"]}[FACT] == 1
