"""Landing through the real dlt: shapes, provenance, quarantine, and what is refused."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from filelock import FileLock

from martlet import naming
from martlet.config.catalogue import load_catalogue
from martlet.contracts.library import connector_contracts, object_contract
from martlet.contracts.lock import current_shapes
from martlet.contracts.physical import arrow_schema
from martlet.engines.duckdb_engine import (
    connect,
    connect_warehouse,
    create_landing,
    create_warehouse,
)
from martlet.errors import BadInputError, MartletError
from martlet.landing.batches import LandedBatch, Loader, Progress, RejectedRow
from martlet.landing.pipeline import LandingReport, land
from martlet.registry.fingerprint import schema_fingerprint
from martlet.settings import Settings

ROOT = Path(__file__).parents[2]
CATALOGUE = load_catalogue(ROOT / "supported_connectors.yaml")
MOMENT = datetime(2026, 7, 1, 6)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(project_dir=ROOT, home=tmp_path / "data", tenants_file=ROOT / "tenants.yaml")


def batch_of(
    platform: str,
    object_: str,
    *rows: dict[str, Any],
    loader: Loader = "native",
    connection: str = "main",
    unknown: tuple[str, ...] = (),
) -> LandedBatch:
    contract = object_contract(platform, object_)
    version = next(v for v in contract.versions if v.loader == loader)
    schema = arrow_schema(version.record)
    for name in unknown:
        schema = schema.append(pa.field(name, pa.string()))
    numbered = [{**row, "_martlet_row": number} for number, row in enumerate(rows)]
    schema = schema.append(pa.field("_martlet_row", pa.int64()))
    return LandedBatch(
        platform=platform,
        connection=connection,
        object=object_,
        loader=loader,
        rows=pa.Table.from_pylist(numbered, schema=schema),
        rejected=(),
        mode="upsert",
        is_complete=False,
        scope_accounts=(),
        scope_start=None,
        scope_end=None,
        extracted_at=MOMENT,
    )


def land_for(settings: Settings, *batches: LandedBatch, **options: Any) -> LandingReport:
    return land(
        settings,
        "acme",
        "acme",
        batches,
        table_namer=lambda b: naming.landed_table("acme", b.platform, b.object, b.connection),
        **options,
    )


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with connect(settings.landing, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def empty_batches() -> Iterator[LandedBatch]:
    for connector in CATALOGUE.connectors:
        for loader in ("native", "airbyte"):
            for contract in connector_contracts(connector).values():
                if any(version.loader == loader for version in contract.versions):
                    yield batch_of(connector, contract.object, loader=loader, connection=loader)


def test_an_empty_landing_of_every_contract_has_exactly_the_published_fingerprint(
    settings: Settings,
) -> None:
    report = land_for(settings, *empty_batches())

    columns: dict[str, dict[str, str]] = {}
    for table, name, kind in query(
        settings, "select table_name, column_name, data_type from duckdb_columns()"
    ):
        columns.setdefault(table, {})[name] = kind
    landed = {
        (t.platform, t.object, t.connection): schema_fingerprint(columns[t.table])
        for t in report.tables
    }
    published = {
        (connector, shape.object, shape.loader): shape.source_schema_hash
        for connector in CATALOGUE.connectors
        for shape in current_shapes(connector)
    }
    assert landed == published


def test_rows_provenance_and_quarantine_are_one_load(settings: Settings) -> None:
    orders = replace(
        batch_of("shopify", "orders", {"id": 2**53 + 1, "line_items": '[{"price":"1.10"}]'}),
        rejected=(RejectedRow(7, "not valid JSON", None, '{"id'),),
        mode="replace_scope",
        is_complete=True,
        scope_accounts=("a", "b"),
        scope_start=date(2026, 6, 1),
        scope_end=date(2026, 6, 30),
    )
    seen: list[Progress] = []

    report = land_for(settings, orders, batch_of("shopify", "products"), progress=seen.append)

    load_id = report.tables[0].load_id
    assert [(t.table, t.load_id, t.received, t.accepted, t.quarantined) for t in report.tables] == [
        ("acme_shopify__orders", load_id, 2, 1, 1),
        ("acme_shopify__products", load_id, 0, 0, 0),
    ]
    assert [(p.stage, p.object, p.rows) for p in seen] == [
        ("landed", "orders", 1),
        ("landed", "products", 0),
    ]
    assert query(
        settings,
        "select id, line_items, _martlet_row, _martlet_extracted_at, _dlt_load_id "
        "from acme.acme_shopify__orders",
    ) == [(2**53 + 1, '[{"price":"1.10"}]', 0, MOMENT, load_id)]
    assert query(
        settings,
        "select table_name, loader, mode, is_complete, scope_accounts, scope_start, scope_end, "
        "rows_received, rows_accepted, rows_quarantined, extracted_at, _dlt_load_id "
        "from acme._martlet_loads order by table_name",
    ) == [
        (
            "acme_shopify__orders",
            "native",
            "replace_scope",
            True,
            '["a", "b"]',
            date(2026, 6, 1),
            date(2026, 6, 30),
            2,
            1,
            1,
            MOMENT,
            load_id,
        ),
        (
            "acme_shopify__products",
            "native",
            "upsert",
            False,
            None,
            None,
            None,
            0,
            0,
            0,
            MOMENT,
            load_id,
        ),
    ]
    assert query(
        settings,
        "select table_name, platform, connection, object, load_row, error, path, raw_record, "
        "_dlt_load_id from acme._martlet_quarantine_rows",
    ) == [
        (
            "acme_shopify__orders",
            "shopify",
            "main",
            "orders",
            7,
            "not valid JSON",
            None,
            '{"id',
            load_id,
        )
    ]


def test_the_same_object_twice_makes_two_loads_and_connections_have_their_own_tables(
    settings: Settings,
) -> None:
    first = batch_of("shopify", "orders", {"id": 1})
    second = batch_of("shopify", "orders", {"id": 2})
    other = batch_of("shopify", "orders", {"id": 1}, connection="second")

    report = land_for(settings, first, second, other)

    assert len({table.load_id for table in report.tables}) == 3
    assert query(settings, "select id from acme.acme_shopify__orders order by id") == [(1,), (2,)]
    assert query(settings, "select id from acme.acme_shopify__orders__second") == [(1,)]


def test_an_unknown_field_joins_its_column_whatever_its_case(settings: Settings) -> None:
    first = batch_of("shopify", "orders", {"id": 1, "Tier": '"gold"'}, unknown=("Tier",))
    second = batch_of("shopify", "orders", {"id": 2, "tier": "[1]"}, unknown=("tier",))

    land_for(settings, first)
    land_for(settings, second)

    assert query(
        settings, 'select id, "Tier", typeof("Tier") from acme.acme_shopify__orders order by id'
    ) == [(1, '"gold"', "JSON"), (2, "[1]", "JSON")]


def test_a_table_keeps_the_shape_of_one_loader(settings: Settings) -> None:
    land_for(settings, batch_of("shopify", "orders", {"id": 1}))

    with pytest.raises(BadInputError, match="shape of the loader 'native'"):
        land_for(settings, batch_of("shopify", "orders", {"id": 2}, loader="airbyte"))
    assert query(settings, "select id from acme.acme_shopify__orders") == [(1,)]


def test_a_column_whose_type_changed_is_refused_and_not_landed_beside(settings: Settings) -> None:
    land_for(settings, batch_of("shopify", "orders", {"id": 1}))
    with connect(settings.landing) as connection:
        connection.execute("alter table acme.acme_shopify__orders alter name type bigint")

    with pytest.raises(BadInputError, match="'name' is BIGINT in the table, and VARCHAR"):
        land_for(settings, batch_of("shopify", "orders", {"id": 2}))


def test_a_landing_file_that_was_removed_is_made_anew(settings: Settings) -> None:
    land_for(settings, batch_of("shopify", "orders", {"id": 1}))
    settings.landing.unlink()

    land_for(settings, batch_of("shopify", "orders", {"id": 2}))

    assert query(settings, "select id from acme.acme_shopify__orders") == [(2,)]
    assert query(settings, "select count(*) from acme._martlet_loads") == [(1,)]


def test_a_second_landing_waits_and_then_names_the_first(settings: Settings) -> None:
    folder = settings.home / "locks"
    folder.mkdir(parents=True)
    held = {"pid": 4242, "since": "2026-07-01T06:00:00+00:00"}
    (folder / "landing.holder.json").write_text(json.dumps(held))

    with (
        FileLock(folder / "landing.lock"),
        pytest.raises(MartletError, match=r"another landing is under way: PID 4242, for \d+ sec"),
    ):
        land_for(settings, batch_of("shopify", "orders"), wait_seconds=0.1)


def test_a_file_held_by_another_process_is_waited_for_then_its_holder_named(
    settings: Settings,
) -> None:
    create_landing(settings.landing)
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); "
        "sys.stdin.readline()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(settings.landing)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()

    started = time.monotonic()
    with pytest.raises(MartletError, match=f"PID {holder.pid}, running for") as caught:
        land_for(settings, batch_of("shopify", "orders", {"id": 1}), wait_seconds=0.3)
    waited = time.monotonic() - started
    holder.communicate("done\n")
    land_for(settings, batch_of("shopify", "orders", {"id": 1}))

    assert caught.value.exit_code == 1
    assert waited >= 0.3
    assert query(settings, "select id from acme.acme_shopify__orders") == [(1,)]


def test_new_files_have_the_layout_that_their_use_needs(settings: Settings) -> None:
    create_landing(settings.landing)
    create_warehouse(settings.warehouse)
    with connect(settings.warehouse) as warehouse:
        warehouse.execute("create table kept as select 1 as a")
    create_warehouse(settings.warehouse)

    with connect_warehouse(settings) as connection:
        sizes = dict(
            connection.execute(
                "select database_name, block_size from pragma_database_size()"
            ).fetchall()
        )
        versions = dict(
            connection.execute(
                "select database_name, tags['storage_version'] from duckdb_databases()"
            ).fetchall()
        )
        kept = connection.execute("select a from kept").fetchall()
        zone = connection.execute("select current_setting('TimeZone')").fetchall()
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("create table landing.refused (a int)")
    assert (sizes["landing"], sizes["warehouse"]) == (16_384, 262_144)
    assert versions["warehouse"].startswith("v1.5")
    assert (kept, zone) == ([(1,)], [("UTC",)])
    assert sorted(path.name for path in settings.home.iterdir()) == [
        "landing.duckdb",
        "warehouse.duckdb",
    ]


def test_a_missing_or_broken_file_is_bad_input_with_a_remedy(settings: Settings) -> None:
    settings.home.mkdir()

    with pytest.raises(BadInputError, match="no such database"), connect(settings.landing):
        pass
    settings.landing.write_bytes(b"no database" * 500)
    with (
        pytest.raises(BadInputError, match="not a valid DuckDB database file") as caught,
        connect(settings.landing),
    ):
        pass

    assert "backup" in str(caught.value)
