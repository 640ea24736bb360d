"""What is held of a mart: each cause once, what readers go on seeing, and what lifts it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from martlet.landing.command import land_simulated
from tests.project import Project, Result, new_project
from tests.warehouse.redelivery import changed_type, deliver_again
from tests.warehouse.state import tenant

SMALL = {"campaigns": 1, "ad_groups_per_campaign": 1, "ads_per_ad_group": 2, "orders_per_day": 3}
OBJECTS = {
    "facebook_ads": "facebook_insights",
    "amazon_ads": "sponsored_products_advertised_product_report",
    "shopify": "orders",
    "bigcommerce": "orders",
    "woocommerce": "orders",
}
SOURCES = {p: {"objects": [o], "generation": SMALL} for p, o in OBJECTS.items()}
SHOP = {"woocommerce": {"objects": ["orders"], "generation": SMALL}}
HELD = ("amazon_ads", "bigcommerce", "facebook_ads", "shopify")
STAGING = "models/staging/acme/bigcommerce/stg_acme__bigcommerce_orders.sql"
FACT = "models/analytics/doubled/fct_doubled__orders.sql"


@dataclass
class Story:
    """One project: what its runs and publications said, and what its marts held after each."""

    project: Project
    told: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    marts: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def note(self, moment: str, result: Result) -> None:
        self.told[moment], self.codes[moment] = result.document, result.code
        self.marts[moment] = {
            fact: self.read(f"select * from fct_acme__{fact} order by all")
            for fact in ("ad_performance", "orders")
        }

    def mart(self, moment: str, slug: str) -> dict[str, Any]:
        (mart,) = (m for m in self.told[moment]["marts"] if m["tenant"] == slug)
        return mart

    def holds(self, moment: str, slug: str) -> dict[str, Any]:
        findings = self.told[moment]["findings"]
        return {f["subject"]: f for f in findings if (f["kind"], f["tenant"]) == ("hold", slug)}

    def rows(self, moment: str, platform: str) -> list[Any]:
        facts = self.marts[moment].values()
        return [row for rows in facts for row in rows if row["source_platform"] == platform]

    def current(self, slug: str, folder: str = "marts") -> Path:
        versions = self.project.folder / "data" / folder / slug
        return versions / f"{(versions / 'current').read_text().strip()}.duckdb"

    def read(self, sql: str, slug: str = "acme") -> list[dict[str, Any]]:
        with duckdb.connect(str(self.current(slug)), read_only=True) as mart:
            cursor = mart.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @contextmanager
    def landing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.project.open_landing() as connection:
            yield connection


def table(platform: str) -> str:
    return f"acme_{platform}__{OBJECTS[platform]}"


def break_everything(story: Story) -> None:
    """Give four platforms of acme a cause each, let the fifth advance, and double a fact's rows."""
    with story.landing() as landing:
        landing.execute(f"alter table acme.{table('facebook_ads')} drop column spend")
        landing.execute(f"alter table acme.{table('shopify')} rename column id to order_id")
        landing.execute(changed_type(f"acme.{table('amazon_ads')}", "cost", "varchar"))
        deliver_again(landing, "acme", table("facebook_ads"))
        deliver_again(landing, "acme", table("amazon_ads"), "'n/a' as cost")
        deliver_again(landing, "acme", table("bigcommerce"), "'7.77' as total_inc_tax")
        deliver_again(landing, "acme", table("woocommerce"), "'7.77' as total")
    staging = story.project.folder / STAGING
    staging.write_text(
        staging.read_text().replace("{{ generate_staging_pusher(", "select * from nowhere {{ (")
    )
    fact = story.project.folder / FACT
    call = next(line for line in fact.read_text().splitlines() if line.startswith("{{ build_"))
    with fact.open("a") as file:
        file.write(
            f"union all by name select * replace ('acme' as tenant_slug) from (\n{call}\n)\n"
        )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    project = new_project(tmp_path_factory.mktemp("holds") / "project")
    project.configure({"acme": tenant(SOURCES), "doubled": tenant(SHOP)})
    settings = project.settings
    for slug in ("acme", "doubled"):
        land_simulated(settings, slug, days=2, seed=5)
    story = Story(project)
    story.note("good", project.martlet("run", "--json"))
    break_everything(story)
    story.note("broken", project.martlet("run", "--json", check=False))
    return story


