"""The command that answers a desktop client over standard input and output."""

import os
from typing import Annotated

import typer

from martlet.cli.app import app
from martlet.cli.serve import LogLevel
from martlet.errors import BadInputError
from martlet.settings import load_settings

_LOCAL_PAGES = "http://127.0.0.1:8000"  # where `martlet serve` answers by default


@app.command()
def mcp(
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Speak over standard input and output.")
    ] = False,
    key: Annotated[
        str,
        typer.Option(
            envvar="MARTLET_KEY",
            show_envvar=False,
            help="A key of the tenant; better in MARTLET_KEY, which no list of processes shows.",
        ),
    ] = "",
    log_level: Annotated[
        LogLevel, typer.Option(help="The least that is logged, as JSON on standard error.")
    ] = LogLevel.WARNING,
) -> None:
    """Answer an agent's questions over MCP; over HTTP, `martlet serve` does the same at /mcp."""
    if not stdio:
        raise BadInputError(
            "there is one way only that this command speaks",
            where="martlet mcp",
            remedy="martlet mcp --stdio; over HTTP, martlet serve answers at /mcp",
        )
    if not key.strip():
        raise BadInputError(
            "no key is given, so the tenant is not known",
            where="martlet mcp",
            remedy="put one into MARTLET_KEY; martlet keys create TENANT makes one",
        )
    from martlet.api.serving import Serving
    from martlet.api.settings import load_serving_settings
    from martlet.api.structured_log import log_of_libraries, new_log
    from martlet.mcp.over_stdio import serve_stdio
    from martlet.mcp.settings import mcp_settings

    settings = load_settings(os.environ)
    log_of_libraries(log_level)
    serving = Serving(settings, load_serving_settings(os.environ), new_log(log_level))
    try:
        serve_stdio(serving, key.strip(), mcp_settings(os.environ).public_url or _LOCAL_PAGES)
    finally:
        serving.close()
