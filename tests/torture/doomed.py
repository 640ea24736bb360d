"""`python -m tests.torture.doomed DEATH ARGUMENTS...` does what `martlet ARGUMENTS` does until it dies.

DEATH is a JSON document: `{"seconds": s}` is a SIGKILL from outside after s seconds. `statement` or
`file` is a pattern of a statement or of a change to a file (`os.rename /the/path`); the process
kills itself before, or `"after": true`, the `nth` that matches. `checkpoint` lets DuckDB abort its
checkpoints at that point of its own, and goes on; `file_size` bounds what any file may grow to;
`plain_user` takes from root what other users have not. `trace` names a file that every statement and change is written to, and nothing dies.
"""

import ctypes
import json
import os
import re
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

Event = Callable[[str, bool], None]
CHANGES = frozenset({"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate"})
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def die() -> None:
    """End as a process does that is killed: nothing is flushed, no lock is given back."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the signal comes to the process, not to this thread


def die_after(seconds: float) -> None:
    """Let a process of its own do the killing, which no state of this one can delay."""
    doomed = os.getpid()
    if os.fork() == 0:
        time.sleep(seconds)
        if os.getppid() == doomed:
            os.kill(doomed, signal.SIGKILL)
        os._exit(0)


def hear_statements(hear: Event) -> None:
    """Tell of every statement that any connection executes, before and after."""

    def wrapped(name: str) -> None:
        original = getattr(duckdb.DuckDBPyConnection, name)

        def executed(self: Any, *arguments: Any, **named: Any) -> Any:
            text = str(arguments[0]) if name == "execute" and arguments else name
            hear(text, False)
            result = original(self, *arguments, **named)
            hear(text, True)
            return result

        setattr(duckdb.DuckDBPyConnection, name, executed)

    for name in ("execute", "begin", "commit"):
        wrapped(name)


def hear_changes(hear: Event) -> None:
    """Tell of every change that Python makes to files, before it happens."""

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES:
            hear(f"{event} {' '.join(str(a) for a in arguments)}", False)
        elif event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
            hear(f"open {arguments[0]}", False)

    sys.addaudithook(audit)


def dying_at(pattern: str, nth: int, *, after: bool) -> Event:
    """Return a listener that kills at the nth event that matches."""
    matcher, counted = re.compile(pattern, re.DOTALL | re.IGNORECASE), threading.Lock()
    left = nth

    def hear(text: str, has_happened: bool) -> None:
        nonlocal left
        if has_happened == after and matcher.search(text):
            with counted:
                left -= 1
                if left == 0:
                    die()

    return hear


def abort_checkpoints(point: str) -> None:
    """Let every database that is written abort its checkpoints, as if there were no power."""
    connect = duckdb.connect

    def connected(*arguments: Any, **named: Any) -> Any:
        connection = connect(*arguments, **named)
        if not named.get("read_only"):
            connection.execute(f"set global debug_checkpoint_abort = '{point}'")
        return connection

    duckdb.connect = connected


def trace(file: Path) -> None:
    """Write down every event."""
    descriptor = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def hear(text: str, has_happened: bool) -> None:
        if not has_happened:
            os.write(descriptor, f"{json.dumps(text)}\n".encode())

    hear_statements(hear)
    hear_changes(hear)


def give_up_capabilities() -> None:
    """Make permissions count, which they do not for root."""
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None, use_errno=True).capset(header, nothing):
        raise OSError(ctypes.get_errno(), "capabilities cannot be given up")


def prepare(death: dict[str, Any]) -> None:
    """Arrange the death."""
    nth, after = death.get("nth", 1), death.get("after", False)
    if "trace" in death:
        trace(Path(death["trace"]))
    if "seconds" in death:
        die_after(death["seconds"])
    if "statement" in death:
        hear_statements(dying_at(death["statement"], nth, after=after))
    if "file" in death:
        hear_changes(dying_at(death["file"], nth, after=False))
    if "checkpoint" in death:
        abort_checkpoints(death["checkpoint"])
    if "file_size" in death:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write fails instead
        resource.setrlimit(resource.RLIMIT_FSIZE, (death["file_size"], resource.RLIM_INFINITY))
    if "plain_user" in death:
        give_up_capabilities()


if __name__ == "__main__":
    from martlet.cli import main

    prepare(json.loads(sys.argv.pop(1)))
    main()
