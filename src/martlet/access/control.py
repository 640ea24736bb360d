"""The SQLite file `control.sqlite`: made whole or not at all, shared by processes and threads.

Several machines share a database instead: `control_at` returns what a place asks for.
"""

import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from martlet.access.errors import ControlFileError
from martlet.settings import ControlDatabase

SCHEMA_VERSION = 1
APPLICATION_ID = 0x4D61_7274  # "Mart", so that a foreign SQLite file is told apart
BUSY_SECONDS = 5.0

_SCHEMA = """
create table keys (
    id text primary key,
    tenant text not null,
    scopes text not null,
    name text,
    secret_sha256 blob not null check (length(secret_sha256) = 32),
    created_at text not null,
    expires_at text not null,
    revoked_at text,
    last_used_at text,
    replaced_by text references keys (id)
) strict, without rowid;
create index keys_of_tenant on keys (tenant);
create table installation_secrets (
    name text primary key,
    value text not null
) strict, without rowid;
"""


SESSIONS = """
create table if not exists sessions (
    id_sha256 blob primary key check (length(id_sha256) = 32),
    key_id text not null references keys (id) on delete cascade,
    created_at text not null,
    expires_at text not null,
    seen_at text not null
) strict, without rowid
"""


class Writing(Protocol):
    """What alone may write, until its transaction ends."""

    def execute(self, sql: str, parameters: tuple[Any, ...] = ..., /) -> Any: ...


class Control(Protocol):
    """Where keys lie; every failure is a `ControlFileError`, every statement runs in both kinds."""

    def exists(self) -> bool: ...
    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]: ...
    def transaction(self) -> AbstractContextManager[Writing]: ...
    def write_or_forget(self, sql: str, *parameters: Any) -> None: ...
    def has_sessions(self) -> bool: ...
    def ensure_sessions(self, connection: Any) -> None: ...
    def close(self) -> None: ...


def control_at(place: Path | ControlDatabase, *, busy_seconds: float = BUSY_SECONDS) -> Control:
    """Return the file of keys, or the database that several machines share."""
    if isinstance(place, Path):
        return ControlFile(place, busy_seconds=busy_seconds)
    from martlet.access.shared_control import SharedControl  # its client is not always installed

    return SharedControl(place.keywords, busy_seconds=busy_seconds)


