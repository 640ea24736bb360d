"""An S3-compatible store of our own: SeaweedFS from its wheel, on this machine alone."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BUCKET = "lake"
KEY, SECRET = "martlet-tests", "told-to-nobody"
START_SECONDS = 60.0


@dataclass
class Store:
    """A running store; `stop` and `start` cut it off and bring it back with its files."""

    folder: Path
    port: int
    address: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://{self.address}:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "MARTLET_S3_ENDPOINT": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        ports = {"master": self.port + 1, "volume": self.port + 2, "filer": self.port + 3}
        program = why_none_or_program()[1]
        assert program is not None
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    program,
                    "server",
                    f"-dir={self.folder / 'data'}",
                    f"-ip={self.address}",
                    f"-ip.bind={self.address}",
                    "-master.telemetry=false",
                    "-master.volumeSizeLimitMB=64",
                    "-volume.max=200",
                    *(f"-{role}.port={port}" for role, port in ports.items()),
                    "-s3",
                    "-s3.port.iceberg=0",  # fixed ports, on which a second store would fail
                    "-s3.port.lance=0",
                    f"-s3.port={self.port}",
                    f"-s3.config={self.folder / 's3.json'}",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for who started it, who stops it then
            )
        self._await()

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def kill(self) -> None:
        """Stop it at once, for its files go too."""
        if self.process:
            self.process.kill()
        self.stop()

    def _await(self) -> None:
        """Return once objects can be written: the gateway answers before its volumes do."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._writes():
                return
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.2)
        raise AssertionError((self.folder / "log").read_text(errors="replace")[-2000:])

    def _writes(self) -> bool:
        import duckdb

        from martlet.engines.extensions import load_extension

        with duckdb.connect(":memory:") as connection:
            load_extension(connection, "httpfs")
            connection.execute("set http_timeout = 5")
            connection.execute(
                f"create secret (type s3, key_id '{KEY}', secret '{SECRET}', region 'us-east-1', "
                f"endpoint '{self.address}:{self.port}', url_style 'path', use_ssl false)"
            )
            try:
                connection.execute(f"copy (select 1) to 's3://{BUCKET}/started.parquet'")
            except duckdb.Error:
                return False
        return True


@contextmanager
def running_store(address: str = "127.0.0.1") -> Iterator[Store]:
    """Start a store that ends with the block."""
    with tempfile.TemporaryDirectory(prefix="martlet_s3_") as name:
        folder = Path(name)
        (folder / "data").mkdir()
        keys = {"accessKey": KEY, "secretKey": SECRET}
        identity = {"name": "martlet", "credentials": [keys], "actions": ["Admin"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        store = Store(folder, _free_ports(), address)
        try:
            store.start()
            yield store
        finally:
            store.kill()


def why_none_or_program() -> tuple[str | None, str | None]:
    """Return why no store can be started here, or the program that is one."""
    beside = Path(sys.executable).parent / "weed"
    program = str(beside) if os.access(beside, os.X_OK) else shutil.which("weed")
    return (None, program) if program else ("no object store to test with: no weed", None)


def _free_ports() -> int:
    """Return the first of four ports that are free; gRPC's are each 10,000 above."""
    for base in range(20_000 + os.getpid() % 2_000 * 4, 40_000, 4):
        ports = [base + n for n in range(4)]
        if all(_is_free(port) for port in (*ports, *(port + 10_000 for port in ports))):
            return base
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
