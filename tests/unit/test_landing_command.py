"""`martlet land`: what it accepts, what it refuses before it writes, and what it reports."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import load_tenants
from martlet.engines.duckdb_engine import connect
from martlet.errors import BadInputError
from martlet.landing.batches import Progress
from martlet.landing.command import (
    land_file,
    land_shared_file,
    land_simulated,
    planned_landings,
)
from martlet.landing.simulated import deliveries
from martlet.landing.simulator.wire import wire_parts
from martlet.landing.simulator.world import build_world
from martlet.landing.spilled import RowStore
from martlet.settings import Settings

ROOT = Path(__file__).parents[2]
UNTIL = date(2026, 6, 30)

TENANTS = """\
version: 1
shared_landings:
  - table: agency_ad_performance
    platform: google_ads
    object: ad_performance
    account_column: customer.id
    loader: airbyte
tenants:
  acme:
    name: Acme
    reporting_timezone: Europe/Berlin
    currency: EUR
    sources:
      shopify:
        connections: {main: {}, outlet: {}}
        generation: {orders_per_day: 5, products: 3}
      facebook_ads:
        generation: {campaigns: 2, ad_groups_per_campaign: 1}
      google_analytics:
        generation: {sessions_per_day: 40}
      mixpanel: {enabled: false}
  asleep:
    name: Asleep
    status: disabled
    reporting_timezone: UTC
    currency: EUR
    sources: {shopify: {}}
  broken:
    name: Broken
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    tenants = tmp_path / "tenants.yaml"
    tenants.write_text(TENANTS)
    return Settings(project_dir=ROOT, home=tmp_path / "data", tenants_file=tenants)


