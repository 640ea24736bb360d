"""Generated questions: the service, SQL written by hand and BSL's own execution must agree.

The data holds what breaks sums: campaigns without a name, null keys, days without rows, zero
divisors, several ads of a campaign's day (a join that fans out would count them twice), refunds,
test and cancelled orders, and text that looks like SQL.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pytest

from martlet.config.catalogue import load_catalogue
from martlet.config.tenants import Tenant, load_tenants
from martlet.engines.targets import engine_of
from martlet.marts.publish import publish_mart
from martlet.marts.store import MartStore
from martlet.semantic.definitions import tenant_definitions
from martlet.semantic.requests import Query
from martlet.semantic.service import SemanticService
from martlet.settings import Settings
from martlet.star_schema import STAR_TABLES, star_model
from tests.project import new_project

SEED = 20260701
QUESTIONS = 330
FIRST_DAY = date(2026, 5, 28)
DAYS = 40
COUNTED = "not coalesce(f.is_test, false) and not coalesce(f.is_cancelled, false)"

# Written by hand, apart from the definitions: what each measure is, as SQL over the alias f.
MEASURES: dict[str, dict[str, str]] = {
    "ad_performance": {
        "spend": "sum(f.spend)",
        "impressions": "sum(f.impressions)",
        "clicks": "sum(f.clicks)",
        "conversions": "sum(f.conversions)",
        "conversion_value": "sum(f.conversion_value)",
        "ctr": "sum(f.clicks) / nullif(sum(f.impressions), 0)",
        "cpc": "sum(f.spend) / nullif(sum(f.clicks), 0)",
        "cpm": "sum(f.spend) * 1000 / nullif(sum(f.impressions), 0)",
        "cpa": "sum(f.spend) / nullif(sum(f.conversions), 0)",
        "roas": "sum(f.conversion_value) / nullif(sum(f.spend), 0)",
        "conversion_rate": "sum(f.conversions) / nullif(sum(f.clicks), 0)",
        "row_count": "count(*)",
    },
    "orders": {
        "order_count": f"count(*) filter ({COUNTED})",
        "revenue": f"sum(f.total_price - coalesce(f.refunded, 0)) filter ({COUNTED})",
        "gross_revenue": f"sum(f.total_price) filter ({COUNTED})",
        "aov": f"sum(f.total_price - coalesce(f.refunded, 0)) filter ({COUNTED})"
        f" / nullif(count(*) filter ({COUNTED}), 0)",
        "row_count": "count(*)",
    },
    "sessions": {
        "session_count": "count(*)",
        "visitor_count": "count(distinct f.user_pseudo_id)",
        "conversion_session_count": "count(*) filter (f.is_conversion_session)",
        "session_revenue": "sum(f.session_revenue)",
        "session_conversion_rate": "count(*) filter (f.is_conversion_session) / nullif(count(*), 0)",
    },
}
DIMENSIONS: dict[str, dict[str, str]] = {
    "ad_performance": {
        "source_platform": "f.source_platform",
        "connection": "f.connection",
        "campaign_id": "f.campaign_id",
        "ad_group_id": "f.ad_group_id",
        "grain": "f.grain",
        "campaigns.campaign_name": "d.campaign_name",
        "campaigns.status": "d.status",
    },
    "orders": {
        "source_platform": "f.source_platform",
        "financial_status": "f.financial_status",
        "is_test": "f.is_test",
    },
    "sessions": {
        "traffic_source": "f.traffic_source",
        "traffic_medium": "f.traffic_medium",
        "traffic_campaign": "f.traffic_campaign",
        "is_conversion_session": "f.is_conversion_session",
    },
}
DAY = {"ad_performance": "report_date", "orders": "business_date", "sessions": "business_date"}
TEXTS = ("Brand", "brand", "100% wool_", "'; drop table x; --", "Ünïcode", "", None)


@dataclass(frozen=True)
class Published:
    """A mart with random rows, and the doors to it."""

    settings: Settings
    tenant: Tenant
    service: SemanticService
    file: Path
    definition: dict[str, Any]


def _rows(chance: random.Random) -> dict[str, list[tuple[Any, ...]]]:
    def money(most: int) -> Decimal | None:
        return None if chance.random() < 0.08 else Decimal(chance.randrange(most * 100)) / 100

    def day() -> date:
        offset = chance.choice([n for n in range(DAYS) if n not in (7, 8, 9)])
        return FIRST_DAY + timedelta(days=offset)

    ads, campaigns, orders, sessions = [], [], [], []
    for platform in ("google_ads", "facebook_ads"):
        for number in range(6):
            name = chance.choice(TEXTS)
            campaigns.append(("acme", platform, "main", "a1", str(number), name, "active"))
        for n in range(260):
            campaign = chance.choice(["0", "1", "2", "3", "4", "5", "lost", None])
            clicks = chance.choice([0, 0, 3, 50])
            ads.append(
                (
                    "acme",
                    platform,
                    "main",
                    "a1",
                    day(),
                    campaign,
                    chance.choice(["g", None]),
                    str(n),
                    money(90),
                    chance.choice([0, 10, 900]),
                    clicks,
                    money(3),
                    money(200),
                    "EUR",
                    "ad",
                )
            )
    for n in range(240):
        orders.append(
            (
                "acme",
                "shopify",
                "main",
                str(n),
                day(),
                money(300),
                chance.choice([None, Decimal(5)]),
                "EUR",
                chance.choice(["paid", "refunded", None]),
                chance.random() < 0.1,
                chance.choice([True, False, None]),
                f"c{n % 40}@example.com",
            )
        )
        sessions.append(
            (
                "acme",
                "google_analytics",
                "main",
                str(n),
                f"u{n % 90}",
                day(),
                chance.choice(TEXTS),
                chance.choice(["cpc", "organic", None]),
                chance.choice(TEXTS),
                chance.random() < 0.2,
                money(80),
                "EUR",
            )
        )
    return {"ad_performance": ads, "campaigns": campaigns, "orders": orders, "sessions": sessions}


GIVEN = {
    "ad_performance": "tenant_slug, source_platform, connection, account_id, report_date, campaign_id, "
    "ad_group_id, ad_id, spend, impressions, clicks, conversions, conversion_value, currency, grain",
    "campaigns": "tenant_slug, source_platform, connection, account_id, campaign_id, campaign_name, "
    "status",
    "orders": "tenant_slug, source_platform, connection, order_id, business_date, total_price, refunded, "
    "currency, financial_status, is_test, is_cancelled, customer_email",
    "sessions": "tenant_slug, source_platform, connection, session_id, user_pseudo_id, business_date, "
    "traffic_source, traffic_medium, traffic_campaign, is_conversion_session, session_revenue, currency",
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    project = new_project(tmp_path_factory.mktemp("differential") / "project")
    stanza = {"name": "Acme", "reporting_timezone": "UTC", "currency": "EUR"}
    project.configure({"acme": stanza | {"sources": {"shopify": {}, "google_ads": {}}}})
    settings = project.settings
    tenant = load_tenants(settings.tenants_file, load_catalogue(settings.catalogue_file)).tenant(
        "acme"
    )
    engine_of(settings).create_warehouse()
    with engine_of(settings).open_warehouse() as warehouse:
        warehouse.execute("create schema analytics")
        for table in STAR_TABLES:
            relation = f"analytics.{star_model('acme', table)}"
            columns = ", ".join(f'"{c.name}" {c.type}' for c in table.columns)
            warehouse.execute(f"create table {relation} ({columns})")
            rows = _rows(random.Random(SEED))[table.name]
            row = f"({', '.join('?' * len(rows[0]))})"
            warehouse.execute(  # at once: on a lake, each statement costs as much as a hundred rows
                f"insert into {relation} ({GIVEN[table.name]}) values {', '.join([row] * len(rows))}",
                [value for values in rows for value in values],
            )
        definition = tenant_definitions(warehouse, tenant)
        mart = publish_mart(
            settings, warehouse, tenant, {}, definition=definition, definition_version=1
        )
    assert mart.version
    yield Published(
        settings=settings,
        tenant=tenant,
        service=SemanticService(MartStore(settings.marts_dir), pseudonym_key="0" * 64),
        file=settings.marts_dir / "acme" / f"{mart.version}.duckdb",
        definition=definition,
    )


def _question(chance: random.Random) -> Query:
    model = chance.choice(list(MEASURES))
    dimensions = chance.sample(list(DIMENSIONS[model]), chance.randrange(4))
    filters = []
    for field in chance.sample(list(DIMENSIONS[model]), chance.choice([0, 0, 1, 2])):
        if field.startswith("is_"):
            filters.append({"field": field, "op": chance.choice(["eq", "ne"]), "value": True})
            continue
        text = chance.choice(["google_ads", "cpc", *[t for t in TEXTS if t]])
        op = chance.choice(
            ["eq", "ne", "in", "not_in", "contains", "not_contains", "is_null", "is_not_null"]
        )
        value = None if "null" in op else [text, "paid"] if "in" in op.split("_") else text
        filters.append({"field": field, "op": op, "value": value})
    time: dict[str, Any] = {}
    if chance.random() < 0.7:
        start = FIRST_DAY + timedelta(days=chance.randrange(-3, DAYS + 3))
        time = {"start": start, "end": start + timedelta(days=chance.randrange(15))}
    if chance.random() < 0.5:
        time["grain"] = chance.choice(["day", "week", "month", "quarter", "year"])
    return Query(
        model=model,
        measures=chance.sample(list(MEASURES[model]), chance.randrange(1, 5)),
        dimensions=dimensions,
        filters=filters,
        time=time or None,
        limit=5_000,
    )


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, bool) else "'" + str(value).replace("'", "''") + "'"


def _where(query: Query) -> str:
    """Return the condition, written by hand: unlike SQL's, `ne` and `not_in` keep nulls."""
    parts = ["true"]
    for condition in query.filters:
        column, value = DIMENSIONS[query.model][condition.field], condition.value
        listed = ", ".join(map(_literal, value)) if isinstance(value, list) else ""
        parts.append(
            {
                "eq": f"{column} = {_literal(value)}",
                "ne": f"({column} is null or {column} <> {_literal(value)})",
                "in": f"{column} in ({listed})",
                "not_in": f"({column} is null or {column} not in ({listed}))",
                "contains": f"contains(lower({column}), lower({_literal(value)}))",
                "not_contains": f"({column} is null or not contains(lower({column}), lower({_literal(value)})))",
                "is_null": f"{column} is null",
                "is_not_null": f"{column} is not null",
            }[condition.op]
        )
    if query.time and query.time.start:
        day = f"f.{DAY[query.model]}"
        parts.append(f"{day} between date '{query.time.start}' and date '{query.time.end}'")
    return " and ".join(parts)


