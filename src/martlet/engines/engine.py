"""What a target must do: open warehouse and landing, keep two pushers of one tenant apart."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

import duckdb
from duckdb import DuckDBPyConnection

WAIT_SECONDS = 30.0
# What is kept apart from every tenant: tables that all of them share are made under its lease.
PLATFORM = "_platform"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Maintenance:
    """What was done to one database. `files` and `bytes` are those that its newest state needs."""

    database: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    rows_flushed: int = 0
    snapshots_expired: int = 0
    files_deleted: int = 0


@contextmanager
def transaction(connection: DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done inside as one; where anything fails, nothing of it is done."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # a failed commit has ended it already
            connection.rollback()
        raise


class Engine(Protocol):
    """One target. In every connection the warehouse is the current database, in UTC.

    What opens something waits up to `wait_seconds` for whoever holds it; then it raises
    `MartletError`, and `BadInputError` where there is nothing to open.
    """

    def has_warehouse(self) -> bool:
        """Say whether a warehouse was made."""
        ...

    def create_warehouse(self) -> None:
        """Make the warehouse where there is none."""
        ...

    def create_landing(self) -> None:
        """Make the landing where there is none."""
        ...

    def refuse_broken(self, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Raise `BadInputError` where one of the two is there and cannot be read."""
        ...

    def open_warehouse(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[DuckDBPyConnection]:
        """Open the warehouse alone."""
        ...

    def open_landing(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[DuckDBPyConnection]:
        """Open the landing as the current database."""
        ...

    def open_both(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[DuckDBPyConnection]:
        """Open the warehouse with the landing attached as `landing`, read-only."""
        ...

    def keep_open(
        self, *, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[DuckDBPyConnection | None]:
        """Hold the warehouse open, and what gets attached to it, so that opening it again is cheap.

        Meanwhile no other process gets in. Gives the connection that holds it; None where opening
        it costs the same however much there is, and nothing is held.
        """
        ...

    def open_loading(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[DuckDBPyConnection]:
        """Open the file that dlt loads into, as the current database."""
        ...

    def hand_over(self, schema: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """See to it that the finished loads of that file's schema are in the landing."""
        ...

    def landing_stamp(self) -> str:
        """Return what changes with each write to the landing, without reading it."""
        ...

    def landing_place(self) -> str:
        """Return where the landing lies, as people are told."""
        ...

    def lease(
        self, subject: str, *, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[None]:
        """Keep every other machine's process out that wants the same tenant's lease.

        It is taken before any transaction begins, on a connection of its own.
        """
        ...

    def is_conflict(self, message: str) -> bool:
        """Say whether an error means that another writer was faster: trying again will do."""
        ...

    def retried(self, work: Callable[[], Result]) -> Result:
        """Do a piece of work, and do it again while other writers are faster."""
        ...

    def maintain(
        self, *, kept: timedelta, grace: timedelta, wait_seconds: float = WAIT_SECONDS
    ) -> tuple[Maintenance, ...]:
        """Make what is stored small again, beside writers; see `maintenance.maintain`."""
        ...

    def prepare_dbt(self, connection: DuckDBPyConnection) -> None:
        """Attach to dbt's connection what its profile does not."""
        ...

    def prepare_dbt_cursor(self, cursor: DuckDBPyConnection) -> None:
        """Set on each of dbt's cursors what it does not inherit."""
        ...
