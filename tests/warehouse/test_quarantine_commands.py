"""Refused rows are listed, shown, landed again or given up, and the sums hold throughout."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from martlet.landing.command import land_file
from tests.project import Project, Result, new_project
from tests.warehouse.state import accounted, ledger, tenant

SLUG = "ripleys"
TABLE = f"{SLUG}_shopify__orders"


def _order(number: int | None, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2026-05-01T10:00:00Z",
        "updated_at": "2026-05-01T10:00:00Z",
        "currency": "EUR",
        "total_price": "10.00",
        "test": False,
        **more,
    }


GOOD = [_order(1), _order(2)]
NO_KEY, NO_NUMBER = _order(None), _order(3, total_weight="heavy")


@dataclass
class Story:
    project: Project
    documents: dict[str, Any]

    def quarantine(self, *arguments: str, check: bool = True) -> Result:
        return self.project.martlet("quarantine", *arguments, "--json", check=check)

    def open_rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.quarantine("list").document["rows"]
        return rows

    def id_of(self, error: str) -> str:
        (row,) = (r for r in self.documents["listed"]["rows"] if error in r["error"])
        return str(row["id"])


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Three of five orders are refused; one of them is one that today's contract would take."""
    project = new_project(tmp_path_factory.mktemp("quarantine") / "project")
    project.configure({SLUG: tenant({"shopify": {"objects": ["orders"]}})})
    refused = _order(5, total_weight="feather")
    file = project.folder / "orders.jsonl"
    orders = [*GOOD, NO_KEY, NO_NUMBER, refused]
    file.write_text("".join(json.dumps(order) + "\n" for order in orders))
    land_file(
        project.settings,
        SLUG,
        "shopify",
        "orders",
        file,
        extracted_at=datetime(2026, 5, 2),
    )
    with project.open_landing() as landing:
        # As if the contract of that day had refused what it takes by now.
        landing.execute(
            f"update {SLUG}._martlet_quarantine_rows set raw_record = ?, error = 'too strict' "
            "where contains(raw_record, 'feather')",
            [json.dumps(_order(5, total_weight=3, gift="wrapped"))],
        )
    story = Story(project, {"first": project.run()})
    story.documents["listed"] = story.quarantine("list", "--tenant", SLUG).document
    return story


@pytest.fixture(scope="module")
def replayed(story: Story) -> Story:
    """Replay one, try to replay one that is bad still, give one up; then run."""
    story.documents["replay"] = story.quarantine(
        "replay", story.id_of("too strict"), "--by", "ripley"
    ).document
    story.documents["ledger between"] = ledger(story.project, SLUG)
    story.documents["refused again"] = story.quarantine(
        "replay", story.id_of("null")[:12], check=False
    )
    story.quarantine("discard", story.id_of("integer"), "--reason", "a scale's joke", "--by", "ash")
    story.documents["second"] = story.project.run()
    return story


def test_refused_rows_are_listed_with_why_and_where(story: Story) -> None:
    rows = story.documents["listed"]["rows"]

    assert {(r["tenant"], r["table"], r["status"]) for r in rows} == {(SLUG, TABLE, "open")}
    assert sorted(r["load_row"] for r in rows) == [2, 3, 4]
    assert "total_weight" in {r["path"] for r in rows}


def test_an_id_does_not_change_from_one_look_to_the_next(story: Story) -> None:
    again = story.quarantine("list", "--all").document["rows"]

    ids = {row["id"] for row in story.documents["listed"]["rows"]}
    assert len(ids) == 3
    assert ids == {row["id"] for row in again}


def test_a_row_is_shown_as_it_came(story: Story) -> None:
    identity = story.id_of("integer")

    shown = story.quarantine("show", identity[:8]).document

    assert shown["id"] == identity
    assert json.loads(shown["raw_record"]) == NO_NUMBER


BAD_INPUT: dict[str, tuple[tuple[str, ...], str]] = {
    "no row has the id": (("show", "0123456789"), "no quarantined row begins with '0123456789'"),
    "the id is too short": (("show", "abc"), "too short"),
    "neither ids nor a tenant are given": (("replay",), "say which rows"),
    "the reason is empty": (("discard", "0123456789", "--reason", " "), "reason is empty"),
}


