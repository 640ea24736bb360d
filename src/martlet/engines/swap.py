"""Puts several finished files in their places as one: killed in between, the next opening ends it.

A journal in the home says what is to be moved where; it is written after everything is ready, and
deleted after everything is in place.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from filelock import FileLock

from martlet.errors import MartletError

JOURNAL = "swap.json"
_DISCARDED = ".discarded"


def swap_in(home: Path, moves: Mapping[str, str], removed: Sequence[str] = ()) -> None:
    """Move `moves`' keys to their values, then delete `removed`; all are paths within the home."""
    journal = {"moves": dict(moves), "removed": list(removed)}
    draft = home / f".{JOURNAL}.{os.getpid()}.new"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(journal, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(home / JOURNAL)
    finish_swap(home)


def finish_swap(home: Path) -> None:
    """Do what a journal asks for, if there is one; a look at the folder is all it costs if not."""
    if not (home / JOURNAL).exists():
        return
    (home / "locks").mkdir(exist_ok=True)
    with FileLock(home / "locks" / "swap.lock"):
        try:
            journal = json.loads((home / JOURNAL).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return  # another process was faster
        for number, (source, target) in enumerate(journal["moves"].items()):
            _move(home, _within(home, source), _within(home, target), number)
        for name in journal["removed"]:
            _remove(_within(home, name))
        _remove(home / _DISCARDED)
        (home / JOURNAL).unlink()


def _move(home: Path, source: Path, target: Path, number: int) -> None:
    if not source.exists():
        return  # done before a kill
    target.parent.mkdir(parents=True, exist_ok=True)
    for log in (".wal", "-wal", "-shm"):  # of the file that goes; the new one is whole without
        target.with_name(target.name + log).unlink(missing_ok=True)
    if target.is_dir():
        discarded = home / _DISCARDED / str(number)
        _remove(discarded)
        discarded.parent.mkdir(exist_ok=True)
        target.rename(discarded)
    elif target.exists():
        source.chmod(target.stat().st_mode & 0o7777)  # who could read it still can, nobody else
    source.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _within(home: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or PurePosixPath(name).is_absolute() or ".." in parts:
        raise MartletError(
            f"the journal names {name!r}, which is not in this home",
            where=str(home / JOURNAL),
            remedy="something else wrote this file: move it away",
        )
    return home.joinpath(*parts)
