"""Measures what the metadata of many models costs beside the run that makes it.

A tenant of the project is landed and run in a temporary home. The results of a second run, in
which nothing is new, are multiplied to the asked number of models and recorded as a run's are.
They are compared with the time of the models alone, in that run of nothing new, without dbt's
start and its parsing: the least favourable ratio.

    python bench/bench_artifacts.py --models 5000
"""

import argparse
import copy
import functools
import os
import statistics
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.landing.command import land_simulated
from martlet.pipeline.artifacts import record_run
from martlet.pipeline.dbt_run import run_dbt
from martlet.pipeline.invocation import Invocation, utc_now
from martlet.pipeline.progress import Silence
from martlet.pipeline.run import Run
from martlet.settings import Settings, load_settings

FOLDER = "models/platform/observability/"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=5000, help="models of the synthetic run")
    parser.add_argument("--tenant", default="tyrell_corp", help="the tenant that is run")
    parser.add_argument("--days", type=int, default=2, help="days of data to land for it")
    parser.add_argument("--repeat", type=int, default=3, help="records of each kind")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = replace(load_settings(os.environ), home=Path(home))
        invocation = measured_run(settings, asked.tenant, asked.days)
        record = functools.partial(measured_record, settings, invocation, asked.models)
        first = record(generation=0)
        again = statistics.median(record(generation=0) for _ in range(asked.repeat))
        changed = statistics.median(record(generation=n + 1) for n in range(asked.repeat))
        small = statistics.median(
            measured_record(settings, invocation, len(invocation.nodes), generation=-1)
            for _ in range(asked.repeat)
        )
    models = [r for r in invocation.nodes if FOLDER not in r.node.original_file_path]
    fixed = sum(r.execution_time for r in invocation.results) - execution(models)
    per_model = execution(models) / len(models)
    shown = Table("what", "models", "seconds", "ms a model", "of the models' own time")
    for column in shown.columns[1:]:
        column.justify = "right"
    for what, number, seconds in (
        ("the models themselves", asked.models, per_model * asked.models),
        ("record, every definition new", asked.models, first),
        ("record, no definition changed", asked.models, again),
        ("record, every definition changed", asked.models, changed),
        ("the models themselves", len(models), execution(models)),
        ("record, no definition changed", len(models), small),
        ("the histories' models, and the hooks", len(models), fixed),
    ):
        share = seconds / (per_model * number)
        shown.add_row(
            what, f"{number:,}", f"{seconds:.3f}", f"{seconds / number * 1000:.3f}", f"{share:.2%}"
        )
    Console(width=110).print(shown)


def execution(results: Iterable[Any]) -> float:
    """Return how long dbt worked on nodes."""
    return sum(result.execution_time for result in results)


def measured_run(settings: Settings, tenant: str, days: int) -> Invocation:
    """Land and run a tenant, then return what a second run of dbt did."""
    catalogue = load_catalogue(settings.catalogue_file)
    tenants = load_tenants(settings.tenants_file, catalogue)
    land_simulated(settings, tenant, days=days, seed=7)
    work = Run(settings, catalogue, tenants, Silence(), wait_seconds=30)
    work.run((tenants.tenant(tenant),))
    ended: list[Invocation] = []
    run_dbt(settings, tenant, on_end=ended.append)
    return ended[0]


def measured_record(
    settings: Settings, invocation: Invocation, models: int, generation: int
) -> float:
    """Return the seconds of recording so many models; a `generation` has its own definitions."""
    synthetic = multiplied(invocation, models, generation)
    began = time.perf_counter()
    warnings = record_run(settings, synthetic, (), wait_seconds=30)
    spent = time.perf_counter() - began
    if warnings:
        raise SystemExit("\n".join(warnings))
    return spent


def multiplied(invocation: Invocation, models: int, generation: int) -> Invocation:
    """Return an invocation with that many models, made of real results under other names."""
    real = [r for r in invocation.nodes if r.node.resource_type == "model"]
    started_at = utc_now()
    return replace(
        invocation,
        invocation_id=f"synthetic-{started_at:%H%M%S%f}",
        started_at=started_at,
        results=tuple(
            renamed(real[number % len(real)], number, generation) for number in range(models)
        ),
    )


def renamed(result: Any, number: int, generation: int) -> Any:
    """Return a copy of a result whose node is another one."""
    node, renamed_result = copy.copy(result.node), copy.copy(result)
    node.unique_id = f"{node.unique_id}_{number}"
    node.tags = [*node.tags, f"generation_{generation}"]
    renamed_result.node = node
    return renamed_result


if __name__ == "__main__":
    main()
