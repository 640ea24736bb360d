"""Lands batches through dlt: one package for each connection, verified by counting."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from martlet.contracts.library import object_contract
from martlet.contracts.physical import physical_columns
from martlet.engines.duckdb_engine import quoted_name
from martlet.engines.engine import WAIT_SECONDS
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError, BrokenPromiseError
from martlet.landing.batches import (
    EXTRACTED_AT,
    LandedBatch,
    Progress,
    ProgressCallback,
    SpilledRows,
)
from martlet.landing.dlt_runner import DltPackage, landed_load_id, open_pipeline, recover
from martlet.landing.erased import without_erased
from martlet.landing.lock import landing_lock
from martlet.registry.fingerprint import canonical_type, fold_name, is_bookkeeping
from martlet.settings import Settings
from martlet.suppression.ledger import ledger_file, read_ledger

LOADS_TABLE = "_martlet_loads"
QUARANTINE_TABLE = "_martlet_quarantine_rows"
DLT_LOADS_TABLE = "_dlt_loads"
_REASONS_TOLD = 20

_LOADS_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("platform", pa.string()),
        ("connection", pa.string()),
        ("object", pa.string()),
        ("loader", pa.string()),
        ("mode", pa.string()),
        ("is_complete", pa.bool_()),
        ("scope_accounts", pa.string()),
        ("scope_start", pa.date32()),
        ("scope_end", pa.date32()),
        ("rows_received", pa.int64()),
        ("rows_accepted", pa.int64()),
        ("rows_quarantined", pa.int64()),
        ("extracted_at", pa.timestamp("us")),
        ("landed_at", pa.timestamp("us")),
    ]
)
_QUARANTINE_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("platform", pa.string()),
        ("connection", pa.string()),
        ("object", pa.string()),
        ("load_row", pa.int64()),
        ("error", pa.string()),
        ("path", pa.string()),
        ("raw_record", pa.string()),
    ]
)

_UNKNOWN_TYPES = {pa.string(): "JSON", pa.bool_(): "BOOLEAN", pa.int64(): "BIGINT"}

TableNamer = Callable[[LandedBatch], str]


@dataclass(frozen=True)
class LandedTable:
    """What one load brought to one table; `reasons` are the most frequent of its bad rows.

    `erased` records were dropped: they were of persons who were erased.
    """

    tenant: str
    platform: str
    connection: str
    object: str
    table: str
    load_id: str
    received: int
    accepted: int
    quarantined: int
    reasons: dict[str, int]
    erased: int = 0


@dataclass(frozen=True)
class RecoveredLoad:
    """A load that an earlier, interrupted landing left behind and this one has completed."""

    tenant: str
    platform: str
    connection: str
    load_id: str


@dataclass(frozen=True)
class LandingReport:
    """What a landing did, in the order it did it."""

    tables: tuple[LandedTable, ...]
    recovered: tuple[RecoveredLoad, ...]


def land(
    settings: Settings,
    tenant_schema: str,
    tenant_slug: str,
    batches: Iterable[LandedBatch],
    *,
    table_namer: TableNamer,
    wait_seconds: float = WAIT_SECONDS,
    progress: ProgressCallback | None = None,
) -> LandingReport:
    """Append the batches to the tenant's schema of the landing file.

    Consecutive batches of one connection become one package: all of its tables are there, or none
    is. Records of erased persons are dropped and counted. What an interrupted landing of that
    connection left behind is completed first. Raises `BadInputError` when a batch does not fit the
    table that is there, `MartletError` when the file or the landing lock stays held,
    `BrokenPromiseError` when rows are missing after the load.
    """
    tables: list[LandedTable] = []
    recovered: list[RecoveredLoad] = []
    with landing_lock(settings, wait_seconds):
        engine_of(settings).create_landing()
        erased = read_ledger(ledger_file(settings)).subjects(tenant_slug)
        for package in _packages(without_erased(batch, erased) for batch in batches):
            landing = _PackageLanding(settings, tenant_schema, tenant_slug, package, table_namer)
            recovered += landing.recover(wait_seconds)
            landed = landing.run()
            tables += landed
            if progress:
                for t in landed:
                    progress(Progress("landed", t.platform, t.connection, t.object, t.accepted))
    return LandingReport(tuple(tables), tuple(recovered))


def complete_pending(settings: Settings, schema: str) -> None:
    """Complete what killed landings of a schema left, in whatever connection; needs the lock."""
    for folder in sorted(settings.dlt_dir.glob(f"{schema}__*")):
        pipeline = open_pipeline(settings, folder.name, schema)
        if recover(pipeline):
            engine_of(settings).hand_over(schema)


def _packages(batches: Iterable[LandedBatch]) -> Iterator[list[LandedBatch]]:
    """Group consecutive batches of one connection; an object that comes again begins a new load."""
    package: list[LandedBatch] = []
    for batch in batches:
        starts_anew = package and (
            (batch.platform, batch.connection) != (package[0].platform, package[0].connection)
            or any(batch.object == other.object for other in package)
        )
        if starts_anew:
            yield package
            package = []
        package.append(batch)
    if package:
        yield package


class _PackageLanding:
    """The landing of one package; knows its names."""

    def __init__(
        self,
        settings: Settings,
        schema: str,
        tenant: str,
        package: Sequence[LandedBatch],
        table_namer: TableNamer,
    ) -> None:
        self.settings = settings
        self.engine = engine_of(settings)
        self.schema = schema
        self.tenant = tenant
        self.platform = package[0].platform
        self.connection = package[0].connection
        self.batches = {table_namer(batch): batch for batch in package}
        if len(self.batches) < len(package):
            raise ValueError("two objects of one package have one table name")

    def recover(self, wait_seconds: float) -> list[RecoveredLoad]:
        with self.engine.open_loading(wait_seconds=wait_seconds):
            pass  # dlt opens it itself, and does not wait
        self.pipeline = open_pipeline(
            self.settings, f"{self.schema}__{self.platform}__{self.connection}", self.schema
        )
        load_ids = recover(self.pipeline)
        with self.engine.open_loading() as loading:
            self._drop_doubled_rows(loading)
        self.engine.hand_over(self.schema, wait_seconds=wait_seconds)
        return [RecoveredLoad(self.tenant, self.platform, self.connection, i) for i in load_ids]

    def run(self) -> list[LandedTable]:
        with self.engine.open_landing() as landing:
            existing = _existing_columns(landing, self.schema)
            self._refuse_other_loaders(landing, existing)
        package = self._package(existing)
        load_id = landed_load_id(self.pipeline, package)
        with self.engine.open_loading(read_only=True) as loading:
            self._verify(loading, load_id, package)
        self.engine.hand_over(self.schema)
        return [
            LandedTable(
                self.tenant,
                batch.platform,
                batch.connection,
                batch.object,
                table,
                load_id,
                batch.received,
                batch.rows.num_rows,
                len(batch.rejected),
                _reasons(batch),
                batch.erased,
            )
            for table, batch in self.batches.items()
        ]

    def _package(self, existing: Mapping[str, Mapping[str, str]]) -> DltPackage:
        tables: DltPackage = {}
        for table, batch in self.batches.items():
            columns = existing.get(table, {})
            types = _landed_types(batch)
            _refuse_changed_types(self.settings, f"{self.schema}.{table}", types, columns)
            rows = _stamped(batch, columns)
            spelled = {fold_name(name): name for name in rows.schema.names}
            json_columns = [spelled[name] for name, kind in types.items() if kind == "JSON"]
            tables[table] = (rows, json_columns)
        tables[LOADS_TABLE] = (self._loads(), [])
        rejected = self._rejected()
        if rejected.num_rows:
            tables[QUARANTINE_TABLE] = (rejected, [])
        return tables

    def _loads(self) -> pa.Table:
        landed_at = datetime.now(UTC).replace(tzinfo=None)
        return pa.Table.from_pylist(
            [
                {
                    "table_name": table,
                    "platform": batch.platform,
                    "connection": batch.connection,
                    "object": batch.object,
                    "loader": batch.loader,
                    "mode": batch.mode,
                    "is_complete": batch.is_complete,
                    "scope_accounts": _json_list(batch.scope_accounts),
                    "scope_start": batch.scope_start,
                    "scope_end": batch.scope_end,
                    "rows_received": batch.received,
                    "rows_accepted": batch.rows.num_rows,
                    "rows_quarantined": len(batch.rejected),
                    "extracted_at": batch.extracted_at,
                    "landed_at": landed_at,
                }
                for table, batch in self.batches.items()
            ],
            schema=_LOADS_SCHEMA,
        )

    def _rejected(self) -> pa.Table:
        return pa.Table.from_pylist(
            [
                {
                    "table_name": table,
                    "platform": batch.platform,
                    "connection": batch.connection,
                    "object": batch.object,
                    "load_row": row.row_number,
                    "error": row.error,
                    "path": row.path,
                    "raw_record": row.raw_record,
                }
                for table, batch in self.batches.items()
                for row in batch.rejected
            ],
            schema=_QUARANTINE_SCHEMA,
        )

    def _verify(
        self, landing: duckdb.DuckDBPyConnection, load_id: str, package: DltPackage
    ) -> None:
        schema = quoted_name(self.schema)
        finished = landing.execute(
            f"select count(*) from {schema}._dlt_loads where load_id = ? and status = 0", [load_id]
        ).fetchall()[0][0]
        wrong = [] if finished else ["_dlt_loads does not state the load as finished"]
        for table, (rows, _) in package.items():
            found = self._count(landing, table, load_id)
            if found != rows.num_rows:
                wrong.append(f"{table} has {found} rows of it, {rows.num_rows} were handed over")
        if wrong:
            raise BrokenPromiseError(
                f"load {load_id} is not what was handed over: {'; '.join(wrong)}",
                where=f"{self.engine.landing_place()}, schema {self.schema}",
                remedy="land the same data again; nothing downstream doubles it",
            )

    def _refuse_other_loaders(
        self, landing: duckdb.DuckDBPyConnection, existing: Mapping[str, Mapping[str, str]]
    ) -> None:
        if LOADS_TABLE not in existing:
            return
        query = (
            "select distinct table_name, loader from "
            f"{quoted_name(self.schema)}.{LOADS_TABLE} where platform = ? and connection = ?"
        )
        for table, loader in landing.execute(query, [self.platform, self.connection]).fetchall():
            batch = self.batches.get(table)
            if batch is not None and batch.loader != loader:
                raise BadInputError(
                    f"the table has the shape of the loader {loader!r}, these records have that of "
                    f"{batch.loader!r}; a table keeps one shape",
                    where=f"{self.schema}.{table}",
                    remedy="land them as another connection (declare it in tenants.yaml and give "
                    f"--connection), or give --loader {loader}",
                )

    def _drop_doubled_rows(self, landing: duckdb.DuckDBPyConnection) -> None:
        """Undo what a kill between a commit and dlt's own note of it has written twice.

        Only the newest load can be doubled: the one before it was recovered before it began.
        """
        existing = _existing_columns(landing, self.schema)
        if LOADS_TABLE not in existing:
            return
        schema = quoted_name(self.schema)
        loads = landing.execute(
            "select distinct _dlt_load_id, table_name, rows_accepted "
            f"from {schema}.{LOADS_TABLE} where platform = ? and connection = ? "
            "qualify _dlt_load_id = max(_dlt_load_id) over ()",
            [self.platform, self.connection],
        ).fetchall()
        if not loads:
            return
        load_id = loads[0][0]
        keys = {LOADS_TABLE: "table_name", DLT_LOADS_TABLE: "load_id"}
        if QUARANTINE_TABLE in existing:
            keys[QUARANTINE_TABLE] = "table_name, load_row, error"
        for _, table, accepted in loads:
            if table in existing and self._count(landing, table, load_id) > accepted:
                keys[table] = "_martlet_row"
        for table, key in keys.items():
            of_load = "load_id" if table == DLT_LOADS_TABLE else "_dlt_load_id"
            landing.execute(
                f"delete from {schema}.{quoted_name(table)} where rowid in ("
                f"select rowid from {schema}.{quoted_name(table)} where {of_load} = ? "
                f"qualify row_number() over (partition by {key} order by rowid) > 1)",
                [load_id],
            )

    def _count(self, landing: duckdb.DuckDBPyConnection, table: str, load_id: str) -> int:
        relation = f"{quoted_name(self.schema)}.{quoted_name(table)}"
        query = f"select count(*) from {relation} where _dlt_load_id = ?"
        return int(landing.execute(query, [load_id]).fetchall()[0][0])


def _reasons(batch: LandedBatch) -> dict[str, int]:
    reasons = Counter(f"{r.path}: {r.error}" if r.path else r.error for r in batch.rejected)
    return dict(reasons.most_common(_REASONS_TOLD))


def _json_list(values: tuple[str, ...]) -> str | None:
    return json.dumps(values) if values else None


def _existing_columns(landing: duckdb.DuckDBPyConnection, schema: str) -> dict[str, dict[str, str]]:
    """Return the schema's tables: column name to type."""
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in landing.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name = ? order by column_index",
        [schema],
    ).fetchall():
        tables.setdefault(table, {})[column] = kind
    return tables


