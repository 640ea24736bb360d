"""The MCP server: the SDK's protocol around our tools, resources and prompts."""

import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from types import TracebackType
from typing import Any, NoReturn, TypeVar

import orjson
from mcp.server import CacheHint, Server, ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
    TextResourceContents,
)
from prometheus_client import Counter
from pydantic import ValidationError
from structlog.typing import FilteringBoundLogger

from martlet.api.formats import as_json
from martlet.api.problems import ProblemError
from martlet.api.questions import read_question
from martlet.api.serving import Serving
from martlet.errors import MartletError, nearest
from martlet.mcp.arguments import unpacked
from martlet.mcp.prompts import RECIPES, get_prompt
from martlet.mcp.refusals import Refusal, is_ours, refusal_of
from martlet.mcp.resources import (
    MEDIA_TYPE,
    TEMPLATES,
    list_resources,
    read_resource,
    scope_and_pool,
)
from martlet.mcp.tools import TOOL_BY_NAME, TOOLS, Asking, Pool

Context = ServerRequestContext[Any, Any]
Who = Callable[[Context], Awaitable[Asking]]
T = TypeVar("T")

INSTRUCTIONS = """\
Governed marketing numbers of one company: advertising, shop orders, web sessions. All tools only
read. Begin with list_models, then describe_model, then query_metrics or compare_periods. Fields
have only the names that describe_model gives; errors name the nearest one. Questions about facts
need a range of days. Money is never added up across currencies: without convert_to, rows are
divided by currency. Tell the reader the warnings of an answer, and up to when its data are
complete."""

_SAME_FOR_ALL = CacheHint(ttl_ms=300_000, scope="public")
_OF_THE_CALLER = CacheHint(ttl_ms=30_000, scope="private")


def build_server(serving: Serving, who: Who) -> Server[Any]:
    """Return the server; `who` says who asks, and raises `MartletError` or `ProblemError`."""
    door = _Door(serving, who)
    server: Server[Any] = Server(
        "martlet",
        version=version("martlet"),
        title="Martlet",
        description="Governed answers from one tenant's published star schema.",
        instructions=INSTRUCTIONS,
        cache_hints={
            "server/discover": _SAME_FOR_ALL,
            "tools/list": _SAME_FOR_ALL,
            "prompts/list": _SAME_FOR_ALL,
            "resources/templates/list": _SAME_FOR_ALL,
            "resources/list": _OF_THE_CALLER,
            "resources/read": _OF_THE_CALLER,
        },
        get_tool_input_schema=door.input_schema,
        on_list_tools=door.list_tools,
        on_call_tool=door.call_tool,
        on_list_resources=door.list_resources,
        on_list_resource_templates=door.list_templates,
        on_read_resource=door.read_resource,
        on_list_prompts=door.list_prompts,
        on_get_prompt=door.get_prompt,
    )
    server.middleware.append(_WithoutInternals(serving.log))
    return server


