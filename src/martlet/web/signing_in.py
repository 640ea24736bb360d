"""Signing in with a key, signing out, and the choice between light and dark."""

import hmac
from dataclasses import replace
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from martlet.access.errors import AccessDeniedError
from martlet.api.refusals import rate_limited
from martlet.web.problems import PageError, page_error
from martlet.web.visit import (
    COOKIE,
    FORM_COOKIE,
    HEADERS,
    SCHEME_COOKIE,
    Visit,
    enter,
    set_cookie,
)

_LONGEST_KEY = 200
_YEAR = 365 * 86_400
_REFUSED = {
    "expired_key": "This key has expired. Ask whoever runs Martlet for a new one.",
    "revoked_key": "This key was revoked. Ask whoever runs Martlet for a new one.",
}
_UNKNOWN = "This key is not known. A key begins with mk_ and has 59 characters."


async def start(request: Request) -> Response:
    """Send who is signed in to the first page they may see, others to the sign-in."""
    visit = await enter(request)
    return _see(_first_page(visit) if visit.session else "/ui/sign-in")


async def sign_in_page(request: Request) -> Response:
    """Show the sign-in; who is signed in goes on."""
    visit = await enter(request)
    if visit.session:
        return _see(_safe_next(request.query_params.get("next")) or _first_page(visit))
    visit.pages.begin_warming()
    ended = "ended" in request.query_params
    return await _show(visit, next_=request.query_params.get("next", ""), has_ended=ended)


async def sign_in(request: Request) -> Response:
    """Exchange a key for a session; its id is new, whatever cookie the browser brought."""
    visit = await enter(request)
    form = await checked_form(visit)
    stated, next_ = str(form.get("key", "")).strip(), str(form.get("next", ""))
    pages = visit.pages
    try:
        if len(stated) > _LONGEST_KEY or not stated.isascii():
            raise AccessDeniedError("unknown_key")
        key = await run_in_threadpool(pages.serving.keys.require, stated)
    except AccessDeniedError as error:
        address = request.client.host if request.client else ""
        seconds = pages.serving.rates.failed(address)
        if seconds is not None:
            raise page_error(rate_limited(seconds)) from None
        return await _show(
            visit, next_=next_, problem=_REFUSED.get(error.reason, _UNKNOWN), status=401
        )
    if old := request.cookies.get(COOKIE):
        await run_in_threadpool(pages.sessions.end, old)
    begun = await run_in_threadpool(pages.sessions.begin, key)
    signed_in = replace(visit, session=begun.session)
    response = _see(_safe_next(next_) or _first_page(signed_in))
    set_cookie(response, COOKIE, begun.cookie, is_secure=visit.is_secure)
    response.delete_cookie(FORM_COOKIE, path="/")
    return response


async def sign_out(request: Request) -> Response:
    """End the session; the sign-in says so."""
    visit = await enter(request)
    if visit.session:
        await checked_form(visit)
        await run_in_threadpool(visit.pages.sessions.end, request.cookies.get(COOKIE))
    response = _see("/ui/sign-in?signed_out=1")
    response.delete_cookie(COOKIE, path="/")
    return response


async def choose_scheme(request: Request) -> Response:
    """Keep the choice of light or dark, and go back to the page."""
    visit = await enter(request)
    form = await checked_form(visit)
    scheme = str(form.get("scheme", ""))
    response = _see(_safe_next(str(form.get("next", ""))) or "/ui")
    if scheme in ("light", "dark"):
        set_cookie(response, SCHEME_COOKIE, scheme, is_secure=visit.is_secure, seconds=_YEAR)
    else:
        response.delete_cookie(SCHEME_COOKIE, path="/")
    return response


async def checked_form(visit: Visit) -> FormData:
    """Return the form of a request that came from one of our pages; raises `PageError`."""
    request = visit.request
    if not _is_from_here(request):
        raise _foreign_form()
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    length = request.headers.get("content-length", "")
    if media != "application/x-www-form-urlencoded" or not length.isdecimal():
        raise PageError(415, "This is no form", "Use the form of the page.")
    if int(length[:9]) > visit.serving.limits.max_body_bytes or len(length) > 9:
        raise PageError(413, "This is too long", "Nothing here is as long as that.")
    form = await request.form(max_fields=20)
    token = str(form.get("form_token", ""))
    if visit.session:
        is_ours = _same(token, visit.session.form_token)
    else:
        nonce = request.cookies.get(FORM_COOKIE)
        is_ours = await run_in_threadpool(visit.pages.sessions.is_form_token, nonce, token)
    if not is_ours:
        raise _foreign_form()
    return form


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _is_from_here(request: Request) -> bool:
    """Say whether the browser says that a page of this host sent the form."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return site == "same-origin"
    return urlsplit(origin).netloc == request.headers.get("host", "")


def _foreign_form() -> PageError:
    return PageError(
        403,
        "This form is out of date",
        "It was open for too long, or came from another site. Go back, load the page anew, and"
        " try again.",
        code="foreign_form",
    )


async def _show(
    visit: Visit, *, next_: str, has_ended: bool = False, problem: str = "", status: int = 200
) -> Response:
    return await run_in_threadpool(
        lambda: visit.show(
            "sign_in.html",
            status=status,
            next=_safe_next(next_) or "",
            has_ended=has_ended,
            has_left="signed_out" in visit.request.query_params,
            problem=problem,
        )
    )


def _first_page(visit: Visit) -> str:
    assert visit.session is not None
    principal = visit.session.principal
    if principal.is_operator:
        return "/ui/all-tenants"
    return f"/ui/{principal.tenant}" + ("" if principal.may("query") else "/pipeline")


def _safe_next(target: str | None) -> str | None:
    """Return a path of our own pages; anything else would lead elsewhere."""
    if not target or not target.startswith("/ui") or len(target) > 8_000:
        return None
    parts = urlsplit(target)
    is_plain = not parts.scheme and not parts.netloc and "\\" not in target
    is_ours = parts.path == "/ui" or parts.path.startswith("/ui/")
    return target if is_plain and is_ours and target.isprintable() else None


def _see(target: str) -> Response:
    return Response(status_code=303, headers={**HEADERS, "Location": target})
