"""Records what dbt did in the histories of schema `ops`, in bulk, after dbt has let the file go.

A record that cannot be stored must not fail a run whose data is right: it waits in a file, and the
next run stores it.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from martlet import naming
from martlet.engines.duckdb_engine import columns_of, quoted_name
from martlet.engines.targets import engine_of
from martlet.errors import MartletError
from martlet.pipeline.audit import LEDGER
from martlet.pipeline.invocation import Invocation, Record, Rows, build_record, utc_now
from martlet.registry.routing import Declaration
from martlet.settings import Settings

# In this order: the definitions are stored only where they differ from the newest ones.
DEFINITIONS = ("model_artifacts", "test_artifacts")
HISTORIES = ("invocations", *DEFINITIONS, "run_results", "source_freshness")

# A table that stays broken must not make every run longer than the one before.
RETRIES_PER_RUN = 20


def record_run(
    settings: Settings,
    invocation: Invocation,
    declared: Iterable[Declaration],
    *,
    wait_seconds: float,
) -> list[str]:
    """Store the record of an invocation and those that earlier runs left; return warnings.

    `declared` are the tables whose freshness is measured.
    """
    record = build_record(invocation, settings.project_dir)
    folder = pending_dir(settings)
    own = folder / f"{invocation.started_at:%Y%m%dT%H%M%S%f}_{invocation.invocation_id}.json"
    earlier = sorted(folder.glob("*.json"))[:RETRIES_PER_RUN]
    try:
        with engine_of(settings).open_warehouse(wait_seconds=wait_seconds) as warehouse:
            warnings = (
                [] if invocation.is_as_of else _measure(warehouse, invocation, declared, record)
            )
            # Kept before it is stored: a killed run's record is stored by the next.
            _keep(own, record)
            return warnings + _settle(warehouse, [*earlier, own])
    except MartletError as error:
        return [_kept_for_later(own, record, error.what)]
    except OSError as error:
        return [f"what this run did is not recorded: {error}"]


def pending_dir(settings: Settings) -> Path:
    """Return the folder of the records that no run has stored yet."""
    return settings.home / "pending_artifacts"


def store(warehouse: duckdb.DuckDBPyConnection, record: Record) -> None:
    """Append a record's rows in one transaction; one that is there already adds nothing."""
    with _transaction(warehouse):
        if _is_stored(warehouse, record):
            return
        for history in HISTORIES:
            if rows := record.get(history):
                _insert(warehouse, history, rows)


def _kept_for_later(path: Path, record: Record, reason: str) -> str:
    try:
        _keep(path, record)
    except OSError as error:
        return f"what this run did is not recorded: {reason}; nor can it be kept: {error}"
    return _unstored([path], reason)


def _keep(path: Path, record: Record) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_text(json.dumps(record), encoding="utf-8")
    draft.replace(path)


def _settle(warehouse: duckdb.DuckDBPyConnection, paths: Iterable[Path]) -> list[str]:
    """Store kept records and delete their files; return warnings where that is not possible."""
    warnings: list[str] = []
    unstored: dict[str, list[Path]] = {}
    for path in paths:
        try:
            store(warehouse, _read(path))
        except FileNotFoundError:  # another run was faster
            continue
        except (ValueError, pa.ArrowException) as error:
            aside = path.replace(path.with_suffix(".unreadable"))
            warnings.append(f"the record of a run cannot be read ({error}); set aside as {aside}")
        except duckdb.Error as error:
            unstored.setdefault(str(error).splitlines()[0], []).append(path)
        else:
            path.unlink(missing_ok=True)
    return warnings + [_unstored(kept, reason) for reason, kept in unstored.items()]


def _unstored(kept: list[Path], reason: str) -> str:
    number = "what this run did" if len(kept) == 1 else f"what {len(kept)} runs did"
    return (
        f"{number} is not recorded yet: {reason}\n"
        f"  it is kept in {kept[-1].parent}; the next run tries again"
    )


def _read(path: Path) -> Record:
    """Return a kept record. Raises `ValueError` for what is none."""
    record = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(record, dict) or not record.keys() <= set(HISTORIES):
        raise ValueError(f"it must hold rows of {', '.join(HISTORIES)}")
    for rows in record.values():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValueError("rows must be a list of objects")
    return record


@contextmanager
def _transaction(warehouse: duckdb.DuckDBPyConnection) -> Iterator[None]:
    warehouse.begin()
    try:
        yield
    except BaseException:
        warehouse.rollback()
        raise
    warehouse.commit()


