"""Machines of one lake: folders with homes of their own, and hosts whose network can be cut."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Variables
from tests.project import Project, new_project

# Meets the others before the first ledger row is written: all have looked, none has committed.
MEETING = """
import os, sys, time
from contextlib import nullcontext
from pathlib import Path
from dbt.adapters.duckdb.environments.local import DuckDBCursorWrapper
from martlet.cli import main
from martlet.engines.ducklake import DuckLakeEngine

place, expected, seconds, is_leased = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
execute = DuckDBCursorWrapper.execute

def meet(self, sql, bindings=None):
    if "insert into" in sql and "platform_ops__push_ledger" in sql:
        (place / str(os.getpid())).touch()
        deadline = time.monotonic() + seconds
        while len(os.listdir(place)) < expected and time.monotonic() < deadline:
            time.sleep(0.05)
    return execute(self, sql, bindings)

DuckDBCursorWrapper.execute = meet
if is_leased == "unleased":
    DuckLakeEngine.lease = lambda *_, **__: nullcontext()
sys.argv = ["martlet", *sys.argv[5:]]
main()
"""


def machines(folder: Path, variables: Variables, tenants: dict[str, Any], n: int) -> list[Project]:
    """Return projects with homes of their own on one lake."""
    made = []
    for number in range(n):
        project = new_project(folder / f"machine_{number}", variables)
        project.configure(tenants)
        made.append(project)
    return made


def orders(first: int, count: int) -> list[dict[str, Any]]:
    made = {"created_at": "2026-06-01T10:00:00Z", "currency": "USD", "total_price": "10.00"}
    return [{"id": number, **made} for number in range(first, first + count)]


def start(
    project: Project,
    *arguments: str,
    before: tuple[str, ...] = (),
    program: tuple[str, ...] = ("-m", "martlet"),
) -> subprocess.Popen[str]:
    """Start a command on a machine; `before` says on which host."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    return subprocess.Popen(
        [*before, sys.executable, *program, *arguments],
        cwd=project.folder,
        env=environ | project.variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(running: list[subprocess.Popen[str]]) -> list[tuple[int, str, str]]:
    """Wait for processes; return the exit code and the two outputs of each."""
    told = [process.communicate(timeout=3_600) for process in running]
    return [(p.returncode, *texts) for p, texts in zip(running, told, strict=True)]


@dataclass(frozen=True)
class Host:
    """A network namespace that reaches this one by one cable."""

    name: str
    network: str

    @property
    def server(self) -> str:
        """Return the address that this machine has on the cable."""
        return f"{self.network}.1"

    @property
    def prefix(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        _ip("link", "set", f"{self.name}a", "down")

    def mend(self) -> None:
        _ip("link", "set", f"{self.name}a", "up")


@contextmanager
def a_host() -> Iterator[Host | None]:
    """Give a host of its own network, None where this user may make none."""
    name = f"mt{os.getpid()}"
    host = Host(name, f"10.231.{os.getpid() % 250}")
    if os.geteuid() != 0 or not _succeeds("netns", "add", name):
        yield None
        return
    inside = ("-n", name)
    try:
        _ip("link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b", "netns", name)
        _ip("addr", "add", f"{host.server}/24", "dev", f"{name}a")
        _ip(*inside, "addr", "add", f"{host.network}.2/24", "dev", f"{name}b")
        _ip("link", "set", f"{name}a", "up")
        _ip(*inside, "link", "set", f"{name}b", "up")
        _ip(*inside, "link", "set", "lo", "up")
        yield host
    finally:
        _succeeds("netns", "delete", name)  # takes the cable with it


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _succeeds(*arguments: str) -> bool:
    try:
        done = subprocess.run(["ip", *arguments], check=False, capture_output=True)
    except OSError:
        return False
    return done.returncode == 0
