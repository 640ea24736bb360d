"""The stretch of days that a world is asked for, and columns made from arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from martlet.config.tenant import Tenant

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

EPOCH = date(1970, 1, 1)
DAY = 86_400
NEVER = 2**62  # a moment that no world reaches


def midnight(day: date, zone: str) -> int:
    """Return the UTC second at which `day` begins in `zone`, also in nights of clock changes."""
    local = datetime.combine(day, time(), tzinfo=ZoneInfo(zone))
    return int(local.astimezone(UTC).timestamp())


def day_number(day: date) -> int:
    return (day - EPOCH).days


def days_between(first: date, last: date) -> list[date]:
    """Return every day from `first` to `last`, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


@dataclass(frozen=True)
class Span:
    """The days asked for, and the day at whose end the source is asked."""

    start: date
    until: date

    def closes_at(self, zone: str) -> int:
        """Return the UTC second at which the last day ends in `zone`: nothing later is known."""
        return midnight(self.until + timedelta(days=1), zone)

    def opens_at(self, zone: str) -> int:
        return midnight(self.start, zone)


@dataclass(frozen=True)
class Scene:
    """What every part of one world is made with, and the connection that holds its relations."""

    connection: duckdb.DuckDBPyConnection
    tenant: Tenant
    span: Span
    seed: int
    scale: float


def labels(choices: Sequence[str | None], picks: Ints, missing: Flags | None = None) -> pa.Array:
    """Return the chosen texts as a dictionary column; a null among `choices` stays null."""
    empty = np.array([choice is None for choice in choices], dtype=bool)
    absent = empty[picks] if len(picks) else np.zeros(0, dtype=bool)
    if missing is not None:
        absent = absent | missing
    indices = pa.array(picks.astype(np.int32), mask=absent)
    return pa.DictionaryArray.from_arrays(
        indices, pa.array([choice or "" for choice in choices], pa.string())
    )


def numbers(values: Ints, missing: Flags | None = None) -> pa.Array:
    """Return whole numbers as a column, null where `missing`."""
    return pa.array(values, pa.int64(), mask=missing)


def cumulative(weights: Floats) -> Floats:
    """Return the running share of each weight, ready for `searchsorted` with uniform numbers."""
    shares = np.cumsum(weights)
    return np.asarray(shares / shares[-1])


def pick(shares: Floats, uniform: Floats) -> Ints:
    """Choose an index for each uniform number by the running `shares`."""
    found = np.searchsorted(shares, uniform, side="right")
    return np.minimum(found, len(shares) - 1).astype(np.int64)
