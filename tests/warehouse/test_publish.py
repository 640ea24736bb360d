"""Marts are written beside, audited, swapped in whole, held by platform and rolled back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from martlet.config.tenant import Source, Tenant
from martlet.engines.duckdb_engine import connect
from martlet.engines.targets import engine_of
from martlet.errors import BadInputError, BrokenPromiseError, MartletError
from martlet.marts import publish as publishing
from martlet.marts.errors import MartDamagedError
from martlet.marts.folders import list_versions, mart_folder, rollback
from martlet.marts.publish import Published, publish_mart
from martlet.marts.tables import LEDGER, MartTable
from martlet.marts.versions import VersionFolder
from martlet.settings import Settings
from martlet.star_schema import STAR_TABLES, star_model
from tests.project import REPOSITORY, settings_at

FACTS = {
    "ad_performance": "fct_acme__ad_performance",
    "orders": "fct_acme__orders",
    "sessions": "fct_acme__sessions",
    "campaigns": "dim_acme__campaigns",
}
DEFINITION = {"orders": {"table": "fct_acme__orders", "dimensions": {}, "measures": {}}}
DAY = date(2026, 3, 2)
SOURCES = {
    "google_ads": ("paid_ads", ("ads",)),
    "tiktok_ads": ("paid_ads", ("ads",)),
    "shopify": ("ecommerce", ("orders",)),
    "mixpanel": ("analytics", ("events",)),
}
TENANT = Tenant(
    slug="acme",
    name="Acme",
    reporting_timezone="Europe/Berlin",
    currency="EUR",
    sources={
        platform: Source(platform=platform, domain=domain, objects=objects)  # type: ignore[arg-type]
        for platform, (domain, objects) in SOURCES.items()
    },
)
DEFAULTS: dict[str, dict[str, Any]] = {
    "ad_performance": {
        "account_id": "1",
        "report_date": DAY,
        "campaign_id": "c1",
        "currency": "EUR",
    },
    "orders": {"source_platform": "shopify", "business_date": DAY, "currency": "EUR"},
    "sessions": {"source_platform": "mixpanel", "business_date": DAY},
    "campaigns": {"account_id": "1", "campaign_id": "c1", "campaign_name": "Spring"},
}


@dataclass
class Shop:
    """A warehouse with one tenant's star schema, and its marts."""

    settings: Settings
    holds: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> VersionFolder:
        return mart_folder(self.settings, "acme")

    def execute(self, sql: str, *parameters: Any) -> None:
        with engine_of(self.settings).open_warehouse() as warehouse:
            warehouse.execute(sql, list(parameters))

    def add(self, model: str, **values: Any) -> None:
        """Add a row; what is not given is the model's default, or null."""
        row = {"tenant_slug": "acme", "source_platform": "google_ads", "connection": "main"}
        row |= DEFAULTS[model] | values
        self.execute(
            f"insert into analytics.{FACTS[model]} ({', '.join(row)}) "
            f"values ({', '.join('?' * len(row))})",
            *row.values(),
        )

    def push(self, platform: str, object_: str, load_id: str, at: datetime) -> None:
        """Add a load to the ledger."""
        self.execute(
            f"insert into {LEDGER} values ('acme', ?, 'main', ?, ?, ?, ?)",
            platform, object_, load_id, at, at,
        )  # fmt: skip

    def publish(self, **options: Any) -> Published:
        with engine_of(self.settings).open_warehouse(read_only=True) as warehouse:
            return publish_mart(
                self.settings,
                warehouse,
                TENANT,
                self.holds,
                **{"definition": DEFINITION, "definition_version": 1} | options,
            )

    @contextmanager
    def mart(self, version: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        path = self.folder.path_of(version or str(self.folder.current()))
        with connect(path, read_only=True) as connection:
            yield connection

    def rows(self, sql: str, version: str | None = None) -> list[tuple[Any, ...]]:
        with self.mart(version) as mart:
            return mart.execute(sql).fetchall()

    def files(self) -> set[str]:
        return {path.name for path in self.folder.path.iterdir()}


def open_shop(home: Path) -> Shop:
    return Shop(settings_at(REPOSITORY, home, home / "tenants.yaml"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = open_shop(tmp_path)
    engine = engine_of(shop.settings)
    engine.create_warehouse()
    with engine.open_warehouse() as warehouse:
        warehouse.execute("create schema analytics; create schema if not exists ops")
        for table in STAR_TABLES:
            columns = ", ".join(f"{column.name} {column.type}" for column in table.columns)
            warehouse.execute(f"create table analytics.{star_model('acme', table)} ({columns})")
        warehouse.execute(
            f"create table {LEDGER} (tenant_slug varchar, source_platform varchar, "
            "connection varchar, object varchar, load_id varchar, extracted_at timestamp, "
            "pushed_at timestamp)"
        )
    shop.add("campaigns")
    shop.add("ad_performance", spend=Decimal("10.25"), clicks=4)
    shop.add("ad_performance", source_platform="tiktok_ads", spend=7, clicks=2, currency="USD")
    shop.add("orders", order_id="1", total_price=30, customer_email="a@x.example")
    shop.push("google_ads", "ads", "1", datetime(2026, 3, 3, 4))
    shop.push("tiktok_ads", "ads", "1", datetime(2026, 3, 3, 5))
    return shop


def test_a_mart_has_the_facts_and_says_what_it_is(shop: Shop) -> None:
    shop.push("google_ads", "ads", "0", datetime(2026, 3, 1, 4))
    shop.push("oldsource", "ads", "9", datetime(2026, 1, 1))

    published = shop.publish()

    version = shop.folder.current()
    assert published == Published(
        "acme", version, None, True,
        {"ad_performance": 2, "campaigns": 1, "orders": 1, "sessions": 0, "blended": 3},
    )  # fmt: skip
    assert shop.files() == {".lock", "current", f"{version}.duckdb"}
    assert shop.rows(
        "select tenant_slug, version, definition, definition_version, reporting_timezone, "
        "currency, previous_version from mart_info"
    ) == [("acme", version, json.dumps(DEFINITION), 1, "Europe/Berlin", "EUR", None)]
    assert shop.rows("from mart_freshness order by all") == [
        ("google_ads", "main", "ads", datetime(2026, 3, 3, 4), datetime(2026, 3, 3, 4), "1", False, None),
        ("tiktok_ads", "main", "ads", datetime(2026, 3, 3, 5), datetime(2026, 3, 3, 5), "1", False, None),
    ]  # fmt: skip
    assert shop.rows(
        "select f.spend from fct_acme__ad_performance f join dim_acme__campaigns using (campaign_key)"
    ) == [(Decimal("10.25"),)]
    assert shop.rows("select rate_day, per_eur from exchange_rates where currency = 'USD'") == [
        (DAY, Decimal("1.1698"))
    ]


def test_a_profile_tells_currencies_platforms_zones_and_days(shop: Shop) -> None:
    zones = {"account_timezone": "America/New_York", "report_date": date(2026, 2, 1)}
    shop.add("ad_performance", spend=1, currency=None, **zones)
    shop.add("sessions", session_id="1", session_revenue=0)
    shop.publish()

    profile = {name: told for name, *told in shop.rows("from mart_profile")}

    assert profile["ad_performance"] == [
        3, ["EUR", "USD"], True, ["google_ads", "tiktok_ads"], ["America/New_York"],
        date(2026, 2, 1), DAY,
    ]  # fmt: skip
    assert profile["sessions"] == [1, [], False, ["mixpanel"], ["Europe/Berlin"], DAY, DAY]
    assert profile["blended"][4] == ["America/New_York", "Europe/Berlin"]
    assert profile["campaigns"][5:] == [None, None]


def test_nothing_new_is_no_new_version_unless_forced(shop: Shop) -> None:
    first = shop.publish()
    again = shop.publish()
    forced = shop.publish(force=True)

    assert (again.version, again.is_new) == (first.version, False)
    assert again.reason == f"nothing has changed since {first.version}"
    assert forced.is_new
    assert forced.previous == first.version
    assert len(shop.folder.versions()) == 2


@pytest.mark.parametrize("change", ["row", "value", "definition", "freshness", "hold", "rates"])
def test_what_a_reader_would_see_differently_is_a_new_version(
    shop: Shop, change: str, tmp_path: Path
) -> None:
    shop.publish()
    options: dict[str, Any] = {}

    if change == "row":
        shop.add("sessions", session_id="1")
    elif change == "value":
        shop.execute("update analytics.dim_acme__campaigns set campaign_name = 'Fall'")
    elif change == "definition":
        options["definition"] = {}
    elif change == "freshness":
        shop.push("google_ads", "ads", "2", datetime(2026, 3, 4))
    elif change == "hold":
        shop.holds = {"mixpanel": "no shape"}
    else:
        options["rates_csv"] = tmp_path / "own.csv"
        options["rates_csv"].write_text("date,currency,per_eur\n2026-03-02,USD,2\n")

    assert shop.publish(**options).is_new


def test_a_held_platform_keeps_its_rows_and_says_how_old_they_are(shop: Shop) -> None:
    shop.publish()
    shop.execute("update analytics.fct_acme__ad_performance set spend = spend + 1")
    shop.execute(
        "alter table analytics.fct_acme__ad_performance add column note varchar default 'n'"
    )
    shop.push("google_ads", "ads", "2", datetime(2026, 3, 9))
    shop.push("tiktok_ads", "ads", "2", datetime(2026, 3, 9))
    shop.holds = {"tiktok_ads": "spend is gone"}

    published = shop.publish()

    assert published.held == shop.holds
    assert shop.rows(
        "select source_platform, spend, note from fct_acme__ad_performance order by 1"
    ) == [("google_ads", Decimal("11.25"), "n"), ("tiktok_ads", 7, None)]
    assert shop.rows(
        "select source_platform, extracted_at, is_held, held_because from mart_freshness order by 1"
    ) == [
        ("google_ads", datetime(2026, 3, 9), False, None),
        ("tiktok_ads", datetime(2026, 3, 3, 5), True, "spend is gone"),
    ]
    assert shop.rows("select sum(spend) from fct_acme__blended where currency = 'USD'") == [(7,)]

    shop.execute("delete from analytics.fct_acme__ad_performance where currency = 'USD'")
    assert not shop.publish().is_new, "what is held does not follow the warehouse"
    shop.holds = {}
    shop.publish()
    assert shop.rows("select count(*) from fct_acme__ad_performance") == [(1,)]


def test_a_platform_held_before_anything_was_published_has_no_rows_but_shows(shop: Shop) -> None:
    shop.holds = {"tiktok_ads": "spend is gone"}

    assert shop.publish().rows["ad_performance"] == 1
    assert shop.rows("from mart_freshness where is_held") == [
        ("tiktok_ads", "main", "ads", None, None, None, True, "spend is gone")
    ]


def lose_an_order(connection: duckdb.DuckDBPyConnection, table: MartTable, held: Any) -> MartTable:
    copied = COPY_TABLE(connection, table, held)
    if table.model == "orders":
        connection.execute(f"update {table.in_catalog('mart_draft')} set total_price = 29.99")
    return copied


COPY_TABLE = publishing.copy_table


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "insert into analytics.fct_acme__orders (tenant_slug) values ('globex')",
            "not of this tenant",
        ),
        ("insert into analytics.fct_acme__orders (order_id) values ('2')", "not of this tenant"),
        (
            "insert into analytics.dim_acme__campaigns from analytics.dim_acme__campaigns",
            "there twice",
        ),
        ("copy", "fct_acme__orders, shopify, EUR: total_price is 29.990000, not 30.000000"),
    ],
)
def test_what_fails_the_audit_is_not_published(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, damage: str, told: str
) -> None:
    shop.publish()
    before = shop.files()
    if damage == "copy":
        monkeypatch.setattr(publishing, "copy_table", lose_an_order)
    else:
        shop.execute(damage)

    with pytest.raises(BrokenPromiseError, match=told):
        shop.publish(force=True)

    assert shop.files() == before


