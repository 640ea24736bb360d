"""The same question for other doors: a command, a tool call, SQL."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from martlet.semantic.answers import Explanation
from martlet.semantic.requests import Query

MCP_ROWS = 1_000  # what the tool takes at most


@dataclass(frozen=True)
class Copies:
    """One question as text for each door; `sql` is what the service runs for it."""

    curl: str
    mcp: str
    sql: str


def copies_of(base: str, tenant: str, query: Query, explanation: Explanation) -> Copies:
    """Return the question for the other doors of the server at `base`; no text holds a key."""
    body = question_body(query)
    return Copies(curl=_curl(base, tenant, body), mcp=_tool_call(body), sql=_sql(explanation))


def question_body(query: Query) -> dict[str, Any]:
    """Return the question as the API takes it, without what goes without saying."""
    body = query.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    body.pop("cursor", None)
    body["filters"] = [
        [c.field, c.op, *([] if c.value is None else [c.value])] for c in query.filters
    ]
    body["order"] = [f"{'-' * (o.direction == 'desc')}{o.field}" for o in query.order]
    return {name: value for name, value in body.items() if value not in ([], {})}


def _curl(base: str, tenant: str, body: dict[str, Any]) -> str:
    return " \\\n  ".join(
        (
            f"curl --fail-with-body {shlex.quote(f'{base}/v1/{tenant}/query')}",
            '-H "Authorization: Bearer $MARTLET_KEY"',
            "-H 'Content-Type: application/json'",
            f"-d {shlex.quote(json.dumps(body, ensure_ascii=False))}",
        )
    )


def _tool_call(body: dict[str, Any]) -> str:
    arguments = body | ({"limit": MCP_ROWS} if body.get("limit", 0) > MCP_ROWS else {})
    call = {"name": "query_metrics", "arguments": arguments}
    return json.dumps(call, ensure_ascii=False, indent=2)


def _sql(explanation: Explanation) -> str:
    """Return the SQL, and above it the values that are bound to it, one comment line each."""
    bound = [
        f"-- ${name} = {json.dumps(value, default=str, ensure_ascii=False)}"
        for name, value in explanation.parameters.items()
    ]
    return "\n".join((*bound, explanation.sql))
