"""Shows a cluster on one machine: a lake, three workers, two servers, and what ran where.

Each worker and each server has a project and a home of its own, as on machines of their own; what
they share lies in PostgreSQL and in an S3-compatible store, both started here from wheels. All of
it is stopped at the end, also after a failure or Ctrl-C. Start it with `make cluster-demo`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
from projects import new_project
from rich.console import Console
from rich.table import Table
from servers.object_store import BUCKET, running_store
from servers.postgres import PASSWORD, running_postgres

SOURCES: dict[str, dict[str, Any]] = {
    "shopify": {},
    "facebook_ads": {"connections": {"main": {"accounts": ["1029384756102938"]}}},
}
TENANTS = ("atlas", "birch", "cedar", "delta")
WORKERS = 3
SERVERS = 2
DAYS = "10"
SCALE = "0.2"
WIDTH = 110  # what the tables need
SECONDS = 600.0  # after which a command is stuck
QUESTION = {"model": "blended", "measures": ["spend", "revenue", "orders"]}
_ADDRESS = re.compile(r"Martlet answers on (\S+)")


@dataclass(frozen=True)
class Machine:
    """A project and a home that nobody shares; commands run in processes of their own."""

    name: str
    folder: Path
    variables: dict[str, str]

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
        return subprocess.Popen(
            [sys.executable, "-m", "martlet", *arguments],
            cwd=self.folder,
            env=inherited | self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@dataclass(frozen=True)
class Work:
    """What a worker has done: each tenant's facts and version, and the seconds of all of it."""

    machine: Machine
    landed: int
    seconds: float
    report: dict[str, Any]


