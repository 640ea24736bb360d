"""The set-wise replay of landings equals the oracle, which replays them record by record."""

import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from martlet.audit.differences import replay_object, shared_table_losses
from martlet.audit.health import deviation
from martlet.audit.landed import LandedTable
from martlet.audit.replay import expect_versions, prepare_landed
from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.contracts.library import object_contract
from martlet.pipeline.cast_nulls import cast_nulls
from tests.project import REPOSITORY
from tests.warehouse.oracle import Load, Record, Replay
from tests.warehouse.test_push_oracle_histories import _event_loads, _insight_loads, _order_loads
from tests.warehouse.witness import EVENTS, INSIGHTS, ORDERS, Kind

SEEDS = range(8)
LOADS: dict[str, Callable[[random.Random], list[Load]]] = {
    INSIGHTS.object: _insight_loads,
    ORDERS.object: _order_loads,
    EVENTS.object: _event_loads,
}
COLUMNS = {
    INSIGHTS.object: ("date_start", "date_stop", "account_id", "account_currency", "campaign_id",
                      "adset_id", "ad_id", "spend", "impressions"),
    ORDERS.object: ("id", "created_at", "currency", "financial_status", "total_price"),
    EVENTS.object: ("event_date", "event_timestamp", "event_name", "event_params",
                    "user_pseudo_id", "ecommerce"),
}  # fmt: skip
TEXTS = (
    "tenant_slug", "source_platform", "connection", "object", "load_id", "landed_table", "load_mode",
)  # fmt: skip
COUNTS = ("landed", "pushed", "known", "quarantined", "tombstoned", "erased")
LEDGER = "ops.platform_ops__push_ledger"


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("attach ':memory:' as landing")
        connection.execute("create schema landing.acme")
        connection.execute("create schema ops")
        columns = [f"{name} varchar" for name in TEXTS] + [f"rows_{n} bigint" for n in COUNTS]
        connection.execute(f"create table {LEDGER} ({', '.join(columns)})")
        yield connection


def landed(
    warehouse: duckdb.DuckDBPyConnection, kind: Kind, loads: list[Load]
) -> tuple[LandedTable, Replay]:
    """Write what landing would have landed, and let the oracle push it."""
    oracle = Replay(kind.identify, kind.place)
    rows: list[dict[str, Any]] = []
    provenance = []
    for number, load in enumerate(loads):
        oracle.push(load)
        refused = 0
        for position, record in enumerate(load.records):
            if kind.identify and kind.identify(record) is None:
                refused += 1
                continue
            rows.append(_row(kind, record, number, position, load.extracted_at))
        provenance.append(
            {
                "_dlt_load_id": _load_id(number),
                "table_name": "t",
                "mode": load.mode,
                "is_complete": load.mode != "upsert" and not refused,
                "scope_accounts": json.dumps(sorted(load.scope.accounts)) if load.scope else None,
                "scope_start": load.scope.start if load.scope else None,
                "scope_end": load.scope.end if load.scope else None,
                "extracted_at": load.extracted_at,
                "rows_received": len(load.records),
                "rows_accepted": len(load.records) - refused,
                "rows_quarantined": refused,
            }
        )
    for name, table in (("t", rows), ("_martlet_loads", provenance)):
        content = pa.Table.from_pylist(table)
        warehouse.register("content", content)
        warehouse.execute(f"create table landing.acme.{name} as select * from content")
        warehouse.unregister("content")
    warehouse.execute(
        "create table landing.acme._dlt_loads as "
        "select _dlt_load_id as load_id, 0 as status from landing.acme._martlet_loads"
    )
    warehouse.execute(
        f"insert into {LEDGER} select 'acme', '{kind.platform}', 'main', '{kind.object}', load_id, "
        "'t', 'upsert', 0, 0, 0, 0, 0, 0 from landing.acme._dlt_loads"
    )
    columns = warehouse.execute(
        "select column_name, column_type from (describe landing.acme.t)"
    ).fetchall()
    table = LandedTable(
        "acme", kind.platform, kind.object, "main", "acme", "t", tuple(columns), has_provenance=True
    )
    return table, oracle


