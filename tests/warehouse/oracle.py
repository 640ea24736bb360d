"""What the push must have made of a sequence of landings, replayed in plain Python.

The oracle shares nothing with the warehouse: it compares records field by field where the push
compares hashes, and it finds what is true now by replaying every load in the order of extraction,
where the push only ever looks at what is new.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Record = dict[str, Any]
Identify = Callable[[Record], tuple[Hashable, ...] | None]
Place = Callable[[Record], tuple[str | None, date]]

TOMBSTONE_ROW = -1
REPEATED_ROW = -2


@dataclass(frozen=True)
class Scope:
    """The days, and the accounts if any are named, that a load fetched whole."""

    start: date
    end: date
    accounts: frozenset[str] = frozenset()

    def holds(self, account: str | None, day: date) -> bool:
        is_account = not self.accounts or account is None or account in self.accounts
        return self.start <= day <= self.end and is_account


@dataclass(frozen=True)
class Load:
    """The records of one delivery, in its order. `scope` belongs to the mode `replace_scope`."""

    records: tuple[Record, ...]
    extracted_at: datetime
    mode: str = "upsert"
    scope: Scope | None = None


@dataclass(frozen=True)
class Version:
    """One row of a master; `values` is the record's text without its nulls."""

    key: Hashable
    values: str
    is_deleted: bool
    extracted_at: datetime
    load: int
    row: int

    @property
    def order(self) -> tuple[datetime, int, int]:
        return self.extracted_at, self.load, self.row


@dataclass(frozen=True)
class Counts:
    """One row of the ledger."""

    landed: int
    pushed: int
    known: int
    quarantined: int
    tombstoned: int


def canonical(record: Record) -> str:
    """Return the text by which two records are the same record."""
    stated = {name: value for name, value in record.items() if value is not None}
    return json.dumps(stated, sort_keys=True)


@dataclass(frozen=True)
class _Row:
    key: Hashable
    values: str
    row: int


