"""What dbt did is in the histories: the first run, the failed one, the one that could not be kept."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from martlet.star_schema import grain_test, isolation_test
from tests.project import Project, Result, new_project
from tests.warehouse.bare_dbt import dbt
from tests.warehouse.state import tenant

GENERATION = {"campaigns": 1, "orders_per_day": 3, "products": 2}
SOURCES = {
    "shopify": {"generation": GENERATION},
    "tiktok_ads": {"generation": GENERATION},
}
BROKEN = "models/analytics/acme/broken.sql"
CONFIG = "{{ config(materialized='table', schema='analytics') }}\n"
TEST = (
    "{{ config(severity='warn') }}\n"
    "select * from {{ ref('fct_acme__orders') }} where tenant_slug = 'acme'"
)


@dataclass(frozen=True)
class Run:
    """A run, the id of its call of dbt, and the records that waited when it had ended."""

    result: Result
    invocation_id: str
    pending: list[str]


@dataclass(frozen=True)
class Story:
    """The runs of one project, in their order; `bare` is a bare `dbt build` at the end."""

    project: Project
    unparsed: Run
    failing: Run
    unwritable: Run
    cured: Run
    bare: Run

    def invocation(self, run: Run) -> dict[str, Any]:
        (row,) = self.project.query(
            "select * from ops.invocations where invocation_id = ?", run.invocation_id
        )
        return row

    def results(self, run: Run) -> dict[str, dict[str, Any]]:
        rows = self.project.query(
            "select * from ops.run_results where invocation_id = ?", run.invocation_id
        )
        return {row["name"]: row for row in rows}


def _pending(project: Project) -> list[Path]:
    return sorted((project.folder / "data" / "pending_artifacts").glob("*"))


def _run(project: Project) -> Run:
    result = project.martlet("run", "--json", check=False)
    pending = _pending(project)
    if pending:
        newest = json.loads(pending[-1].read_text())["invocations"][0]["invocation_id"]
    else:
        newest = _newest(project)
    return Run(result, newest, [path.name for path in pending])


def _newest(project: Project) -> str:
    return str(project.value("select max_by(invocation_id, started_at) from ops.invocations"))


def _alter(project: Project, sql: str) -> None:
    with project.open_warehouse() as warehouse:
        warehouse.execute(f"alter table ops.run_results {sql}")


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    project = new_project(tmp_path_factory.mktemp("observability") / "project")
    project.configure({"acme": tenant(SOURCES)})
    project.martlet("land", "acme", "--days", "2", "--seed", "5", "--platform", "shopify")
    project.martlet("onboard")
    (project.folder / BROKEN).write_text(CONFIG + "select * from {{ ref('nothing') }}")
    unparsed = _run(project)
    (project.folder / BROKEN).write_text(CONFIG + "select * from nowhere")
    failing = _run(project)
    (project.folder / BROKEN).unlink()
    _alter(project, "rename column message to told")
    unwritable = _run(project)
    _alter(project, "rename column told to message")
    cured = _run(project)
    (project.folder / "data-tests").unlink()
    (project.folder / "data-tests").mkdir()
    (project.folder / "data-tests" / "no_order.sql").write_text(TEST)
    built = dbt(project, "build", "--select", "fct_acme__orders")
    return Story(project, unparsed, failing, unwritable, cured, Run(built, _newest(project), []))


def test_a_first_run_that_could_not_start_waits_and_is_stored_by_the_next(story: Story) -> None:
    assert story.unparsed.result.code == 1
    assert len(story.unparsed.pending) == 1
    assert "the next run tries again" in story.unparsed.result.stderr

    assert story.failing.pending == []
    stored = story.invocation(story.unparsed)
    assert (stored["status"], stored["models_run"]) == ("error", 0)
    assert "nothing" in stored["problem"]


def test_a_first_run_of_which_a_model_fails_is_recorded_with_its_reason(story: Story) -> None:
    invocation, results = story.invocation(story.failing), story.results(story.failing)

    assert story.failing.result.code == 1
    assert (invocation["status"], invocation["models_failed"]) == ("failed", 1)
    models = [name for name, row in results.items() if row["resource_type"] == "model"]
    assert invocation["models_run"] == len(models) > 40
    assert results["broken"]["status"] == "error"
    assert "nowhere" in results["broken"]["message"]
    assert results["fct_acme__orders"]["status"] == "success"


def test_an_invocation_says_what_was_run_with_which_code_and_at_what_cost(story: Story) -> None:
    row = story.invocation(story.cured)

    assert row["tenant_slug"] == "acme"
    assert "build" in json.loads(row["arguments"])
    assert row["code_version"]
    assert 0 < row["seconds"] < 600
    assert 50_000_000 < row["peak_memory_bytes"] < 10_000_000_000
    assert (row["status"], row["models_failed"], row["problem"]) == ("success", 0, None)


def test_rows_are_counted_where_rows_were_made(story: Story) -> None:
    first, again = story.results(story.failing), story.results(story.cured)
    pushed = story.project.value("select count(*) from platform.platform_mm__shopify_api_v1_orders")

    assert first["stg_acme__shopify_orders"]["rows_affected"] == pushed > 0
    assert again["stg_acme__shopify_orders"]["rows_affected"] == 0
    assert again["fct_acme__orders"]["rows_affected"] == story.project.value(
        "select count(*) from analytics.fct_acme__orders"
    )
    assert again["int_acme__shopify_orders"]["rows_affected"] is None


def test_a_record_that_cannot_be_stored_warns_and_leaves_the_run_green(story: Story) -> None:
    run = story.unwritable

    assert run.result.code == 0
    assert len(run.pending) == 1
    assert "not recorded yet" in run.result.stderr
    assert "message" in run.result.stderr
    assert run.result.document["findings"] == story.cured.result.document["findings"]
    assert len(run.result.document["warnings"]) == 1


def test_the_next_run_stores_what_waited_once(story: Story) -> None:
    assert story.cured.result.code == 0
    assert story.cured.result.document["warnings"] == []
    assert story.cured.pending == []
    assert story.invocation(story.unwritable)["status"] == "success"
    assert len(story.results(story.unwritable)) == len(story.results(story.cured))


def test_freshness_is_measured_for_every_source_also_one_that_never_landed(story: Story) -> None:
    measured = story.project.query(
        "select source_platform, object, newest_extracted_at, newest_load_id "
        "from ops.source_freshness where invocation_id = ?",
        story.cured.invocation_id,
    )
    newest = story.project.query(
        "select max(extracted_at) as extracted_at, max(load_id) as load_id "
        "from ops.platform_ops__push_ledger where object = 'orders'"
    )

    by_platform = {(m["source_platform"], m["object"]): m for m in measured}
    orders = by_platform["shopify", "orders"]
    assert len(measured) == len(by_platform) == 6
    assert [orders["newest_extracted_at"], orders["newest_load_id"]] == list(newest[0].values())
    assert all(
        m["newest_load_id"] is None for m in measured if m["source_platform"] == "tiktok_ads"
    )


def test_an_unchanged_definition_is_stored_once_whoever_records_it(story: Story) -> None:
    rows = story.project.query(
        "select name, count(*) as versions from ops.model_artifacts group by 1"
    )

    assert len(rows) > 40
    assert {row["name"] for row in rows if row["versions"] > 1} == set()


def test_the_current_views_have_one_row_a_node_the_newest(story: Story) -> None:
    for view in ("model_artifacts", "run_results", "test_artifacts"):
        (counted,) = story.project.query(
            f"select count(*) as rows, count(distinct node_id) as nodes from ops.{view}__current"
        )
        assert counted["rows"] == counted["nodes"] > 0, view
    (fact,) = story.project.query(
        "select * from ops.run_results__current where name = 'fct_acme__orders'"
    )
    (defined,) = story.project.query(
        "select * from ops.model_artifacts__current where name = 'fct_acme__orders'"
    )
    assert fact["invocation_id"] == story.bare.invocation_id
    assert (defined["materialization"], defined["schema_name"]) == ("refreshed", "analytics")
    assert json.loads(defined["config"])["contract"]["enforced"]
    assert json.loads(defined["depends_on"])


def test_a_bare_build_records_itself_and_its_tests_with_their_failures(story: Story) -> None:
    invocation, results = story.invocation(story.bare), story.results(story.bare)
    (tested,) = story.project.query(
        "select * from ops.test_artifacts__current where name = 'no_order'"
    )

    assert story.bare.result.code == 0, story.bare.result.stdout
    assert (invocation["recorded_by"], invocation["status"]) == ("hook", "success")
    fact = "fct_acme__orders"
    assert set(results) == {fact, "no_order", grain_test(fact), isolation_test(fact)}
    assert (results["no_order"]["status"], results["no_order"]["failures"]) == (
        "warn",
        story.project.value("select count(*) from analytics.fct_acme__orders"),
    )
    assert json.loads(tested["target_models"]) == ["model.martlet.fct_acme__orders"]


def test_a_run_tests_every_fact_and_dimension_and_records_how_that_ended(story: Story) -> None:
    tests = {
        n: row for n, row in story.results(story.cured).items() if row["resource_type"] == "test"
    }

    assert len(tests) == 8
    assert {row["status"] for row in tests.values()} == {"pass"}
    defined = story.project.query(
        "select name, target_models from ops.test_artifacts__current where contains(name, '__o')"
    )
    targets = {row["name"]: json.loads(row["target_models"]) for row in defined}
    for name in tests:
        assert targets[name] == [f"model.martlet.{name.rpartition('__')[0]}"]


def test_the_pipelines_runs_are_recorded_by_the_pipeline_alone(story: Story) -> None:
    rows = story.project.query(
        "select recorded_by, count(*) as calls from ops.invocations group by 1 order by 1"
    )

    assert {row["recorded_by"]: row["calls"] for row in rows} == {"hook": 1, "pipeline": 4}
