"""A real server on a real port, over marts that were really published."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import TextIO

import httpx
import pytest

from martlet.access.rates import RateSettings
from martlet.api.app import create_app
from martlet.api.settings import ServingSettings
from martlet.settings import Settings
from tests.api.published import OWN, Installation, install
from tests.serving import served

UNHINDERED = RateSettings("1000000/minute", "1000000/minute", "1000000/minute")
Ask = Callable[..., httpx.Response]


@contextmanager
def running(
    settings: Settings, serving: ServingSettings | None = None, log_to: TextIO | None = None
) -> Iterator[str]:
    """Serve an application in a thread; give its address."""
    with served(create_app(settings, serving, log_to=log_to or StringIO())) as url:
        yield url


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
def address(installation: Installation) -> Iterator[str]:
    with running(installation.settings, ServingSettings(rates=UNHINDERED)) as url:
        yield url


@pytest.fixture(scope="session")
def key(installation: Installation) -> str:
    return installation.key(OWN, "query", "observability")


@pytest.fixture
def ask(address: str, key: str) -> Iterator[Ask]:
    """Give a function that sends one request of the own tenant's key."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{address}/v1/{OWN}", headers=headers, timeout=30) as client:
        yield client.request


@pytest.fixture
def stranger(address: str) -> Iterator[httpx.Client]:
    """Give a client without a key."""
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client
