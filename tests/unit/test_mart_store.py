"""The serving store reads one tenant's published files, and tells every trouble in its own words."""

import json
import random
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from martlet.errors import BadInputError
from martlet.marts.errors import (
    MartAnswerTooLargeError,
    MartDamagedError,
    MartQueryError,
    MartTimeoutError,
    NothingPublishedError,
    VersionGoneError,
)
from martlet.marts.store import Mart, MartStore, StoreSettings
from martlet.marts.versions import OPERATORS, VersionFolder
from martlet.marts.watchdog import Watchdog

FIRST, SECOND, THIRD = (f"v20250101T00000000000{number}" for number in range(3))
ENDLESS = "select sum(a.range * b.range) from range(1000000) a, range(1000000) b"


def write_mart(path: Path, tenant: str, version: str, rows: int = 1_000) -> None:
    """Write what a published mart holds, as far as the store reads it, and one table `facts`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:") as made:
        made.execute(f"attach '{path}' as mart (storage_version 'v1.5.0')")
        made.execute("use mart")
        made.execute(
            "create table facts as select range as id, ? as tenant, ? as version, md5(range::text) "
            f"as text, (range / 4)::decimal(18, 6) as spend from range({rows})",
            [tenant, version],
        )
        made.execute(
            "create table mart_info as select ? as tenant_slug, ? as version, "
            "timestamp '2025-01-02 03:04:05' as published_at, 'd1' as content_digest, "
            "?::json as definition, 3::bigint as definition_version, "
            "'Europe/Berlin' as reporting_timezone, 'EUR' as currency, "
            "null::varchar as previous_version",
            [tenant, version, json.dumps({"orders": {"table": f"fct_{tenant}__orders"}})],
        )
        made.execute(
            "create table mart_profile as select 'orders' as table_name, 7::bigint as row_count, "
            "['EUR', 'USD'] as currencies, true as has_unknown_currency, ['shopify'] as platforms, "
            "['Europe/Berlin'] as time_zones, date '2025-01-01' as first_day, "
            "date '2025-01-09' as last_day"
        )
        made.execute(
            "create table mart_freshness as select 'shopify' as source_platform, "
            "'main' as connection, 'orders' as object, timestamp '2025-01-02' as extracted_at, "
            "timestamp '2025-01-03' as pushed_at, 'l1' as load_id, true as is_held, "
            "'rows differ' as held_because"
        )


def publish(folder: Path, tenant: str, version: str, rows: int = 1_000) -> Path:
    path = folder / tenant / f"{version}.duckdb"
    write_mart(path, tenant, version, rows)
    point(folder, tenant, version)
    return path


def point(folder: Path, tenant: str, version: str) -> None:
    draft = folder / tenant / "current.new"
    draft.write_text(f"{version}\n")
    draft.replace(folder / tenant / "current")


def seen(mart: Mart) -> tuple[str, str, int]:
    """Return the tenant, the version and the count of rows that the mart's own table holds."""
    ((tenant, version, count),) = mart.fetch_rows(
        f'select any_value(tenant), any_value(version), count(*) from "{mart.catalog}".main.facts',
        {},
        10,
    )
    return tenant, version, count


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "marts"


@pytest.fixture
def store(folder: Path) -> Iterator[MartStore]:
    store = MartStore(folder)
    yield store
    store.close()


def test_a_request_gets_the_current_version_until_the_pointer_is_swapped(
    folder: Path, store: MartStore
) -> None:
    publish(folder, "acme", FIRST)
    with store.open("acme") as before:
        publish(folder, "acme", SECOND, rows=5)
        with store.open("acme") as after:
            assert (before.tenant, before.version, before.catalog) == ("acme", FIRST, FIRST)
            assert seen(before) == ("acme", FIRST, 1_000)
            assert seen(after) == ("acme", SECOND, 5)
    assert store.version("acme") == SECOND


def test_a_version_is_attached_while_it_is_current_or_in_use_and_no_longer(
    folder: Path, store: MartStore
) -> None:
    def attached(mart: Mart) -> set[str]:
        rows = mart.fetch_rows("select database_name from duckdb_databases()", {}, 5)
        return {name for (name,) in rows if name.startswith("v")}

    old = publish(folder, "acme", FIRST)
    with store.open("acme"):
        publish(folder, "acme", SECOND)
        with store.open("acme") as mart:
            old.unlink()
            assert attached(mart) == {FIRST, SECOND}
    with store.open("acme") as mart:
        assert attached(mart) == {SECOND}
    publish(folder, "acme", THIRD)
    with store.open("acme", SECOND) as page, store.open("acme") as mart:
        assert seen(page)[1] == SECOND
        assert attached(mart) == {SECOND, THIRD}
    with store.open("acme") as mart:
        assert attached(mart) == {THIRD}


