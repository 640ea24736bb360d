"""The embedded target: DuckDB files, made with the layout we need, waited for while held."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path

import duckdb

from martlet.engines.engine import WAIT_SECONDS, Maintenance, Result
from martlet.engines.layout import refuse_newer, stated_layout
from martlet.engines.limits import apply_engine_settings
from martlet.engines.swap import finish_swap
from martlet.errors import BadInputError, MartletError
from martlet.settings import Settings

# An older one silently stores USING COMPRESSION zstd uncompressed.
WAREHOUSE_STORAGE_VERSION = "v1.5.0"
# Thousands of tiny tables are 14 times smaller in blocks of 16 KB than in those of 256 KB; with so
# small blocks, the newer compressions take twice the CPU of an insert and save 5 % of the file.
LANDING_BLOCK_SIZE = 16_384
LANDING_STORAGE_VERSION = "v1.2.0"

_RESTORE = "restore the file from a backup, or move it away and land and run again"
_HOLDER = re.compile(r"\(PID (\d+)\)")
_TOLD = re.compile(r"another process holds the database: PID .+")
_HELD_FILE = re.compile(r'lock on file "([^"]+)"')
_LOCKED = re.compile(r"\block\b", re.IGNORECASE)  # a block is none
_CORRUPT = re.compile(r"corrupt database|could not read enough bytes|checksum", re.IGNORECASE)


class FileLanding:
    """What targets share whose landing is a file of this machine: the file is the only lease."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def create_landing(self) -> None:
        finish_swap(self.settings.home)
        create_landing(self.settings.landing)

    def open_landing(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        finish_swap(self.settings.home)
        return connect(self.settings.landing, read_only=read_only, wait_seconds=wait_seconds)

    def open_loading(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        return self.open_landing(read_only=read_only, wait_seconds=wait_seconds)

    def keep_open(
        self, *, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection | None]:
        return nullcontext()

    def hand_over(self, schema: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """The file is the landing."""

    def landing_stamp(self) -> str:
        return file_stamp(self.settings.landing)

    def landing_place(self) -> str:
        return str(self.settings.landing)

    def lease(
        self, subject: str, *, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[None]:
        return nullcontext()


class DuckDBEngine(FileLanding):
    """Two files, each held by one process at a time: what holds the file needs no other lease."""

    def has_warehouse(self) -> bool:
        return self.settings.warehouse.exists()

    def create_warehouse(self) -> None:
        finish_swap(self.settings.home)
        create_warehouse(self.settings.warehouse)

    def refuse_broken(self, *, wait_seconds: float = WAIT_SECONDS) -> None:
        finish_swap(self.settings.home)
        paths = (self.settings.landing, self.settings.warehouse)
        for path in paths if not all(path.exists() for path in paths) else ():
            if path.exists():
                with connect(path, read_only=True, wait_seconds=wait_seconds):
                    pass

    def open_warehouse(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        finish_swap(self.settings.home)
        return _of_this_layout(
            self.settings,
            connect(self.settings.warehouse, read_only=read_only, wait_seconds=wait_seconds),
        )

    def open_both(
        self, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        finish_swap(self.settings.home)
        return _of_this_layout(
            self.settings,
            connect_warehouse(self.settings, read_only=read_only, wait_seconds=wait_seconds),
        )

    def keep_open(
        self, *, wait_seconds: float = WAIT_SECONDS
    ) -> AbstractContextManager[duckdb.DuckDBPyConnection | None]:
        return connect(self.settings.warehouse, wait_seconds=wait_seconds)

    def is_conflict(self, message: str) -> bool:
        return False

    def retried(self, work: Callable[[], Result]) -> Result:
        return work()

    def maintain(
        self, *, kept: timedelta, grace: timedelta, wait_seconds: float = WAIT_SECONDS
    ) -> tuple[Maintenance, ...]:
        """A file keeps no old states: what can be done is to take its log in."""
        done = []
        for path in (self.settings.warehouse, self.settings.landing):
            before = path.stat().st_size if path.exists() else 0
            with connect(path, wait_seconds=wait_seconds) as connection:
                connection.execute("checkpoint")
            done.append(Maintenance(path.stem, 1, 1, before, path.stat().st_size))
        return tuple(done)

    def prepare_dbt(self, connection: duckdb.DuckDBPyConnection) -> None:
        """The profile attaches the landing."""

    def prepare_dbt_cursor(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """The profile's settings are all."""


@contextmanager
def _of_this_layout(
    settings: Settings, opened: AbstractContextManager[duckdb.DuckDBPyConnection]
) -> Iterator[duckdb.DuckDBPyConnection]:
    with opened as connection:
        refuse_newer(connection, str(settings.warehouse))
        yield connection


def create_landing(path: Path) -> None:
    """Create the landing file where there is none."""
    _create(path, f"block_size {LANDING_BLOCK_SIZE}, storage_version '{LANDING_STORAGE_VERSION}'")


def create_warehouse(path: Path) -> None:
    """Create the warehouse file where there is none; must come before any other tool opens it."""
    _create(path, f"storage_version '{WAREHOUSE_STORAGE_VERSION}'", stated_layout("created"))


@contextmanager
def connect(
    path: Path, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an existing DuckDB file, its session in UTC and its memory limited.

    Waits up to `wait_seconds` for a process that holds the file. Raises `BadInputError` when the
    file is missing or is no DuckDB file, `MartletError` when it stays held, or turns out to be
    damaged while it is read.
    """
    _require_file(path)
    connection = _patiently(
        path, wait_seconds, lambda: duckdb.connect(str(path), read_only=read_only)
    )
    try:
        connection.execute("set TimeZone = 'UTC'")
        apply_engine_settings(connection)
        yield connection
    except duckdb.Error as error:
        if _CORRUPT.search(str(error)):
            raise MartletError(
                f"the database is damaged: {error}", where=str(path), remedy=_RESTORE
            ) from error
        raise
    finally:
        connection.close()


@contextmanager
def connect_warehouse(
    settings: Settings, *, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse with the landing file attached as `landing`, read-only; see `connect`."""
    _require_file(settings.landing)
    with connect(settings.warehouse, read_only=read_only, wait_seconds=wait_seconds) as connection:
        _attach_landing(connection, settings, wait_seconds)
        yield connection


def _attach_landing(
    connection: duckdb.DuckDBPyConnection, settings: Settings, wait_seconds: float
) -> None:
    """Attach the landing file as `landing`, read-only, unless the connection's instance has it."""
    attach = f"attach if not exists {quoted_text(str(settings.landing))} as landing (read_only)"
    # With more threads, one of them attaches while another spins until that is done: twice the CPU.
    connection.execute("set threads = 1")
    try:
        _patiently(settings.landing, wait_seconds, lambda: connection.execute(attach))
    finally:
        connection.execute("reset threads")


def file_stamp(path: Path) -> str:
    """Return what changes with each write to a database file, without opening it.

    Take it before looking into the file: what is written meanwhile then makes another stamp.
    """
    stamps = []
    for part in (path, path.with_name(f"{path.name}.wal")):
        try:
            stat = part.stat()
        except FileNotFoundError:
            continue
        stamps.append(f"{stat.st_ino}.{stat.st_size}.{stat.st_mtime_ns}.{stat.st_ctime_ns}")
    return "+".join(stamps)


def holding(message: str) -> MartletError | None:
    """Return who holds a file, where that is what DuckDB or we said and another tool passed on."""
    held = _HELD_FILE.search(message)
    if held:
        return _explained(Path(held[1]), duckdb.IOException(message))
    told = _TOLD.search(message)
    return MartletError(told[0], remedy="wait for it, or give a longer --wait") if told else None


def columns_of(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return a table's or view's columns with their types; empty where there is none of that name.

    `relation` is as SQL spells it. The engine's own listings cost as much as everything that there
    is in all attached files; this looks up the one name.
    """
    try:
        described = connection.execute(f"describe {relation}").fetchall()
    except duckdb.CatalogException:
        return {}
    return {name: kind for name, kind, *_ in described}


def quoted_text(value: str) -> str:
    """Return a text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def quoted_name(value: str) -> str:
    """Return an identifier as SQL spells it."""
    return '"' + value.replace('"', '""') + '"'


def _create(path: Path, options: str, statements: Iterable[str] = ()) -> None:
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with duckdb.connect(":memory:") as connection:
            connection.execute(f"attach {quoted_text(str(draft))} as created ({options})")
            for statement in statements:
                connection.execute(statement)
            connection.execute("detach created")
        # A link never replaces: of two processes that create the file, one keeps the other's.
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    except (OSError, duckdb.IOException) as error:
        raise BadInputError(
            f"cannot create the database file: {error}",
            where=str(path),
            remedy="check that its folder can be written, or set MARTLET_HOME to another folder",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _require_file(path: Path) -> None:
    if path.is_file():
        return
    what = "this is a folder, not a database file" if path.is_dir() else "there is no such database"
    command = "martlet land" if path.name.startswith("landing") else "martlet run"
    raise BadInputError(
        what, where=str(path), remedy=f"run `{command}` first, or check MARTLET_HOME"
    )


def _patiently(
    path: Path, wait_seconds: float, attempt: Callable[[], duckdb.DuckDBPyConnection]
) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_seconds
    pause = 0.05
    while True:
        try:
            return attempt()
        except duckdb.Error as error:
            problem = _explained(path, error)
            if isinstance(problem, BadInputError) or time.monotonic() >= deadline:
                raise problem from error
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def _explained(path: Path, error: duckdb.Error) -> MartletError:
    message = str(error)
    holder = _HOLDER.search(message)
    if holder:
        return MartletError(
            f"another process holds the database: PID {holder[1]}{_age_of(holder[1])}",
            where=str(path),
            remedy=f"wait for it, or give a longer --wait; end it only if `ps -p {holder[1]}` "
            "shows nothing that you need",
        )
    if _LOCKED.search(message) or isinstance(error, duckdb.ConnectionException):
        return MartletError(
            f"the database is in use: {message}",
            where=str(path),
            remedy="end the process that uses it, then try again",
        )
    return BadInputError(
        f"cannot be opened as a database: {message}",
        where=str(path),
        remedy=_RESTORE,
    )


def _age_of(process_id: str) -> str:
    try:
        shown = subprocess.run(
            ["ps", "-o", "etime=", "-p", process_id], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    age = shown.stdout.strip()
    return f", running for {age}" if age else ""
