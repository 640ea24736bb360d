"""Builds the HTTP application: `create_app` is all that a server or a test needs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, TextIO

from fastapi import FastAPI
from starlette.types import ASGIApp

from martlet.api import routes_health, routes_models, routes_observability, routes_query
from martlet.api.observer import Observer
from martlet.api.openapi import describe
from martlet.api.refusals import register_handlers
from martlet.api.serving import Serving
from martlet.api.settings import ServingSettings
from martlet.api.structured_log import new_log
from martlet.api.tracing import telemetry
from martlet.settings import Settings

_DESCRIPTION = """\
Governed answers from one tenant's published star schema.

Every address below `/v1/{tenant}` needs a key of that tenant, as `Authorization: Bearer KEY`. Every
answer names the data version that it comes from. Every error is `application/problem+json`.
"""
_TAGS = [
    {"name": "models", "description": "What can be asked."},
    {"name": "queries", "description": "Asking."},
    {"name": "observability", "description": "How the data came to be; scope `observability`."},
    {"name": "health", "description": "For those who run the server; no key."},
]


class Application(FastAPI):
    """FastAPI with the observer around all of it, so that it also sees failures."""

    serving: Serving

    def build_middleware_stack(self) -> ASGIApp:
        return Observer(super().build_middleware_stack(), self.serving.metrics, self.serving.log)

    def openapi(self) -> dict[str, Any]:
        return describe(self)


def create_app(
    settings: Settings, serving: ServingSettings | None = None, *, log_to: TextIO | None = None
) -> FastAPI:
    """Return the application of one project.

    Further doors add their routers to it and reach the service by `app.state.serving`. The log goes
    to standard error or `log_to`. Raises `ControlFileError` where the file of keys cannot be used,
    `BadInputError` for a bad setting.
    """
    limits = serving or ServingSettings()
    traces, close_traces = telemetry(limits.traces_endpoint)
    held = Serving(settings, limits, new_log(limits.log_level, log_to))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        held.warm_up()
        yield
        held.close()
        close_traces()

    app = Application(
        title="Martlet",
        version=version("martlet"),
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry=traces,
    )
    app.serving = app.state.serving = held
    register_handlers(app)
    for routes in (routes_models, routes_query, routes_observability, routes_health):
        app.include_router(routes.router)
    return app
