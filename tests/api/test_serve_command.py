"""`martlet serve` as a person starts and ends it."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.api.published import OWN, install
from tests.api.test_access import bearer
from tests.api.test_bad_input import GOOD
from tests.project import REPOSITORY


def start(home: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARTLET_")}
    return subprocess.Popen(
        [sys.executable, "-m", "martlet", "serve", *options],
        cwd=REPOSITORY,
        env=kept | {"MARTLET_HOME": str(home)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def address(server: subprocess.Popen[str]) -> str:
    assert server.stderr
    line = server.stderr.readline()
    assert line.startswith("Martlet answers on http://"), line
    return line.split()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_answers_and_ends_well_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    installed = install(tmp_path)
    server = start(tmp_path, "--port", "0")
    try:
        url = address(server)
        answered = httpx.post(
            f"{url}/v1/{OWN}/query", json=GOOD, headers=bearer(installed.key()), timeout=30
        )
        kept = httpx.Client()  # a connection that stays open must not hold the end up
        assert kept.get(f"{url}/livez").status_code == 200
    finally:
        server.send_signal(number)
    out, log = server.communicate(timeout=20)

    assert answered.status_code == 200
    assert server.returncode == 0
    assert out == ""
    lines = log.splitlines()
    assert all(line.startswith("{") for line in lines), log
    assert any('"route":"/v1/{tenant}/query"' in line for line in lines)
    kept.close()


def test_a_port_that_is_taken_is_bad_input(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        server = start(tmp_path / "home", "--port", str(port))
        out, said = server.communicate(timeout=30)

    assert server.returncode == 2
    assert f"--port {port}" in said
    assert "Address already in use" in said
    assert "Traceback" not in said
    assert out == ""
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        (("--host", "no.such.host.invalid"), {}, "no.such.host.invalid"),
        (("--host", "203.0.113.1"), {}, "cannot listen there"),
        (("--port", "70000"), {}, "65535"),
        (("--log-level", "loud"), {}, "loud"),
        (("--port", "0"), {"MARTLET_QUERY_SLOTS": "none"}, "MARTLET_QUERY_SLOTS"),
        (("--port", "0"), {"MARTLET_RATE_PER_KEY": "fast"}, "MARTLET_RATE_PER_KEY"),
        (("--port", "0"), {"MARTLET_JWT_ISSUER": "x"}, "MARTLET_JWT_AUDIENCE"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_bad_input(
    tmp_path: Path, options: tuple[str, ...], variables: dict[str, str], said: str
) -> None:
    server = start(tmp_path, *options, **variables)

    _, log = server.communicate(timeout=30)

    assert server.returncode == 2, log
    assert said in log
    assert "Traceback" not in log