def _by_hand(query: Query) -> tuple[list[str], str]:
    relation = f"fct_acme__{query.model}"
    keys: dict[str, str] = {}
    if query.time and query.time.grain:
        day = DAY[query.model]
        keys[day] = f"cast(date_trunc('{query.time.grain}', f.{day}) as date)"
    keys |= {name: DIMENSIONS[query.model][name] for name in query.dimensions}
    chosen = keys | {name: MEASURES[query.model][name] for name in query.measures}
    columns = ", ".join(f'{sql} as "{name}"' for name, sql in chosen.items())
    join = ""
    if query.model == "ad_performance":
        join = (
            "left join dim_acme__campaigns d on (d.source_platform, d.connection, d.account_id, "
            "d.campaign_id) = (f.source_platform, f.connection, f.account_id, f.campaign_id)"
        )
    group = f"group by {', '.join(keys.values())}" if keys else ""
    return list(chosen), f"select {columns} from {relation} f {join} where {_where(query)} {group}"


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return round(float(value), 7)
    return value.date() if hasattr(value, "date") else value


def _multiset(rows: list[tuple[Any, ...]]) -> list[str]:
    return sorted(repr(tuple(map(_plain, row))) for row in rows)


def test_generated_questions_are_answered_as_hand_made_sql_answers_them(
    published: Published,
) -> None:
    chance = random.Random(SEED)
    rows_compared = fanned_out = 0
    with duckdb.connect(str(published.file), read_only=True) as mart:
        for number in range(QUESTIONS):
            query = _question(chance)
            answer = published.service.query("acme", query, may_see_personal=False)
            names, sql = _by_hand(query)

            got = [tuple(row[name] for name in names) for row in answer.table.to_pylist()]

            expected = mart.execute(sql).fetchall()
            assert _multiset(got) == _multiset(expected), f"question {number}: {query!r}\n{sql}"
            rows_compared += len(got)
            fanned_out += any("." in name for name in query.dimensions) and len(got) > 1

    assert rows_compared > 3_000
    assert fanned_out > 20