class _Door:
    """Answers requests: finds out who asks, runs the work in its pool, tells refusals."""

    def __init__(self, serving: Serving, who: Who) -> None:
        self._serving = serving
        self._who = who
        self._log = serving.log
        self._tools = ListToolsResult(tools=[tool.listed() for tool in TOOLS])
        self._calls = Counter(
            "martlet_mcp_calls",
            "Tools that were called, documents and prompts that were asked for.",
            ("operation", "outcome"),
            registry=serving.metrics.registry,
        )

    async def list_tools(self, _: Context, __: PaginatedRequestParams | None) -> ListToolsResult:
        return self._tools

    def input_schema(self, name: str) -> dict[str, Any] | None:
        """Return a tool's schema; without this the SDK lists all tools before each call."""
        return next((tool.input_schema for tool in self._tools.tools if tool.name == name), None)

    async def list_templates(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(resource_templates=list(TEMPLATES))

    async def list_prompts(
        self, _: Context, __: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        return ListPromptsResult(prompts=[recipe.listed for recipe in RECIPES.values()])

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = TOOL_BY_NAME.get(params.name)
        if tool is None:
            known = nearest(params.name, TOOL_BY_NAME)
            raise MCPError(INVALID_PARAMS, f"there is no tool {params.name[:100]!r}; {known}")

        async def work(asking: Asking) -> CallToolResult:
            _require(asking, tool.scope)
            arguments = unpacked(tool.arguments, params.arguments or {})
            asked = read_question(tool.arguments, arguments)
            text = await self._run(
                tool.pool, lambda: as_json(tool.run(self._serving, asking, asked)).decode()
            )
            content = TextContent(type="text", text=text)
            return CallToolResult(content=[content], structured_content=orjson.loads(text))

        return await self._answer(context, tool.name, work, Refusal.result)

    async def list_resources(
        self, context: Context, _: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        async def work(asking: Asking) -> ListResourcesResult:
            found = await self._run("queries", lambda: list_resources(self._serving, asking))
            return ListResourcesResult(resources=found)

        return await self._answer(context, "resources/list", work, _as_error)

    async def read_resource(
        self, context: Context, params: ReadResourceRequestParams
    ) -> ReadResourceResult:
        uri = str(params.uri)

        async def work(asking: Asking) -> ReadResourceResult:
            scope, pool = scope_and_pool(uri)
            _require(asking, scope)
            text = await self._run(pool, lambda: read_resource(self._serving, asking, uri))
            content = TextResourceContents(uri=uri, mime_type=MEDIA_TYPE, text=text)
            return ReadResourceResult(contents=[content])

        return await self._answer(context, "resources/read", work, _as_error)

    async def get_prompt(self, context: Context, params: GetPromptRequestParams) -> GetPromptResult:
        async def work(asking: Asking) -> GetPromptResult:
            _require(asking, "query")
            given = params.arguments or {}
            return await self._run(
                "queries", lambda: get_prompt(self._serving, asking, params.name, given)
            )

        return await self._answer(context, "prompts/get", work, _as_error)

    async def _run(self, pool: Pool, work: Callable[[], T]) -> T:
        chosen = self._serving.queries if pool == "queries" else self._serving.observability
        return await chosen.run(work)

    async def _answer(
        self,
        context: Context,
        operation: str,
        work: Callable[[Asking], Awaitable[T]],
        tell: Callable[[Refusal], T],
    ) -> T:
        """Return what `work` gives, or what `tell` makes of a refusal; log and count it."""
        begun = time.perf_counter()
        told: dict[str, Any] = {"operation": operation, "protocol": context.protocol_version}
        outcome = "internal_error"
        try:
            asking = await self._who(context)
            told |= {"request_id": asking.request_id, "tenant": asking.tenant}
            told["caller"] = asking.principal.caller
            answer = await work(asking)
            outcome = "ok"
            return answer
        except (MartletError, ProblemError) as error:
            refusal = refusal_of(error) or _OUR_FAILURE
            outcome = refusal.code
            if is_ours(outcome):
                self._log.error("unavailable", request_id=told.get("request_id"), exc_info=error)
            return tell(refusal)
        finally:
            self._calls.labels(operation, outcome).inc()
            spent = round((time.perf_counter() - begun) * 1_000, 2)
            self._log.info("mcp", outcome=outcome, ms=spent, **told)


_OUR_FAILURE = Refusal("internal_error", "the request failed; the server's log says why")


def _require(asking: Asking, scope: str) -> None:
    if not asking.principal.may(scope):
        raise ProblemError("scope_missing", f"the key needs the scope {scope!r}")


def _as_error(refusal: Refusal) -> NoReturn:
    """Tell a refusal where there is no result that could hold it."""
    code = INTERNAL_ERROR if is_ours(refusal.code) else INVALID_PARAMS
    raise MCPError(code, refusal.text, refusal.data)


class _WithoutInternals:
    """Lets nothing out but errors of the protocol: the SDK tells older clients any other's text."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    async def __call__(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        async with _Guard(self._log):
            return await call_next(ctx)


class _Guard:
    """Logs what nobody expected, and lets `_OUR_FAILURE` out instead."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        __: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, MCPError | ValidationError):
            self._log.error("failed", exc_info=error)
            raise MCPError(INTERNAL_ERROR, _OUR_FAILURE.text, _OUR_FAILURE.data) from None
