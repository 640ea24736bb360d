"""The command line: arguments in, one call, a table or one JSON document out."""

import sys

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


def main() -> None:
    """Run the command line; errors made on purpose are printed and give their exit code."""
    try:
        app()
    except MartletError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
