"""The command line: arguments in, one call, a table or one JSON document out."""

import sys
from typing import NoReturn

import duckdb

from martlet.cli import (
    alerts,
    audit,
    custody,
    demo,
    erasing,
    keys,
    landing,
    library,
    maintain,
    marts,
    mcp,
    offboarding,
    quarantine,
    registry,
    running,
    serve,
    status,
)
from martlet.cli.app import app
from martlet.errors import MartletError

__all__ = [
    "alerts",
    "app",
    "audit",
    "custody",
    "demo",
    "erasing",
    "keys",
    "landing",
    "library",
    "main",
    "maintain",
    "marts",
    "mcp",
    "offboarding",
    "quarantine",
    "registry",
    "running",
    "serve",
    "status",
]


_ROOM = "see that the disk has room and MARTLET_HOME can be written; then do the same again"


def main() -> None:
    """Run the command line; errors made on purpose are printed and give their exit code.

    So are those that no code can prevent: a disk that is full, a folder that cannot be written.
    """
    try:
        app()
    except MartletError as error:
        _end(error)
    except (duckdb.OperationalError, duckdb.FatalException) as error:
        _end(MartletError(f"the database refused a step: {error}", remedy=_ROOM))
    except OSError as error:
        _end(MartletError(f"a step failed: {error}", remedy=_ROOM))


def _end(error: MartletError) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)  # noqa: T201
    sys.exit(error.exit_code)
