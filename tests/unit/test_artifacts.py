"""The record of a run: what its rows say, and that none is lost, doubled or half stored."""

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from martlet.engines.duckdb_engine import create_warehouse
from martlet.pipeline.artifacts import HISTORIES, RETRIES_PER_RUN, pending_dir, record_run, store
from martlet.pipeline.invocation import Invocation, Record, build_record, code_version
from martlet.settings import Settings
from tests.project import REPOSITORY

BEGAN = datetime(2026, 5, 1, 3, 0)
_LIST = re.compile(r"macro (\w+)_columns\(\)(.*?)endmacro", re.DOTALL)
_COLUMN = re.compile(r"'name': '(\w+)', 'type': '(\w+)'")


def columns() -> dict[str, dict[str, str]]:
    """Return the histories' columns and types, from the one place that lists them."""
    text = (REPOSITORY / "macros/utils/artifact_columns.sql").read_text()
    return {name: dict(_COLUMN.findall(body)) for name, body in _LIST.findall(text)}


def make_histories(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create schema if not exists ops")
    for history, listed in columns().items():
        typed = ", ".join(f"{name} {kind}" for name, kind in listed.items())
        connection.execute(f"create table ops.{history} ({typed})")


def result(
    name: str, status: str = "success", kind: str = "model", materialized: str = "view", **more: Any
) -> SimpleNamespace:
    """Return what dbt says of one node."""
    config = {"materialized": materialized, "severity": "WARN"}
    node = SimpleNamespace(
        unique_id=f"{kind}.martlet.{name}",
        name=name,
        resource_type=kind,
        schema="analytics",
        original_file_path=f"models/{name}.sql",
        depends_on=SimpleNamespace(nodes=["model.martlet.before"]),
        tags=["daily"],
        config=SimpleNamespace(**config, to_dict=lambda: config),
    )
    timing = [SimpleNamespace(started_at=BEGAN + timedelta(seconds=n)) for n in (2, 1)]
    return SimpleNamespace(
        **{
            "node": node,
            "status": status,
            "message": "OK",
            "failures": None,
            "execution_time": 0.5,
            "adapter_response": {},
            "timing": timing if status != "skipped" else [],
        }
        | more
    )


def invocation(number: int, *results: SimpleNamespace, **more: Any) -> Invocation:
    return replace(
        Invocation(f"call-{number}", "acme", ("run",), BEGAN, 1.5, results),
        started_at=BEGAN + timedelta(hours=number),
        **more,
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path, tmp_path / "data", tmp_path / "tenants.yaml")


@pytest.fixture
def warehouse(settings: Settings) -> Settings:
    """Settings whose warehouse has the histories."""
    create_warehouse(settings.warehouse)
    with duckdb.connect(str(settings.warehouse)) as connection:
        make_histories(connection)
    return settings


@pytest.fixture
def memory() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        make_histories(connection)
        yield connection


def ask(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse)) as connection:
        return connection.execute(sql).fetchall()


def record(settings: Settings, number: int, *results: SimpleNamespace) -> list[str]:
    return record_run(settings, invocation(number, *results), (), wait_seconds=0)


def kept(settings: Settings) -> list[str]:
    return sorted(path.name for path in pending_dir(settings).glob("*"))


def test_every_row_has_exactly_the_columns_of_its_history(tmp_path: Path) -> None:
    built = build_record(invocation(1, result("a"), result("t", "pass", "test")), tmp_path)

    assert set(columns()) == set(HISTORIES)
    assert set(built) == set(HISTORIES) - {"source_freshness"}
    for history, rows in built.items():
        assert rows, history
        assert all(set(row) == set(columns()[history]) for row in rows), history


def test_only_models_and_tests_are_nodes(tmp_path: Path) -> None:
    hook = result("martlet-on-run-end-0", kind="operation")

    built = build_record(invocation(1, result("a"), hook), tmp_path)

    assert [row["name"] for row in built["run_results"]] == ["a"]
    assert built["test_artifacts"] == []


def test_a_test_has_its_failures_and_its_targets(tmp_path: Path) -> None:
    built = build_record(invocation(1, result("t", "fail", "test", failures=3)), tmp_path)

    assert (built["run_results"][0]["status"], built["run_results"][0]["failures"]) == ("fail", 3)
    assert json.loads(built["test_artifacts"][0]["target_models"]) == ["model.martlet.before"]
    assert built["test_artifacts"][0]["severity"] == "WARN"
    assert built["model_artifacts"] == []


@pytest.mark.parametrize(
    ("results", "problem", "expected"),
    [
        ([("a", "success"), ("b", "success")], None, ("success", 2, 0, 0)),
        ([("a", "error"), ("b", "skipped")], None, ("failed", 1, 1, 1)),
        ([("a", "success")], "a hook of the run failed", ("error", 1, 0, 0)),
        ([], "dbt could not run", ("error", 0, 0, 0)),
    ],
)
def test_an_invocation_says_how_it_ended(
    tmp_path: Path, results: list[tuple[str, str]], problem: str | None, expected: tuple[Any, ...]
) -> None:
    ended = invocation(1, *[result(name, status) for name, status in results], problem=problem)

    (row,) = build_record(ended, tmp_path)["invocations"]

    counts = (row["status"], row["models_run"], row["models_failed"], row["models_skipped"])
    assert counts == expected
    assert row["problem"] == problem
    assert row["peak_memory_bytes"] > 10_000_000


