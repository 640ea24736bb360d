"""Commands in this process: what a command imports costs more than what it does to a few rows."""

import json
import os
from typing import Any

from typer.testing import CliRunner

from martlet.cli import app
from tests.project import Project


def command(project: Project, *arguments: str) -> Any:
    """Run a command as the command line does and return its document; raise what it raises."""
    ours = {name: None for name in os.environ if name.startswith("MARTLET_")}
    environ = {**ours, **project.variables, "MARTLET_PROJECT": str(project.folder)}
    done = CliRunner().invoke(app, [*arguments, "--json"], env=environ)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)
