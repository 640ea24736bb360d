"""The lock that keeps two landings from meeting in one home."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from martlet.errors import MartletError
from martlet.settings import Settings


@contextmanager
def landing_lock(settings: Settings, wait_seconds: float) -> Iterator[None]:
    """Hold the landing lock; raises `MartletError` naming the holder when it stays taken."""
    folder = settings.home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "landing.lock")
    holder = folder / "landing.holder.json"  # beside: whoever waits truncates the lock file itself
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise MartletError(
            f"another landing is under way{_describe(holder)}; waited {wait_seconds:g} seconds",
            where=str(folder / "landing.lock"),
            remedy="wait for it, or give a longer --wait",
        ) from error
    try:
        holder.write_text(json.dumps({"pid": os.getpid(), "since": _now().isoformat()}))
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _describe(holder: Path) -> str:
    with suppress(OSError, ValueError, KeyError):
        stated = json.loads(holder.read_text())
        seconds = (_now() - datetime.fromisoformat(stated["since"])).total_seconds()
        return f": PID {stated['pid']}, for {seconds:.0f} seconds"
    return ""


def _now() -> datetime:
    return datetime.now(UTC)
