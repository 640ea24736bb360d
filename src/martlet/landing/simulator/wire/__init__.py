"""Runs the wire mappers: a connector's SQL over the world gives the records its API would send.

A mapper `wire/<connector>.py` exports `OBJECTS`: object to a select over the views of one
connection, `account`, `campaign`, `ad_group`, `ad`, `ad_day`, `product`, `orders`, `order_line`,
`event`, `session`, `person`, and the one-row view `context`. The select names its columns as the
wire does. Those of the contract that it leaves out are null; nested ones may be JSON, structs or
lists.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib import import_module

import duckdb
import numpy as np
import pyarrow as pa

from martlet.config.tenant import Source, Tenant
from martlet.contracts.base import ObjectContract
from martlet.contracts.library import object_contract
from martlet.contracts.physical import physical_columns
from martlet.engines.duckdb_engine import quoted_name, quoted_text
from martlet.errors import MartletError
from martlet.landing.batches import ROW_NUMBER
from martlet.landing.checks import first_step
from martlet.landing.simulator.wire.parts import report_parts
from martlet.landing.simulator.world import RELATIONS, World

# Bounds the memory of a load: a million events are some gigabyte as texts.
ROWS_PER_PART = 100_000

_ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}
_CONTEXT = (
    ("tenant_slug", "varchar"),
    ("platform", "varchar"),
    ("connection", "varchar"),
    ("currency", "varchar"),
    ("timezone", "varchar"),
    ("reporting_timezone", "varchar"),
    ("conversion_action", "varchar"),
    ("attribution_setting", "varchar"),
    ("until", "date"),
    ("extracted_at", "timestamp"),
)


@dataclass(frozen=True)
class WirePart:
    """Records that are landed together; the days that they cover whole, where it is a report."""

    records: pa.Table
    scope_start: date | None = None
    scope_end: date | None = None


def wire_records(
    world: World, tenant: Tenant, source: Source, connection: str, object_: str
) -> pa.Table:
    """Return all records of one object; see `wire_parts`."""
    parts = wire_parts(world, tenant, source, connection, object_)
    return pa.concat_tables(part.records for part in parts)


def wire_parts(
    world: World,
    tenant: Tenant,
    source: Source,
    connection: str,
    object_: str,
    *,
    rows_per_part: int = ROWS_PER_PART,
) -> Iterator[WirePart]:
    """Yield the records of one object, at least one part.

    The columns are those of the contract's native version, then others that the mapper makes, as
    JSON texts, then `_martlet_row`, which starts at 0 in each part. A report is divided between
    days, and its parts' days are the world's window: in any other division, each part would
    declare the others' rows gone.
    """
    contract = object_contract(source.platform, object_)
    sql = _mapper_sql(source.platform, object_)
    with world.connection.cursor() as cursor:
        _create_views(cursor, world, tenant, source, connection)
        described = {name: kind for name, kind, *_ in cursor.execute(f"describe {sql}").fetchall()}
        query, schema = _landed_select(contract, sql, described)
        if contract.load_mode == "replace_scope":
            for days in report_parts(
                cursor, query, contract, schema, window=world.window, rows_per_part=rows_per_part
            ):
                records = cursor.execute(days.query).to_arrow_table().cast(schema)
                yield WirePart(_numbered(records), days.start, days.end)
            return
        reader = cursor.execute(query).to_arrow_reader(rows_per_part)
        is_empty = True
        for batch in reader:
            is_empty = False
            yield WirePart(_numbered(pa.Table.from_batches([batch]).cast(schema)))
        if is_empty:
            yield WirePart(_numbered(schema.empty_table()))


def scope_accounts(
    world: World, contract: ObjectContract, platform: str, connection: str, records: pa.Table
) -> tuple[str, ...]:
    """Return the accounts that a report covers; none for objects that are no reports.

    They are spelled as the tenant lists them and as the records do: some APIs write a prefix.
    """
    if contract.scope is None or contract.scope.account is None:
        return ()
    accounts = world.select("account", platform, connection).column("account_id").to_pylist()
    column = next(c for c in contract.columns if c.name == contract.scope.account)
    with duckdb.connect(":memory:") as reader:
        reader.register("records", records)
        for name, rest in map(first_step, column.paths):
            if name in records.column_names:
                landed = f"cast({quoted_name(name)} as varchar)"
                if rest:
                    landed = f"json_extract_string({landed}, {quoted_text('$' + rest)})"
                found = reader.execute(f"select distinct {landed} from records order by 1")
                accounts += [account for (account,) in found.fetchall() if account is not None]
    return tuple(dict.fromkeys(accounts))


def _mapper_sql(platform: str, object_: str) -> str:
    name = f"martlet.landing.simulator.wire.{platform}"
    try:
        objects: dict[str, str] = import_module(name).OBJECTS
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise MartletError(
            f"the simulator has no wire format for {platform!r}",
            where=f"src/{name.replace('.', '/')}.py",
            remedy="add the mapper, or land your own files with --file",
        ) from error
    if object_ not in objects:
        raise MartletError(
            f"the simulator has no wire format for {platform} {object_!r}",
            where=f"src/{name.replace('.', '/')}.py",
            remedy="add the object's select to OBJECTS",
        )
    return objects[object_].strip().rstrip(";")


def _create_views(
    cursor: duckdb.DuckDBPyConnection,
    world: World,
    tenant: Tenant,
    source: Source,
    connection: str,
) -> None:
    """Give the cursor, and it alone, the connection's slice of each relation under its own name."""
    platform = source.platform
    for relation in RELATIONS:
        cursor.execute(
            f"create temp view {relation} as select * from memory.main.{relation} "
            f"where platform = '{platform}' and connection = '{connection}'"
        )
    stated = source.connections[connection]
    cursor.execute(f"create temp table context ({', '.join(f'{n} {t}' for n, t in _CONTEXT)})")
    cursor.execute(
        f"insert into context values ({', '.join('?' for _ in _CONTEXT)})",
        [
            tenant.slug,
            platform,
            connection,
            stated.effective_currency(tenant),
            stated.effective_timezone(tenant),
            tenant.reporting_timezone,
            stated.conversion_actions[0] if stated.conversion_actions else None,
            stated.attribution_window,
            world.until,
            world.extracted_at,
        ],
    )


