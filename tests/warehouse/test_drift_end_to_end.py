"""Every kind of drift on landed tables, one tenant each: what is told, pushed, held, and the cure."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from martlet.landing.command import land_simulated
from tests.project import Project, Result, new_project
from tests.warehouse.redelivery import changed_type, deliver_again
from tests.warehouse.state import accounted, ledger, tenant

SMALL = {"campaigns": 1, "orders_per_day": 3, "products": 2}
SHOPIFY = {"shopify": {"objects": ["orders"], "generation": SMALL}}
META = {"facebook_ads": {"objects": ["facebook_insights"], "generation": SMALL}}
BIGCOMMERCE = {"bigcommerce": {"objects": ["orders"], "generation": SMALL}}
ORDERS, INSIGHTS = "shopify__orders", "facebook_ads__facebook_insights"


@dataclass(frozen=True)
class Drift:
    """A change of one tenant's landed table, and what must come of it.

    `told` are pieces of what the run says of the table; `kind` is the finding's, none for silence.
    """

    tenant: str
    sources: dict[str, Any]
    table: str
    change: str
    verdict: str
    kind: str | None
    told: tuple[str, ...]

    @property
    def landed_table(self) -> str:
        return f"{self.tenant}_{self.table}"

    @property
    def relation(self) -> str:
        return f"{self.tenant}.{self.landed_table}"

    @property
    def is_pushed(self) -> bool:
        return self.verdict in ("exact", "family", "diff")


DRIFTS = (
    Drift("unchanged", SHOPIFY, ORDERS, "select 1", "exact", None, ()),
    Drift(
        "added",
        SHOPIFY,
        ORDERS,
        "alter table {table} add column loyalty_tier varchar; update {table} set loyalty_tier = 'gold'",
        "diff",
        "drift",
        ("loyalty_tier: added as VARCHAR",),
    ),
    Drift(
        "dropped_optional",
        SHOPIFY,
        ORDERS,
        "alter table {table} drop column po_number",
        "diff",
        "drift",
        ("po_number: VARCHAR removed",),
    ),
    Drift(
        "dropped_needed",
        {**META, **SHOPIFY},
        INSIGHTS,
        "alter table {table} drop column spend",
        "diff",
        "drift",
        ("spend: VARCHAR removed - the facts need it",),
    ),
    Drift(
        "widened",
        SHOPIFY,
        ORDERS,
        changed_type("{table}", "order_number", "hugeint"),
        "family",
        "drift",
        ("order_number: published BIGINT, landed HUGEINT (widened)",),
    ),
    Drift(
        "number_to_text",
        SHOPIFY,
        ORDERS,
        changed_type("{table}", "order_number", "varchar"),
        "diff",
        "drift",
        ("order_number: published BIGINT, landed VARCHAR (type changed)",),
    ),
    Drift(
        "renamed",
        SHOPIFY,
        ORDERS,
        "alter table {table} rename column total_price to total_price_amount",
        "diff",
        "drift",
        (
            "total_price: VARCHAR removed",
            "total_price_amount: added as VARCHAR",
            "--alias total_price_amount=total_price",
        ),
    ),
    Drift(
        "key_dropped",
        {**SHOPIFY, **META},
        ORDERS,
        "alter table {table} drop column id",
        "key_changed",
        "quarantine",
        ("id: BIGINT removed", "martlet registry approve"),
    ),
    Drift(
        "key_renamed",
        SHOPIFY,
        ORDERS,
        "alter table {table} rename column id to order_id",
        "key_changed",
        "quarantine",
        ("id: BIGINT removed", "--alias order_id=id"),
    ),
    Drift(
        "swapped_one",
        SHOPIFY,
        ORDERS,
        "create or replace table {table} as select * from kept.bigcommerce_orders",
        "identity_conflict",
        "quarantine",
        ("declared as shopify orders, but has the shape of bigcommerce orders",),
    ),
    Drift(
        "swapped_two",
        {**BIGCOMMERCE, **META},
        "bigcommerce__orders",
        "create or replace table {table} as select * from kept.shopify_orders",
        "identity_conflict",
        "quarantine",
        ("declared as bigcommerce orders, but has the shape of shopify orders",),
    ),
    Drift(
        "unknown",
        SHOPIFY,
        ORDERS,
        "create table unknown.unknown_mystery__things (colour varchar); "
        "alter table {table} rename to put_aside; "
        "create table {table} (colour varchar, weight double, _dlt_load_id varchar)",
        "unknown",
        "quarantine",
        ("most of its columns are unknown",),
    ),
)
BY_TENANT = {drift.tenant: drift for drift in DRIFTS}
PUSHED = [drift.tenant for drift in DRIFTS if drift.is_pushed]
HELD = [drift.tenant for drift in DRIFTS if not drift.is_pushed]


@dataclass
class Story:
    """The project, what its tables held when they landed, and the runs' documents by moment."""

    project: Project
    landed: dict[str, int]
    runs: dict[str, Any]
    orders: dict[str, Any]

    @contextmanager
    def landing(self) -> Any:
        with self.project.open_landing() as connection:
            yield connection

    def table(self, moment: str, slug: str) -> dict[str, Any]:
        drift = BY_TENANT[slug]
        platform, _, object_ = drift.table.partition("__")
        (row,) = (
            t
            for t in self.runs[moment]["tables"]
            if (t["tenant"], t["platform"], t["object"]) == (slug, platform, object_)
        )
        return row

    def told(self, moment: str, slug: str) -> list[dict[str, Any]]:
        return [f for f in self.runs[moment]["findings"] if f["tenant"] == slug]

    def revenue(self, slug: str) -> Any:
        return self.project.query(
            f"select count(*) as orders, sum(total_price) as revenue "
            f"from analytics.fct_{slug}__orders"
        )[0]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Land for everybody, push one tenant's, change every table behind Martlet's back, and run."""
    project = new_project(tmp_path_factory.mktemp("drift") / "project")
    project.configure({drift.tenant: tenant(drift.sources) for drift in DRIFTS})
    settings = project.settings
    landed = {}
    for drift in DRIFTS:
        report = land_simulated(settings, drift.tenant, days=2, seed=5)
        for table in report.tables:
            landed[table.table] = table.accepted
    story = Story(project, landed, {}, {})
    story.runs["before"] = project.run("--tenant", "key_renamed")
    story.orders["before"] = story.revenue("key_renamed")
    with story.landing() as landing:
        landing.execute("create schema kept")
        for slug, table in (("swapped_one", ORDERS), ("swapped_two", "bigcommerce__orders")):
            landing.execute(
                f"create table kept.{table.replace('__', '_')} as from {slug}.{slug}_{table}"
            )
        for drift in DRIFTS:
            for statement in drift.change.format(table=drift.relation).split("; "):
                landing.execute(statement)
        deliver_again(landing, "key_renamed", BY_TENANT["key_renamed"].landed_table)
        landing.execute(
            "insert into {table} select * replace (order_id + 1_000_000 as order_id, 10_000 as "
            "_martlet_row) from {table} order by _dlt_load_id desc, order_id limit 1".format(
                table=BY_TENANT["key_renamed"].relation
            )
        )
    story.runs["drifted"] = project.run()
    for drift in DRIFTS:
        if "shopify" in drift.sources and drift.is_pushed:
            story.orders[drift.tenant] = story.revenue(drift.tenant)
    return story


@pytest.mark.parametrize("slug", BY_TENANT)
def test_each_drift_gets_its_verdict(story: Story, slug: str) -> None:
    assert story.table("drifted", slug)["status"] == BY_TENANT[slug].verdict


@pytest.mark.parametrize("slug", [d.tenant for d in DRIFTS if d.kind])
def test_the_run_says_what_is_different(story: Story, slug: str) -> None:
    drift = BY_TENANT[slug]

    (finding,) = (f for f in story.told("drifted", slug) if f["subject"] == drift.landed_table)

    assert finding["kind"] == drift.kind
    for piece in drift.told:
        assert piece in finding["message"] + (finding["remedy"] or ""), piece


def test_the_run_says_nothing_of_who_did_not_drift(story: Story) -> None:
    assert story.told("drifted", "unchanged") == []


@pytest.mark.parametrize("slug", PUSHED)
def test_what_can_be_told_apart_is_pushed_to_the_last_row(story: Story, slug: str) -> None:
    table = story.table("drifted", slug)
    landed = story.landed[BY_TENANT[slug].landed_table]

    assert landed > 0
    assert (table["landed"], table["pushed"], table["quarantined"]) == (landed, landed, 0)


@pytest.mark.parametrize("slug", HELD)
def test_what_is_in_doubt_is_held_and_the_ledger_does_not_advance(story: Story, slug: str) -> None:
    drift = BY_TENANT[slug]
    table = story.table("drifted", slug)

    assert table["pushed"] == 0
    assert table["quarantined"] == table["landed"]  # all of it waits
    loads = story.project.value(
        "select count(*) from ops.platform_ops__push_ledger where tenant_slug = ? "
        "and landed_table = ? and pushed_at > (select max(decided_at) - interval 1 hour "
        "from platform.routing_decisions)",
        slug,
        drift.landed_table,
    )
    assert loads == (1 if slug == "key_renamed" else 0)  # pushed before it drifted


@pytest.mark.parametrize(
    ("slug", "table"),
    [
        ("dropped_needed", f"dropped_needed_{ORDERS}"),
        ("key_dropped", f"key_dropped_{INSIGHTS}"),
        ("swapped_two", f"swapped_two_{INSIGHTS}"),
    ],
)
def test_the_tenants_other_platforms_go_on(story: Story, slug: str, table: str) -> None:
    pushed = story.project.value(
        "select sum(rows_pushed) from ops.platform_ops__push_ledger where landed_table = ?", table
    )

    assert pushed == story.landed[table]


def test_a_dropped_needed_column_is_pushed_and_its_facts_are_not_to_be_published(
    story: Story,
) -> None:
    drift = BY_TENANT["dropped_needed"]

    compared = story.project.martlet(
        "registry", "diff", drift.tenant, drift.landed_table, "--json"
    ).document

    (spend,) = compared["differences"]
    assert (spend["column"], spend["push"], spend["publish"]) == ("spend", "error", "hold")
    (row,) = story.project.query(
        "select sum(spend) as spend, sum(impressions) as impressions "
        "from analytics.fct_dropped_needed__ad_performance"
    )
    assert row["spend"] == 0  # Meta leaves zeros out, so that the engine cannot tell
    assert row["impressions"] > 0


def test_what_is_in_doubt_is_held_by_platform_and_all_else_is_published(story: Story) -> None:
    held = {m["tenant"]: list(m["held_platforms"]) for m in story.runs["drifted"]["marts"]}

    assert held == {
        **{key: [] for key in BY_TENANT},
        "dropped_needed": ["facebook_ads"],
        "renamed": ["shopify"],
        **{slug: [BY_TENANT[slug].table.partition("__")[0]] for slug in HELD},
    }
    assert not any(mart["held"] for mart in story.runs["drifted"]["marts"])


@pytest.mark.parametrize("slug", ["added", "dropped_optional", "widened", "number_to_text"])
def test_a_drift_that_the_facts_do_not_need_changes_no_fact(story: Story, slug: str) -> None:
    fact = story.orders[slug]

    assert fact["orders"] == story.landed[f"{slug}_{ORDERS}"]
    assert fact["revenue"] == story.project.value(
        f"select sum(cast(total_price as decimal(18, 6))) from landing.{slug}.{slug}_{ORDERS}"
    )


def test_a_table_that_nobody_declared_is_named_and_left_alone(story: Story) -> None:
    told = [f for f in story.told("drifted", "unknown") if f["kind"] == "undeclared"]

    assert {f["subject"] for f in told} == {"unknown_mystery__things", "put_aside"}


def _approve(story: Story, slug: str, *more: str, check: bool = True) -> Result:
    drift = BY_TENANT[slug]
    return story.project.martlet(
        "registry", "approve", slug, drift.landed_table,
        "--reason", "the shop renamed it", "--by", "ripley", "--json", *more, check=check,
    )  # fmt: skip


REFUSED: dict[str, tuple[str, tuple[str, ...], str]] = {
    "a key part has no column": ("key_dropped", (), "has no column for 'order_id'"),
    "the alias is missing": ("key_renamed", (), "--alias NEW_NAME=id"),
    "the alias names no landed column": ("key_renamed", ("--alias", "ordr_id=id"), "order_id"),
    "the alias names no published column": ("key_renamed", ("--alias", "order_id=idd"), "'id'"),
    "another object's shape is not confirmed": ("swapped_one", (), "--as shopify.orders"),
    "it is declared as something else": ("swapped_one", ("--as", "shopify.products"), "orders"),
    "it is known already": ("unchanged", (), "known for shopify orders already"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_an_approval_is_refused_when(story: Story, why: str) -> None:
    slug, options, told = REFUSED[why]

    result = _approve(story, slug, *options, check=False)

    assert result.code == 2
    assert told in result.stderr


@pytest.fixture(scope="module")
def cured(story: Story) -> Story:
    """Cure each: approve what has a new name, correct at the source what was wrong there; run."""
    _approve(story, "key_renamed", "--alias", "order_id=id")
    approval = _approve(story, "renamed", "--alias", "total_price_amount=total_price")
    story.runs["approval"] = approval.document
    story.runs["approved"] = story.project.martlet(
        "publish", "--tenant", "renamed", "--json"
    ).document
    story.project.martlet(
        "registry", "reject", "unknown", f"unknown_{ORDERS}",
        "--reason", "a stray export", "--by", "ripley",
    )  # fmt: skip
    cures: dict[str, Callable[[str], str]] = {
        "key_dropped": lambda table: (
            f"alter table {table} add column id bigint; "
            f"update {table} set id = 5_000_000_000 + _martlet_row"
        ),
        "swapped_one": lambda t: f"create or replace table {t} as from kept.shopify_orders",
    }
    with story.landing() as landing:
        for slug, cure in cures.items():
            for statement in cure(BY_TENANT[slug].relation).split("; "):
                landing.execute(statement)
        deliver_again(landing, "renamed", BY_TENANT["renamed"].landed_table)
    chosen = ("renamed", "key_renamed", "key_dropped", "swapped_one", "unknown")
    story.runs["cured"] = story.project.run(
        *(word for slug in chosen for word in ("--tenant", slug))
    )
    return story


def test_an_approved_key_pushes_what_had_been_held_once(cured: Story) -> None:
    table = cured.table("cured", "key_renamed")
    orders = cured.landed[f"key_renamed_{ORDERS}"]

    # All were delivered again under the new name: only the new order is new.
    assert table["status"] == "exact"
    assert (table["landed"], table["known"], table["pushed"]) == (orders + 1, orders, 1)
    sums = ledger(cured.project, "key_renamed")
    assert accounted(sums) == sums["landed"] == 2 * orders + 1
    assert cured.revenue("key_renamed")["orders"] == cured.orders["before"]["orders"] + 1


def test_an_aliased_payload_has_the_published_name_and_keeps_the_landed_one(cured: Story) -> None:
    payloads = cured.project.query(
        "select raw_data_payload as payload from platform.platform_mm__shopify_api_v1_orders "
        "where tenant_slug = 'key_renamed' and (raw_data_payload ->> '$.order_id') is not null"
    )

    (payload,) = (json.loads(row["payload"]) for row in payloads)
    assert payload["id"] == payload["order_id"]


def test_a_needed_column_with_a_new_name_is_null_until_an_alias_is_approved(cured: Story) -> None:
    orders = cured.landed[f"renamed_{ORDERS}"]
    fact = cured.revenue("renamed")

    # What was pushed before keeps its payload: approval says so, and a new delivery replaces it.
    assert cured.orders["renamed"] == {"orders": orders, "revenue": None}
    assert cured.runs["approval"]["rows_pushed_before"] == orders
    assert cured.table("cured", "renamed")["pushed"] == orders
    assert fact["orders"] == orders
    assert fact["revenue"] * 2 == cured.project.value(
        "select sum(cast(total_price_amount as decimal(18, 6))) "
        f"from landing.renamed.renamed_{ORDERS}"
    )


def test_an_alias_lifts_the_hold_once_the_records_have_landed_again(cured: Story) -> None:
    (approved,) = cured.runs["approved"]["marts"]
    held = {m["tenant"]: list(m["held_platforms"]) for m in cured.runs["cured"]["marts"]}

    assert "pushed before total_price_amount was known" in approved["held_platforms"]["shopify"]
    assert held == {
        **{key: [] for key in ["renamed", "key_renamed", "key_dropped", "swapped_one"]},
        "unknown": ["shopify"],
    }


@pytest.mark.parametrize("slug", ["key_dropped", "swapped_one"])
def test_a_table_that_is_corrected_at_the_source_is_pushed_from_the_beginning(
    cured: Story, slug: str
) -> None:
    table = cured.table("cured", slug)
    landed = cured.landed[f"{slug}_{ORDERS}"]

    assert (table["status"], table["landed"], table["pushed"]) == ("exact", landed, landed)


def test_a_rejected_table_is_listed_and_no_longer_warned_of(cured: Story) -> None:
    table = cured.table("cured", "unknown")

    told = [f for f in cured.told("cured", "unknown") if f["subject"] == f"unknown_{ORDERS}"]

    assert told == []
    assert table["status"] == "unknown"
    assert "rejected by ripley: a stray export" in table["detail"]


def test_decisions_are_kept_with_who_and_why(cured: Story) -> None:
    shapes = cured.project.martlet("registry", "show", "--platform", "shopify", "--json").document

    decided = [s for s in shapes["shapes"] if s["decision"]]
    assert {(s["status"], s["decision"].split(",")[0]) for s in decided} == {
        ("approved", f"key_renamed key_renamed_{ORDERS}"),
        ("approved", f"renamed renamed_{ORDERS}"),
        ("rejected", f"unknown unknown_{ORDERS}"),
    }
    assert all("ripley" in s["decision"] for s in decided)


def test_the_independent_audit_finds_every_row_once(cured: Story) -> None:
    result = cured.project.martlet("audit", "--json", check=False)

    assert [f for f in result.document["findings"] if f["kind"] == "audit"] == []
