"""One server for all tests that change nothing."""

from collections.abc import Iterator

import pytest

from tests.api.published import OWN, Installation, install
from tests.mcp.served import BEFORE, NEWEST, Agent, running


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("installation"))


@pytest.fixture(scope="session")
def address(installation: Installation) -> Iterator[str]:
    with running(installation.settings) as url:
        yield url


@pytest.fixture(scope="session")
def key(installation: Installation) -> str:
    return installation.key(OWN, "query", "observability")


@pytest.fixture(params=[NEWEST, BEFORE])
def agent(request: pytest.FixtureRequest, address: str, key: str) -> Agent:
    """Give an agent of the own tenant, once for each protocol version."""
    return Agent(address, key, request.param)