def query(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with connect(settings.landing, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def orders_file(settings: Settings, *lines: str) -> Path:
    path = settings.tenants_file.with_name("orders.jsonl")
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_simulated_landing_brings_every_object_of_every_connection(settings: Settings) -> None:
    truth = settings.tenants_file.with_name("truth.parquet")
    seen: list[Progress] = []

    report = land_simulated(settings, "acme", days=3, seed=7, truth=truth, progress=seen.append)

    landed = [(t.platform, t.connection, t.object) for t in report.tables]
    assert landed == planned_landings(settings, "acme")
    assert landed == [
        ("shopify", "main", "orders"),
        ("shopify", "main", "products"),
        ("shopify", "outlet", "orders"),
        ("shopify", "outlet", "products"),
        ("facebook_ads", "main", "ads"),
        ("facebook_ads", "main", "ad_sets"),
        ("facebook_ads", "main", "campaigns"),
        ("facebook_ads", "main", "facebook_insights"),
        ("google_analytics", "main", "events"),
    ]
    assert all(table.accepted and not table.quarantined for table in report.tables)
    assert [p.stage for p in seen].count("read") == [p.stage for p in seen].count("landed") == 9
    assert set(pq.read_table(truth).column("fact").to_pylist()) == {
        "ad_performance",
        "orders",
        "sessions",
        "campaigns",
    }
    assert query(
        settings,
        "select mode, is_complete, scope_start, scope_end, extracted_at from acme._martlet_loads "
        "where object = 'facebook_insights'",
    ) == [("replace_scope", True, date(2026, 6, 28), UNTIL, datetime(2026, 7, 1, 6))]


def test_the_same_arguments_land_the_same_rows_and_a_later_day_restates(
    settings: Settings,
) -> None:
    select = "select count(*), count(distinct rows) from (select to_json(t) as rows from (" + (
        "select * exclude (_dlt_load_id, _martlet_extracted_at) "
        "from acme.acme_facebook_ads__facebook_insights) as t)"
    )
    arguments: dict[str, Any] = {"days": 3, "seed": 7, "platforms": ["facebook_ads"]}

    land_simulated(settings, "acme", **arguments)
    once = query(settings, select)[0]
    land_simulated(settings, "acme", **arguments)
    twice = query(settings, select)[0]
    land_simulated(settings, "acme", until=UNTIL + timedelta(days=1), **arguments)
    restated = query(settings, select)[0]

    assert twice == (2 * once[0], once[1])
    assert restated[1] > once[1]


def test_platforms_and_objects_narrow_what_lands(settings: Settings) -> None:
    report = land_simulated(
        settings, "acme", days=2, seed=1, platforms=["shopify"], objects=["products"]
    )

    assert [(t.connection, t.object) for t in report.tables] == [
        ("main", "products"),
        ("outlet", "products"),
    ]


def test_a_large_report_comes_in_parts_of_whole_days_that_cover_the_window(
    settings: Settings,
) -> None:
    catalogue = load_catalogue(settings.catalogue_file)
    path = settings.tenants_file
    path.write_text(TENANTS.partition("  broken:")[0])
    tenant = load_tenants(path, catalogue).tenant("acme")
    world = build_world(tenant, catalogue, days=5, until=UNTIL, seed=7)
    source = tenant.sources["google_analytics"]

    (whole,) = wire_parts(world, tenant, source, "main", "events")
    parts = list(wire_parts(world, tenant, source, "main", "events", rows_per_part=250))

    days = [set(part.records.column("event_date").to_pylist()) for part in parts]
    assert len(parts) > 2
    assert sum(part.records.num_rows for part in parts) == whole.records.num_rows
    assert sum(len(each) for each in days) == len(set.union(*days))
    assert (parts[0].scope_start, parts[-1].scope_end) == (date(2026, 6, 26), UNTIL)
    for before, after in pairwise(parts):
        assert after.scope_start == before.scope_end + timedelta(days=1)
    for part, each in zip(parts, days, strict=True):
        stated = {datetime.strptime(day, "%Y%m%d").date() for day in each}
        assert all(part.scope_start <= day <= part.scope_end for day in stated)


def test_an_order_stream_is_divided_by_count_and_numbered_within_each_part(
    settings: Settings,
) -> None:
    catalogue = load_catalogue(settings.catalogue_file)
    settings.tenants_file.write_text(TENANTS.partition("  broken:")[0])
    tenant = load_tenants(settings.tenants_file, catalogue).tenant("acme")
    world = build_world(tenant, catalogue, days=30, until=UNTIL, seed=7)

    parts = list(
        wire_parts(world, tenant, tenant.sources["shopify"], "main", "orders", rows_per_part=100)
    )
    batches = list(deliveries(world, tenant, platforms=["shopify"], objects=["orders"]))

    assert sum(part.records.num_rows for part in parts) == batches[0].rows.num_rows
    assert len(parts) > 1
    for part in parts:
        numbers = part.records.column("_martlet_row").to_pylist()
        assert numbers == list(range(len(numbers)))
        assert part.scope_start is None


def test_a_file_lands_with_its_bad_rows_set_apart(settings: Settings) -> None:
    path = orders_file(settings, '{"id": 1}', '{"id": "x"}', '{"id": 3, "total_price": NaN}')
    berlin = timezone(timedelta(hours=2))

    report = land_file(
        settings,
        "acme",
        "shopify",
        "orders",
        path,
        connection="outlet",
        mode="snapshot",
        extracted_at=datetime(2026, 7, 1, 8, tzinfo=berlin),
    )

    (table,) = report.tables
    assert (table.table, table.received, table.accepted, table.quarantined) == (
        "acme_shopify__orders__outlet",
        3,
        1,
        2,
    )
    assert query(
        settings, "select load_row, path from acme._martlet_quarantine_rows order by load_row"
    ) == [(1, "id"), (2, "total_price")]
    assert query(settings, "select mode, is_complete, extracted_at from acme._martlet_loads") == [
        ("snapshot", False, datetime(2026, 7, 1, 6))
    ]


def test_a_file_whose_rows_wait_on_disk_lands_as_one_load_in_order(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("martlet.landing.files._CHUNK", 2)
    monkeypatch.setattr("martlet.landing.files.RowStore", partial(RowStore, held_rows=1))
    rows = [f'{{"id": {n}, "total_price": "{n}.10"}}' for n in range(7)]
    rows[3] = '{"id": "x"}'
    rows[6] = '{"id": 6, "late": 1.50}'

    for _ in range(2):  # the second one meets the table as it was spelled
        path = orders_file(settings, *rows)
        (table,) = land_file(settings, "acme", "shopify", "orders", path).tables
        assert (table.received, table.accepted, table.quarantined) == (7, 6, 1)
        landed = (
            "select id, total_price, late, _martlet_row from acme.acme_shopify__orders "
            f"where _dlt_load_id = '{table.load_id}' order by _martlet_row"
        )
        assert query(settings, landed) == [
            *((n, f"{n}.10", None, n) for n in (0, 1, 2, 4, 5)),
            (6, None, "1.50", 6),
        ]
    assert list(settings.dlt_dir.glob("tmp*")) == []


def test_a_whole_file_without_bad_rows_is_complete(settings: Settings) -> None:
    path = orders_file(settings, '{"id": 1}')
    before = datetime.now(UTC).replace(tzinfo=None)

    land_file(settings, "acme", "shopify", "orders", path, mode="snapshot")

    (row,) = query(settings, "select is_complete, extracted_at from acme._martlet_loads")
    assert row[0]
    assert row[1] >= before.replace(microsecond=0)


def test_a_shared_table_lands_under_its_declared_name_with_its_loader(settings: Settings) -> None:
    path = settings.tenants_file.with_name("shared.jsonl")
    path.write_text(
        '{"customer.id": 1, "segments.date": "2026-06-01", "campaign.id": 2, "ad_group.id": 3,'
        ' "ad_group_ad.ad.id": 4}\n'
    )

    report = land_shared_file(settings, "agency_ad_performance", path)

    assert [(t.tenant, t.table) for t in report.tables] == [("shared", "agency_ad_performance")]
    assert query(settings, 'select "customer.id" from shared.agency_ad_performance') == [(1,)]
    with pytest.raises(BadInputError, match="did you mean 'agency_ad_performance'"):
        land_shared_file(settings, "agency_ad_performances", path)


Refused = Callable[[Settings, Path], Any]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda s, f: land_simulated(s, "acmee", days=1), "did you mean 'acme'"),
        (lambda s, f: land_simulated(s, "asleep", days=1), "is disabled"),
        (lambda s, f: land_simulated(s, "broken", days=1), "broken"),
        (lambda s, f: land_simulated(s, "acme", days=0), "empty"),
        (lambda s, f: land_simulated(s, "acme", days=1, scale=-1), "not positive"),
        (
            lambda s, f: land_simulated(s, "acme", days=1, platforms=["shopfy"]),
            "did you mean 'shopify'",
        ),
        (lambda s, f: land_simulated(s, "acme", days=1, platforms=["mixpanel"]), "no enabled"),
        (
            lambda s, f: land_simulated(s, "acme", days=1, objects=["order"]),
            "did you mean 'orders'",
        ),
        (
            lambda s, f: land_simulated(s, "acme", days=1, truth=f / "no" / "t.parquet"),
            "no folder",
        ),
        (lambda s, f: land_file(s, "acme", "woocommerce", "orders", f), "no enabled source"),
        (lambda s, f: land_file(s, "acme", "shopify", "ordrs", f), "did you mean 'orders'"),
        (
            lambda s, f: land_file(s, "acme", "shopify", "orders", f, connection="outlt"),
            "did you mean 'outlet'",
        ),
        (
            lambda s, f: land_file(s, "acme", "shopify", "orders", f, mode="replace_scope"),
            "is no report",
        ),
        (
            lambda s, f: land_file(s, "acme", "shopify", "orders", f, scope_start=UNTIL),
            "has no scope",
        ),
        (
            lambda s, f: land_file(
                s, "acme", "facebook_ads", "facebook_insights", f, mode="replace_scope"
            ),
            "names no days",
        ),
        (lambda s, f: land_file(s, "acme", "shopify", "products", f), "no field of products"),
    ],
)
def test_bad_input_is_named_and_nothing_is_written(
    settings: Settings, attempt: Refused, message: str
) -> None:
    path = orders_file(settings, '{"nothing": 1}')

    with pytest.raises(BadInputError, match=message) as caught:
        attempt(settings, path)

    assert caught.value.exit_code == 2
    assert not settings.home.exists()


def test_another_tenants_mistake_does_not_matter(settings: Settings) -> None:
    path = orders_file(settings, '{"id": 1}')

    report = land_file(replace(settings), "acme", "shopify", "orders", path)

    assert report.tables[0].accepted == 1