def _row(
    kind: Kind, record: Record, number: int, position: int, moment: datetime
) -> dict[str, Any]:
    texts = {
        name: json.dumps(value) if isinstance(value, list | dict) else value
        for name in COLUMNS[kind.object]
        for value in [record.get(name)]
    }
    return {
        **texts,
        "_dlt_load_id": _load_id(number),
        "_martlet_row": position,
        "_martlet_extracted_at": moment,
    }


def _load_id(number: int) -> str:
    return f"17000000{number:02}.0"


Version = tuple[datetime, int, int, bool, str]


def _replayed(warehouse: duckdb.DuckDBPyConnection) -> list[list[Version]]:
    """Return the versions of each key; a hash is told by the record that has it."""
    records: dict[str, str] = {}
    for load_id, row, record_hash in warehouse.execute(
        "select load_id, load_row, record_hash from audit_rows order by all desc"
    ).fetchall():
        records[str(record_hash)] = f"{load_id} {row}"
    gone = {
        str(of_gone): records[str(record_hash)]
        for record_hash, of_gone in warehouse.execute(
            "select distinct record_hash, cast(md5('gone ' || record_hash) as uuid) from audit_rows"
        ).fetchall()
    }
    keys: dict[str, list[Version]] = defaultdict(list)
    for skey, moment, load_id, row, is_deleted, record_hash in warehouse.execute(
        "select skey, extracted_at, load_id, load_row, is_deleted, record_hash from audit_expected"
    ).fetchall():
        record = records.get(str(record_hash)) or gone[str(record_hash)]
        keys[skey].append((moment, int(load_id[8:10]), row, is_deleted, record))
    return sorted(sorted(versions) for versions in keys.values())


def _expected(oracle: Replay) -> list[list[Version]]:
    first: dict[str, str] = {}
    for number, load in enumerate(oracle.loads):
        for row in oracle._rows(load):
            first.setdefault(row.values, f"{_load_id(number)} {row.row}")
    keys: dict[Any, list[Version]] = defaultdict(list)
    for v in oracle.versions:
        keys[v.key].append((v.extracted_at, v.load, v.row, v.is_deleted, first[v.values]))
    return sorted(sorted(versions) for versions in keys.values())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", (INSIGHTS, ORDERS, EVENTS), ids=lambda kind: kind.object)
def test_sixty_random_histories_at_once_have_the_oracles_versions(
    warehouse: duckdb.DuckDBPyConnection, kind: Kind, seed: int
) -> None:
    table, oracle = landed(warehouse, kind, LOADS[kind.object](random.Random(seed)))

    pending = prepare_landed(warehouse, [table])
    expect_versions(warehouse)

    assert pending == 0
    assert _replayed(warehouse) == _expected(oracle)


