"""Makes landed rows of any number in one query: what the sources deliver, in their own shapes.

The simulator would make the same in more time than some benchmarks take. A row is a function of
its number, so a second delivery repeats the first; `revision` changes the rows whose number
divides by `every`, as a source restates them.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa

from martlet.contracts.base import ObjectContract
from martlet.contracts.library import object_contract
from martlet.contracts.physical import physical_columns
from martlet.engines.duckdb_engine import quoted_name
from martlet.landing.batches import LandedBatch

FIRST_DAY = date(2025, 7, 1)
FIRST_MOMENT = datetime(2026, 7, 1, 6)

_PARAMETER = "{{'key': '{0}', 'value': {{'string_value': {1}, 'int_value': {2}}}}}"
_NO_TEXT, _NO_NUMBER = "cast(null as varchar)", "cast(null as bigint)"


def _text(key: str, value: str) -> str:
    return _PARAMETER.format(key, value, _NO_NUMBER)


def _number(key: str, value: str) -> str:
    return _PARAMETER.format(key, _NO_TEXT, value)


_EVENT_NAMES = (
    "['session_start', 'page_view', 'view_item', 'scroll', 'page_view', 'view_item', "
    "'add_to_cart', 'page_view', 'begin_checkout', 'purchase']"
)

# Ten events a session, three sessions a visitor. `d` is the day, `s` the session.
EVENTS = {
    "event_date": "strftime(d, '%Y%m%d')",
    "event_timestamp": "epoch_us(d + to_seconds((s * 37) % 80000 + (i % 10) * 41))",
    "event_name": f"{_EVENT_NAMES}[1 + i % 10]",
    "event_params": "to_json(["
    + ", ".join(
        (
            _number("ga_session_id", "1700000000 + s"),
            _number("ga_session_number", "1 + s % 3"),
            _text("page_location", "'https://shop.example/p/' || i % 997 || '?ref=' || s % 31"),
            _text("page_referrer", "'https://search.example/'"),
            _text("page_title", "'Product ' || i % 997 || ' - Shop'"),
            _number("engagement_time_msec", "(i * 7919) % 60000"),
            _text("currency", "'EUR'"),
            _text("session_engaged", "'1'"),
        )
    )
    + "])",
    "event_bundle_sequence_id": "i",
    "event_server_timestamp_offset": "(i * 31) % 900000 + if(i % {every} = 0, {revision}, 0)",
    "user_pseudo_id": "if(s % 7 = 0, null, (1000000000 + s // 3) || '.' || 1690000000 + s // 3)",
    "privacy_info": "to_json({'analytics_storage': if(s % 7 = 0, 'No', 'Yes')})",
    "device": "to_json({'category': if(s % 3 = 0, 'desktop', 'mobile'), 'operating_system': "
    "if(s % 3 = 0, 'Windows', 'Android'), 'language': 'en-us', 'web_info': {'browser': 'Chrome', "
    "'hostname': 'shop.example'}})",
    "geo": "to_json({'continent': 'Europe', 'country': if(s % 4 = 0, 'Germany', 'France'), "
    "'city': 'City ' || s % 400})",
    "traffic_source": "to_json({'name': '(referral)', 'medium': 'referral', "
    "'source': 'first.example'})",
    "collected_traffic_source": "if(i % 10 = 0 and s % 2 = 0, to_json({'manual_source': 'news', "
    "'manual_medium': 'email', 'manual_campaign_name': 'week ' || s % 52}), null)",
    "stream_id": "'1234567'",
    "platform": "'WEB'",
    "ecommerce": "if(i % 10 = 9, to_json({'transaction_id': 'T' || i, 'purchase_revenue': "
    "(i % 20000) / 100.0, 'total_item_quantity': 1 + i % 4}), null)",
    "is_active_user": "true",
}

_ACTIONS = (
    "to_json([{{'action_type': 'link_click', 'value': cast(i % 90 as varchar)}}, "
    "{{'action_type': 'offsite_conversion.fb_pixel_purchase', 'value': {0}}}, "
    "{{'action_type': 'omni_purchase', 'value': {0}}}])"
)

# One row an ad and day; `e` is the ad.
INSIGHTS = {
    "account_currency": "'EUR'",
    "account_id": "'1029384756'",
    "account_name": "'Shop EU'",
    "action_values": f"if(e % 3 = 0, {_ACTIONS.format('cast(e % 900 as varchar)')}, null)",
    "actions": f"if(e % 3 = 0, {_ACTIONS.format('cast(e % 9 as varchar)')}, null)",
    "ad_id": "cast(23840000000000000 + e as varchar)",
    "ad_name": "'Ad ' || e",
    "adset_id": "cast(23830000000000000 + e // 5 as varchar)",
    "adset_name": "'Ad set ' || e // 5",
    "attribution_setting": "'7d_click'",
    "buying_type": "'AUCTION'",
    "campaign_id": "cast(23820000000000000 + e // 50 as varchar)",
    "campaign_name": "'Campaign ' || e // 50",
    "clicks": "cast(i % 400 as varchar)",
    "cpc": "cast((i % 300) / 100.0 as varchar)",
    "cpm": "cast((i % 2000) / 100.0 as varchar)",
    "ctr": "cast((i % 500) / 100.0 as varchar)",
    "date_start": "strftime(d, '%Y-%m-%d')",
    "date_stop": "strftime(d, '%Y-%m-%d')",
    "impressions": "cast((i * 17) % 40000 as varchar)",
    "inline_link_clicks": "cast(i % 200 as varchar)",
    "objective": "'OUTCOME_SALES'",
    "optimization_goal": "'OFFSITE_CONVERSIONS'",
    "publisher_platform": "'facebook'",
    "reach": "cast((i * 13) % 30000 as varchar)",
    "spend": "cast(cast((i % 90000) / 100.0 + if(i % {every} = 0, {revision}, 0) "
    "as decimal(18, 2)) as varchar)",
}

# Orders have a key and no scope: what is known of them may lie anywhere in the history.
ORDERS = {
    "id": "450789469000 + i",
    "created_at": "strftime(d + to_seconds(i % 80000), '%Y-%m-%dT%H:%M:%S+00:00')",
    "updated_at": "strftime(d + to_seconds(i % 80000 + {revision}), '%Y-%m-%dT%H:%M:%S+00:00')",
    "currency": "'EUR'",
    "customer": "to_json({'id': 207119551 + i % 90000, 'email': 'c' || i % 90000 || "
    "'@mail.example'})",
    "email": "'c' || i % 90000 || '@mail.example'",
    "financial_status": "if(i % {every} = 0 and {revision} > 0, 'refunded', 'paid')",
    "line_items": "to_json([{'id': i, 'title': 'Product ' || i % 997, 'quantity': 1 + i % 3, "
    "'price': cast(i % 9000 / 100 as varchar), 'sku': 'SKU-' || i % 997}])",
    "name": "'#' || i",
    "order_number": "i",
    "processed_at": "strftime(d + to_seconds(i % 80000), '%Y-%m-%dT%H:%M:%S+00:00')",
    "subtotal_price": "cast(cast((i % 20000) / 100.0 as decimal(18, 2)) as varchar)",
    "total_discounts": "'0.00'",
    "total_price": "cast(cast((i % 20000) / 100.0 + 4.9 as decimal(18, 2)) as varchar)",
    "total_tax": "'3.19'",
    "taxes_included": "true",
    "test": "false",
}


@dataclass(frozen=True)
class Kind:
    """One object of a source and how its rows are made; `per_day` of them make a day."""

    platform: str
    object: str
    columns: dict[str, str]

    @property
    def contract(self) -> ObjectContract:
        return object_contract(self.platform, self.object)

    @property
    def column_types(self) -> dict[str, str]:
        """Return name to type of the landed table's own columns."""
        return physical_columns(self.contract.versions[0].record)


