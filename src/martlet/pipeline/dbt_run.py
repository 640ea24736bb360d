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
from martlet.errors import MartletError
from martlet.pipeline.invocation import Invocation, utc_now
from martlet.settings import Settings


@dataclass(frozen=True)
class NodeResult:
    """How one model ran; `message` is the engine's or compiler's, on failure."""

    name: str
    status: str
    seconds: float
    message: str | None


@dataclass(frozen=True)
class DbtOutcome:
    """What a dbt run did."""

    results: tuple[NodeResult, ...]

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """Return the models that failed or were skipped because of one that did."""
        return tuple(r for r in self.results if r.status not in ("success", "pass"))


def run_dbt(
    settings: Settings,
    tenant: str,
    *,
    exclude: tuple[str, ...] = (),
    as_of: datetime | None = None,
    on_model: Callable[[str], None] | None = None,
    on_end: Callable[[Invocation], None] | None = None,
) -> DbtOutcome:
    """Build the models of the platform and of one tenant; held staging models are excluded.

    With `as_of` (UTC), only views and facts are built, from what was known then, in a schema of
    their own (`naming.as_of_schema`). `on_end` hears what dbt did, also when it failed, once
    dbt has closed the warehouse.

    Raises `MartletError` when dbt could not start: a parse error, or a hook that stopped the run.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    arguments = [
        "--log-level",
        "none",
        "--no-use-colors",
        "--no-write-json",
        "--log-level-file",
        "none",
        "run",
        "--project-dir",
        str(settings.project_dir),
        "--profiles-dir",
        str(settings.project_dir),
        "--target-path",
        str(settings.target_dir(f"{tenant}.as_of" if as_of else tenant)),
    ]
    if as_of:
        arguments += as_of_arguments(as_of)
    if exclude:
        arguments += ["--exclude", *exclude]
    events = _Events(on_model)
    started_at, began = utc_now(), time.perf_counter()
    with _environment(settings, tenant):
        try:
            result = dbtRunner(callbacks=[events]).invoke(arguments)
        finally:
            DuckDBConnectionManager.close_all_connections()
    results = getattr(result.result, "results", None)
    nodes = tuple(
        NodeResult(r.node.name, str(r.status), float(r.execution_time), r.message)
        for r in results or ()
        if r.node.resource_type == "model"
    )
    problem = _problem(tenant, result, events, may_be_empty=bool(nodes or exclude))
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


def staging_models(tables: list[tuple[str, str, str]]) -> tuple[str, ...]:
    """Return the staging models of (tenant, platform, object) triples, each once."""
    return tuple(dict.fromkeys(naming.staging_model(*table) for table in tables))
