"""Sixty random histories of each kind of object, pushed for real, equal the oracle's."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.project import new_project
from tests.warehouse.oracle import Contents, Load, Record, Scope
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

SEED = 26
HISTORIES = range(60)
DAYS = range(1, 7)
LOADS = 8
LOADS_PER_RUN = (3, 3, 2)
KINDS = (INSIGHTS, ORDERS, EVENTS)


def _day(history: int) -> int:
    return DAYS[history % len(DAYS)]


def _account(history: int) -> str:
    return f"a{history // 6}"


def _insight(history: int, value: int) -> Record:
    return insight(_account(history), str(value), _day(history), f"ad{history}")


def _order(history: int, value: int) -> Record:
    return order(history + 1, f"{value}.00")


def _event(history: int, value: int) -> Record:
    return event(f"u{history}", ("view_item", "purchase")[value % 2], _day(history), history)


def _moments(dice: random.Random) -> list[datetime]:
    """Return when each load was taken: mostly one after the other, some late, some at once."""
    hours = [
        dice.choice((hour, hour, hour, dice.randrange(LOADS), dice.randrange(LOADS)))
        for hour in range(LOADS)
    ]
    return [datetime(2024, 4, 1) + timedelta(hours=hour) for hour in hours]


def _records(
    dice: random.Random, make: Callable[[int, int], Record], within: Callable[[int], bool]
) -> tuple[Record, ...]:
    """Return no record of some histories, one of most, several of others, in any order."""
    records = []
    for history in filter(within, HISTORIES):
        count = dice.choice((0, 1, 1, 1, 2))
        records += [make(history, dice.randrange(2)) for _ in range(count)]
    dice.shuffle(records)
    return tuple(records)


def _insight_loads(dice: random.Random) -> list[Load]:
    accounts = sorted({_account(history) for history in HISTORIES})
    loads = []
    for moment in _moments(dice):
        first, last = sorted(dice.choices(DAYS, k=2))
        chosen = frozenset(dice.sample(accounts, dice.randint(3, 10)))
        scope = Scope(date(2024, 3, first), date(2024, 3, last), dice.choice((chosen, frozenset())))
        records = _records(
            dice,
            _insight,
            lambda h, scope=scope: scope.holds(_account(h), date(2024, 3, _day(h))),
        )
        if dice.random() < 0.25:  # a row without its ad: the load is not whole
            records += (insight("a0", "1", first, ad=None),)
        loads.append(Load(records, moment, "replace_scope", scope))
    return loads


def _order_loads(dice: random.Random) -> list[Load]:
    loads = []
    for moment in _moments(dice):
        part = set(dice.sample(HISTORIES, 40))
        mode = dice.choice(("upsert", "upsert", "snapshot"))
        records = _records(dice, _order, part.__contains__)
        loads.append(Load(records, moment, mode))
    return loads


def _event_loads(dice: random.Random) -> list[Load]:
    loads = []
    for moment in _moments(dice):
        first, last = sorted(dice.choices(DAYS, k=2))
        scope = Scope(date(2024, 3, first), date(2024, 3, last))
        records = _records(dice, _event, lambda h, a=first, b=last: a <= _day(h) <= b)
        is_whole = dice.random() < 0.7
        loads.append(
            Load(records, moment, "replace_scope", scope) if is_whole else Load(records, moment)
        )
    return loads


@dataclass(frozen=True)
class Moment:
    """What the warehouse held after a run, and what it had to hold."""

    contents: dict[str, tuple[Contents, Contents]]
    facts: dict[str, Any]
    expected_facts: dict[str, Any]


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Witness:
    project = new_project(tmp_path_factory.mktemp("histories") / "project")
    project.configure(TENANTS)
    return Witness(project)


@pytest.fixture(scope="module")
def moments(witness: Witness) -> list[Moment]:
    dice = random.Random(SEED)
    deliveries = {
        INSIGHTS: iter(_insight_loads(dice)),
        ORDERS: iter(_order_loads(dice)),
        EVENTS: iter(_event_loads(dice)),
    }
    found = []
    for count in LOADS_PER_RUN:
        for kind, loads in deliveries.items():
            for _ in range(count):
                witness.land(kind, next(loads))
        witness.run()
        contents = {k.object: (witness.contents(k), witness.expected(k)) for k in KINDS}
        found.append(Moment(contents, witness.facts(), witness.expected_facts()))
    return found


@pytest.mark.parametrize("run", range(len(LOADS_PER_RUN)))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_masters_views_and_ledger_equal_the_oracles(
    moments: list[Moment], kind: Kind, run: int
) -> None:
    found, expected = moments[run].contents[kind.object]

    assert found.ledger == expected.ledger, f"seed {SEED}"
    assert found.versions == expected.versions, f"seed {SEED}"
    assert found.newest == expected.newest, f"seed {SEED}"


@pytest.mark.parametrize("run", range(len(LOADS_PER_RUN)))
def test_the_facts_equal_the_newest_records_of_the_oracle(moments: list[Moment], run: int) -> None:
    assert moments[run].facts == moments[run].expected_facts, f"seed {SEED}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_the_newest_versions_are_what_all_loads_say_in_the_order_they_were_taken(
    moments: list[Moment], witness: Witness, kind: Kind
) -> None:
    found, _ = moments[-1].contents[kind.object]
    current = sorted(values for _, _, is_deleted, values in found.newest if not is_deleted)

    assert current == sorted(witness.replays[kind.object].truth().values()), f"seed {SEED}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_the_histories_hold_what_they_are_to_prove(
    moments: list[Moment], witness: Witness, kind: Kind
) -> None:
    replay = witness.replays[kind.object]
    rows = {version.row for version in replay.versions}
    moments_taken = [load.extracted_at for load in replay.loads]

    assert {-1, -2} <= rows, "no load deletes, or no late load is overtaken"
    assert moments_taken != sorted(moments_taken), "no load is late"
    assert any(counts.known for counts in replay.ledger)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_every_version_has_the_prefix_of_its_key(
    moments: list[Moment], witness: Witness, kind: Kind
) -> None:
    found = witness.prefixes(kind)

    assert len(found) == sum(map(len, moments[-1].contents[kind.object][0].versions)) > 0
    assert [row for row in found if row[0] != row[1]] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.object)
def test_the_hub_has_every_key_of_the_master_once(
    moments: list[Moment], witness: Witness, kind: Kind
) -> None:
    wrong = witness.project.query(
        f"select tenant_skey, count(*) filter (where in_hub) as times "
        "from (select tenant_skey, true as in_hub from platform.hub_key_registry where object = ? "
        f"union all select distinct tenant_skey, false from platform.{kind.master}) "
        "group by 1 having times != 1 or count(*) != 2",
        kind.object,
    )

    assert moments
    assert wrong == []
