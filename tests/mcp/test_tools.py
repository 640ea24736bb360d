"""Agents get the answers that the HTTP API gives, in portions that fit into a conversation."""

import json
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from mcp.shared.exceptions import MCPError

from martlet.api.formats import as_json
from martlet.mcp.answers import MAX_BYTES
from tests.api.published import OTHER, OWN, install
from tests.mcp.served import Agent, running

JUNE = {"start": "2026-06-01", "end": "2026-06-30"}
SPEND = {
    "model": "ad_performance",
    "measures": ["spend", "clicks", "cpc"],
    "dimensions": ["source_platform"],
    "time": JUNE,
}
TOOLS = [
    "list_models",
    "describe_model",
    "query_metrics",
    "compare_periods",
    "search_values",
    "get_freshness",
    "explain_query",
    "get_pipeline_health",
]


def over_http(address: str, key: str, operation: str, question: dict[str, Any]) -> dict[str, Any]:
    answered = httpx.post(
        f"{address}/v1/{OWN}/{operation}",
        json=question,
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    assert answered.status_code == 200, answered.text
    document: dict[str, Any] = answered.json()
    return document


def test_the_tools_say_what_they_are(agent: Agent) -> None:
    tools = agent.do(lambda one: one.list_tools()).tools

    assert [tool.name for tool in tools] == TOOLS
    for tool in tools:
        assert tool.title
        assert tool.annotations
        assert tool.annotations.read_only_hint
        assert tool.annotations.idempotent_hint
        assert tool.annotations.open_world_hint is False
        assert tool.annotations.destructive_hint is False
        assert tool.output_schema
        assert tool.input_schema["additionalProperties"] is False
        assert "$ref" not in json.dumps([tool.input_schema, tool.output_schema])
        assert not undescribed(tool.input_schema, tool.name)


def undescribed(schema: dict[str, Any], path: str) -> list[str]:
    found = []
    for part in (schema, schema.get("items", {}), *schema.get("anyOf", ())):
        for name, property_ in part.get("properties", {}).items():
            if not property_.get("description"):
                found.append(f"{path}.{name}")
            found += undescribed(property_, f"{path}.{name}")
    return found


def test_the_models_lead_to_a_question_that_has_an_answer(agent: Agent) -> None:
    models = agent.call("list_models")["models"]
    described = agent.call("describe_model", model=models[0]["model"])
    days = {"start": described["first_day"], "end": described["last_day"]}
    answer = agent.call(
        "query_metrics",
        model=described["model"],
        measures=[described["measures"][0]["name"]],
        time=days,
    )

    assert [model["model"] for model in models] == [
        "ad_performance",
        "orders",
        "sessions",
        "campaigns",
        "blended",
    ]
    assert answer["row_count"] == 1


@pytest.mark.parametrize(
    ("tool", "operation", "question"),
    [
        ("query_metrics", "query", SPEND | {"totals": True}),
        (
            "query_metrics",
            "query",
            {
                "model": "ad_performance",
                "measures": ["spend", "conversions"],
                "dimensions": ["campaigns.campaign_name"],
                "filters": [{"field": "clicks", "op": "gt", "value": 100}],
                "time": JUNE | {"grain": "week"},
                "convert_to": "EUR",
                "order": [{"field": "spend", "direction": "desc"}],
                "limit": 7,
            },
        ),
        ("query_metrics", "query", {"model": "campaigns", "dimensions": ["campaign_name"]}),
        (
            "compare_periods",
            "compare",
            {
                "model": "sessions",
                "measures": ["session_count", "session_conversion_rate"],
                "dimensions": ["traffic_source"],
                "current": {"start": "2026-06-16", "end": "2026-06-30"},
            },
        ),
        (
            "search_values",
            "values",
            {"model": "campaigns", "dimension": "campaign_name", "search": "PLAIN"},
        ),
    ],
)
def test_a_question_has_the_same_answer_as_over_http(
    agent: Agent, address: str, key: str, tool: str, operation: str, question: dict[str, Any]
) -> None:
    answer = agent.call(tool, **question)
    expected = over_http(address, key, operation, question)

    link = answer.pop("open_url")
    assert answer["rows"]
    assert answer["data_version"] == expected["data_version"]
    assert answer["rows"] == expected["rows"]
    answer.pop("next_cursor"), expected.pop("next_cursor")
    assert answer == expected
    assert link.startswith(f"{address}/ui/{OWN}/explore?model={question['model']}&")


def test_fifty_rows_come_unless_more_are_asked_for_and_pages_go_on(
    agent: Agent, address: str, key: str
) -> None:
    question = {
        "model": "ad_performance",
        "measures": ["spend"],
        "dimensions": ["campaign_id"],
        "time": JUNE | {"grain": "day"},
    }
    first = agent.call("query_metrics", **question)
    second = agent.call("query_metrics", **question, cursor=first["next_cursor"], limit=1000)
    whole = over_http(address, key, "query", question)
    elsewhere = over_http(address, key, "query", question | {"cursor": first["next_cursor"]})

    assert first["row_count"] == 50
    assert first["truncated"]
    assert not second["truncated"]
    assert first["rows"] + second["rows"] == whole["rows"]
    assert elsewhere["rows"] == second["rows"]


def test_freshness_and_health_tell_how_the_data_stand(agent: Agent) -> None:
    freshness = agent.call("get_freshness")
    health = agent.call("get_pipeline_health")

    assert freshness["data_version"].startswith("v")
    assert freshness["truncated"] is False
    assert health["status"] == "healthy"
    assert health["reasons"] == []
    assert health["last_run"]["status"] == "success"
    assert len(health["recent_runs"]) == 5
    assert health["open_url"].endswith(f"/ui/{OWN}/pipeline")


def test_only_explain_shows_sql_and_it_runs_nothing(agent: Agent) -> None:
    explained = agent.call("explain_query", **SPEND)

    assert explained["sql"].startswith("SELECT")
    assert explained["parameters"] == {"start": JUNE["start"], "end": JUNE["end"]}
    assert JUNE["start"] not in explained["sql"]
    assert "rows" not in explained


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("query_metrics", {"measures": ["spent"]}, ["unknown_field", "'spend'", "describe_model"]),
        ("query_metrics", {"model": "ads_performance"}, ["unknown_model", "'ad_performance'"]),
        ("query_metrics", {"measure": ["spend"]}, ["invalid_query", "did you mean 'measures'?"]),
        ("query_metrics", {"limit": 1001}, ["invalid_query", "limit", "1000"]),
        ("query_metrics", {"limit": "50"}, ["invalid_query", "limit"]),
        ("query_metrics", {"time": None}, ["time_range_required", "2026-06-01 to 2026-06-30"]),
        ("query_metrics", {"time": {"start": "2026-06-01"}}, ["time_range_required"]),
        ("query_metrics", {"time": {"grain": "day"}}, ["time_range_required"]),
        ("explain_query", {"time": None}, ["time_range_required"]),
        ("query_metrics", {"time": JUNE | {"grain": "hour"}}, ["invalid_query", "time.grain"]),
        ("query_metrics", {"cursor": "AAAA"}, ["invalid_query", "cursor", "next_cursor"]),
        (
            "query_metrics",
            {"filters": [{"field": "source_platform", "op": "like", "value": "x"}]},
            ["invalid_query", "filters[0].op"],
        ),
        (
            "query_metrics",
            {
                "model": "orders",
                "measures": ["revenue"],
                "dimensions": [],
                "filters": [{"field": "customer_email", "op": "eq", "value": "x"}],
            },
            ["personal_field", "customer_email", "pii"],
        ),
        ("query_metrics", {"tenant": OTHER}, ["invalid_query", "there is no such member"]),
    ],
)
def test_a_refusal_says_what_to_do_instead(
    agent: Agent, tool: str, arguments: dict[str, Any], expected: list[str]
) -> None:
    said = agent.refused(tool, **(SPEND | arguments))

    for part in expected:
        assert part in said
    for internal in ("select", "fct_", "pydantic", "duckdb", "Traceback", ".py"):
        assert internal not in said.replace("describe_model", "").lower()


