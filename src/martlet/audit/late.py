"""What became of the few records that an old load, pushed after newer ones, speaks of.

Versions of all other records follow from one ordered pass in SQL. Here what a load adds depends on
what every load before it has added, so that a record is replayed load by load.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import md5
from itertools import groupby
from uuid import UUID

TOMBSTONE_ROW = -1
REPEATED_ROW = -2


@dataclass(frozen=True)
class TakenLoad:
    """A load, in the order of the pushes; `is_complete` where what it lacks is gone."""

    sequence: int
    load_id: str
    is_complete: bool
    is_scoped: bool
    accounts: frozenset[str]
    scope_start: date | None
    scope_end: date | None
    extracted_at: datetime

    def covers(self, day: date | None, account: str | None) -> bool:
        """Say whether the load would have had a record of that day and account."""
        if not self.is_complete or not self.is_scoped:
            return self.is_complete
        if day is None or self.scope_start is None or self.scope_end is None:
            return False
        is_account = not self.accounts or account is None or account in self.accounts
        return self.scope_start <= day <= self.scope_end and is_account


@dataclass(frozen=True)
class Sighting:
    """One landed row of a record."""

    sequence: int
    row: int
    record_hash: UUID
    is_deleted: bool
    extracted_at: datetime
    day: date | None
    account: str | None


@dataclass(frozen=True)
class Version:
    """One row that the master must hold for the record."""

    load_id: str
    row: int
    record_hash: UUID
    is_deleted: bool
    extracted_at: datetime
    day: date | None
    account: str | None

    @property
    def order(self) -> tuple[datetime, str, int]:
        return self.extracted_at, self.load_id, self.row


def tombstone_hash(record_hash: UUID) -> UUID:
    """Return the hash of the version that says that a record is gone."""
    return UUID(md5(f"gone {record_hash}".encode(), usedforsecurity=False).hexdigest())


@dataclass
class Record:
    """One record's versions while its loads are pushed one after the other."""

    loads: list[TakenLoad]
    versions: list[Version] = field(default_factory=list)
    _sightings: set[int] = field(default_factory=set)

    def replay(self, sightings: Iterable[Sighting]) -> list[Version]:
        """Return all versions; the sightings are in the order of loads, moments and rows."""
        of_load = {n: list(rows) for n, rows in groupby(sightings, key=lambda s: s.sequence)}
        for load in self.loads:
            rows = of_load.get(load.sequence, [])
            self.versions += list(self._fresh(load, rows))
            if rows:
                self._sightings.add(load.sequence)
            else:
                self._miss(load)
            self._repeat(load)
        return self.versions

    def _newest(self, *, but: str | None = None) -> Version | None:
        known = [version for version in self.versions if version.load_id != but]
        return max(known, key=lambda version: version.order, default=None)

    def _fresh(self, load: TakenLoad, rows: list[Sighting]) -> Iterator[Version]:
        newest = self._newest()
        there = {(v.record_hash, v.extracted_at) for v in self.versions}
        before: UUID | None = None
        for row in rows:
            repeats, before_it, before = row.record_hash == before, before, row.record_hash
            if repeats:
                continue
            is_late = newest is not None and row.extracted_at < newest.extracted_at
            differs = newest is None or row.record_hash != newest.record_hash
            if is_late:
                enters = differs and (row.record_hash, row.extracted_at) not in there
            else:
                enters = differs or before_it is not None
            if enters:
                yield Version(
                    load.load_id, row.row, row.record_hash, row.is_deleted, row.extracted_at,
                    row.day, row.account,
                )  # fmt: skip

    def _miss(self, load: TakenLoad) -> None:
        newest = self._newest()
        if newest is None or newest.is_deleted or newest.extracted_at > load.extracted_at:
            return
        if load.covers(newest.day, newest.account):
            self.versions.append(
                Version(
                    load.load_id, TOMBSTONE_ROW, tombstone_hash(newest.record_hash), True,
                    load.extracted_at, newest.day, newest.account,
                )
            )  # fmt: skip

    def _repeat(self, load: TakenLoad) -> None:
        """What later loads have said stays the newest, though this one is pushed after them."""
        newest, before = self._newest(), self._newest(but=load.load_id)
        if newest is None or newest.load_id != load.load_id:
            return
        if newest.extracted_at != load.extracted_at:
            return
        if before is not None and before.record_hash == newest.record_hash:
            return
        confirmed = [
            other.extracted_at
            for other in self.loads
            if other.sequence < load.sequence
            and other.extracted_at > load.extracted_at
            and (other.sequence in self._sightings or other.covers(newest.day, newest.account))
        ]
        if not confirmed:
            return
        state = before or newest
        self.versions.append(
            Version(
                load.load_id,
                REPEATED_ROW,
                before.record_hash if before else tombstone_hash(newest.record_hash),
                state.is_deleted or before is None,
                max(confirmed),
                state.day,
                state.account,
            )
        )
