"""Who may push a tenant: one process at a time, wherever it runs, and nobody for ever."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest
from bench.servers.postgres import Server

from martlet.engines.engine import Engine, transaction
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError, MartletError
from martlet.settings import load_settings
from tests.conftest import Variables
from tests.project import new_project

PUSHERS = 4
HOLDER = """
import sys, time
from pathlib import Path
from martlet.engines.targets import engine_of
from martlet.settings import load_settings
import os
with engine_of(load_settings(os.environ, Path(sys.argv[1]))).lease("ada"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def variables(new_lake: Callable[[], Variables]) -> Variables:
    return new_lake()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return new_project(tmp_path / "project").folder


@pytest.fixture
def engine(variables: Variables, folder: Path) -> Engine:
    engine = engine_of(load_settings(variables, folder))
    engine.create_warehouse()
    return engine


def push_at_once(engine: Engine, *, leased: bool) -> int:
    """Let several pushers push one load, each unless the ledger has it; return the ledger's rows."""
    with engine.open_warehouse() as warehouse:
        warehouse.execute("create table ledger (load_id varchar, pushed_by int)")
    looked = threading.Barrier(PUSHERS)

    def push(number: int) -> None:
        lease = engine.lease("ada") if leased else nullcontext()
        with lease, engine.open_warehouse() as warehouse, transaction(warehouse):
            known = warehouse.execute("select * from ledger").fetchall()
            if not leased:
                looked.wait(30)  # all of them have looked before any of them writes
            if not known:
                warehouse.execute("insert into ledger values ('load 1', ?)", [number])

    pushers = [threading.Thread(target=push, args=(number,)) for number in range(PUSHERS)]
    for pusher in pushers:
        pusher.start()
    for pusher in pushers:
        pusher.join(60)
    with engine.open_warehouse(read_only=True) as warehouse:
        return len(warehouse.execute("select * from ledger").fetchall())


def test_without_the_lease_every_pusher_pushes_the_load(engine: Engine) -> None:
    """Or the next test would show nothing: two appends are no conflict on a lake."""
    assert push_at_once(engine, leased=False) == PUSHERS


def test_with_the_lease_one_pusher_pushes_the_load(engine: Engine) -> None:
    assert push_at_once(engine, leased=True) == 1


def holder(variables: Variables, folder: Path) -> subprocess.Popen[str]:
    import os

    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_who_waits_in_vain_is_told_who_holds_the_lease(
    engine: Engine, variables: Variables, folder: Path
) -> None:
    process = holder(variables, folder)
    try:
        with (
            pytest.raises(MartletError, match=rf"holds the lease: martlet {process.pid} on "),
            engine.lease("ada", wait_seconds=0.1),
        ):
            pass
        with engine.lease("bea", wait_seconds=0.1):
            pass  # another tenant's is free
    finally:
        process.kill()
        process.wait()


def test_a_killed_holder_holds_no_longer(
    engine: Engine, variables: Variables, folder: Path
) -> None:
    process = holder(variables, folder)
    process.kill()
    process.wait()

    with engine.lease("ada", wait_seconds=10):
        pass


def test_a_lease_that_its_server_lost_is_told_of(engine: Engine, postgres: Server) -> None:
    with pytest.raises(MartletError, match="the lease was lost"), engine.lease("ada"):
        postgres.restart()

    with engine.lease("ada", wait_seconds=10), engine.open_warehouse() as warehouse:
        assert warehouse.execute("select 1").fetchall() == [(1,)]


def test_a_server_that_is_gone_is_a_clean_error(engine: Engine, postgres: Server) -> None:
    postgres.control("-m", "fast", "stop")
    try:
        began = time.monotonic()
        unreachable = pytest.raises(MartletError, match="cannot be reached")
        with unreachable, engine.open_warehouse(wait_seconds=1):
            pass
        with pytest.raises(MartletError, match="cannot be reached"), engine.lease("ada"):
            pass
        assert time.monotonic() - began < 30
    finally:
        postgres.start()

    with engine.open_warehouse() as warehouse:
        assert warehouse.execute("select current_database()").fetchall() == [("warehouse",)]


def test_a_warehouse_that_nobody_made_is_a_wrong_input(variables: Variables, folder: Path) -> None:
    engine = engine_of(load_settings(variables, folder))

    assert not engine.has_warehouse()
    with pytest.raises(BadInputError, match="no such database"), engine.open_warehouse():
        pass


def test_what_another_writer_was_faster_with_is_tried_again(engine: Engine) -> None:
    with engine.open_warehouse() as warehouse:
        warehouse.execute("create table states (tenant varchar, told int)")
        warehouse.execute("insert into states select 'a' || i, 0 from range(200) as r(i)")

    def count_up(tenant: str) -> None:
        with engine.open_warehouse() as warehouse:
            for number in range(3):

                def write(told: int = number) -> None:
                    with transaction(warehouse):
                        warehouse.execute("delete from states where tenant = ?", [tenant])
                        warehouse.execute("insert into states values (?, ?)", [tenant, told])

                engine.retried(write)

    writers = [threading.Thread(target=count_up, args=(f"a{n}",)) for n in range(PUSHERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)

    with engine.open_warehouse(read_only=True) as warehouse:
        told = warehouse.execute(
            "select count(*), count(*) filter (where told = 2) from states"
        ).fetchall()
    assert told == [(200, PUSHERS)]


def test_only_a_conflict_is_tried_again(engine: Engine) -> None:
    attempts = []

    def work() -> None:
        attempts.append(1)
        raise duckdb.ConversionException("no number")

    with pytest.raises(duckdb.ConversionException):
        engine.retried(work)
    assert len(attempts) == 1
