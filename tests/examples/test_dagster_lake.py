"""The example for Dagster loads, runs every tenant once, and tries again what may be tried."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import dagster as dg
import pytest

from martlet.config.shards import Shard
from martlet.engines.duckdb_engine import connect
from tests.project import REPOSITORY, Project, new_project
from tests.warehouse.state import tenant

EXAMPLE = REPOSITORY / "docs" / "examples" / "dagster_lake.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dagster_lake", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder: Path = tmp_path_factory.mktemp("scheduled")
    project = new_project(folder / "project", {})
    project.configure({"ada": tenant({"shopify": {}})})
    order = {"id": 1, "created_at": "2026-06-01T10:00:00Z", "total_price": "10.00"}
    project.land_records("ada", "shopify", "orders", [{**order, "currency": "USD"}])
    return project


@pytest.fixture
def resources(example: ModuleType, project: Project) -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MARTLET_TARGET", "MARTLET_HOME", "MARTLET_PROJECT", "MARTLET_TENANTS"):
            patch.delenv(name, raising=False)
        yield {
            "martlet": example.Martlet(
                project=str(project.folder),
                command=f"{sys.executable} -m martlet",
                wait_seconds=0,
            )
        }


def shards(count: int) -> dict[str, Any]:
    return {"ops": {"share_out": {"config": {"shards": count}}}}


def events(result: Any, kind: str) -> list[str]:
    return [event.step_key for event in result.all_events if event.event_type_value == kind]


def test_every_job_and_schedule_loads(example: ModuleType) -> None:
    dg.Definitions.validate_loadable(example.defs)

    assert {job.name for job in example.defs.resolve_all_job_defs()} == {"hour", "night"}


def test_each_shard_is_a_step_and_upkeep_comes_after_all_of_them(
    example: ModuleType, resources: dict[str, Any], project: Project
) -> None:
    result = example.night.execute_in_process(run_config=shards(2), resources=resources)

    done = events(result, "STEP_SUCCESS")
    assert done[0] == "share_out"
    assert sorted(done[1:-1]) == ["run_shard[shard_1]", "run_shard[shard_2]"]
    assert done[-1] == "maintain"
    ran = result.output_for_node("run_shard")
    assert ran == {f"shard_{n}": int(Shard(n, 2).has("ada")) for n in (1, 2)}
    assert project.value("select count(*) from analytics.fct_ada__orders") == 1


def test_what_another_process_holds_is_tried_again(
    example: ModuleType, resources: dict[str, Any], project: Project
) -> None:
    at_once = example.run_shard.with_retry_policy(dg.RetryPolicy(max_retries=1))

    @dg.job
    def impatient() -> None:
        example.share_out().map(at_once)

    with connect(project.warehouse):
        result = impatient.execute_in_process(
            run_config=shards(1), resources=resources, raise_on_error=False
        )

    assert not result.success
    assert events(result, "STEP_UP_FOR_RETRY") == ["run_shard[shard_1]"]
    assert events(result, "STEP_RESTARTED") == ["run_shard[shard_1]"]


def test_what_nobody_can_make_right_is_not_tried_again(
    example: ModuleType, resources: dict[str, Any], project: Project
) -> None:
    project.configure({"ada": {"name": 1}})

    result = example.night.execute_in_process(
        run_config=shards(1), resources=resources, raise_on_error=False
    )

    assert events(result, "STEP_FAILURE") == ["run_shard[shard_1]"]
    assert not events(result, "STEP_UP_FOR_RETRY")
    assert not [step for step in events(result, "STEP_SUCCESS") if step == "maintain"]
