"""Runs the push stage as it is: the staging models of a tenant, with their hooks, through dbt.

The parse is done once and kept, so that a reading holds a model's own work: its statements, the
rendering of its macros, its commit.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from measuring import Reading, measured

from martlet import naming
from martlet.config.catalogue import load_catalogue
from martlet.settings import Settings


@dataclass
class Statement:
    """One statement that dbt sent, and what it cost in this process."""

    sql: str
    reading: Reading


@dataclass
class PushStage:
    """The push stage of one tenant's object; `statements` are those of the last push.

    `manifest` is what dbt has parsed, of this project or of one with the same models.
    """

    settings: Settings
    tenant: str
    platform: str
    object: str
    manifest: Any = None
    statements: list[Statement] = field(default_factory=list)
    whole: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        if self.manifest is None:
            self.manifest = self._invoke(["parse"], None, []).result

    @property
    def model(self) -> str:
        """Return the staging model's name."""
        return naming.staging_model(self.tenant, self.platform, self.object)

    @property
    def master(self) -> str:
        """Return the master's name."""
        source = load_catalogue(self.settings.catalogue_file).connector(self.platform)
        return naming.master_model(source.master_model_id, self.object)

    def push(self) -> Reading:
        """Push what is new; `whole` is then what dbt's whole call took, without its parsing."""
        watch = _Watch(self.model)
        with measured() as self.whole:
            result = self._invoke(["run", "--select", self.model], self.manifest, [watch])
        if not result.success:
            raise SystemExit(f"{self.model}: {watch.errors or result.exception}")
        self.statements = watch.statements
        return watch.reading

    def run(self, models: list[str]) -> Reading:
        """Run models, which may be of several tenants, in one call; return what all of it took."""
        watch = _Watch(self.model)
        with measured() as reading:
            result = self._invoke(["run", "--select", *models], self.manifest, [watch])
        if not result.success:
            raise SystemExit(f"{models[0]} and others: {watch.errors or result.exception}")
        return reading

    def build(self, model: str) -> Reading:
        """Run one model of the tenant and return what it took, dbt's start left out."""
        watch = _Watch(model)
        result = self._invoke(["run", "--select", model], self.manifest, [watch])
        if not result.success:
            raise SystemExit(f"{model}: {watch.errors or result.exception}")
        return watch.reading

    def compile(self, sql: str) -> str:
        """Return SQL with its macros rendered, as dbt would send it."""
        arguments = ["compile", "--inline", sql]
        result = self._invoke(arguments, self.manifest, [])
        if not result.success:
            raise SystemExit(f"{sql}: {result.exception}")
        return str(result.result.results[0].node.compiled_code)

    def compiled(self, model: str) -> str:
        """Return the query of a model of the tenant, as dbt would send it."""
        result = self._invoke(["compile", "--select", model], self.manifest, [])
        if not result.success:
            raise SystemExit(f"{model}: {result.exception}")
        return str(result.result.results[0].node.compiled_code)

    def _invoke(self, arguments: list[str], manifest: Any, callbacks: list[Any]) -> Any:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        project = str(self.settings.project_dir)
        quiet = ["--log-level", "none", "--log-level-file", "none", "--no-write-json"]
        places = ["--project-dir", project, "--profiles-dir", project]
        target = ["--target-path", str(self.settings.home / "target" / "bench")]
        with _environment(self.settings, self.tenant):
            try:
                return dbtRunner(manifest=manifest, callbacks=callbacks).invoke(
                    [*quiet, *arguments, *places, *target]
                )
            finally:
                DuckDBConnectionManager.close_all_connections()


class _Watch:
    """Hears dbt's events: when the model begins and ends, and each statement in between."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._statement: tuple[str, AbstractContextManager[Reading], Reading] | None = None
        self.reading = Reading()
        self.statements: list[Statement] = []
        self.errors: list[str] = []

    def __call__(self, event: Any) -> None:
        name = event.info.name
        if event.info.level == "error":
            self.errors.append(event.info.msg)
        if name == "NodeStart" and event.data.node_info.node_name == self._model:
            self._open = measured()
            self.reading = self._open.__enter__()
        elif name == "NodeFinished" and event.data.node_info.node_name == self._model:
            self._open.__exit__(None, None, None)
        elif name == "SQLQuery":
            context: AbstractContextManager[Reading] = measured()
            self._statement = _without_comment(event.data.sql), context, context.__enter__()
        elif name == "SQLQueryStatus" and self._statement:
            sql, running, reading = self._statement
            running.__exit__(None, None, None)
            self._statement = None
            if event.data.node_info.node_name == self._model:
                self.statements.append(Statement(sql, reading))


def _without_comment(sql: str) -> str:
    """Return a statement without the comment that dbt puts before it, on one line."""
    return " ".join(sql.partition("*/")[2].split() if sql.startswith("/*") else sql.split())


@contextmanager
def _environment(settings: Settings, tenant: str) -> Iterator[None]:
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
