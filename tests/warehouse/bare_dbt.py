"""dbt as a user types it, without Martlet's run around it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.project import Project, Result


def dbt(project: Project, *arguments: str, tenant: str = "", **environment: str) -> Result:
    """Run dbt in a temporary project; `tenant` cuts the parse to that one, as MARTLET_TENANT."""
    cut = {"MARTLET_TENANT": tenant} if tenant else {}
    return dbt_in(project.folder, *arguments, **project.variables, **cut, **environment)


def dbt_in(folder: Path, *arguments: str, **environment: str) -> Result:
    """Run dbt in a project's folder; none of the caller's MARTLET_ variables reaches it."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("MARTLET_", "DBT_"))}
    done = subprocess.run(
        [
            Path(sys.executable).with_name("dbt"), "--no-use-colors", "--log-level-file", "none",
            *arguments,
        ],
        cwd=folder,
        env={**inherited, "DO_NOT_TRACK": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)