@dataclass
class Replay:
    """One landed table: its loads in the order in which they were pushed, and what they made.

    `identify` gives a record's key, None where a part of it is null; without it the records have no
    key and are known by their values and by which occurrence of them in its load each is. `place`
    gives account and day of a record.
    """

    identify: Identify | None = None
    place: Place | None = None
    loads: list[Load] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    ledger: list[Counts] = field(default_factory=list)

    def push(self, load: Load) -> None:
        """Append what the load brings."""
        number = len(self.loads)
        self.loads.append(load)
        rows = self._rows(load)
        fresh = [
            Version(row.key, row.values, False, load.extracted_at, number, row.row)
            for row in self._fresh(load, rows)
        ]
        self.versions += fresh
        gone = self._gone(load, number, {row.key for row in rows})
        self.versions += gone
        repeated = self._overtaken(load, number)
        self.versions += repeated
        refused = len(load.records) - len(rows)
        known = len(rows) - len(fresh)
        self.ledger.append(
            Counts(len(load.records), len(fresh), known, refused, len(gone) + len(repeated))
        )

    def newest(self) -> dict[Hashable, Version]:
        """Return the newest version of every key."""
        newest: dict[Hashable, Version] = {}
        for version in self.versions:
            if version.key not in newest or version.order > newest[version.key].order:
                newest[version.key] = version
        return newest

    def current(self) -> list[Record]:
        """Return the records that are there now, as the newest versions say."""
        return [json.loads(v.values) for v in self.newest().values() if not v.is_deleted]

    def truth(self) -> dict[Hashable, str]:
        """Return the records that are there now: each load in the order in which it was taken."""
        state: dict[Hashable, str] = {}
        for load in sorted(self.loads, key=lambda taken: taken.extracted_at):
            rows = self._rows(load)
            state |= {row.key: row.values for row in rows}
            if self._is_complete(load):
                keys = {row.key for row in rows}
                for key in [k for k in state if k not in keys and self._covers(load, state[k])]:
                    del state[key]
        return state

    def _rows(self, load: Load) -> list[_Row]:
        """Return the load's rows that have a key."""
        rows: list[_Row] = []
        seen: dict[str, int] = defaultdict(int)
        for number, record in enumerate(load.records):
            values = canonical(record)
            seen[values] += 1
            key = self.identify(record) if self.identify else (values, seen[values])
            if key is not None:
                rows.append(_Row(key, values, number))
        return rows

    def _fresh(self, load: Load, rows: Sequence[_Row]) -> list[_Row]:
        """Return the rows that differ from what was there: a late one from that it is older than."""
        newest = self.newest()
        delivered = {(v.key, v.values, v.extracted_at) for v in self.versions if not v.is_deleted}
        before: dict[Hashable, str] = {}
        fresh = []
        for row in rows:
            stored = newest.get(row.key)
            stored_values = None if stored is None or stored.is_deleted else stored.values
            if row.key in before and before[row.key] == row.values:
                is_fresh = False
            elif stored is not None and load.extracted_at < stored.extracted_at:
                again = (row.key, row.values, load.extracted_at) in delivered
                is_fresh = row.values != stored_values and not again
            else:
                is_fresh = row.key in before or row.values != stored_values
            if is_fresh:
                fresh.append(row)
            before[row.key] = row.values
        return fresh

    def _gone(self, load: Load, number: int, keys: set[Hashable]) -> list[Version]:
        """Return a tombstone for each record that a load, being complete, says is gone."""
        if not self._is_complete(load):
            return []
        return [
            Version(v.key, v.values, True, load.extracted_at, number, TOMBSTONE_ROW)
            for v in self.newest().values()
            if v.key not in keys
            and not v.is_deleted
            and v.extracted_at <= load.extracted_at
            and self._covers(load, v.values)
        ]

    def _overtaken(self, load: Load, number: int) -> list[Version]:
        """Return what is still true although a load that is older than others says otherwise."""
        later = [taken for taken in self.loads if taken.extracted_at > load.extracted_at]
        if not later:
            return []
        truth = self.truth()
        repeated = []
        for key, version in self.newest().items():
            values = truth.get(key)
            if version.load != number or values == (None if version.is_deleted else version.values):
                continue
            older = [v for v in self.versions if v.key == key and v.load != number]
            last = max(older, key=lambda v: v.order).values if older else version.values
            moment = max(m.extracted_at for m in later if self._speaks_of(m, key, version.values))
            repeated.append(
                Version(key, values or last, values is None, moment, number, REPEATED_ROW)
            )
        return repeated

    def _speaks_of(self, load: Load, key: Hashable, values: str) -> bool:
        """Whether a load has the record, or would have it if there were one."""
        has = any(row.key == key for row in self._rows(load))
        return has or (self._is_complete(load) and self._covers(load, values))

    def _is_complete(self, load: Load) -> bool:
        return load.mode != "upsert" and len(self._rows(load)) == len(load.records)

    def _covers(self, load: Load, values: str) -> bool:
        if load.mode == "snapshot":
            return True
        return bool(load.scope and self.place and load.scope.holds(*self.place(json.loads(values))))


@dataclass(frozen=True)
class Contents:
    """What the warehouse holds of one landed table: comparable, whatever it calls its keys.

    `versions` has the versions of each key together, `newest` one version of each.
    """

    versions: list[list[tuple[Any, ...]]]
    newest: list[tuple[Any, ...]]
    ledger: list[Counts]


def expected_contents(replay: Replay) -> Contents:
    """Return what the warehouse must hold."""
    return Contents(
        versions=grouped([(v.key, (v.row, *_shown(v))) for v in replay.versions]),
        newest=sorted(_shown(version) for version in replay.newest().values()),
        ledger=list(replay.ledger),
    )


def grouped(versions: Sequence[tuple[Hashable, tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
    """Return the versions of each key together, sorted, without the key."""
    keys: dict[Hashable, list[tuple[Any, ...]]] = defaultdict(list)
    for key, version in versions:
        keys[key].append(version)
    return sorted(sorted(of_key) for of_key in keys.values())


def _shown(version: Version) -> tuple[Any, ...]:
    return version.extracted_at, version.load, version.is_deleted, version.values