def test_a_rollback_is_followed(folder: Path, store: MartStore) -> None:
    publish(folder, "acme", FIRST)
    publish(folder, "acme", SECOND)
    with store.open("acme") as mart:
        assert seen(mart)[1] == SECOND
    point(folder, "acme", FIRST)
    with store.open("acme") as mart:
        assert seen(mart)[1] == FIRST


def test_a_version_that_was_rolled_back_is_gone(folder: Path, store: MartStore) -> None:
    for version in (FIRST, SECOND):
        publish(folder, "acme", version)
    point(folder, "acme", FIRST)
    with pytest.raises(VersionGoneError), store.open("acme", SECOND):
        pass

    VersionFolder(folder / "acme").withdraw(SECOND, "d1")
    publish(folder, "acme", THIRD)
    with pytest.raises(VersionGoneError), store.open("acme", SECOND):
        pass
    with store.open("acme", FIRST) as mart:
        assert seen(mart)[1] == FIRST


def test_a_named_version_that_is_not_there_is_gone(folder: Path, store: MartStore) -> None:
    publish(folder, "acme", SECOND)
    for version in (FIRST, "", "current", f"../beta/{SECOND}", f"{SECOND}\n", 'v"; drop'):
        with pytest.raises(VersionGoneError), store.open("acme", version):
            pass


@pytest.mark.parametrize(
    "tenant",
    ["nobody", "../x", "a/b", "", ".", "..", "Acme", "acme\0", "acme\n", OPERATORS, "a" * 999],
)
def test_what_is_not_published_is_refused_and_leaves_nothing_behind(
    folder: Path, store: MartStore, tenant: str
) -> None:
    publish(folder, "acme", FIRST)
    publish(folder, OPERATORS, FIRST)
    before = sorted(folder.parent.rglob("*"))

    with pytest.raises(NothingPublishedError), store.open(tenant):
        pass
    with pytest.raises(NothingPublishedError), store.open(tenant, FIRST):
        pass
    with pytest.raises(NothingPublishedError):
        store.version(tenant)

    assert store.open_count == 0
    assert sorted(folder.parent.rglob("*")) == before


def test_a_folder_beside_those_of_tenants_is_opened_only_where_the_store_names_it(
    folder: Path,
) -> None:
    publish(folder, OPERATORS, FIRST)
    store = MartStore(folder, other_names=[OPERATORS])

    with store.open(OPERATORS) as mart:
        assert seen(mart)[0] == OPERATORS


def test_nothing_but_the_tenants_own_files_can_be_read_and_nothing_written(
    folder: Path, store: MartStore
) -> None:
    own = publish(folder, "acme", FIRST)
    other = publish(folder, "acme_too", FIRST)
    outside = folder.parent / "outside.csv"
    outside.write_text("a\n1\n")
    (own.parent / f"{SECOND}.duckdb").symlink_to(other)
    statements = [
        f"select * from '{outside}'",
        f"select * from read_text('{other}')",
        f"select * from read_text('{own.parent}/../acme_too/current')",
        f"attach '{other}' as other",
        f"copy (select 1) to '{own}'",
        f'create table "{FIRST}".main.made as select 1',
        f'drop table "{FIRST}".main.facts',
        f'select 1; drop table "{FIRST}".main.facts',
        "set threads = 1",
        "set enable_external_access = true",
        "load httpfs",
        "",
    ]

    with store.open("acme") as mart:
        for sql in statements:
            with pytest.raises(MartQueryError) as refusal:
                mart.fetch_rows(sql, {}, 5)
            assert "acme" not in str(refusal.value)
        assert seen(mart) == ("acme", FIRST, 1_000)
    point(folder, "acme", SECOND)
    with pytest.raises(MartDamagedError), store.open("acme"):
        pass