def test_a_list_that_a_client_sent_as_text_is_a_list(agent: Agent) -> None:
    as_text = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in SPEND.items()
    }

    assert (
        agent.call("query_metrics", **as_text)["rows"]
        == agent.call("query_metrics", **SPEND)["rows"]
    )


def test_a_tool_that_there_is_not_is_an_error_of_the_protocol(agent: Agent) -> None:
    with pytest.raises(MCPError, match="did you mean 'query_metrics'"):
        agent.do(lambda one: one.call_tool("query_metric", {}))


def test_an_answer_too_large_is_cut_where_its_cursor_goes_on(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.publish(
        OWN,
        f"insert into analytics.dim_{OWN}__campaigns (tenant_slug, source_platform, connection, "
        "account_id, campaign_id, campaign_name, currency) select "
        f"'{OWN}', 'google_ads', 'main', 'a1', 'c' || n, repeat('\u20ac\"', 200) || n, 'USD' "
        "from range(300) as numbers (n)",
    )
    question = {"model": "campaigns", "dimensions": ["campaign_id", "campaign_name"]}
    rows: list[Any] = []
    pages = []
    with running(installation.settings) as address:
        key = installation.key(OWN)
        agent = Agent(address, key)
        more: dict[str, Any] = {}
        while not pages or pages[-1]["next_cursor"]:
            pages.append(agent.call("query_metrics", **question, **more, limit=1_000))
            rows += pages[-1]["rows"]
            more = {"cursor": pages[-1]["next_cursor"]}
        whole = over_http(address, key, "query", question)
        values = agent.call(
            "search_values", model="campaigns", dimension="campaign_name", limit=200
        )

    assert len(pages) > 2
    assert rows == whole["rows"]
    for page in pages:
        assert len(as_json(page)) <= MAX_BYTES
        cut = [warning for warning in page["warnings"] if warning["code"] == "cut_to_size"]
        assert bool(cut) == page["truncated"]
        assert all("next_cursor" in warning["message"] for warning in cut)
    assert len(as_json(values)) <= MAX_BYTES
    assert values["truncated"]
    assert values["next_cursor"] is None
    assert "more filters" in values["warnings"][-1]["message"]


def test_a_row_that_does_not_fit_is_refused_with_a_way_out(tmp_path: Path) -> None:
    installation = install(tmp_path)
    installation.publish(
        OWN, f"update analytics.dim_{OWN}__campaigns set campaign_name = repeat('x', 70000)"
    )
    with running(installation.settings) as address:
        agent = Agent(address, installation.key(OWN))
        said = agent.refused("query_metrics", model="campaigns", dimensions=["campaign_name"])

    assert "answer_too_large" in said
    assert "fewer" in said


def test_a_pipeline_in_trouble_says_what_is_wrong_without_internals(tmp_path: Path) -> None:
    troubled = install(tmp_path)
    snapshot = next((troubled.settings.operations_dir / OWN).glob("v*.duckdb"))
    with duckdb.connect(str(snapshot)) as operations:
        operations.execute(
            """
            insert into runs (invocation_id, tenant_slug, started_at, status, models_failed)
            values ('last', 'tyrell_corp', timestamp '2026-07-01', 'error', 1);
            insert into run_results (invocation_id, name, resource_type, status, message, captured_at)
            values ('last', 'fct_tyrell_corp__orders', 'model', 'error',
                'Binder Error in models/analytics/x.sql', timestamp '2026-07-01');
            insert into quarantine_rows (quarantine_id, status, error)
            values ('q1', 'open', 'secret@example.com'), ('q2', 'replayed', null);
            insert into quarantined_tables (source_platform, object, verdict, decided_at)
            values ('shopify', 'orders', 'quarantine', timestamp '2026-07-01');
            insert into audits values ('tyrell_corp', timestamp '2026-07-01', 'a@example.com', 2);
            """
        )
    with running(troubled.settings) as address:
        health = Agent(address, troubled.key(OWN)).call("get_pipeline_health")

    assert health["status"] == "failing"
    assert health["reasons"] == [
        "the last run ended with error",
        "of the last run failed: fct_tyrell_corp__orders (error)",
        "the newest audit found 2 broken promises",
        "tables that are not pushed: shopify orders",
        "rows that wait in quarantine: 1",
    ]
    for internal in ("Binder", "models/", "example.com"):
        assert internal not in json.dumps(health)