@pytest.fixture(scope="module")
def later(story: Story) -> Story:
    """Cure bigcommerce and amazon at their causes, run, and let an operator decide on facebook."""
    project = story.project
    for path in (STAGING, FACT):
        (project.folder / path).unlink()
    with story.landing() as landing:
        deliver_again(landing, "acme", table("amazon_ads"), "'1.25' as cost")
    project.martlet(
        "registry", "reject", "acme", "acme_shopify__orders", "--reason", "stray", "--by", "ripley"
    )
    story.note("again", project.martlet("run", "--json"))
    project.martlet(
        "registry", "approve", "acme", "acme_facebook_ads__facebook_insights",
        "--reason", "they no longer tell", "--by", "ripley",
    )  # fmt: skip
    story.note("approved", project.martlet("publish", "--json"))
    return story


def test_a_good_run_publishes_every_tenant_and_holds_nothing(story: Story) -> None:
    for mart in story.told["good"]["marts"]:
        assert mart["is_new"] and not mart["held"] and not mart["held_platforms"]
    assert all(story.rows("good", platform) for platform in OBJECTS)
    assert story.told["good"]["findings"] == []


CAUSES = {
    "facebook_ads": "acme_facebook_ads__facebook_insights has no spend, which the facts need",
    "shopify": "acme_shopify__orders is not pushed (key_changed)",
    "amazon_ads": "values of cost cannot be read since acme_amazon_ads__",
    "bigcommerce": "stg_acme__bigcommerce_orders ended with error",
}


@pytest.mark.parametrize("platform", HELD)
def test_a_held_platform_keeps_its_last_good_rows_and_says_why(story: Story, platform: str) -> None:
    mart = story.mart("broken", "acme")
    told = story.holds("broken", "acme")[platform]

    assert story.rows("broken", platform) == story.rows("good", platform) != []
    assert CAUSES[platform] in mart["held_platforms"][platform]
    assert mart["held_platforms"][platform] in told["message"]
    assert told["remedy"]


def test_the_other_platforms_of_the_tenant_advance(story: Story) -> None:
    mart = story.mart("broken", "acme")
    totals = {row["total_price"] for row in story.rows("broken", "woocommerce")}

    assert (mart["is_new"], mart["held"]) == (True, False)
    assert sorted(mart["held_platforms"]) == list(HELD)
    assert totals == {Decimal("7.77")}


def test_the_mart_marks_the_held_sources_as_stale(story: Story) -> None:
    version = story.mart("broken", "acme")["version"]
    path = story.project.folder / "data" / "marts" / "acme" / f"{version}.duckdb"

    with duckdb.connect(str(path), read_only=True) as mart:
        rows = mart.execute(
            "select source_platform, is_held, held_because is not null from mart_freshness"
        ).fetchall()

    assert sorted(rows) == [(p, p in HELD, p in HELD) for p in sorted(OBJECTS)]


def test_a_failed_test_holds_the_whole_mart_and_no_other_tenants(story: Story) -> None:
    before, after = (story.mart(moment, "doubled") for moment in ("good", "broken"))
    failed = [f["subject"] for f in story.told["broken"]["findings"] if f["kind"] == "failure"]

    assert (after["held"], after["is_new"], after["version"]) == (True, False, before["version"])
    assert list(story.holds("broken", "doubled")) == ["mart"]
    assert "fct_doubled__orders__only_rows_of_tenant ended with fail" in after["reason"]
    assert {"fct_doubled__orders__only_rows_of_tenant"} <= set(failed)
    assert story.codes["broken"] == 1


def test_operators_can_read_of_a_run_whose_mart_was_held(story: Story) -> None:
    for folder in ("doubled", "_operators"):
        with duckdb.connect(str(story.current(folder, "ops")), read_only=True) as snapshot:
            failed = snapshot.execute(
                "select count(*) from run_results where status = 'fail' "
                "and name = 'fct_doubled__orders__only_rows_of_tenant'"
            ).fetchall()
        assert failed == [(1,)]


def test_a_learned_shape_that_lacks_a_needed_column_stays_held(later: Story) -> None:
    (insights,) = (t for t in later.told["again"]["tables"] if t["platform"] == "facebook_ads")

    assert insights["status"] == "exact"
    assert sorted(later.mart("again", "acme")["held_platforms"]) == ["facebook_ads", "shopify"]
    assert later.rows("again", "facebook_ads") == later.rows("good", "facebook_ads")


def test_a_cause_that_is_gone_holds_nothing(later: Story) -> None:
    totals = {row["total_price"] for row in later.rows("again", "bigcommerce")}
    spends = {row["spend"] for row in later.rows("again", "amazon_ads")}

    assert later.codes["again"] == 0
    assert totals == {Decimal("7.77")}
    assert spends == {Decimal("1.25")}  # text still, but every value can be read
    assert later.mart("again", "doubled")["held"] is False


