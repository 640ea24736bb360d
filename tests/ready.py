"""Runs commands in processes of their own that have dbt and dlt imported already.

Importing them is a third of a small run. A process imports once and starts no thread; each command
is a fork of it, with its own arguments, folder, environment and output.
"""

import atexit
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from select import select

REPOSITORY = Path(__file__).resolve().parents[1]
IMPORTED = ("apprise", "dbt.cli.main", "dbt.task.build", "dlt", "sqlglot", "typer")
_REQUEST_BYTES = 1 << 20


def run_module(
    module: str, arguments: Sequence[str], *, folder: Path, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Do what `python -m module arguments` does; several threads may ask at once."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        request = {"argv": [module, *arguments], "cwd": str(folder), "environ": dict(environ)}
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(_server()))
            descriptors = [stdout.fileno(), stderr.fileno()]
            socket.send_fds(asking, [json.dumps(request).encode()], descriptors)
            answer = asking.recv(16)
        assert answer, "the process that was to run a command is gone"
        texts = [_text(file.fileno()) for file in (stdout, stderr)]
    return subprocess.CompletedProcess([module, *arguments], int(answer), *texts)


def _text(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0).decode()


@cache
def _server() -> Path:
    """Start the process of this test process that the others are forks of; return its address."""
    folder = tempfile.TemporaryDirectory(prefix="ready")
    address = Path(folder.name) / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.ready", str(address)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,  # closed, it tells the process that this one has ended
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdout.readline() == b"ready\n", "no process could be made ready for commands"
    atexit.register(folder.cleanup)
    return address


def serve(address: str) -> None:
    """Fork for every request, until standard input is closed."""
    for module in IMPORTED:
        import_module(module)
    # A thread does not survive a fork: DuckDB starts one when it is imported.
    threads = Path("/proc/self/task")
    assert not threads.exists() or len(list(threads.iterdir())) == 1, "an import started a thread"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that fork are waited for by nobody
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(16)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while listening in select([listening, sys.stdin], [], [])[0]:
            asked, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                _attend(asked)
            asked.close()


def _attend(asked: socket.socket) -> None:
    """Run what is asked in a process of its own, answer how it ended, and end."""
    message, descriptors, _, _ = socket.recv_fds(asked, _REQUEST_BYTES, 2)
    child = os.fork()
    if child == 0:
        asked.close()
        _become(json.loads(message), *descriptors)
    _, status = os.waitpid(child, 0)
    asked.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(request: dict[str, object], stdout: int, stderr: int) -> None:
    argv, cwd, environ = request["argv"], request["cwd"], request["environ"]
    assert isinstance(argv, list)
    assert isinstance(cwd, str)
    assert isinstance(environ, dict)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (stdout, 1), (stderr, 2)):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = list(argv)
    runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    sys.exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