def test_loads_after_the_last_one_that_was_pushed_are_pending_and_no_difference(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    loads = _order_loads(random.Random(1))
    table, _ = landed(warehouse, ORDERS, loads)
    warehouse.execute(f"delete from {LEDGER} where load_id > ?", [_load_id(4)])

    assert prepare_landed(warehouse, [table]) == len(loads) - 5


def test_a_table_without_loads_is_compared_by_its_newest_rows(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("create schema platform")
    warehouse.execute(
        "create table landing.acme.t as select n as id, cast(n as varchar) as total_price "
        "from range(3) as r (n)"
    )
    columns = (("id", "BIGINT"), ("total_price", "VARCHAR"))
    table = LandedTable("acme", "shopify", "orders", "main", "acme", "t", columns)
    prepare_landed(warehouse, [table])
    warehouse.execute(
        "create table platform.m as select 'acme' as tenant_slug, 'shopify' as source_platform, "
        "'main' as connection, skey as tenant_skey, record_hash, is_deleted, extracted_at, "
        "'1' as load_id, load_row from audit_rows"
    )

    whole = replay_object(warehouse, [table], "m", 0)
    warehouse.execute("delete from platform.m where load_row = 1")
    lacking = replay_object(warehouse, [table], "m", 0)

    assert whole.broken == ()
    assert [b.promise.split(" (")[0] for b in lacking.broken] == [
        "1 records are not in m as they landed last"
    ]


def test_a_shared_load_must_add_up_over_all_tenants_once_a_later_one_does(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("create schema landing.shared")
    warehouse.execute(
        "create table landing.shared.t as select id, _dlt_load_id, now() as _martlet_extracted_at "
        "from (values (1, 'a'), (2, 'a'), (3, 'b')) as t (id, _dlt_load_id)"
    )
    warehouse.execute(
        "create table landing.shared._dlt_loads as "
        "select unnest(['a', 'b']) as load_id, 0 as status"
    )
    warehouse.execute(
        f"insert into {LEDGER} (tenant_slug, load_id, landed_table, rows_landed) values "
        "('north', 'a', 't', 1), ('_unassigned', 'a', 't', 1), ('north', 'b', 't', 1)"
    )
    columns = (
        ("id", "INTEGER"),
        ("_dlt_load_id", "VARCHAR"),
        ("_martlet_extracted_at", "TIMESTAMPTZ"),
    )
    table = LandedTable("north", "shopify", "orders", "main", "shared", "t", columns, ("1",), "id")

    whole = shared_table_losses(warehouse, table)
    warehouse.execute(f"delete from {LEDGER} where tenant_slug = '_unassigned'")
    (lost,) = shared_table_losses(warehouse, table)

    assert whole == []
    assert (lost.load_id, lost.promise.split(",")[0]) == ("a", "2 rows landed")


@pytest.mark.parametrize(
    ("last", "before", "is_anomaly"),
    [
        (100, [98, 101, 99, 103, 97, 100, 102], False),
        (0, [98, 101, 99, 103, 97, 100, 102], True),
        (250, [98, 101, 99, 103, 97, 100, 102], True),
        (100, [98, 101, 99, 103, 9000, 100, 102], False),
        (0, [98, 101, 99, 103, 9000, 100, 102], True),
        (104, [100] * 14, False),
        (60, [100] * 14, True),
        (3, [1, 1, 1, 1, 1, 1, 1], False),
    ],
)
def test_a_volume_is_odd_by_what_is_usual_and_not_by_one_wild_day(
    last: int, before: list[int], is_anomaly: bool
) -> None:
    assert (abs(deviation(last, before)) > 6) is is_anomaly


def test_values_that_a_cast_lost_are_counted_by_column_and_absent_ones_are_not() -> None:
    tenants = load_tenants(
        REPOSITORY / "tenants.yaml", load_catalogue(REPOSITORY / "supported_connectors.yaml")
    )
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema intermediate")
        absent = "".join(
            f", null as {name}"
            for name in object_contract("shopify", "orders").needed
            if name != "total_price"
        )
        connection.execute(
            f"""
            create view intermediate.int_tyrell_corp__shopify_orders as
            select
                cast(payload as json) as raw_data_payload, false as is_deleted,
                try_cast(payload ->> '$.total_price' as decimal(18, 6)) as total_price{absent}
            from (values
                ('{{"total_price": "1.50"}}'), ('{{"total_price": "1,50"}}'),
                ('{{"total_price": ""}}'), ('{{}}')
            ) as t (payload)
            """
        )

        found = {c.column: c for c in cast_nulls(connection, tenants.tenant("tyrell_corp"))}

    price = found["total_price"]
    assert (price.stated, price.nulls, price.is_too_many) == (2, 1, True)
    assert all(not c.is_too_many for name, c in found.items() if name != "total_price")
