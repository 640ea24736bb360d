"""While versions are swapped and pruned, every answer is of one whole version of its tenant."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from martlet.marts.store import MartStore, StoreSettings
from martlet.marts.versions import VersionFolder
from tests.unit.test_mart_store import write_mart

TENANTS = ("acme", "beta", "gamma")
SWAPS = 50
THREADS = 8
ROWS = 2_000  # and one more with each version

Answers = list[tuple[str, str, str, str, str, str, int]]


def test_answers_are_whole_while_versions_are_swapped_and_pruned(tmp_path: Path) -> None:
    folders = {tenant: VersionFolder(tmp_path / tenant) for tenant in TENANTS}
    for tenant, folder in folders.items():
        for number in range(SWAPS + 1):
            version = version_name(number)
            write_mart(folder.draft_path(version), tenant, version, ROWS + number)
        publish(folder, 0)
    # Two may be open and three are asked for, so that engines open and close as well.
    store = MartStore(tmp_path, StoreSettings(threads=1, max_open=2))
    is_over = threading.Event()
    answered = threading.Semaphore(0)

    with ThreadPoolExecutor(THREADS) as pool:
        asking = [pool.submit(ask, store, number, answered, is_over) for number in range(THREADS)]
        for number in range(1, SWAPS + 1):
            for folder in folders.values():
                publish(folder, number)
            for _ in range(THREADS):
                answered.acquire(timeout=1)  # none comes if a thread has failed
        is_over.set()
        answers = [answer for each in asking for answer in each.result()]

    for tenant, version, *seen in answers:
        assert seen == [tenant, tenant, version, version, ROWS + int(version[-3:])]
    assert len({(tenant, version) for tenant, version, *_ in answers}) > SWAPS
    assert all(len(folder.versions()) == 1 for folder in folders.values())


def ask(
    store: MartStore, start: int, answered: threading.Semaphore, is_over: threading.Event
) -> Answers:
    """Ask one tenant after the other; return what was opened, and what its rows say of it."""
    answers: Answers = []
    for turn in count(start):
        if is_over.is_set():
            break
        tenant = TENANTS[turn % len(TENANTS)]
        with store.open(tenant) as mart:
            facts = f'"{mart.catalog}".main.facts'
            table = mart.fetch_arrow(
                f"select * from {facts} order by text", {}, seconds=30, max_bytes=10**7
            )
            (seen,) = mart.fetch_rows(
                f"select min(tenant), max(tenant), min(version), max(version), count(*) from {facts}",
                {},
                30,
            )
            assert table.num_rows == seen[-1]
            assert set(table["version"].to_pylist()) == {mart.version}
            assert mart.info.version == mart.version
            answers.append((tenant, mart.version, *seen))
            answered.release()
    return answers


def version_name(number: int) -> str:
    return f"v20250101T{number:012d}"


def publish(folder: VersionFolder, number: int) -> None:
    version = version_name(number)
    with folder.lock():
        folder.promote(folder.draft_path(version), version)
        folder.swap(version)
        folder.prune(keep=1)
