"""How each model and test of a tenant ended last, as the histories of runs have it."""

import json
from typing import Any

from duckdb import DuckDBPyConnection

from martlet.engines.duckdb_engine import columns_of
from martlet.pipeline.dbt_run import NodeResult, model_name
from martlet.star_schema import STAR_TABLES, grain_test, isolation_test, star_model

_NEWEST = """
with results as (
    select *
    from ops.run_results
    where
        resource_type in ('model', 'test')
        and (tenant_slug = $tenant or (tenant_slug is null and resource_type = 'test'))
),
-- A test that such a call did not run is a test no more.
whole as (
    select max(captured_at) as captured_at
    from (
        select invocation_id, max(captured_at) as captured_at
        from results
        where list_contains($tests, name)
        group by all
        having count(distinct name) = len($tests)
    )
),
newest as (
    select *
    from results
    qualify row_number() over (
        partition by node_id order by captured_at desc, invocation_id desc
    ) = 1
),
tests as (
    select node_id, arg_max(target_models, captured_at) as target_models
    from ops.test_artifacts
    group by all
)
select
    name, status, execution_seconds, message, resource_type = 'test' as is_test, started_at,
    target_models
from newest
left join tests using (node_id)
cross join whole
where resource_type = 'model' or newest.captured_at >= coalesce(whole.captured_at, '-infinity')
"""


def newest_results(warehouse: DuckDBPyConnection, tenant: str) -> tuple[NodeResult, ...]:
    """Return how the tenant's models and their tests ended last, whoever ran dbt."""
    if not _has_history(warehouse):
        return ()
    models = [star_model(tenant, table) for table in STAR_TABLES]
    tests = [name_of(model) for model in models for name_of in (grain_test, isolation_test)]
    rows = warehouse.execute(_NEWEST, {"tenant": tenant, "tests": tests}).fetchall()
    built = {name: at for name, _, _, _, is_test, at, _ in rows if not is_test}
    return tuple(_result(row, built) for row in rows)


def _result(row: tuple[Any, ...], built: dict[str, Any]) -> NodeResult:
    name, status, seconds, message, is_test, started_at, targets = row
    tested = tuple(map(model_name, json.loads(targets or "[]"))) if is_test else ()
    is_older = any(started_at and built.get(m) and started_at < built[m] for m in tested)
    return NodeResult(name, status, float(seconds or 0), message, is_test, tested, is_older)


def _has_history(warehouse: DuckDBPyConnection) -> bool:
    return all(columns_of(warehouse, f"ops.{name}") for name in ("run_results", "test_artifacts"))
