"""Definitions and histories can be read, and prompts are filled from the data that there are."""

import json
from typing import Any

import httpx
import pytest
from mcp.shared.exceptions import MCPError

from tests.api.published import OWN, Installation
from tests.mcp.served import Agent


def read(agent: Agent, uri: str) -> Any:
    (content,) = agent.do(lambda one: one.read_resource(uri)).contents
    assert content.mime_type == "application/json"
    return json.loads(content.text)


def prompt(agent: Agent, name: str, **arguments: str) -> str:
    (message,) = agent.do(lambda one: one.get_prompt(name, arguments)).messages
    assert message.role == "user"
    return str(message.content.text)


def test_every_resource_that_is_listed_can_be_read(agent: Agent) -> None:
    resources = agent.do(lambda one: one.list_resources()).resources

    assert [resource.uri for resource in resources] == [
        "martlet://models/ad_performance",
        "martlet://models/orders",
        "martlet://models/sessions",
        "martlet://models/campaigns",
        "martlet://models/blended",
        "martlet://schema-history",
    ]
    for resource in resources:
        assert resource.title
        assert read(agent, resource.uri)["data_version"]


def test_a_models_definition_is_what_describing_it_gives(
    agent: Agent, address: str, key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    expected = httpx.get(f"{address}/v1/{OWN}/models/orders", headers=headers).json()

    assert read(agent, "martlet://models/orders") == expected
    assert agent.call("describe_model", model="orders") == expected


def test_the_history_of_shapes_has_columns_where_one_source_is_asked_for(agent: Agent) -> None:
    (short,) = read(agent, "martlet://schema-history")["versions"]
    (whole,) = read(agent, "martlet://schema-history/shopify/orders")["versions"]

    assert (short["source_platform"], short["object"], short["verdict"]) == (
        "shopify",
        "orders",
        "exact",
    )
    assert "columns" not in short
    assert "BIGINT" in json.dumps(whole["columns"])


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("martlet://models/order", "did you mean 'orders'?"),
        ("martlet://schema-history/shopify/order", "schema-history/shopify/orders"),
        ("martlet://schema-history/shopify/orders/1", "there is no such resource"),
        ("martlet://schema", "martlet://schema-history"),
        ("file:///etc/passwd", "there is no such resource"),
    ],
)
def test_an_address_with_nothing_behind_it_names_the_nearest(
    agent: Agent, uri: str, expected: str
) -> None:
    with pytest.raises(MCPError) as refused:
        read(agent, uri)

    assert refused.value.code == -32602
    assert refused.value.data == {"code": "not_found"}
    assert expected in refused.value.message


def test_the_templates_are_those_that_can_be_read(agent: Agent) -> None:
    templates = agent.do(lambda one: one.list_resource_templates()).resource_templates

    assert {template.uri_template for template in templates} == {
        "martlet://models/{model}",
        "martlet://schema-history/{platform}/{object}",
    }


def test_a_review_is_of_the_last_whole_week_and_names_real_measures(agent: Agent) -> None:
    listed = agent.do(lambda one: one.list_prompts()).prompts
    review = prompt(agent, "weekly_review")
    in_euros = prompt(agent, "weekly_review", week_ending="2026-06-14", currency="EUR")

    assert [each.name for each in listed] == ["weekly_review", "anomaly_check"]
    assert "from 2026-06-22 to 2026-06-28" in review
    assert "spend, revenue, mer, cac, orders, sessions" in review
    assert "from 2026-06-08 to 2026-06-14" in in_euros
    assert 'convert_to "EUR"' in in_euros
    answer = agent.call(
        "compare_periods",
        model="blended",
        measures=["spend", "revenue", "mer", "cac", "orders", "sessions"],
        current={"start": "2026-06-22", "end": "2026-06-28"},
    )
    assert answer["current"] == {"start": "2026-06-22", "end": "2026-06-28"}


def test_an_anomaly_check_looks_at_the_last_days_of_the_data(agent: Agent) -> None:
    text = prompt(agent, "anomaly_check", model="orders", measure="revenue")

    assert "revenue in the model orders in the 7 days up to 2026-06-30" in text
    assert '{"start": "2026-05-27", "end": "2026-06-30", "grain": "day"}' in text


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("weekly_reviews", {}, "did you mean 'weekly_review'?"),
        ("weekly_review", {"week_ending": "soon"}, "YYYY-MM-DD"),
        ("weekly_review", {"week_ending": "2026-02-30"}, "YYYY-MM-DD"),
        ("weekly_review", {"currency": "euro\nIgnore"}, "ISO 4217"),
        ("weekly_review", {"week_end": "1"}, "did you mean 'week_ending'?"),
        ("anomaly_check", {"model": "order"}, "did you mean 'orders'?"),
        ("anomaly_check", {"model": "orders", "measure": "revenues"}, "did you mean 'revenue'?"),
        ("anomaly_check", {"model": "campaigns"}, "no days"),
    ],
)
def test_a_prompt_refuses_what_it_cannot_use(
    agent: Agent, name: str, arguments: dict[str, str], expected: str
) -> None:
    with pytest.raises(MCPError) as refused:
        prompt(agent, name, **arguments)

    assert expected in refused.value.message


def test_a_key_sees_only_what_its_scopes_open(installation: Installation, address: str) -> None:
    watcher = Agent(address, installation.key(OWN, "observability"))
    asker = Agent(address, installation.key(OWN, "query"))

    seen = [r.uri for r in watcher.do(lambda one: one.list_resources()).resources]
    assert seen == ["martlet://schema-history"]
    assert "martlet://schema-history" not in {
        r.uri for r in asker.do(lambda one: one.list_resources()).resources
    }
    for agent, uri, scope in (
        (watcher, "martlet://models/orders", "query"),
        (asker, "martlet://schema-history", "observability"),
    ):
        with pytest.raises(MCPError, match=scope) as refused:
            read(agent, uri)
        assert refused.value.data == {"code": "scope_missing"}
    with pytest.raises(MCPError, match="query"):
        prompt(watcher, "weekly_review")
