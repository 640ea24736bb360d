"""Operational snapshots: everything for operators, for a tenant only its own, no record at all."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from martlet.config.tenant import Tenant
from martlet.engines.duckdb_engine import connect
from martlet.engines.targets import engine_of
from martlet.marts.folders import operations_folder
from martlet.marts.operations import HISTORIES, WITHHELD, publish_operations
from martlet.marts.versions import OPERATORS
from martlet.pipeline.audit_record import AuditRecord
from martlet.registry.quarantine import row_id
from martlet.settings import Settings
from tests.project import REPOSITORY, settings_at

MOMENT = datetime(2026, 3, 2, 6)
TENANTS = [
    Tenant(slug=slug, name=slug, reporting_timezone="UTC", currency="EUR")
    for slug in ("acme", "acme_corp")
]
LISTS = {
    "invocations": "runs",
    "model_artifacts": "models",
    "run_results": "run_results",
    "test_artifacts": "tests",
    "source_freshness": "freshness",
    "push_ledger": "ledger",
    "quarantine_rows": "quarantine_rows",
    "schema_history": "schema_history",
    "boring_semantic_layer": "definitions",
}


def macro_columns() -> dict[str, str]:
    """Return the columns of the warehouse's own tables as the macros list them."""
    lists = {}
    for name in ("append_only_columns", "artifact_columns"):
        text = (REPOSITORY / "macros" / "utils" / f"{name}.sql").read_text()
        for macro, body in re.findall(r"macro (\w+)_columns\(\).*?return\(\[(.*?)\]\)", text, re.S):
            columns = re.findall(r"'name': '(\w+)', 'type': '(\w+)'", body)
            lists[macro] = ", ".join(f"{column} {kind}" for column, kind in columns)
    return lists


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = settings_at(REPOSITORY, tmp_path, tmp_path / "tenants.yaml")
    engine_of(settings).create_warehouse()
    return settings


def build(settings: Settings) -> None:
    """Make the tables that a first run makes."""
    sources = {history.name: history.source for history in HISTORIES}
    columns = macro_columns()
    with engine_of(settings).open_warehouse() as warehouse:
        warehouse.execute("create schema if not exists ops; create schema platform")
        for listed, name in LISTS.items():
            warehouse.execute(f"create table {sources[name]} ({columns[listed]})")
        warehouse.execute(
            "create table ops.platform_ops__quarantine_decisions "
            f"({columns['quarantine_decisions']})"
        )
        routing = next(history for history in HISTORIES if history.name == "routing_decisions")
        warehouse.execute(f"create table {routing.source} ({routing.columns})")


def add(settings: Settings, table: str, **values: Any) -> None:
    with engine_of(settings).open_warehouse() as warehouse:
        warehouse.execute(
            f"insert into {table} ({', '.join(values)}) values ({', '.join('?' * len(values))})",
            list(values.values()),
        )


def publish(settings: Settings, **options: Any) -> dict[str, str]:
    with engine_of(settings).open_warehouse(read_only=True) as warehouse:
        return publish_operations(settings, warehouse, TENANTS, **options)


@contextmanager
def snapshot(settings: Settings, tenant: str) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = operations_folder(settings, tenant)
    with connect(folder.path_of(str(folder.current())), read_only=True) as connection:
        yield connection


def rows(settings: Settings, tenant: str, sql: str) -> list[tuple[Any, ...]]:
    with snapshot(settings, tenant) as connection:
        return connection.execute(sql).fetchall()


def test_a_young_warehouse_gives_empty_tables_of_the_same_types(settings: Settings) -> None:
    types = (
        "select table_name, column_name, data_type from duckdb_columns() "
        "where not internal order by all"
    )

    publish(settings)
    empty = rows(settings, "acme", types)
    build(settings)
    versions = publish(settings)

    assert rows(settings, "acme", types) == rows(settings, OPERATORS, types) == empty
    assert rows(settings, "acme", "select tenant_slug, version from snapshot_info") == [
        ("acme", versions["acme"])
    ]
    assert {name for name, *_ in empty} == {
        "runs", "models", "run_results", "tests", "schema_history", "ledger", "quarantine_rows",
        "quarantined_tables", "routing_decisions", "freshness", "audits", "definitions",
        "snapshot_info",
    }  # fmt: skip


