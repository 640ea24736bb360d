"""What the star schema must show for one landing, and worlds of unusual tenants and days."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from martlet.config.catalogue import Catalogue, load_catalogue
from martlet.config.tenant import Tenant
from martlet.errors import BadInputError
from martlet.landing.simulator.truth import truth
from martlet.landing.simulator.world import World, build_world
from tests.unit.test_simulator_world import MAIN_TENANT, REPOSITORY, UNTIL, one, read_tenant, rows


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(REPOSITORY / "supported_connectors.yaml")


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Tenant:
    return read_tenant(tmp_path_factory.mktemp("config"), catalogue, MAIN_TENANT)


@pytest.fixture(scope="module")
def world(tenant: Tenant, catalogue: Catalogue) -> World:
    return build_world(tenant, catalogue, days=12, until=UNTIL, seed=11)


@pytest.mark.parametrize(
    ("zone", "until", "hours"),
    [("America/Los_Angeles", date(2025, 3, 9), 23), ("Australia/Sydney", date(2025, 4, 6), 25)],
)
def test_a_day_of_clock_change_has_its_own_hours(
    zone: str, until: date, hours: int, tmp_path: Path, catalogue: Catalogue
) -> None:
    text = MAIN_TENANT.replace(
        "reporting_timezone: America/Los_Angeles", f"reporting_timezone: {zone}"
    )
    text = text.replace("orders_per_day: 30", "orders_per_day: 3000")
    tenant = read_tenant(tmp_path, catalogue, text)
    world = build_world(tenant, catalogue, days=1, until=until, seed=5)
    facts = truth(world, tenant, catalogue)
    world.connection.register("facts", facts)
    moments = rows(
        world,
        f"""
        select min(ordered_at), max(ordered_at)
        from facts
        where fact = 'orders' and business_date = date '{until}'
        """,
    )
    by_database = f"""
        select count(*)
        from facts
        where fact in ('orders', 'sessions')
            and business_date <> cast(
                timezone('{zone}', timezone('UTC', coalesce(ordered_at, session_start_ts))) as date
            )
    """

    ((first, last),) = moments

    length = last - first
    assert timedelta(hours=hours, minutes=-4) < length < timedelta(hours=hours)
    assert one(world, by_database) == 0


def test_truth_counts_the_shared_account_once(
    world: World, tenant: Tenant, catalogue: Catalogue
) -> None:
    world.connection.register("facts", truth(world, tenant, catalogue))

    counted = one(
        world,
        "select sum(spend) from facts where source_platform in ('facebook_ads', 'instagram_ads')",
    )

    assert counted == one(world, "select sum(spend) from ad_day where platform = 'facebook_ads'")


def test_truth_holds_each_ad_day_once_and_no_deleted_order(
    world: World, tenant: Tenant, catalogue: Catalogue
) -> None:
    world.connection.register("facts", truth(world, tenant, catalogue))

    doubled = """
        select source_platform, report_date, campaign_id, ad_id
        from facts
        where fact = 'ad_performance'
        group by all
        having count(*) > 1
    """

    assert rows(world, doubled) == []
    assert one(world, "select count(*) from facts where fact = 'orders'") == one(
        world, "select count(*) from orders where not is_deleted"
    )
    assert rows(world, "select distinct source_platform from facts where fact = 'sessions'") == [
        ("google_analytics",)
    ]


def test_truth_takes_both_publishers_where_the_tenant_has_facebook_alone(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = MAIN_TENANT.replace("      instagram_ads: {generation: {campaigns: 2}}\n", "")
    tenant = read_tenant(tmp_path, catalogue, text)
    world = build_world(tenant, catalogue, days=5, until=UNTIL, seed=11)
    world.connection.register("facts", truth(world, tenant, catalogue))

    assert one(world, "select sum(spend) from facts where source_platform = 'facebook_ads'") == one(
        world, "select sum(spend) from ad_day where platform = 'facebook_ads'"
    )


def test_a_tenant_without_a_shop_still_has_orders_behind_its_purchases(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = """
version: 1
tenants:
  solo:
    name: Solo
    reporting_timezone: Europe/Berlin
    currency: EUR
    sources:
      amplitude: {}
"""
    tenant = read_tenant(tmp_path, catalogue, text)
    world = build_world(tenant, catalogue, days=3, until=UNTIL, seed=1)
    world.connection.register("facts", truth(world, tenant, catalogue))

    assert rows(world, "select distinct platform from orders") == [("_none",)]
    assert (
        one(
            world,
            """
        select count(*)
        from event
        where event_name = 'purchase' and transaction_id not in (select order_id from orders)
        """,
        )
        == 0
    )
    assert rows(world, "select distinct fact from facts") == [("sessions",)]


@pytest.mark.parametrize("source", ["shopify: {}", "linkedin_ads: {}", "google_analytics: {}"])
def test_a_tenant_with_one_quiet_source_has_a_world(
    source: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    quiet = source.replace("{}", "{generation: {orders_per_day: 0, sessions_per_day: 0}}")
    text = (
        MAIN_TENANT[: MAIN_TENANT.index("    analytics_source")] + f"    sources:\n      {quiet}\n"
    )
    tenant = read_tenant(tmp_path, catalogue, text)

    world = build_world(tenant, catalogue, days=2, until=UNTIL, seed=1, scale=0.1)

    assert truth(world, tenant, catalogue).num_columns > 40
    assert one(world, "select count(*) from orders") == 0


def test_a_scale_of_twelve_gives_more_than_two_hundred_thousand_events(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    text = MAIN_TENANT.replace("      mixpanel: {generation: {sessions_per_day: 300}}\n", "")
    tenant = read_tenant(tmp_path, catalogue, text)

    world = build_world(tenant, catalogue, days=12, until=UNTIL, seed=11, scale=12)

    events = one(world, "select count(*) from event")
    assert isinstance(events, int) and events > 200_000


def test_an_empty_window_and_an_unknown_relation_are_refused(
    world: World, tenant: Tenant, catalogue: Catalogue
) -> None:
    with pytest.raises(BadInputError, match="0 days"):
        build_world(tenant, catalogue, days=0, until=UNTIL, seed=1)
    with pytest.raises(BadInputError, match="did you mean 'orders'"):
        world.select("order", "shopify", "main")
