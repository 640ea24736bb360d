"""A tenant's versions in an object store, for those who publish, list and roll back."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from martlet.engines.duckdb_engine import connect
from martlet.errors import MartletError
from martlet.marts.errors import VersionGoneError
from martlet.marts.shelf import Shelf
from martlet.marts.stored_state import StoredState, StoredVersion
from martlet.marts.versions import WAIT_SECONDS, Told, VersionFolder, moment_of


@dataclass(frozen=True)
class StoredFolder(VersionFolder):
    """The same as a folder of versions, but the store decides; `path` holds copies and drafts.

    Reading asks the store each time; whoever holds the lock reads it once, and every change then
    replaces just the state that was read, or fails. That guards against publishers on machines that
    share no lock; a lease spares them the work.
    """

    shelf: Shelf
    _uploaded: dict[str, StoredVersion] = field(default_factory=dict)
    _held: list[bool] = field(default_factory=list)

    def current(self) -> str | None:
        return self._state().current

    def versions(self) -> list[str]:
        return sorted(self._state().versions)

    def has(self, version: str) -> bool:
        return version in self._state().versions or version in self._uploaded

    def fetch(self, version: str) -> Path:
        self._state()
        try:
            with self.shelf.applying():
                self.shelf.fetch(version)
        except FileNotFoundError as error:
            raise VersionGoneError(
                f"there is no version {version}", where=self.shelf.where
            ) from error
        return self.path_of(version)

    def tell(self) -> dict[str, Told]:
        """Return what state and store say; of what was changed in the store, only sizes tell."""
        kept, found = self._state().versions, self.shelf.sizes()
        return {
            version: Told(
                moment_of(version),
                found.get(version, 0),
                kept[version].rows,
                is_damaged=found.get(version) != kept[version].size,
            )
            for version in sorted(kept)
        }

    def promote(self, draft: Path, version: str) -> None:
        super().promote(draft, version)
        self._uploaded[version] = self.shelf.upload(version, _rows(self.path_of(version)))

    def swap(self, version: str) -> None:
        state = self._state()
        stored = state.versions.get(version) or self._uploaded.get(version)
        if stored is None:
            raise VersionGoneError(f"there is no version {version}", where=self.shelf.where)
        versions = state.versions | {version: stored}
        self.shelf.write(state.changed(current=version, versions=versions))

    def remove_leftovers(self) -> None:
        """Delete what a killed publisher left, here and in the store.

        What lies in the store and has no name may also be on its way to get one, from a machine
        that is slower: writing the state anew makes its swap fail before its file goes.
        """
        state = self._state()
        with self.shelf.applying():  # a server of this home may be writing its pointer
            for pattern in (".*.new", ".draft-*"):
                for leftover in self.path.glob(pattern):
                    leftover.unlink(missing_ok=True)
        for version in super().versions():
            if version not in state.versions:
                self.path_of(version).unlink(missing_ok=True)
        leftovers = self.shelf.leftovers()
        if leftovers:
            self.shelf.write(state.changed())
            self.shelf.bucket.delete(leftovers)

    @contextmanager
    def lock(self, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        with super().lock(wait_seconds):
            self.shelf.read()
            self._held.append(True)
            try:
                yield
            finally:
                self._held.clear()
                self._uploaded.clear()

    def _state(self) -> StoredState:
        if not self._held:
            self.shelf.read()
        return self.shelf.state

    def _remove(self, versions: list[str]) -> None:
        state = self._state()
        removed = {version: state.versions[version] for version in versions}
        kept = {name: told for name, told in state.versions.items() if name not in removed}
        self.shelf.write(state.changed(versions=kept))
        self.shelf.delete(removed)
        for version in versions:
            self.path_of(version).unlink(missing_ok=True)

    def _left(self) -> dict[str, str]:
        return dict(self._state().withdrawn)

    def _write_left(self, digests: dict[str, str]) -> None:
        self.shelf.write(self._state().changed(withdrawn=digests))


def _rows(path: Path) -> dict[str, int]:
    """Return the rows of a mart by model; a snapshot of operations tells none."""
    with suppress(MartletError, duckdb.Error), connect(path, read_only=True) as mart:
        told = mart.execute("select table_name, row_count from mart_profile").fetchall()
        return dict(told)
    return {}
