"""The small project that is tortured: two tenants whose slugs look alike, a few records each."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests import ready
from tests.project import REPOSITORY, Project, new_project
from tests.warehouse.state import tenant

GENERATION = {
    "campaigns": 1,
    "ad_groups_per_campaign": 1,
    "ads_per_ad_group": 1,
    "orders_per_day": 2,
    "sessions_per_day": 2,
    "products": 2,
}
SOURCES: dict[str, dict[str, Any]] = {
    "acme": {"tiktok_ads": {"objects": ["campaigns", "ads_reports_daily"]}},
    "acme_2": {"shopify": {"objects": ["orders"]}},
}
LAND = ("--seed", "5", "--until", "2026-05-10")


@dataclass(frozen=True)
class Command:
    """How a command ended."""

    arguments: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def was_killed(self) -> bool:
        return self.code == -9

    @property
    def told(self) -> str:
        return f"martlet {' '.join(self.arguments)} ended with {self.code}\n{self.stderr[-2000:]}"


def command(project: Project, *arguments: str, death: dict[str, Any] | None = None) -> Command:
    """Run `martlet` on a project in a fork of a process that has everything imported."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    module = ["martlet"] if death is None else ["tests.torture.doomed", json.dumps(death)]
    done: CompletedProcess[str] = ready.run_module(
        module[0],
        [*module[1:], *arguments],
        folder=project.folder,
        environ=environ | project.variables,
    )
    return Command(arguments, done.returncode, done.stdout, done.stderr)


def succeed(project: Project, *arguments: str) -> Command:
    """Run `martlet`, which must end well."""
    done = command(project, *arguments)
    assert done.code == 0, done.told
    return done


def small_project(folder: Path) -> Project:
    """Return a project that parses only the masters that its tenants need."""
    project = new_project(folder, {})
    platform = folder / "models" / "platform"
    whole = platform.resolve()
    platform.unlink()
    platforms = tuple(f"platform_mm__{name}_" for s in SOURCES.values() for name in s)
    for file in sorted(whole.rglob("*")):
        if file.is_dir() or (
            file.parent.name == "master_models" and not file.name.startswith(platforms)
        ):
            continue
        link = platform / file.relative_to(whole)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    project.configure(
        {
            slug: tenant({name: source | {"generation": GENERATION} for name, source in s.items()})
            for slug, s in SOURCES.items()
        }
    )
    return project


def copied(project: Project, folder: Path) -> Project:
    """Return a copy of a project, links as links."""
    shutil.copytree(project.folder, folder, symlinks=True)
    return Project(folder, project.variables)


@contextmanager
def scratch(keeps: Sequence[str] = ()) -> Iterator[Path]:
    """Give a folder, which stays where what is done in it fails, or has found something."""
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    yield folder
    if not keeps:
        shutil.rmtree(folder, ignore_errors=True)


def repository_environment() -> dict[str, str]:
    """Return what a process needs to import this checkout."""
    paths = [str(REPOSITORY), str(REPOSITORY / "src")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
