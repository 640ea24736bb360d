"""Every error as `application/problem+json` (RFC 9457): a stable code, and nothing internal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of problem; the code is a promise to callers, the title may be reworded."""

    code: str
    status: int
    title: str


_KINDS = (
    Kind("malformed_json", 400, "The JSON cannot be read"),
    Kind("malformed_request", 400, "The request is no HTTP that can be read"),
    Kind("unauthorized", 401, "A valid key is needed"),
    Kind("scope_missing", 403, "The key lacks a scope"),
    Kind("personal_field", 403, "Personal data needs the scope pii"),
    Kind("origin_refused", 403, "Pages of this origin may not ask"),
    Kind("not_found", 404, "There is nothing at this address"),
    Kind("tenant_not_found", 404, "There is no such tenant"),
    Kind("unknown_model", 404, "There is no such model"),
    Kind("method_not_allowed", 405, "The address does not know this method"),
    Kind("not_acceptable", 406, "No accepted media type can be given"),
    Kind("cursor_expired", 410, "The cursor's version is no longer kept"),
    Kind("body_too_large", 413, "The body is too large"),
    Kind("unsupported_media_type", 415, "The body must be application/json"),
    Kind("host_not_served", 421, "The server does not go by this name"),
    Kind("invalid_query", 422, "The question cannot be answered as it stands"),
    Kind("unknown_field", 422, "There is no such field"),
    Kind("currency_conversion_needed", 422, "Money of several currencies needs convert_to"),
    Kind("exchange_rate_missing", 422, "An exchange rate is missing"),
    Kind("answer_too_large", 422, "The answer is too large"),
    Kind("rate_limited", 429, "Too many requests"),
    Kind("too_busy", 429, "All places for queries are taken"),
    Kind("internal_error", 500, "Something went wrong on our side"),
    Kind("not_ready", 503, "The server cannot answer yet"),
    Kind("mart_unavailable", 503, "The tenant's data cannot be read now"),
    Kind("access_unavailable", 503, "Keys cannot be checked now"),
    Kind("query_timeout", 504, "The query took too long"),
)
KINDS: Mapping[str, Kind] = {kind.code: kind for kind in _KINDS}


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the question; `value` only where it is short and plain."""

    field: str
    message: str
    value: str | int | float | bool | None = None

    def as_document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"field": self.field, "message": self.message}
        if self.value is not None:
            document["value"] = self.value
        return document


@dataclass
class ProblemError(Exception):
    """Ends a request with a problem; `detail` is read by the caller, so it holds no internals.

    `reason` is a stable word where one code has several.
    """

    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None

    def __post_init__(self) -> None:
        super().__init__(self.code)


def problem_document(
    code: str,
    detail: str,
    request_id: str,
    errors: Sequence[FieldError] = (),
    reason: str | None = None,
) -> bytes:
    """Return the body of a problem."""
    kind = KINDS[code]
    document: dict[str, Any] = {
        "type": f"urn:martlet:problem:{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    if reason:
        document["reason"] = reason
    if errors:
        document["errors"] = [error.as_document() for error in errors]
    return orjson.dumps(document)


def problem_response(request: Request, problem: ProblemError) -> Response:
    """Return the response for a problem; it is never stored by a cache."""
    headers = {"Cache-Control": "no-store", **problem.headers}
    request.state.problem_code = problem.code
    return Response(
        problem_document(
            problem.code,
            problem.detail,
            request.state.request_id,
            problem.errors,
            problem.reason,
        ),
        KINDS[problem.code].status,
        headers,
        MEDIA_TYPE,
    )
