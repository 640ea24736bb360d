"""A real server with MCP on a real port, and the SDK's own client in front of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TextIO, TypeVar

import httpx2
import yaml
from mcp.client.streamable_http import streamable_http_client

from martlet.api.app import create_app
from martlet.api.settings import ServingSettings
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.engines.targets import engine_of
from martlet.marts.publish import publish_mart
from martlet.mcp.over_http import add_mcp
from martlet.mcp.settings import McpSettings
from martlet.semantic.definitions import tenant_definitions
from martlet.settings import Settings
from mcp import Client
from tests.api.conftest import UNHINDERED
from tests.api.published import Installation, _create_star_schema
from tests.project import REPOSITORY, settings_at
from tests.serving import served

NEWEST, BEFORE = "2026-07-28", "2025-11-25"
# How the client is told which of the two to speak.
MODES = {NEWEST: "auto", BEFORE: "legacy"}
T = TypeVar("T")


@contextmanager
def running(
    settings: Settings,
    serving: ServingSettings | None = None,
    mcp: McpSettings | None = None,
    log_to: TextIO | None = None,
) -> Iterator[str]:
    """Serve API and MCP in a thread; give the address."""
    limits = serving or ServingSettings(rates=UNHINDERED)
    app = create_app(settings, limits, log_to=log_to or StringIO())
    add_mcp(app, mcp)
    with served(app) as url:
        yield url


@asynccontextmanager
async def client(url: str, key: str, protocol: str = NEWEST) -> AsyncIterator[Client]:
    """Give a connected client."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=MODES[protocol]) as one,
    ):
        assert one.protocol_version == protocol
        yield one


class Agent:
    """Asks one question a connection, so that tests read like a conversation."""

    def __init__(self, url: str, key: str, protocol: str = NEWEST) -> None:
        self.url, self.key, self.protocol = url, key, protocol

    def do(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """Run `work` with a connected client; raises what the server told, out of the groups."""

        async def connected() -> T:
            async with client(self.url, self.key, self.protocol) as one:
                return await work(one)

        try:
            return asyncio.run(connected())
        except BaseExceptionGroup as group:
            raise _leaf(group) from None

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Return what a tool answers; the client has checked it against the tool's schema."""
        result = self.do(lambda one: one.call_tool(tool, arguments))
        assert not result.is_error, result.content
        assert isinstance(result.structured_content, dict)
        return result.structured_content

    def refused(self, tool: str, **arguments: Any) -> str:
        """Return the text with which a tool refuses."""
        result = self.do(lambda one: one.call_tool(tool, arguments))
        assert result.is_error, result.structured_content
        (content,) = result.content
        assert result.meta
        assert content.text.startswith(f"{result.meta['code']}: ")
        return str(content.text)


def _leaf(error: BaseException) -> BaseException:
    return _leaf(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def install_tenants(folder: Path, slugs: list[str]) -> Installation:
    """Publish a small mart for each slug; spend is 1, 2, 3, ... times as high."""
    stanza = {
        "reporting_timezone": "UTC",
        "currency": "USD",
        "sources": {"google_ads": {}, "facebook_ads": {}, "shopify": {}, "google_analytics": {}},
    }
    tenants_file = folder / "tenants.yaml"
    tenants_file.write_text(
        yaml.safe_dump({"tenants": {slug: {"name": slug, **stanza} for slug in slugs}})
    )
    settings = settings_at(REPOSITORY, folder, tenants_file)
    tenants = load_tenants(tenants_file, load_catalogue(settings.catalogue_file))
    engine = engine_of(settings)
    engine.create_warehouse()
    with engine.open_warehouse() as warehouse:
        warehouse.execute("create schema if not exists analytics; create schema if not exists ops")
        for factor, slug in enumerate(slugs, 1):
            _create_star_schema(warehouse, slug)
            warehouse.execute(
                f"update analytics.fct_{slug}__ad_performance set spend = {factor} * (clicks + 1)"
            )
            tenant = tenants.tenant(slug)
            definition: Any = tenant_definitions(warehouse, tenant)
            publish_mart(
                settings, warehouse, tenant, {}, definition=definition, definition_version=1
            )
    return Installation(settings)