def test_values_are_bound_and_results_are_exact(folder: Path, store: MartStore) -> None:
    publish(folder, "acme", FIRST)
    with store.open("acme") as mart:
        table = mart.fetch_arrow(
            f'select sum(spend) as spend, $text as text from "{FIRST}".main.facts where id <= $top',
            {"top": 3, "text": "'; drop table facts --"},
            seconds=5,
            max_bytes=1_000,
        )
        empty = mart.fetch_arrow(
            f'select id, spend from "{FIRST}".main.facts where false', {}, seconds=5, max_bytes=0
        )

    assert table.to_pylist() == [{"spend": Decimal("1.5"), "text": "'; drop table facts --"}]
    assert empty.num_rows == 0
    assert empty.column_names == ["id", "spend"]


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("select $day::date", {"day": "no day"}),
        ("select $missing", {}),
        ("select 1", {"excess": 1}),
        ("select $value", {"value": 10**50}),
        ("select $value", {"value": "\ud800"}),
        ("select no_such_column from {facts}", {}),
        ("select error('in the midst') from {facts} where id > 900", {}),
        ("selec", {}),
    ],
)
def test_a_query_that_cannot_be_run_is_refused_and_the_mart_stays_usable(
    folder: Path, store: MartStore, sql: str, params: dict[str, object]
) -> None:
    publish(folder, "acme", FIRST)
    with store.open("acme") as mart:
        with pytest.raises(MartQueryError):
            mart.fetch_arrow(
                sql.format(facts=f'"{FIRST}".main.facts'), params, seconds=5, max_bytes=9_999
            )
        assert seen(mart) == ("acme", FIRST, 1_000)
    assert store.open_count == 1


def test_a_result_is_read_no_further_than_its_allowance(folder: Path, store: MartStore) -> None:
    publish(folder, "acme", FIRST)
    with store.open("acme") as mart:
        begun = time.monotonic()
        with pytest.raises(MartAnswerTooLargeError):
            mart.fetch_arrow(
                "select range, md5(range::text) from range(1000000000)",
                {},
                seconds=60,
                max_bytes=1_000_000,
            )
        assert time.monotonic() - begun < 5
        assert seen(mart) == ("acme", FIRST, 1_000)


def test_a_query_that_needs_more_memory_than_there_is_is_refused(folder: Path) -> None:
    publish(folder, "acme", FIRST)
    store = MartStore(folder, StoreSettings(threads=1, memory_limit="30MB"))
    with store.open("acme") as mart:
        with pytest.raises(MartAnswerTooLargeError):
            mart.fetch_rows("select count(distinct md5(range::text)) from range(3000000)", {}, 60)
        assert seen(mart) == ("acme", FIRST, 1_000)


def test_a_query_past_its_time_is_interrupted_and_the_cursor_goes_on(
    folder: Path, store: MartStore
) -> None:
    publish(folder, "acme", FIRST)
    streamed = "select range from range(100000000000) where md5(range::text) = 'none'"
    with store.open("acme") as mart:
        for sql, seconds in ((ENDLESS, 0.1), (streamed, 0.1), (ENDLESS, 0)):
            begun = time.monotonic()
            with pytest.raises(MartTimeoutError):
                mart.fetch_arrow(sql, {}, seconds=seconds, max_bytes=1_000)
            with pytest.raises(MartTimeoutError):
                mart.fetch_rows(sql, {}, seconds)
            assert time.monotonic() - begun < 2
        assert seen(mart) == ("acme", FIRST, 1_000)


def test_a_late_interrupt_never_meets_the_cursors_next_query(
    folder: Path, store: MartStore
) -> None:
    publish(folder, "acme", FIRST)
    chance = random.Random(4)
    sql = f'select count(distinct text) from "{FIRST}".main.facts'
    outcomes = set()
    with store.open("acme") as mart:
        for _ in range(300):
            try:
                mart.fetch_rows(sql, {}, chance.uniform(0, 0.002))
                outcomes.add("answer")
            except MartTimeoutError:
                outcomes.add("timeout")
            assert mart.fetch_rows(sql, {}, 60) == [(1_000,)]

    assert outcomes == {"answer", "timeout"}


