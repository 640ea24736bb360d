"""The description is what the server does: examples run, every response is described."""

import json
from typing import Any

import httpx
import pytest

from martlet.api.examples import TENANT
from martlet.api.problems import KINDS
from tests.api.conftest import Ask
from tests.api.published import OWN
from tests.api.test_bad_input import GOOD


@pytest.fixture(scope="module")
def described(address: str) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{address}/openapi.json").json()
    return document


def operations(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


def test_the_addresses_are_those_that_were_promised(described: dict[str, Any]) -> None:
    found = {(method, path) for path, method, _ in operations(described)}

    own = "/v1/{tenant}"
    assert found == {
        ("get", f"{own}/models"),
        ("get", f"{own}/models/{{model}}"),
        ("get", f"{own}/query"),
        ("post", f"{own}/query"),
        ("post", f"{own}/compare"),
        ("get", f"{own}/values"),
        ("post", f"{own}/values"),
        ("post", f"{own}/explain"),
        ("get", f"{own}/freshness"),
        ("get", f"{own}/observability/{{subject}}"),
        ("get", "/livez"),
        ("get", "/readyz"),
        ("get", "/metrics"),
    }


def test_every_operation_has_an_id_and_all_its_responses(described: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(ids)) == len(ids)
    for path, method, operation in operations(described):
        responses = operation["responses"]
        assert operation["description"]
        if not path.startswith("/v1/"):
            assert "security" not in operation
            continue
        assert operation["security"] == [{"key": []}]
        needed = {
            "200",
            "304",
            "401",
            "403",
            "404",
            "405",
            "406",
            "422",
            "429",
            "500",
            "503",
            "504",
        }
        if method == "post":
            needed |= {"400", "410", "413", "415"}
        assert needed <= set(responses), path
        for status, response in responses.items():
            if int(status) >= 400:
                assert list(response["content"]) == ["application/problem+json"]
                for code in response["content"]["application/problem+json"]["examples"]:
                    assert KINDS[code].status == int(status)
        if "observability" in path or operation["operationId"] in ("get_query", "post_query"):
            assert set(responses["200"]["content"]) == {
                "application/json",
                "application/vnd.apache.arrow.stream",
                "application/vnd.apache.parquet",
                "text/csv",
            }


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    references: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                references.add(value["$ref"])
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(described)

    assert len(references) > 10
    for reference in references:
        found = described
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    assert "HTTPValidationError" not in described["components"]["schemas"]


def test_every_example_runs(ask: Ask, described: dict[str, Any]) -> None:
    assert TENANT == OWN
    ran = 0
    for path, method, operation in operations(described):
        url = path.removeprefix("/v1/{tenant}").format(model="ad_performance", subject="runs")
        if method == "post":
            content = operation["requestBody"]["content"]["application/json"]
            for name, example in content["examples"].items():
                answered = ask("POST", url, json=example["value"])
                assert answered.status_code == 200, (name, answered.text)
                assert answered.json().get("rows") != []
                ran += 1
        for parameter in operation.get("parameters", ()):
            if parameter["name"] != "query":
                continue
            for name, example in parameter["examples"].items():
                answered = ask("GET", url, params={"query": example["value"]})
                assert answered.status_code == 200, (name, answered.text)
                assert json.loads(example["value"])
                ran += 1
    assert ran > 10


def test_answers_have_what_the_description_says(ask: Ask, described: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator

    def validator(name: str) -> Any:
        schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
        return Draft202012Validator(schema)

    answers = {
        "TabularAnswer": ask("POST", "/query", json={**GOOD, "totals": True}),
        "ModelList": ask("GET", "/models"),
        "ModelDocument": ask("GET", "/models/blended"),
        "FreshnessReport": ask("GET", "/freshness"),
        "ExplainedQuery": ask("POST", "/explain", json=GOOD),
        "Observed": ask("GET", "/observability/schema-history"),
        "Problem": ask("POST", "/query", json={"model": 7, "x": 1}),
    }

    for name, answered in answers.items():
        errors = [error.message for error in validator(name).iter_errors(answered.json())]
        assert not errors, name
    for short in ([["currency", "eq", "USD"]], [["currency", "is_null"]]):
        query = {**GOOD, "filters": short, "order": ["-spend", ["spend", "asc"]]}
        assert validator("Query").is_valid(query)
    assert not validator("Query").is_valid({**GOOD, "limit": 0})
