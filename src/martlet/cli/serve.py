"""The command that opens all doors: HTTP, MCP and pages, on one port."""

import os
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from martlet.cli.app import app
from martlet.settings import load_settings


class LogLevel(StrEnum):
    """How much goes to the log; `info` has a line for each request."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes one that is free.")
    ] = 8000,
    log_level: Annotated[
        LogLevel, typer.Option(help="The least that is logged, as JSON on standard error.")
    ] = LogLevel.INFO,
) -> None:
    """Open the API, MCP and the pages on one port until Ctrl-C; see `martlet keys create`."""
    from martlet.api.app import create_app
    from martlet.api.server import address_of, listening_socket
    from martlet.api.server import serve as serve_app
    from martlet.api.settings import load_serving_settings
    from martlet.api.structured_log import log_of_libraries
    from martlet.mcp.over_http import add_mcp
    from martlet.mcp.settings import mcp_settings
    from martlet.web.pages import add_pages

    settings = load_settings(os.environ)
    serving = load_serving_settings(os.environ)
    with listening_socket(host, port) as listening:
        log_of_libraries(log_level)
        application = create_app(settings, replace(serving, log_level=log_level))
        add_mcp(application, mcp_settings(os.environ).reached_at(host))
        add_pages(application, settings.project_dir / "node_modules")
        typer.echo(f"Martlet answers on {address_of(listening)}", err=True)
        serve_app(application, listening, shutdown_seconds=serving.shutdown_seconds)
