"""Keeps a lake small: inlined rows into files, small files into large ones, old ones away."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from duckdb import DuckDBPyConnection

from martlet.engines.duckdb_engine import quoted_text
from martlet.engines.engine import Maintenance

# A statement that began before files were merged goes on reading those it has planned to read, and
# a writer's new files lie in the store before its commit names them: both for less than this.
GRACE = timedelta(days=1)
KEPT = timedelta(days=7)


Opened = Callable[[], AbstractContextManager[DuckDBPyConnection]]
Retried = Callable[[Callable[[], int]], int]


def maintain(
    database: str,
    opened: Opened,
    retried: Retried,
    *,
    kept: timedelta = KEPT,
    grace: timedelta = GRACE,
) -> Maintenance:
    """Do every step in a session of its own: killed in between, the next time does the rest.

    Snapshots of the last `kept` stay readable; no file is deleted before it was of no use for
    `grace`.
    """
    name = quoted_text(database)
    files_before, bytes_before = _size(opened, name)

    def step(call: str, summed: str | None = None) -> int:
        return retried(lambda: _done(opened, call, summed))

    flushed = step(f"ducklake_flush_inlined_data({name})", "rows_flushed")
    step(f"ducklake_rewrite_data_files({name})")
    step(f"ducklake_merge_adjacent_files({name})")
    expired = step(f"ducklake_expire_snapshots({name}, older_than => {_ago(kept)})")
    deleted = step(f"ducklake_cleanup_old_files({name}, older_than => {_ago(grace)})")
    deleted += step(f"ducklake_delete_orphaned_files({name}, older_than => {_ago(grace)})")
    files_after, bytes_after = _size(opened, name)
    return Maintenance(
        database,
        files_before,
        files_after,
        bytes_before,
        bytes_after,
        rows_flushed=flushed,
        snapshots_expired=expired,
        files_deleted=deleted,
    )


def _done(opened: Opened, call: str, summed: str | None) -> int:
    """Make a call; return its number of rows, or what a column of them adds up to."""
    with opened() as connection:  # one that has met a conflict may be of no use any more
        cursor = connection.execute(f"call {call}")
        names = [column[0] for column in cursor.description or ()]
        rows = cursor.fetchall()
    return sum(int(row[names.index(summed)] or 0) for row in rows) if summed else len(rows)


def _size(opened: Opened, name: str) -> tuple[int, int]:
    query = (
        "select coalesce(sum(file_count + delete_file_count), 0)::bigint, "
        "coalesce(sum(file_size_bytes + delete_file_size_bytes), 0)::bigint "
        f"from ducklake_table_info({name})"
    )
    with opened() as connection:
        ((files, size),) = connection.execute(query).fetchall()
    return files, size


def _ago(span: timedelta) -> str:
    return f"now() - to_seconds({span.total_seconds()})"
