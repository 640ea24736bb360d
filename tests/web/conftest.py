"""One installation and one server for all tests of the pages that change neither."""

from collections.abc import Callable, Iterator

import pytest

from tests.api.published import OWN, Installation, install
from tests.web.served import Visitor, prepare, running

SignedIn = Callable[..., Visitor]


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = install(tmp_path_factory.mktemp("pages"))
    prepare(made)
    return made


@pytest.fixture(scope="session")
def address(installation: Installation) -> Iterator[str]:
    with running(installation.settings) as url:
        yield url


@pytest.fixture
def visitor(address: str) -> Visitor:
    """Give a browser that is not signed in."""
    return Visitor(address)


@pytest.fixture
def signed_in(address: str, installation: Installation) -> SignedIn:
    """Give a function that signs a browser in with a new key."""

    def sign_in(tenant: str = OWN, *scopes: str) -> Visitor:
        visitor = Visitor(address)
        answer = visitor.sign_in(installation.key(tenant, *scopes))
        assert answer.status_code == 303, answer.text
        return visitor

    return sign_in
