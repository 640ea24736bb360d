"""Whatever breaks in mid-run, a run ends cleanly, and the next one makes exactly what was due.

As root, the worker is a host of its own, whose cable is cut; else the servers are stopped.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bench.servers.object_store import BUCKET, SECRET, Store, running_store, why_none_or_program
from bench.servers.postgres import PASSWORD, Server, running_postgres, why_none

from martlet.engines.duckdb_engine import connect
from martlet.errors import MartletError
from martlet.marts.folders import mart_folder
from tests.lake.machines import Host, a_host, machines, orders, start
from tests.project import Project, new_project
from tests.warehouse.state import tenant

pytestmark = pytest.mark.proof

TENANT = "ada"
STANZAS = {TENANT: tenant({"shopify": {"objects": ["orders"]}})}
ORDERS = 150
MOMENTS = "loaded_at, load_id, extracted_at"  # each landing's and push's own


@dataclass
class World:
    """A worker on a lake, its servers, and a file that gets the same deliveries, undisturbed."""

    worker: Project
    other: Project
    undisturbed: Project
    postgres: Server
    store: Store
    host: Host | None
    landed: int = 0
    told: list[str] = field(default_factory=list)

    def land(self) -> None:
        """Land new orders, and the one before them with another price."""
        again = {**orders(max(self.landed - 1, 0), 1)[0], "total_price": "11.00"}
        for project in (self.other, self.undisturbed):
            project.land_records(TENANT, "shopify", "orders", [*orders(self.landed, ORDERS), again])
        self.landed += ORDERS
        self.undisturbed.run()

    def started(self) -> subprocess.Popen[str]:
        prefix = self.host.prefix if self.host else ()
        return start(self.worker, "run", "--json", "--wait", "60", before=prefix)

    def commits(self) -> int:
        import psycopg

        keywords = f"{self.postgres.keywords} dbname=lake"
        with psycopg.connect(keywords, password=PASSWORD) as connection:
            row = connection.execute("select count(*) from warehouse.ducklake_snapshot").fetchone()
        return int(row[0]) if row else 0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    for reason in (why_none(), why_none_or_program()[0]):
        if reason:
            pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("faults")
    with ExitStack() as stack:
        host = stack.enter_context(a_host())
        postgres = stack.enter_context(running_postgres(host.server if host else ""))
        store = stack.enter_context(running_store(host.server if host else "127.0.0.1"))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in {**store.variables, "PGPASSWORD": PASSWORD}.items():
            patch.setenv(name, value)
        keywords = postgres.make_database("lake")
        if host:
            keywords = keywords.replace(f"host={postgres.folder}", f"host={host.server}")
        variables = {
            "MARTLET_TARGET": "ducklake",
            "MARTLET_LAKE_CATALOGUE": f"postgres:{keywords}",
            "MARTLET_LAKE_DATA": f"s3://{BUCKET}/faults",
            "PGPASSWORD": PASSWORD,
            **store.variables,
        }
        worker, other = machines(folder, variables, STANZAS, 2)
        undisturbed = new_project(folder / "undisturbed", {})
        undisturbed.configure(STANZAS)
        made = World(worker, other, undisturbed, postgres, store, host)
        made.land()
        made.worker.run()
        check(made)
        yield made


def rows(project: Project, query: str) -> list[str]:
    return sorted(str(tuple(row.values())) for row in project.query(query))


def contents(project: Project) -> dict[str, list[str]]:
    """Return the master, the facts and the ledger, but for their moments."""
    master = "platform.platform_mm__shopify_api_v1_orders"
    return {
        "master": rows(project, f"select * exclude ({MOMENTS}) from {master}"),
        "facts": rows(project, f"select * from analytics.fct_{TENANT}__orders"),
        "ledger": rows(
            project,
            "select object, rows_landed, rows_pushed, rows_known, rows_quarantined "
            "from ops.platform_ops__push_ledger",
        ),
    }


def published(project: Project) -> list[str]:
    """Return the facts that are published, from the file that the pointer names."""
    folder = mart_folder(project.settings, TENANT)
    version = folder.current()
    assert version is not None
    with connect(folder.path_of(version), read_only=True) as mart:
        found = mart.execute(f"select * from fct_{TENANT}__orders").fetchall()
    return sorted(map(str, found))


def check(world: World) -> None:
    """Assert that nothing tells the worker's lake from the file that nothing happened to."""
    assert contents(world.worker) == contents(world.undisturbed)
    assert published(world.worker) == published(world.undisturbed)


