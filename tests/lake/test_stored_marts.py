"""Marts in an object store: published by one machine, served whole by many, whatever breaks."""

import errno
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import obstore
import pytest
from bench.servers.object_store import BUCKET, KEY, SECRET, Store
from bench.servers.postgres import Server

from martlet.access.keys import KeyStore
from martlet.engines.duckdb_engine import connect
from martlet.marts.copies import trim
from martlet.marts.errors import PublishedMeanwhileError, StoreUnreachableError
from martlet.marts.folders import (
    list_versions,
    mart_folder,
    operations_folder,
    published_slugs,
    rollback,
)
from martlet.marts.operations import publish_operations
from martlet.marts.store import MartStore
from martlet.marts.versions import OPERATORS
from martlet.settings import ObjectStore, Settings, StoredMarts
from tests.api.published import OTHER, OWN, Installation, install
from tests.lake.stored import SPEND, Cluster, Node, new_cluster
from tests.project import REPOSITORY

CHECK_SECONDS = 0.2  # of the machines here


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, store: Store, postgres: Server) -> Cluster:
    keywords = postgres.make_database("control_of_a_cluster")
    return new_cluster(tmp_path_factory.mktemp("cluster"), store, keywords, "cluster")


def wait_for(node: Node, version: str) -> None:
    deadline = time.monotonic() + 30
    while node.spend()[0] != version:
        assert time.monotonic() < deadline, f"{node.spend()[0]} is served, not {version}"
        time.sleep(0.05)


def test_servers_with_empty_homes_answer_alike_and_follow(cluster: Cluster) -> None:
    first = cluster.publish(1)
    with cluster.node() as here, cluster.node() as there:
        assert here.spend() == there.spend()
        assert here.spend()[0] == first
        assert here.get("/readyz").json() == {"status": "ok", "warnings": []}

        second = cluster.publish(2)
        for node in (here, there):
            wait_for(node, second)
        assert here.spend() == there.spend()

        rollback(mart_folder(cluster.settings(), OWN))
        for node in (here, there):
            wait_for(node, first)
        assert cluster.machine.publish(OWN) == first, "what was rolled back stays so"
        assert here.metric("martlet_store_fetched_total") == 2, "what was here is fetched once"
        assert here.metric("martlet_store_reachable") == 1


def test_a_page_goes_on_at_a_server_that_has_not_seen_its_version(cluster: Cluster) -> None:
    question = {**SPEND, "limit": 1}
    slow = cluster.settings(check_seconds=3600)
    with cluster.node() as here, cluster.node(slow) as there:
        there.spend()
        version = cluster.publish(3)
        wait_for(here, version)
        time.sleep(1.0)  # it asks the store once a second for what it does not know

        cursor = here.ask(question).json()["next_cursor"]
        page = there.ask({**question, "cursor": cursor})

    assert page.status_code == 200, page.text
    assert page.json()["data_version"] == version


def test_a_key_opens_and_closes_every_server_at_its_next_request(cluster: Cluster) -> None:
    with cluster.node() as here, cluster.node() as there:
        assert {here.ask().status_code, there.ask().status_code} == {200}
        with KeyStore(cluster.settings().control) as keys:
            keys.revoke(here.key.split("_")[1])
            keys.revoke(there.key.split("_")[1])

        assert {here.ask().status_code, there.ask().status_code} == {401}


def test_snapshots_of_runs_and_the_list_of_versions_come_from_the_store(cluster: Cluster) -> None:
    elsewhere = cluster.settings()
    with cluster.node(elsewhere) as node:
        runs = node.get(f"/v1/{OWN}/observability/runs", authorized=True)
    listed = list_versions(elsewhere, OWN)

    assert runs.status_code == 200, runs.text
    assert len(runs.json()["rows"]) == 25
    assert published_slugs(elsewhere) == sorted([OWN, OTHER])
    assert operations_folder(elsewhere, OWN).current()
    assert [v.version for v in listed] == cluster.mart().versions()
    assert [v.is_current for v in listed].count(True) == 1
    assert all(v.size > 0 and v.rows["orders"] == 90 and not v.is_damaged for v in listed)


