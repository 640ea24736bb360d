"""What is asked of the catalogue's PostgreSQL itself: locks, and whether a catalogue exists."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import Any

from martlet.errors import BadInputError, MartletError

try:
    import psycopg
    from psycopg import sql
except ImportError as error:
    raise BadInputError(
        "a catalogue in PostgreSQL needs its client, which is not installed",
        where="MARTLET_LAKE_CATALOGUE",
        remedy="pip install 'martlet[lake]'",
    ) from error

_REMEDY = "check MARTLET_LAKE_CATALOGUE, PGPASSWORD or PGPASSFILE, and that the server runs"
# A lease must end with its machine: by itself, a server keeps the session of one that vanished
# without a word for two hours.
_NOTICED_BY_THE_SERVER = """
    select
        set_config('tcp_keepalives_idle', '10', false),
        set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '3', false),
        set_config('tcp_user_timeout', '30000', false)
"""


def has_table(conninfo: str, schema: str, table: str) -> bool:
    """Say whether the database has a table."""
    with _connected(conninfo) as connection:
        row = connection.execute(
            "select 1 from pg_tables where schemaname = %s and tablename = %s", [schema, table]
        ).fetchone()
    return row is not None


def newest_snapshot(conninfo: str, schema: str) -> int | None:
    """Return the newest snapshot of the lake with that catalogue; None where there is none."""
    query = sql.SQL("select max(snapshot_id) from {}").format(
        sql.Identifier(schema, "ducklake_snapshot")
    )
    with _connected(conninfo) as connection:
        try:
            row = connection.execute(query).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return row[0] if row else None


@contextmanager
def advisory_lock(conninfo: str, subject: str, wait_seconds: float) -> Iterator[None]:
    """Hold a lock by that name on a connection of its own.

    Raises `MartletError` when it stays taken, and at the end when the connection was lost: then
    somebody else may have held it meanwhile.
    """
    with _connected(conninfo) as connection:
        connection.execute(_NOTICED_BY_THE_SERVER)
        _acquire(connection, subject, wait_seconds)
        try:
            yield
        finally:
            released = False
            with suppress(psycopg.Error):
                released = _ask(connection, "select pg_advisory_unlock(%s)", _key(subject))
        if not released:
            raise MartletError(
                "the lease was lost: its connection to the catalogue broke",
                where=subject,
                remedy="run again; the audit tells whether anything was pushed twice",
            )


def _acquire(connection: psycopg.Connection[Any], subject: str, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    pause = 0.02
    while not _ask(connection, "select pg_try_advisory_lock(%s)", _key(subject)):
        if time.monotonic() >= deadline:
            raise MartletError(
                f"another process holds the lease{_holder(connection, subject)}; "
                f"waited {wait_seconds:g} seconds",
                where=subject,
                remedy="wait for it, or give a longer --wait",
            )
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def _holder(connection: psycopg.Connection[Any], subject: str) -> str:
    key = _key(subject) & 0xFFFF_FFFF_FFFF_FFFF
    row = connection.execute(
        "select a.application_name, coalesce(host(a.client_addr), 'here'), "
        "extract(epoch from now() - a.backend_start)::bigint from pg_locks as l "
        "join pg_stat_activity as a using (pid) where l.locktype = 'advisory' and l.granted "
        "and l.classid::bigint = %s and l.objid::bigint = %s and l.objsubid = 1",
        [key >> 32, key & 0xFFFF_FFFF],
    ).fetchone()
    return f": {row[0]} from {row[1]}, for {row[2]} seconds" if row else ""


def _key(subject: str) -> int:
    digest = blake2b(subject.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _ask(connection: psycopg.Connection[Any], query: str, key: int) -> bool:
    row = connection.execute(query, [key]).fetchone()
    return bool(row and row[0])


@contextmanager
def _connected(conninfo: str) -> Iterator[psycopg.Connection[Any]]:
    name = f"martlet {os.getpid()} on {socket.gethostname()}"
    try:
        connection = psycopg.connect(
            conninfo,
            autocommit=True,
            application_name=name,
            connect_timeout=10,
            # A server that is silent for so long is gone; see _NOTICED_BY_THE_SERVER for ourselves.
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=30_000,
        )
    except psycopg.Error as error:
        raise MartletError(
            f"the lake's catalogue cannot be reached: {str(error).splitlines()[0]}",
            where="MARTLET_LAKE_CATALOGUE",
            remedy=_REMEDY,
        ) from error
    try:
        yield connection
    finally:
        connection.close()
