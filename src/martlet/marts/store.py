"""Opens published versions for requests: many tenants at once, each in an engine of its own."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import duckdb
import pyarrow as pa

from martlet.engines.serving import (
    NotOneSelectError,
    OverflowingError,
    ServingEngine,
    read_table,
    select,
)
from martlet.marts.errors import (
    MartAnswerTooLargeError,
    MartDamagedError,
    MartQueryError,
    MartTimeoutError,
    NothingPublishedError,
    VersionGoneError,
)
from martlet.marts.following import Following
from martlet.marts.info import MartInfo, Rows, read_info
from martlet.marts.versions import VersionFolder, is_version
from martlet.marts.watchdog import WATCHDOG
from martlet.naming import slug_problem
from martlet.settings import StoredMarts

if TYPE_CHECKING:
    from martlet.marts.follower import Follower

_INFO_SECONDS = 30.0
_INFOS_KEPT = 8
# How often the pointer is read again when the version it named was pruned meanwhile.
_ATTEMPTS = 20

# What DuckDB and its Arrow stream begin their messages with; the stream's are no duckdb.Error.
_DAMAGE = re.compile(r"(IO|Serialization|INTERNAL|FATAL) Error")
_BROKEN = re.compile(r"(INTERNAL|FATAL) Error")
_MEMORY = re.compile(r"Out of Memory Error")
_QUERY_ERRORS = (duckdb.Error, pa.ArrowException, OSError)


@dataclass(frozen=True)
class StoreSettings:
    """Threads and memory limit are of each open tenant."""

    threads: int = 2
    memory_limit: str = "2GB"
    max_open: int = 64


@dataclass(eq=False)
class _Tenant:
    """A tenant's engine and what is attached to it; `uses` and `is_retired` are the store's."""

    name: str
    uses: int = 0
    is_retired: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    engine: ServingEngine | None = None
    current: str = ""
    uses_of: dict[str, int] = field(default_factory=dict)
    info_lock: threading.Lock = field(default_factory=threading.Lock)
    infos: dict[str, MartInfo] = field(default_factory=dict)

    def leave(self, version: str) -> None:
        """End one use of a version."""
        with self.lock:
            self.uses_of[version] -= 1
            if version != self.current:
                self.detach_superseded()

    def detach_superseded(self) -> None:
        """Detach what is neither current nor in use; needs the lock."""
        for version, uses in list(self.uses_of.items()):
            if self.engine and version != self.current and not uses:
                del self.uses_of[version]
                with suppress(duckdb.Error):  # an engine that DuckDB gave up: it is retired
                    self.engine.detach(version)

    def close(self) -> None:
        if self.engine:
            self.engine.close()


class Mart:
    """One version of one tenant, for one request and one thread.

    `catalog` is the name that the version's tables are qualified with. Errors of DuckDB come as
    those of `martlet.marts.errors`, as long as the methods are used and not the bare cursor.
    """

    def __init__(
        self,
        opened: _Tenant,
        version: str,
        cursor: duckdb.DuckDBPyConnection,
        on_damage: Callable[[], None],
    ) -> None:
        self.tenant = opened.name
        self.version = version
        self.catalog = version
        self.cursor = cursor
        self._opened = opened
        self._on_damage = on_damage

    @property
    def info(self) -> MartInfo:
        """Return what the version says of itself; operational snapshots say nothing."""
        known = self._opened.infos.get(self.version)
        if known:
            return known
        with self._opened.info_lock:
            infos = self._opened.infos
            if self.version not in infos:
                infos[self.version] = self._read_info()
                while len(infos) > _INFOS_KEPT:
                    infos.pop(next(iter(infos)), None)
            return infos[self.version]

    def fetch_arrow(
        self, sql: str, params: Mapping[str, Any], *, seconds: float, max_bytes: int
    ) -> pa.Table:
        """Run one SELECT, values bound to its `$name`s, and return all of its rows.

        Raises `MartTimeoutError` past `seconds`, `MartAnswerTooLargeError` past `max_bytes` of
        Arrow, `MartDamagedError` when the file cannot be read, else `MartQueryError`.
        """
        with self._running(seconds):
            select(self.cursor, sql, params)
            return read_table(self.cursor, max_bytes)

    def fetch_rows(self, sql: str, params: Mapping[str, Any], seconds: float) -> Rows:
        """Run one SELECT of few rows; raises as `fetch_arrow` does."""
        with self._running(seconds):
            select(self.cursor, sql, params)
            return self.cursor.fetchall()

    @contextmanager
    def _running(self, seconds: float) -> Iterator[None]:
        try:
            with WATCHDOG.watching(self.cursor.interrupt, seconds) as watch:
                yield
        except OverflowingError as error:
            raise MartAnswerTooLargeError(
                "the answer is larger than one may be", remedy="ask for fewer rows or fields"
            ) from error
        except NotOneSelectError as error:
            raise MartQueryError("only a single SELECT is run") from error
        except _QUERY_ERRORS as error:
            if watch.is_overdue:
                raise _overdue(seconds) from error
            self._refuse(error)
        if watch.is_overdue:  # an interrupted stream must not pass for a short answer
            raise _overdue(seconds)

    def _refuse(self, error: BaseException) -> NoReturn:
        message = str(error)
        if _DAMAGE.match(message):
            self._on_damage()
            raise _damaged(self.version) from error
        if _MEMORY.match(message):
            raise MartAnswerTooLargeError(
                "the query needs more memory than there is",
                remedy="ask for fewer dimensions or a shorter time",
            ) from error
        raise MartQueryError("the query cannot be run as it stands") from error

    def _read_info(self) -> MartInfo:
        try:
            return read_info(
                lambda sql: self.fetch_rows(sql, {}, _INFO_SECONDS), self.tenant, self.version
            )
        except MartQueryError as error:
            raise MartDamagedError(
                f"the published version {self.version} does not say what it is"
            ) from error


class MartStore:
    """The published versions below a folder; safe for threads.

    Each open tenant has an engine that can read that tenant's folder only. At most `max_open`
    tenants stay open, more while all are in use; the least recently used is closed first.
    """

    def __init__(
        self,
        folder: Path,
        settings: StoreSettings | None = None,
        *,
        other_names: Collection[str] = (),
        stored: StoredMarts | None = None,
    ) -> None:
        """`other_names` are folders besides those of tenants, such as that of operators.

        Where versions are `stored` elsewhere, the folder follows that place.
        """
        self._folder = folder.resolve()
        self._follower = _follower(self._folder, stored, self._is_open) if stored else None
        self._settings = settings or StoreSettings()
        self._other_names = frozenset(other_names)
        self._lock = threading.Lock()
        self._tenants: OrderedDict[str, _Tenant] = OrderedDict()

    @contextmanager
    def open(self, tenant: str, version: str | None = None) -> Iterator[Mart]:
        """Open the current version, or a named one, which stays attached until the block ends.

        Raises `NothingPublishedError`, `VersionGoneError` for a named version that is not there,
        `MartDamagedError` when the file cannot be opened.
        """
        folder = self._folder_of(tenant)
        current = self._current(folder)  # what is not published opens nothing
        if version and version > current and self._follower:
            self._follower.refresh(tenant, at_once=True)  # another server may have been faster
            current = self._current(folder)
        with self._in_use(tenant) as opened:
            mart = self._attached(opened, folder, version, current)
            try:
                yield mart
            finally:
                mart.cursor.close()
                opened.leave(mart.version)

    def version(self, tenant: str) -> str:
        """Return the current version's name, opening nothing; raises `NothingPublishedError`."""
        self._check_name(tenant)
        known = self._follower.current(tenant) if self._follower else None
        return known or self._current(VersionFolder(self._folder / tenant))

    @property
    def open_count(self) -> int:
        return len(self._tenants)

    @property
    def following(self) -> Following | None:
        """Return how it goes with the store that the folder follows; None where it is the place."""
        return self._follower.standing if self._follower else None

    def names(self) -> list[str]:
        """Return what has published versions; where that cannot be told, what had some."""
        if self._follower:
            return sorted(self._follower.names())
        there = self._folder.iterdir() if self._folder.is_dir() else ()
        return sorted(path.name for path in there if path.is_dir())

    def close(self) -> None:
        """Close every tenant, those in use when their last request ends."""
        with self._lock:
            opened = list(self._tenants.values())
        for each in opened:
            self._retire(each)

    def _attached(
        self, opened: _Tenant, folder: VersionFolder, version: str | None, current: str
    ) -> Mart:
        for _ in range(_ATTEMPTS):
            wanted = current if version is None else _kept(folder, version, current)
            try:
                if self._follower:
                    self._follower.ensure(opened.name, wanted)
                cursor = self._enter(opened, folder, wanted, current)
                return Mart(opened, wanted, cursor, lambda: self._retire(opened))
            except FileNotFoundError as error:
                if version is not None:
                    raise _gone(version) from error
            newer = self._current(folder)
            if newer == current and not self._follower:
                break
            current = newer
        raise _damaged(current)

    def _enter(
        self, opened: _Tenant, folder: VersionFolder, wanted: str, current: str
    ) -> duckdb.DuckDBPyConnection:
        with opened.lock:
            if opened.engine is None:
                opened.engine = ServingEngine(
                    self._folder / opened.name,
                    threads=self._settings.threads,
                    memory_limit=self._settings.memory_limit,
                )
            if opened.current != current:
                opened.current = current
                opened.detach_superseded()
            if wanted not in opened.uses_of:
                file = folder.path_of(wanted)
                try:
                    opened.engine.attach(file, wanted)
                except duckdb.Error as error:
                    if not file.exists():
                        raise FileNotFoundError(wanted) from error
                    if _BROKEN.match(str(error)):
                        self._retire(opened)
                    if self._follower:
                        self._follower.forget(opened.name, wanted)
                    raise _damaged(wanted) from error
                opened.uses_of[wanted] = 0
            cursor = opened.engine.cursor()
            opened.uses_of[wanted] += 1
            return cursor

    def _folder_of(self, tenant: str) -> VersionFolder:
        self._check_name(tenant)
        if self._follower:
            self._follower.refresh(tenant)
        return VersionFolder(self._folder / tenant)

    def _check_name(self, tenant: str) -> None:
        if tenant not in self._other_names and slug_problem(tenant):
            raise NothingPublishedError("nothing is published under this name")

    def _is_open(self, tenant: str, version: str) -> bool:
        opened = self._tenants.get(tenant)
        return opened is not None and version in opened.uses_of

    def _current(self, folder: VersionFolder) -> str:
        try:
            current = folder.current()
        except MartDamagedError as error:  # whose message names the path
            raise MartDamagedError("the current version cannot be made out") from error
        if current is None:
            raise NothingPublishedError("nothing is published under this name")
        return current

    @contextmanager
    def _in_use(self, tenant: str) -> Iterator[_Tenant]:
        with self._lock:
            opened = self._tenants.get(tenant)
            if opened is None:
                opened = self._tenants[tenant] = _Tenant(tenant)
            else:
                self._tenants.move_to_end(tenant)
            opened.uses += 1
            closing = self._surplus()
        for each in closing:
            each.close()
        try:
            yield opened
        finally:
            with self._lock:
                opened.uses -= 1
                closing = self._surplus()
                if opened.is_retired and not opened.uses:
                    closing.append(opened)
            for each in closing:
                each.close()

    def _surplus(self) -> list[_Tenant]:
        """Take out the least recently used tenants beyond the bound; needs the lock."""
        surplus: list[_Tenant] = []
        if len(self._tenants) > self._settings.max_open:
            for name, opened in list(self._tenants.items()):
                if not opened.uses:
                    surplus.append(self._tenants.pop(name))
                if len(self._tenants) <= self._settings.max_open:
                    break
        return surplus

    def _retire(self, opened: _Tenant) -> None:
        """Let the next request open the tenant anew; DuckDB may have given up on this engine."""
        with self._lock:
            if self._tenants.get(opened.name) is opened:
                del self._tenants[opened.name]
            is_unused = not opened.uses and not opened.is_retired
            opened.is_retired = True
        if is_unused:
            opened.close()


def _follower(folder: Path, stored: StoredMarts, is_open: Callable[[str, str], bool]) -> "Follower":
    from martlet.marts.follower import Follower  # its client is installed where it is needed only

    return Follower(folder, stored, is_open=is_open)


def _kept(folder: VersionFolder, version: str, current: str) -> str:
    """Return the version if it is, or once was, rightly current.

    Later than the current one is only what was rolled back, or what is not published yet.
    """
    if version != current and (
        not is_version(version) or version > current or version in folder.withdrawn()
    ):
        raise _gone(version)
    return version


def _gone(version: str) -> VersionGoneError:
    return VersionGoneError(f"version {version[:40]!r} is not kept")


def _damaged(version: str) -> MartDamagedError:
    return MartDamagedError(
        f"the published version {version} cannot be read", remedy="publish again, or roll back"
    )


def _overdue(seconds: float) -> MartTimeoutError:
    return MartTimeoutError(
        f"the query took longer than {seconds:g} s", remedy="ask for less at once"
    )
