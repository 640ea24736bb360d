"""A lake whose catalogue is a file is one machine's, and is copied and moved like files."""

import shutil
from pathlib import Path

import pytest

from martlet.engines.engine import Engine
from martlet.engines.targets import engine_of
from martlet.settings import load_settings
from tests.project import REPOSITORY

ROWS = 1_000  # more than a catalogue keeps in itself


def engine_at(home: Path) -> Engine:
    variables = {"MARTLET_TARGET": "ducklake", "MARTLET_HOME": str(home)}
    return engine_of(load_settings(variables, REPOSITORY))


def append(engine: Engine, first: int) -> None:
    with engine.open_warehouse() as warehouse:
        warehouse.execute("create table if not exists numbers (number bigint)")
        warehouse.execute(f"insert into numbers from range({first}, {first + ROWS})")


def count(engine: Engine) -> int:
    with engine.open_warehouse(read_only=True) as warehouse:
        ((found,),) = warehouse.execute("select count(distinct number) from numbers").fetchall()
    return int(found)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    engine = engine_at(tmp_path / "home")
    engine.create_warehouse()
    append(engine, 0)
    return tmp_path / "home"


def test_a_copy_reads_and_writes_its_own_files(home: Path) -> None:
    copied = home.with_name("copied")
    shutil.copytree(home, copied)
    files = sorted(home.rglob("*.parquet"))

    append(engine_at(copied), ROWS)
    assert sorted(home.rglob("*.parquet")) == files
    shutil.rmtree(home / "lake")

    assert count(engine_at(copied)) == 2 * ROWS


def test_a_moved_home_is_read_where_it_is(home: Path) -> None:
    moved = home.rename(home.with_name("moved"))

    assert count(engine_at(moved)) == ROWS
    append(engine_at(moved), ROWS)
    assert not home.exists()
