"""Which problem each error is, and the handlers that make it one."""

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from martlet.access.errors import AccessDeniedError, ControlFileError, Reason
from martlet.api.json_input import MalformedJsonError, NumberOutOfRangeError
from martlet.api.negotiation import NotAcceptableError
from martlet.api.problems import KINDS, FieldError, ProblemError, problem_response
from martlet.errors import MartletError
from martlet.marts.errors import (
    MartAnswerTooLargeError,
    MartDamagedError,
    MartTimeoutError,
    NothingPublishedError,
    StoreUnreachableError,
    VersionGoneError,
)
from martlet.semantic.errors import (
    AnswerTooLargeError,
    MartUnavailableError,
    QueryRefusedError,
    QueryTimeoutError,
    TenantNotFoundError,
    TooBusyError,
)

_CREDENTIALS: dict[Reason, str] = {
    "no_credentials": "send a key in the header `Authorization: Bearer KEY`",
    "unknown_key": "the key is not known",
    "expired_key": "the key has expired",
    "revoked_key": "the key was revoked",
    "tokens_not_configured": "the key is not known",
    "invalid_token": "the token is not valid",
    "expired_token": "the token has expired",
    "token_not_yet_valid": "the token is not valid yet",
    "no_tenant_in_token": "the token names no tenant",
}


def problem_of(error: MartletError) -> ProblemError | None:
    """Return the problem that an error is to its caller; None where it is our own failure."""
    for kind, as_problem in _PROBLEMS.items():
        if isinstance(error, kind):
            return as_problem(error)
    return None


def no_such_tenant() -> ProblemError:
    """Return the one answer for tenants that are unknown, foreign, or have nothing published."""
    return ProblemError("tenant_not_found", "there is no such tenant, or nothing is published")


def rate_limited(seconds: int) -> ProblemError:
    """Return the answer for a caller who asks too often."""
    return ProblemError(
        "rate_limited", f"ask again in {seconds} s", headers={"Retry-After": str(seconds)}
    )


def _credentials(error: AccessDeniedError) -> ProblemError:
    if error.reason == "issuer_unavailable":
        return _unavailable("the issuer's keys cannot be fetched now", error.reason)
    challenge = 'Bearer realm="martlet"'
    if error.reason != "no_credentials":
        challenge += ', error="invalid_token"'
    return ProblemError(
        "unauthorized",
        _CREDENTIALS[error.reason],
        headers={"WWW-Authenticate": challenge},
        reason=error.reason,
    )


def _unavailable(detail: str, reason: str | None = None) -> ProblemError:
    return ProblemError("access_unavailable", detail, headers={"Retry-After": "5"}, reason=reason)


def _refused(error: QueryRefusedError) -> ProblemError:
    detail = f"{error.what}; {error.remedy}" if error.remedy else error.what
    errors = [FieldError(error.field, error.what)] if error.field else []
    return ProblemError(error.code if error.code in KINDS else "invalid_query", detail, errors)


def _unreadable(_: MartletError) -> ProblemError:
    return ProblemError(
        "mart_unavailable",
        "the published data of this tenant cannot be read now",
        headers={"Retry-After": "30"},
    )


def _overdue(_: MartletError) -> ProblemError:
    return ProblemError("query_timeout", "the query was interrupted; ask for less at once")


def _oversized(_: MartletError) -> ProblemError:
    return ProblemError(
        "answer_too_large",
        "one answer may not be this large; ask for fewer rows or fields, or page with a limit",
    )


def _busy(error: TooBusyError) -> ProblemError:
    return ProblemError(
        "too_busy", error.what, headers={"Retry-After": str(error.retry_after_seconds)}
    )


# Details that are written here do not repeat the error's own text, which may be for operators.
_PROBLEMS: dict[type[MartletError], Callable[..., ProblemError]] = {
    AccessDeniedError: _credentials,
    ControlFileError: lambda _: _unavailable("keys cannot be checked now"),
    MalformedJsonError: lambda error: ProblemError("malformed_json", error.what),
    NumberOutOfRangeError: lambda error: ProblemError("invalid_query", error.what),
    NotAcceptableError: lambda error: ProblemError("not_acceptable", error.what),
    TenantNotFoundError: lambda _: no_such_tenant(),
    NothingPublishedError: lambda _: no_such_tenant(),
    MartUnavailableError: _unreadable,
    MartDamagedError: _unreadable,
    StoreUnreachableError: _unreadable,
    QueryTimeoutError: _overdue,
    MartTimeoutError: _overdue,
    AnswerTooLargeError: _oversized,
    MartAnswerTooLargeError: _oversized,
    VersionGoneError: lambda _: ProblemError(
        "cursor_expired", "the version that the cursor goes through is no longer kept; begin anew"
    ),
    TooBusyError: _busy,
    QueryRefusedError: _refused,
}


def register_handlers(app: FastAPI) -> None:
    """Let every error of the application end as a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(MartletError, _on_our_error)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    # FastAPI's own place for it answers and raises again, which closes the connection under the
    # caller's next request.
    app.add_middleware(ExceptionMiddleware, handlers={Exception: _on_failure})


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_response(request, error)


async def _on_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MartletError)
    problem = problem_of(error)
    if problem is None:
        return await _on_failure(request, error)
    if KINDS[problem.code].status == 503:
        _tell(request, "unavailable", error)
    return problem_response(request, problem)


async def _on_failure(request: Request, error: Exception) -> Response:
    _tell(request, "failed", error)
    said = "the request failed; the log has it under its request_id"
    return problem_response(request, ProblemError("internal_error", said))


def _tell(request: Request, what: str, error: Exception) -> None:
    request.app.state.serving.log.error(what, request_id=request.state.request_id, exc_info=error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        allowed = _methods(request) | set((error.headers or {}).get("Allow", "").split(", "))
        stated = ", ".join(sorted(allowed - {""}))
        problem = ProblemError(
            "method_not_allowed", f"this address takes {stated}", headers={"Allow": stated}
        )
    elif error.status_code == 404:
        problem = ProblemError("not_found", "see /openapi.json for what there is")
    else:
        problem = ProblemError("malformed_request", "the request cannot be read")
    return problem_response(request, problem)


def _methods(request: Request) -> set[str]:
    """Return all methods of the matched address: a router knows those of one route only."""
    path = getattr(request.scope.get("route"), "path", None)
    methods = {name.upper() for name in request.app.openapi()["paths"].get(path, {})}
    return methods | ({"HEAD"} if "GET" in methods else set())


async def _on_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        FieldError(".".join(str(part) for part in found["loc"][1:]), found["msg"])
        for found in error.errors()
    ]
    return problem_response(
        request, ProblemError("invalid_query", "a parameter cannot be used", errors)
    )


async def _on_disconnect(_: Request, __: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it; the log has it
