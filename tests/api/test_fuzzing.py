"""Requests that nobody thought of: no 500, and every response as it is described.

`MARTLET_FUZZ_EXAMPLES=900 pytest tests/api/test_fuzzing.py` makes more than 10,000 of them.
"""

import os
import sys
from collections import Counter
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.published import OWN

EXAMPLES = int(os.environ.get("MARTLET_FUZZ_EXAMPLES", "12"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def described(address: str, key: str) -> Any:
    """Give the description with the names that there are: others are refused at the first one."""
    headers = {"Authorization": f"Bearer {key}"}
    document = httpx.get(f"{address}/openapi.json").json()
    models = httpx.get(f"{address}/v1/{OWN}/models", headers=headers).json()["models"]
    names = {
        "model": {"enum": [model["model"] for model in models]},
        "measures": {"enum": sorted({name for model in models for name in model["measures"]})},
        "dimensions": {"enum": sorted({name for model in models for name in model["dimensions"]})},
    }
    anything = {"enum": names["measures"]["enum"] + names["dimensions"]["enum"]}
    schemas = document["components"]["schemas"]
    for question in ("Query", "Comparison", "ValueSearch"):
        properties = schemas[question]["properties"]
        properties["model"] = names["model"]
        for member in ("measures", "dimensions"):
            if member in properties:
                properties[member] |= {"items": names[member], "maxItems": 4}
        if "dimension" in properties:
            properties["dimension"] = names["dimensions"]
    for part in ("Condition", "Order"):
        schemas[part]["properties"]["field"] = anything
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "tenant":
                    parameter["schema"] = {"enum": [OWN, "nobody"]}
    return schemathesis.openapi.from_dict(document)


def test_no_request_breaks_the_server_or_its_description(
    described: Any, address: str, key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}"}

    statuses = {
        operation.label: fuzzed(operation, address, headers)
        for operation in (found.ok() for found in described.get_all_operations())
    }

    assert len(statuses) == 13
    if EXAMPLES >= 12:
        assert statuses["POST /v1/{tenant}/query"][200]
    made = sum(seen.total() for seen in statuses.values())
    sys.stdout.write(f"{made:,} requests: {statuses}\n")  # for -s


def fuzzed(operation: Any, address: str, headers: dict[str, str]) -> Counter[int]:
    """Send requests to one operation and check each answer; return their statuses."""
    seen: Counter[int] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def check(case: schemathesis.Case) -> None:
        answered = case.call_and_validate(base_url=address, headers=headers, checks=CHECKS)
        seen[answered.status_code] += 1

    check()
    return seen