def _landed_types(batch: LandedBatch) -> dict[str, str]:
    """Return folded column name to the engine type that the batch's column lands as."""
    contract = object_contract(batch.platform, batch.object)
    version = next(v for v in contract.versions if v.loader == batch.loader)
    known = {fold_name(n): t for n, t in physical_columns(version.record).items()}
    types: dict[str, str] = {}
    for field in batch.rows.schema:
        name = fold_name(field.name)
        types[name] = known.get(name) or _UNKNOWN_TYPES[field.type]
    return types


def _stamped(batch: LandedBatch, columns: Mapping[str, str]) -> pa.Table | SpilledRows:
    """Return the batch's rows as they land: spelled like the table, with their moment."""
    moment = pa.scalar(batch.extracted_at, pa.timestamp("us"))

    def change(rows: pa.Table) -> pa.Table:
        spelled = _spelled_like(rows, columns)
        return spelled.append_column(EXTRACTED_AT, pa.repeat(moment, rows.num_rows))

    rows = batch.rows
    if isinstance(rows, SpilledRows):
        return rows.changed(change(rows.schema.empty_table()).schema, change)
    return change(rows)


def _spelled_like(rows: pa.Table, columns: Mapping[str, str]) -> pa.Table:
    """Rename columns as the table spells them: the engine's names know no case, dlt's do."""
    spelled = {fold_name(name): name for name in columns}
    return rows.rename_columns([spelled.get(fold_name(n), n) for n in rows.column_names])


def _refuse_changed_types(
    settings: Settings, table: str, types: Mapping[str, str], columns: Mapping[str, str]
) -> None:
    """dlt would land the values of a changed type in a second column, out of everybody's sight."""
    for name, kind in columns.items():
        wanted = types.get(fold_name(name))
        if wanted is None or is_bookkeeping(name) or canonical_type(kind) == wanted:
            continue
        raise BadInputError(
            f"column {name!r} is {kind} in the table, and {wanted} in what is to be landed",
            where=f"{engine_of(settings).landing_place()}, {table}",
            remedy="publish a new version of the contract and land to another connection; "
            "see docs/cookbooks/version_a_connector.md",
        )
