"""Masters that are older than their key prefixes, and keys that share one."""

from datetime import datetime, timedelta

import pytest

from tests.project import new_project
from tests.warehouse.oracle import Load
from tests.warehouse.witness import (
    EVENTS,
    INSIGHTS,
    ORDERS,
    TENANTS,
    Kind,
    Witness,
    event,
    insight,
    order,
)

KINDS = (INSIGHTS, ORDERS, EVENTS)


def _at(hour: int) -> datetime:
    return datetime(2024, 4, 1) + timedelta(hours=hour)


def _land(witness: Witness, hour: int, spend: str, total: str) -> None:
    """Land three records of each kind, of which one insight and one order have these values."""
    witness.land(
        INSIGHTS, Load((insight("a", spend), insight("b", "1"), insight("c", "1")), _at(hour))
    )
    witness.land(ORDERS, Load((order(1, total), order(2, "1.00"), order(3, "1.00")), _at(hour)))
    witness.land(EVENTS, Load((event("ann"), event("ann"), event("bob")), _at(hour)))


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    """Return a project whose masters lost the column, and got it again from the next run."""
    project = new_project(tmp_path_factory.mktemp("older") / "project")
    project.configure(TENANTS)
    witness = Witness(project)
    _land(witness, 1, "1", "1.00")
    witness.run()
    with project.open_warehouse() as warehouse:
        for kind in KINDS:
            warehouse.execute(f"alter table platform.{kind.master} drop column key_prefix")
    _land(witness, 2, "2", "2.00")
    witness.run()
    return witness


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_a_push_onto_an_older_master_knows_its_records(witness: Witness, kind: Kind) -> None:
    found, expected = witness.contents(kind), witness.expected(kind)

    assert found.versions == expected.versions
    assert found.ledger == expected.ledger


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_an_older_master_gets_the_column_last_and_filled(witness: Witness, kind: Kind) -> None:
    found = witness.prefixes(kind)
    names = [
        row["column_name"] for row in witness.project.query(f"describe platform.{kind.master}")
    ]

    assert names[-1] == "key_prefix"
    assert len(found) >= 3
    assert [row for row in found if row[0] != row[1]] == []


def test_keys_that_share_a_prefix_are_not_taken_for_each_other(witness: Witness) -> None:
    with witness.project.open_warehouse() as warehouse:
        warehouse.execute(
            f"update platform.{ORDERS.master} set key_prefix = (select any_value(key_prefix) "
            f"from platform.{ORDERS.master} where raw_data_payload ->> 'id' = '1')"
        )
    witness.land(ORDERS, Load((order(1, "1.00"),), _at(3)))
    witness.run()

    assert witness.contents(ORDERS).versions == witness.expected(ORDERS).versions
    assert witness.contents(ORDERS).newest == witness.expected(ORDERS).newest
