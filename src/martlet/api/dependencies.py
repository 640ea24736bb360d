"""What routes ask for: who calls, in which form, and what the question is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Security
from fastapi.security import HTTPBearer
from starlette.requests import Request

from martlet.access.authentication import bearer_of
from martlet.access.errors import AccessDeniedError
from martlet.access.principal import Principal
from martlet.api.bodies import json_body
from martlet.api.examples import QUERIES, TENANT, VALUE_SEARCHES
from martlet.api.json_input import read_json
from martlet.api.negotiation import JSON, TABULAR, preferred
from martlet.api.openapi import in_query
from martlet.api.problems import FieldError, ProblemError
from martlet.api.questions import Question, read_question
from martlet.api.refusals import no_such_tenant, rate_limited
from martlet.api.serving import Serving
from martlet.errors import nearest
from martlet.semantic import requests as asked

TenantSlug = Annotated[
    str,
    Path(
        description="The slug of the tenant that the key belongs to.",
        openapi_examples={"demo": {"value": TENANT}},
    ),
]
# Only declares the scheme: `bearer_of` reads the header, so that every failure is told alike.
_scheme = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key from `martlet keys create TENANT`, or a token of the configured issuer.",
)


@dataclass(frozen=True)
class Caller:
    """Who asks for which tenant, after all checks."""

    principal: Principal
    tenant: str
    may_see_personal: bool


def serving_of(request: Request) -> Serving:
    """Return what the application holds."""
    serving: Serving = request.app.state.serving
    return serving


ServingDep = Annotated[Serving, Depends(serving_of)]


async def authenticated(
    request: Request,
    serving: ServingDep,
    _: Annotated[Any, Security(_scheme)],
) -> Principal:
    """Return who calls; raises `AccessDeniedError`, `ProblemError` for who asks too often."""
    try:
        principal = await serving.principal(bearer_of(request.headers.get("authorization")))
    except AccessDeniedError as error:
        if error.reason not in {"no_credentials", "issuer_unavailable"}:
            seconds = serving.rates.failed(request.client.host if request.client else "")
            if seconds is not None:
                raise rate_limited(seconds) from None
        raise
    request.state.caller = principal.caller
    seconds = serving.rates.admit(principal)
    if seconds is not None:
        raise rate_limited(seconds)
    return principal


def _needs(scope: str) -> Callable[..., Awaitable[Caller]]:
    async def caller(
        request: Request,
        tenant: TenantSlug,
        principal: Annotated[Principal, Depends(authenticated)],
    ) -> Caller:
        # Before the scope: whether a foreign tenant exists is nobody's business.
        if not principal.may_reach(tenant):
            raise no_such_tenant()
        if not principal.may(scope):
            raise ProblemError("scope_missing", f"the key needs the scope {scope!r}")
        request.state.tenant = tenant
        return Caller(principal, tenant, may_see_personal=principal.may("pii"))

    return caller


QueryCaller = Annotated[Caller, Depends(_needs("query"))]
ObservabilityCaller = Annotated[Caller, Depends(_needs("observability"))]


def _json_only(request: Request) -> str:
    return preferred(request.headers.get("accept"), (JSON,))


def _tabular(request: Request) -> str:
    return preferred(request.headers.get("accept"), TABULAR)


JsonMedia = Annotated[str, Depends(_json_only)]
TabularMedia = Annotated[str, Depends(_tabular)]


def posted(model: type[Question], media: Callable[..., Any]) -> Callable[..., Awaitable[Question]]:
    """Return the dependency that reads a question from the body, once the rest is in order."""

    async def question(
        request: Request,
        serving: ServingDep,
        _caller: QueryCaller,
        _media: Annotated[str, Depends(media)],
    ) -> Question:
        only_parameters(request)
        return read_question(model, await json_body(request, serving.limits.max_body_bytes))

    return question


def in_address(
    model: type[Question], media: Callable[..., Any], examples: dict[str, dict[str, Any]]
) -> Callable[..., Awaitable[Question]]:
    """Return the dependency that reads the same question from the parameter `query`."""
    shown: Any = in_query(examples)

    async def question(
        request: Request,
        _caller: QueryCaller,
        _media: Annotated[str, Depends(media)],
        query: Annotated[
            str | None,
            Query(
                description=f"The JSON that a POST has as its body: {model.__name__}.",
                openapi_examples=shown,
            ),
        ] = None,
    ) -> Question:
        only_parameters(request, "query")
        if query is None:
            missing = FieldError("query", "is required")
            raise ProblemError("invalid_query", "the parameter query is required", [missing])
        return read_question(model, read_json(query.encode("utf-8", "surrogatepass")))

    return question


def only_parameters(request: Request, *known: str) -> None:
    """Refuse a parameter that the address does not have, or has twice: it would mean nothing."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known:
            said = f"there is no such parameter; {nearest(name, known)}"
            raise ProblemError("invalid_query", said, [FieldError(name[:100], said)])
        if names.count(name) > 1:
            said = "the parameter is given more than once"
            raise ProblemError("invalid_query", f"{name}: {said}", [FieldError(name, said)])


PostedQuery = Annotated[asked.Query, Depends(posted(asked.Query, _tabular))]
QueryInAddress = Annotated[asked.Query, Depends(in_address(asked.Query, _tabular, QUERIES))]
PostedComparison = Annotated[asked.Comparison, Depends(posted(asked.Comparison, _tabular))]
PostedValueSearch = Annotated[asked.ValueSearch, Depends(posted(asked.ValueSearch, _tabular))]
ValueSearchInAddress = Annotated[
    asked.ValueSearch, Depends(in_address(asked.ValueSearch, _tabular, VALUE_SEARCHES))
]
PostedQueryToExplain = Annotated[asked.Query, Depends(posted(asked.Query, _json_only))]