class Processes:
    """The commands that run; none is left behind."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []
        self._is_over = False

    def run(self, machine: Machine, *arguments: str) -> Any:
        """Return the JSON that a command prints; raises `SystemExit` where it fails."""
        process = self.start(machine, *arguments, "--json")
        out, err = process.communicate(timeout=SECONDS)
        if process.returncode:
            words = " ".join(arguments)
            raise SystemExit(
                f"{machine.name}: martlet {words} ended with {process.returncode}\n{err}"
            )
        return json.loads(out)

    def start(self, machine: Machine, *arguments: str) -> "subprocess.Popen[str]":
        if self._is_over:
            raise SystemExit("stopped")
        process = machine.start(*arguments)
        self._running.append(process)
        return process

    def end(self) -> None:
        """End what still runs, and let nothing new begin."""
        self._is_over = True
        for process in self._running:
            process.terminate()
        for process in self._running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main() -> None:
    signal.signal(signal.SIGTERM, _stop)
    console = Console(width=max(Console().width, WIDTH))
    begun = time.monotonic()
    try:
        with ExitStack() as stack:
            _show(console, stack)
    except KeyboardInterrupt:
        raise SystemExit("stopped, and nothing is left running") from None
    except (AssertionError, OSError, httpx.HTTPError, subprocess.SubprocessError) as error:
        raise SystemExit(f"the cluster failed, and nothing is left running: {error}") from error
    console.print(
        f"\nAll of it took {time.monotonic() - begun:.0f} s, and nothing is left running."
    )


def _show(console: Console, stack: ExitStack) -> None:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="martlet_cluster_")))
    console.print("starting PostgreSQL and an S3-compatible store")
    machines = _machines(folder, _shared(stack))
    workers, servers = machines[:WORKERS], machines[WORKERS:]
    processes = Processes()
    stack.callback(_undisturbed, processes.end)

    console.print(f"{WORKERS} workers land and run {len(TENANTS)} tenants on one lake")
    with ThreadPoolExecutor(WORKERS) as threads:
        shares = [TENANTS[number::WORKERS] for number in range(WORKERS)]
        # A failure or Ctrl-C must end the others before their threads are waited for.
        with _ended_early(processes):
            done = list(threads.map(lambda *given: _work(processes, *given), workers, shares))
    console.print(_table_of_work(done))

    key = processes.run(workers[0], "keys", "create", TENANTS[0], "--scopes", "admin")["key"]
    console.print(f"{SERVERS} servers with empty homes answer with one key, made on worker 1")
    with ThreadPoolExecutor(SERVERS) as threads, _ended_early(processes):
        addresses = list(threads.map(lambda server: _served(processes, server), servers))
        answers = list(threads.map(lambda address: _answers(address, key), addresses))
    console.print(_table_of_answers(servers, answers))
    published = {mart["tenant"]: mart["version"] for work in done for mart in work.report["marts"]}
    if any(answer[slug][0] != published[slug] for answer in answers for slug in TENANTS):
        raise SystemExit("a server answers from another version than the one that was published")
    if any(answer != answers[0] for answer in answers):
        raise SystemExit("the servers do not answer alike")
    console.print("Both answer alike, each tenant from the version that its worker published.")


def _shared(stack: ExitStack) -> dict[str, str]:
    """Start what machines share; return the variables that name it."""
    postgres = stack.enter_context(_stopped_undisturbed(running_postgres()))
    store = stack.enter_context(_stopped_undisturbed(running_store()))
    database = f"postgres:{postgres.make_database('martlet')}"
    variables: dict[str, str] = store.variables
    return variables | {
        "MARTLET_TARGET": "ducklake",
        "MARTLET_LAKE_CATALOGUE": database,
        "MARTLET_LAKE_DATA": f"s3://{BUCKET}/warehouse",
        "MARTLET_MARTS": f"s3://{BUCKET}/published",
        "MARTLET_CONTROL": database,
        "PGPASSWORD": PASSWORD,
    }


def _machines(folder: Path, variables: dict[str, str]) -> list[Machine]:
    names = [f"worker {n + 1}" for n in range(WORKERS)] + [
        f"server {n + 1}" for n in range(SERVERS)
    ]
    machines = []
    for name in names:
        place = folder / name.replace(" ", "_")
        new_project(place, dict.fromkeys(TENANTS, SOURCES))
        machines.append(Machine(name, place, variables))
    return machines


def _work(processes: Processes, machine: Machine, tenants: Sequence[str]) -> Work:
    begun = time.monotonic()
    landed = 0
    for slug in tenants:
        seed = str(TENANTS.index(slug))
        told = processes.run(
            machine, "land", slug, "--days", DAYS, "--scale", SCALE, "--seed", seed, "--wait", "300"
        )
        landed += sum(table["accepted"] for table in told["tables"])
    named = [word for slug in tenants for word in ("--tenant", slug)]
    report = processes.run(machine, "run", *named, "--wait", "300")
    return Work(machine, landed, time.monotonic() - begun, report)


def _served(processes: Processes, machine: Machine) -> str:
    """Start a server and return its address; its log is read on, so that it never waits."""
    process = processes.start(machine, "serve", "--port", "0", "--log-level", "warning")
    assert process.stderr
    said = []
    for line in process.stderr:
        said.append(line)
        if found := _ADDRESS.search(line):
            return found[1]
    raise SystemExit(f"{machine.name} does not start:\n{''.join(said)}")


def _answers(address: str, key: str) -> dict[str, tuple[str, list[Any]]]:
    """Return the version that answers for each tenant, and what it says."""
    told = {}
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}) as client:
        for slug in TENANTS:
            answered = client.post(f"/v1/{slug}/query", json=QUESTION, timeout=60)
            if answered.status_code != 200:
                raise SystemExit(f"{address} answers {answered.status_code}: {answered.text}")
            document = answered.json()
            told[slug] = (document["data_version"], document["rows"][0])
    return told


def _table_of_work(done: Sequence[Work]) -> Table:
    table = Table("worker", "tenants", "records landed", "rows pushed", "versions", "seconds")
    for work in done:
        marts = work.report["marts"]
        pushed = sum(each["pushed"] for each in work.report["tables"])
        table.add_row(
            work.machine.name,
            "\n".join(mart["tenant"] for mart in marts),
            f"{work.landed:,}",
            f"{pushed:,}",
            "\n".join(mart["version"] or mart["reason"] for mart in marts),
            f"{work.seconds:.1f}",
        )
    return table


def _table_of_answers(
    servers: Sequence[Machine], answers: Sequence[dict[str, tuple[str, list[Any]]]]
) -> Table:
    table = Table("server", "tenant", "version", *QUESTION["measures"])
    for server, told in zip(servers, answers, strict=True):
        for slug, (version, values) in told.items():
            table.add_row(server.name, slug, version, *map(str, values))
        table.add_section()
    return table


@contextmanager
def _ended_early(processes: Processes) -> Iterator[None]:
    try:
        yield
    except BaseException:
        _undisturbed(processes.end)
        raise


@contextmanager
def _stopped_undisturbed(server: Any) -> Iterator[Any]:
    """Enter a server's context; nobody interrupts its end."""
    running = server.__enter__()
    try:
        yield running
    finally:
        _undisturbed(lambda: server.__exit__(None, None, None))


def _undisturbed(work: Any) -> None:
    before = {n: signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        work()
    finally:
        for number, handler in before.items():
            with suppress(ValueError):
                signal.signal(number, handler)


def _stop(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
