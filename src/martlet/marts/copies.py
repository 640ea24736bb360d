"""Copies of stored versions on this machine: not more than allowed, and none goes that is read."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from martlet.settings import Settings

# What a copy is called until it is whole.
FETCHING = ".fetch-"
# What was not finished for so long belongs to a process that was killed.
_UNFINISHED_SECONDS = 3_600.0


@dataclass(frozen=True)
class _Copy:
    path: Path
    size: int
    used_at: float


def nothing_is_open(_: str, __: str) -> bool:
    """Say that no version is being read, for who serves none."""
    return False


def touch(path: Path) -> None:
    """Remember that a copy was used just now; it is then among the last to go."""
    with suppress(OSError):
        os.utime(path)


def trim(
    folder: Path,
    limit: int,
    *,
    is_open: Callable[[str, str], bool] = nothing_is_open,
    keep: Path | None = None,
) -> int:
    """Delete the copies that were not used for longest, until `limit` bytes are left.

    `is_open` says by tenant and version what stays, as `keep` does. Returns the bytes left.
    """
    copies = []
    for path in folder.glob("*/v*.duckdb"):
        with suppress(OSError):
            found = path.stat()
            copies.append(_Copy(path, found.st_size, found.st_mtime))
    left = sum(copy.size for copy in copies)
    for copy in sorted(copies, key=lambda copy: copy.used_at):
        if left <= limit:
            break
        if copy.path == keep or is_open(copy.path.parent.name, copy.path.stem):
            continue
        with suppress(OSError):
            copy.path.unlink()
            left -= copy.size
    return left


def remove_unfinished(folder: Path) -> None:
    """Delete what killed processes had begun to fetch."""
    for path in folder.glob(f"*/{FETCHING}*"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _UNFINISHED_SECONDS:
                path.unlink()


def trim_copies(settings: Settings) -> None:
    """Keep this machine's copies of marts and of snapshots in their bounds, if it has a store."""
    if settings.stored_marts:
        for folder in (settings.marts_dir, settings.operations_dir):
            trim(folder, settings.stored_marts.cache_bytes)