def test_one_thread_watches_all_queries_and_interrupts_none_that_ended() -> None:
    watchdog = Watchdog()
    before = watching_threads()
    started: set[int | None] = set()
    outcomes: list[str] = []

    def query(number: int) -> None:
        chance = random.Random(number)
        for _ in range(60):
            ended = threading.Event()

            def interrupt(ended: threading.Event = ended) -> None:
                time.sleep(0.0002)
                outcomes.append("late" if ended.is_set() else "interrupted")

            with watchdog.watching(interrupt, chance.choice([0, 0.001, 0.002, 30])):
                time.sleep(chance.uniform(0, 0.002))
            ended.set()
            started.update(watching_threads() - before)

    threads = [threading.Thread(target=query, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(outcomes) == {"interrupted"}
    assert len(started) == 1
    assert len(watchdog._deadlines) <= 64  # those of ended queries are forgotten


def watching_threads() -> set[int | None]:
    return {each.ident for each in threading.enumerate() if each.name == "martlet-watchdog"}


def test_the_least_recently_used_tenant_is_closed_but_none_in_use(folder: Path) -> None:
    for tenant in ("a", "b", "c", "d"):
        publish(folder, tenant, FIRST, rows=3)
    store = MartStore(folder, StoreSettings(max_open=2))

    with store.open("a") as first, store.open("b"), store.open("c"):
        assert store.open_count == 3
        with store.open("d") as fourth:
            assert seen(first) == ("a", FIRST, 3)
            assert seen(fourth) == ("d", FIRST, 3)
    assert store.open_count == 2
    with store.open("a") as again:
        assert seen(again) == ("a", FIRST, 3)
    assert store.open_count == 2
    with store.open("a") as last:
        store.close()
        assert seen(last) == ("a", FIRST, 3)
    assert store.open_count == 0


@pytest.mark.parametrize("damage", ["empty", "text", "header", "truncated", "flipped", "missing"])
def test_a_damaged_version_is_said_to_be_one_and_a_good_one_is_served_again(
    folder: Path, store: MartStore, damage: str
) -> None:
    path = publish(folder, "acme", FIRST, rows=100_000)
    good = path.read_bytes()
    half = len(good) // 2
    bad = {
        "empty": b"",
        "text": b"no database " * 9_999,
        "header": good[:5_000],
        "truncated": good[:half],
        "flipped": b"".join(
            good[at : at + 4_096] if at < 12_288 else b"\xa5" + good[at + 1 : at + 4_096]
            for at in range(0, len(good), 4_096)
        ),
    }
    path.unlink()
    if damage in bad:
        path.write_bytes(bad[damage])

    for _ in range(2):
        with pytest.raises(MartDamagedError) as told, store.open("acme") as mart:
            mart.fetch_arrow(
                f'select * from "{mart.catalog}".main.facts order by spend, text',
                {},
                seconds=10,
                max_bytes=10**9,
            )
        assert str(folder) not in str(told.value)

    path.unlink(missing_ok=True)
    path.write_bytes(good)
    with store.open("acme") as mart:  # the same version put back
        assert seen(mart) == ("acme", FIRST, 100_000)
    publish(folder, "acme", SECOND)
    with store.open("acme") as mart:
        assert seen(mart) == ("acme", SECOND, 1_000)


@pytest.mark.parametrize("pointer", [b"", b"\n", b"\xff\xfe", b"../beta/x", b"v1", b"a\0b"])
def test_a_damaged_pointer_is_a_damaged_mart(
    folder: Path, store: MartStore, pointer: bytes
) -> None:
    publish(folder, "acme", FIRST)
    (folder / "acme" / "current").write_bytes(pointer)

    with pytest.raises(MartDamagedError), store.open("acme"):
        pass


def test_a_version_says_what_it_is_and_is_asked_once(folder: Path, store: MartStore) -> None:
    publish(folder, "acme", FIRST)
    with store.open("acme") as mart:
        info = mart.info
    with store.open("acme") as mart:
        assert mart.info is info

    assert (info.tenant, info.version, info.content_digest) == ("acme", FIRST, "d1")
    assert info.published_at == datetime(2025, 1, 2, 3, 4, 5)
    assert info.definition == {"orders": {"table": "fct_acme__orders"}}
    assert (info.reporting_timezone, info.currency, info.definition_version) == (
        "Europe/Berlin",
        "EUR",
        3,
    )
    orders = info.profiles["orders"]
    assert (orders.row_count, orders.currencies, orders.has_unknown_currency) == (
        7,
        ("EUR", "USD"),
        True,
    )
    assert (orders.first_day, orders.last_day) == (date(2025, 1, 1), date(2025, 1, 9))
    (state,) = info.freshness
    assert (state.object, state.is_held, state.held_because) == ("orders", True, "rows differ")


def test_another_tenants_mart_and_one_that_says_nothing_are_damaged(
    folder: Path, store: MartStore
) -> None:
    write_mart(folder / "acme" / f"{FIRST}.duckdb", "beta", FIRST)
    point(folder, "acme", FIRST)
    with store.open("acme") as mart, pytest.raises(MartDamagedError):
        _ = mart.info

    path = publish(folder, "acme", SECOND)
    with duckdb.connect(str(path)) as made:
        made.execute("drop table mart_info")
    with store.open("acme") as mart:
        assert seen(mart)[1] == SECOND  # as an operational snapshot would
        with pytest.raises(MartDamagedError):
            _ = mart.info


def test_settings_that_no_engine_takes_are_bad_input(folder: Path) -> None:
    publish(folder, "acme", FIRST)
    store = MartStore(folder, StoreSettings(memory_limit="plenty"))

    with pytest.raises(BadInputError, match="plenty"), store.open("acme"):
        pass
