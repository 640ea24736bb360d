"""Runs dbt in this process, for the platform and one tenant."""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from martlet import naming
from martlet.engines.duckdb_engine import holding
from martlet.engines.engine import WAIT_SECONDS
from martlet.errors import MartletError
from martlet.pipeline.invocation import Invocation, utc_now
from martlet.settings import Settings

# Tests run beside the models, each as soon as its models are built.
BUILD = ("build", "--resource-type", "model", "--resource-type", "test")
_RECORDED = ("model", "test")
# Seconds between two attempts at a database that another process holds.
_HELD_PAUSE = 0.5
_GREEN = ("success", "pass", "warn", "no-op")


@dataclass(frozen=True)
class NodeResult:
    """How one model or test ran; `message` is the engine's or compiler's, on failure.

    `tested` are the models that a test looks at; `is_older` says that one of them was built since.
    """

    name: str
    status: str
    seconds: float
    message: str | None
    is_test: bool = False
    tested: tuple[str, ...] = ()
    is_older: bool = False

    @property
    def is_green(self) -> bool:
        """Say whether it did what it had to; a test that only warns did."""
        return self.status in _GREEN

    @property
    def is_skipped(self) -> bool:
        """Say whether it did not run, because a model that it needs failed."""
        return self.status == "skipped"


@dataclass(frozen=True)
class DbtOutcome:
    """What a dbt run did."""

    results: tuple[NodeResult, ...]

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """Return what failed or was skipped because of a model that did."""
        return tuple(r for r in self.results if not r.is_green)

    def then(self, later: "DbtOutcome") -> "DbtOutcome":
        """Return this outcome with what a later call of dbt made of the same models and tests."""
        newest = {r.name: r for r in (*self.results, *later.results)}
        return DbtOutcome(tuple(newest.values()))


def run_dbt(
    settings: Settings,
    tenant: str,
    *,
    select: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    as_of: datetime | None = None,
    on_model: Callable[[str], None] | None = None,
    on_end: Callable[[Invocation], None] | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> DbtOutcome:
    """Build the models of the platform and of one tenant, and test them; held ones are excluded.

    With `select`, only these models and their tests. With `as_of` (UTC), only views and facts are
    built and nothing is tested, from what was known then, in a schema of their own
    (`naming.as_of_schema`). `on_end` hears what dbt did, also when it failed, once dbt has closed
    the warehouse. Waits up to `wait_seconds` for another process that came first to a database.

    Raises `MartletError` when dbt could not start: a parse error, or a hook that stopped the run.
    """
    arguments = _arguments(settings, tenant, select, exclude, as_of)
    started_at, began = utc_now(), time.perf_counter()
    deadline = time.monotonic() + wait_seconds
    while True:
        events = _Events(on_model)
        result = _invoke(settings, tenant, arguments, events)
        results = getattr(result.result, "results", None)
        nodes = tuple(_node_result(r) for r in results or () if r.node.resource_type in _RECORDED)
        problem = _problem(tenant, result, events, may_be_empty=bool(nodes or exclude))
        holder = holding(problem.what) if problem else None
        if holder is None:
            break
        if time.monotonic() >= deadline:  # dbt does not wait, and reads all files before it tries
            problem = holder
            break
        time.sleep(_HELD_PAUSE)
    if on_end:
        on_end(
            Invocation(
                invocation_id=events.invocation_id or str(uuid.uuid4()),
                tenant=tenant,
                arguments=tuple(arguments),
                started_at=started_at,
                seconds=time.perf_counter() - began,
                results=tuple(results or ()),
                problem=problem.what if problem else None,
                is_as_of=as_of is not None,
            )
        )
    if problem:
        raise problem
    return DbtOutcome(nodes)


def _invoke(settings: Settings, tenant: str, arguments: list[str], events: "_Events") -> Any:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    with _environment(settings, tenant):
        try:
            return dbtRunner(callbacks=[events]).invoke(arguments)
        finally:
            DuckDBConnectionManager.close_all_connections()


def _arguments(
    settings: Settings,
    tenant: str,
    select: tuple[str, ...],
    exclude: tuple[str, ...],
    as_of: datetime | None,
) -> list[str]:
    arguments = [
        "--log-level",
        "none",
        "--no-use-colors",
        "--no-write-json",
        "--log-level-file",
        "none",
        *(("run",) if as_of else BUILD),
        "--project-dir",
        str(settings.project_dir),
        "--profiles-dir",
        str(settings.project_dir),
        "--target-path",
        str(settings.target_dir(f"{tenant}.as_of" if as_of else tenant)),
    ]
    if as_of:
        arguments += as_of_arguments(as_of)
    if select:
        arguments += ["--select", *select]
    if exclude:
        arguments += ["--exclude", *exclude]
    return arguments


def _node_result(result: Any) -> NodeResult:
    is_test = result.node.resource_type == "test"
    return NodeResult(
        result.node.name,
        str(result.status),
        float(result.execution_time),
        result.message,
        is_test,
        tuple(map(model_name, result.node.depends_on.nodes)) if is_test else (),
    )


def model_name(node_id: str) -> str:
    """Return the name of a node by dbt's id of it."""
    return node_id.rpartition(".")[2]


def _problem(
    tenant: str, result: Any, events: "_Events", *, may_be_empty: bool
) -> MartletError | None:
    """Return why dbt did not come to its end, or None."""
    results = getattr(result.result, "results", None)
    if results is None:
        reason = str(result.exception) if result.exception else "\n".join(events.errors)
        return MartletError(
            f"dbt could not run: {reason or 'it gave no reason'}",
            where=tenant,
            remedy="python scripts/onboard_tenant.py --check; then dbt parse",
        )
    if not may_be_empty:
        return MartletError("dbt parsed no model", where=tenant, remedy=f"martlet onboard {tenant}")
    hooks = [r for r in results if r.node.resource_type == "operation" and str(r.status) == "error"]
    if hooks:
        return MartletError(
            f"a hook of the run failed: {hooks[0].message}", where=tenant, remedy="martlet run"
        )
    return None


class _Events:
    """Hears dbt's events: which model begins, and errors that come before any result."""

    def __init__(self, on_model: Callable[[str], None] | None) -> None:
        self._on_model = on_model
        self.errors: list[str] = []
        self.invocation_id = ""

    def __call__(self, event: Any) -> None:
        self.invocation_id = event.info.invocation_id
        if event.info.name == "NodeStart" and self._on_model:
            self._on_model(event.data.node_info.node_name)
        if event.info.level == "error":
            self.errors.append(event.info.msg)


@contextmanager
def _environment(settings: Settings, tenant: str) -> Iterator[None]:
    """Set what profiles.yml and dbt_project.yml read, for as long as dbt runs here."""
    wanted = {
        "MARTLET_HOME": str(settings.home),
        "MARTLET_PROJECT": str(settings.project_dir),
        "MARTLET_TENANTS": str(settings.tenants_file),
        "MARTLET_TENANT": tenant,
        "MARTLET_TARGET": settings.target,
        "MARTLET_RECORDER": "pipeline",
        "DO_NOT_TRACK": "1",
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def as_of_arguments(as_of: datetime) -> list[str]:
    """Return the arguments that make dbt rebuild views and facts as they would have been."""
    known = {"as_of": as_of.isoformat(sep=" "), "as_of_schema": naming.as_of_schema(as_of)}
    layers = ["path:models/intermediate", "path:models/analytics"]
    return ["--vars", json.dumps(known), "--select", *layers]
