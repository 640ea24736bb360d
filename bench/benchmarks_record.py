"""What the histories of models and runs cost beside the run that they tell of.

The results of a run in which nothing is new are multiplied to the asked number of models and
recorded as a run's are. They are compared with the time of the models alone, in that run, without
dbt's start and its parsing: the least favourable ratio.
"""

import copy
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from harness import Bench, Turn, benchmark
from histories import PER_DAY, SLUG, SOURCES
from projects import land_batches, new_project, run_tenants
from rows import KINDS, batch

from martlet.pipeline.artifacts import record_run
from martlet.pipeline.dbt_run import run_dbt
from martlet.pipeline.invocation import Invocation, utc_now
from martlet.settings import Settings

FOLDER = "models/platform/observability/"


@benchmark("record", "Recording what dbt did with 5,000 models", in_quick=False)
def record(bench: Bench) -> None:
    """A generation has definitions of its own: the record keeps only those that differ."""
    models = bench.size("models", 5_000, least=100)
    settings, invocation = _idle_run(bench)
    own = [r for r in invocation.nodes if FOLDER not in r.node.original_file_path]
    work = sum(result.execution_time for result in own)
    bench.data["models of the run"] = len(own)
    generations = count(1)
    _record(settings, invocation, models, 0)

    def changed() -> None:
        _record(settings, invocation, models, next(generations))

    def unchanged_before() -> None:
        _record(settings, invocation, models, 0)

    sides = bench.turns(
        {
            "no definition changed": Turn(
                partial(_record, settings, invocation, models, 0), unchanged_before, models
            ),
            "every definition changed": Turn(changed, None, models),
            f"the run's own {len(own)}": Turn(
                partial(_record, settings, invocation, len(own), -1), None, len(own)
            ),
        }
    )
    same, other, small = sides.values()
    models_themselves = work / len(own) * models
    bench.figure("models themselves, with nothing new, a model", work / len(own) * 1e3, "ms")
    bench.figure("record against the models, none changed", same.wall / models_themselves)
    bench.figure("record against the models, all changed", other.wall / models_themselves)
    bench.figure(f"record of {len(own)} models against them", small.wall / work)
    bench.note(
        "The models' own time is dbt's, in a run with nothing new; that of more models is the "
        "same time multiplied."
    )


def _idle_run(bench: Bench) -> tuple[Settings, Invocation]:
    """Return a project that was run, and what a second run of dbt did."""
    settings = new_project(bench.folder / "record", {SLUG: SOURCES})
    made = [batch(kind, 0, PER_DAY, per_day=PER_DAY, delivery=0) for kind in KINDS.values()]
    land_batches(settings, SLUG, made)
    run_tenants(settings, [SLUG])
    ended: list[Invocation] = []
    run_dbt(settings, SLUG, on_end=ended.append)
    return settings, ended[0]


def _record(settings: Settings, invocation: Invocation, models: int, generation: int) -> None:
    warnings = record_run(
        settings, _multiplied(invocation, models, generation), (), wait_seconds=30
    )
    if warnings:
        raise SystemExit("\n".join(warnings))


def _multiplied(invocation: Invocation, models: int, generation: int) -> Invocation:
    """Return an invocation with that many models, made of real results under other names."""
    real = [r for r in invocation.nodes if r.node.resource_type == "model"]
    started_at = utc_now()
    return replace(
        invocation,
        invocation_id=f"synthetic-{started_at:%H%M%S%f}",
        started_at=started_at,
        results=tuple(_renamed(real, range(models), generation)),
    )


def _renamed(real: list[Any], numbers: Iterable[int], generation: int) -> Iterable[Any]:
    """Give copies of results whose nodes are other ones."""
    for number in numbers:
        result = real[number % len(real)]
        node, renamed = copy.copy(result.node), copy.copy(result)
        node.unique_id = f"{node.unique_id}_{number}"
        node.tags = [*node.tags, f"generation_{generation}"]
        renamed.node = node
        yield renamed