def test_another_machine_knows_what_is_published(cluster: Cluster, tmp_path: Path) -> None:
    """So it publishes nothing twice, and has what a hold needs."""
    current = cluster.publish(4)
    same = install(tmp_path, stored_marts=cluster.stored)

    assert same.publish(OWN) != current, "its first warehouse differs"
    version = same.publish(OWN, f"update analytics.fct_{OWN}__ad_performance set spend = 4")
    assert version != current
    assert cluster.publish(4) == version, "the same content, from the other machine"


CHILD = """
import os, sys
from pathlib import Path
from martlet.marts.stored_folder import StoredFolder
from tests.lake.stored import Cluster
from tests.lake.test_stored_marts import continued
StoredFolder.swap = lambda *arguments: os.kill(os.getpid(), 9)
continued(Path(sys.argv[1]), sys.argv[2], sys.argv[3]).publish(99)
"""


def continued(home: Path, endpoint: str, prefix: str) -> Cluster:
    """Return the cluster as a process sees it that was given its places."""
    reached = ObjectStore(endpoint=endpoint, use_tls=False, key_id=KEY, secret=SECRET)
    settings = Settings(
        REPOSITORY,
        home,
        REPOSITORY / "tenants.yaml",
        stored_marts=StoredMarts(BUCKET, prefix, reached),
    )
    return Cluster(Store(home, 0), Installation(settings), home, iter(()))


def test_a_publisher_killed_before_its_swap_changes_nothing(cluster: Cluster) -> None:
    before = cluster.publish(5)
    with cluster.node() as node:
        served = node.spend()
        settings = cluster.machine.settings
        assert settings.stored_marts
        killed = subprocess.run(
            [
                sys.executable,
                "-c",
                CHILD,
                str(settings.home),
                cluster.store.endpoint.removeprefix("http://"),
                settings.stored_marts.prefix,
            ],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}"},
            check=False,
        )
        assert killed.returncode == -9
        left = {*cluster.objects()} - {"current.json"}
        named = cluster.mart().versions()
        assert len(left) == len(named) + 1, "the upload that nobody names"
        assert cluster.mart().current() == before
        time.sleep(CHECK_SECONDS)
        assert node.spend() == served

        after = cluster.publish(6)
        wait_for(node, after)

    left = {*cluster.objects()} - {"current.json"}
    assert {name.partition("-")[0] for name in left} == {*cluster.mart().versions()}


@pytest.mark.parametrize("damage", ["truncated", "other bytes", "gone"])
def test_what_is_not_what_was_published_is_not_served(cluster: Cluster, damage: str) -> None:
    good = cluster.publish(7)
    with cluster.node() as node:
        served = node.spend()
        bad = cluster.publish(8)
        (name,) = [name for name in cluster.objects() if name.startswith(bad)]
        key = f"marts/{OWN}/{name}"
        whole = bytes(obstore.get(cluster.client(), key).bytes())
        if damage == "gone":
            obstore.delete(cluster.client(), key)
        else:
            changed = whole[:-4096] if damage == "truncated" else b"\0" * len(whole)
            obstore.put(cluster.client(), key, changed)
        time.sleep(CHECK_SECONDS)

        assert node.spend() == served
        assert served[0] == good
        assert node.get("/readyz").json()["warnings"] == [
            "the newest version could not be had of the marts of 1 tenants"
        ]
        with cluster.node() as empty:
            assert empty.ask().status_code == 503
        assert not list(node.settings.marts_dir.glob(f"{OWN}/.fetch-*"))

        obstore.put(cluster.client(), key, whole)
        wait_for(node, bad)
        assert node.get("/readyz").json()["warnings"] == []


