"""Adds the pages to the application: routes, static files, and what goes wrong as a page."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import structlog
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from martlet.access.errors import ControlFileError
from martlet.access.sessions import SessionStore
from martlet.api.problems import ProblemError
from martlet.api.serving import Serving
from martlet.errors import MartletError
from martlet.web.assets import Assets
from martlet.web.explore import download, explore, suggest
from martlet.web.operator import all_tenants
from martlet.web.overview import overview
from martlet.web.pipeline import one_run, pipeline
from martlet.web.problems import PageError, no_such_page, page_error, page_error_of
from martlet.web.rendering import new_environment
from martlet.web.schemas import schemas
from martlet.web.signing_in import choose_scheme, sign_in, sign_in_page, sign_out, start
from martlet.web.visit import Pages, Visit, enter, page, pages_of
from martlet.web.warming import Warmer

_log = structlog.get_logger("martlet.web")
Endpoint = Callable[[Request], Awaitable[Response]]


def add_pages(app: FastAPI, node_modules: Path) -> None:
    """Serve the pages below `/ui` and their files below `/static`.

    `node_modules` is where the set-up has put htmx and ECharts; without them the pages have no
    charts, and tables in their place.
    """
    serving: Serving = app.state.serving
    pages = Pages(
        serving=serving,
        sessions=SessionStore(serving.settings.control),
        assets=Assets(node_modules),
        templates=new_environment(),
        begin_warming=Warmer(serving).begin,
    )
    inner = Starlette(
        routes=_routes(),
        exception_handlers={
            PageError: _on_page_error,
            ProblemError: _on_problem,
            MartletError: _on_our_error,
            HTTPException: _on_http,
            Exception: _on_failure,
        },
    )
    inner.router.redirect_slashes = False
    inner.state.pages = pages
    files = Starlette(routes=[Route("/{name:path}", pages.assets.serve)])
    app.router.routes += [
        Route("/", _to_pages),
        Route("/ui", _to_start),
        Mount("/ui", inner),
        Mount("/static", files),
    ]


def _routes() -> list[Route]:
    plain: list[tuple[str, Endpoint, str]] = [
        ("/", start, "GET"),
        ("/sign-in", sign_in_page, "GET"),
        ("/sign-in", sign_in, "POST"),
        ("/sign-out", sign_out, "POST"),
        ("/color-scheme", choose_scheme, "POST"),
        ("/all-tenants", page(all_tenants, name="operator", scope="admin"), "GET"),
    ]
    of_tenants: list[tuple[str, Endpoint]] = [
        ("", page(overview, name="overview", scope="query")),
        ("/explore", page(explore, name="explore", scope="query")),
        ("/explore/values", page(suggest, name="explore", scope="query")),
        ("/explore/answer.{kind}", page(download, name="explore", scope="query")),
        ("/pipeline", page(pipeline, name="pipeline", scope="observability")),
        ("/pipeline/runs/{run}", page(one_run, name="pipeline", scope="observability")),
        ("/schemas", page(schemas, name="schemas", scope="observability")),
    ]
    return [
        *(Route(path, _named(path, work), methods=[method]) for path, work, method in plain),
        *(
            Route(f"/{{tenant}}{path}", _named(f"/{{tenant}}{path}", work))
            for path, work in of_tenants
        ),
    ]


def _named(path: str, work: Endpoint) -> Endpoint:
    """Let logs and counts say which page it was, without the tenant in it."""

    async def endpoint(request: Request) -> Response:
        request.scope["route"] = SimpleNamespace(path=f"/ui{path}")
        return await work(request)

    return endpoint


async def _to_pages(_: Request) -> Response:
    return RedirectResponse("/ui", 303)


async def _to_start(_: Request) -> Response:
    return RedirectResponse("/ui/", 303)


async def _on_page_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PageError)
    request.state.problem_code = error.code or None
    try:
        visit = await enter(request)
    except ControlFileError:  # then this is what the page says
        visit = Visit(request, pages_of(request))
    target = request.headers.get("hx-target", "")
    return await run_in_threadpool(
        lambda: visit.show(
            "problem.html",
            status=error.status,
            headers=error.headers,
            problem=error,
            request_id=request.state.request_id,
            in_place=target.endswith("#answer"),
        )
    )


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return await _on_page_error(request, page_error(error))


async def _on_our_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MartletError)
    found = page_error_of(error)
    if found is None or found.status == 503:
        _log.error("page failed", request_id=request.state.request_id, exc_info=error)
    return await _on_page_error(request, found or _failure())


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return await _on_page_error(request, no_such_page())
    return await _on_page_error(
        request,
        PageError(error.status_code, "This does not work here", "Go back and try another way."),
    )


async def _on_failure(request: Request, error: Exception) -> Response:
    _log.error("page failed", request_id=request.state.request_id, exc_info=error)
    return await _on_page_error(request, _failure())


def _failure() -> PageError:
    return PageError(
        500,
        "Something went wrong on our side",
        "The log has it under the number below. Nothing of yours was lost.",
        code="internal_error",
    )
