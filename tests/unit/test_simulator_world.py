"""The simulated business is coherent, and tells every day the same whenever it is asked."""

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenant import Tenant
from martlet.config.tenants import load_tenants
from martlet.landing.simulator.truth import truth
from martlet.landing.simulator.world import RELATIONS, World, build_world

REPOSITORY = Path(__file__).parents[2]
UNTIL = date(2025, 3, 12)
MAIN_TENANT = """
version: 1
tenants:
  acme:
    name: Acme
    reporting_timezone: America/Los_Angeles
    currency: USD
    analytics_source: google_analytics
    sources:
      facebook_ads: {generation: {campaigns: 4}}
      instagram_ads: {generation: {campaigns: 2}}
      google_ads:
        connections:
          main: {accounts: ["4155550123", "4155550124"], timezone: Australia/Sydney, currency: AUD}
      tiktok_ads: {}
      shopify: {connections: {main: {}, outlet: {}}, generation: {orders_per_day: 30}}
      google_analytics:
        generation: {sessions_per_day: 300, anonymous_share: 0.2}
        tables:
          events:
            conversion_events: [purchase]
            funnel_steps: [view_item, add_to_cart, begin_checkout, purchase]
      mixpanel: {generation: {sessions_per_day: 300}}
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(REPOSITORY / "supported_connectors.yaml")


def read_tenant(folder: Path, catalogue: Catalogue, text: str) -> Tenant:
    path = folder / "tenants.yaml"
    path.write_text(text, encoding="utf-8")
    return next(iter(load_tenants(path, catalogue).tenants.values()))


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Tenant:
    return read_tenant(tmp_path_factory.mktemp("config"), catalogue, MAIN_TENANT)


@pytest.fixture(scope="module")
def world(tenant: Tenant, catalogue: Catalogue) -> World:
    return build_world(tenant, catalogue, days=12, until=UNTIL, seed=11)


def rows(world: World, sql: str) -> list[tuple[Any, ...]]:
    return world.connection.execute(sql).fetchall()


def one(world: World, sql: str) -> Any:
    (row,) = rows(world, sql)
    return row[0]


def content(world: World) -> dict[str, list[pa.Table]]:
    pairs = "select distinct platform, connection from {} order by all"
    return {
        relation: [world.select(relation, *pair) for pair in rows(world, pairs.format(relation))]
        for relation in RELATIONS
    }


def test_every_purchase_is_an_order_of_the_first_shop_to_the_second_and_the_cent(
    world: World,
) -> None:
    matched = """
        select
            count(*),
            count(*) filter (
                o.total = e.revenue
                and o.currency = e.currency
                and date_trunc('second', e.occurred_at) = o.ordered_at
                and o.utm_source is not distinct from e.utm_source
                and o.utm_campaign is not distinct from e.utm_campaign
            )
        from event as e
        left join orders as o
            on o.order_id = e.transaction_id
            and o.platform = 'shopify'
            and o.connection = 'main'
        where e.event_name = 'purchase' and e.platform = 'google_analytics'
    """

    ((purchases, same),) = rows(world, matched)

    assert purchases == same
    assert isinstance(purchases, int) and purchases > 250


def test_every_order_of_the_window_was_purchased_on_the_site(world: World) -> None:
    unseen = """
        select count(*)
        from orders
        where connection = 'main'
            and ordered_at >= timestamp '2025-03-01 08:00:00'
            and order_id not in (
                select transaction_id
                from event
                where event_name = 'purchase' and platform = 'mixpanel'
            )
    """

    assert one(world, unseen) == 0


def test_the_totals_of_an_order_add_up(world: World) -> None:
    assert (
        one(
            world,
            "select count(*) from orders where total <> subtotal - discount + tax + shipping",
        )
        == 0
    )
    assert (
        one(
            world,
            """
        select count(*)
        from orders as o
        left join (
            select platform, connection, order_id, sum(line_total) as lines
            from order_line
            group by all
        ) as l using (platform, connection, order_id)
        where l.lines is distinct from o.subtotal
        """,
        )
        == 0
    )
    assert (
        one(world, "select count(*) from order_line where line_total <> quantity * unit_price") == 0
    )
    assert one(world, "select count(*) from orders where refunded > total") == 0


def test_an_order_says_refunded_only_with_the_money_to_show(world: World) -> None:
    kinds = rows(
        world,
        """
        select distinct
            status,
            case when refunded = 0 then 'none' when refunded < total then 'part' else 'all' end,
            refunded_at is not null,
            is_cancelled
        from orders
        """,
    )

    assert set(kinds) <= {
        ("pending", "none", False, False),
        ("paid", "none", False, False),
        ("cancelled", "none", False, True),
        ("partially_refunded", "part", True, False),
        ("refunded", "all", True, False),
    }


def test_ad_rows_keep_their_order_of_magnitude(world: World) -> None:
    impossible = """
        select count(*)
        from ad_day
        where clicks > impressions or conversions > clicks or spend < 0 or impressions < 0
    """

    assert one(world, impossible) == 0
    assert one(world, "select count(*) from ad_day where clicks = 0 and impressions > 0") != 0


def test_only_google_has_fractional_conversions_and_a_campaign_without_ads(world: World) -> None:
    fractional = rows(
        world, "select distinct platform from ad_day where conversions <> round(conversions)"
    )
    alone = rows(
        world,
        """
        select distinct platform, channel
        from ad_day
        join campaign using (platform, connection, account_id, campaign_id)
        where grain = 'campaign' and ad_id is null and ad_group_id is null
        """,
    )

    assert fractional == [("google_ads",)]
    assert alone == [("google_ads", "performance_max")]


def test_an_ad_day_belongs_to_entities_that_are_listed(world: World) -> None:
    orphans = """
        select count(*)
        from ad_day
        anti join ad using (platform, connection, account_id, campaign_id, ad_group_id, ad_id)
        where grain = 'ad'
    """

    assert one(world, orphans) == 0
    assert (
        one(
            world,
            """
            select count(*)
            from ad_day
            anti join campaign using (platform, account_id, campaign_id)
            """,
        )
        == 0
    )


def test_facebook_and_instagram_deliver_the_same_account_whole(world: World) -> None:
    columns = "* exclude (platform)"
    for relation in ("account", "campaign", "ad_group", "ad", "ad_day"):
        difference = f"""
            (select {columns} from {relation} where platform = 'facebook_ads'
            except all
            select {columns} from {relation} where platform = 'instagram_ads')
        """
        assert rows(world, difference) == [], relation
    assert rows(
        world, "select distinct publisher from ad_day where platform = 'facebook_ads' order by 1"
    ) == [("facebook",), ("instagram",)]


def test_ids_of_meta_and_tiktok_do_not_survive_a_double(world: World) -> None:
    survivors = """
        select count(*)
        from (
            select platform, campaign_id as id from campaign
            union all select platform, ad_group_id from ad_group
            union all select platform, ad_id from ad
        )
        where platform in ('facebook_ads', 'instagram_ads', 'tiktok_ads')
            and (
                cast(id as hugeint) < 9007199254740992
                or cast(cast(cast(id as double) as hugeint) as varchar) = id
            )
    """

    assert one(world, survivors) == 0


def test_two_shops_number_their_orders_alike(world: World) -> None:
    shared = """
        select count(*)
        from orders as a
        join orders as b using (platform, order_id)
        where a.connection = 'main' and b.connection = 'outlet' and a.total <> b.total
    """

    assert one(world, shared) != 0


@pytest.mark.parametrize("platform", ["google_analytics", "mixpanel"])
def test_half_an_hour_of_silence_parts_the_same_sessions_as_the_session_ids(
    world: World, platform: str
) -> None:
    events = f"""
        select
            session_id,
            occurred_at - lag(occurred_at) over one_user as silence,
            lag(session_id) over one_user as session_before
        from event
        where platform = '{platform}' and user_pseudo_id is not null
        window one_user as (partition by user_pseudo_id order by occurred_at, event_id)
    """
    ((within, between, close),) = rows(
        world,
        f"""
        select
            max(silence) filter (session_id = session_before),
            min(silence) filter (session_id <> session_before),
            count(*) filter (session_id <> session_before and silence < interval 2 hours)
        from ({events})
        """,
    )

    assert isinstance(within, timedelta) and isinstance(between, timedelta)
    assert within < timedelta(minutes=30)
    assert between > timedelta(minutes=31)
    assert isinstance(close, int) and close > 0


def test_who_gave_no_consent_has_events_but_no_session(world: World) -> None:
    assert one(world, "select count(*) from event where user_pseudo_id is null") != 0
    assert (
        one(
            world,
            """
        select count(*)
        from event
        where user_pseudo_id is null
            and (session_id is not null or ga_session_id is not null or user_id is not null)
        """,
        )
        == 0
    )
    assert one(world, "select count(*) from session where user_pseudo_id is null") == 0


def test_sessions_sum_up_their_events(world: World) -> None:
    events = rows(
        world,
        """
        select platform, count(*), sum(revenue), count(distinct session_id)
        from event
        where user_pseudo_id is not null
        group by platform
        order by platform
        """,
    )
    sessions = rows(
        world,
        """
        select platform, cast(sum(event_count) as bigint), sum(revenue), count(*)
        from session
        group by platform
        order by platform
        """,
    )

    assert events == sessions
    assert rows(
        world,
        """
        select distinct is_conversion_session, funnel_step = 4, revenue > 0
        from session
        where platform = 'google_analytics'
        order by 1
        """,
    ) == [(False, False, False), (True, True, True)]


def test_paid_sessions_stay_below_the_clicks_that_brought_them(world: World) -> None:
    ((sessions, clicks),) = rows(
        world,
        """
        select
            (
                select count(*)
                from session
                where platform = 'google_analytics' and utm_source = 'facebook'
            ),
            (
                select cast(sum(clicks) as bigint)
                from ad_day
                where platform = 'facebook_ads' and publisher = 'facebook'
            )
        """,
    )

    assert isinstance(sessions, int) and isinstance(clicks, int)
    assert 0 < sessions < clicks


def test_utm_campaigns_are_names_of_campaigns(world: World) -> None:
    unknown = """
        select distinct utm_campaign
        from session
        where utm_medium in ('paid_social', 'cpc')
            and utm_campaign not in (select campaign_name from campaign)
    """

    assert rows(world, unknown) == []


def test_the_same_arguments_give_the_same_world(
    world: World, tenant: Tenant, catalogue: Catalogue
) -> None:
    again = build_world(tenant, catalogue, days=12, until=UNTIL, seed=11)

    assert content(again) == content(world)
    assert truth(again, tenant, catalogue) == truth(world, tenant, catalogue)


def test_another_seed_gives_another_world(
    world: World, tenant: Tenant, catalogue: Catalogue
) -> None:
    other = build_world(tenant, catalogue, days=12, until=UNTIL, seed=12)

    total = "select sum(spend) from ad_day"
    assert one(other, total) != one(world, total)


def test_a_day_is_the_same_in_every_window(
    world: World, tenant: Tenant, catalogue: Catalogue
) -> None:
    shorter = build_world(tenant, catalogue, days=3, until=UNTIL, seed=11)
    day = "where report_date >= date '2025-03-10'"
    moment = "where {} >= timestamp '2025-03-10 07:00:00'"
    queries = [
        f"from ad_day {day} order by all",
        f"from event {moment.format('occurred_at')} order by all",
        f"from orders {moment.format('ordered_at')} order by all",
        "from order_line where order_id in "
        f"(select order_id from orders {moment.format('ordered_at')}) order by all",
    ]

    for query in queries:
        assert rows(shorter, query) == rows(world, query), query


def test_a_day_later_conversions_have_matured_and_orders_have_moved_on(
    world: World, tenant: Tenant, catalogue: Catalogue
) -> None:
    later = build_world(tenant, catalogue, days=13, until=UNTIL + timedelta(days=1), seed=11)
    old_days = f"where report_date <= date '{UNTIL}'"
    conversions = f"select sum(conversions) from ad_day {old_days}"
    statuses = f"""
        select order_id, status
        from orders
        where connection = 'main' and ordered_at < timestamp '{UNTIL} 07:00:00'
        order by order_id
    """
    mature = """
        select report_date, sum(conversions)
        from ad_day
        where report_date <= date '2025-03-04'
        group by report_date
        order by report_date
    """

    before, after = one(world, conversions), one(later, conversions)

    assert after > before
    assert dict(rows(world, statuses)) != dict(rows(later, statuses))
    days = [day for day, _ in rows(world, mature)]
    assert days == [day for day, _ in rows(later, mature)]
    final = f"select max(updated_at) from orders where updated_at > timestamp '{UNTIL} 07:00:00'"
    assert one(later, final) > one(world, final)


def test_some_ad_rows_and_orders_vanish_and_some_return(
    tenant: Tenant, catalogue: Catalogue
) -> None:
    seen: list[set[tuple[Any, ...]]] = []
    for later in range(12):
        asked = build_world(
            tenant, catalogue, days=4 + later, until=UNTIL + timedelta(days=later), seed=3
        )
        seen.append(
            set(
                rows(
                    asked,
                    f"select platform, report_date, campaign_id, ad_id, publisher from ad_day "
                    f"where report_date <= date '{UNTIL}'",
                )
            )
        )

    vanished = set().union(*(a - b for a, b in pairwise(seen)))
    returned = set().union(*(b - a for a, b in pairwise(seen)))
    assert vanished
    assert returned
    assert returned < vanished


def test_what_changed_in_the_window_is_told_of_older_orders_too(world: World) -> None:
    older = rows(
        world,
        """
        select status, updated_at >= timestamp '2025-03-01 08:00:00'
        from orders
        where ordered_at < timestamp '2025-03-01 08:00:00'
        """,
    )

    assert older
    assert all(changed for _, changed in older)
    assert {"refunded", "partially_refunded"} & {status for status, _ in older}
