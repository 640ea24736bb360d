"""Keeps a folder of versions as the object store has them, while requests are served from it."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from martlet.errors import MartletError
from martlet.marts.bucket import Bucket
from martlet.marts.copies import nothing_is_open, remove_unfinished, touch, trim
from martlet.marts.errors import MartDamagedError, StoreUnreachableError
from martlet.marts.following import Following
from martlet.marts.shelf import Shelf
from martlet.marts.versions import VersionFolder
from martlet.settings import StoredMarts

# Who names a version that is not known here makes the store be asked, but not more often.
_SOONEST_SECONDS = 1.0
_NEVER = float("-inf")


@dataclass(eq=False)
class _Followed:
    """One tenant, and when its state was last asked for and last followed, with what end ever."""

    shelf: Shelf
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked_at: float = _NEVER
    followed_at: float = _NEVER
    failure: MartletError | None = None


class Follower:
    """Asks for a tenant's state at most every `check_seconds`, when a request wants the tenant.

    A version is fetched whole, and its digest compared, before the pointer here names it. Where the
    store fails, what is here is served on; after one failure no request tries again for
    `check_seconds`, so that a store that is gone costs one request its time and not all. Safe for
    threads, and for processes that share the folder.
    """

    def __init__(
        self,
        folder: Path,
        place: StoredMarts,
        *,
        is_open: Callable[[str, str], bool] = nothing_is_open,
    ) -> None:
        """`is_open` says by tenant and version what must not be deleted."""
        self.standing = Following()
        self._folder = folder
        self._place = place
        self._bucket = Bucket(place, patient=False)
        self._is_open = is_open
        self._lock = threading.Lock()
        self._followed: dict[str, _Followed] = {}
        self._failed_at = _NEVER
        remove_unfinished(folder)

    def refresh(self, tenant: str, *, at_once: bool = False) -> None:
        """Let the folder say what the store says, if it is time to ask, or `at_once`.

        Raises only where nothing of the tenant is here yet.
        """
        followed = self._of(tenant)
        is_served = self._is_served(followed.shelf.folder)
        if not self._is_due(followed, at_once=at_once):
            if followed.failure and not is_served:
                raise followed.failure.with_traceback(None)
            return
        if self._is_paused() and not at_once:
            if is_served:
                return
            raise self._paused()
        # Who has something to serve does not wait for another thread that asks.
        if not followed.lock.acquire(blocking=at_once or not is_served):
            return
        try:
            if self._is_due(followed, at_once=at_once):
                self._follow(followed)
                followed.failure = None
        except MartletError as error:
            followed.failure = error
            self._fail(tenant, error)
            if not self._is_served(followed.shelf.folder):
                raise
        finally:
            followed.lock.release()

    def current(self, tenant: str) -> str | None:
        """Return the version that the store names, without fetching it; None where that is unknown.

        What is known is asked for again as often as `refresh` would.
        """
        followed = self._of(tenant)
        asked_at = max(followed.asked_at, followed.followed_at)
        is_due = time.monotonic() - asked_at >= self._place.check_seconds
        if is_due and not self._is_paused() and followed.lock.acquire(blocking=False):
            try:
                followed.shelf.read()
                self.standing.unreachable_since = None
            except MartletError as error:
                self._fail(tenant, error)
            finally:
                followed.asked_at = time.monotonic()
                followed.lock.release()
        return followed.shelf.state.current

    def ensure(self, tenant: str, version: str) -> None:
        """Fetch a version that is not here; raises `FileNotFoundError` where nobody has it."""
        followed = self._of(tenant)
        if followed.shelf.folder.has(version):
            return
        if self._is_paused():
            raise self._paused()
        with followed.lock, followed.shelf.applying():
            if not followed.shelf.is_published:
                followed.shelf.read()
            self._fetch(followed.shelf, version)

    def names(self) -> set[str]:
        """Return what has published versions; where the store fails, what is here."""
        here = {path.name for path in self._folder.iterdir()} if self._folder.is_dir() else set()
        if self._is_paused():
            return here
        try:
            return here | {*self._bucket.folders(self._folder.name)}
        except StoreUnreachableError as error:
            self._fail(None, error)
            return here

    def forget(self, tenant: str, version: str) -> None:
        """Delete a copy that cannot be opened; the next request fetches it anew."""
        self._of(tenant).shelf.folder.path_of(version).unlink(missing_ok=True)

    def _of(self, tenant: str) -> _Followed:
        with self._lock:
            if tenant not in self._followed:
                folder = VersionFolder(self._folder / tenant)
                shelf = Shelf(self._bucket, f"{self._folder.name}/{tenant}", folder)
                self._followed[tenant] = _Followed(shelf)
            return self._followed[tenant]

    def _is_due(self, followed: _Followed, *, at_once: bool) -> bool:
        seconds = self._place.check_seconds
        seconds = min(seconds, _SOONEST_SECONDS) if at_once else seconds
        if time.monotonic() - followed.followed_at >= seconds:
            return True
        newer = followed.shelf.state.current
        return (
            followed.asked_at > followed.followed_at
            and newer is not None
            and newer != _pointer(followed.shelf.folder)
        )

    def _is_paused(self) -> bool:
        return time.monotonic() - self._failed_at < self._place.check_seconds

    def _is_served(self, folder: VersionFolder) -> bool:
        current = _pointer(folder)
        return current is not None and folder.has(current)

    def _follow(self, followed: _Followed) -> None:
        shelf = followed.shelf
        try:
            if not shelf.folder.path.is_dir():
                shelf.read()  # what is published nowhere leaves no folder here
            if shelf.is_published or shelf.folder.path.is_dir():
                with shelf.applying():
                    shelf.read()
                    self._take(shelf)
        finally:
            followed.followed_at = time.monotonic()
        self.standing.behind.discard(shelf.folder.path.name)
        self.standing.unreachable_since = None

    def _take(self, shelf: Shelf) -> None:
        """Fetch what the state names, then let the folder say so; needs `applying`."""
        current = shelf.state.current
        if current is None:
            self._miss(shelf)
            return
        try:
            self._fetch(shelf, current)
        except FileNotFoundError as error:
            raise MartDamagedError(
                f"the file of the current version {current} is not in the store",
                where=shelf.where,
                remedy="publish again with --force, or roll back",
            ) from error
        shelf.apply()
        touch(shelf.folder.path_of(current))
        self._remove_pruned(shelf)

    def _fetch(self, shelf: Shelf, version: str) -> None:
        fetched = shelf.fetch(version)
        if fetched:
            self.standing.fetched += 1
            self.standing.fetched_bytes += fetched
            self.standing.kept_bytes = trim(
                self._folder,
                self._place.cache_bytes,
                is_open=self._is_open,
                keep=shelf.folder.path_of(version),
            )

    def _miss(self, shelf: Shelf) -> None:
        """Take a store without a state for a mistake of its keeper's if something is served."""
        if self._is_served(shelf.folder):
            raise MartDamagedError("the store no longer says what is published", where=shelf.where)

    def _remove_pruned(self, shelf: Shelf) -> None:
        tenant = shelf.folder.path.name
        for version in shelf.folder.versions():
            if version not in shelf.state.versions and not self._is_open(tenant, version):
                shelf.folder.path_of(version).unlink(missing_ok=True)

    def _fail(self, tenant: str | None, error: MartletError) -> None:
        self.standing.failures += 1
        if tenant:
            self.standing.behind.add(tenant)
        if isinstance(error, StoreUnreachableError):
            self._failed_at = time.monotonic()
            since = self.standing.unreachable_since
            self.standing.unreachable_since = since or datetime.now(UTC)

    def _paused(self) -> StoreUnreachableError:
        return StoreUnreachableError(
            "the store of marts was not reachable a moment ago", where=self._bucket.where
        )


def _pointer(folder: VersionFolder) -> str | None:
    with suppress(MartDamagedError):
        return folder.current()
    return None