def test_a_snapshot_has_every_column_that_the_warehouse_records() -> None:
    columns = macro_columns()
    histories = {history.name: history for history in HISTORIES}

    for listed, name in LISTS.items():
        recorded = set(re.findall(r"(\w+) \w+(?:,|$)", columns[listed])) - {"raw_record"}
        assert recorded
        assert recorded == set(histories[name].column_names) - histories[name].computed, name


def test_two_snapshots_are_kept(settings: Settings) -> None:
    versions = [publish(settings)["acme"] for _ in range(3)]

    assert operations_folder(settings, "acme").versions() == versions[1:]


def test_operators_can_be_left_out(settings: Settings) -> None:
    assert set(publish(settings, operators=False)) == {"acme", "acme_corp"}


def test_a_tenant_sees_its_own_runs_and_no_message_that_names_another(settings: Settings) -> None:
    build(settings)
    problems = {
        "acme": ["fct_acme__orders is broken", "acme and acme_corp both claim 1"],
        "acme_corp": ["stg_acme_corp__x is broken", "see int_acme__shopify_orders"],
        None: ["for all"],
    }
    for tenant, texts in problems.items():
        for number, problem in enumerate(texts):
            add(
                settings, "ops.invocations", invocation_id=f"{tenant}{number}", tenant_slug=tenant,
                arguments='["--project-dir", "/somewhere"]', started_at=MOMENT, problem=problem,
            )  # fmt: skip

    publish(settings)

    assert rows(settings, "acme", "select tenant_slug, arguments, problem from runs") == [
        ("acme", None, "fct_acme__orders is broken"),
        ("acme", None, WITHHELD),
    ]
    assert rows(settings, "acme_corp", "select problem from runs") == [
        ("stg_acme_corp__x is broken",),
        (WITHHELD,),
    ]
    assert rows(settings, OPERATORS, "select count(*), count(arguments) from runs") == [(5, 5)]
    assert rows(settings, OPERATORS, f"from runs where problem = '{WITHHELD}'") == []


def test_a_tenant_sees_its_own_models_and_the_shared_ones_that_ran_for_it(
    settings: Settings,
) -> None:
    build(settings)
    for name, path, nodes in (
        ("fct_acme__orders", "models/analytics/acme/x.sql", ["model.m.int_acme__shopify_orders"]),
        ("fct_acme_corp__orders", "models/analytics/acme_corp/x.sql", []),
        ("margins", "models/analytics_extended/acme_corp/margins.sql", []),
        ("own", "models/analytics_extended/acme/own.sql", []),
        ("invocations", "models/platform/observability/invocations.sql", []),
        ("never_ran", "models/platform/never_ran.sql", []),
        ("everybody", "models/platform/everybody.sql", ["model.m.fct_acme_corp__orders"]),
    ):
        add(
            settings, "ops.model_artifacts", node_id=f"model.m.{name}", name=name, path=path,
            depends_on=json.dumps(nodes), captured_at=MOMENT, definition_hash="old",
        )  # fmt: skip
        add(
            settings, "ops.test_artifacts", node_id=f"test.m.{name}", name=f"unique_{name}",
            path="data-tests/x.yml", target_models=json.dumps([f"model.m.{name}", *nodes]),
            captured_at=MOMENT,
        )  # fmt: skip
        if name != "never_ran":
            add(
                settings, "ops.run_results", invocation_id="1", tenant_slug="acme",
                node_id=f"model.m.{name}", name=name, captured_at=MOMENT,
            )  # fmt: skip
    add(
        settings, "ops.model_artifacts", node_id="model.m.own", name="own", definition_hash="new",
        path="models/analytics_extended/acme/own.sql", captured_at=datetime(2026, 3, 3),
    )  # fmt: skip

    publish(settings)

    assert rows(settings, "acme", "select name, definition_hash from models order by 1") == [
        ("fct_acme__orders", "old"),
        ("invocations", "old"),
        ("own", "new"),
    ]
    assert rows(settings, "acme_corp", "select name from models order by 1") == [
        ("everybody",),
        ("fct_acme_corp__orders",),
        ("margins",),
    ]
    assert rows(settings, "acme", "select name from tests") == [("unique_fct_acme__orders",)]
    assert rows(settings, OPERATORS, "select count(*) from models") == [(7,)]


