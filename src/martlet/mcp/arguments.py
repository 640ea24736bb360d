"""What the tools take, described for a model that reads nothing else before it asks."""

import copy
import json
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictInt

from martlet.semantic.requests import Asked, Comparison, Name, Query, ValueSearch

DEFAULT_ROWS = 50
MAX_ROWS = 1_000
MAX_VALUES = 200

RowLimit = Annotated[StrictInt, Field(ge=1, le=MAX_ROWS)]


class NoArguments(Asked):
    """Nothing is to be said."""


class ModelArguments(Asked):
    """One model."""

    model: Name


class QueryArguments(Query):
    """Measures of one model by dimensions, over a range of days."""

    limit: RowLimit = DEFAULT_ROWS


class ComparisonArguments(Comparison):
    """The same measures in two ranges of days."""

    limit: RowLimit = DEFAULT_ROWS


class SearchArguments(ValueSearch):
    """Values of one dimension that contain a text."""

    limit: Annotated[StrictInt, Field(ge=1, le=MAX_VALUES)] = DEFAULT_ROWS


_MODEL = "Name of a model, from list_models."
_MEASURES = "Numbers to compute, named as describe_model names them."
_DIMENSIONS = "What to group by, named as describe_model names them. Fields of a joined model have "
_FILTERS = "Conditions; all of them hold."
_CURRENCY = (
    "ISO 4217 code, such as EUR: converts amounts at the rate of their day. Needed where one "
    "number would mix currencies."
)
_DAY = "A day as YYYY-MM-DD; included."
# By the path of a property; `[]` is an item of a list.
_TEXTS: Mapping[str, str] = {
    "model": _MODEL,
    "dimension": "Name of the dimension to search, from describe_model.",
    "search": "Text to look for, in any case; empty gives the most frequent values.",
    "measures": _MEASURES,
    "dimensions": f"{_DIMENSIONS}its name before a dot: campaigns.campaign_name.",
    "filters": _FILTERS,
    "filters[].field": "A dimension chooses rows; a measure chooses groups.",
    "filters[].op": "How to compare. `contains` looks for the text itself, in any case.",
    "filters[].value": "One value; a list for in and not_in; none for is_null and is_not_null. "
    "Days as YYYY-MM-DD. search_values gives texts as they are spelled.",
    "time": "The range of days. Models with a time_dimension need start and end.",
    "time.field": "Which day counts; leave it out for the model's own.",
    "time.start": _DAY,
    "time.end": _DAY,
    "time.grain": "Gives one row for each of these periods, in a column of its own.",
    "current": "The range of days to look at; start and end are needed.",
    "previous": "What to compare it with; by default as many days just before.",
    "current.field": "Which day counts; leave it out for the model's own.",
    "current.start": _DAY,
    "current.end": _DAY,
    "previous.start": _DAY,
    "previous.end": _DAY,
    "order": "Fields of the answer to sort by. Nulls come last.",
    "order[].field": "A measure or dimension of this question.",
    "order[].direction": "desc for the greatest first.",
    "limit": "At most this many rows.",
    "cursor": "next_cursor of the answer before, with the rest of the question unchanged.",
    "convert_to": _CURRENCY,
    "totals": "Adds each measure over all rows, not only those of this page.",
}
# Periods of a comparison have no grain, and one day field for both.
_HIDDEN = frozenset({"current.grain", "previous.grain", "previous.field"})
EXAMPLES: Mapping[type[BaseModel], tuple[dict[str, Any], ...]] = {
    ModelArguments: ({"model": "ad_performance"},),
    QueryArguments: (
        {
            "model": "ad_performance",
            "measures": ["spend", "clicks", "cpc"],
            "dimensions": ["source_platform"],
            "time": {"start": "2026-06-01", "end": "2026-06-30"},
            "order": [{"field": "spend", "direction": "desc"}],
        },
        {
            "model": "orders",
            "measures": ["order_count", "revenue"],
            "filters": [{"field": "financial_status", "op": "in", "value": ["paid"]}],
            "time": {"start": "2026-04-01", "end": "2026-06-30", "grain": "month"},
            "totals": True,
        },
    ),
    ComparisonArguments: (
        {
            "model": "ad_performance",
            "measures": ["spend", "ctr"],
            "dimensions": ["campaigns.campaign_name"],
            "current": {"start": "2026-06-24", "end": "2026-06-30"},
        },
    ),
    SearchArguments: (
        {"model": "campaigns", "dimension": "campaign_name", "search": "summer", "limit": 10},
    ),
}


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = inlined_schema(model)
    del schema["description"]  # the tool's own says more
    _describe(schema, "")
    if model in EXAMPLES:
        schema["examples"] = list(EXAMPLES[model])
    return schema


def inlined_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model without references, which not every client follows."""
    raw = model.model_json_schema()
    schema: dict[str, Any] = _inlined(raw, raw.get("$defs", {}))
    return schema


def input_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments: no references, every property described."""
    return copy.deepcopy(_schema(model))


def unpacked(model: type[BaseModel], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with lists and objects that a client sent as JSON text put right."""
    properties = _schema(model)["properties"]
    found = dict(arguments)
    for name, value in arguments.items():
        is_structured = name in properties and not _takes_text(properties[name])
        if is_structured and isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
            try:
                found[name] = json.loads(value)
            except (ValueError, RecursionError):
                continue
    return found


def _inlined(part: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(part, list):
        return [_inlined(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        named = definitions[part["$ref"].rpartition("/")[2]]
        return _inlined({**named, **{k: v for k, v in part.items() if k != "$ref"}}, definitions)
    return {
        name: {key: _inlined(each, definitions) for key, each in value.items()}
        if name == "properties"
        else _inlined(value, definitions)
        for name, value in part.items()
        if name != "$defs" and not (name == "title" and isinstance(value, str))
    }


def _describe(schema: dict[str, Any], within: str) -> None:
    """Write the texts into a schema and what is nested in it, and take hidden properties out."""
    for part in (schema, *schema.get("anyOf", ())):
        if "items" in part:
            _describe(part["items"], f"{within.removesuffix('.')}[].")
        properties = part.get("properties", {})
        for name in list(properties):
            path = f"{within}{name}"
            if path in _HIDDEN:
                del properties[name]
                continue
            if path in _TEXTS:
                properties[name]["description"] = _TEXTS[path]
            _describe(properties[name], f"{path}.")


def _takes_text(schema: Mapping[str, Any]) -> bool:
    return any(part.get("type") == "string" for part in (schema, *schema.get("anyOf", ())))
