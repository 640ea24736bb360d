"""A real server on a real port, over marts that were really published."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import TextIO

import httpx
import pytest

from martlet.access.rates import RateSettings
from martlet.api.app import create_app
from martlet.api.server import address_of, listening_socket, server_of
from martlet.api.settings import ServingSettings
from martlet.settings import Settings
from tests.api.published import OWN, Installation, install

UNHINDERED = RateSettings("1000000/minute", "1000000/minute", "1000000/minute")
Ask = Callable[..., httpx.Response]


@contextmanager
def running(
    settings: Settings, serving: ServingSettings | None = None, log_to: TextIO | None = None
) -> Iterator[str]:
    """Serve an application in a thread; give its address."""
    listening = listening_socket("127.0.0.1", 0)
    server = server_of(
        create_app(settings, serving, log_to=log_to or StringIO()), shutdown_seconds=5
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield address_of(listening)
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        assert not thread.is_alive()


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
