"""What maintenance does to a lake, and what it leaves alone, beside writers."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from martlet.engines.engine import Engine, transaction
from martlet.engines.targets import engine_of
from martlet.settings import load_settings
from tests.conftest import Variables
from tests.project import new_project

ROUNDS = 12
NOW = timedelta(0)


@pytest.fixture
def lake(new_lake: Callable[[], Variables]) -> Variables:
    return new_lake()


@pytest.fixture
def engine(tmp_path: Path, lake: Variables) -> Engine:
    engine = engine_of(load_settings(lake, new_project(tmp_path / "project").folder))
    engine.create_landing()
    engine.create_warehouse()
    with engine.open_warehouse() as warehouse:
        warehouse.execute("create table masters (tenant varchar, number bigint)")
        warehouse.execute("alter table masters set partitioned by (tenant)")
        warehouse.execute("create table states (tenant varchar, told bigint)")
    return engine


def append(engine: Engine, tenant: str, rows: int, rounds: int = ROUNDS) -> None:
    with engine.open_warehouse() as warehouse:
        for number in range(rounds):
            start = number * rows

            def write(first: int = start) -> None:
                with transaction(warehouse):
                    warehouse.execute(
                        f"insert into masters select '{tenant}', {first} + i "
                        f"from range({rows}) as r(i)"
                    )
                    warehouse.execute("delete from states where tenant = ?", [tenant])
                    warehouse.execute("insert into states values (?, ?)", [tenant, first + rows])

            engine.retried(write)


def told(engine: Engine) -> list[tuple[str, int, int, int]]:
    with engine.open_warehouse(read_only=True) as warehouse:
        return warehouse.execute(
            "select tenant, count(*), count(distinct number), any_value(told) "
            "from masters join states using (tenant) group by all order by all"
        ).fetchall()


def files(lake: Variables) -> int:
    return len([*Path(lake["MARTLET_LAKE_DATA"]).rglob("*.parquet")])


def test_small_files_become_large_ones_and_old_ones_go(engine: Engine, lake: Variables) -> None:
    append(engine, "ada", rows=500)
    append(engine, "bea", rows=5)  # few enough to lie in the catalogue
    before, lay = told(engine), files(lake)

    warehouse, _ = engine.maintain(kept=NOW, grace=NOW)

    assert told(engine) == before
    assert warehouse.files_before == lay == ROUNDS
    assert warehouse.rows_flushed >= 5 * ROUNDS
    assert warehouse.files_after < ROUNDS / 2
    assert warehouse.snapshots_expired > ROUNDS
    assert warehouse.files_deleted >= ROUNDS
    assert files(lake) == warehouse.files_after < lay


def test_what_was_of_use_a_moment_ago_is_not_deleted(engine: Engine, lake: Variables) -> None:
    append(engine, "ada", rows=500)
    stray = Path(lake["MARTLET_LAKE_DATA"]) / "warehouse" / "main" / "stray.parquet"
    stray.write_bytes(b"of a writer that has not committed yet")

    warehouse, _ = engine.maintain(kept=timedelta(days=1), grace=timedelta(hours=1))

    assert warehouse.files_deleted == 0
    assert warehouse.snapshots_expired == 0
    assert stray.exists()
    assert files(lake) > ROUNDS


def test_writers_beside_it_lose_and_double_nothing(engine: Engine) -> None:
    writers = [
        threading.Thread(target=append, args=(engine, tenant, rows))
        for tenant, rows in {"ada": 300, "bea": 150, "cleo": 7}.items()
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        engine.maintain(kept=NOW, grace=timedelta(hours=1))
    for writer in writers:
        writer.join()

    assert told(engine) == [
        (tenant, rows * ROUNDS, rows * ROUNDS, rows * ROUNDS)
        for tenant, rows in (("ada", 300), ("bea", 150), ("cleo", 7))
    ]


def test_two_at_once_take_turns(engine: Engine) -> None:
    append(engine, "ada", rows=500, rounds=4)
    done: list[int] = []

    def maintain() -> None:
        done.append(engine.maintain(kept=NOW, grace=timedelta(hours=1))[0].files_after)

    both = [threading.Thread(target=maintain) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert len(done) == 2
    assert told(engine)[0][:3] == ("ada", 2_000, 2_000)