def test_a_disk_that_is_full_keeps_the_version_that_is_there(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = cluster.publish(12)
    with cluster.node() as node:
        served = node.spend()
        after = cluster.publish(13)
        with monkeypatch.context() as patch:
            patch.setattr("martlet.marts.shelf.os.fsync", full)
            time.sleep(CHECK_SECONDS)
            assert node.spend() == served
        assert served[0] == before
        wait_for(node, after)


def test_while_the_store_is_gone_servers_go_on_and_nothing_is_published(cluster: Cluster) -> None:
    before = cluster.publish(9)
    with cluster.node() as node:
        served = node.spend()
        cluster.store.stop()
        try:
            time.sleep(CHECK_SECONDS)
            assert node.spend() == served
            assert "cannot be reached since" in node.get("/readyz").json()["warnings"][0]
            assert node.metric("martlet_store_reachable") == 0
            with cluster.node() as empty:
                assert empty.ask().status_code == 503
                assert empty.get("/readyz").status_code == 503
            with pytest.raises(StoreUnreachableError):
                cluster.publish(10)
        finally:
            cluster.store.start()
        assert cluster.mart().current() == before
        wait_for(node, cluster.publish(10))
        assert node.get("/readyz").json()["warnings"] == []


def test_the_slower_of_two_publishers_that_share_no_lock_changes_nothing(cluster: Cluster) -> None:
    cluster.publish(11)
    slow, fast = cluster.settings(), cluster.settings()
    here = mart_folder(slow, OWN)
    with here.lock():
        source = here.fetch(here.versions()[0])
        draft = here.draft_path("v20990101T000000000000")
        draft.write_bytes(source.read_bytes())
        here.promote(draft, "v20990101T000000000000")
        there = mart_folder(fast, OWN)
        with there.lock():
            there.remove_leftovers()
        with pytest.raises(PublishedMeanwhileError):
            here.swap("v20990101T000000000000")

    assert "v20990101T000000000000" not in cluster.mart().versions()
    assert all(not name.startswith("v2099") for name in cluster.objects())


def test_machines_that_publish_the_operators_snapshot_at_once_do_not_fail(cluster: Cluster) -> None:
    machines = [cluster.settings() for _ in range(4)]

    def publish(settings: Settings) -> str:
        settings.home.mkdir()
        shutil.copy(cluster.machine.settings.warehouse, settings.warehouse)
        with connect(settings.warehouse) as warehouse:
            return publish_operations(settings, warehouse, [])[OPERATORS]

    with ThreadPoolExecutor(len(machines)) as threads:
        versions = list(threads.map(publish, machines))

    folder = operations_folder(cluster.settings(), OPERATORS)
    assert folder.current() in versions
    assert len(folder.versions()) == 2
    with connect(folder.fetch(folder.current() or ""), read_only=True) as snapshot:
        assert snapshot.execute("select count(*) from runs").fetchall() == [(50,)]


def test_pruned_versions_leave_the_store_and_the_copies(cluster: Cluster) -> None:
    with cluster.node() as node:
        for spend in range(20, 26):
            wait_for(node, cluster.publish(spend))
        versions = cluster.mart().versions()
        copies = {path.stem for path in (node.settings.marts_dir / OWN).glob("v*.duckdb")}

    assert len(versions) == 5
    assert {name.partition("-")[0] for name in cluster.objects()} == {"current.json", *versions}
    assert copies <= {*versions}


def test_copies_beyond_the_bound_go_but_none_that_is_open(cluster: Cluster) -> None:
    settings = cluster.settings(cache_bytes=1)
    store = MartStore(settings.marts_dir, stored=settings.stored_marts)
    with store.open(OWN) as mart:
        with store.open(OTHER):
            pass
        kept = {path.parent.name for path in settings.marts_dir.glob("*/v*.duckdb")}
        assert mart.fetch_rows(f'select 1 from "{mart.catalog}".main.mart_info', {}, 10)
    store.close()
    assert kept == {OWN, OTHER}

    trim(settings.marts_dir, 1)
    assert not list(settings.marts_dir.glob("*/v*.duckdb"))
    with store.open(OWN) as mart:
        assert mart.version == cluster.mart().current(), "fetched again"
    store.close()


def test_a_tenant_that_is_not_published_leaves_nothing_here(cluster: Cluster) -> None:
    settings = cluster.settings()
    with cluster.node(settings) as node:
        stranger = replace(node, key=cluster.machine.key("nobody", "query"))
        answered = stranger.get("/v1/nobody/models", authorized=True)

    assert answered.status_code == 404
    assert not (settings.marts_dir / "nobody").exists()
