"""An erased person is in no byte of the home, does not come back, and leaves the sums whole."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from martlet.engines.duckdb_engine import connect
from tests.project import Project, new_project
from tests.warehouse.here import command
from tests.warehouse.state import accounted, ledger, tenant

SLUG = "acme"
MAIL = "Canary.Quill@Example.org"
VISITOR = "canary-visitor-40417"
CUSTOMER = 770040417
SECRETS = (MAIL, MAIL.lower(), VISITOR)


def _order(number: int | None, mail: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2026-05-01T10:00:00Z",
        "updated_at": "2026-05-01T10:00:00Z",
        "currency": "EUR",
        "total_price": "10.00",
        "test": False,
        "email": mail,
        **more,
    }


def _event(visitor: str, number: int) -> dict[str, Any]:
    return {
        "event_date": "20260501",
        "event_timestamp": 1777629600000000 + number,
        "event_name": "page_view",
        "user_pseudo_id": visitor,
        "event_params": [{"key": "ga_session_id", "value": {"int_value": 5}}],
    }


# Of each object the person's records first, then somebody else's.
RECORDS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("shopify", "orders"): [
        _order(1, MAIL, customer={"id": CUSTOMER, "email": MAIL}),
        _order(2, landing_site=f"/?mail={MAIL.replace('@', '%40')}"),
        _order(3, MAIL.upper()),
        _order(None, MAIL),
        _order(4, MAIL, total_weight="heavy"),
        _order(5, "somebody@example.org", customer={"id": 6}),
        _order(None, "somebody@example.org"),
    ],
    ("bigcommerce", "orders"): [
        {"id": 1, "customer_id": 3, "billing_address": {"email": MAIL}, "currency_code": "EUR"},
        {"id": 2, "customer_id": 4, "billing_address": {"email": "x@example.org"}},
    ],
    ("woocommerce", "orders"): [
        {"id": 1, "customer_id": 0, "billing": {"email": MAIL}, "currency": "EUR"},
        {"id": 2, "customer_id": 0, "billing": {"email": "x@example.org"}, "currency": "EUR"},
    ],
    ("google_analytics", "events"): [_event(VISITOR, 1), _event(VISITOR, 1), _event("other", 2)],
    ("amplitude", "events"): [
        {"uuid": "a", "event_type": "x", "user_id": VISITOR, "event_time": "2026-05-01 10:00:00"},
        {"uuid": "b", "event_type": "x", "user_id": "other", "event_time": "2026-05-01 10:00:00"},
    ],
    ("amplitude", "users"): [
        {"amplitude_id": 1, "user_id": VISITOR},
        {"amplitude_id": 2, "user_id": "other"},
    ],
    ("mixpanel", "events"): [
        {"event": "x", "properties": {"distinct_id": d, "time": 1777629600, "$insert_id": d}}
        for d in (VISITOR, "other")
    ],
    ("mixpanel", "people"): [
        {"$distinct_id": "p1", "$properties": {"$email": MAIL}},
        {"$distinct_id": "p2", "$properties": {"$email": "x@example.org"}},
    ],
}
# What comes again, after the erasure.
AGAIN = (("shopify", "orders"), ("google_analytics", "events"), ("mixpanel", "people"))
# Theirs in the order above: refused ones, and one whose later version does not name them, are too.
ERASED = 6 + 1 + 1 + 2 + 1 + 1 + 1 + 1


@dataclass
class Story:
    project: Project
    report: dict[str, Any]

    def found_in(self) -> list[str]:
        """Return the files of the home in which the person is named."""
        needles = [secret.encode() for secret in SECRETS]
        home = self.project.folder / "data"
        return [
            str(path.relative_to(home))
            for path in sorted(home.rglob("*"))
            if path.is_file() and any(needle in path.read_bytes() for needle in needles)
        ]


def _land(project: Project, objects: Iterable[tuple[str, str]] = RECORDS) -> dict[str, int]:
    erased = {}
    for platform, object_ in objects:
        report = project.land_records(SLUG, platform, object_, RECORDS[platform, object_])
        erased[f"{platform} {object_}"] = report["tables"][0]["erased"]
    for file in project.folder.glob("*.jsonl"):
        file.unlink()
    return erased


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The person has been with six platforms, in good and bad records."""
    project = new_project(tmp_path_factory.mktemp("erasure") / "project", {})
    sources: dict[str, Any] = {}
    for platform, object_ in RECORDS:
        sources.setdefault(platform, {"objects": []})["objects"].append(object_)
    project.configure({SLUG: {**tenant(sources), "analytics_source": "google_analytics"}})
    _land(project)
    later = _order(3, None, updated_at="2026-05-02T10:00:00Z")
    project.land_records(SLUG, "shopify", "orders", [later])
    command(project, "run")

    arguments = ("--subject", MAIL, "--subject", VISITOR)
    dry = command(project, "erase", SLUG, *arguments, "--dry-run")
    report = command(project, "erase", SLUG, *arguments)

    assert dry["rows"] == report["rows"] > 0
    return Story(project, report)


def test_no_file_of_the_home_names_the_person(story: Story) -> None:
    assert story.found_in() == []


def test_what_landed_is_counted_as_erased_and_the_audit_is_green(story: Story) -> None:
    sums = ledger(story.project, SLUG)

    assert sums["erased"] == ERASED
    assert sums["landed"] == accounted(sums) == sum(map(len, RECORDS.values())) + 1
    assert command(story.project, "audit")


def test_a_record_goes_with_all_its_versions_and_other_records_stay(story: Story) -> None:
    orders = story.project.query(
        "select raw_data_payload ->> '$.id' as id from platform.platform_mm__shopify_api_v1_orders "
        "where tenant_slug = ? order by 1",
        SLUG,
    )

    assert [row["id"] for row in orders] == ["5"]


def test_the_published_version_is_new_and_the_only_one(story: Story) -> None:
    files = sorted((story.project.folder / "data" / "marts" / SLUG).glob("v*.duckdb"))

    assert [file.stem for file in files] == [story.report["published"]]
    with connect(files[0], read_only=True) as mart:
        tables = [
            name for (name,) in mart.execute("select table_name from duckdb_tables()").fetchall()
        ]
        orders = next(name for name in tables if name.endswith("orders"))
        assert mart.execute(f"select count(*) from {orders}").fetchall() == [(3,)]


def test_the_erasure_ledger_is_its_owners_and_names_nobody(story: Story) -> None:
    file = story.project.folder / "data" / "erasures.json"
    told = json.loads(file.read_text())

    assert file.stat().st_mode & 0o077 == 0
    assert [erasure["is_finished"] for erasure in told["erasures"]] == [True, True]
    assert not any(secret in file.read_text() for secret in SECRETS)


def test_landed_again_the_person_is_dropped_and_counted(story: Story) -> None:
    dropped = _land(story.project, AGAIN)
    before = ledger(story.project, SLUG)["erased"]
    command(story.project, "run")

    assert dropped == {
        "shopify orders": 5,
        "google_analytics events": 2,
        "mixpanel people": 1,
    }
    assert story.found_in() == []
    sums = ledger(story.project, SLUG)
    assert sums["erased"] - before == sum(dropped.values())
    assert sums["landed"] == accounted(sums)
    assert command(story.project, "audit")