def test_generated_questions_are_answered_as_bsl_executes_them(published: Published) -> None:
    """Only what BSL itself can be asked: no conditions, days instead of longer periods."""
    from boring_semantic_layer import from_config

    chance = random.Random(SEED + 1)
    backend = ibis.duckdb.connect(str(published.file), read_only=True)
    tables = {
        entry["table"]: backend.table(entry["table"]) for entry in published.definition.values()
    }
    models = from_config(published.definition, tables=tables)
    for number in range(60):
        query = _question(chance).model_copy(update={"filters": [], "time": None})
        answer = published.service.query("acme", query, may_see_personal=False)

        got = [
            tuple(row[name] for name in (*query.dimensions, *query.measures))
            for row in answer.table.to_pylist()
        ]

        own = (
            models[query.model]
            .query(dimensions=query.dimensions, measures=query.measures)
            .execute()
        )
        expected = [
            tuple(row)
            for row in own.astype(object).where(own.notna(), None).itertuples(index=False)
        ]
        assert _multiset(got) == _multiset(expected), f"question {number}: {query!r}"
    backend.disconnect()


def test_two_facts_in_one_answer_do_not_multiply_each_other(published: Published) -> None:
    query = Query(
        model="blended",
        measures=["spend", "revenue", "orders", "sessions", "mer"],
        time={"grain": "day"},
        limit=1000,
    )

    answer = published.service.query("acme", query, may_see_personal=False)

    with duckdb.connect(str(published.file), read_only=True) as mart:
        expected = mart.execute(
            f"""
            with ads as (select report_date as day, sum(spend) as spend from fct_acme__ad_performance group by 1),
            shop as (
                select business_date as day, sum(total_price - coalesce(refunded, 0)) as revenue, count(*) as orders
                from fct_acme__orders f where {COUNTED} group by 1
            ),
            visits as (select business_date as day, count(*) as sessions from fct_acme__sessions group by 1)
            select day, spend, revenue, orders, sessions, revenue / nullif(spend, 0)
            from ads full join shop using (day) full join visits using (day)
            """
        ).fetchall()
    got = [tuple(row.values()) for row in answer.table.to_pylist()]
    # A sum over no row is null by hand and may be null or 0 in the stack.
    assert sorted(repr([_plain(v) or None for v in row]) for row in got) == sorted(
        repr([_plain(v) or None for v in row]) for row in expected
    )
