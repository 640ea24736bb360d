"""No space, and no permission: a clear error, nothing half, and exact once there is room again."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.project import Project
from tests.torture.contents import (
    difference,
    landed,
    leftovers,
    marts,
    pointers,
    warehouse_contents,
)
from tests.torture.kills import Bases
from tests.torture.projects import LAND, Command, command, copied, scratch, succeed

LANDING = ("land", "acme", "--days", "3", *LAND)
RUN = ("run", "--tenant", "acme")
PUBLISH = ("publish", "--force", "--tenant", "acme")
# Beyond what is there, in bytes: too little for the step, sooner or later.
ROOM = (0, 16_384, 300_000, 1_500_000)


def is_refused(done: Command) -> None:
    """Check that a command failed with words, and not with a traceback."""
    assert done.code in (1, 2), done.told
    told = done.stderr + done.stdout
    assert "Traceback" not in told, told[-3000:]
    assert "error:" in told or "! " in told or '"findings"' in told, told


def _expect_exact(bases: Bases, project: Project) -> None:
    """Do again what was refused: everything is as if it had not been."""
    succeed(project, *LANDING)
    assert landed(project, "acme") == bases.landed_truth, "what has landed differs"
    succeed(project, "run")
    expected = warehouse_contents(Project(bases.folder / "whole"), loads=False)
    found = warehouse_contents(project, loads=False)
    assert found == expected, difference(expected, found)
    assert marts_without_loads(project) == marts_without_loads(Project(bases.folder / "whole"))
    assert not leftovers(project), f"left behind: {leftovers(project)}"


def marts_without_loads(project: Project) -> list[str]:
    """Return the tenants that have a mart; their rows are compared in the warehouse."""
    return sorted(marts(project))


def file_sizes(bases: Bases, folder: Path) -> int:
    """Bound how far a file may grow, as a full disk does."""
    refused = 0
    project = copied(bases.published, folder / "project")
    for arguments in (LANDING, RUN, PUBLISH):
        largest = project.landing if arguments is LANDING else project.warehouse
        for room in ROOM:
            limit = largest.stat().st_size + room if arguments is not PUBLISH else 4_096 + room
            before = pointers(project)
            done = command(project, *arguments, death={"file_size": limit})
            if done.code:
                is_refused(done)
                assert pointers(project) == before, "something was published without room for it"
                refused += 1
    assert refused, "there was always room"
    _expect_exact(bases, project)
    return refused


def full_file_system(bases: Bases, folder: Path) -> int:
    """Let everything happen on a small file system that is full."""
    refused = 0
    with _small_file_system(folder / "small") as mounted:
        if mounted is None:
            return 0
        project = copied(bases.published, mounted / "project")
        for arguments in (LANDING, RUN, PUBLISH):
            with _filled(mounted):
                before = pointers(project)
                done = command(project, *arguments)
                if done.code:
                    is_refused(done)
                    assert pointers(project) == before, "published without room for it"
                    refused += 1
        assert refused == 3, f"only {refused} of 3 commands were refused on a full file system"
        _expect_exact(bases, project)
    return refused


@contextmanager
def _small_file_system(folder: Path) -> Iterator[Path | None]:
    """Give a file system of 96 MB, where we may mount one."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96m", "torture", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def _filled(mounted: Path) -> Iterator[None]:
    """Take all the room but a few pages, for a while."""
    ballast = mounted / "ballast"
    with ballast.open("wb") as stream:
        free = shutil.disk_usage(mounted).free - 3 * 4_096
        os.posix_fallocate(stream.fileno(), 0, free)
    try:
        yield
    finally:
        ballast.unlink()


def folders_without_permission(bases: Bases, folder: Path) -> int:
    """Take the right to write from one folder after the other."""
    refused = 0
    project = copied(bases.published, folder / "project")
    for place, arguments in (
        ("data", LANDING),
        ("data/dlt", LANDING),
        ("data/locks", LANDING),
        ("data/marts/acme", PUBLISH),
        ("data/ops/acme", PUBLISH),
        ("data", RUN),
    ):
        before = pointers(project)
        with _unwritable(project.folder / place):
            done = command(project, *arguments, death={"plain_user": True})
        if done.code:
            is_refused(done)
            assert pointers(project) == before, f"published although {place} cannot be written"
            refused += 1
    _expect_exact(bases, project)
    return refused


@contextmanager
def _unwritable(folder: Path) -> Iterator[None]:
    mode = stat.S_IMODE(folder.stat().st_mode)
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(mode)


def torture(bases: Bases, *, tell: Callable[[str], None]) -> tuple[dict[str, int], list[str]]:
    """Return how often each kind of refusal happened, and what should not have."""
    refused: dict[str, int] = {}
    found: list[str] = []
    for name, attempt in (
        ("file sizes", file_sizes),
        ("a full file system", full_file_system),
        ("folders without permission", folders_without_permission),
    ):
        with scratch() as folder:
            try:
                refused[name] = attempt(bases, folder)
            except AssertionError as error:
                found.append(f"{name}: {error}")
                tell(f"FOUND {name}: {error}")
        tell(f"{name}: refused {refused.get(name, 0)} times")
    return refused, found
