"""One Google Ads table with the accounts of three tenants, as a manager account delivers it."""

import json
from typing import Any

import pytest

from tests.project import Project, new_project
from tests.warehouse.state import accounted, ledger, tenant

NORTH, SOUTH, EAST, DISPUTED = "1111111111", "2222222222", "3333333333", "4444444444"
TABLE = "google_ads_ad_performance"
SHARED = [
    {
        "table": TABLE,
        "platform": "google_ads",
        "object": "ad_performance",
        "account_column": "customer.id",
    }
]


def _row(account: str, day: int, spend: int) -> dict[str, Any]:
    return {
        "customer": {"id": account},
        "campaign": {"id": f"{account}1"},
        "adGroup": {"id": f"{account}2"},
        "adGroupAd": {"ad": {"id": f"{account}3"}},
        "metrics": {"costMicros": str(spend * 1_000_000), "impressions": "1", "clicks": "1"},
        "segments": {"date": f"2026-05-{day:02}", "device": "MOBILE"},
    }


ROWS = [
    *(_row(NORTH, day, 1) for day in (1, 2, 3)),
    *(_row(SOUTH, day, 10) for day in (1, 2)),
    *(_row(EAST, day, 100) for day in (1, 2, 3, 4)),
    *(_row(DISPUTED, day, 1_000) for day in (1, 2)),
]
NO_DAY = {**_row(NORTH, 1, 1), "segments": {"device": "MOBILE"}}  # its key lacks the date


def _configure(project: Project, **accounts: list[str]) -> None:
    project.configure(
        {
            slug: tenant(
                {
                    "google_ads": {
                        "objects": ["ad_performance"],
                        "connections": {"main": {"accounts": listed}},
                    }
                }
            )
            for slug, listed in accounts.items()
        },
        shared_landings=SHARED,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = new_project(tmp_path_factory.mktemp("shared") / "project")
    _configure(project, north=[NORTH, DISPUTED], south=[SOUTH, DISPUTED], east=[])
    return project


@pytest.fixture(scope="module")
def landed(project: Project) -> Any:
    file = project.folder / "manager.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in [*ROWS, NO_DAY]))
    return project.martlet("land-shared", TABLE, "--file", str(file), "--json").document


@pytest.fixture(scope="module")
def before(project: Project, landed: Any) -> Any:
    """What the run told while one account was nobody's and one was claimed twice."""
    return project.run(), _state(project)


@pytest.fixture(scope="module")
def after(project: Project, before: Any) -> Any:
    """What the run told once the unknown account was claimed, and the other by one tenant only."""
    _configure(project, north=[NORTH, DISPUTED], south=[SOUTH], east=[EAST])
    return project.run(), _state(project)


def _state(project: Project) -> dict[str, Any]:
    slugs = ("north", "south", "east", "_unassigned")
    return {
        "ledger": {slug: ledger(project, slug) for slug in slugs},
        "spend": {
            slug: project.query(
                f"select account_id, cast(sum(spend) as integer) as spend, count(*) as days "
                f"from analytics.fct_{slug}__ad_performance group by all order by all"
            )
            for slug in slugs[:3]
        },
    }


def _spend(account: str, spend: int, days: int) -> dict[str, Any]:
    return {"account_id": account, "spend": spend, "days": days}


def test_the_file_lands_in_the_shared_schema_but_for_its_bad_row(
    project: Project, landed: Any, before: Any
) -> None:
    (table,) = landed["tables"]

    assert (table["received"], table["accepted"], table["quarantined"]) == (12, 11, 1)
    assert project.value(f"select count(*) from landing.shared.{TABLE}") == 11


def test_each_tenant_gets_the_rows_of_the_accounts_that_it_alone_claims(before: Any) -> None:
    _, state = before

    assert state["spend"] == {
        "north": [_spend(NORTH, 3, 3)],
        "south": [_spend(SOUTH, 20, 2)],
        "east": [],
    }


def test_what_nobody_or_two_tenants_claim_is_quarantined_under_no_tenant(before: Any) -> None:
    report, state = before

    unassigned = next(t for t in report["tables"] if t["tenant"] == "_unassigned")

    # four rows of the account that nobody claims, two of the disputed one, and the bad row
    assert (unassigned["landed"], unassigned["quarantined"], unassigned["pushed"]) == (7, 7, 0)
    assert state["ledger"]["_unassigned"]["quarantined"] == 7


def test_a_tenant_whose_rows_come_in_the_shared_table_is_told_of_no_table_that_lacks(
    before: Any,
) -> None:
    report, _ = before

    north, south, east, _ = report["tables"]

    assert (north["landed"], north["pushed"], north["status"]) == (3, 3, "exact")
    assert (south["landed"], south["pushed"], south["status"]) == (2, 2, "exact")
    assert east["status"] == "not_landed"
    assert [f["tenant"] for f in report["findings"] if f["kind"] == "not_landed"] == ["east"]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_the_ledger_balances(moment: str, landed: Any, request: pytest.FixtureRequest) -> None:
    _, state = request.getfixturevalue(moment)

    for slug, sums in state["ledger"].items():
        assert sums["landed"] == accounted(sums), slug
    assert sum(sums["landed"] for sums in state["ledger"].values()) == 12


def test_rows_of_an_account_that_is_claimed_later_are_pushed_by_the_next_run(after: Any) -> None:
    report, state = after

    assert {t["tenant"]: t["pushed"] for t in report["tables"]} == {
        "north": 2,
        "south": 0,
        "east": 4,
        "_unassigned": 0,
    }
    assert state["spend"] == {
        "north": [_spend(NORTH, 3, 3), _spend(DISPUTED, 2_000, 2)],
        "south": [_spend(SOUTH, 20, 2)],
        "east": [_spend(EAST, 400, 4)],
    }
    assert state["ledger"]["_unassigned"]["quarantined"] == 1


def test_a_row_pushed_once_is_not_quarantined_when_its_account_becomes_disputed(
    project: Project, after: Any
) -> None:
    _, state = after
    _configure(project, north=[NORTH, DISPUTED], south=[SOUTH], east=[EAST, NORTH])

    project.run("--tenant", "south")

    assert _state(project)["ledger"] == state["ledger"]


def test_an_undeclared_shared_table_is_refused_with_the_nearest_one(project: Project) -> None:
    refused = project.martlet(
        "land-shared", "google_ads_performance", "--file", "none.jsonl", check=False
    )

    assert refused.code == 2
    assert f"unknown shared table 'google_ads_performance'; did you mean '{TABLE}'?" in (
        refused.stderr
    )
