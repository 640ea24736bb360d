"""MCP at `/mcp` of the HTTP application: newest protocol and handshake ones, without sessions.

Every request stands for itself: it carries its key, and any process can answer it. So there is only
POST; nothing is pushed to a client that does not ask.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
from fastapi import FastAPI
from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import INVALID_REQUEST, PARSE_ERROR, jsonrpc_message_adapter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from martlet.access.errors import AccessDeniedError
from martlet.access.principal import Principal
from martlet.access.scopes import SCOPES
from martlet.api.bodies import limited_body, require_json
from martlet.api.dependencies import authenticated
from martlet.api.problems import ProblemError
from martlet.api.refusals import problem_of
from martlet.api.serving import Serving
from martlet.mcp.refusals import refusal_of
from martlet.mcp.server import build_server
from martlet.mcp.settings import McpSettings
from martlet.mcp.tools import Asking

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
_RATE_LIMITED = -32_000  # of the range that JSON-RPC leaves to servers


def add_mcp(app: FastAPI, settings: McpSettings | None = None) -> None:
    """Add MCP to an application of `create_app`; other paths and methods answer as before."""
    serving: Serving = app.state.serving
    gate = _Gate(serving, settings or McpSettings())
    server = build_server(serving, _who)
    door = _Door(gate, server, serving.limits.max_body_bytes)
    app.router.routes.append(Route(PATH, door, methods=["POST"]))
    for path in (METADATA, f"{METADATA}{PATH}"):
        app.router.routes.append(Route(path, gate.metadata, methods=["GET"]))
    outer = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: FastAPI) -> AsyncIterator[Any]:
        async with outer(running) as state, door.open():
            yield state

    app.router.lifespan_context = lifespan


async def _who(context: ServerRequestContext[Any, Any]) -> Asking:
    """Return who asks: the gate has found out, and has left it in the request."""
    assert context.request is not None
    asking: Asking = context.request.state.asking
    return asking


class _Gate:
    """Lets in who names this server and has a key; tells others where keys are issued."""

    def __init__(self, serving: Serving, settings: McpSettings) -> None:
        self._serving = serving
        self._settings = settings

    async def admit(self, request: Request) -> Asking:
        """Return who asks; raises `ProblemError`, or what authentication raises."""
        base_url = self._base_url(request)
        origin = request.headers.get("origin")
        if origin is not None and not self._settings.takes(origin):
            raise ProblemError("origin_refused", "pages of this origin may not ask here")
        principal = await self._principal(request, base_url)
        request.state.tenant = principal.tenant
        return Asking(principal, base_url, request.state.request_id)

    async def metadata(self, request: Request) -> Response:
        """Answer RFC 9728: which resource this is, and whose tokens open it."""
        base_url = self._base_url(request)
        document: dict[str, Any] = {
            "resource": f"{base_url}{PATH}",
            "resource_name": "Martlet",
            "bearer_methods_supported": ["header"],
            "scopes_supported": list(SCOPES),
        }
        tokens = self._serving.limits.tokens
        if tokens:
            document["authorization_servers"] = [tokens.issuer]
        return JSONResponse(document, headers={"Cache-Control": "public, max-age=300"})

    def _base_url(self, request: Request) -> str:
        host = request.headers.get("host", "")
        if not self._settings.serves(host):
            raise ProblemError("host_not_served", "this server does not go by the name in Host")
        return self._settings.public_url or f"{request.url.scheme}://{host.lower()}"

    async def _principal(self, request: Request, base_url: str) -> Principal:
        try:
            return await authenticated(request, self._serving, None)
        except AccessDeniedError as error:
            problem = problem_of(error)
            assert problem is not None
            challenge = problem.headers.get("WWW-Authenticate")
            if challenge is None:  # the issuer cannot be reached
                raise
            where = f'resource_metadata="{base_url}{METADATA}{PATH}", scope="query observability"'
            headers = {**problem.headers, "WWW-Authenticate": f"{challenge}, {where}"}
            raise replace(problem, headers=headers) from None


class _Door:
    """The ASGI application at `/mcp`."""

    def __init__(self, gate: _Gate, server: Server[Any], max_body_bytes: int) -> None:
        self._gate = gate
        self._server = server
        self._max_body_bytes = max_body_bytes
        self._manager: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Take requests for a while, by a new manager each time: the SDK's run once only."""
        self._manager = StreamableHTTPSessionManager(
            self._server,
            json_response=True,
            stateless=True,
            max_request_body_size=self._max_body_bytes,
        )
        async with self._manager.run():
            yield
        self._manager = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._manager is not None
        request = Request(scope, receive)
        scope["route"] = self  # what logs and metrics call it
        try:
            request.state.asking = await self._gate.admit(request)
        except ProblemError as problem:
            if problem.code != "rate_limited":
                raise
            await _rate_limited(request, problem)(scope, receive, send)
            return
        require_json(request)
        body = await limited_body(request, self._max_body_bytes)
        fault = _fault(body)
        if fault:
            await _error(400, *fault)(scope, receive, send)
            return
        await self._manager.handle_request(scope, _replaying(body, receive), send)

    @property
    def path(self) -> str:
        return PATH


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more, then what really comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def _fault(body: bytes) -> tuple[int, str] | None:
    """Return what is wrong with a message; the SDK would say it with the names of its own types."""
    try:
        jsonrpc_message_adapter.validate_json(body, by_name=False)
    except ValidationError as error:
        if any(found["type"] == "json_invalid" for found in error.errors(include_input=False)):
            return PARSE_ERROR, "the body is no JSON"
        return INVALID_REQUEST, "the body must be one message of JSON-RPC 2.0"
    return None


def _rate_limited(request: Request, problem: ProblemError) -> Response:
    """Return 429 as an error of JSON-RPC: the text of others is lost on most clients."""
    refusal = refusal_of(problem)
    assert refusal is not None
    request.state.problem_code = problem.code
    return _error(429, _RATE_LIMITED, refusal.text, refusal.data, problem.headers)


def _error(
    status: int,
    code: int,
    message: str,
    data: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error of JSON-RPC to a message of which the id is not known."""
    error = {"code": code, "message": message} | ({"data": data} if data else {})
    return Response(
        orjson.dumps({"jsonrpc": "2.0", "id": None, "error": error}),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        "application/json",
    )
