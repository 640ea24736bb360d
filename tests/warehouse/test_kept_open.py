"""A run holds its warehouse open through a tenant; here: what that gives, and when it lets go."""

import subprocess
import sys
from pathlib import Path

import pytest

from martlet.engines.duckdb_engine import DuckDBEngine
from martlet.engines.kept_open import KeptOpen
from martlet.engines.sql_functions import register_functions
from martlet.settings import load_settings


@pytest.fixture()
def engine(tmp_path: Path) -> DuckDBEngine:
    (tmp_path / "dbt_project.yml").touch()
    (tmp_path / "supported_connectors.yaml").touch()
    engine = DuckDBEngine(load_settings({}, tmp_path))
    engine.create_landing()
    engine.create_warehouse()
    return engine


def test_what_is_opened_meanwhile_is_the_same_instance_with_its_functions(
    engine: DuckDBEngine,
) -> None:
    with KeptOpen(engine, 1) as kept:
        kept.begin_tenant()
        with engine.open_both() as first:
            register_functions(first)  # as dbt does: there are some already
        with engine.open_warehouse() as second:
            found = second.execute(
                "select count(*) from duckdb_databases() where database_name = 'landing'"
            ).fetchone()
            told = second.execute("describe select martlet_tenant_config('nobody')").fetchall()

    assert found == (1,)
    assert told


def test_another_process_gets_in_between_two_tenants_and_not_within_one(
    engine: DuckDBEngine,
) -> None:
    path = str(engine.settings.warehouse)
    with KeptOpen(engine, 1) as kept:
        kept.begin_tenant()
        within = _opens(path)
        kept.close()
        between = _opens(path)
        kept.begin_tenant()
        again = _opens(path)

    assert (within, between, again) == (False, True, False)
    assert _opens(path)


def test_an_instance_that_was_closed_after_a_failure_is_opened_anew(engine: DuckDBEngine) -> None:
    with KeptOpen(engine, 1) as kept:
        kept.begin_tenant()
        kept.close()
        kept.begin_tenant()
        with engine.open_warehouse() as warehouse:
            assert warehouse.execute("select 1").fetchone() == (1,)


def _opens(path: str) -> bool:
    code = "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=False)
    return done.returncode == 0
