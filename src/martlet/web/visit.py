"""One request for a page: who is signed in, for which tenant, and how the page is answered."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from jinja2 import Environment
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from martlet.access.errors import ControlFileError
from martlet.access.sessions import Session, SessionStore
from martlet.api.refusals import rate_limited
from martlet.api.serving import Serving
from martlet.web.assets import Assets
from martlet.web.problems import PageError, no_such_page, page_error

COOKIE = "martlet_session"
FORM_COOKIE = "martlet_form"
SCHEME_COOKIE = "martlet_color_scheme"
SIGN_IN = "/ui/sign-in"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    # With less, browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # After signing out, the back button shows nothing.
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Pages:
    """What all pages share."""

    serving: Serving
    sessions: SessionStore
    assets: Assets
    templates: Environment
    begin_warming: Callable[[], None]


@dataclass(frozen=True)
class Visit:
    """One request. `tenant` is one that the session may reach, or None where a page has none."""

    request: Request
    pages: Pages
    session: Session | None = None
    tenant: str | None = None
    page: str = ""

    @property
    def serving(self) -> Serving:
        return self.pages.serving

    @property
    def slug(self) -> str:
        """Return the tenant of a page that has one."""
        assert self.tenant is not None
        return self.tenant

    @property
    def may_see_personal(self) -> bool:
        return self.session is not None and self.session.principal.may("pii")

    @property
    def is_secure(self) -> bool:
        return self.request.url.scheme == "https"

    def _form_token(self, nonce: str) -> str:
        try:
            return self.pages.sessions.form_token(nonce)
        except ControlFileError:  # the page says so; its forms will not work either
            return ""

    def may(self, scope: str) -> bool:
        return self.session is not None and self.session.principal.may(scope)

    def show(
        self,
        template: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """Return a page; one without a session gets the cookie that its forms are checked with."""
        nonce = self.request.cookies.get(FORM_COOKIE, "")
        is_new = self.session is None and not (20 < len(nonce) < 65 and nonce.isascii())
        if is_new:
            nonce = secrets.token_urlsafe(24)
        token = self.session.form_token if self.session else self._form_token(nonce)
        scheme = self.request.cookies.get(SCHEME_COOKIE, "")
        page = self.pages.templates.get_template(template).render(
            visit=self,
            form_token=token,
            scheme=scheme if scheme in ("light", "dark") else "",
            asset=self.pages.assets.address,
            here=here(self.request),
            **context,
        )
        response = HTMLResponse(page, status, {**HEADERS, **(headers or {})})
        if is_new:
            set_cookie(response, FORM_COOKIE, nonce, is_secure=self.is_secure)
        return response


def here(request: Request) -> str:
    """Return the path and query of a request, to come back to."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"


def set_cookie(
    response: Response, name: str, value: str, *, is_secure: bool, seconds: int | None = None
) -> None:
    """Set a cookie that scripts cannot read and other sites cannot send with a form."""
    response.set_cookie(
        name,
        value,
        path="/",
        httponly=name != SCHEME_COOKIE,
        samesite="lax",
        secure=is_secure,
        max_age=seconds,
    )


Work = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


def pages_of(request: Request) -> Pages:
    """Return what all pages share."""
    pages: Pages = request.app.state.pages
    return pages


async def enter(request: Request) -> Visit:
    """Return the visit with its session, if there is a live one."""
    pages = pages_of(request)
    cookie = request.cookies.get(COOKIE)
    session = await run_in_threadpool(pages.sessions.read, cookie) if cookie else None
    if session:
        request.state.caller = session.principal.caller
    return Visit(request, pages, session)


def page(
    work: Work,
    *,
    name: str,
    scope: Literal["query", "observability", "admin"],
) -> Endpoint:
    """Return the endpoint of a page for who is signed in and has the scope.

    `work` runs in the threads that the API has for such questions, and is refused as it would be.
    """

    async def endpoint(request: Request) -> Response:
        visit = await enter(request)
        if visit.session is None:
            return ask_to_sign_in(request)
        tenant = request.path_params.get("tenant")
        principal = visit.session.principal
        # Before the scope: whether a foreign tenant exists is nobody's business.
        if tenant is not None and not principal.may_reach(tenant):
            raise no_such_page()
        if not principal.may(scope):
            raise _lacking(scope)
        seconds = visit.serving.rates.admit(principal)
        if seconds is not None:
            raise page_error(rate_limited(seconds))
        if tenant is not None:
            request.state.tenant = tenant
        entered = Visit(request, visit.pages, visit.session, tenant, name)
        pool = visit.serving.queries if scope == "query" else visit.serving.observability
        return await pool.run(lambda: work(entered))

    return endpoint


def ask_to_sign_in(request: Request) -> Response:
    """Send a browser to the sign-in, and back here afterwards."""
    target = f"{SIGN_IN}?next={quote(here(request), safe='')}"
    if COOKIE in request.cookies:
        target += "&ended=1"
    if request.headers.get("hx-request"):
        return Response(status_code=204, headers={**HEADERS, "HX-Redirect": target})
    return Response(status_code=303, headers={**HEADERS, "Location": target})


def _lacking(scope: str) -> PageError:
    if scope == "admin":  # for others there is no such page
        return no_such_page()
    needed = "ask for numbers" if scope == "query" else "see how the data came to be"
    return PageError(
        403,
        "Your key does not open this page",
        f"It may not {needed}: that needs the scope {scope}. Whoever runs Martlet can make you"
        " a key that has it.",
        code="scope_missing",
    )