def _is_stored(warehouse: duckdb.DuckDBPyConnection, record: Record) -> bool:
    """Say whether a killed run had stored the record before it could delete the file."""
    ids = [row.get("invocation_id") for row in record.get("invocations", [])]
    found = warehouse.execute(
        "select count(*) from ops.invocations where list_contains(?, invocation_id)", [ids]
    ).fetchone()
    return bool(found and found[0])


def _insert(warehouse: duckdb.DuckDBPyConnection, history: str, rows: Rows) -> None:
    changed = f"""
        left join (
            select node_id, arg_max(definition_hash, captured_at) as definition_hash
            from ops.{history}
            group by node_id
        ) as known on known.node_id = incoming.node_id
        where known.definition_hash is distinct from incoming.definition_hash
    """
    warehouse.register("martlet_artifacts", pa.Table.from_pylist(rows))
    try:
        warehouse.execute(
            f"insert into ops.{history} by name "
            f"select incoming.* from martlet_artifacts as incoming"
            f"{changed if history in DEFINITIONS else ''}"
        )
    finally:
        warehouse.unregister("martlet_artifacts")


def _measure(
    warehouse: duckdb.DuckDBPyConnection,
    invocation: Invocation,
    declared: Iterable[Declaration],
    record: Record,
) -> list[str]:
    """Add to the record what only the warehouse knows: rows that were made, and freshness."""
    if not _has_ledger(warehouse):
        return []
    try:
        made = _rows_made(warehouse, invocation)
        record["source_freshness"] = _freshness(warehouse, invocation, declared)
    except duckdb.Error as error:
        return [f"the freshness of sources could not be measured: {str(error).splitlines()[0]}"]
    for row in record["run_results"]:
        if row["status"] == "success" and row["rows_affected"] is None:
            row["rows_affected"] = made.get(row["name"])
    return []


def _has_ledger(warehouse: duckdb.DuckDBPyConnection) -> bool:
    return bool(columns_of(warehouse, LEDGER))


def _count(warehouse: duckdb.DuckDBPyConnection, table: str) -> int:
    ((rows,),) = warehouse.execute(f"select count(*) from {table}").fetchall()
    return int(rows)


def _rows_made(warehouse: duckdb.DuckDBPyConnection, invocation: Invocation) -> dict[str, int]:
    """Return the rows of each table that was built, and those that each staging model pushed."""
    built = {
        r.node.name: f"{quoted_name(r.node.schema)}.{quoted_name(r.node.name)}"
        for r in invocation.nodes
        if r.node.resource_type == "model" and r.node.config.materialized in ("table", "refreshed")
    }
    made = {
        name: _count(warehouse, table)
        for name, table in built.items()
        if columns_of(warehouse, table)
    }
    pushed = {
        naming.staging_model(tenant, platform, object_): int(rows)
        for tenant, platform, object_, rows in warehouse.execute(
            f"select tenant_slug, source_platform, object, sum(rows_pushed + rows_tombstoned) "
            f"from {LEDGER} where tenant_slug = ? and pushed_at >= ? group by all",
            [invocation.tenant, invocation.started_at],
        ).fetchall()
    }
    staging = {r.node.name: 0 for r in invocation.nodes if r.node.schema == "staging"}
    return made | staging | pushed


def _freshness(
    warehouse: duckdb.DuckDBPyConnection, invocation: Invocation, declared: Iterable[Declaration]
) -> Rows:
    newest: dict[tuple[str, str, str], tuple[datetime | None, str]] = {
        (platform, object_, connection): (extracted_at, load_id)
        for platform, object_, connection, extracted_at, load_id in warehouse.execute(
            f"select source_platform, object, connection, max(extracted_at), "
            f"coalesce(arg_max(load_id, extracted_at), max(load_id)) "
            f"from {LEDGER} where tenant_slug = ? group by all",
            [invocation.tenant],
        ).fetchall()
    }
    measured_at = utc_now().isoformat()

    def row(platform: str, object_: str, connection: str) -> dict[str, Any]:
        extracted_at, load_id = newest.get((platform, object_, connection), (None, None))
        return {
            "invocation_id": invocation.invocation_id,
            "tenant_slug": invocation.tenant,
            "source_platform": platform,
            "object": object_,
            "connection": connection,
            "newest_extracted_at": extracted_at.isoformat() if extracted_at else None,
            "newest_load_id": load_id,
            "measured_at": measured_at,
        }

    places = dict.fromkeys((d.platform, d.object, d.connection) for d in declared)
    return [row(*place) for place in places]