def test_a_star_schema_that_lacks_something_is_not_published(shop: Shop) -> None:
    shop.execute("alter table analytics.fct_acme__orders drop column refunded")
    with pytest.raises(MartletError, match="fct_acme__orders has no column refunded"):
        shop.publish()
    shop.execute("drop table analytics.fct_acme__orders")
    with pytest.raises(MartletError, match="fct_acme__orders is missing"):
        shop.publish()
    assert not shop.folder.path.exists()


def test_bad_options_write_nothing(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="0 versions"):
        shop.publish(keep=0)
    with pytest.raises(BadInputError, match="cannot be read as CSV"):
        shop.publish(rates_csv=tmp_path / "missing.csv")
    assert not shop.folder.path.exists()


def test_what_was_rolled_back_is_published_only_when_forced_or_changed(shop: Shop) -> None:
    first = shop.publish().version
    shop.execute("update analytics.fct_acme__orders set total_price = 31")
    second = shop.publish().version
    assert rollback(shop.folder) == first

    refused = shop.publish()
    assert (refused.is_new, refused.version) == (False, first)
    assert f"{second} held, which was rolled back" in str(refused.reason)

    assert shop.publish(force=True).is_new
    assert shop.folder.withdrawn() == {}
    assert not shop.publish().is_new


