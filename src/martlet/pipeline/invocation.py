"""What one call of dbt did, as the rows of its record."""

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Rows by history, in JSON's own types: what is uploaded is what a file can keep.
Rows = list[dict[str, Any]]
Record = dict[str, Rows]

_GREEN = ("success", "pass", "warn")


@dataclass(frozen=True)
class Invocation:
    """One call of dbt. `started_at` is UTC; `problem` says why it did not come to its end.

    `results` are dbt's own, of the nodes that ran. A run as of a past moment builds a copy beside
    what is current, so its nodes are not recorded.
    """

    invocation_id: str
    tenant: str
    arguments: tuple[str, ...]
    started_at: datetime
    seconds: float
    results: tuple[Any, ...]
    problem: str | None = None
    is_as_of: bool = False

    @property
    def nodes(self) -> tuple[Any, ...]:
        """Return the results of models and tests, without those of hooks."""
        return tuple(r for r in self.results if r.node.resource_type != "operation")


def utc_now() -> datetime:
    """Return this moment in UTC, without a zone, as the warehouse keeps moments."""
    return datetime.now(UTC).replace(tzinfo=None)


def build_record(invocation: Invocation, project_dir: Path) -> Record:
    """Return the rows that an invocation adds to the histories."""
    captured_at = utc_now().isoformat()
    record: Record = {"invocations": [_invocation_row(invocation, project_dir)]}
    if invocation.is_as_of:
        return record
    seen = {"invocation_id": invocation.invocation_id, "captured_at": captured_at}
    nodes = [result.node for result in invocation.nodes]
    record["model_artifacts"] = [
        _definition(node, _model_definition(node), seen)
        for node in nodes
        if node.resource_type == "model"
    ]
    record["test_artifacts"] = [
        _definition(node, _test_definition(node), seen)
        for node in nodes
        if node.resource_type in ("test", "unit_test")
    ]
    record["run_results"] = [_result_row(r, invocation.tenant, seen) for r in invocation.nodes]
    return record


@cache
def code_version(project_dir: Path) -> str:
    """Return the project's commit, `-dirty` behind it where files differ.

    Without git, the package's version.
    """
    try:
        shown = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=project_dir,
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return version("martlet")
    return shown.stdout.strip() or version("martlet")


def peak_memory_bytes() -> int:
    """Return the most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _invocation_row(invocation: Invocation, project_dir: Path) -> dict[str, Any]:
    models = [str(r.status) for r in invocation.nodes if r.node.resource_type == "model"]
    return {
        "invocation_id": invocation.invocation_id,
        "tenant_slug": invocation.tenant,
        "recorded_by": "pipeline",
        "arguments": json.dumps(invocation.arguments),
        "code_version": code_version(project_dir),
        "started_at": invocation.started_at.isoformat(),
        "seconds": invocation.seconds,
        "peak_memory_bytes": peak_memory_bytes(),
        "status": _status(invocation),
        "models_run": sum(status != "skipped" for status in models),
        "models_failed": sum(status == "error" for status in models),
        "models_skipped": sum(status == "skipped" for status in models),
        "problem": invocation.problem,
    }


def _status(invocation: Invocation) -> str:
    if invocation.problem is not None:
        return "error"
    is_green = all(str(result.status) in _GREEN for result in invocation.nodes)
    return "success" if is_green else "failed"


def _result_row(result: Any, tenant: str, seen: dict[str, str]) -> dict[str, Any]:
    return {
        **seen,
        "tenant_slug": tenant,
        "node_id": result.node.unique_id,
        "name": result.node.name,
        "resource_type": str(result.node.resource_type),
        "status": str(result.status),
        "message": result.message,
        "failures": result.failures,
        "rows_affected": result.adapter_response.get("rows_affected"),
        "execution_seconds": float(result.execution_time),
        "started_at": _earliest(step.started_at for step in result.timing),
    }


def _earliest(moments: Iterable[datetime | None]) -> str | None:
    known = [moment for moment in moments if moment is not None]
    return min(known).replace(tzinfo=None).isoformat() if known else None


def _model_definition(node: Any) -> dict[str, Any]:
    return {
        "name": node.name,
        "materialization": node.config.materialized,
        "schema_name": node.schema,
        "path": node.original_file_path,
        "depends_on": json.dumps(node.depends_on.nodes),
        "tags": json.dumps(node.tags),
        "config": json.dumps(node.config.to_dict(), sort_keys=True, default=str),
    }


def _test_definition(node: Any) -> dict[str, Any]:
    return {
        "name": node.name,
        "target_models": json.dumps(node.depends_on.nodes),
        "severity": getattr(node.config, "severity", None),  # a unit test has none
        "path": node.original_file_path,
    }


def _definition(node: Any, definition: dict[str, Any], seen: dict[str, str]) -> dict[str, Any]:
    text = json.dumps(definition, sort_keys=True)
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return {"node_id": node.unique_id, **definition, "definition_hash": digest, **seen}
