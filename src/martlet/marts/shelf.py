"""One tenant's versions in the store, and the folder here that holds copies of them."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from martlet.errors import MartletError
from martlet.marts.bucket import Bucket
from martlet.marts.copies import FETCHING
from martlet.marts.errors import MartDamagedError, PublishedMeanwhileError
from martlet.marts.stored_state import StoredState, StoredVersion
from martlet.marts.versions import VersionFolder

STATE = "current.json"
_LOCK_SECONDS = 900.0  # as long as a large file may be on its way
_DIGEST_BYTES = 1 << 20


@dataclass(eq=False)
class Shelf:
    """`state` is as last read or written by this object; its `tag` lets the store refuse to change
    what somebody else has changed since.
    """

    bucket: Bucket
    name: str  # such as marts/acme
    folder: VersionFolder
    state: StoredState = field(default_factory=StoredState)
    tag: str | None = None

    @property
    def where(self) -> str:
        return f"{self.bucket.where}/{self.name}"

    @property
    def is_published(self) -> bool:
        """Say whether the state was ever read or written: without a tag it was not."""
        return self.tag is not None

    def read(self) -> bool:
        """Read the state; say whether it is another one than before.

        Where the store has none, the state is empty.
        """
        try:
            found = self.bucket.read(self._key(STATE), unless=self.tag)
        except FileNotFoundError:
            was_published, self.state, self.tag = self.is_published, StoredState(), None
            return was_published
        if found is None:
            return False
        body, tag = found
        self.state, self.tag = StoredState.read(body, f"{self.where}/{STATE}"), tag
        return True

    def write(self, state: StoredState) -> None:
        """Put a state in the place of the one that was read, and its pointer into the folder.

        Raises `PublishedMeanwhileError` where another machine has changed it since.
        """
        with self.applying():
            try:
                self.tag = self.bucket.write(self._key(STATE), state.as_bytes(), replaces=self.tag)
            except PublishedMeanwhileError:
                # A reply that was lost makes the client ask again, and meet its own writing.
                self.read()
                if self.state.nonce != state.nonce:
                    raise
            self.state = state
            self.apply()

    def apply(self) -> None:
        """Let the folder here say what the state says; needs `applying`."""
        if self.state.current:
            self.folder.adopt(self.state.current, self.state.withdrawn)

    @contextmanager
    def applying(self) -> Iterator[None]:
        """Let no other process of this machine read or write this state meanwhile.

        So what the folder says never goes back to what was read before another wrote.
        """
        self.folder.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder.path / ".store.lock")
        try:
            lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout as error:
            raise MartletError(
                f"another process fetches here for more than {_LOCK_SECONDS:g} seconds",
                where=str(self.folder.path),
            ) from error
        try:
            yield
        finally:
            lock.release()

    def upload(self, version: str, rows: dict[str, int]) -> StoredVersion:
        """Upload the folder's file of a version; nobody reads it before a state names it."""
        path = self.folder.path_of(version)
        digest = _digest(path)
        stored = StoredVersion(
            file=f"{version}-{digest[:16]}.duckdb",
            sha256=digest,
            size=path.stat().st_size,
            rows=rows,
        )
        self.bucket.upload(self._key(stored.file), path)
        return stored

    def fetch(self, version: str) -> int:
        """Copy a version into the folder unless it is there; return the bytes that came.

        Raises `FileNotFoundError` where the store does not have it, `MartDamagedError` where what
        came is not what was published: then nothing is kept of it.
        """
        path = self.folder.path_of(version)
        if path.is_file():
            return 0
        stored = self.state.versions.get(version)
        if stored is None:
            raise FileNotFoundError(version)
        self.folder.path.mkdir(parents=True, exist_ok=True)
        draft = self.folder.path / f"{FETCHING}{version}-{secrets.token_hex(4)}"
        try:
            self._fetch(stored, draft)
            draft.replace(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise MartDamagedError(
                f"a published version cannot be kept here: {error.strerror or error}",
                where=str(self.folder.path),
                remedy="make room, or let MARTLET_MARTS_CACHE be less than there is",
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        return stored.size

    def leftovers(self) -> list[str]:
        """Return the keys of objects that the state does not name."""
        named = {self._key(stored.file) for stored in self.state.versions.values()}
        return sorted(set(self.bucket.sizes(f"{self.name}/")) - named - {self._key(STATE)})

    def sizes(self) -> dict[str, int]:
        """Return the bytes of each kept version as the store has it; missing ones are left out."""
        found = self.bucket.sizes(f"{self.name}/")
        return {
            version: found[self._key(stored.file)]
            for version, stored in self.state.versions.items()
            if self._key(stored.file) in found
        }

    def delete(self, versions: dict[str, StoredVersion]) -> None:
        """Delete the files of versions that the state no longer names."""
        self.bucket.delete([self._key(stored.file) for stored in versions.values()])

    def _fetch(self, stored: StoredVersion, draft: Path) -> None:
        digest, size = hashlib.sha256(), 0
        with draft.open("wb") as file:
            for chunk in self.bucket.chunks(self._key(stored.file)):
                size += len(chunk)
                if size > stored.size:
                    break
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if size != stored.size or digest.hexdigest() != stored.sha256:
            raise MartDamagedError(
                f"{stored.file} is not what was published: "
                + (
                    f"it has {size:,} bytes, not {stored.size:,}"
                    if size != stored.size
                    else "its SHA-256 differs"
                ),
                where=self.where,
                remedy="publish again with --force, or roll back",
            )

    def _key(self, name: str) -> str:
        return f"{self.name}/{name}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
