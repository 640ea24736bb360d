"""The folder of published versions: which one is current, which came before, who may write."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from martlet.engines.duckdb_engine import connect
from martlet.errors import BadInputError, MartletError
from martlet.marts.errors import MartDamagedError, VersionGoneError

WAIT_SECONDS = 30.0
OPERATORS = "_operators"  # whose operational snapshot holds every tenant's rows

_VERSION = re.compile(r"v[0-9]{8}T[0-9]{12}")
_FORMAT = "v%Y%m%dT%H%M%S%f"
_SUFFIX = ".duckdb"
_DRAFT = ".draft-"
_POINTER = "current"
_WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Told:
    """What is known of one version without reading its rows; `size` is in bytes."""

    published_at: datetime
    size: int
    rows: dict[str, int] = field(default_factory=dict)
    is_damaged: bool = False


@dataclass(frozen=True)
class VersionFolder:
    """One tenant's versions: a file each, and a pointer to the one that is read.

    Whoever calls `promote`, `swap`, `prune`, `withdraw`, `restore` or `remove_leftovers` holds the
    lock; reading needs none.
    """

    path: Path

    def current(self) -> str | None:
        """Return the version that is read; raises `MartDamagedError` when the pointer is no name.

        Its file may be gone nevertheless: opening it tells.
        """
        try:
            named = (self.path / _POINTER).read_text(encoding="ascii").removesuffix("\n")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise self._broken_pointer(str(error)) from error
        if not is_version(named):
            raise self._broken_pointer(f"{named[:40]!r} is no version")
        return named

    def versions(self) -> list[str]:
        """Return the versions on disk, the oldest first."""
        if not self.path.is_dir():
            return []
        names = (path.stem for path in self.path.glob(f"v*{_SUFFIX}"))
        return sorted(name for name in names if is_version(name))

    def path_of(self, version: str) -> Path:
        """Return the file of a version, whether or not it exists."""
        return self.path / f"{_checked(version)}{_SUFFIX}"

    def has(self, version: str) -> bool:
        """Say whether a version can be read."""
        return self.path_of(version).is_file()

    def fetch(self, version: str) -> Path:
        """Return the file of a version, made to exist if that can be; `VersionGoneError` if not."""
        path = self.path_of(version)
        if not path.is_file():
            raise VersionGoneError(f"there is no version {version}", where=str(self.path))
        return path

    def tell(self) -> dict[str, Told]:
        """Return what is known of each version, the oldest first."""
        told = {version: _told(self.path_of(version), version) for version in self.versions()}
        return {version: known for version, known in told.items() if known}

    def draft_path(self, version: str) -> Path:
        """Return where a version is written until it is promoted."""
        return self.path / f"{_DRAFT}{_checked(version)}{_SUFFIX}"

    def next_version(self, now: datetime) -> str:
        """Return the name of a version made `now`, later than every one there ever was.

        `now` carries its zone. Where the clock has stepped back, the name runs ahead of it.
        """
        known = [*self.versions(), *self._left()]
        with suppress(MartDamagedError):
            known += filter(None, [self.current()])
        moment = now.astimezone(UTC).replace(tzinfo=None)
        if known:
            moment = max(moment, datetime.strptime(max(known), _FORMAT) + timedelta(microseconds=1))
        return moment.strftime(_FORMAT)

    def promote(self, draft: Path, version: str) -> None:
        """Give a finished draft its name, after its bytes have reached the disk."""
        _sync(draft)
        draft.rename(self.path_of(version))
        _sync(self.path)

    def swap(self, version: str) -> None:
        """Make a version the one that is read; a reader sees the old name or the new one."""
        if not self.has(version):
            raise VersionGoneError(f"there is no version {version}", where=str(self.path))
        self._write(_POINTER, f"{version}\n")

    def adopt(self, current: str, withdrawn: dict[str, str]) -> None:
        """Write pointer and withdrawals as another place has them, whatever is here."""
        here = None
        with suppress(MartDamagedError):
            here = VersionFolder.current(self)
        if VersionFolder._left(self) != withdrawn:
            VersionFolder._write_left(self, withdrawn)
        if here != current:
            self._write(_POINTER, f"{_checked(current)}\n")

    def prune(self, keep: int) -> list[str]:
        """Delete all but the newest `keep` versions, never the current one; return the deleted.

        Who has one open goes on reading it.
        """
        if keep < 1:
            raise BadInputError(
                f"{keep} versions cannot be kept", remedy="keep at least 1, the current one"
            )
        current = self.current()
        surplus = [version for version in self.versions()[:-keep] if version != current]
        if surplus:
            self._remove(surplus)
        return surplus

    def withdraw_all(self) -> None:
        """Leave nothing published: the pointer goes first, then whoever holds the lock removes."""
        (self.path / _POINTER).unlink(missing_ok=True)
        _sync(self.path)

    def withdrawn(self) -> dict[str, str]:
        """Return the content digest of each version that was rolled back, by version."""
        return {version: digest for version, digest in self._left().items() if digest}

    def withdraw(self, version: str, digest: str) -> None:
        """Remember that what a version holds must not be published again."""
        self._write_left(self._left() | {_checked(version): digest})

    def restore(self, digest: str) -> None:
        """Forget that a content was withdrawn, though not which versions were left."""
        left = self._left()
        if digest in left.values():
            self._write_left({v: "" if kept == digest else kept for v, kept in left.items()})

    def remove_leftovers(self) -> None:
        """Delete what a killed publisher left: drafts, and a version that never became current.

        Such a version is later than the current one and than every one that was rolled back.
        """
        for leftover in self.path.glob(".*.new"):
            leftover.unlink(missing_ok=True)
        for leftover in self.path.glob(f"{_DRAFT}*"):
            leftover.unlink(missing_ok=True)
        with suppress(MartDamagedError):
            current = self.current()
            if current:
                last = max([current, *self._left()])
                for version in self.versions():
                    if version > last:
                        self.path_of(version).unlink(missing_ok=True)

    @contextmanager
    def lock(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the right to write here; makes the folder where there is none."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.path / ".lock")
            lock.acquire(timeout=wait_seconds)
        except Timeout as error:
            raise MartletError(
                f"another process publishes here; waited {wait_seconds:g} seconds",
                where=str(self.path),
                remedy="wait for it, or give a longer --wait",
            ) from error
        except OSError as error:
            raise MartletError(
                f"nothing can be published here: {error}",
                where=str(self.path),
                remedy="check that the folder can be written, or set MARTLET_HOME",
            ) from error
        try:
            yield
        finally:
            lock.release()

    def _remove(self, versions: list[str]) -> None:
        for version in versions:
            self.path_of(version).unlink(missing_ok=True)

    def _left(self) -> dict[str, str]:
        """Return the versions that were ever rolled back; the digest is empty once restored."""
        try:
            lines = (self.path / _WITHDRAWN).read_text(encoding="ascii").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        pairs = (line.partition(" ") for line in lines)
        return {version: digest for version, _, digest in pairs if is_version(version)}

    def _write_left(self, digests: dict[str, str]) -> None:
        lines = (f"{version} {digest}\n" for version, digest in sorted(digests.items()))
        self._write(_WITHDRAWN, "".join(lines))

    def _write(self, name: str, text: str) -> None:
        draft = self.path / f".{name}.{os.getpid()}.new"
        draft.write_text(text, encoding="ascii")
        _sync(draft)
        draft.replace(self.path / name)
        _sync(self.path)

    def _broken_pointer(self, why: str) -> MartDamagedError:
        return MartDamagedError(
            f"the pointer to the current version cannot be read: {why}",
            where=str(self.path / _POINTER),
            remedy="`martlet marts rollback TENANT --to VERSION` writes it anew",
        )


def is_version(name: str) -> bool:
    """Say whether this can be the name of a version."""
    return _VERSION.fullmatch(name) is not None


def content_digest(folder: VersionFolder, version: str) -> str:
    """Return the digest of what a version holds.

    Raises `VersionGoneError` or `MartDamagedError` where the file cannot tell.
    """
    path = folder.fetch(version)
    try:
        with connect(path, read_only=True) as mart:
            ((digest,),) = mart.execute("select content_digest from mart_info").fetchall()
    except (MartletError, duckdb.Error, ValueError) as error:
        raise MartDamagedError(
            f"version {version} cannot be read: {error}",
            where=str(path),
            remedy="`martlet marts rollback TENANT --to VERSION` goes to another one",
        ) from error
    return str(digest)


def moment_of(version: str) -> datetime:
    """Return when a version was named, in UTC without a zone."""
    return datetime.strptime(_checked(version), _FORMAT)


def _told(path: Path, version: str) -> Told | None:
    """Return what a file tells of itself; None where it was pruned since it was listed."""
    size = 0
    try:
        size = path.stat().st_size
        with connect(path, read_only=True) as mart:
            rows = dict(mart.execute("select table_name, row_count from mart_profile").fetchall())
            (published_at,) = mart.execute("select published_at from mart_info").fetchall()[0]
    except FileNotFoundError:
        return None
    except (MartletError, duckdb.Error, IndexError):
        return Told(moment_of(version), size, is_damaged=True)
    return Told(published_at, size, rows)


def _checked(version: str) -> str:
    if not is_version(version):
        raise VersionGoneError(f"{version[:40]!r} is no version")
    return version


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