@pytest.mark.parametrize("why", BAD_INPUT)
def test_bad_input_is_told_when(story: Story, why: str) -> None:
    arguments, told = BAD_INPUT[why]

    result = story.quarantine(*arguments, check=False)

    assert result.code == 2
    assert told in result.stderr


def test_a_replayed_row_lands_as_a_new_load_and_is_pushed_once(replayed: Story) -> None:
    (outcome,) = replayed.documents["replay"]["rows"]
    (table,) = replayed.documents["second"]["tables"]

    assert outcome["replayed"]
    assert (table["landed"], table["pushed"], table["quarantined"]) == (1, 1, 0)
    (order,) = replayed.project.query(
        f"select load_id, cast(extracted_at as varchar) as extracted_at, raw_data_payload as payload "
        f"from intermediate.int_{SLUG}__shopify_orders where order_id = '5'"
    )
    assert order["load_id"] == outcome["load_id"]
    assert order["extracted_at"] == "2026-05-02 00:00:00"  # no younger than it was
    assert json.loads(order["payload"])["gift"] == "wrapped"


def test_the_facts_have_every_good_row_once(replayed: Story) -> None:
    orders = replayed.project.query(
        f"select order_id from analytics.fct_{SLUG}__orders order by order_id"
    )

    assert [row["order_id"] for row in orders] == ["1", "2", "5"]


def test_conservation_holds_before_between_and_after(replayed: Story) -> None:
    between, after = replayed.documents["ledger between"], ledger(replayed.project, SLUG)

    assert (between["landed"], between["quarantined"], between["known"]) == (5, 2, 1)
    assert accounted(between) == between["landed"]
    assert (after["landed"], after["pushed"], after["quarantined"]) == (6, 3, 2)
    assert accounted(after) == after["landed"]
    assert [f for f in replayed.documents["second"]["findings"] if f["kind"] == "audit"] == []


def test_the_ledger_is_only_appended_to(replayed: Story) -> None:
    rows = replayed.project.query(
        "select rows_landed, rows_pushed, rows_known, rows_quarantined "
        "from ops.platform_ops__push_ledger order by pushed_at"
    )

    assert [tuple(row.values()) for row in rows] == [(5, 2, 0, 3), (0, 0, 1, -1), (1, 1, 0, 0)]


def test_a_row_that_is_refused_still_stays_and_the_command_says_so(replayed: Story) -> None:
    result = replayed.documents["refused again"]

    (outcome,) = result.document["rows"]
    assert result.code == 1
    assert not outcome["replayed"]
    assert outcome["error"]
    assert outcome["id"] in {row["id"] for row in replayed.open_rows()}


def test_what_is_decided_is_listed_only_when_asked_for(replayed: Story) -> None:
    everything = replayed.quarantine("list", "--all").document["rows"]

    assert len(replayed.open_rows()) == 1
    assert {(r["status"], r["decided_by"], r["reason"]) for r in everything} == {
        ("open", None, None),
        ("replayed", "ripley", None),
        ("discarded", "ash", "a scale's joke"),
    }
    assert replayed.project.value("select count(*) from ops.platform_ops__quarantine_rows") == 3


def test_a_replayed_row_is_not_replayed_or_discarded_again(replayed: Story) -> None:
    identity = replayed.id_of("too strict")

    again = replayed.quarantine("replay", identity, check=False)
    discarded = replayed.quarantine("discard", identity, "--reason", "x", check=False)

    assert again.code == discarded.code == 2
    assert "has landed again already" in again.stderr


def test_a_tenant_without_open_rows_has_nothing_to_replay(replayed: Story) -> None:
    result = replayed.quarantine("replay", "--tenant", "nobody", check=False)

    assert result.document == {"rows": []}


def test_the_independent_audit_finds_every_row_once(replayed: Story) -> None:
    result = replayed.project.martlet("audit", "--json", check=False)

    assert [f for f in result.document["findings"] if f["kind"] == "audit"] == []