class ControlFile:
    """Rows in, rows out; every failure of SQLite is a `ControlFileError`.

    Reads share one connection. They look at the file first, so a file that was put in its place,
    or taken away, counts from the next read on.
    """

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._path = path
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none where there is no file yet."""
        with self._lock, self._typed_errors():
            reader = self._current_reader()
            return reader.execute(sql, parameters).fetchall() if reader else []

    def exists(self) -> bool:
        """Say whether there is a file."""
        return self._path.is_file()

    def has_sessions(self) -> bool:
        """Say whether anybody ever signed in: the table comes with the first session."""
        return bool(
            self.rows("select 1 from sqlite_master where type = 'table' and name = 'sessions'")
        )

    def ensure_sessions(self, connection: sqlite3.Connection) -> None:
        """Make the table of sessions where there is none."""
        connection.execute(SESSIONS)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that alone may write; make the file first where there is none."""
        self._ensure()
        with self._typed_errors(), closing(self._connect(self._busy_seconds)) as connection:
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")

    def write_or_forget(self, sql: str, *parameters: Any) -> None:
        """Write what may be lost: it waits for nobody, and no failure is told."""
        with (
            suppress(sqlite3.Error, ControlFileError),
            closing(self._connect(0.0, thorough=False)) as connection,
        ):
            connection.execute("pragma synchronous = off")
            connection.execute(sql, parameters)

    def forget_tenant(self, tenant: str) -> int:
        """Delete a tenant's keys with their sessions, for good; return how many keys."""
        if not self._path.exists():
            return 0
        with self.transaction() as connection:
            connection.execute("pragma secure_delete = on")
            named = "select id from keys where tenant = ?"
            if connection.execute(
                "select 1 from sqlite_master where type = 'table' and name = 'sessions'"
            ).fetchone():
                connection.execute(f"delete from sessions where key_id in ({named})", (tenant,))
            connection.execute("update keys set replaced_by = null where tenant = ?", (tenant,))
            gone = connection.execute("delete from keys where tenant = ?", (tenant,)).rowcount
        with self._typed_errors(), closing(self._connect(self._busy_seconds)) as connection:
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)")
        return gone

    def close(self) -> None:
        """Let go of the file; a later read opens it again."""
        with self._lock:
            self._close_reader()

    def _current_reader(self) -> sqlite3.Connection | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116  (Path.stat costs twice as much here)
        except FileNotFoundError:
            self._close_reader()
            return None
        if self._reader is None or self._opened != (found.st_dev, found.st_ino):
            self._close_reader()
            self._reader = self._connect(self._busy_seconds)
            self._opened = (found.st_dev, found.st_ino)
        return self._reader

    def _close_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = self._opened = None

    def _connect(self, busy_seconds: float, *, thorough: bool = True) -> sqlite3.Connection:
        """Return a connection to a file that is ours and, if `thorough`, whole."""
        connection = _connection(self._path, busy_seconds)
        try:
            self._check_origin(connection)
            if thorough:
                self._check_pages(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _check_origin(self, connection: sqlite3.Connection) -> None:
        (application,) = connection.execute("pragma application_id").fetchone()
        (version,) = connection.execute("pragma user_version").fetchone()
        if application != APPLICATION_ID:
            raise self._error("this is no control file of Martlet")
        if version > SCHEMA_VERSION:
            raise ControlFileError(
                f"this file was made by a newer Martlet: it has version {version},"
                f" this program knows {SCHEMA_VERSION}",
                where=str(self._path),
                remedy="use the newer program; the file was left as it is",
            )

    def _check_pages(self, connection: sqlite3.Connection) -> None:
        ((verdict,), *_) = connection.execute("pragma quick_check(1)").fetchall()
        if verdict != "ok":
            raise self._error("the file is damaged")

    def _ensure(self) -> None:
        if self._path.exists():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._beside(".lock"), timeout=self._busy_seconds):
                if not self._path.exists():
                    self._create()
        except Timeout as error:
            raise self._error("another process is making this file and does not end") from error
        except (OSError, sqlite3.Error) as error:
            raise self._error(f"the file cannot be made: {error}") from error

    def _create(self) -> None:
        """Make the file beside its place, then move it there: nobody sees half of one."""
        draft = self._beside(".new")
        for left in (draft, self._beside("-wal"), self._beside("-shm")):
            left.unlink(missing_ok=True)  # SQLite would apply a lost file's log to the new one
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        with closing(_connection(draft, self._busy_seconds)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.executescript(_SCHEMA)
            connection.execute(
                "insert into installation_secrets values ('pseudonym_key', ?)",
                (secrets.token_hex(32),),
            )
            connection.execute(f"pragma application_id = {APPLICATION_ID}")
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        draft.replace(self._path)

    def _beside(self, ending: str) -> Path:
        return self._path.with_name(self._path.name + ending)

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise ControlFileError(
                    f"the file is held by another process for more than {self._busy_seconds:g} s",
                    where=str(self._path),
                    remedy="try again; find who holds it with lsof",
                ) from error
            raise self._error(f"the file cannot be used: {error}") from error
        except sqlite3.Error as error:
            raise self._error(f"the file is damaged: {error}") from error

    def _error(self, what: str) -> ControlFileError:
        return ControlFileError(
            what,
            where=str(self._path),
            remedy="restore it from a backup, or move it away and make new keys",
        )


def copy_control_file(source: Path, target: Path) -> None:
    """Write a whole copy of a control file, whoever uses it meanwhile; for its owner only."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    with (
        closing(_connection(source, BUSY_SECONDS)) as read,
        closing(_connection(target, BUSY_SECONDS)) as written,
    ):
        read.backup(written)


def _connection(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Return a connection to an existing file, in autocommit, for any thread."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.execute("pragma foreign_keys = on")
    # A revocation that was answered must survive a crash of the machine.
    connection.execute("pragma synchronous = full")
    return connection
