"""Lands refused records again, against the contract as it is now."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from martlet import naming
from martlet.contracts.library import object_contract
from martlet.engines.duckdb_engine import quoted_name
from martlet.engines.engine import WAIT_SECONDS
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError
from martlet.landing.batches import ROW_NUMBER, LandedBatch, Loader
from martlet.landing.checks import check_table
from martlet.landing.fitting import VersionFit, fit_records
from martlet.landing.pipeline import LOADS_TABLE, land
from martlet.landing.records import RawRecord, record_of_text
from martlet.settings import Settings


@dataclass(frozen=True)
class RefusedRecord:
    """A record that was refused; `id` is whatever the caller knows it by."""

    id: str
    tenant: str
    platform: str
    connection: str
    object: str
    table: str
    load_id: str
    raw: str


@dataclass(frozen=True)
class Relanded:
    """What became of one: its new load and its place there, or why it is refused still."""

    id: str
    load_id: str | None
    load_row: int
    error: str = ""
    path: str | None = None


@dataclass(frozen=True)
class _Origin:
    """What one new load takes over: the table, its loader, and when the records were extracted."""

    schema: str
    tenant: str
    platform: str
    connection: str
    object: str
    table: str
    loader: Loader
    extracted_at: datetime


def land_again(
    settings: Settings, records: Iterable[RefusedRecord], *, wait_seconds: float = WAIT_SECONDS
) -> Iterator[list[Relanded]]:
    """Land what fits its contract by now; give the outcomes load by load, to be recorded at once.

    The records keep the moment they were extracted at, so that one which is landed late does not
    overwrite what came after it. Raises `BadInputError`, before anything lands, for a record of a
    load that Martlet did not land itself.
    """
    by_origin: dict[_Origin, list[RefusedRecord]] = defaultdict(list)
    with engine_of(settings).open_landing(read_only=True, wait_seconds=wait_seconds) as landing:
        for record in records:
            schema = _schema(record)
            exists = landing.execute(
                "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?",
                [schema, LOADS_TABLE],
            ).fetchall()[0][0]
            found = (
                landing.execute(
                    f"select loader, extracted_at from {quoted_name(schema)}.{LOADS_TABLE} "
                    "where table_name = ? and _dlt_load_id = ?",
                    [record.table, record.load_id],
                ).fetchone()
                if exists
                else None
            )
            if found is None:
                raise BadInputError(
                    f"load {record.load_id} of {record.table} was not landed by Martlet",
                    where=f"quarantined row {record.id}",
                    remedy="correct the record at the source and let its loader land it again",
                )
            by_origin[_origin(record, schema, *found)].append(record)
    for origin, members in by_origin.items():
        yield _landed(settings, origin, members, wait_seconds)


def _schema(record: RefusedRecord) -> str:
    own = naming.landed_table(record.tenant, record.platform, record.object, record.connection)
    return naming.landed_schema(record.tenant) if record.table == own else naming.SHARED_SCHEMA


def _origin(record: RefusedRecord, schema: str, loader: Loader, extracted_at: datetime) -> _Origin:
    is_shared = schema == naming.SHARED_SCHEMA
    return _Origin(
        schema=schema,
        tenant=naming.SHARED_SCHEMA if is_shared else record.tenant,
        platform=record.platform,
        connection=naming.MAIN_CONNECTION if is_shared else record.connection,
        object=record.object,
        table=record.table,
        loader=loader,
        extracted_at=extracted_at,
    )


def _landed(
    settings: Settings, origin: _Origin, members: list[RefusedRecord], wait_seconds: float
) -> list[Relanded]:
    contract = object_contract(origin.platform, origin.object)
    version = next(v for v in contract.versions if v.loader == origin.loader)
    raws = [record_of_text(number, member.raw) for number, member in enumerate(members)]
    fit = VersionFit(version, is_text=all(map(_is_text, raws)))
    fitted, refused = fit_records(fit, raws)
    accepted, unkeyed = check_table(fit.table(fitted), contract, origin.loader)
    outcomes = [
        Relanded(members[r.row_number].id, None, r.row_number, r.error, r.path)
        for r in (*refused, *unkeyed)
    ]
    if accepted.num_rows:
        batch = LandedBatch(
            platform=origin.platform,
            connection=origin.connection,
            object=origin.object,
            loader=origin.loader,
            rows=accepted,
            rejected=(),
            mode="upsert",
            is_complete=False,
            scope_accounts=(),
            scope_start=None,
            scope_end=None,
            extracted_at=origin.extracted_at,
        )
        report = land(
            settings,
            origin.schema,
            origin.tenant,
            [batch],
            table_namer=lambda _: origin.table,
            wait_seconds=wait_seconds,
        )
        (table,) = report.tables
        outcomes += [
            Relanded(members[number].id, table.load_id, number)
            for number in accepted.column(ROW_NUMBER).to_pylist()
        ]
    return sorted(outcomes, key=lambda outcome: outcome.load_row)


def _is_text(record: RawRecord) -> bool:
    """Say whether the record can have come from a format that has nothing but texts."""
    return all(isinstance(value, str | None) for value in (record.fields or {}).values())
