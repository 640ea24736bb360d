"""Machines that publish to one object store, and servers with empty homes that read from it."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import obstore
from bench.servers.object_store import BUCKET, KEY, SECRET, Store
from obstore.store import S3Store

from martlet.api.settings import ServingSettings
from martlet.marts.folders import mart_folder
from martlet.marts.versions import VersionFolder
from martlet.settings import ControlDatabase, ObjectStore, Settings, StoredMarts
from tests.api.conftest import UNHINDERED, running
from tests.api.published import OWN, Installation, install

SPEND = {"model": "ad_performance", "measures": ["spend"], "dimensions": ["source_platform"]}


@dataclass(frozen=True)
class Node:
    """A running server, asked with a key of the tenant."""

    url: str
    settings: Settings
    key: str

    def ask(self, question: dict[str, Any] = SPEND) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.post(f"{self.url}/v1/{OWN}/query", json=question, headers=headers, timeout=30)

    def spend(self) -> tuple[str, list[Any]]:
        """Return the version that answers, and what it says."""
        answered = self.ask()
        assert answered.status_code == 200, answered.text
        document = answered.json()
        return document["data_version"], document["rows"]

    def get(self, path: str, *, authorized: bool = False) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if authorized else {}
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=30)

    def metric(self, name: str, part: str = "marts") -> float:
        (line,) = [
            line
            for line in self.get("/metrics").text.splitlines()
            if line.startswith(f'{name}{{part="{part}"}}')
        ]
        return float(line.split()[-1])


@dataclass(frozen=True)
class Cluster:
    """A store, a database of keys and the machine that publishes."""

    store: Store
    machine: Installation
    folder: Path
    _numbers: Iterator[int]

    @property
    def stored(self) -> StoredMarts:
        assert self.machine.settings.stored_marts
        return self.machine.settings.stored_marts

    def settings(self, **places: Any) -> Settings:
        """Return the settings of another machine with an empty home."""
        home = self.folder / f"home_{next(self._numbers)}"
        stored = replace(self.stored, **places)
        return replace(self.machine.settings, home=home, stored_marts=stored)

    @contextmanager
    def node(self, settings: Settings | None = None) -> Iterator[Node]:
        own = settings or self.settings()
        with running(own, ServingSettings(rates=UNHINDERED)) as url:
            yield Node(url, own, self.machine.key())

    def publish(self, spend: float) -> str:
        """Publish a version in which each row has that spend."""
        change = f"update analytics.fct_{OWN}__ad_performance set spend = {spend}"
        version = self.machine.publish(OWN, change)
        assert version
        return version

    def mart(self) -> VersionFolder:
        return mart_folder(self.machine.settings, OWN)

    def client(self) -> S3Store:
        return S3Store(
            BUCKET,
            prefix=self.stored.prefix,
            endpoint=self.store.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def objects(self) -> dict[str, int]:
        """Return the sizes of what lies in the store of the tenant's marts, by name."""
        listed = obstore.list(self.client(), prefix=f"marts/{OWN}/")
        return {o["path"].rsplit("/", 1)[-1]: o["size"] for batch in listed for o in batch}


def new_cluster(folder: Path, store: Store, keywords: str | None, prefix: str) -> Cluster:
    """Publish both demo tenants into an empty prefix of the store."""
    reached = ObjectStore(
        endpoint=store.endpoint.removeprefix("http://"), use_tls=False, key_id=KEY, secret=SECRET
    )
    places: dict[str, Any] = {"stored_marts": StoredMarts(BUCKET, prefix, reached, 0.2)}
    if keywords:
        places["control_database"] = ControlDatabase(keywords)
    return Cluster(store, install(folder / "publisher", **places), folder, itertools.count())
