"""Lakes for tests: each with a catalogue of its own in one PostgreSQL.

With MARTLET_TEST_TARGET=ducklake, every other test's project has a lake too, with its catalogue in a
file: that serves one process at a time, and costs half.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from bench.servers.object_store import BUCKET, Store, running_store, why_none_or_program
from bench.servers.postgres import PASSWORD, Server, running_postgres, why_none

from tests.project import TARGET

Variables = dict[str, str]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    if reason := why_none():
        pytest.skip(reason)
    with running_postgres() as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", PASSWORD)  # for what a test reads in its own process
        yield server


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    reason, _ = why_none_or_program()
    if reason:
        pytest.skip(reason)
    with running_store() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.variables.items():
            patch.setenv(name, value)
        yield running


@pytest.fixture(scope="session")
def new_stored_lake(new_lake: Callable[[], Variables], store: Store) -> Callable[[], Variables]:
    """Return what gives the variables of another empty lake with its files in the store."""

    def make() -> Variables:
        lake = new_lake()
        prefix = Path(lake["MARTLET_LAKE_DATA"]).parent.name
        return lake | store.variables | {"MARTLET_LAKE_DATA": f"s3://{BUCKET}/{prefix}"}

    return make


@pytest.fixture(scope="session")
def new_lake(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Variables]:
    """Return what gives the variables of another empty lake."""
    numbers = count(1)

    def make() -> Variables:
        name = f"lake_{next(numbers)}"
        folder: Path = tmp_path_factory.mktemp(name)
        return {
            "MARTLET_TARGET": "ducklake",
            "MARTLET_LAKE_CATALOGUE": f"postgres:{postgres.make_database(name)}",
            "MARTLET_LAKE_DATA": str(folder / "files"),
            "PGPASSWORD": PASSWORD,
        }

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip on a lake what says something of the files of the target duckdb."""
    for item in items if TARGET == "ducklake" else ():
        if marker := item.get_closest_marker("files_only"):
            (reason,) = marker.args
            item.add_marker(pytest.mark.skip(reason=f"not of a lake: {reason}"))
