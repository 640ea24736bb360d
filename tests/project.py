"""A temporary Martlet project: the repository's dbt files, its own tenants.yaml and state."""

import json
import os
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml
from duckdb import DuckDBPyConnection

from martlet.engines.targets import engine_of
from martlet.landing.command import land_file
from martlet.settings import Settings, load_settings
from tests.ready import run_module

# Of every project of a test run, but for those that say their own.
TARGET = os.environ.get("MARTLET_TEST_TARGET") or "duckdb"
REPOSITORY = Path(__file__).resolve().parents[1]
LINKED = ("macros", "models/platform", "data-tests", "dbt_project.yml", "profiles.yml")


@dataclass(frozen=True)
class Result:
    """How a command ended; `document` is what `--json` printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Project:
    """One temporary project; commands run as a user runs them, in a process of their own.

    `variables` say which target it has, and where.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return load_settings(self.variables, self.folder)

    @property
    def warehouse(self) -> Path:
        """The file of the target duckdb, as `landing` is."""
        return self.folder / "data" / "warehouse.duckdb"

    @property
    def landing(self) -> Path:
        return self.folder / "data" / "landing.duckdb"

    def configure(self, tenants: dict[str, Any], **top_level: Any) -> None:
        """Write tenants.yaml."""
        document = {"version": 1, **top_level, "tenants": tenants}
        (self.folder / "tenants.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    def martlet(
        self, *arguments: str, check: bool = True, variables: dict[str, str] | None = None
    ) -> Result:
        """Run the command line; with `check`, fail the test when it fails."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
        environ |= self.variables | (variables or {})
        done = run_module("martlet", arguments, folder=self.folder, environ=environ)
        result = Result(done.returncode, done.stdout, done.stderr)
        if check:
            assert result.code == 0, f"martlet {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return result

    def run(self, *arguments: str, check: bool = True) -> Any:
        """Run `martlet run --json` and return its document."""
        return self.martlet("run", "--json", *arguments, check=check).document

    def land_records(
        self, tenant: str, platform: str, object_: str, records: list[dict[str, Any]], *more: str
    ) -> Any:
        """Land records from a JSONL file and return what `martlet land --file --json` prints.

        In this process, because one of its own costs more than the landing; `more` are the options
        `--loader` and `--connection`.
        """
        options = dict(zip(more[::2], more[1::2], strict=True))
        file = self.folder / f"{tenant}_{platform}_{object_}.jsonl"
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        report = land_file(
            self.settings,
            tenant,
            platform,
            object_,
            file,
            connection=options.pop("--connection", "main"),
            loader=options.pop("--loader", None),  # type: ignore[arg-type]
        )
        assert not options, f"land_records does not know {sorted(options)}"
        return asdict(report)

    def open_warehouse(self) -> AbstractContextManager[DuckDBPyConnection]:
        """Open the warehouse to be written to behind Martlet's back."""
        return engine_of(self.settings).open_warehouse()

    def open_landing(self) -> AbstractContextManager[DuckDBPyConnection]:
        """Open the landing, for what a loader does there that is none of ours."""
        return engine_of(self.settings).open_landing()

    def query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query on the warehouse, landing attached."""
        with engine_of(self.settings).open_both(read_only=True) as connection:
            cursor = connection.execute(sql, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, sql: str, *parameters: Any) -> Any:
        """Return the one value of a query."""
        (row,) = self.query(sql, *parameters)
        (value,) = row.values()
        return value


def settings_at(project_dir: Path, home: Path, tenants_file: Path) -> Settings:
    """Return the settings of a home that is no whole project, on the test run's target."""
    variables = {
        "MARTLET_PROJECT": str(project_dir),
        "MARTLET_HOME": str(home),
        "MARTLET_TENANTS": str(tenants_file),
    }
    return load_settings(variables | {"MARTLET_TARGET": TARGET})


def new_project(folder: Path, variables: dict[str, str] | None = None) -> Project:
    """Return an empty project in `folder`: dbt's files linked, no tenant yet."""
    (folder / "models").mkdir(parents=True)
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / "supported_connectors.yaml").write_text(
        (REPOSITORY / "supported_connectors.yaml").read_text()
    )
    for layer in ("sources", "staging", "intermediate", "analytics"):
        (folder / "models" / layer).mkdir()
    return Project(folder, {"MARTLET_TARGET": TARGET} if variables is None else variables)
