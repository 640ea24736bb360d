"""What a piece of work costs: wall time, CPU of this process and its children, peak memory."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ISOLATED = Path(__file__).with_name("isolated.py")


@dataclass
class Reading:
    """One measurement, in seconds and bytes; `peak_bytes` only where a process was its own."""

    wall: float = 0.0
    cpu: float = 0.0
    peak_bytes: int | None = None


def cpu_seconds() -> float:
    """Return the CPU that this process, with all its threads, and its ended children have used."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


@contextmanager
def measured() -> Iterator[Reading]:
    """Give a reading that is filled in at the end."""
    reading = Reading()
    cpu, wall = cpu_seconds(), time.perf_counter()
    try:
        yield reading
    finally:
        reading.wall = time.perf_counter() - wall
        reading.cpu = cpu_seconds() - cpu


def read(work: Callable[[], Any]) -> Reading:
    """Return what calling `work` costs."""
    with measured() as reading:
        work()
    return reading


def read_isolated(module: str, function: str, **arguments: Any) -> Reading:
    """Call a function in a process of its own and return its reading with the peak memory.

    The function takes `arguments`, which must be JSON, and returns the work to be measured: what
    it does before counts for neither time nor CPU. Peak memory is that of the whole process.
    """
    done = subprocess.run(
        [sys.executable, str(_ISOLATED), module, function, json.dumps(arguments)],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{module}.{function} failed in its own process")
    return Reading(**json.loads(done.stdout.splitlines()[-1]))


def peak_bytes() -> int:
    """Return the most memory that this process, or the largest of its children, has held.

    The kernel's own high-water mark starts anew at an exec, that of getrusage does not.
    """
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    with Path("/proc/self/status").open() as status:
        lines = dict(line.split(":", 1) for line in status)
    return max(int(lines["VmHWM"].split()[0]) * 1024, children)


def file_bytes(*paths: Path) -> int:
    """Return the size of files together."""
    return sum(path.stat().st_size for path in paths if path.exists())
