"""What the tools answer, as JSON Schema: the documents of the HTTP API, and a link to the page."""

from typing import Any

from pydantic import BaseModel, Field

from martlet.api.schemas import ExplainedQuery, FreshnessReport, TabularAnswer
from martlet.mcp.arguments import inlined_schema


class LinkedAnswer(TabularAnswer):
    """Columns, rows, and what to know about them."""

    open_url: str | None = Field(description="The page that shows the same question to a person.")


class LinkedExplanation(ExplainedQuery):
    """The SQL that answers a query; values stand apart from it."""

    open_url: str | None = Field(description="The page that shows the same question to a person.")


class ShortFreshness(FreshnessReport):
    """When the data are from, source by source."""

    truncated: bool = Field(description="There are more sources; these are held or the oldest.")


def output_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of what a tool answers."""
    return inlined_schema(model)