def test_a_failed_test_fails_the_invocation_and_one_that_warns_does_not(tmp_path: Path) -> None:
    failed = build_record(invocation(1, result("t", "fail", "test")), tmp_path)
    warned = build_record(invocation(1, result("t", "warn", "test")), tmp_path)

    assert failed["invocations"][0]["status"] == "failed"
    assert warned["invocations"][0]["status"] == "success"


def test_of_a_run_as_of_a_past_moment_only_the_call_is_recorded(tmp_path: Path) -> None:
    built = build_record(invocation(1, result("a"), is_as_of=True), tmp_path)

    assert list(built) == ["invocations"]


def test_the_code_version_is_the_commit_or_else_the_packages(tmp_path: Path) -> None:
    plain, repository = tmp_path / "plain", tmp_path / "repository"
    for folder in (plain, repository):
        folder.mkdir()
        (folder / "file").write_text("one")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.test", "-C", str(repository)]
    for command in (["init", "-q"], ["add", "file"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()

    assert code_version(repository) == commit
    assert code_version(plain) == version("martlet")
    code_version.cache_clear()
    (repository / "file").write_text("two")
    assert code_version(repository) == f"{commit}-dirty"


def test_a_record_that_is_stored_twice_adds_nothing(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    built = build_record(invocation(1, result("a"), result("t", "pass", "test")), tmp_path)

    store(memory, built)
    store(memory, built)

    for history in built:
        counted = memory.execute(f"select count(*) from ops.{history}").fetchone()
        assert counted == (2 if history == "run_results" else 1,), history


def test_a_definition_is_stored_when_it_changes_also_when_it_changes_back(
    memory: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for number, materialized in enumerate(["view", "view", "table", "view"]):
        ran = invocation(number, result("a", materialized=materialized), result("b"))
        store(memory, build_record(ran, tmp_path))

    stored = memory.execute(
        "select name, list(materialization order by captured_at) from ops.model_artifacts "
        "group by 1 order by 1"
    ).fetchall()
    assert stored == [("a", ["view", "table", "view"]), ("b", ["view"])]


def test_a_record_without_a_warehouse_waits_for_the_next_run(settings: Settings) -> None:
    (warning,) = record(settings, 1, result("a"))

    assert "there is no such database" in warning
    assert str(pending_dir(settings)) in warning
    assert len(kept(settings)) == 1

    create_warehouse(settings.warehouse)
    with duckdb.connect(str(settings.warehouse)) as connection:
        make_histories(connection)

    assert record(settings, 2, result("a")) == []
    assert kept(settings) == []
    assert ask(settings, "select invocation_id from ops.invocations order by 1") == [
        ("call-1",), ("call-2",),
    ]  # fmt: skip


def test_a_record_that_a_table_refuses_is_stored_whole_or_not_at_all(warehouse: Settings) -> None:
    ask(warehouse, "alter table ops.run_results rename column status to state")

    (warning,) = record(warehouse, 1, result("a"))

    assert "status" in warning
    assert ask(warehouse, "select count(*) from ops.invocations") == [(0,)]
    assert ask(warehouse, "select count(*) from ops.model_artifacts") == [(0,)]
    assert len(kept(warehouse)) == 1


def test_many_unstored_records_are_one_warning_and_all_are_stored_in_time(
    warehouse: Settings,
) -> None:
    number = RETRIES_PER_RUN + 5
    ask(warehouse, "alter table ops.run_results rename column status to state")
    for n in range(number):
        warnings = record(warehouse, n, result("a"))
    assert len(warnings) == 1
    assert len(kept(warehouse)) == number
    ask(warehouse, "alter table ops.run_results rename column state to status")

    assert record(warehouse, number, result("a")) == []
    assert record(warehouse, number + 1, result("a")) == []

    assert kept(warehouse) == []
    assert ask(
        warehouse, "select count(*), count(distinct invocation_id) from ops.run_results"
    ) == [(number + 2, number + 2)]


def test_a_record_whose_file_outlived_a_kill_is_not_doubled(
    warehouse: Settings, tmp_path: Path
) -> None:
    assert record(warehouse, 1, result("a")) == []
    _write(warehouse, "killed.json", build_record(invocation(1, result("a")), tmp_path))

    assert record(warehouse, 2, result("a")) == []

    assert kept(warehouse) == []
    assert ask(warehouse, "select count(*) from ops.run_results") == [(2,)]


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"no_history": []}', '{"run_results": [1]}', '"\ud83d"', ""]
)
def test_a_file_that_is_no_record_is_set_aside_and_stops_nothing(
    warehouse: Settings, content: str
) -> None:
    pending_dir(warehouse).mkdir()
    (pending_dir(warehouse) / "0.json").write_bytes(content.encode("utf-8", "surrogatepass"))

    (warning,) = record(warehouse, 1, result("a"))

    assert "0.unreadable" in warning
    assert kept(warehouse) == ["0.unreadable"]
    assert record(warehouse, 2, result("a")) == []
    assert ask(warehouse, "select count(*) from ops.invocations") == [(2,)]


def test_a_home_that_cannot_be_written_is_a_warning(settings: Settings) -> None:
    settings.home.write_text("a file where the folder should be")

    (warning,) = record(settings, 1, result("a"))

    assert "is not recorded" in warning


def _write(settings: Settings, name: str, built: Record) -> None:
    (pending_dir(settings) / name).write_text(json.dumps(built))
