"""Around every request: its id, its line in the log, its count, and headers that are always due."""

import re
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from martlet.api.metrics import Metrics

REQUEST_ID = "X-Request-Id"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def new_request_id() -> str:
    """Return an id for a request that came without one."""
    return secrets.token_hex(8)


def request_id_of(stated: str | None) -> str:
    """Return the caller's own id where it is harmless in a log, else a new one."""
    return stated if stated and _REQUEST_ID_FORM.fullmatch(stated) else new_request_id()


class Observer:
    """The outermost layer of the application; it also answers HEAD as GET without a body.

    Who asks is known only within: dependencies leave `tenant` and `caller` in the request's state.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, log: FilteringBoundLogger) -> None:
        self._app = app
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        state["request_id"] = request_id_of(Headers(scope=scope).get(REQUEST_ID))
        method = scope["method"]
        seen = _Seen(send, state["request_id"], is_head=method == "HEAD")
        if method == "HEAD":
            scope = {**scope, "method": "GET"}
        begun = time.perf_counter()
        try:
            await self._app(scope, receive, seen.send)
        finally:
            self._tell(scope, method, seen, time.perf_counter() - begun)

    def _tell(
        self, scope: MutableMapping[str, Any], method: str, seen: "_Seen", seconds: float
    ) -> None:
        state = scope["state"]
        route = getattr(scope.get("route"), "path", "unmatched")
        problem = state.get("problem_code")
        self._metrics.answered(method, route, seen.status, seconds, seen.bytes_sent, problem)
        known = {name: state[name] for name in ("tenant", "caller") if name in state}
        if problem:
            known["problem"] = problem
        self._log.info(
            "request",
            request_id=state["request_id"],
            method=method if method.isalpha() and len(method) <= 16 else "other",
            route=route,
            status=seen.status,
            ms=round(seconds * 1_000, 2),
            bytes=seen.bytes_sent,
            **known,
        )


class _Seen:
    """What of a response went through; 499 is a caller who left before there was one."""

    def __init__(self, send: Send, request_id: str, *, is_head: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._is_head = is_head
        self.status = 499
        self.bytes_sent = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self._request_id
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
        elif message["type"] == "http.response.body":
            if self._is_head:
                message = {**message, "body": b""}
            self.bytes_sent += len(message.get("body", b""))
        await self._send(message)