def test_what_an_operator_rejected_is_held_and_not_told_of(later: Story) -> None:
    assert "was rejected" in later.mart("again", "acme")["held_platforms"]["shopify"]
    assert list(later.holds("again", "acme")) == ["facebook_ads"]


def test_an_approval_of_the_very_shape_lifts_the_hold_without_a_run(later: Story) -> None:
    assert list(later.mart("approved", "acme")["held_platforms"]) == ["shopify"]
    assert {row["spend"] for row in later.rows("approved", "facebook_ads")} == {Decimal(0)}
    assert later.mart("approved", "acme")["is_new"]


def test_a_table_that_has_not_landed_holds_nothing(later: Story) -> None:
    with later.landing() as landing:
        landing.execute(f"drop table acme.{table('shopify')}")

    published = later.project.martlet("publish", "--tenant", "acme", "--json").document

    assert published["marts"][0]["held_platforms"] == {}


def test_a_broken_promise_holds_the_mart_until_an_audit_finds_none(later: Story) -> None:
    project = later.project
    before = later.mart("approved", "doubled")["version"]
    stored = "platform.platform_mm__woocommerce_api_v1_orders"
    with project.open_warehouse() as warehouse:
        warehouse.execute(f"create table main.kept as from {stored} where tenant_slug = 'doubled'")
        warehouse.execute(f"delete from {stored} where tenant_slug = 'doubled'")
    assert project.martlet("audit", "--tenant", "doubled", check=False).code == 1

    held = project.martlet("publish", "--tenant", "doubled", "--json", check=False)

    assert held.code == 1
    (mart,) = held.document["marts"]
    assert (mart["held"], mart["version"]) == (True, before)
    assert "broken promises" in mart["reason"]
    with project.open_warehouse() as warehouse:
        warehouse.execute(f"insert into {stored} from main.kept")
        warehouse.execute("drop table main.kept")
    project.martlet("audit", "--tenant", "doubled")
    (mart,) = project.martlet("publish", "--tenant", "doubled", "--json").document["marts"]
    assert mart["held"] is False


def test_status_answers_while_another_process_holds_the_warehouse(later: Story) -> None:
    now = later.project.martlet("status", "--json").document

    with later.project.open_warehouse():
        held = later.project.martlet("status", "--json")

    assert now["snapshot"] is None
    assert held.document["snapshot"]["age_seconds"] >= 0
    assert "another process holds the warehouse" in held.stderr
    assert held.document["tenants"] == now["tenants"]


def test_a_rollback_shows_the_version_before_and_is_not_undone_by_publishing(later: Story) -> None:
    project = later.project
    listed = project.martlet("marts", "list", "acme", "--json").document["marts"]
    *_, before, current = (mart["version"] for mart in listed)

    back = project.martlet("marts", "rollback", "acme", "--json").document
    kept = project.martlet("publish", "--tenant", "acme", "--json").document["marts"][0]
    forced = project.martlet("publish", "--tenant", "acme", "--force", "--json").document["marts"]

    assert listed[-1]["is_current"]
    assert back == {"tenant": "acme", "version": before}
    assert (kept["is_new"], kept["version"], kept["held"]) == (False, before, False)
    assert current in kept["reason"]
    assert forced[0]["is_new"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "nobody"),
        ("rollback", "nobody"),
        ("rollback", "acme", "--to", "v1"),
        ("list", ".."),
    ],
)
def test_marts_of_nobody_are_bad_input(later: Story, arguments: tuple[str, ...]) -> None:
    result = later.project.martlet("marts", *arguments, check=False)

    assert (result.code, result.stdout) == (2, "")
    assert "remedy" in result.stderr


def test_a_mart_that_cannot_be_written_is_a_finding_and_stops_no_other(later: Story) -> None:
    marts = later.project.folder / "data" / "marts" / "doubled"
    aside = marts.rename(marts.with_name("aside"))
    marts.write_text("no folder")

    result = later.project.martlet("publish", "--json", check=False)

    marts.unlink()
    aside.rename(marts)
    ended = {mart["tenant"]: mart["held"] for mart in result.document["marts"]}
    (finding,) = (f for f in result.document["findings"] if f["kind"] == "failure")
    assert result.code == 1
    assert ended == {"acme": False, "doubled": True}
    assert (finding["tenant"], finding["subject"]) == ("doubled", "mart")
