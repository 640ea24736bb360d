"""Reads the newest operational snapshot of a tenant, or of all of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from martlet.marts.errors import NothingPublishedError
from martlet.marts.store import Mart
from martlet.web.visit import Visit

Row = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """One snapshot, for one request."""

    mart: Mart
    seconds: float
    max_bytes: int

    def rows(self, sql: str, **values: Any) -> list[Row]:
        """Return the rows of a SELECT that names tables as `ops.runs`."""
        qualified = sql.replace("ops.", f'"{self.mart.catalog}"."main".')
        table = self.mart.fetch_arrow(
            qualified, values, seconds=self.seconds, max_bytes=self.max_bytes
        )
        found: list[Row] = table.to_pylist()
        return found

    def row(self, sql: str, **values: Any) -> Row:
        """Return the first row of a SELECT, or an empty one."""
        return next(iter(self.rows(sql, **values)), {})


@contextmanager
def opened(visit: Visit, name: str | None = None) -> Iterator[Snapshot | None]:
    """Open the snapshot of the visit's tenant or of `name`; None where nothing ever ran."""
    limits = visit.serving.limits
    store = visit.serving.operations
    try:
        store.version(name or visit.slug)
    except NothingPublishedError:
        yield None
        return
    with store.open(name or visit.slug) as mart:
        yield Snapshot(mart, limits.max_query_seconds, limits.max_answer_bytes)
