"""MCP over standard input and output, for a client that starts the server itself."""

from typing import Any

import anyio
from mcp.server import ServerRequestContext
from mcp.server.stdio import stdio_server

from martlet.access.errors import AccessDeniedError
from martlet.access.principal import Principal
from martlet.api.observer import new_request_id
from martlet.api.refusals import problem_of, rate_limited
from martlet.api.serving import Serving
from martlet.errors import BadInputError
from martlet.mcp.server import build_server
from martlet.mcp.tools import Asking


def serve_stdio(serving: Serving, key: str, base_url: str) -> None:
    """Answer until standard input ends; raises `BadInputError` for a key that opens nothing."""
    anyio.run(_serve, serving, key, base_url)


async def _serve(serving: Serving, key: str, base_url: str) -> None:
    try:
        await serving.principal(key)
    except AccessDeniedError as error:
        raise _unusable(error) from None

    async def who(_: ServerRequestContext[Any, Any]) -> Asking:
        # Each time anew: a key that was revoked or has expired must not open any longer.
        principal = await serving.principal(key)
        _admit(serving, principal)
        return Asking(principal, base_url, new_request_id())

    server = build_server(serving, who)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _admit(serving: Serving, principal: Principal) -> None:
    seconds = serving.rates.admit(principal)
    if seconds is not None:
        raise rate_limited(seconds)


def _unusable(error: AccessDeniedError) -> BadInputError:
    problem = problem_of(error)
    assert problem is not None
    return BadInputError(
        problem.detail,
        where="--key or MARTLET_KEY",
        remedy="make one: martlet keys create TENANT",
    )