def test_versions_are_listed_with_their_rows(shop: Shop) -> None:
    first = shop.publish().version
    shop.add("orders", order_id="2")
    second = shop.publish().version
    rollback(shop.folder)
    shop.folder.path_of(str(second)).write_bytes(b"torn")

    listed = {v.version: v for v in list_versions(shop.settings, "acme")}

    assert listed[str(first)].is_current
    assert listed[str(first)].rows["orders"] == 1
    assert listed[str(first)].size > 10_000
    assert listed[str(second)].is_withdrawn
    assert listed[str(second)].is_damaged


def test_a_damaged_mart_is_replaced_unless_its_rows_are_needed(shop: Shop) -> None:
    shop.publish()
    damaged = shop.folder.path_of(str(shop.folder.current()))
    damaged.write_bytes(b"torn" * 5_000)
    shop.holds = {"tiktok_ads": "spend is gone"}

    with pytest.raises(MartDamagedError, match="tiktok_ads cannot be held"):
        shop.publish()
    assert shop.folder.versions() == [damaged.stem]
    shop.holds = {}
    assert shop.publish().is_new


def test_who_reads_a_version_goes_on_when_it_is_replaced_and_pruned(shop: Shop) -> None:
    first = shop.publish().version
    with shop.mart() as reader:
        shop.execute("update analytics.fct_acme__orders set total_price = 31")
        shop.publish(keep=1)

        assert reader.execute("select total_price from fct_acme__orders").fetchall() == [(30,)]
    assert first not in shop.folder.versions()
    assert shop.rows("select total_price from fct_acme__orders") == [(31,)]


