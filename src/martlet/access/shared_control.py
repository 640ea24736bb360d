"""The keys of several machines in one PostgreSQL, used as `control.sqlite` is."""

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from martlet.access.errors import ControlFileError
from martlet.errors import BadInputError

try:
    import psycopg
except ImportError as error:
    raise BadInputError(
        "keys in PostgreSQL need its client, which is not installed",
        where="MARTLET_CONTROL",
        remedy="pip install 'martlet[lake]'",
    ) from error

SCHEMA = "martlet_control"
SCHEMA_VERSION = 1
# While the server is gone, requests hear so at once; one a second tries again.
_PAUSE_SECONDS = 1.0

_TABLES = f"""
create schema if not exists {SCHEMA};
create table if not exists keys (
    id text primary key,
    tenant text not null,
    scopes text not null,
    name text,
    secret_sha256 bytea not null check (length(secret_sha256) = 32),
    created_at text not null,
    expires_at text not null,
    revoked_at text,
    last_used_at text,
    replaced_by text references keys (id)
);
create index if not exists keys_of_tenant on keys (tenant);
create table if not exists installation_secrets (name text primary key, value text not null);
create table if not exists sessions (
    id_sha256 bytea primary key check (length(id_sha256) = 32),
    key_id text not null references keys (id) on delete cascade,
    created_at text not null,
    expires_at text not null,
    seen_at text not null
);
create table if not exists control_version (version integer not null);
insert into control_version select {SCHEMA_VERSION}
where not exists (select 1 from control_version);
"""


class SharedControl:
    """Rows in, rows out, every failure a `ControlFileError`; safe for threads.

    Each read asks the server, so what one machine revoked opens nothing on another from the next
    request on. One connection serves all threads in turn: a read is one look into an index.
    """

    def __init__(self, keywords: str, *, busy_seconds: float) -> None:
        self._keywords = keywords
        self._busy_seconds = busy_seconds
        self._lock = threading.Lock()
        self._reader: psycopg.Connection[Any] | None = None
        self._failed_at = float("-inf")

    def exists(self) -> bool:
        """Say whether there are tables for keys."""
        return bool(self.rows("select 1 from pg_tables where schemaname = ?", SCHEMA))

    def has_sessions(self) -> bool:
        return self.exists()

    def ensure_sessions(self, _: "_Writing") -> None:
        """Do nothing: the table came with that of keys."""

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query; none where there are no tables yet."""
        with self._lock, self._typed_errors():
            was_connected = self._reader is not None
            try:
                return self._rows(sql, parameters)
            except psycopg.OperationalError:
                self._close()
                if not was_connected:
                    raise
                return self._rows(sql, parameters)  # the server was started again since

    @contextmanager
    def transaction(self) -> Iterator["_Writing"]:
        """Give what alone may write; make the tables first where there are none."""
        with self._typed_errors(), self._connect() as connection, connection.transaction():
            wait = max(1, int(self._busy_seconds * 1_000))
            connection.execute(f"set local lock_timeout = {wait}")
            connection.execute("select pg_advisory_xact_lock(hashtext('martlet_control'))")
            self._ensure(connection)
            yield _Writing(connection)

    def write_or_forget(self, sql: str, *parameters: Any) -> None:
        """Write what may be lost: no failure is told."""
        with self._lock, suppress(psycopg.Error, ControlFileError):
            self._rows(sql, parameters)

    def close(self) -> None:
        """Let go of the server; a later read connects again."""
        with self._lock:
            self._close()

    def _rows(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        if self._reader is None or self._reader.closed:
            self._reader = self._connect()
        try:
            found = self._reader.execute(_in_postgres(sql), parameters)
        except psycopg.errors.UndefinedTable:
            return []
        return found.fetchall() if found.description else []

    def _ensure(self, connection: psycopg.Connection[Any]) -> None:
        (found,) = connection.execute("select to_regclass('control_version')").fetchone() or (None,)
        if found is None:
            connection.execute(_TABLES.encode())
            connection.execute(
                "insert into installation_secrets values ('pseudonym_key', %s) "
                "on conflict do nothing",
                (secrets.token_hex(32),),
            )
        (version,) = connection.execute("select version from control_version").fetchone() or (0,)
        if version > SCHEMA_VERSION:
            raise ControlFileError(
                f"these tables were made by a newer Martlet: they have version {version}, "
                f"this program knows {SCHEMA_VERSION}",
                where=f"MARTLET_CONTROL, schema {SCHEMA}",
                remedy="use the newer program; the tables were left as they are",
            )

    def _connect(self) -> psycopg.Connection[Any]:
        if time.monotonic() - self._failed_at < _PAUSE_SECONDS:
            raise self._error("the database was not reachable a moment ago")
        try:
            return psycopg.connect(
                self._keywords,
                autocommit=True,
                application_name=f"martlet {os.getpid()} on {socket.gethostname()}",
                connect_timeout=3,
                keepalives_idle=5,
                keepalives_interval=2,
                keepalives_count=2,
                tcp_user_timeout=5_000,
                options=f"-c search_path={SCHEMA} -c lock_timeout=200 -c statement_timeout=10000",
            )
        except psycopg.Error:
            self._failed_at = time.monotonic()
            raise

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.errors.LockNotAvailable as error:
            raise ControlFileError(
                f"another process changes keys for more than {self._busy_seconds:g} s",
                where="MARTLET_CONTROL",
                remedy="try again",
            ) from error
        except psycopg.Error as error:
            raise self._error(
                f"the database of keys cannot be used: {str(error).splitlines()[0]}"
            ) from error

    def _error(self, what: str) -> ControlFileError:
        return ControlFileError(
            what,
            where="MARTLET_CONTROL",
            remedy="check MARTLET_CONTROL, PGPASSWORD or PGPASSFILE, and that the server runs",
        )


class _Writing:
    """A connection that alone may write, with the placeholders that both kinds of control take."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> psycopg.Cursor[Any]:
        return self._connection.execute(_in_postgres(sql), parameters)


def _in_postgres(sql: str) -> bytes:
    """Return a statement with PostgreSQL's placeholders; none of ours holds `?` in a text."""
    return sql.replace("%", "%%").replace("?", "%s").encode()
