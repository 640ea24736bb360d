"""Asking: queries, comparisons, values of a dimension, and the SQL behind a query."""

from dataclasses import asdict

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from martlet.api.dependencies import (
    Caller,
    JsonMedia,
    PostedComparison,
    PostedQuery,
    PostedQueryToExplain,
    PostedValueSearch,
    QueryCaller,
    QueryInAddress,
    ServingDep,
    TabularMedia,
    ValueSearchInAddress,
)
from martlet.api.examples import COMPARISONS, QUERIES, VALUE_SEARCHES
from martlet.api.openapi import ASKING, POSTING, body, json_responses, tabular_responses
from martlet.api.replies import Content, answer_content, asked, reply
from martlet.api.schemas import ExplainedQuery, TabularAnswer
from martlet.api.serving import Serving
from martlet.semantic.requests import Comparison, Query, ValueSearch

router = APIRouter(prefix="/v1/{tenant}", tags=["queries"])
_BY_ADDRESS = tabular_responses(TabularAnswer, ASKING)
_BY_BODY = tabular_responses(TabularAnswer, POSTING)


@router.post(
    "/query",
    operation_id="post_query",
    responses=_BY_BODY,
    openapi_extra=body(Query, QUERIES),
)
async def post_query(
    request: Request,
    serving: ServingDep,
    caller: QueryCaller,
    media: TabularMedia,
    question: PostedQuery,
) -> Response:
    """Ask for measures by dimensions."""
    return await _query(request, serving, caller, media, question)


@router.get("/query", operation_id="get_query", responses=_BY_ADDRESS)
async def get_query(
    request: Request,
    serving: ServingDep,
    caller: QueryCaller,
    media: TabularMedia,
    question: QueryInAddress,
) -> Response:
    """Ask the same as with POST, in an address that caches understand."""
    return await _query(request, serving, caller, media, question)


@router.post(
    "/compare",
    operation_id="post_compare",
    responses=_BY_BODY,
    openapi_extra=body(Comparison, COMPARISONS),
)
async def post_compare(
    request: Request,
    serving: ServingDep,
    caller: QueryCaller,
    media: TabularMedia,
    question: PostedComparison,
) -> Response:
    """Compare the same measures in two periods."""
    return await reply(
        asked(request, caller, "compare", media, question),
        serving.queries,
        serving.service.version,
        lambda: answer_content(
            serving.service.compare(
                caller.tenant, question, may_see_personal=caller.may_see_personal
            )
        ),
    )


@router.post(
    "/values",
    operation_id="post_values",
    responses=_BY_BODY,
    openapi_extra=body(ValueSearch, VALUE_SEARCHES),
)
async def post_values(
    request: Request,
    serving: ServingDep,
    caller: QueryCaller,
    media: TabularMedia,
    question: PostedValueSearch,
) -> Response:
    """Search the values of a dimension, the most frequent first."""
    return await _values(request, serving, caller, media, question)


@router.get("/values", operation_id="get_values", responses=_BY_ADDRESS)
async def get_values(
    request: Request,
    serving: ServingDep,
    caller: QueryCaller,
    media: TabularMedia,
    question: ValueSearchInAddress,
) -> Response:
    """Search the same as with POST, in an address that caches understand."""
    return await _values(request, serving, caller, media, question)


@router.post(
    "/explain",
    operation_id="post_explain",
    responses=json_responses(ExplainedQuery, POSTING),
    openapi_extra=body(Query, QUERIES),
)
async def post_explain(
    request: Request,
    serving: ServingDep,
    caller: QueryCaller,
    media: JsonMedia,
    question: PostedQueryToExplain,
) -> Response:
    """Give the SQL of a query without running it."""

    def work() -> Content:
        explained = serving.service.explain(
            caller.tenant, question, may_see_personal=caller.may_see_personal
        )
        return Content(explained.data_version, asdict(explained))

    asking = asked(request, caller, "explain", media, question)
    return await reply(asking, serving.queries, serving.service.version, work)


async def _query(
    request: Request, serving: Serving, caller: Caller, media: str, question: Query
) -> Response:
    return await reply(
        asked(request, caller, "query", media, question),
        serving.queries,
        serving.service.version,
        lambda: answer_content(
            serving.service.query(caller.tenant, question, may_see_personal=caller.may_see_personal)
        ),
    )


async def _values(
    request: Request, serving: Serving, caller: Caller, media: str, question: ValueSearch
) -> Response:
    return await reply(
        asked(request, caller, "values", media, question),
        serving.queries,
        serving.service.version,
        lambda: answer_content(
            serving.service.values(
                caller.tenant, question, may_see_personal=caller.may_see_personal
            )
        ),
    )