def _landed_select(
    contract: ObjectContract, sql: str, described: dict[str, str]
) -> tuple[str, pa.Schema]:
    native = next(v for v in contract.versions if v.loader == "native")
    known = physical_columns(native.record)
    unknown = {name: "JSON" for name in described if name not in known}
    # A text is a document where the contract knows the column, and a value where it does not.
    documents = {"JSON", "VARCHAR"}
    selected = [
        *(_landed(name, kind, described.get(name), documents) for name, kind in known.items()),
        *(_landed(name, "JSON", described[name], {"JSON"}) for name in unknown),
    ]
    columns = known | unknown
    schema = pa.schema([(n, _ARROW.get(kind, pa.string())) for n, kind in columns.items()])
    # The line break ends a comment that the mapper may end with.
    return f"select {', '.join(selected)} from ({sql}\n) as wire", schema


def _landed(name: str, kind: str, made: str | None, documents: set[str]) -> str:
    alias = quoted_name(name)
    column = f"wire.{alias}"
    if made is None:
        value = f"cast(null as {'varchar' if kind == 'JSON' else kind})"
    elif kind == "JSON":
        document = column if made in documents else f"to_json({column})"
        value = f"nullif(cast({document} as varchar), 'null')"
    else:
        scalar = f"{column} ->> '$'" if made == "JSON" else column
        value = f"cast({scalar} as {kind})"
    return f"{value} as {alias}"


def _numbered(records: pa.Table) -> pa.Table:
    return records.append_column(ROW_NUMBER, pa.array(np.arange(records.num_rows, dtype=np.int64)))