def test_a_worker_that_is_killed_leaves_nothing_half(world: World) -> None:
    """Killed after its first commits, in the middle, and near the end; resumed elsewhere."""
    for commits in (1, 3, 6):
        world.land()
        before, good = world.commits(), published(world.worker)
        process = world.started()
        while world.commits() < before + commits and process.poll() is None:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)  # `ip netns exec` becomes the command
        process.communicate()

        now = published(world.worker)
        assert now in (good, published(world.undisturbed))
        world.other.run()
        assert contents(world.other) == contents(world.undisturbed), commits
        world.worker.run()
        check(world)


def disturbed(world: World, disturb: Callable[[subprocess.Popen[str]], None]) -> dict[str, Any]:
    """Disturb a run once it has committed something; return how it ended, when all is well again."""
    world.land()
    before, good = world.commits(), published(world.worker)
    process = world.started()
    while world.commits() < before + 2 and process.poll() is None:
        time.sleep(0.02)
    disturb(process)
    out, err = process.communicate(timeout=1_200)

    assert process.returncode in (0, 1), err
    assert "Traceback" not in err
    assert PASSWORD not in out + err
    assert SECRET not in out + err
    if process.returncode == 1:
        assert published(world.worker) in (good, published(world.undisturbed))
    again = world.worker.martlet("run", "--json", check=False)
    if again.code == 1:  # the first may meet what its predecessor's break left in the server
        again = world.worker.martlet("run", "--json")
    check(world)
    assert world.worker.martlet("audit").code == 0
    return {"code": process.returncode, "stderr": err}


def test_a_catalogue_that_restarts_in_mid_run_costs_a_run_at_most(world: World) -> None:
    disturbed(world, lambda _: world.postgres.restart())


def test_a_store_that_is_gone_in_mid_run_costs_a_run_at_most(world: World) -> None:
    def stop(process: subprocess.Popen[str]) -> None:
        world.store.stop()
        deadline = time.monotonic() + 90
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        world.store.start()

    disturbed(world, stop)


def cut(world: World) -> None:
    if world.host:
        world.host.cut()
    else:
        world.store.stop()
        world.postgres.control("-m", "immediate", "stop")


def mend(world: World) -> None:
    if world.host:
        world.host.mend()
    else:
        world.postgres.start()
        world.store.start()


def test_a_cable_that_is_pulled_for_seconds_costs_a_run_at_most(world: World) -> None:
    def pull(_: subprocess.Popen[str]) -> None:
        cut(world)
        time.sleep(5)
        mend(world)

    disturbed(world, pull)


def test_a_cable_that_stays_pulled_ends_the_run_within_two_minutes(world: World) -> None:
    def pull(process: subprocess.Popen[str]) -> None:
        cut(world)
        try:
            process.wait(120)
        finally:
            mend(world)

    told = disturbed(world, pull)

    assert told["code"] == 1
    assert told["stderr"]


def test_a_catalogue_that_is_silent_is_a_clean_error(world: World) -> None:
    """What is opened while the cable is out."""
    cut(world)
    try:
        done = start(
            world.worker,
            *("run", "--json", "--wait", "5"),
            before=world.host.prefix if world.host else (),
        )
        _, err = done.communicate(timeout=300)
    finally:
        mend(world)

    assert done.returncode == 1, err
    assert "cannot be reached" in err
    assert MartletError.__name__ not in err