KINDS = {
    "events": Kind("google_analytics", "events", EVENTS),
    "insights": Kind("facebook_ads", "facebook_insights", INSIGHTS),
    "orders": Kind("shopify", "orders", ORDERS),
}


def rows(
    kind: Kind, first: int, count: int, *, per_day: int, every: int = 100, revision: int = 0
) -> pa.Table:
    """Return `count` rows from the number `first` on, as a loader hands them over."""
    arrow = {"BIGINT": "bigint", "DOUBLE": "double", "BOOLEAN": "boolean"}
    selected = []
    for name, landed in kind.column_types.items():
        made = kind.columns.get(name, "null")
        made = made.replace("{every}", str(every)).replace("{revision}", str(revision))
        selected.append(f"cast({made} as {arrow.get(landed, 'varchar')}) as {quoted_name(name)}")
    query = f"""
        select {", ".join(selected)}, i - {first} as _martlet_row
        from (
            select
                i,
                i // 10 as s,
                i % {per_day} as e,
                date '{FIRST_DAY}' + cast(i // {per_day} as integer) as d
            from range({first}, {first + count}) as numbers (i)
        ) as numbered
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(query).to_arrow_table()


def batch(
    kind: Kind,
    first: int,
    count: int,
    *,
    per_day: int,
    delivery: int,
    every: int = 100,
    revision: int = 0,
) -> LandedBatch:
    """Return rows as one delivery of the source; `delivery` numbers these, each an hour later."""
    table = rows(kind, first, count, per_day=per_day, every=every, revision=revision)
    scope = kind.contract.scope
    is_scoped = kind.contract.load_mode == "replace_scope"
    start = FIRST_DAY + timedelta(days=first // per_day)
    end = FIRST_DAY + timedelta(days=(first + count - 1) // per_day)
    return LandedBatch(
        platform=kind.platform,
        connection="main",
        object=kind.object,
        loader="native",
        rows=table,
        rejected=(),
        mode=kind.contract.load_mode,
        is_complete=is_scoped,
        scope_accounts=("1029384756",) if scope and scope.account else (),
        scope_start=start if is_scoped else None,
        scope_end=end if is_scoped else None,
        extracted_at=FIRST_MOMENT + timedelta(hours=delivery),
    )


def table_of(made: LandedBatch) -> pa.Table:
    """Return a batch's rows, which `batch` makes in memory."""
    assert isinstance(made.rows, pa.Table)
    return made.rows