def test_the_blended_fact_stacks_what_counts(shop: Shop) -> None:
    at = datetime(2026, 3, 1, 8)
    shop.add("campaigns", campaign_id="c2", campaign_name="spring ")
    shop.add("campaigns", campaign_id="c3", campaign_name="Brand")
    for number, values in enumerate(
        (
            {"total_price": 50, "refunded": 20, "customer_email": " A@x.example", "ordered_at": at},
            {"total_price": 5, "is_test": True, "customer_email": "a@x.example"},
            {"total_price": 5, "is_cancelled": True, "customer_email": "b@x.example"},
            {"total_price": 40, "customer_id": "7", "customer_email": " "},
            {"total_price": 40, "customer_id": "7", "connection": "second"},
            {"total_price": 8},
        )
    ):
        shop.add("orders", order_id=str(number + 2), **values)
    for number, name in enumerate((" BRAND", "Spring", None)):
        shop.add(
            "sessions", session_id=str(number), traffic_campaign=name,
            is_conversion_session=number == 0, session_revenue=number,
        )  # fmt: skip

    shop.publish()

    assert shop.rows(
        "select connection, currency, account_timezone, orders_placed, revenue, refunded_amount, "
        "customers_won, spend from fct_acme__blended where domain = 'ecommerce' order by 1"
    ) == [
        ("main", "EUR", "Europe/Berlin", 4, 30 + 30 + 40 + 8, 20, 2, None),
        ("second", "EUR", "Europe/Berlin", 1, 40, None, 1, None),
    ]
    assert shop.rows(
        "select campaign_name, sessions_started, sessions_converted, session_revenue "
        "from fct_acme__blended where domain = 'analytics' order by 1 nulls last"
    ) == [("Brand", 1, 1, 0), ("Spring", 1, 0, 1), (None, 1, 0, 2)]
    assert shop.rows(
        "select source_platform, campaign_name, spend, clicks, orders_placed "
        "from fct_acme__blended where domain = 'paid_ads' order by 1"
    ) == [("google_ads", "Spring", Decimal("10.25"), 4, None), ("tiktok_ads", None, 7, 2, None)]


KILLED_AT = {
    "before the copy": "publishing.copy_table = die",
    "before the audit": "publishing._audit = die",
    "before the rename": "VersionFolder.promote = die",
    "before the swap": "VersionFolder.swap = die",
    "before the pruning": "VersionFolder.prune = die",
}
CHILD = """
import os, sys
from pathlib import Path
from martlet.marts import publish as publishing
from martlet.marts.versions import VersionFolder
from tests.warehouse.test_publish import open_shop
die = lambda *arguments, **options: os.kill(os.getpid(), 9)
{patch}
print(open_shop(Path(sys.argv[1])).publish().is_new)
"""


def start(shop: Shop, patch: str = "") -> "subprocess.Popen[str]":
    """Publish in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", CHILD.format(patch=patch), str(shop.settings.home)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_killed_publisher_leaves_the_old_version_or_the_new_one(shop: Shop) -> None:
    first = shop.publish().version
    for number, (where, patch) in enumerate(KILLED_AT.items()):
        before = shop.folder.current()
        shop.execute("update analytics.fct_acme__orders set total_price = ?", 100 + number)

        assert start(shop, patch).wait() == -9, where

        is_swapped = where == "before the pruning"
        assert (shop.folder.current() != before) is is_swapped, where
        assert shop.publish().is_new is not is_swapped, where
        assert shop.rows("select total_price from fct_acme__orders") == [(100 + number,)]
    assert {name for name in shop.files() if name.startswith(".")} == {".lock"}
    assert first not in shop.folder.versions(), "pruned by those who followed"


def test_two_publishers_at_once_make_one_new_version(shop: Shop) -> None:
    processes = [start(shop) for _ in range(2)]
    answers = [process.communicate()[0].strip() for process in processes]

    assert sorted(answers) == ["False", "True"]
    assert len(shop.folder.versions()) == 1