def test_quarantined_rows_come_with_their_id_and_decision_but_without_the_record(
    settings: Settings,
) -> None:
    build(settings)
    place = {"source_platform": "shopify", "connection": "main", "object": "orders", "load_id": "7"}
    errors = ['no "number": é\\', "no date"]
    ids = [row_id("acme", "acme_shopify__orders", "7", row, errors[row]) for row in range(2)]
    add(
        settings, "ops.platform_ops__push_ledger", tenant_slug="acme", **place,
        landed_table="acme_shopify__orders",
    )  # fmt: skip
    for number, error in enumerate(errors):
        add(
            settings, "ops.platform_ops__quarantine_rows", tenant_slug="acme", **place,
            load_row=number, error=error, path="id", raw_record="secret", quarantined_at=MOMENT,
        )  # fmt: skip
    for decision, day in (("discarded", 3), ("replayed", 4)):
        add(
            settings, "ops.platform_ops__quarantine_decisions", quarantine_id=ids[1],
            tenant_slug="acme", decision=decision, decided_at=datetime(2026, 3, day),
        )  # fmt: skip

    publish(settings)

    told = "select quarantine_id, landed_table, error, path, status from quarantine_rows"
    expected = [
        (ids[0], "acme_shopify__orders", errors[0], "id", "open"),
        (ids[1], "acme_shopify__orders", errors[1], "id", "replayed"),
    ]
    for who in ("acme", OPERATORS):
        assert rows(settings, who, told) == expected
        folder = operations_folder(settings, who)
        assert b"secret" not in folder.path_of(str(folder.current())).read_bytes()
    assert rows(settings, "acme_corp", told) == []


def test_a_snapshot_has_what_stands_now_of_tables_and_freshness_and_audits(
    settings: Settings,
) -> None:
    build(settings)
    for day, master, reason in ((1, None, "unknown"), (2, "m", None), (3, None, "of acme_corp")):
        for table in ("acme_shopify__orders", f"only_{day}"):
            add(
                settings, "platform.routing_decisions", tenant_slug="acme", landed_table=table,
                object="orders", connection="main", master_model=master, reason=reason,
                decided_at=datetime(2026, 3, day),
            )  # fmt: skip
    for day in (1, 2):
        add(
            settings, "ops.source_freshness", tenant_slug="acme", source_platform="shopify",
            object="orders", connection="main", measured_at=datetime(2026, 3, day),
        )  # fmt: skip

    publish(settings, audits={"acme": AuditRecord("2026-03-02T07:00:00+01:00", "run", 3)})

    assert rows(settings, "acme", "select landed_table, reason from quarantined_tables") == [
        ("acme_shopify__orders", WITHHELD),
        ("only_1", "unknown"),
        ("only_3", WITHHELD),
    ]
    assert rows(settings, "acme", "select count(*) from routing_decisions") == [(6,)]
    assert rows(settings, "acme", "select measured_at from freshness") == [(datetime(2026, 3, 2),)]
    assert rows(settings, "acme", "from audits") == [("acme", MOMENT, "run", 3)]
    assert rows(settings, "acme_corp", "from audits") == []
